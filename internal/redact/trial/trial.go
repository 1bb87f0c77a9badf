// Package trial makes the documents that the redactor is judged by, twice: with the words of the hands that it was tuned
// on, and with the words of those that were left out.
//
// Zone: RED; only commands of developers and tests import it. Groups: real calls are answers that a telephone recogniser
// wrote down (evi_asr), behind the questions of the hands; the others are the hands' own templates, filled. It promises:
// the same documents every time. What it does not protect against: the makers of the templates' values (package invent)
// are the same for both columns.
package trial

import (
	"bytes"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"

	"murmur/internal/redact"
	"murmur/internal/redact/gold"
	"murmur/internal/redact/hand"
	"murmur/internal/redact/invent"
	"murmur/internal/redact/score"
)

// A Group is one kind of documents. Copies is how often each template is filled.
type Group struct {
	Name   string
	Manner invent.Manner
	Copies int
	real   bool
}

// Real reports whether the group's answers are real calls.
func (g *Group) Real() bool { return g.real }

// Groups in the order of the table of docs/models/text.md.
var Groups = []Group{
	{Name: "real calls", real: true},
	{Name: "real calls, bare", Manner: invent.Bare, real: true},
	{Name: "calls, spoken", Manner: invent.Spoken, Copies: 2},
	{Name: "calls, bare", Manner: invent.Bare, Copies: 2},
	{Name: "calls, misheard", Manner: invent.Misheard, Copies: 1},
	{Name: "calls, written", Manner: invent.Written, Copies: 2},
	{Name: "texts", Manner: invent.Text, Copies: 4},
	{Name: "clean turns", Manner: invent.Clean, Copies: 2},
}

// Real reads the calls of evi_asr in the folder that holds pii; nil without an error where the folder is absent.
func Real(data fs.FS) (docs []gold.Doc, err error) {
	file, err := fs.ReadFile(data, "pii/evi_asr.jsonl")
	if err != nil {
		return nil, nil
	}
	for d, err := range gold.Read(bytes.NewReader(file)) {
		if err != nil {
			return nil, fmt.Errorf("trial: %w", err)
		}
		docs = append(docs, d)
	}
	return docs, nil
}

// Held reports whether a real call is kept for the trial: every second one. The tagger learns from the others.
func Held(i int) bool { return i%2 == 1 }

// Documents yields the documents of a group in the words of hands, one of every so many; real calls only if they are held.
func (g *Group) Documents(hands []*hand.Hand, real []gold.Doc, every int) iter.Seq[gold.Doc] {
	return func(yield func(gold.Doc) bool) {
		n := 0
		sampled := func(d gold.Doc) bool {
			n++
			d.Source = g.Name
			return n%every != 0 || yield(d)
		}
		if g.real {
			for i := range real {
				if !Held(i) {
					continue
				}
				h := hands[i/2%len(hands)]
				if !sampled(asked(&real[i], h, g.Manner == invent.Bare, rand.New(rand.NewPCG(7, uint64(i))))) {
					return
				}
			}
			return
		}
		for _, h := range hands {
			for d := range h.Book.Documents(g.Manner, seed, g.Copies) {
				if !sampled(d) {
					return
				}
			}
		}
	}
}

const seed = 20261130

// Asked are the real calls that are not held, in the words of hands, for training; another round gives other words.
func Asked(real []gold.Doc, hands []*hand.Hand, round int) (docs []gold.Doc) {
	for i := range real {
		if Held(i) {
			continue
		}
		docs = append(docs, asked(&real[i], hands[(i/2+round)%len(hands)], round%2 == 1, rand.New(rand.NewPCG(1000+uint64(round), uint64(i)))))
	}
	return docs
}

// Run judges a detector by every document of the groups that are wanted (nil: all); of every so many documents, one.
func Run(d *redact.Detector, hands []*hand.Hand, real []gold.Doc, every int, wanted func(*Group) bool) (*score.Board, error) {
	b := new(score.Board)
	return b, Read(d, hands, real, every, wanted, b.Add)
}

// Read hands every document of the groups that are wanted (nil: all) to found, with what a detector found in it; of every so
// many documents, one.
func Read(d *redact.Detector, hands []*hand.Hand, real []gold.Doc, every int, wanted func(*Group) bool, found func(*gold.Doc, []redact.Span)) error {
	for i := range Groups {
		if wanted != nil && !wanted(&Groups[i]) {
			continue
		}
		for doc := range Groups[i].Documents(hands, real, every) {
			r, err := d.Redact(redact.Doc{Turns: redact.ParsePlain(doc.Text)})
			if err != nil {
				return fmt.Errorf("trial: %w", err)
			}
			found(&doc, r.Flat())
		}
	}
	return nil
}
