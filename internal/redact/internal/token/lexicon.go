package token

import (
	_ "embed"
	"iter"
	"slices"
	"strings"

	"murmur/internal/redact/kind"
	"murmur/internal/redact/number"
)

// Lex says what a word of a closed class does. A word may do several things.
type Lex uint32

const (
	Stop    Lex = 1 << iota // function words and the commonest verbs: never a value
	Ack                     // "uh huh", "okay": keeps a question open, says nothing
	Month                   // january, jan
	Day                     // monday, mon
	Near                    // today, tomorrow
	Unit                    // what is counted: minutes, people, miles
	Money                   // dollars, euro
	Street                  // the kind of a street, behind its name or before it
	Compass                 // north, sw
	Flat                    // apartment, unit, suite
	Title                   // mr, dr
	Greet                   // hi, thanks: a name may follow
	Prep                    // in, from, near: a place may follow
	Domain                  // com, org
	Kin                     // son, wife: a name may follow
	Common                  // words, brands and slang that the lists take for names
	Which                   // this, next, last: before a day
	Period                  // week, month
	Spoke                   // said, called, named, tell: a name may follow
	State                   // US state, Canadian province, as two letters
	Stray                   // a month or day that is also another word: may, march, sun
	Given                   // a first name far oftener than the word it also is: mike, jack
	Verb                    // is, was: between a cue and its value
)

// classes are the names of the classes in lexicon.txt, in the order of their bits.
var classes = [...]string{"stop", "ack", "month", "day", "near", "unit", "money", "street", "compass", "flat", "title", "greet", "prep", "domain", "kin",
	"common", "which", "period", "spoke", "state", "stray", "given", "verb"}

// lexiconFile says which words are of which class, and which say what the value near them is.
//
//go:embed lexicon.txt
var lexiconFile string

// The words of lexicon.txt, in lower case.
var (
	// Lexicon holds the classes of a word.
	Lexicon = map[string]Lex{}
	// WeakCue has the cues that count only where no other is near.
	WeakCue = map[string]bool{}
	cues    = map[string]kind.Type{}
)

// sections reads lexicon.txt: the words of each section. A section is "stop", "cue PHONE" or "weak PHONE".
func sections() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		section := ""
		for line := range strings.Lines(lexiconFile) {
			line = strings.TrimSpace(line)
			switch {
			case line == "" || line[0] == '#':
			case line[0] == '[':
				section = strings.Trim(line, "[]")
			default:
				for word := range strings.FieldsSeq(line) {
					if !yield(section, word) {
						return
					}
				}
			}
		}
	}
}

// entry is all that the rules know of a word.
type entry struct {
	lex     Lex
	said    int16     // its value and one if it is a number said in words
	ordinal uint8     // 2 of "second"
	cue     kind.Type // what it says of the value near it
}

// entries joins the tables of words, so that a token is looked up once.
var entries = func() map[string]entry {
	types := map[string]kind.Type{}
	for t, name := range kind.Names {
		types[name] = kind.Type(t)
	}
	for section, word := range sections() {
		strength, name, isCue := strings.Cut(section, " ")
		if isCue {
			cues[word], WeakCue[word] = types[name], strength == "weak"
		} else {
			Lexicon[word] |= 1 << slices.Index(classes[:], section) // a test reads the file
		}
	}
	m := map[string]entry{}
	for w, l := range Lexicon {
		m[w] = entry{lex: l}
	}
	for w, t := range cues {
		e := m[w]
		e.cue = t
		m[w] = e
	}
	for w := range number.Words() {
		e := m[w]
		if v, ok := number.Spoken(w); ok {
			e.said = int16(v + 1)
		}
		e.ordinal = uint8(number.Ordinal(w))
		m[w] = e
	}
	return m
}()

// Particle reports whether a word stands between the parts of a name.
func Particle(low string) bool {
	switch low {
	case "van", "von", "de", "der", "den", "del", "la", "di", "da", "dos", "el", "al", "bin", "ibn", "le", "ter", "ten", "du", "st":
		return true
	}
	return false
}

// Password reports whether a word is "password" with letters left out or in a wrong order.
func Password(low string) bool {
	if len(low) < 6 || len(low) > 9 || low[0] != 'p' {
		return false
	}
	var left [26]int8
	for i := range len(low) {
		if low[i] < 'a' || low[i] > 'z' {
			return false
		}
		left[low[i]-'a']++
	}
	wrong := 0
	for i, n := range [26]int8{'a' - 'a': 1, 'd' - 'a': 1, 'o' - 'a': 1, 'p' - 'a': 1, 'r' - 'a': 1, 's' - 'a': 2, 'w' - 'a': 1} {
		wrong += int(max(left[i]-n, n-left[i]))
	}
	return wrong <= 1 && strings.ContainsAny(low, "w") && low != "passwd"
}
