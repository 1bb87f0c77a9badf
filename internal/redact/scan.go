package redact

import (
	"slices"

	"murmur/internal/redact/act"
	"murmur/internal/redact/number"
)

// scan is one turn as the rules read it: what it says, and the marks made on it so far.
type scan struct {
	view
	dial    Dial
	tok     []token
	words   []number.Word
	runs    []number.Run
	hashes  []uint32
	runOf   []int32 // by token: 1 + the run it belongs to, 0 for none
	cues    []cue
	marks   []mark
	taken   []bool  // tokens that a date or an address claims, kept from the digit rules
	plainly []bool  // tokens of everyday letters and digits: "v2", "9am"
	cased   bool    // capitals mean something here
	side    Side    // who speaks, 0 if that is unknown
	ask     *asked  // the question that the turn may answer, nil for none
	waiting asked   // the other side's last question, if it was asked in the turn before, whatever this turn does
	does    act.Act // what the turn does
	reader  number.Reader
}

// mark is one finding: tokens [from, to) are of type t. The highest score decides the type where marks meet.
type mark struct {
	from, to int
	t        Type
	score    uint8 // per cent
	why      Why
	loose    bool   // the whole of an answer: the tagger may take words of it back
	whole    bool   // likewise, of every word of the turn: it tells the tagger nothing
	name     string // of an identifier that the business taught
}

// cue is a word that says what the value near it is.
type cue struct {
	at   int
	t    Type
	weak bool
}

func (s *scan) load(v view, dial Dial) {
	s.view, s.dial = v, dial
	s.tok = tokenise(&s.view, s.tok[:0])
	s.words = words(&s.view, s.tok, s.words[:0])
	s.runs = s.reader.Read(s.words)
	s.runOf = append(s.runOf[:0], make([]int32, len(s.tok))...)
	for k := range s.runs {
		for i := s.runs[k].From; i < s.runs[k].To; i++ {
			s.runOf[i] = int32(k + 1)
		}
	}
	s.marks = s.marks[:0]
	s.taken = append(s.taken[:0], make([]bool, len(s.tok))...)
	s.cased, s.side, s.ask, s.hashes = false, 0, nil, s.hashes[:0]
	for _, t := range s.tok {
		s.hashes = append(s.hashes, hashOf(s.lower[t.s:t.e]))
		if t.kind == word && t.e-t.s > 1 {
			s.cased = s.cased || t.shape == capital
		}
	}
	s.findCues()
}

// low gives the text of token i in lower case, "" outside.
func (s *scan) low(i int) string {
	if i < 0 || i >= len(s.tok) {
		return ""
	}
	return s.lower[s.tok[i].s:s.tok[i].e]
}

// at gives token i, an empty one outside.
func (s *scan) at(i int) token {
	if i < 0 || i >= len(s.tok) {
		return token{}
	}
	return s.tok[i]
}

// spoken gives the value of token i if it is a number said in words.
func (s *scan) spoken(i int) (int, bool) {
	n := int(s.at(i).said)
	return n - 1, n > 0
}

// nthOf gives the place in a row that token i says in words, 0 for none.
func (s *scan) nthOf(i int) int { return int(s.at(i).nth) }

// cueAt gives what token i says of the value near it.
func (s *scan) cueAt(i int) (Type, bool) {
	t := s.at(i).cue
	return t, t != None
}

// glued reports whether token i begins where token i-1 ends.
func (s *scan) glued(i int) bool {
	return i > 0 && i < len(s.tok) && s.tok[i].s == s.tok[i-1].e
}

func (s *scan) mark(from, to int, t Type, score uint8, why Why) {
	if from < 0 || to > len(s.tok) || from >= to {
		return
	}
	s.marks = append(s.marks, mark{from: from, to: to, t: t, score: score, why: why})
}

func (s *scan) take(from, to int) {
	for i := max(0, from); i < min(to, len(s.taken)); i++ {
		s.taken[i] = true
	}
}

// findCues lists the cue words of the turn. Of "policy number" only the policy counts.
func (s *scan) findCues() {
	s.cues = s.cues[:0]
	for i, t := range s.tok {
		if t.kind != word && t.kind != mixed {
			continue
		}
		low := s.low(i)
		ct, ok := s.cueAt(i)
		if n := s.at(i + 1); low == "pass" && n.kind >= word && n.kind <= mixed && n.gaz == 0 && n.lex == 0 && n.e-n.s > 3 || !ok && password(low) {
			ct, ok = Password, true
		}
		if !ok {
			continue
		}
		if low == "back" && (s.low(i-1) != "the" || s.low(i-2) != "on") {
			continue
		}
		next := s.low(i + 1)
		c := cue{i, ct, weakCue[low] && !(ct == ID && (next == "number" || next == "id" || next == "#"))}
		prev := s.low(i - 1)
		switch low {
		case "code":
			switch prev {
			case "post", "zip", "postal":
				c.t, c.weak = Postcode, false
			case "sort":
				c.t, c.weak = BankAcct, false
			case "security":
				c.t, c.weak = CVV, false
			case "area", "promo", "discount", "coupon", "voucher", "dress", "country", "bar", "qr", "source", "error", "fault", "part", "product", "model", "item", "colour", "color", "paint",
				"building", "highway", "tax", "dialling", "dialing", "service", "trouble", "stock":
				continue
			default:
				c.weak = false
			}
		case "no":
			if n := s.low(i + 1); n != "." && n != ":" && s.at(i+1).kind != digit {
				continue
			}
		case "call", "text", "number", "numbers", "reach", "order", "file", "record", "case":
			if daily.kinds[prev] {
				continue // the model number
			}
			if len(s.cues) > 0 && i-s.cues[len(s.cues)-1].at <= 3 && !s.cues[len(s.cues)-1].weak {
				continue
			}
		case "license", "licence":
			if next == "plate" || next == "plates" || next == "tag" {
				continue
			}
		case "where":
			if s.low(i+3) == "live" || s.low(i+2) == "live" || s.low(i+3) == "located" {
				c.t, c.weak = Address, false
			}
		case "user":
			if next == ":" && (prev == "?" || prev == ".") { // a speaker's label inside a line
				continue
			}
			if next == "rating" || next == "ratings" || next == "review" || next == "reviews" {
				continue
			}
		case "tag":
			if prev == "price" {
				continue
			}
		}
		s.cues = append(s.cues, c)
	}
}

