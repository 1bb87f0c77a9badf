// Package tag says of every word of a turn whether it belongs to a person's name, a place, an address, a date,
// an organisation or another personal value. It is a linear model that was trained on labelled texts
// (package train, `make train`) and is embedded here.
//
// Zone: RED. Words: a *class* is what a word can belong to, a *label* is a class with its place in the value
// (first word or further word), a *feature* is one observation about a word and the words around it, a *row*
// is what the model learned about a feature: a weight for every label.
//
// It promises: the same labels for the same turn and model; time linear in the number of words; no allocation
// that grows with the text once a Scratch is warm; a model file that was cut or altered is refused.
//
// What it does not protect against: it has seen only the texts named in its Header, and is least sure where
// they differ from what it reads. Digits are typed by the rules of package redact, not here.
package tag

import "murmur/internal/redact/gazetteer"

// Class is what a word belongs to.
type Class uint8

const (
	Plain Class = iota
	Person
	Place
	Address
	Date
	Org
	Other // a number, an e-mail address, a password: the rules know what
	Classes
)

// Label is Plain, or a class with its place: 2c-1 begins a value of class c, 2c goes on with it.
type Label uint8

// labels is the number of labels; rows are padded to lanes.
const (
	labels = Label(2*Classes - 1)
	lanes  = 16
)

// Begin is the label of the first word of a value of class c.
func Begin(c Class) Label {
	if c == Plain {
		return 0
	}
	return Label(2*c - 1)
}

// Inside is the label of a further word.
func Inside(c Class) Label { return Label(2 * c) }

// Class of the label.
func (l Label) Class() Class { return Class(l+1) / 2 }

// inside reports whether the label goes on with a value.
func (l Label) inside() bool { return l > 0 && l%2 == 0 }

// Token is one word, number or sign of a turn as package redact cut it.
type Token struct {
	Start, End int32           // bytes of Turn.Lower
	Words      uint32          // the closed classes the word belongs to, a bit each
	Known      gazetteer.Flags // what the lists know it as
	Kind       uint8           // word, digits, sign...
	Shape      uint8           // lower case, Capital, UPPER
	Hint       uint8           // what the rules made of it, 0 for nothing
	Again      bool            // another side has just said it
}

// Phrase is set in Known for a word of a listed place of several words.
const Phrase gazetteer.Flags = 1 << 7

// Turn is what one side said, with what the tagger may know about it. Types are those of package redact.
type Turn struct {
	Lower  string // lower case
	Tokens []Token
	Cased  bool     // capitals mean something here
	Side   uint8    // who speaks
	Asked  [4]uint8 // the types the other side's open question wants, 0 for none
	Stale  bool     // the question is older than one turn, or was repeated
	Act    uint8    // what the turn does, as package act tells
	Before uint8    // what the turn before it does
	Begun  uint32   // hash of the first two words of the turn before it if that asks something, else 0
	Ended  uint32   // likewise, of its last two words
	Echo   bool     // the turn reads an answer back
}

// Bias is the recall dial: what is added to every label of a class, in units of the model's weights. More
// finds more, and more that is none.
type Bias [Classes]int32
