package listen

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"murmur/internal/audio"
	"murmur/internal/audio/wav"
	"murmur/internal/redact"
)

// The scripted transcriber is this test binary: it is run as `listen.test scripted FILE FAULT`, reads a WAV and says
// the words of the script that it finds voice for.
func TestMain(m *testing.M) {
	flag.Parse()
	if args := flag.Args(); len(args) == 3 && args[0] == "scripted" {
		if err := recite(args[1], args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// scripted gives the transcriber of a script.
func scripted(t testing.TB, s *script, fault string) *Listener {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "script.json")
	b, err := json.Marshal(s.Words)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(dir, "listen") // a transcriber reads its own folder
	if err := os.Symlink(self, command); err != nil {
		t.Fatal(err)
	}
	return &Listener{Path: command, Args: []string{"scripted", name, fault}}
}

// recite is the scripted transcriber: half of a word must be in the sound for it to be heard.
func recite(name, fault string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var words []Word
	if err := json.Unmarshal(b, &words); err != nil {
		return err
	}
	r, err := wav.NewReader(os.Stdin)
	if err != nil {
		return err
	}
	m := audio.NewMeter(r.Rate)
	pcm := make([]int16, r.Rate)
	for {
		n, err := r.Read(pcm)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		m.Write(pcm[:n])
	}
	m.Close()
	out := bufio.NewWriter(os.Stdout)
	for _, w := range injected(words, fault, rand.New(rand.NewPCG(1, uint64(len(words))))) {
		loud := 0
		for t := w.Start; t < w.End; t += audio.Tick {
			if i := int(t / audio.Tick); i < len(m.Levels) && m.Levels[i] > 40 {
				loud++
			}
		}
		if 2*time.Duration(loud)*audio.Tick >= w.length() {
			fmt.Fprintf(out, `{"w":%q,"start":%f,"end":%f,"conf":%f}`+"\n", w.Text, w.Start.Seconds(), w.End.Seconds(), w.Conf)
		}
	}
	return out.Flush()
}

// injected gives the words with faults: "none"; "errors": of ten words one is dropped or wrong, and every time is off
// by up to 200 ms; "drop": every tenth word is missing.
func injected(words []Word, fault string, r *rand.Rand) []Word {
	var out []Word
	last := map[int]time.Duration{}
	for i, w := range words {
		switch {
		case fault == "drop" && i%10 == 9:
			continue
		case fault == "errors":
			if r.IntN(10) == 0 {
				if r.IntN(2) == 0 {
					continue
				}
				wrong := []string{"rabbit", "the", "and", "window", "mostly"}
				if n, _ := digitLike(w.Text); n > 0 {
					wrong = []string{"one", "seven", "nine", "four"}
				}
				w.Text, w.Conf = wrong[r.IntN(len(wrong))], 0.4
			}
			shift := time.Duration(r.Float64()*400-200) * time.Millisecond
			w.Start, w.End = max(0, last[w.Leg], w.Start+shift), max(0, last[w.Leg], w.End+shift) // the order stays
			last[w.Leg] = w.Start
		}
		out = append(out, w)
	}
	sortWords(out)
	return out
}

// script is a call that nobody made: what is said, and what of it is personal.
type script struct {
	Words    []Word
	Personal []bool
	legs     int
	length   time.Duration
}

// Rates of speech, and the rate of the sound.
const (
	perLetter = 55 * time.Millisecond
	perWord   = 120 * time.Millisecond
	between   = 40 * time.Millisecond
	betweenUs = 500 * time.Millisecond
	rate      = 8000
)

// say adds a turn; what stands between braces is personal.
func (s *script) say(leg int, text string) *script {
	s.legs = max(s.legs, leg+1)
	s.length += betweenUs
	personal := false
	for word := range strings.FieldsSeq(text) {
		personal = personal || strings.HasPrefix(word, "{")
		s.add(leg, strings.Trim(word, "{}"), personal)
		personal = personal && !strings.HasSuffix(word, "}")
	}
	return s
}

func (s *script) add(leg int, word string, personal bool) {
	end := s.length + perWord + time.Duration(len(word))*perLetter
	s.Words = append(s.Words, Word{Text: word, Leg: leg, Start: s.length, End: end, Conf: 1})
	s.Personal = append(s.Personal, personal)
	s.length = end + between
}

// then goes on with another script.
func (s *script) then(o *script) *script {
	for i, w := range o.Words {
		w.Start, w.End = w.Start+s.length, w.End+s.length
		s.Words, s.Personal = append(s.Words, w), append(s.Personal, o.Personal[i])
	}
	s.length += o.length
	s.legs = max(s.legs, o.legs)
	return s
}

// truth is when something personal is said, and when anything else is.
func (s *script) truth() (personal, other []audio.Interval) {
	for i, w := range s.Words {
		if t := (audio.Interval{Start: w.Start, End: w.End}); s.Personal[i] {
			personal = append(personal, t)
		} else {
			other = append(other, t)
		}
	}
	return audio.Union(personal, 0), audio.Union(other, 0)
}

// recording is the sound of the call: noise where a word is.
func (s *script) recording() Recording {
	frames := int((s.length + betweenUs).Seconds() * rate)
	pcm := make([]int16, frames*s.legs)
	r := rand.New(rand.NewPCG(9, uint64(frames)))
	for i := range pcm {
		pcm[i] = int16(r.IntN(9) - 4)
	}
	for _, w := range s.Words {
		for f := int(w.Start.Seconds() * rate); f < int(w.End.Seconds()*rate); f++ {
			pcm[f*s.legs+w.Leg] = int16(r.IntN(8000) - 4000)
		}
	}
	var b bytes.Buffer
	w, err := wav.NewWriter(&b, rate, s.legs, frames)
	if err == nil {
		err = w.Write(pcm)
	}
	if err != nil {
		panic(err)
	}
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
}

// labelled makes a script of a labelled conversation; speakers get a leg each.
func labelled(text string, spans [][2]int) *script {
	s := &script{}
	at := 0
	sides := map[redact.Side]int{}
	for _, t := range redact.ParsePlain(text) {
		if _, ok := sides[t.Side]; !ok {
			sides[t.Side] = len(sides) % wav.MaxLegs
		}
		at += utf8.RuneCountInString(t.Label)
		leg := sides[t.Side]
		s.legs = max(s.legs, leg+1)
		s.length += betweenUs
		for word := range strings.SplitSeq(t.Text, " ") {
			end := at + utf8.RuneCountInString(word)
			personal := false
			for _, sp := range spans {
				personal = personal || sp[0] < end && sp[1] > at
			}
			if strings.TrimSpace(word) != "" {
				s.add(leg, word, personal)
			}
			at = end + 1
		}
	}
	return s
}

func redactor(t testing.TB, l *Listener) *Redactor {
	t.Helper()
	d, err := redact.New(redact.Config{Dial: redact.Strict})
	if err != nil {
		t.Fatal(err)
	}
	careful, err := redact.New(redact.Config{Dial: redact.Paranoid})
	if err != nil {
		t.Fatal(err)
	}
	return &Redactor{Detector: d, Careful: careful, Listener: l}
}
