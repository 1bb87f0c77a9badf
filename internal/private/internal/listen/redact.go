package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"murmur/internal/audio"
	"murmur/internal/audio/wav"
	"murmur/internal/redact"
)

// Recording opens a recording as a WAV, as often as it is asked: it is read once for each step of the work.
type Recording func(context.Context) (io.ReadCloser, error)

// Redactor redacts recordings. It is safe for concurrent use.
type Redactor struct {
	Detector *redact.Detector
	Careful  *redact.Detector // for sentences that were not heard well: one that masks whatever may be personal
	Listener *Listener        // nil: the caller gives the words, and there is no second pass
}

// Result is a redacted recording.
type Result struct {
	Duration time.Duration
	Masks    []Finding // padded, in order; Why is the strongest reason
	Withheld Withheld  // why no audio may be given; empty if it may
	Words    []Word    // what may be read: words, and [TYPE] for masked ones
	// Turns are the conversation with those words masked that the rules of the sound found; Redaction masks the
	// rest.
	Turns     []redact.Turn
	Redaction *redact.Redaction
	Balance   audio.Balance

	frames int
}

// Withheld is why a recording's audio may not be given.
type Withheld string

const (
	NoTimes    Withheld = "the words have no times"
	TooLittle  Withheld = "too much of the voice was not understood"
	StillHeard Withheld = "something personal was still heard when listening again"
	Unverified Withheld = "the text could not be verified clean"
)

// rounds is how often the transcriber listens again until nothing more is found.
const rounds = 3

// around is how much is heard around a mask when listening again.
const around = 3 * time.Second

// ErrNoListener says that there are neither words nor a transcriber.
var ErrNoListener = errors.New("no transcriber is installed, and no words were given")

// Listen redacts a recording by what the transcriber hears.
func (r *Redactor) Listen(ctx context.Context, rec Recording) (*Result, error) {
	if r.Listener == nil {
		return nil, ErrNoListener
	}
	s, err := measured(ctx, rec)
	if err != nil {
		return nil, err
	}
	h, err := r.Listener.Listen(ctx, rec, s, s.Keys)
	if err != nil {
		return nil, err
	}
	return r.redact(ctx, rec, s, h, true)
}

// Words redacts a recording by somebody else's transcript. timed says whether its words have times.
func (r *Redactor) Words(ctx context.Context, rec Recording, h Heard, timed bool) (*Result, error) {
	s, err := measured(ctx, rec)
	if err != nil {
		return nil, err
	}
	if timed {
		if err := h.fit(s.Duration(), len(s.Levels)); err != nil {
			return nil, err
		}
	}
	return r.redact(ctx, rec, s, h, timed)
}

func measured(ctx context.Context, rec Recording) (*Sound, error) {
	in, err := rec(ctx)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return Measure(in)
}

func (r *Redactor) redact(ctx context.Context, rec Recording, s *Sound, h Heard, timed bool) (*Result, error) {
	res := &Result{Duration: s.Duration(), frames: s.Frames}
	voice := s.Voice
	if h.Speech != nil {
		voice = h.Speech
	}
	res.Balance = audio.Shares(voice, s.Duration())
	if !timed {
		res.Withheld = NoTimes
		res.Masks = []Finding{{audio.Interval{Start: 0, End: s.Duration()}, Unheard, nobody}}
		return res, r.text(res, h, len(s.Levels))
	}
	h.Words = stretch(h.Words, s.Voice)
	found, share, err := r.find(s, h)
	if err != nil {
		return nil, err
	}
	if share > unheardAtAll {
		res.Withheld = TooLittle
	}
	if r.Listener != nil {
		if found, err = r.again(ctx, rec, s, found, res); err != nil {
			return nil, err
		}
	}
	res.Masks = masks(found, s)
	h.Words = hide(h.Words, found)
	return res, r.text(res, h, len(s.Levels))
}

// find gives all stretches that must be masked, and the share of the voice that gave no words.
func (r *Redactor) find(s *Sound, h Heard) ([]Finding, float64, error) {
	found := findings(s.Keys, Keys, nobody)
	first, second := apart(h.Words)
	for _, words := range [][]Word{first, second} {
		spans, err := r.spans(words, s)
		if err != nil {
			return nil, 0, err
		}
		found = append(found, spans...)
		for leg := range s.Levels {
			runs := digitRuns(onLeg(words, leg))
			found = append(found, findings(runs, Digits, leg)...)
			found = append(found, findings(grow(runs, s.Voice), Digits, nobody)...)
		}
	}
	cut := sentences(first)
	for i := range cut {
		cut[i].write()
	}
	found = append(found, answers(cut, len(s.Levels), audio.Union(intervals(found), 0))...)
	left, share := unheard(&Heard{Words: first, Speech: h.Speech}, s.Voice)
	return append(found, left...), share, nil
}

// apart separates the words of the first model from those of the second.
func apart(words []Word) (first, second []Word) {
	for _, w := range words {
		if w.Second {
			second = append(second, w)
		} else {
			first = append(first, w)
		}
	}
	return first, second
}

// spans finds what is personal in the text, with its time. Sentences that were not heard well are read a second time
// for whatever might be personal.
func (r *Redactor) spans(words []Word, s *Sound) ([]Finding, error) {
	turns := turns(sentences(words))
	doc := document(turns, len(s.Levels))
	done, err := r.Detector.Redact(doc)
	if err != nil {
		return nil, err
	}
	careful, err := r.Careful.Redact(doc)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for i, reading := range []*redact.Redaction{done, careful} {
		for _, sp := range reading.Spans() {
			t := &turns[sp.Turn]
			first, last := t.within(sp.Start, sp.End)
			if first < last && (i == 0 || doubted(t.sentence(first), s.Voice[t.leg])) {
				found = append(found, Finding{audio.Interval{Start: t.words[first].Start, End: t.words[last-1].End}, Why(sp.Type.String()), t.leg})
			}
		}
	}
	return found, nil
}

