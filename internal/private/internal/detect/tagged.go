package detect

import (
	"murmur/internal/private/internal/detect/gazetteer"
	"murmur/internal/private/internal/detect/tag"
)

// Observed is a turn as the tagger sees it, with where its tokens stand in the turn's text: bytes.
type Observed struct {
	tag.Turn
	Origin [][2]int
}

// Observe gives the turns of a document as the tagger sees them in the first reading: what it is trained on.
func Observe(turns []Turn) []Observed {
	var talk dialogue
	s := &scan{}
	out := make([]Observed, len(turns))
	for k, t := range turns {
		s.load(viewOf(t.Text), Strict)
		s.read(t.Side, &talk, nil)
		o := &out[k]
		o.Turn = s.turn
		o.Tokens = append([]tag.Token(nil), s.turn.Tokens...)
		o.Origin = make([][2]int, len(s.tok))
		for i, w := range s.tok {
			o.Origin[i][0], o.Origin[i][1] = s.original(int(w.s), int(w.e))
		}
	}
	return out
}

// tagging is the part of a scan that belongs to the tagger.
type tagging struct {
	tagger *tag.Model // nil tags nothing
	turn   tag.Turn
	tags   tag.Scratch
	best   []uint8 // by token: the score of the mark its hint is of
}

// findTagged marks what the tagger knows from the words around it, and takes back what only a list said and
// the tagger denies.
func (s *scan) findTagged(ask *asked, side Side) {
	s.observe(ask, side)
	if s.tagger == nil {
		return
	}
	labels := s.tagger.Tag(&s.turn, &s.tagger.Header.Dials[s.dial], &s.tags)
	s.veto(labels)
	for i := 0; i < len(labels); {
		c := labels[i].Class()
		j := i + 1
		for j < len(labels) && labels[j] == tag.Inside(c) {
			j++
		}
		if t := tagged(c, ask); c != tag.Plain && t != None && s.says(i, j) {
			s.mark(i, j, t, 50, ByContext)
		}
		i = j
	}
}

// says reports whether one of the tokens can be personal: a word or a number.
func (s *scan) says(from, to int) bool {
	for i := from; i < to; i++ {
		if k := s.tok[i].kind; k >= word && k <= mixed {
			return true
		}
	}
	return false
}

// tagged gives the type of a value of class c while a is asked, None if it is not masked.
func tagged(c tag.Class, a *asked) Type {
	switch c {
	case tag.Person:
		return Person
	case tag.Place:
		return Location
	case tag.Address:
		return Address
	case tag.Date:
		if a.wants(DateOfBirth) {
			return DateOfBirth
		}
		return Date
	case tag.Other:
		if a.open() {
			return a.types[0]
		}
		return Number
	}
	return None
}

// veto takes back the names and places that stand on a list alone where the tagger finds nothing personal.
func (s *scan) veto(labels []tag.Label) {
	if s.dial == Paranoid {
		return
	}
	kept := s.marks[:0]
	for _, m := range s.marks {
		denied := m.why == ByList
		for i := m.from; i < m.to; i++ {
			denied = denied && (labels[i].Class() == tag.Plain || labels[i].Class() == tag.Org)
		}
		if !denied {
			kept = append(kept, m)
		}
	}
	s.marks = kept
}

// observe makes the loaded turn, with the marks made so far, into what the tagger reads.
func (s *scan) observe(ask *asked, side Side) {
	t := &s.turn
	t.Lower, t.Cased, t.Side = s.lower, s.cased, uint8(min(side, 4))
	t.Asked, t.Stale = [4]uint8{}, false
	if ask.open() {
		for k, a := range ask.types[:ask.n] {
			t.Asked[k] = uint8(a)
		}
		t.Stale = ask.again || ask.age > 0
	}
	t.Tokens = t.Tokens[:0]
	for i, w := range s.tok {
		k := tag.Token{Start: w.s, End: w.e, Words: uint32(w.lex), Known: w.gaz, Kind: uint8(w.kind), Shape: uint8(w.shape)}
		if s.runOf[i] > 0 {
			k.Hint = inRun
		}
		t.Tokens = append(t.Tokens, k)
	}
	for i := range t.Tokens {
		if t.Tokens[i].Known&gazetteer.Prefix != 0 {
			for n := s.placeLen(i) - 1; n > 0; n-- {
				t.Tokens[i].Known |= tag.Phrase
				t.Tokens[i+n].Known |= tag.Phrase
			}
		}
	}
	s.best = append(s.best[:0], make([]uint8, len(s.tok))...)
	for _, m := range s.marks {
		h := hint(m)
		for i := m.from; i < m.to; i++ {
			if m.score >= s.best[i] {
				s.best[i], t.Tokens[i].Hint = m.score, h
				if i > m.from {
					t.Tokens[i].Hint++
				}
			}
		}
	}
}

// inRun is the hint of a token of a number that no rule marked.
const inRun = 1

// hint tells the tagger what a rule found and on which evidence; the next number is for further words of it.
func hint(m mark) uint8 {
	group := uint8(5) // numbers
	switch m.t {
	case Person:
		group = 0
	case Location:
		group = 1
	case Address, Postcode:
		group = 2
	case Date, DateOfBirth, Age:
		group = 3
	case Email, URL, Username, Password, IP:
		group = 4
	}
	why := uint8(3)
	switch m.why {
	case ByList:
		why = 0
	case ByCue:
		why = 1
	case ByQuestion:
		why = 2
	}
	return 2 + 2*(4*group+why)
}
