package listen

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"murmur/internal/audio"
	"murmur/internal/audio/audiotest"
	"murmur/internal/audio/wav"
	"murmur/internal/private/internal/confine"
)

// cardCall is a call in which a question on one leg explains the digits on the other.
func cardCall() *script {
	return new(script).
		say(0, "hi there i would like to pay the invoice that came last week").
		say(1, "sure i can take that can i have the card number please").
		say(0, "yes it's {four zero one two eight eight eight eight}").
		say(1, "go ahead").
		say(0, "{eight eight eight eight one eight eight one}").
		say(1, "thank you and the expiration date").
		say(0, "{oh nine twenty nine}").
		say(1, "that went through is there anything else i can help with today").
		say(0, "no that is all thank you very much and have a good day")
}

func said(words []Word) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w.Text + " ")
	}
	return b.String()
}

func TestACallIsHeardAndMasked(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"none", "drop", "errors"} {
		s := cardCall()
		res, err := redactor(t, scripted(t, s, fault)).Listen(t.Context(), s.recording())
		if err != nil {
			t.Fatal(fault, err)
		}
		if res.Withheld != "" {
			t.Fatalf("%s: withheld: %s", fault, res.Withheld)
		}
		personal, _ := s.truth()
		if left := audio.Without(personal, intervals(res.Masks)); fault == "none" && len(left) > 0 || audio.Total(left) > audio.Total(personal)/20 {
			t.Errorf("%s: not masked: %v", fault, left)
		}
		for _, w := range append(strings.Fields(said(res.Words)), strings.Fields(strings.Join(res.Redaction.MaskedTurns(), " "))...) {
			if n, homophone := digitLike(w); n > 0 && !homophone {
				t.Errorf("%s: %q is left", fault, w)
			}
		}
		if fault == "none" && !strings.Contains(said(res.Words), "pay the invoice") {
			t.Errorf("ordinary words are gone: %s", said(res.Words))
		}
		if b := res.Balance; b.Talk[0] < 0.2 || b.Talk[1] < 0.2 || b.Silence <= 0 {
			t.Errorf("balance: %+v", b)
		}
	}
}

// TestNothingIsLeftUnderAMask masks a call and measures the sound: silence in every mask, the rest as it was.
func TestNothingIsLeftUnderAMask(t *testing.T) {
	t.Parallel()
	s := cardCall()
	rec := s.recording()
	res, err := redactor(t, scripted(t, s, "none")).Listen(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	var masked bytes.Buffer
	if err := res.Write(t.Context(), rec, &masked, audio.Silence); err != nil {
		t.Fatal(err)
	}
	in, err := rec(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before, after := samples(t, in), samples(t, &masked)
	if len(before) != len(after) {
		t.Fatalf("%d samples became %d", len(before), len(after))
	}
	const margin = rate / 50 // 20 ms: the fades
	for i := range after {
		now := at(i/s.legs, rate)
		covered := len(audio.Common([]audio.Interval{{Start: now, End: now + 1}}, intervals(res.Masks))) > 0
		if covered && after[i] != 0 {
			t.Fatalf("at %v something is left", now)
		}
		wide := []audio.Interval{{Start: now - 20*time.Millisecond, End: now + 20*time.Millisecond}}
		if after[i] != before[i] && len(audio.Common(wide, intervals(res.Masks))) == 0 {
			t.Fatalf("at %v, %d samples from a mask, the sound changed", now, margin)
		}
	}
	again, err := redactor(t, nil).Words(t.Context(), func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(masked.Bytes())), nil
	}, Heard{}, true)
	if err == nil && again.Duration != res.Duration {
		t.Errorf("%v long became %v", res.Duration, again.Duration)
	}
}

