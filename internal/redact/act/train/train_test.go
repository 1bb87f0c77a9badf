package train

import (
	"bytes"
	"testing"

	"murmur/internal/redact/act"
	"murmur/internal/redact/hand"
)

// leftOutFloor is the share of turns of the hands that are left out whose act is told, a little below what was measured
// (docs/models/text.md); askFloor that of turns that ask for something personal.
const (
	leftOutFloor = .885
	askFloor     = .85
)

// TestActsOfWordsNobodyTunedOn reads the phrasings of the hands that are left out, in every manner.
func TestActsOfWordsNobodyTunedOn(t *testing.T) {
	t.Parallel()
	m, err := act.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Measure(m, hand.LeftOut(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.Right() < leftOutFloor {
		t.Errorf("the act of %.3f turns is told, want %.3f", c.Right(), leftOutFloor)
	}
	for a := act.AskName; a <= act.AskEmail; a++ {
		if right, rival, taken := c.Of(a); right < askFloor {
			t.Errorf("%s: %.3f, taken for %s %.3f", a, right, rival, taken)
		}
	}
}

// TestTheEmbeddedModelIsTheOneThatIsTrained: `make train-acts` writes the same bytes.
func TestTheEmbeddedModelIsTheOneThatIsTrained(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("learns for some seconds")
	}
	m, err := Run(hand.Tuned(), 1)
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := act.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	if err := m.Write(&a); err != nil {
		t.Fatal(err)
	}
	if err := shipped.Write(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the embedded model is another one: make train-acts")
	}
}
