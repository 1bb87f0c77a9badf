// Package scan is one turn as the rules read it: its tokens, the numbers said in it, the words that announce a value, the
// question that it may answer, and the marks that the rules make.
//
// Zone: RED.
package scan

import (
	"slices"

	"murmur/internal/redact/act"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
	"murmur/internal/redact/number"
)

// Scan is one turn as the rules read it: what it says, and the marks made on it so far.
type Scan struct {
	token.View
	Dial    kind.Dial
	Tokens  []token.Token
	Words   []number.Word
	Runs    []number.Run
	Hashes  []uint32
	RunOf   []int32 // by token: 1 + the run it belongs to, 0 for none
	Cues    []Cue
	Marks   []Mark
	Taken   []bool    // tokens that a date or an address claims, kept from the digit rules
	Plainly []bool    // tokens of everyday letters and digits: "v2", "9am"
	Cased   bool      // capitals mean something here
	Side    kind.Side // who speaks, 0 if that is unknown
	Ask     *Asked    // the question that the turn may answer, nil for none
	Waiting Asked     // the other side's last question, if it was asked in the turn before, whatever this turn does
	Does    act.Act   // what the turn does
	Reader  number.Reader
}

// Mark is one finding: tokens [from, to) are of type t. The highest score decides the type where marks meet.
type Mark struct {
	From, To int
	Type     kind.Type
	Score    uint8 // per cent
	Why      kind.Why
	Loose    bool   // the whole of an answer: the tagger may take words of it back
	Whole    bool   // likewise, of every word of the turn: it tells the tagger nothing
	Name     string // of an identifier that the business taught
}

// Cue is a word that says what the value near it is.
type Cue struct {
	At   int
	Type kind.Type
	Weak bool
}

// Load takes in a text. Nothing of the one before it stays.
func (s *Scan) Load(v token.View, dial kind.Dial) {
	s.View, s.Dial = v, dial
	s.Tokens = token.Tokenise(&s.View, s.Tokens[:0])
	s.Words = token.Words(&s.View, s.Tokens, s.Words[:0])
	s.Runs = s.Reader.Read(s.Words)
	s.RunOf = append(s.RunOf[:0], make([]int32, len(s.Tokens))...)
	for k := range s.Runs {
		for i := s.Runs[k].From; i < s.Runs[k].To; i++ {
			s.RunOf[i] = int32(k + 1)
		}
	}
	s.Marks = s.Marks[:0]
	s.Taken = append(s.Taken[:0], make([]bool, len(s.Tokens))...)
	s.Cased, s.Side, s.Ask, s.Hashes = false, 0, nil, s.Hashes[:0]
	for _, t := range s.Tokens {
		s.Hashes = append(s.Hashes, token.HashOf(s.Lower[t.Start:t.End]))
		if t.Kind == token.Word && t.End-t.Start > 1 {
			s.Cased = s.Cased || t.Shape == token.Capital
		}
	}
	s.findCues()
}

// Low gives the text of token i in lower case, "" outside.
func (s *Scan) Low(i int) string {
	if i < 0 || i >= len(s.Tokens) {
		return ""
	}
	return s.Lower[s.Tokens[i].Start:s.Tokens[i].End]
}

// At gives token i, an empty one outside.
func (s *Scan) At(i int) token.Token {
	if i < 0 || i >= len(s.Tokens) {
		return token.Token{}
	}
	return s.Tokens[i]
}

// Spoken gives the value of token i if it is a number said in words.
func (s *Scan) Spoken(i int) (int, bool) {
	n := int(s.At(i).Said)
	return n - 1, n > 0
}

// NthOf gives the place in a row that token i says in words, 0 for none.
func (s *Scan) NthOf(i int) int { return int(s.At(i).Nth) }

// CueAt gives what token i says of the value near it.
func (s *Scan) CueAt(i int) (kind.Type, bool) {
	t := s.At(i).Cue
	return t, t != kind.None
}

// Glued reports whether token i begins where token i-1 ends.
func (s *Scan) Glued(i int) bool {
	return i > 0 && i < len(s.Tokens) && s.Tokens[i].Start == s.Tokens[i-1].End
}

// Mark marks tokens [from, to), if there are such.
func (s *Scan) Mark(from, to int, t kind.Type, score uint8, why kind.Why) {
	if from < 0 || to > len(s.Tokens) || from >= to {
		return
	}
	s.Marks = append(s.Marks, Mark{From: from, To: to, Type: t, Score: score, Why: why})
}

// Take claims tokens [from, to), so that the rules of numbers leave them.
func (s *Scan) Take(from, to int) {
	for i := max(0, from); i < min(to, len(s.Taken)); i++ {
		s.Taken[i] = true
	}
}