// cueBefore gives the cue that speaks for a value at token i: the nearest strong one within reach tokens,
// else the nearest weak one.
func (s *scan) cueBefore(i, reach int) (cue, bool) {
	var best cue
	found := false
	for k := s.cuesBefore(i) - 1; k >= 0 && i-s.cues[k].at <= reach; k-- {
		if c := s.cues[k]; !found || best.weak && !c.weak {
			best, found = c, true
		}
	}
	return best, found
}

// cueBehind gives the cue of "555 0199 is my number".
func (s *scan) cueBehind(i int) (cue, bool) {
	if n := s.low(i); n != "is" && n != "'s" && n != "as" && n != "was" {
		return cue{}, false
	}
	if k := s.cuesBefore(i + 1); k < len(s.cues) && s.cues[k].at-i <= 4 {
		return s.cues[k], true
	}
	return cue{}, false
}

// cuesBefore counts the cues before token i.
func (s *scan) cuesBefore(i int) int {
	k, _ := slices.BinarySearchFunc(s.cues, i, func(c cue, i int) int { return c.at - i })
	return k
}

// runAt gives the run that token i belongs to, nil for none.
func (s *scan) runAt(i int) *number.Run {
	if i < 0 || i >= len(s.tok) || s.runOf[i] == 0 {
		return nil
	}
	return &s.runs[s.runOf[i]-1]
}

func (s *scan) ordinal(i int) bool {
	return s.at(i).kind == mixed && s.dayNumber(i) > 0 || s.nthOf(i) > 0
}

// dayNumber gives the day of a month said or written at i: 5th, 5, fifth, twenty (of "twenty first"); else 0.
func (s *scan) dayNumber(i int) int {
	t := s.at(i)
	low := s.low(i)
	n := 0
	switch t.kind {
	case digit:
		n = atoi(low)
	case mixed:
		if len(low) < 3 || len(low) > 4 {
			return 0
		}
		switch low[len(low)-2:] {
		case "st", "nd", "rd", "th":
			n = atoi(low[:len(low)-2])
		}
	case word:
		if n = int(t.nth); n == 0 {
			if v, ok := s.spoken(i); ok && v >= 1 {
				n = v
			}
		}
	}
	if n < 1 || n > 31 {
		return 0
	}
	return n
}

// suffix reports whether token i is the end of an ordinal that a recogniser cut off: "9 th", "three road".
func (s *scan) suffix(i int) bool {
	switch s.low(i) {
	case "th", "nd", "rd", "st", "road":
		return true
	}
	return false
}

// lineWord reports whether the word at token i says which line the number before it is.
func (s *scan) lineWord(i int) bool {
	from := i
	for s.low(i) == "-" || s.low(i) == "(" {
		i++
	}
	switch s.low(i) {
	case "office", "fax", "mobile", "cell", "landline":
		return s.low(i+1) != "number" || i > from
	}
	return false
}

// has reports whether something of type t is marked between two tokens.
func (s *scan) has(t Type, from, to int) bool {
	for _, m := range s.marks {
		if m.t == t && m.from < to && m.to > from {
			return true
		}
	}
	return false
}

// quantityOnly reports whether tokens [from, to) are a number of two digits and more, without a letter that is spelled: nobody's name.
func (s *scan) quantityOnly(from, to int) bool {
	digits := 0
	for i := from; i < to; i++ {
		switch r := s.runAt(i); {
		case s.tok[i].kind < word:
		case r == nil || r.Letters > 0 || s.tok[i].kind == mixed:
			return false
		default:
			digits = r.Digits
		}
	}
	return digits > 1
}

// headline reports whether most words have a capital, so that it says nothing.
func (s *scan) headline() bool {
	words, capitals := 0, 0
	for _, t := range s.tok {
		if t.kind == word && t.e-t.s > 1 {
			words++
			if t.shape != small {
				capitals++
			}
		}
	}
	return capitals*5 > words*2
}

// some reports whether a token is so.
func (s *scan) some(is func(i int) bool) bool {
	for i := range s.tok {
		if is(i) {
			return true
		}
	}
	return false
}
