// Package reader is murmur's second reader of context: a small neural network that judges every word of a talk by the words
// around it, where the rules have neither list nor cue and the tagger has not learned the phrase.
//
// Zone: RED, reads personal text. The weights are in the binary (model.bin; its first line says what they were learned
// from, recognisers/reader how). file.go reads them, wordpiece.go cuts text, window.go puts turns together, network.go and
// dots.go compute, in whole numbers where it matters, so that every machine gives the same.
//
// Words: a *piece* is a word or a part of one that the network knows; a *window* is the pieces that it reads at once.
//
// It promises: the same turns give the same answer; places are bytes of the text at the edges of words; no network, no
// clock, no goroutine; memory does not grow with the text beyond Most; nothing is read or made before the first text.
//
// What it does not protect against: what it was not taught. docs/models/text.md says how often it errs.
package reader

import (
	_ "embed"
	"sync"
)

//go:embed model.bin
var embedded []byte

// Embedded is the model that ships: some milliseconds on first use, 3 MB beside the file's 13.
var Embedded = sync.OnceValues(func() (*Model, error) { return Parse(embedded) })

// Model judges words. It is safe for concurrent use.
type Model struct {
	Header Header
	words  *vocabulary
	net    *network
	marks  [sides]int32
	masks  [kinds]int32
}

// Side says who speaks.
type Side uint8

const (
	Text Side = iota // nobody: it is written
	Contact
	Agent
	Other
	sides
)

var sideNames = [sides]string{"text", "contact", "agent", "other"}

// Kind says what a value was that is masked.
type Kind uint8

const (
	Person Kind = iota
	Location
	Address
	Date
	Value // any other
	kinds
)

var kindNames = [kinds]string{"PERSON", "LOCATION", "ADDRESS", "DATE", "OTHER"}

// Turn is what one side said. Only turns to Read are judged; those before and behind them are context.
type Turn struct {
	Side  Side
	Text  string
	Masks []Mask // in order
	Read  bool
}

// Mask is a value that is masked: bytes [Start, End) of the text.
type Mask struct {
	Start, End int
	Kind       Kind
}

// Word is what the model thinks of one word: bytes [Start, End) of turn Turn.
type Word struct {
	Turn, Start, End int
	Personal         float32 // how likely it is, 0 to 1
	Type             string  // what it is if it is: the name of a mask
}

// guess is what the model thinks of a piece; label is a number of Header.Labels.
type guess struct {
	personal float32
	label    uint8
}

// Scratch holds what one document needs: buffers, and what was read of it. It is for one document at a time; Forget empties it.
type Scratch struct {
	cutter  cutter
	turn    []piece
	before  []piece
	window  []place
	ids     []int32
	guesses []guess
	buffers buffers
	seen    map[string][]guess
	key     []byte
	left    int
}

// Forget drops what was read.
func (s *Scratch) Forget() {
	clear(s.seen)
	s.cutter.word = s.cutter.word[:0]
}

// resolve finds the pieces of sides and masks. ErrModel.
func (m *Model) resolve() error {
	for i, name := range sideNames {
		id, ok := m.Header.Marks[name]
		if m.marks[i] = id; !ok {
			return ErrModel
		}
	}
	for i, name := range kindNames {
		id, ok := m.Header.Masks[name]
		if m.masks[i] = id; !ok {
			return ErrModel
		}
	}
	return nil
}
