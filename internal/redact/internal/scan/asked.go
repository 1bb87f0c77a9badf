package scan

import (
	"murmur/internal/redact/kind"
)

// Patience is how many turns of the asker a question stays open for pieces of its answer; a repeated request
// ("one more time please?") opens the last question again at any time.
const Patience = 3

// maxAnswers is how many turns may answer one question: the pieces of a long number.
const maxAnswers = 10

// Asked is what one side of a conversation last asked the others for. Types are in the order of asking. It
// lives over turns: acknowledgements keep it, another question replaces it, other talk ages it.
type Asked struct {
	Side  kind.Side
	At    int // turn it was last asked in
	Types [4]kind.Type
	N     int
	Age   int
	Heard int  // turns read as answers to it
	Again bool // opened by a repeated request: the answer may be something else
	Spell bool // to be spelled
	Echo  bool // this turn reads its answer back
	Plain bool // its words ask for a name: "name", "who"
}

// Open reports whether an answer may still come. A nil question is closed.
func (a *Asked) Open() bool {
	return a != nil && a.N > 0 && a.Age <= Patience && a.Heard <= maxAnswers
}

// Wants reports whether the question is open and asks for a value of type t.
func (a *Asked) Wants(t kind.Type) bool {
	if !a.Open() {
		return false
	}
	for _, w := range a.Types[:a.N] {
		if w == t || t == kind.Location && (w == kind.Postcode || w == kind.Address) {
			return true
		}
	}
	return false
}
