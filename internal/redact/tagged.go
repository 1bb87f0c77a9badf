package redact

import (
	"slices"
	"unicode/utf8"

	"murmur/internal/redact/act"
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/number"
	"murmur/internal/redact/tag"
)

// Observed is a turn as the tagger sees it, with where its tokens stand in the turn's text: bytes.
type Observed struct {
	tag.Turn
	Origin [][2]int
}

// Observe gives the turns of a document as the tagger sees them in the first reading, their acts told by acts: what it is
// trained on.
func Observe(turns []Turn, acts *act.Model) []Observed {
	var talk dialogue
	s := &turn{}
	s.acts = acts
	out := make([]Observed, len(turns))
	for k, t := range turns {
		s.load(viewOf(t.Text), Strict)
		s.read(t.Side, &talk, nil)
		s.observe(s.ask, t.Side)
		o := &out[k]
		o.Turn = s.input
		o.Tokens = append([]tag.Token(nil), s.input.Tokens...)
		o.Origin = make([][2]int, len(s.tok))
		for i, w := range s.tok {
			o.Origin[i][0], o.Origin[i][1] = s.original(int(w.s), int(w.e))
		}
	}
	return out
}

// Plain reports whether a lower-case word belongs to no closed class and is no number said in words.
func Plain(lower string) bool {
	_, spoken := number.Spoken(lower)
	return lexicon[lower] == 0 && !spoken && number.Ordinal(lower) == 0
}

// tagging is the part of a scan that belongs to the tagger.
type tagging struct {
	tagger *tag.Model // nil tags nothing
	input  tag.Turn
	tags   tag.Scratch
	best   []uint8  // by token: the score of the mark its hint is of, 0 without a mark
	nth    int      // which turn of the document this is
	heard  []uint64 // by turn: what the tagger read of it last
	maybe  []int    // tokens that were a name elsewhere in the document and are plain words too
}

// findTagged marks what the tagger knows from the words around it, and takes back what only a list said and
// the tagger denies. A turn that it has read like this before had nothing in it, or it would read otherwise now.
func (s *turn) findTagged(ask *asked, side Side) {
	if s.tagger == nil || len(s.tok) <= 2 && s.waits() {
		return
	}
	for len(s.heard) <= s.nth {
		s.heard = append(s.heard, 0)
	}
	key := s.fingerprint(ask)
	if s.heard[s.nth] == key {
		s.marks = slices.DeleteFunc(s.marks, func(m mark) bool { return listed(m) || m.loose })
		return
	}
	s.heard[s.nth] = key
	s.observe(ask, side)
	s.tagger.Read(&s.input, &s.tags)
	vetoed := s.dial != Paranoid && slices.ContainsFunc(s.marks, listed)
	if vetoed || s.dial == Strict && s.some(s.strange) {
		watchful := s.tagger.Label(&s.tagger.Header.Dials[Paranoid], &s.tags)
		if vetoed {
			s.veto(watchful)
		}
		if s.dial == Strict {
			s.findUnknown(watchful)
		}
	}
	if len(s.maybe) > 0 || s.dial == Strict && s.some(s.likely) {
		if len(s.maybe) > 0 {
			s.findRemembered(s.tagger.Label(&remembered, &s.tags), func(i int) bool { return s.tok[i].lex&^given == 0 })
		}
		labels := s.tagger.Label(&eager, &s.tags)
		s.findRemembered(labels, func(i int) bool { return s.tok[i].lex&^given != 0 })
		if s.dial == Strict {
			s.findLikely(labels)
		}
	}
	if slices.ContainsFunc(s.marks, loose) {
		bias := &answered
		if s.spelled() {
			bias = &spelledOut
		}
		more := s.terse()
		s.trim(s.tagger.Label(bias, &s.tags), false, more)
		if more > 0 {
			surer := *bias
			for c := range surer {
				if surer[c] > 0 {
					surer[c] += more
				}
			}
			bias = &surer
		}
		s.trim(s.tagger.Label(bias, &s.tags), true, more)
		s.withoutAsides()
	}
	labels := s.tagger.Label(&s.tagger.Header.Dials[s.dial], &s.tags)
	for i, next := 0, 0; i < len(labels); i = next {
		c := labels[i].Class()
		for next = i + 1; next < len(labels) && labels[next] == tag.Inside(c); next++ {
		}
		from, to := i, next
		if (c == tag.Other || c == tag.Date) && !ask.open() {
			from, to = s.withoutTalk(from, to, c)
		}
		if t := s.tagged(from, to, c, ask); t != None {
			if t == Address && s.numeric(from) && to-from <= 4 { // "303 rake" of "303 rake head, there is"
				to = max(to, s.clauseEnd(to, 2))
			}
			s.markTagged(from, to, t)
		}
	}
	if s.dial != Balanced {
		s.findFramed()
	}
}

