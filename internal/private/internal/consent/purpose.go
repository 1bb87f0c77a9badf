package consent

import (
	"iter"

	"murmur/internal/fact"
)

// Purposes is a set of purposes.
type Purposes uint8

// Everything is all purposes: what a key, a word to an employee or the API refuses.
const Everything = Purposes(1<<fact.Record | 1<<fact.Transcribe | 1<<fact.Analyse | 1<<fact.Share)

// Heard are the purposes that the question in a call asks for (docs/consent.md): to be recorded, turned into text, and read.
const Heard = Purposes(1<<fact.Record | 1<<fact.Transcribe | 1<<fact.Analyse)

// For is the set of some purposes.
func For(all ...fact.Purpose) (s Purposes) {
	for _, p := range all {
		s |= 1 << p
	}
	return s & Everything
}

// each gives the purposes of a set, in order.
func (s Purposes) each() iter.Seq[fact.Purpose] {
	return func(yield func(fact.Purpose) bool) {
		for p := fact.Record; p <= fact.Share; p++ {
			if s&(1<<p) != 0 && !yield(p) {
				return
			}
		}
	}
}

var purposeNames = [...]string{fact.Record: "record", fact.Transcribe: "transcribe", fact.Analyse: "analyse", fact.Share: "share"}

// PurposeName is how the ledger spells a purpose.
func PurposeName(p fact.Purpose) string { return purposeNames[p] }

// Use is something that is done with what a person said.
type Use int

// The uses.
const (
	Recording  Use = iota + 1 // its sound is kept, or fetched
	Transcript                // its words are read: a transcript, a summary, a voicemail
	Writing                   // a text or an answer to a survey, written to the business, is read
	Export                    // the masked words leave murmur
)

// uses is what each use takes: purposes for which there must be a ground, and purposes that nobody may have refused. A
// ground for one purpose is none for another. testdata/purposes.txt has the same table for people.
var uses = [...]struct{ ground, free Purposes }{
	Recording:  {ground: For(fact.Record)},
	Transcript: {ground: For(fact.Transcribe), free: For(fact.Record, fact.Analyse)}, // it was made of a recording, to be analysed
	Writing:    {free: For(fact.Analyse)},
	Export:     {ground: For(fact.Transcribe, fact.Share), free: For(fact.Record, fact.Analyse)},
}

// UseOf is the use that publishing a kind of fact makes of what a person said; 0: none.
func UseOf(k fact.Kind) Use {
	switch k {
	case fact.KindTalk:
		return Transcript
	case fact.KindMessage, fact.KindAnswer:
		return Writing
	}
	return 0
}
