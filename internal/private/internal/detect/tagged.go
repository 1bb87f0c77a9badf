package detect

import (
	"slices"
	"unicode/utf8"

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
		s.observe(s.ask, t.Side)
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
	best   []uint8  // by token: the score of the mark its hint is of, 0 without a mark
	nth    int      // which turn of the document this is
	heard  []uint64 // by turn: what the tagger read of it last
}

// findTagged marks what the tagger knows from the words around it, and takes back what only a list said and
// the tagger denies. A turn that it has read like this before had nothing in it, or it would read otherwise now.
func (s *scan) findTagged(ask *asked, side Side) {
	if s.tagger == nil {
		return
	}
	for len(s.heard) <= s.nth {
		s.heard = append(s.heard, 0)
	}
	key := s.fingerprint(ask)
	if s.heard[s.nth] == key {
		s.marks = slices.DeleteFunc(s.marks, listed)
		return
	}
	s.heard[s.nth] = key
	s.observe(ask, side)
	s.tagger.Read(&s.turn, &s.tags)
	if s.dial != Paranoid && slices.ContainsFunc(s.marks, listed) {
		s.veto(s.tagger.Label(&s.tagger.Header.Dials[Paranoid], &s.tags))
	}
	labels := s.tagger.Label(&s.tagger.Header.Dials[s.dial], &s.tags)
	for i, next := 0, 0; i < len(labels); i = next {
		c := labels[i].Class()
		for next = i + 1; next < len(labels) && labels[next] == tag.Inside(c); next++ {
		}
		if t := s.tagged(i, next, c, ask); t != None {
			s.markRest(i, next, t)
		}
	}
}

// fingerprint tells what the tagger is about to read of the turn: its text, its marks and the open question.
func (s *scan) fingerprint(ask *asked) uint64 {
	h := uint64(14695981039346656037)
	add := func(v uint64) { h = (h ^ v) * 1099511628211; h ^= h >> 31 }
	for i := range len(s.lower) {
		add(uint64(s.norm[i]))
	}
	for _, m := range s.marks {
		add(uint64(m.from)<<32 | uint64(m.to))
		add(uint64(m.t)<<16 | uint64(m.score)<<8 | uint64(m.why))
	}
	if ask.open() {
		for _, t := range ask.types[:ask.n] {
			add(uint64(t))
		}
		if ask.again || ask.age > 0 {
			add(1 << 8)
		}
	}
	return h | 1
}

// tagged gives the type of tokens [from, to) that the tagger takes for a value of class c while a is asked, None if
// they are not masked. Days and numbers are the rules' business, unless they may answer a question.
func (s *scan) tagged(from, to int, c tag.Class, a *asked) Type {
	switch c {
	case tag.Person, tag.Place:
		switch {
		case s.dial != Paranoid && s.nameCue(from) == notName: // a restaurant called
		case c == tag.Person:
			return Person
		default:
			return Location
		}
	case tag.Address:
		if s.located(from, to) {
			return Address
		}
	case tag.Date:
		if a.wants(DateOfBirth) && s.says(from, to) {
			return DateOfBirth
		}
	case tag.Other:
		if a.open() && of(Postcode, ID, Vehicle, Username, Password, Email).has(a.types[0]) && s.says(from, to) {
			return a.types[0]
		}
	}
	return None
}

// markRest marks those of tokens [from, to) that no rule has marked: a rule knows better where a value ends. Of a
// name, a place or an address there must be a word that says something; an address may begin and end with a number.
func (s *scan) markRest(from, to int, t Type) {
	for i := from; i < to; i++ {
		end, told := i, false
		for j := i; j < to && s.best[j] == 0; j++ {
			tells := s.tells(j, t)
			if told = told || tells; tells || t == Address && s.numeric(j) {
				end = j + 1
			} else if end == i {
				break
			}
		}
		if told {
			s.mark(i, end, t, 50, ByContext)
		}
		i = max(i, end-1)
	}
}

// numeric reports whether token i is a number or belongs to one.
func (s *scan) numeric(i int) bool {
	k := s.tok[i]
	return k.kind == digit || k.kind == mixed || s.runOf[i] > 0
}

// tells reports whether token i says something of its own if only the tagger takes it for a value of type t: it is
// no number, no word of a closed class, no scrap that no list knows.
func (s *scan) tells(i int, t Type) bool {
	k := s.tok[i]
	switch t {
	case Person, Location, Address:
		if k.kind != word {
			return false
		}
		if r := s.runAt(i); r != nil && r.Digits > 0 {
			return false
		}
		if t == Person && k.gaz&gazetteer.CommonFirst != 0 {
			return true
		}
		_, cue := cueWords[s.low(i)]
		return !cue && k.lex&(stop|ack|unit|money|near|period|common) == 0 &&
			(k.gaz != 0 || utf8.RuneCountInString(s.low(i)) > 3)
	}
	return k.kind > word && k.kind < mask || k.kind == word && (k.lex&(stop|ack) == 0 || len(s.low(i)) == 1)
}

// located reports whether one of the tokens is no plain word: the name of a street or its number.
func (s *scan) located(from, to int) bool {
	for i := from; i < to; i++ {
		if t := s.tok[i]; s.numeric(i) || t.kind == word && (t.gaz&gazetteer.Word == 0 || t.shape == capital) {
			return true
		}
	}
	return false
}

// says reports whether one of the tokens can be personal: a word or a number.
func (s *scan) says(from, to int) bool {
	for i := from; i < to; i++ {
		if k := s.tok[i].kind; (k >= word && k <= mixed) && !(k == digit && s.taken[i]) {
			return true
		}
	}
	return false
}

// listed reports whether a mark stands on a list of names or places alone.
func listed(m mark) bool { return m.why == ByList }

// veto takes back the names and places that stand on a list alone where the tagger finds nothing personal.
func (s *scan) veto(labels []tag.Label) {
	kept := s.marks[:0]
	for _, m := range s.marks {
		denied := listed(m)
		for i := m.from; i < m.to; i++ {
			denied = denied && (labels[i].Class() == tag.Plain || labels[i].Class() == tag.Org)
		}
		if !denied {
			kept = append(kept, m)
		}
	}
	s.marks = kept
	clear(s.best)
	for _, m := range s.marks {
		for i := m.from; i < m.to; i++ {
			s.best[i] = max(s.best[i], m.score)
		}
	}
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
