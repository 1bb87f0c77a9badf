package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func redactor(t testing.TB) *Redactor {
	t.Helper()
	r, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestALineThatIsTooLongIsAnsweredAndTheNextToo(t *testing.T) {
	t.Parallel()
	in := strings.NewReader(`{"id":1,"text":"` + strings.Repeat("a", maxLine) + "\"}\n" + `{"id":2,"text":"call 212 555 0123"}`)
	var out bytes.Buffer
	if err := redactor(t).Lines(in, &out, false); !errors.Is(err, ErrLine) {
		t.Errorf("error %v", err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"line":1`) || !strings.Contains(lines[1], "[PHONE]") {
		t.Errorf("%d lines came back", len(lines))
	}
}

// FuzzLines: every line that is not blank gets one line of JSON, in order; offsets lie inside the text; a span's value is
// nowhere in an error.
func FuzzLines(f *testing.F) {
	for _, s := range []string{`{"id":1,"text":"call 212 555 0123"}`, "not json\n{}\n\n", `{"id":"b","turns":[{"side":"agent","text":"pin?"},{"side":"customer","text":"4921"}]}`,
		`{"id":1,"text":"\ud800 ann@example.com"}`, "{\"id\":1,\"text\":\"\xff\"}", `{"text":"a","turns":[]}`, `[1]`} {
		f.Add(s)
	}
	r := redactor(f)
	f.Fuzz(func(t *testing.T, s string) {
		var out bytes.Buffer
		err := r.Lines(strings.NewReader(s), &out, true)
		if err != nil && !errors.Is(err, ErrLine) {
			t.Fatal(err)
		}
		want := 0
		for line := range strings.SplitSeq(s, "\n") {
			if strings.TrimSpace(line) != "" {
				want++
			}
		}
		got := 0
		for line := range strings.Lines(out.String()) {
			got++
			var rec struct {
				Text  string       `json:"text"`
				Turns []recordTurn `json:"turns"`
				Spans []recordSpan `json:"spans"`
			}
			if err := json.Unmarshal([]byte(line), &rec); err != nil {
				t.Fatal(err)
			}
			for _, s := range rec.Spans {
				text := rec.Text
				if s.Turn != nil {
					text = rec.Turns[*s.Turn].Text
				}
				if s.Start < 0 || s.End <= s.Start || s.End > len([]rune(text)) {
					t.Fatalf("span %d-%d of %d", s.Start, s.End, len([]rune(text)))
				}
			}
		}
		if got != want {
			t.Fatalf("%d lines for %d", got, want)
		}
	})
}