// withoutTalk takes words off the ends of tokens [from, to) that say nothing: those of closed classes behind a day, and on
// both sides of anything else ("ORD-17 now").
func (s *turn) withoutTalk(from, to int, c tag.Class) (int, int) {
	talk := func(i int) bool {
		t := s.tok[i]
		return t.kind == word && len(s.low(i)) > 1 && s.runOf[i] == 0 && t.lex&(stop|ack|greet) != 0
	}
	for c == tag.Other && from < to-1 && talk(from) {
		from++
	}
	for to > from+1 && talk(to-1) {
		to--
	}
	return from, to
}

// markTagged marks tokens [from, to), without the "or" between two values that rules have found in it.
func (s *turn) markTagged(from, to int, t Type) {
	start := from
	for i := from + 1; i < to-1; i++ {
		end := i
		for end > start && s.tok[end-1].kind == sign {
			end--
		}
		if (s.low(i) == "or" || s.low(i) == "and" && t != Address) && s.best[i] == 0 && end > start && s.best[end-1] > 0 && s.best[i+1] > 0 {
			s.mark(start, end, t, 50, ByContext)
			start = i + 1
		}
	}
	s.mark(start, to, t, 50, ByContext)
}

// findRemembered marks words that were a name elsewhere and that the tagger takes for one here, of those that are asked for.
func (s *turn) findRemembered(labels []tag.Label, which func(i int) bool) {
	for _, i := range s.maybe {
		if which(i) && labels[i].Class() == tag.Person {
			s.mark(i, i+1, Person, 70, ByMemory)
		}
	}
}

// findUnknown marks words that the tagger, at its most watchful, takes for names and that neither a list nor a dictionary knows, or
// that have a capital inside a sentence.
func (s *turn) findUnknown(labels []tag.Label) {
	for i, l := range labels {
		if l.Class() == tag.Person && s.strange(i) {
			s.mark(i, i+1, Person, 45, ByContext)
		}
	}
}

// eager is the dial for words that the lists know as names and the dictionary does not, that many people are called, or that are
// places behind a word of place: one stays in clear only where the tagger is quite sure.
var eager = tag.Bias{0, 900, 900, 700, 500, 0, 500}

// remembered is the dial for words that were a name elsewhere in the document and are plain words too, of no closed class.
var remembered = tag.Bias{0, 2500, 900, 500, 300, 0, 300}

// findLikely marks the words that are likely names or places and that the tagger, at its most eager, takes for some.
func (s *turn) findLikely(labels []tag.Label) {
	for i, l := range labels {
		switch c := l.Class(); {
		case s.bearable(i) && s.capitalised(i) && s.tok[i].gaz&(gazetteer.CommonFirst|gazetteer.CommonLast) != 0 && (c == tag.Plain || c == tag.Person) && s.at(i+1).shape != capital:
			s.mark(i, i+1, Person, 45, ByContext)
		case !s.likely(i):
		case s.at(i-1).lex&prep != 0 && s.tok[i].gaz&gazetteer.Place != 0 && (c == tag.Place || c == tag.Person || c == tag.Address):
			s.mark(i, i+1, Location, 45, ByContext)
		case c == tag.Person:
			s.mark(i, i+1, Person, 45, ByContext)
		}
	}
}

