package redact

import (
	"slices"
	"unicode/utf8"

	"murmur/internal/redact/act"
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/rule/answer"
	"murmur/internal/redact/internal/rule/date"
	"murmur/internal/redact/internal/rule/name"
	"murmur/internal/redact/internal/rule/place"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
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
		s.load(token.ViewOf(t.Text), Strict)
		s.read(t.Side, &talk, nil)
		s.observe(s.Ask, t.Side)
		o := &out[k]
		o.Turn = s.input
		o.Tokens = append([]tag.Token(nil), s.input.Tokens...)
		o.Origin = make([][2]int, len(s.Tokens))
		for i, w := range s.Tokens {
			o.Origin[i][0], o.Origin[i][1] = s.Original(int(w.Start), int(w.End))
		}
	}
	return out
}

// Plain reports whether a lower-case word belongs to no closed class and is no number said in words.
func Plain(lower string) bool {
	_, spoken := number.Spoken(lower)
	return token.Lexicon[lower] == 0 && !spoken && number.Ordinal(lower) == 0
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
func (s *turn) findTagged(ask *scan.Asked, side Side) {
	if s.tagger == nil || len(s.Tokens) <= 2 && answer.Waits(&s.Scan) {
		return
	}
	for len(s.heard) <= s.nth {
		s.heard = append(s.heard, 0)
	}
	key := s.fingerprint(ask)
	if s.heard[s.nth] == key {
		s.Marks = slices.DeleteFunc(s.Marks, func(m scan.Mark) bool { return listed(m) || m.Loose })
		return
	}
	s.heard[s.nth] = key
	s.observe(ask, side)
	s.tagger.Read(&s.input, &s.tags)
	vetoed := s.Dial != Paranoid && slices.ContainsFunc(s.Marks, listed)
	if vetoed || s.Dial == Strict && s.Some(s.Strange) {
		watchful := s.tagger.Label(&s.tagger.Header.Dials[Paranoid], &s.tags)
		if vetoed {
			s.veto(watchful)
		}
		if s.Dial == Strict {
			s.findUnknown(watchful)
		}
	}
	if len(s.maybe) > 0 || s.Dial == Strict && s.Some(s.likely) {
		if len(s.maybe) > 0 {
			s.findRemembered(s.tagger.Label(&remembered, &s.tags), func(i int) bool { return s.Tokens[i].Lex&^token.Given == 0 })
		}
		labels := s.tagger.Label(&eager, &s.tags)
		s.findRemembered(labels, func(i int) bool { return s.Tokens[i].Lex&^token.Given != 0 })
		if s.Dial == Strict {
			s.findLikely(labels)
		}
	}
	if slices.ContainsFunc(s.Marks, loose) {
		bias := &answered
		if answer.Spelled(&s.Scan) {
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
	labels := s.tagger.Label(&s.tagger.Header.Dials[s.Dial], &s.tags)
	for i, next := 0, 0; i < len(labels); i = next {
		c := labels[i].Class()
		for next = i + 1; next < len(labels) && labels[next] == tag.Inside(c); next++ {
		}
		from, to := i, next
		if (c == tag.Other || c == tag.Date) && !ask.Open() {
			from, to = s.withoutTalk(from, to, c)
		}
		if t := s.tagged(from, to, c, ask); t != None {
			if t == Address && s.Numeric(from) && to-from <= 4 { // "303 rake" of "303 rake head, there is"
				to = max(to, place.ClauseEnd(&s.Scan, to, 2))
			}
			s.markTagged(from, to, t)
		}
	}
	if s.Dial != Balanced {
		name.FindFramed(&s.Scan)
	}
}

// withoutTalk takes words off the ends of tokens [from, to) that say nothing: those of closed classes behind a day, and on
// both sides of anything else ("ORD-17 now").
func (s *turn) withoutTalk(from, to int, c tag.Class) (int, int) {
	talk := func(i int) bool {
		t := s.Tokens[i]
		return t.Kind == token.Word && len(s.Low(i)) > 1 && s.RunOf[i] == 0 && t.Lex&(token.Stop|token.Ack|token.Greet) != 0
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
		for end > start && s.Tokens[end-1].Kind == token.Sign {
			end--
		}
		if (s.Low(i) == "or" || s.Low(i) == "and" && t != Address) && s.best[i] == 0 && end > start && s.best[end-1] > 0 && s.best[i+1] > 0 {
			s.Mark(start, end, t, 50, ByContext)
			start = i + 1
		}
	}
	s.Mark(start, to, t, 50, ByContext)
}

// findRemembered marks words that were a name elsewhere and that the tagger takes for one here, of those that are asked for.
func (s *turn) findRemembered(labels []tag.Label, which func(i int) bool) {
	for _, i := range s.maybe {
		if which(i) && labels[i].Class() == tag.Person {
			s.Mark(i, i+1, Person, 70, ByMemory)
		}
	}
}

// findUnknown marks words that the tagger, at its most watchful, takes for names and that neither a list nor a dictionary knows, or
// that have a capital inside a sentence.
func (s *turn) findUnknown(labels []tag.Label) {
	for i, l := range labels {
		if l.Class() == tag.Person && s.Strange(i) {
			s.Mark(i, i+1, Person, 45, ByContext)
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
		case s.bearable(i) && s.Capitalised(i) && s.Tokens[i].Gaz&(gazetteer.CommonFirst|gazetteer.CommonLast) != 0 && (c == tag.Plain || c == tag.Person) && s.At(i+1).Shape != token.Capital:
			s.Mark(i, i+1, Person, 45, ByContext)
		case !s.likely(i):
		case s.At(i-1).Lex&token.Prep != 0 && s.Tokens[i].Gaz&gazetteer.Place != 0 && (c == tag.Place || c == tag.Person || c == tag.Address):
			s.Mark(i, i+1, Location, 45, ByContext)
		case c == tag.Person:
			s.Mark(i, i+1, Person, 45, ByContext)
		}
	}
}

// likely reports whether token i is a word that many people are called, or none of the dictionary and a name, a place behind a word
// of place, or unknown with a capital inside a sentence.
func (s *turn) likely(i int) bool {
	t := s.Tokens[i]
	switch {
	case !s.bearable(i):
		return false
	case t.Gaz&gazetteer.CommonFirst != 0:
		return true
	case s.beside(i), s.Capitalised(i):
		return true
	case t.Gaz&gazetteer.Word != 0 || t.End-t.Start <= 3:
		return false
	case t.Gaz == 0:
		return s.Cased && t.Shape == token.Capital && i > 0 && (s.Tokens[i-1].Kind == token.Word || s.Low(i-1) == ",") && !s.Headline()
	case t.Gaz&gazetteer.Place != 0:
		return s.At(i-1).Lex&token.Prep != 0
	}
	return t.Gaz&gazetteer.Name != 0
}

// beside reports whether token i stands next to a word of a name, or behind words that introduce one, at the edge of its clause.
func (s *turn) beside(i int) bool {
	called := func(k int) bool { return k >= 0 && k < len(s.Tokens) && s.best[k] > 0 && s.input.Tokens[k].Hint-2 < 8 }
	if name.EndsHere(&s.Scan, i+1) {
		return called(i-1) || called(i+1) && (i == 0 || name.EndsHere(&s.Scan, i-1)) || name.NameCue(&s.Scan, i) == name.NameAsked
	}
	return called(i+1) && (i == 0 || name.EndsHere(&s.Scan, i-1))
}

// bearable reports whether token i can be a name that no rule has found: it is of no closed class, and has a capital where
// capitals mean something, other than in a text.
func (s *turn) bearable(i int) bool {
	t := s.Tokens[i]
	return t.Kind == token.Word && t.Lex&^(token.Month|token.Given) == 0 && t.End-t.Start >= 3 && s.RunOf[i] == 0 && s.best[i] == 0 && !s.HangsUp(i) && (!s.Cased || t.Shape != token.Small || s.input.Side == 0)
}

// fingerprint tells what the tagger is about to read of the turn: its text, its marks and the open question.
func (s *turn) fingerprint(ask *scan.Asked) uint64 {
	h := uint64(14695981039346656037)
	add := func(v uint64) { h = (h ^ v) * 1099511628211; h ^= h >> 31 }
	for i := range len(s.Lower) {
		add(uint64(s.Norm[i]))
	}
	for _, m := range s.Marks {
		add(uint64(m.From)<<32 | uint64(m.To))
		add(uint64(m.Type)<<16 | uint64(m.Score)<<8 | uint64(m.Why))
	}
	add(uint64(len(s.maybe))<<8 | uint64(s.Does))
	add(uint64(s.before.does)<<48 ^ uint64(s.before.begun)<<16 ^ uint64(s.before.ended))
	for i, again := range s.echoes.Heard {
		if again {
			add(uint64(i))
		}
	}
	if ask.Open() {
		for _, t := range ask.Types[:ask.N] {
			add(uint64(t))
		}
		if ask.Again || ask.Age > 0 {
			add(1 << 8)
		}
		if ask.Echo {
			add(1 << 9)
		}
	}
	return h | 1
}

// tagged gives the type of tokens [from, to) that the tagger takes for a value of class c while a is asked, None if
// they are not masked.
func (s *turn) tagged(from, to int, c tag.Class, a *scan.Asked) Type {
	if s.saysNothing(from, to, c, a) {
		return None
	}
	switch c {
	case tag.Person, tag.Place:
		switch {
		case s.Dial != Paranoid && (name.NameCue(&s.Scan, from) == name.NotName || name.Premises(&s.Scan, to) || name.Premises(&s.Scan, to-1)): // a restaurant called
		case s.input.Side == 0 && !a.Open() && !s.named(from, to):
		case to == from+1 && utf8.RuneCountInString(s.Low(from)) == 1 && !a.Wants(Person) && (!answer.Spelled(&s.Scan) || len(s.Low(from)) > 1): // a letter alone is nobody, nor is "é" spelled
		case c == tag.Person:
			return Person
		default:
			return Location
		}
	case tag.Address:
		if a.Wants(Address) || s.Placed(from, to) {
			return Address
		}
	case tag.Date:
		switch {
		case !s.Says(from, to), to == from+1 && date.Courtesy(&s.Scan, from):
		case a.Wants(DateOfBirth):
			return DateOfBirth
		case s.Dial == Paranoid, s.DayNamed(from, to), s.Dial > Balanced && s.Timely(from, to):
			return Date
		}
	case tag.Other:
		t := s.otherType(from, a)
		switch {
		case !s.Says(from, to), !a.Open() && digital.Has(t) && !s.Coded(from, to):
		case !a.Open() && (t == Number || t == Phone) && s.Counts(from, to): // "we get about seventy"
		default:
			return t
		}
	}
	return None
}

// saysNothing reports whether every one of the tokens is everyday letters and digits ("v2 and ipv4") or, where they are no
// short or spelled answer, a word of a closed class ("can i").
func (s *turn) saysNothing(from, to int, c tag.Class, a *scan.Asked) bool {
	answer, things := a.Open() && (answer.Spelled(&s.Scan) || answer.Direct(&s.Scan, a)), slices.Contains(s.Plainly[from:to], true)
	for i := from; i < to; i++ {
		t := s.Tokens[i]
		empty := s.Plainly[i] || t.Kind < token.Word || (c != tag.Date || things) && t.Kind == token.Word && s.RunOf[i] == 0 && t.Gaz&gazetteer.CommonFirst == 0 && t.Lex&(token.Stop|token.Ack|token.Greet) != 0 && t.Lex&(token.Near|token.Month|token.Day) == 0 && (len(s.Low(i)) > 1 || from+1 == to)
		if !empty || answer && !s.Plainly[i] {
			return false
		}
	}
	return true
}

// named reports whether one of the tokens says something of its own: it is no number, no word of a closed class, no scrap
// that no list knows.
func (s *turn) named(from, to int) bool {
	if answer.Spelled(&s.Scan) {
		return true
	}
	for i := from; i < to; i++ {
		k := s.Tokens[i]
		_, cue := s.CueAt(i)
		switch {
		case k.Kind != token.Word || s.RunOf[i] > 0:
		case k.Gaz&gazetteer.CommonFirst != 0, !cue && k.Lex&^(token.Month|token.Given|token.Kin|token.Title|token.Street) == 0 && (k.Gaz != 0 || utf8.RuneCountInString(s.Low(i)) > 3):
			return true
		}
	}
	return false
}

// digital types are made of digits and letters, so that a word alone is none.
var digital = kind.Of(Phone, CreditCard, CardExpiry, CVV, SSN, IBAN, BankAcct, ID, Vehicle, PIN, Number, Postcode)

// otherType gives the type of a number, code or address of the net that begins at token i: what is asked for, else what
// the words before it name.
func (s *turn) otherType(i int, a *scan.Asked) Type {
	if a.Open() {
		for _, t := range a.Types[:a.N] {
			if t != Person && t != Location {
				return t
			}
		}
	}
	if c, ok := s.CueBefore(i, 9); ok && !kind.Of(Person, Location, Address, Age).Has(c.Type) {
		return c.Type
	}
	return Number
}

// listed reports whether a mark stands on a list of names or places alone.
func listed(m scan.Mark) bool { return m.Why == ByList }

// loose reports whether a mark is the whole of an answer.
func loose(m scan.Mark) bool { return m.Loose }

// answered and spelledOut are the dials for the words of an answer, and of a spelled one: a word stays in clear only where
// the tagger is quite sure.
var (
	answered   = tag.Bias{0, 600, 600, 600, 600, 0, 600}
	spelledOut = tag.Bias{0, 900, 900, 900, 900, 0, 900}
)

// veto takes back the names and places that stand on a list alone where the tagger finds nothing personal.
func (s *turn) veto(labels []tag.Label) {
	kept := s.Marks[:0]
	for _, m := range s.Marks {
		denied := listed(m)
		for i := m.From; i < m.To; i++ {
			denied = denied && (labels[i].Class() == tag.Plain || labels[i].Class() == tag.Org)
		}
		if !denied {
			kept = append(kept, m)
		}
	}
	s.Marks = kept
	clear(s.best)
	for _, m := range s.Marks {
		for i := m.From; i < m.To; i++ {
			s.best[i] = max(s.best[i], m.Score)
		}
	}
}

// terse is how much surer than else the tagger must be to take words of a direct answer back that a recogniser wrote down: one
// without points, for it makes talk of names and letters ("call Davies", "and W 8 9 5 x"). Capitals in it tell more of that.
func (s *turn) terse() int32 {
	more := int32(400)
	for i, t := range s.Tokens {
		switch {
		case t.Kind == token.Sign:
			return 0
		case (t.Kind == token.Word || t.Kind == token.Mixed) && s.Norm[t.Start:t.End] != s.Low(i):
			more = 1000
		}
	}
	return more
}

// trim takes the words that carry an answer out of the marks of whole answers: those that the tagger finds plain. Numbers
// and single letters of a spelled answer stay.
func (s *turn) trim(labels []tag.Label, direct bool, more int32) {
	spelled := answer.Spelled(&s.Scan)
	plain := func(i int) bool {
		c, k := labels[i].Class(), s.Tokens[i].Kind
		switch {
		case k == token.Mask || k == token.Line:
			return true
		case c != tag.Plain && c != tag.Org:
			return false
		}
		return !spelled || k < token.Word || k == token.Word && len(s.Low(i)) > 1
	}
	var parts []scan.Mark
	is := func(m scan.Mark) bool {
		short := m.To-m.From <= 3 || spelled && more > 400
		return m.Loose && direct == (!m.Whole && short && (m.Type == Person || m.Type == Postcode || m.Type == DateOfBirth))
	}
	for _, m := range s.Marks {
		for i := m.From; is(m) && i < m.To; i++ {
			if plain(i) {
				continue
			}
			part := m
			for part.From = i; i < m.To && !plain(i); i++ {
			}
			if part.To = i; !s.asidePart(part, spelled) {
				parts = append(parts, part)
			}
		}
	}
	for i := range parts {
		parts[i].Loose = false
	}
	s.Marks = append(slices.DeleteFunc(s.Marks, is), parts...)
}

// asidePart reports whether a part of a whole answer is said beside the value: a quantity ("five days"), or words of closed
// classes where the value itself was found ("HO-66 go on").
func (s *turn) asidePart(m scan.Mark, spelled bool) bool {
	if s.Quantity(m.From, m.To) && (m.Type == Person || m.Type == Location || m.Type == Email || m.Type == Username) {
		return true
	}
	if spelled || !m.Whole {
		return false
	}
	for i := m.From; i < m.To; i++ {
		t := s.Tokens[i]
		plain := t.Lex&(token.Stop|token.Ack|token.Greet) != 0 || t.Gaz&gazetteer.Word != 0 && t.Gaz&(gazetteer.CommonFirst|gazetteer.CommonLast) == 0
		if t.Kind > token.Word || t.Kind == token.Word && (s.RunOf[i] > 0 || !plain || len(s.Low(i)) == 1) {
			return false
		}
	}
	return slices.ContainsFunc(s.Marks, func(o scan.Mark) bool {
		return !o.Loose && (o.Type == m.Type && o.Score >= 60 || o.Score >= 75 && o.Type != Date) && o.From >= m.To || !o.Loose && o.To <= m.From && o.Score >= 60 && o.Type != Date
	})
}

// withoutAsides takes back the parts of an answer to a question for a name that are closed words beside a name that was found, "they" of
// "they called him Jo".
func (s *turn) withoutAsides() {
	named := slices.ContainsFunc(s.Marks, func(m scan.Mark) bool { return m.Type == Person && !s.closed(m) })
	if named && !answer.Spelled(&s.Scan) {
		s.Marks = slices.DeleteFunc(s.Marks, func(m scan.Mark) bool { return m.Type == Person && m.Why == ByQuestion && s.closed(m) })
	}
}

// closed reports whether a mark holds words of closed classes alone.
func (s *turn) closed(m scan.Mark) bool {
	for i := m.From; i < m.To; i++ {
		if t := s.Tokens[i]; t.Kind > token.Word || t.Kind == token.Word && (s.RunOf[i] > 0 || t.Lex&(token.Stop|token.Ack|token.Greet) == 0 || t.Gaz&gazetteer.CommonFirst != 0) {
			return false
		}
	}
	return true
}

// observe makes the loaded turn, with the marks made so far, into what the tagger reads.
func (s *turn) observe(ask *scan.Asked, side Side) {
	t := &s.input
	t.Lower, t.Cased, t.Side = s.Lower, s.Cased, uint8(min(side, 4))
	t.Asked, t.Stale = [4]uint8{}, false
	if ask.Open() {
		for k, a := range ask.Types[:ask.N] {
			t.Asked[k] = uint8(a)
		}
		t.Stale = ask.Again || ask.Age > 0
	}
	t.Act, t.Echo = uint8(s.Does), ask != nil && ask.Echo
	t.Before, t.Begun, t.Ended = uint8(s.before.does), s.before.begun, s.before.ended
	t.Tokens = t.Tokens[:0]
	for i, w := range s.Tokens {
		k := tag.Token{Start: w.Start, End: w.End, Words: uint32(w.Lex), Known: w.Gaz, Kind: uint8(w.Kind), Shape: uint8(w.Shape)}
		if s.RunOf[i] > 0 {
			k.Hint = inRun
		}
		k.Again = s.echoes.Heard[i]
		t.Tokens = append(t.Tokens, k)
	}
	for i := range t.Tokens {
		if t.Tokens[i].Known&gazetteer.Prefix != 0 {
			for n := place.PlaceLen(&s.Scan, i) - 1; n > 0; n-- {
				t.Tokens[i].Known |= tag.Phrase
				t.Tokens[i+n].Known |= tag.Phrase
			}
		}
	}
	s.best = append(s.best[:0], make([]uint8, len(s.Tokens))...)
	for _, m := range s.Marks {
		if m.Whole {
			continue
		}
		h := hint(m)
		for i := m.From; i < m.To; i++ {
			if m.Score >= s.best[i] {
				s.best[i], t.Tokens[i].Hint = m.Score, h
				if i > m.From {
					t.Tokens[i].Hint++
				}
			}
		}
	}
}

// inRun is the hint of a token of a number that no rule marked.
const inRun = 1

// hint tells the tagger what a rule found and on which evidence; the next number is for further words of it.
func hint(m scan.Mark) uint8 {
	group := uint8(5) // numbers
	switch m.Type {
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
	switch m.Why {
	case ByList:
		why = 0
	case ByCue:
		why = 1
	case ByQuestion:
		why = 2
	}
	return 2 + 2*(4*group+why)
}