// again has what lies around the masks recognised with the masks on. What is still found is masked too; if
// that does not end, the audio is withheld.
func (r *Redactor) again(ctx context.Context, rec Recording, s *Sound, found []Finding, res *Result) ([]Finding, error) {
	whole := []audio.Interval{{Start: 0, End: s.Duration()}}
	for range rounds {
		masks := intervals(masks(found, s))
		if len(masks) == 0 {
			return found, nil
		}
		near := make([]audio.Interval, len(masks))
		for i, m := range masks {
			near[i] = audio.Interval{Start: max(0, m.Start-around), End: min(s.Duration(), m.End+around)}
		}
		silence := audio.Union(append(audio.Without(whole, audio.Union(near, 0)), masks...), 0)
		h, err := r.Listener.Listen(ctx, rec, s, silence)
		if err != nil {
			return nil, err
		}
		h.Words = stretch(h.Words, s.Voice)
		more, err := r.heardAgain(h, masks, s)
		if err != nil || len(more) == 0 {
			return found, err
		}
		found = append(found, more...)
	}
	res.Withheld = StillHeard
	return found, nil
}

// heardAgain gives what a second listening found outside of the masks.
func (r *Redactor) heardAgain(h Heard, masks []audio.Interval, s *Sound) ([]Finding, error) {
	h.Words = slices.DeleteFunc(h.Words, func(w Word) bool { // made up in the silence
		t := []audio.Interval{{Start: w.Start, End: max(w.End, w.Start+1)}}
		return audio.Total(audio.Common(t, masks)) > t[0].Length()/2
	})
	first, second := apart(h.Words)
	var more []Finding
	for _, words := range [][]Word{first, second} {
		spans, err := r.spans(words, s)
		if err != nil {
			return nil, err
		}
		for leg := range s.Levels {
			spans = append(spans, findings(digitRuns(onLeg(words, leg)), Again, leg)...)
		}
		for _, f := range spans {
			for _, rest := range audio.Without([]audio.Interval{f.Interval}, masks) {
				if rest.Length() > slack {
					more = append(more, Finding{rest, Again, f.Leg})
				}
			}
		}
	}
	return more, nil
}

func findings(in []audio.Interval, why Why, leg int) (out []Finding) {
	for _, i := range in {
		out = append(out, Finding{i, why, leg})
	}
	return out
}

func intervals(in []Finding) (out []audio.Interval) {
	for _, f := range in {
		out = append(out, f.Interval)
	}
	return out
}

// order of reasons: the first that holds names a mask. Types of package redact come before all of them.
var order = []Why{Keys, Digits, Answer, Again, Unheard}

// masks pads findings into what is covered, each with its strongest reason.
func masks(found []Finding, s *Sound) []Finding {
	var out []Finding
	for _, m := range audio.Pad(intervals(found), s.Levels, s.Duration()) {
		why, best := Unheard, len(order)
		for _, f := range found {
			if f.Start < m.End && f.End > m.Start {
				if rank := slices.Index(order, f.Why); rank < best {
					why, best = f.Why, rank
				}
			}
		}
		out = append(out, Finding{m, why, nobody})
	}
	return out
}

// hide removes words of which at least half lies within a finding, so that the text does not show what the rules
// of the sound masked.
func hide(words []Word, found []Finding) []Word {
	words, _ = apart(words)
	hidden := make([]bool, len(words))
	for _, f := range found { // types of package redact come first
		for i, w := range words {
			t := audio.Interval{Start: max(w.Start, f.Start), End: min(w.End, f.End)}
			if !hidden[i] && w.Leg == f.Leg && t.Length() >= w.length()/2 && t.Length() > 0 {
				words[i].Text, hidden[i] = "["+string(f.Why)+"]", true
			}
		}
	}
	return words
}

// text redacts what was said.
func (r *Redactor) text(res *Result, h Heard, legs int) error {
	first, _ := apart(h.Words)
	turns := turns(sentences(first))
	doc := document(turns, legs)
	done, err := r.Detector.Redact(doc)
	if err != nil {
		return err
	}
	res.Turns, res.Redaction = doc.Turns, done
	if !done.Verified() {
		res.Withheld = Unverified
		return nil
	}
	spans := done.Spans()
	for i, t := range turns {
		words := slices.Clone(t.words)
		for _, sp := range spans {
			if sp.Turn == i {
				first, last := t.within(sp.Start, sp.End)
				for k := first; k < last; k++ {
					words[k].Text = "[" + sp.Type.String() + "]"
				}
			}
		}
		res.Words = append(res.Words, joined(words)...)
	}
	sortWords(res.Words)
	return nil
}

// joined makes one word of neighbours that are masked for the same reason.
func joined(words []Word) (out []Word) {
	for _, w := range words {
		if last := len(out) - 1; last >= 0 && w.Text[0] == '[' && out[last].Text == w.Text {
			out[last].End = w.End
			out[last].Conf = min(out[last].Conf, w.Conf)
			continue
		}
		out = append(out, w)
	}
	return out
}

// Write writes the masked recording. It is refused for one that is withheld.
func (res *Result) Write(ctx context.Context, rec Recording, out io.Writer, fill audio.Fill) error {
	if res.Withheld != "" {
		return fmt.Errorf("the audio is withheld: %s", res.Withheld)
	}
	in, err := rec(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := wav.NewReader(in)
	if err != nil {
		return err
	}
	return audio.Mask(out, r, res.frames, intervals(res.Masks), fill)
}