// likely reports whether token i is a word that many people are called, or none of the dictionary and a name, a place behind a word
// of place, or unknown with a capital inside a sentence.
func (s *turn) likely(i int) bool {
	t := s.tok[i]
	switch {
	case !s.bearable(i):
		return false
	case t.gaz&gazetteer.CommonFirst != 0:
		return true
	case s.beside(i), s.capitalised(i):
		return true
	case t.gaz&gazetteer.Word != 0 || t.e-t.s <= 3:
		return false
	case t.gaz == 0:
		return s.cased && t.shape == capital && i > 0 && (s.tok[i-1].kind == word || s.low(i-1) == ",") && !s.headline()
	case t.gaz&gazetteer.Place != 0:
		return s.at(i-1).lex&prep != 0
	}
	return t.gaz&gazetteer.Name != 0
}

// beside reports whether token i stands next to a word of a name, or behind words that introduce one, at the edge of its clause.
func (s *turn) beside(i int) bool {
	name := func(k int) bool { return k >= 0 && k < len(s.tok) && s.best[k] > 0 && s.input.Tokens[k].Hint-2 < 8 }
	if s.endsHere(i + 1) {
		return name(i-1) || name(i+1) && (i == 0 || s.endsHere(i-1)) || s.nameCue(i) == nameAsked
	}
	return name(i+1) && (i == 0 || s.endsHere(i-1))
}

// bearable reports whether token i can be a name that no rule has found: it is of no closed class, and has a capital where
// capitals mean something, other than in a text.
func (s *turn) bearable(i int) bool {
	t := s.tok[i]
	return t.kind == word && t.lex&^(month|given) == 0 && t.e-t.s >= 3 && s.runOf[i] == 0 && s.best[i] == 0 && !s.hangsUp(i) && (!s.cased || t.shape != small || s.input.Side == 0)
}

// fingerprint tells what the tagger is about to read of the turn: its text, its marks and the open question.
func (s *turn) fingerprint(ask *asked) uint64 {
	h := uint64(14695981039346656037)
	add := func(v uint64) { h = (h ^ v) * 1099511628211; h ^= h >> 31 }
	for i := range len(s.lower) {
		add(uint64(s.norm[i]))
	}
	for _, m := range s.marks {
		add(uint64(m.from)<<32 | uint64(m.to))
		add(uint64(m.t)<<16 | uint64(m.score)<<8 | uint64(m.why))
	}
	add(uint64(len(s.maybe))<<8 | uint64(s.does))
	add(uint64(s.before.does)<<48 ^ uint64(s.before.begun)<<16 ^ uint64(s.before.ended))
	for i, again := range s.echoes.heard {
		if again {
			add(uint64(i))
		}
	}
	if ask.open() {
		for _, t := range ask.types[:ask.n] {
			add(uint64(t))
		}
		if ask.again || ask.age > 0 {
			add(1 << 8)
		}
		if ask.echo {
			add(1 << 9)
		}
	}
	return h | 1
}

// tagged gives the type of tokens [from, to) that the tagger takes for a value of class c while a is asked, None if
// they are not masked.
func (s *turn) tagged(from, to int, c tag.Class, a *asked) Type {
	if s.saysNothing(from, to, c, a) {
		return None
	}
	switch c {
	case tag.Person, tag.Place:
		switch {
		case s.dial != Paranoid && (s.nameCue(from) == notName || s.premises(to) || s.premises(to-1)): // a restaurant called
		case s.input.Side == 0 && !a.open() && !s.named(from, to):
		case to == from+1 && utf8.RuneCountInString(s.low(from)) == 1 && !a.wants(Person) && (!s.spelled() || len(s.low(from)) > 1): // a letter alone is nobody, nor is "é" spelled
		case c == tag.Person:
			return Person
		default:
			return Location
		}
	case tag.Address:
		if a.wants(Address) || s.placed(from, to) {
			return Address
		}
	case tag.Date:
		switch {
		case !s.says(from, to), to == from+1 && s.courtesy(from):
		case a.wants(DateOfBirth):
			return DateOfBirth
		case s.dial == Paranoid, s.dayNamed(from, to), s.dial > Balanced && s.timely(from, to):
			return Date
		}
	case tag.Other:
		t := s.otherType(from, a)
		switch {
		case !s.says(from, to), !a.open() && digital.has(t) && !s.coded(from, to):
		case !a.open() && (t == Number || t == Phone) && s.counts(from, to): // "we get about seventy"
		default:
			return t
		}
	}
	return None
}

