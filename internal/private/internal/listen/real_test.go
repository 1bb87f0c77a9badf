package listen

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"murmur/internal/audio"
	"murmur/internal/audio/audiotest"
)

// TestTheInstalledTranscriberHearsDigits has the transcriber of `make voice` hear numbers read aloud by three real
// voices at 8 kHz, and measures how much of the digits' time is masked; then it listens to what is left. Ordinary
// read speech is masked too, for how much of it is lost. Every third clip by default: MURMUR_FULL=1 takes all.
func TestTheInstalledTranscriberHearsDigits(t *testing.T) {
	t.Parallel()
	l, ok := Find("")
	if !ok {
		t.Skip("NOT TESTED: no real transcriber is installed (make voice): the scripted one alone was heard")
	}
	truth := digitTimes(t)
	ids := []string{"george-00", "jackson-03", "lucas-07"}
	clips := []string{"1688-142285-0002"}
	if os.Getenv("MURMUR_FULL") != "" {
		ids, clips = nil, nil
		for id := range truth {
			ids = append(ids, id)
		}
		names, err := filepath.Glob(audiotest.Shared(t, "voice", "speech") + "/*.flac")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			clips = append(clips, strings.TrimSuffix(filepath.Base(n), ".flac"))
		}
	}
	r := redactor(t, l)
	var digits, masked time.Duration
	for _, id := range ids {
		rec := File(audiotest.Shared(t, "voice", "digits-8k", id+".wav"))
		res, err := r.Listen(t.Context(), rec)
		if err != nil {
			t.Fatal(id, err)
		}
		digits += audio.Total(truth[id])
		masked += audio.Total(audio.Common(truth[id], intervals(res.Masks)))
		if res.Withheld == "" {
			nothingLeft(t, l, rec, res)
		}
	}
	t.Logf("%d numbers read aloud: %.2f %% of the digits' time is masked", len(ids), 100*float64(masked)/float64(digits))
	if float64(masked) < 0.99*float64(digits) {
		t.Error("the goal is 99 %")
	}
	var voice, lost, bySound time.Duration
	for _, clip := range clips {
		res, err := r.Listen(t.Context(), File(audiotest.Shared(t, "voice", "speech", clip+".flac")))
		if err != nil {
			t.Fatal(clip, err)
		}
		voice += res.Duration
		lost += audio.Total(intervals(res.Masks))
		for _, m := range res.Masks {
			if m.Why == Digits || m.Why == Unheard || m.Why == Answer || m.Why == Keys {
				bySound += m.Length()
			}
		}
	}
	t.Logf("%d utterances of read speech, %.0f s: %.1f %% masked by what the sound gives away, %.1f %% with the names and places in their text",
		len(clips), voice.Seconds(), 100*float64(bySound)/float64(voice), 100*float64(lost)/float64(voice))
}

// nothingLeft listens to the masked recording: no four digits may be heard in it.
func nothingLeft(t *testing.T, l *Listener, rec Recording, res *Result) {
	t.Helper()
	var b bytes.Buffer
	if err := res.Write(t.Context(), rec, &b, audio.Silence); err != nil {
		t.Fatal(err)
	}
	again := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	s, err := measured(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	h, err := l.Listen(t.Context(), again, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if runs := digitRuns(h.Words); len(runs) > 0 {
		t.Errorf("digits are still heard at %v", runs)
	}
}

// digitTimes is when each digit of the shared clips is said.
func digitTimes(t *testing.T) map[string][]audio.Interval {
	t.Helper()
	b, err := os.ReadFile(audiotest.Shared(t, "voice", "digits-8k", "times.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]audio.Interval{}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		start, err1 := strconv.ParseFloat(f[2], 64)
		end, err2 := strconv.ParseFloat(f[3], 64)
		if err1 != nil || err2 != nil {
			t.Fatal("times.tsv is not what it was")
		}
		out[f[0]] = append(out[f[0]], audio.Interval{Start: time.Duration(start * 1e9), End: time.Duration(end * 1e9)})
	}
	for id := range out {
		out[id] = audio.Union(out[id], 0)
	}
	return out
}
