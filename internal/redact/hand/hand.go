// Package hand holds conversations, texts and phrasings that independent people of different trades wrote for murmur:
// what its words are learned from, and what they are judged by. README.md says who wrote what.
//
// Zone: RED, since it knows the shapes of personal data; everybody in it is invented. It promises: the hands that are left
// out are never among the tuned ones. What it does not protect against: a developer who reads them. Only training
// commands and tests import it, so it is in no shipped binary.
package hand

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"murmur/internal/redact/invent"
)

//go:embed h*
var files embed.FS

// leftOut are the hands that nothing is tuned on and no weight is learned from: they are read by machines only. fresh are
// left out too; they came later, and no figure of them was known while what they measure was tuned.
var (
	leftOut = []string{"h03", "h06", "h09", "h12", "h18", "h22", "h23"}
	fresh   = []string{"h26", "h27"}
)

// A Hand is what one writer wrote.
type Hand struct {
	Name     string
	Book     *invent.Book
	Prompts  map[string][]string // by dialogue act: what one side says; "{value}" stands for a value that is read back
	Carriers []string            // how an answer is wrapped around its "{value}"
}

// Acts are the sections of phrasings, in the order of the writers' brief.
var Acts = []string{"ask-name", "ask-spelling", "ask-postcode", "ask-address", "ask-birth", "ask-phone", "ask-number", "ask-code", "ask-email",
	"ask-other", "repeat", "narrow", "confirm", "accept", "none"}

// Tuned are the hands that rules are tuned on and weights are learned from.
func Tuned() []*Hand {
	return chosen(func(name string) bool { return !slices.Contains(leftOut, name) && !slices.Contains(fresh, name) })
}

// LeftOut are the hands that nothing is tuned on, and whose figures were looked at while others were tuned.
func LeftOut() []*Hand {
	return chosen(func(name string) bool { return slices.Contains(leftOut, name) })
}

// Fresh are the hands that nothing is tuned on, and whose figures nobody looked at before either.
func Fresh() []*Hand {
	return chosen(func(name string) bool { return slices.Contains(fresh, name) })
}

func chosen(wanted func(name string) bool) (hands []*Hand) {
	for _, h := range all() {
		if wanted(h.Name) {
			hands = append(hands, h)
		}
	}
	return hands
}

var all = sync.OnceValue(func() []*Hand {
	hands, err := read(files)
	if err != nil {
		panic(err) // a test reads every file
	}
	return hands
})

func read(f fs.FS) (hands []*Hand, err error) {
	folders, err := fs.Glob(f, "h[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("hand: %w", err)
	}
	for _, name := range folders {
		sub, err := fs.Sub(f, name)
		if err != nil {
			return nil, fmt.Errorf("hand: %w", err)
		}
		h, err := readOne(name, sub)
		if err != nil {
			return nil, err
		}
		hands = append(hands, h)
	}
	return hands, nil
}

func readOne(name string, f fs.FS) (*Hand, error) {
	book, err := invent.ReadBook(name, f)
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(f, "prompts.txt")
	if err != nil {
		return nil, fmt.Errorf("hand: %w", err)
	}
	s, err := invent.Sections(name+"/prompts.txt", string(text))
	if err != nil {
		return nil, err
	}
	h := &Hand{Name: name, Book: book, Prompts: s, Carriers: s["carrier"]}
	delete(s, "carrier")
	for _, act := range Acts {
		if len(s[act]) == 0 {
			return nil, fmt.Errorf("hand: %s: no phrasings for %s", name, act)
		}
	}
	if len(s) != len(Acts) {
		return nil, fmt.Errorf("hand: %s: %d sections of phrasings", name, len(s))
	}
	for _, c := range h.Carriers {
		if strings.Count(c, "{value}") != 1 {
			return nil, fmt.Errorf("hand: %s: a carrier has not one value: %q", name, c)
		}
	}
	return h, nil
}