// findCues lists the cue words of the turn. Of "policy number" only the policy counts.
func (s *Scan) findCues() {
	s.Cues = s.Cues[:0]
	for i, t := range s.Tokens {
		if t.Kind != token.Word && t.Kind != token.Mixed {
			continue
		}
		low := s.Low(i)
		ct, ok := s.CueAt(i)
		if n := s.At(i + 1); low == "pass" && n.Kind >= token.Word && n.Kind <= token.Mixed && n.Gaz == 0 && n.Lex == 0 && n.End-n.Start > 3 || !ok && token.Password(low) {
			ct, ok = kind.Password, true
		}
		if !ok {
			continue
		}
		if low == "back" && (s.Low(i-1) != "the" || s.Low(i-2) != "on") {
			continue
		}
		next := s.Low(i + 1)
		c := Cue{i, ct, token.WeakCue[low] && !(ct == kind.ID && (next == "number" || next == "id" || next == "#"))}
		prev := s.Low(i - 1)
		switch low {
		case "code":
			switch prev {
			case "post", "zip", "postal":
				c.Type, c.Weak = kind.Postcode, false
			case "sort":
				c.Type, c.Weak = kind.BankAcct, false
			case "security":
				c.Type, c.Weak = kind.CVV, false
			case "area", "promo", "discount", "coupon", "voucher", "dress", "country", "bar", "qr", "source", "error", "fault", "part", "product", "model", "item", "colour", "color", "paint",
				"building", "highway", "tax", "dialling", "dialing", "service", "trouble", "stock":
				continue
			default:
				c.Weak = false
			}
		case "no":
			if n := s.Low(i + 1); n != "." && n != ":" && s.At(i+1).Kind != token.Digit {
				continue
			}
		case "call", "text", "number", "numbers", "reach", "order", "file", "record", "case":
			if token.Daily.Kinds[prev] {
				continue // the model number
			}
			if len(s.Cues) > 0 && i-s.Cues[len(s.Cues)-1].At <= 3 && !s.Cues[len(s.Cues)-1].Weak {
				continue
			}
		case "license", "licence":
			if next == "plate" || next == "plates" || next == "tag" {
				continue
			}
		case "where":
			if s.Low(i+3) == "live" || s.Low(i+2) == "live" || s.Low(i+3) == "located" {
				c.Type, c.Weak = kind.Address, false
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
		s.Cues = append(s.Cues, c)
	}
}

// CueBefore gives the cue that speaks for a value at token i: the nearest strong one within reach tokens,
// else the nearest weak one.
func (s *Scan) CueBefore(i, reach int) (Cue, bool) {
	var best Cue
	found := false
	for k := s.CuesBefore(i) - 1; k >= 0 && i-s.Cues[k].At <= reach; k-- {
		if c := s.Cues[k]; !found || best.Weak && !c.Weak {
			best, found = c, true
		}
	}
	return best, found
}

// CueBehind gives the cue of "555 0199 is my number".
func (s *Scan) CueBehind(i int) (Cue, bool) {
	if n := s.Low(i); n != "is" && n != "'s" && n != "as" && n != "was" {
		return Cue{}, false
	}
	if k := s.CuesBefore(i + 1); k < len(s.Cues) && s.Cues[k].At-i <= 4 {
		return s.Cues[k], true
	}
	return Cue{}, false
}

// CuesBefore counts the cues before token i.
func (s *Scan) CuesBefore(i int) int {
	k, _ := slices.BinarySearchFunc(s.Cues, i, func(c Cue, i int) int { return c.At - i })
	return k
}

// RunAt gives the run that token i belongs to, nil for none.
func (s *Scan) RunAt(i int) *number.Run {
	if i < 0 || i >= len(s.Tokens) || s.RunOf[i] == 0 {
		return nil
	}
	return &s.Runs[s.RunOf[i]-1]
}

// Ordinal reports whether token i is a day of the month or a place in a row: "3rd", "third".
func (s *Scan) Ordinal(i int) bool {
	return s.At(i).Kind == token.Mixed && s.DayNumber(i) > 0 || s.NthOf(i) > 0
}

// DayNumber gives the day of a month said or written at i: 5th, 5, fifth, twenty (of "twenty first"); else 0.
func (s *Scan) DayNumber(i int) int {
	t := s.At(i)
	low := s.Low(i)
	n := 0
	switch t.Kind {
	case token.Digit:
		n = check.Atoi(low)
	case token.Mixed:
		if len(low) < 3 || len(low) > 4 {
			return 0
		}
		switch low[len(low)-2:] {
		case "st", "nd", "rd", "th":
			n = check.Atoi(low[:len(low)-2])
		}
	case token.Word:
		if n = int(t.Nth); n == 0 {
			if v, ok := s.Spoken(i); ok && v >= 1 {
				n = v
			}
		}
	}
	if n < 1 || n > 31 {
		return 0
	}
	return n
}

// Suffix reports whether token i is the end of an ordinal that a recogniser cut off: "9 th", "three road".
func (s *Scan) Suffix(i int) bool {
	switch s.Low(i) {
	case "th", "nd", "rd", "st", "road":
		return true
	}
	return false
}

// LineWord reports whether the word at token i says which line the number before it is.
func (s *Scan) LineWord(i int) bool {
	from := i
	for s.Low(i) == "-" || s.Low(i) == "(" {
		i++
	}
	switch s.Low(i) {
	case "office", "fax", "mobile", "cell", "landline":
		return s.Low(i+1) != "number" || i > from
	}
	return false
}

// Has reports whether something of type t is marked between two tokens.
func (s *Scan) Has(t kind.Type, from, to int) bool {
	for _, m := range s.Marks {
		if m.Type == t && m.From < to && m.To > from {
			return true
		}
	}
	return false
}

// QuantityOnly reports whether tokens [from, to) are a number of two digits and more, without a letter that is spelled: nobody's name.
func (s *Scan) QuantityOnly(from, to int) bool {
	digits := 0
	for i := from; i < to; i++ {
		switch r := s.RunAt(i); {
		case s.Tokens[i].Kind < token.Word:
		case r == nil || r.Letters > 0 || s.Tokens[i].Kind == token.Mixed:
			return false
		default:
			digits = r.Digits
		}
	}
	return digits > 1
}

// Headline reports whether most words have a capital, so that it says nothing.
func (s *Scan) Headline() bool {
	words, capitals := 0, 0
	for _, t := range s.Tokens {
		if t.Kind == token.Word && t.End-t.Start > 1 {
			words++
			if t.Shape != token.Small {
				capitals++
			}
		}
	}
	return capitals*5 > words*2
}

// Some reports whether a token is so.
func (s *Scan) Some(is func(i int) bool) bool {
	for i := range s.Tokens {
		if is(i) {
			return true
		}
	}
	return false
}