// saysNothing reports whether every one of the tokens is everyday letters and digits ("v2 and ipv4") or, where they are no
// short or spelled answer, a word of a closed class ("can i").
func (s *turn) saysNothing(from, to int, c tag.Class, a *asked) bool {
	answer, things := a.open() && (s.spelled() || s.direct(a)), slices.Contains(s.plainly[from:to], true)
	for i := from; i < to; i++ {
		t := s.tok[i]
		empty := s.plainly[i] || t.kind < word || (c != tag.Date || things) && t.kind == word && s.runOf[i] == 0 && t.gaz&gazetteer.CommonFirst == 0 && t.lex&(stop|ack|greet) != 0 && t.lex&(near|month|day) == 0 && (len(s.low(i)) > 1 || from+1 == to)
		if !empty || answer && !s.plainly[i] {
			return false
		}
	}
	return true
}

// named reports whether one of the tokens says something of its own: it is no number, no word of a closed class, no scrap
// that no list knows.
func (s *turn) named(from, to int) bool {
	if s.spelled() {
		return true
	}
	for i := from; i < to; i++ {
		k := s.tok[i]
		_, cue := s.cueAt(i)
		switch {
		case k.kind != word || s.runOf[i] > 0:
		case k.gaz&gazetteer.CommonFirst != 0, !cue && k.lex&^(month|given|kin|title|street) == 0 && (k.gaz != 0 || utf8.RuneCountInString(s.low(i)) > 3):
			return true
		}
	}
	return false
}

// digital types are made of digits and letters, so that a word alone is none.
var digital = of(Phone, CreditCard, CardExpiry, CVV, SSN, IBAN, BankAcct, ID, Vehicle, PIN, Number, Postcode)

// otherType gives the type of a number, code or address of the net that begins at token i: what is asked for, else what
// the words before it name.
func (s *turn) otherType(i int, a *asked) Type {
	if a.open() {
		for _, t := range a.types[:a.n] {
			if t != Person && t != Location {
				return t
			}
		}
	}
	if c, ok := s.cueBefore(i, 9); ok && !of(Person, Location, Address, Age).has(c.t) {
		return c.t
	}
	return Number
}

// listed reports whether a mark stands on a list of names or places alone.
func listed(m mark) bool { return m.why == ByList }

// loose reports whether a mark is the whole of an answer.
func loose(m mark) bool { return m.loose }

// answered and spelledOut are the dials for the words of an answer, and of a spelled one: a word stays in clear only where
// the tagger is quite sure.
var (
	answered   = tag.Bias{0, 600, 600, 600, 600, 0, 600}
	spelledOut = tag.Bias{0, 900, 900, 900, 900, 0, 900}
)

