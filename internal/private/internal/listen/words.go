package listen

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"murmur/internal/audio"
	"murmur/internal/audio/wav"
)

// Limits of what a transcriber or a transcript may say.
const (
	maxWords    = 200_000 // four hours of fast talk on two legs, twice
	maxWord     = 200     // bytes
	maxWordsIn  = 64 << 20
	maxLineSize = 64 << 10
	pastTheEnd  = 500 * time.Millisecond // a word may end so much after the recording: it is cut off
)

// ErrWords says that words cannot be read.
var ErrWords = errors.New("not a list of words with w, start and end")

// ErrTimes says that the times of words cannot be those of the recording.
var ErrTimes = errors.New("the words lie past the end of the recording: they belong to another one, or its clock drifts")

// spoken is a word as it comes in JSON, in seconds.
type spoken struct {
	W      *string    `json:"w"`
	Start  *float64   `json:"start"`
	End    *float64   `json:"end"`
	Leg    int        `json:"leg"`
	Conf   *float64   `json:"conf"`
	Second bool       `json:"second"`
	Speech []*float64 `json:"speech"`
}

// ReadWords reads a transcript: a JSON array of {"w","start","end","leg","conf"}, in any order. timed is false if a
// word has no time.
func ReadWords(in io.Reader) (h Heard, timed bool, err error) {
	limited := &io.LimitedReader{R: in, N: maxWordsIn + 1}
	d := json.NewDecoder(limited)
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return h, false, ErrWords
	}
	timed = true
	for d.More() {
		var s spoken
		if err := d.Decode(&s); err != nil || s.W == nil {
			return h, false, fmt.Errorf("word %d: %w", len(h.Words), ErrWords)
		}
		w, hasTime, err := s.word()
		if err != nil {
			return h, false, fmt.Errorf("word %d: %w", len(h.Words), err)
		}
		timed = timed && hasTime
		if h.Words = append(h.Words, w...); len(h.Words) > maxWords || limited.N == 0 {
			return h, false, fmt.Errorf("%w: more than %d", ErrWords, maxWords)
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim(']') {
		return h, false, ErrWords
	}
	if timed {
		sortWords(h.Words)
	}
	return h, timed, nil
}

// readLines reads what a transcriber prints about one leg: JSON lines of words and of stretches of speech. What it
// heard outside of speech is left out.
func readLines(in io.Reader, leg int) (words []Word, speech []audio.Interval, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLineSize)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var s spoken
		if json.Unmarshal(line, &s) != nil || (s.W == nil) == (s.Speech == nil) {
			return nil, nil, fmt.Errorf("line %d of the transcriber: %w", n, ErrWords)
		}
		if s.Speech != nil {
			region, ok := interval(s.Speech)
			if !ok {
				return nil, nil, fmt.Errorf("line %d of the transcriber: %w", n, ErrWords)
			}
			if speech = append(speech, region); len(speech) > maxWords {
				return nil, nil, fmt.Errorf("%w: more than %d", ErrWords, maxWords)
			}
			continue
		}
		s.Leg = leg
		w, timed, err := s.word()
		if err != nil || !timed {
			return nil, nil, fmt.Errorf("line %d of the transcriber: %w", n, ErrWords)
		}
		if words = append(words, w...); len(words) > maxWords {
			return nil, nil, fmt.Errorf("%w: more than %d", ErrWords, maxWords)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("lines of the transcriber: %w", err)
	}
	speech = audio.Union(speech, 0)
	if speech != nil {
		words = slices.DeleteFunc(words, func(w Word) bool {
			return len(audio.Common([]audio.Interval{{Start: w.Start, End: max(w.End, w.Start+1)}}, speech)) == 0
		})
	}
	return words, speech, nil
}

// word gives the words of one entry: a transcriber may put several into one, which then share its time.
func (s *spoken) word() (words []Word, timed bool, err error) {
	if len(*s.W) > maxWord || !utf8.ValidString(*s.W) || s.Leg < 0 || s.Leg >= wav.MaxLegs {
		return nil, false, ErrWords
	}
	w := Word{Leg: s.Leg, Conf: 1, Second: s.Second}
	if s.Conf != nil {
		w.Conf = min(1, max(0, *s.Conf))
	}
	if s.Start != nil && s.End != nil {
		t, ok := interval([]*float64{s.Start, s.End})
		if !ok {
			return nil, false, ErrWords
		}
		w.Start, w.End, timed = t.Start, t.End, true
	}
	parts := strings.Fields(*s.W)
	length := (w.End - w.Start) / time.Duration(max(1, len(parts)))
	for i, part := range parts {
		each := w
		each.Text = part
		each.Start = w.Start + time.Duration(i)*length
		each.End = each.Start + length
		words = append(words, each)
	}
	return words, timed, nil
}

// interval reads two times in seconds.
func interval(s []*float64) (i audio.Interval, ok bool) {
	if len(s) != 2 || s[0] == nil || s[1] == nil {
		return i, false
	}
	for _, x := range s {
		if math.Abs(*x) > 2*wav.MaxDuration.Seconds() {
			return i, false
		}
	}
	i = audio.Interval{Start: time.Duration(*s[0] * float64(time.Second)), End: time.Duration(*s[1] * float64(time.Second))}
	if i.Start < -pastTheEnd || i.End < i.Start {
		return i, false
	}
	return audio.Interval{Start: max(0, i.Start), End: max(0, i.End)}, true
}

func sortWords(words []Word) {
	slices.SortStableFunc(words, func(a, b Word) int { return cmp.Compare(a.Start, b.Start) })
}

// fit cuts words off at the end of the recording and drops those of legs that it does not have. ErrTimes if words
// lie outside.
func (h *Heard) fit(duration time.Duration, legs int) error {
	for i := range h.Words {
		w := &h.Words[i]
		if w.Leg >= legs {
			return fmt.Errorf("%w: a word of leg %d in a recording of %d", ErrWords, w.Leg, legs)
		}
		if w.Start > duration || w.End > duration+pastTheEnd {
			return ErrTimes
		}
		w.End = min(w.End, duration)
	}
	return nil
}
