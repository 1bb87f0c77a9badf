package invent

import "math/rand/v2"

// A style is the manner of one document: who speaks or types, and who or what wrote it down.
type style struct {
	spoken bool // numbers are said, not written

	digits      digitManner
	zero        string // "zero" or "oh"
	spelling    spellManner
	fillers     int  // of a hundred pauses, how many are filled with "uh"
	corrections int  // of a hundred groups of digits, how many are said wrong first
	commas      bool // pauses inside numbers are written

	letters letterCase
	bare    bool // no punctuation
	joined  bool // no apostrophes
	slips   int  // of a hundred words of plain speech, how many a recogniser or a stutter changes
	mishear int  // of a hundred names, codes and dates, how many a recogniser garbles
	sms     int  // of a hundred words that have a short form, how many are shortened
	typos   int  // of a thousand words, how many are mistyped
}

type digitManner int

const (
	single   digitManner = iota // "four one one"
	doubles                     // "four double one"
	pairs                       // "forty one eleven"
	hundreds                    // "four hundred eleven"
	spaced                      // "4 1 1"
	glued                       // "411"
	digitManners
)

type spellManner int

const (
	plainSpelling spellManner = iota // "b o b"
	natoSpelling                     // "bravo oscar bravo"
	likeSpelling                     // "b as in boy"
	mixedSpelling
)

type letterCase int

const (
	asWritten    letterCase = iota
	lowerCase               // all
	lowerPlain              // the plain words only: a recogniser that knows names
	upperCase               // all
	titleCase               // Every Word
	randomCase              // words at rAndom
	lowerStarts             // no capital at the beginning of a line
	missingNames            // names lose their capitals, the rest keeps them
)

func pickStyle(r *rand.Rand, source string) style {
	one := func(p int) bool { return r.IntN(100) < p }
	s := style{zero: pick(r, []string{"zero", "oh", "zero", "oh", "o"}), digits: pick(r, []digitManner{single, single, single, doubles, doubles, pairs, hundreds, spaced, glued})}
	s.spelling = pick(r, []spellManner{plainSpelling, plainSpelling, plainSpelling, natoSpelling, likeSpelling, mixedSpelling})
	clean := source == "invent_clean"
	if clean {
		source = sources[r.IntN(len(sources)-1)].name
	}
	switch source {
	case "invent_calls_spoken":
		s.recorded(r)
		if one(35) {
			s.mishear, s.slips = 30+r.IntN(40), 2+r.IntN(4)
		}
	case "invent_commands":
		switch {
		case one(65):
			s.recorded(r)
			s.letters, s.bare, s.commas = lowerCase, true, false
		case one(40):
			s.recorded(r)
		case one(50):
			s.letters, s.typos = lowerCase, 5
		}
	case "invent_calls_written":
		s.typed(r, 5)
	case "invent_sms":
		s.typed(r, 12)
		if one(45) {
			s.sms = 30 + r.IntN(70)
			s.letters = pick(r, []letterCase{lowerCase, lowerCase, lowerStarts, asWritten, missingNames})
		}
	default:
		if one(25) { // read aloud, dictated
			s.recorded(r)
		} else {
			s.typed(r, 4)
		}
	}
	s.joined = s.letters == lowerCase && one(20)
	if clean && one(40) {
		s.typos = 20 + r.IntN(150) // a word spelled wrongly is not a name
	}
	return s
}

// recorded is speech that a recogniser wrote down.
func (s *style) recorded(r *rand.Rand) {
	s.spoken = true
	s.fillers, s.corrections = pick(r, []int{0, 0, 5, 12, 25}), pick(r, []int{0, 0, 0, 3, 8, 15})
	switch n := r.IntN(100); {
	case n < 55:
		s.letters, s.bare = lowerCase, true
	case n < 75:
		s.letters, s.bare = lowerPlain, true
	case n < 80:
		s.bare = true
	case n < 84:
		s.letters, s.commas = lowerCase, true
	default:
		s.commas = true
	}
	s.slips = pick(r, []int{0, 0, 1, 2, 4})
}

// typed is what somebody typed, with so many mistakes in a thousand words.
func (s *style) typed(r *rand.Rand, typos int) {
	switch n := r.IntN(100); {
	case n < 52:
	case n < 68:
		s.letters = lowerCase
	case n < 78:
		s.letters, s.bare = lowerCase, true
	case n < 84:
		s.letters = lowerStarts
	case n < 90:
		s.letters = missingNames
	case n < 95:
		s.letters = upperCase
	case n < 97:
		s.letters = titleCase
	default:
		s.letters = randomCase
	}
	if r.IntN(3) == 0 {
		s.typos = typos * (1 + r.IntN(5))
	}
}
