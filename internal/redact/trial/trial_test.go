package trial

import (
	"testing"

	"murmur/internal/redact"
	"murmur/internal/redact/gold"
	"murmur/internal/redact/hand"
)

// TestMaskingAgainChangesNothing reads the masked words of the tuned hands again: nothing more is found, and nearly all
// documents are verified. The reader, which is slow, reads fewer.
func TestMaskingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	for every, c := range map[int]redact.Config{9: {Dial: redact.Strict, WithoutReader: true}, 90: {Dial: redact.Strict}} {
		d, err := redact.New(c)
		if err != nil {
			t.Fatal(err)
		}
		docs, doubtful := 0, 0
		for i := range Groups {
			for doc := range Groups[i].Documents(hand.Tuned(), nil, every) {
				r, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(doc.Text)})
				if err != nil {
					t.Fatal(err)
				}
				if docs++; r.Verdict() != redact.Clean {
					doubtful++
					continue
				}
				again, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(r.Masked())})
				if err != nil || again.Masked() != r.Masked() {
					t.Errorf("%s: masked again it differs: %v", doc.ID, err)
				}
			}
		}
		if docs*every < 4500 || doubtful*200 > docs {
			t.Errorf("%d of %d documents are not verified", doubtful, docs)
		}
	}
}

// TestLabelsLieOnWhatWasAnswered: whatever is put before, around and behind an answer, its label covers the answer.
func TestLabelsLieOnWhatWasAnswered(t *testing.T) {
	t.Parallel()
	real := []gold.Doc{{Text: "Agent: Your name please?\nCustomer: é Ann Öl"}, {Text: "Agent: Your name please?\nCustomer: é Ann Öl", Spans: []gold.Span{{Start: 35, End: 43, Type: "PERSON"}}}}
	for i := range Groups {
		if !Groups[i].Real() {
			continue
		}
		n := 0
		for d := range Groups[i].Documents(hand.Tuned(), real, 1) {
			for _, s := range d.Spans {
				n++
				if got := string([]rune(d.Text)[s.Start:s.End]); got != "é Ann Öl" && got != "é ann öl" {
					t.Errorf("a label covers %q of %q", got, d.Text)
				}
			}
		}
		if n == 0 {
			t.Errorf("%s: nothing is labelled", Groups[i].Name)
		}
	}
}
