package redact

// patience is how many turns of the asker a question stays open for pieces of its answer; a repeated request
// ("one more time please?") opens the last question again at any time.
const patience = 3

// maxAnswers is how many turns may answer one question: the pieces of a long number.
const maxAnswers = 10

// asked is what one side of a conversation last asked the others for. Types are in the order of asking. It
// lives over turns: acknowledgements keep it, another question replaces it, other talk ages it.
type asked struct {
	side  Side
	at    int // turn it was last asked in
	types [4]Type
	n     int
	age   int
	heard int  // turns read as answers to it
	again bool // opened by a repeated request: the answer may be something else
	spell bool // to be spelled
	echo  bool // this turn reads its answer back
	plain bool // its words ask for a name: "name", "who"
}

func (a *asked) open() bool {
	return a != nil && a.n > 0 && a.age <= patience && a.heard <= maxAnswers
}

func (a *asked) wants(t Type) bool {
	if !a.open() {
		return false
	}
	for _, w := range a.types[:a.n] {
		if w == t || t == Location && (w == Postcode || w == Address) {
			return true
		}
	}
	return false
}