func samples(t *testing.T, in io.Reader) (out []int16) {
	t.Helper()
	r, err := wav.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 4000)
	for {
		n, err := r.Read(pcm)
		out = append(out, pcm[:n]...)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatTheFirstEarsMissIsHeardAgain has a transcriber that hears a number only the second time: the mask grows.
func TestWhatTheFirstEarsMissIsHeardAgain(t *testing.T) {
	t.Parallel()
	s := new(script).say(0, "my card is {four zero one two eight eight eight eight eight eight eight eight one eight eight one}").
		say(0, "and the other is {five one zero five one zero five one}").say(0, "that is all from me for today i think")
	var first Heard
	for _, w := range s.Words[:19] { // the second number is not among them, nor is the voice in which it is
		first.Words = append(first.Words, w)
	}
	first.Speech = [][]audio.Interval{{{Start: 0, End: first.Words[18].End}}}
	r := redactor(t, scripted(t, s, "none"))
	rec := s.recording()
	sound, err := measured(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.redact(t.Context(), rec, sound, first, true)
	if err != nil {
		t.Fatal(err)
	}
	personal, _ := s.truth()
	if left := audio.Without(personal, intervals(res.Masks)); len(left) > 0 {
		t.Errorf("not masked: %v of %v, masks %v", left, personal, res.Masks)
	}
}

func TestAudioIsWithheld(t *testing.T) {
	t.Parallel()
	s := cardCall()
	for name, test := range map[string]struct {
		heard Heard
		timed bool
		want  Withheld
	}{
		"words without times":        {Heard{Words: []Word{{Text: "hello", Conf: 1}}}, false, NoTimes},
		"a third of the voice heard": {Heard{Words: s.Words[:20]}, true, TooLittle},
		"nothing heard":              {Heard{}, true, TooLittle},
	} {
		res, err := redactor(t, nil).Words(t.Context(), s.recording(), test.heard, test.timed)
		if err != nil {
			t.Fatal(name, err)
		}
		if res.Withheld != test.want {
			t.Errorf("%s: withheld %q, want %q", name, res.Withheld, test.want)
		}
		var b bytes.Buffer
		if err := res.Write(t.Context(), s.recording(), &b, audio.Silence); err == nil || b.Len() > 0 {
			t.Errorf("%s: the audio is written", name)
		}
	}
}

func TestWordsThatDoNotFit(t *testing.T) {
	t.Parallel()
	s := cardCall()
	for name, test := range map[string]struct {
		word Word
		want error
	}{
		"begins past the end": {Word{Text: "late", Start: s.length + time.Minute, End: s.length + 2*time.Minute}, ErrTimes},
		"a leg too many":      {Word{Text: "who", Leg: 2}, ErrWords},
	} {
		if _, err := redactor(t, nil).Words(t.Context(), s.recording(), Heard{Words: []Word{test.word}}, true); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeysAreMasked presses keys in a recording without a word.
func TestKeysAreMasked(t *testing.T) {
	t.Parallel()
	pcm := make([]int16, 5*rate)
	for i, key := range []byte("4012") {
		copy(pcm[rate+i*rate/2:], audiotest.Press(rate, key, rate/8, 4000))
	}
	var b bytes.Buffer
	w, err := wav.NewWriter(&b, rate, 1, len(pcm))
	if err == nil {
		err = w.Write(pcm)
	}
	if err != nil {
		t.Fatal(err)
	}
	rec := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	res, err := redactor(t, nil).Words(t.Context(), rec, Heard{}, true)
	if err != nil {
		t.Fatal(err)
	}
	want := audio.Interval{Start: time.Second, End: 2*time.Second + 625*time.Millisecond}
	if len(res.Masks) != 1 || res.Masks[0].Why != Keys || len(audio.Without([]audio.Interval{want}, intervals(res.Masks))) > 0 {
		t.Errorf("masks: %v", res.Masks)
	}
}

func TestATranscriberThatFails(t *testing.T) {
	t.Parallel()
	s := new(script).say(0, "hello")
	for name, test := range map[string]struct {
		l    Listener
		want error
	}{
		"absent":          {Listener{Path: "/nowhere/listen"}, confine.ErrMissing},
		"fails":           {Listener{Path: "/bin/false"}, confine.ErrFailed},
		"prints no lines": {Listener{Path: "/bin/echo", Args: []string{"Anna Berg"}}, ErrWords},
	} {
		_, err := redactor(t, &test.l).Listen(t.Context(), s.recording())
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "Berg") {
			t.Errorf("%s: the error repeats what was heard", name)
		}
	}
}