// veto takes back the names and places that stand on a list alone where the tagger finds nothing personal.
func (s *turn) veto(labels []tag.Label) {
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

// terse is how much surer than else the tagger must be to take words of a direct answer back that a recogniser wrote down: one
// without points, for it makes talk of names and letters ("call Davies", "and W 8 9 5 x"). Capitals in it tell more of that.
func (s *turn) terse() int32 {
	more := int32(400)
	for i, t := range s.tok {
		switch {
		case t.kind == sign:
			return 0
		case (t.kind == word || t.kind == mixed) && s.norm[t.s:t.e] != s.low(i):
			more = 1000
		}
	}
	return more
}

// trim takes the words that carry an answer out of the marks of whole answers: those that the tagger finds plain. Numbers
// and single letters of a spelled answer stay.
func (s *turn) trim(labels []tag.Label, direct bool, more int32) {
	spelled := s.spelled()
	plain := func(i int) bool {
		c, k := labels[i].Class(), s.tok[i].kind
		switch {
		case k == mask || k == line:
			return true
		case c != tag.Plain && c != tag.Org:
			return false
		}
		return !spelled || k < word || k == word && len(s.low(i)) > 1
	}
	var parts []mark
	is := func(m mark) bool {
		short := m.to-m.from <= 3 || spelled && more > 400
		return m.loose && direct == (!m.whole && short && (m.t == Person || m.t == Postcode || m.t == DateOfBirth))
	}
	for _, m := range s.marks {
		for i := m.from; is(m) && i < m.to; i++ {
			if plain(i) {
				continue
			}
			part := m
			for part.from = i; i < m.to && !plain(i); i++ {
			}
			if part.to = i; !s.asidePart(part, spelled) {
				parts = append(parts, part)
			}
		}
	}
	for i := range parts {
		parts[i].loose = false
	}
	s.marks = append(slices.DeleteFunc(s.marks, is), parts...)
}

// asidePart reports whether a part of a whole answer is said beside the value: a quantity ("five days"), or words of closed
// classes where the value itself was found ("HO-66 go on").
func (s *turn) asidePart(m mark, spelled bool) bool {
	if s.quantity(m.from, m.to) && (m.t == Person || m.t == Location || m.t == Email || m.t == Username) {
		return true
	}
	if spelled || !m.whole {
		return false
	}
	for i := m.from; i < m.to; i++ {
		t := s.tok[i]
		plain := t.lex&(stop|ack|greet) != 0 || t.gaz&gazetteer.Word != 0 && t.gaz&(gazetteer.CommonFirst|gazetteer.CommonLast) == 0
		if t.kind > word || t.kind == word && (s.runOf[i] > 0 || !plain || len(s.low(i)) == 1) {
			return false
		}
	}
	return slices.ContainsFunc(s.marks, func(o mark) bool {
		return !o.loose && (o.t == m.t && o.score >= 60 || o.score >= 75 && o.t != Date) && o.from >= m.to || !o.loose && o.to <= m.from && o.score >= 60 && o.t != Date
	})
}

// withoutAsides takes back the parts of an answer to a question for a name that are closed words beside a name that was found, "they" of
// "they called him Jo".
func (s *turn) withoutAsides() {
	named := slices.ContainsFunc(s.marks, func(m mark) bool { return m.t == Person && !s.closed(m) })
	if named && !s.spelled() {
		s.marks = slices.DeleteFunc(s.marks, func(m mark) bool { return m.t == Person && m.why == ByQuestion && s.closed(m) })
	}
}

// closed reports whether a mark holds words of closed classes alone.
func (s *turn) closed(m mark) bool {
	for i := m.from; i < m.to; i++ {
		if t := s.tok[i]; t.kind > word || t.kind == word && (s.runOf[i] > 0 || t.lex&(stop|ack|greet) == 0 || t.gaz&gazetteer.CommonFirst != 0) {
			return false
		}
	}
	return true
}

// observe makes the loaded turn, with the marks made so far, into what the tagger reads.
func (s *turn) observe(ask *asked, side Side) {
	t := &s.input
	t.Lower, t.Cased, t.Side = s.lower, s.cased, uint8(min(side, 4))
	t.Asked, t.Stale = [4]uint8{}, false
	if ask.open() {
		for k, a := range ask.types[:ask.n] {
			t.Asked[k] = uint8(a)
		}
		t.Stale = ask.again || ask.age > 0
	}
	t.Act, t.Echo = uint8(s.does), ask != nil && ask.echo
	t.Before, t.Begun, t.Ended = uint8(s.before.does), s.before.begun, s.before.ended
	t.Tokens = t.Tokens[:0]
	for i, w := range s.tok {
		k := tag.Token{Start: w.s, End: w.e, Words: uint32(w.lex), Known: w.gaz, Kind: uint8(w.kind), Shape: uint8(w.shape)}
		if s.runOf[i] > 0 {
			k.Hint = inRun
		}
		k.Again = s.echoes.heard[i]
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
		if m.whole {
			continue
		}
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
