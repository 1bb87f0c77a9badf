package redact_test

import (
	"slices"
	"testing"

	"murmur/internal/redact"
	"murmur/internal/redact/hand"
	"murmur/internal/redact/trial"
)

// TestATurnThatHasNotChangedNeedsNoReading: leaving out turns that would be read as before changes no mask.
func TestATurnThatHasNotChangedNeedsNoReading(t *testing.T) {
	t.Parallel()
	d, err := redact.New(redact.Config{Dial: redact.Strict, WithoutReader: true}) // which reads turns by itself
	if err != nil {
		t.Fatal(err)
	}
	whole, docs := d.Thorough(), 0
	for i := range trial.Groups {
		for doc := range trial.Groups[i].Documents(hand.Tuned(), nil, 7) {
			given := redact.Doc{Turns: redact.ParsePlain(doc.Text)}
			a, errA := d.Redact(given)
			b, errB := whole.Redact(given)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			if docs++; !slices.Equal(a.Spans(), b.Spans()) || a.Verdict() != b.Verdict() {
				t.Errorf("%s: %v, read whole: %v", doc.ID, a.Spans(), b.Spans())
			}
		}
	}
	if docs < 500 {
		t.Errorf("%d documents", docs)
	}
}
