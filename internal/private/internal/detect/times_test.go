package detect_test

import (
	"slices"
	"testing"

	"murmur/internal/private/internal/detect"
)

// recognised cuts a text at spaces into words of a half second each.
func recognised(turn int, text string, at float64) (w []detect.Word) {
	start := 0
	rs := []rune(text + " ")
	for i, r := range rs {
		if r != ' ' {
			continue
		}
		if i > start {
			w = append(w, detect.Word{Turn: turn, Start: start, End: i, From: at, To: at + .4})
			at += .5
		}
		start = i + 1
	}
	return w
}

func TestSpansAreFoundInTheRecording(t *testing.T) {
	t.Parallel()
	turns := []detect.Turn{
		{Side: detect.Member, Text: "señor, your number please"},
		{Side: detect.Contact, Text: "sure it's four one five five five five oh one three two, thanks"},
	}
	r, err := detector(t, detect.Strict).Redact(detect.Doc{Turns: turns})
	if err != nil {
		t.Fatal(err)
	}
	words := append(recognised(0, turns[0].Text, 0), recognised(1, turns[1].Text, 10)...)
	got, complete := r.Intervals(words)
	if want := []detect.Interval{{From: 11, To: 15.9, Span: 0}}; !complete || !slices.Equal(got, want) {
		t.Errorf("intervals %v, complete %t; want %v", got, complete, want)
	}
	words[len(words)-3].To = 0
	if _, complete := r.Intervals(words); complete {
		t.Error("a word without a time is taken for masked")
	}
	if _, complete := r.Intervals(words[:4]); complete {
		t.Error("a span without words is taken for masked")
	}
}
