package scan

import (
	"strings"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/token"
)

// Says reports whether one of the tokens can be personal: a word or a number.
func (s *Scan) Says(from, to int) bool {
	for i := from; i < to; i++ {
		if k := s.Tokens[i].Kind; (k >= token.Word && k <= token.Mixed) && !(k == token.Digit && s.Taken[i]) {
			return true
		}
	}
	return false
}

// Numeric reports whether token i is a number or belongs to one.
func (s *Scan) Numeric(i int) bool {
	k := s.Tokens[i]
	return k.Kind == token.Digit || k.Kind == token.Mixed || s.RunOf[i] > 0
}

// Coded reports whether one of the tokens is a number or a single letter.
func (s *Scan) Coded(from, to int) bool {
	for i := from; i < to; i++ {
		if s.Numeric(i) || len(s.Low(i)) == 1 && s.Tokens[i].Kind == token.Word {
			return true
		}
	}
	return false
}

// symbols counts the digits and spelled letters of tokens [from, to).
func (s *Scan) symbols(from, to int) (n int) {
	for k := range s.Runs {
		r := &s.Runs[k]
		if r.To <= from || r.From >= to {
			continue
		}
		for _, sym := range r.Symbols {
			if (check.Digit(sym.C) || check.Letter(sym.C)) && sym.Start >= int(s.Tokens[from].Start) && sym.Start < int(s.Tokens[to-1].End) {
				n++
			}
		}
	}
	return n
}

// Counts reports whether tokens [from, to) are a number that only counts something: one digit, two in a text, up to three of a thing
// ("error six five one").
func (s *Scan) Counts(from, to int) bool {
	of := token.Daily.Kinds[s.Low(from-1)]
	for i := from; i < to; i++ {
		switch t := s.Tokens[i]; {
		case token.Daily.Kinds[s.Low(i)]:
			of = true
		case t.Kind == token.Word && !s.Numeric(i) && t.Lex&token.Unit == 0:
			return false
		}
	}
	n := s.symbols(from, to)
	if s.At(from-1).Lex&token.Verb != 0 || s.Low(from-1) == "am" || s.At(from-1).Lex&token.Kin != 0 { // "she is eighty two"
		return n < 2 && to < len(s.Tokens) || of && n < 4
	}
	return n < 2 || n < 3 && s.Side == 0 || of && n < 4
}

// Placed reports whether tokens [from, to) can be an address: no price, and not only "the road".
func (s *Scan) Placed(from, to int) bool {
	return s.At(to).Lex&token.Money == 0 && !(from+2 == to && s.Low(from) == "the" && s.At(to-1).Lex&(token.Street|token.Flat) != 0)
}

// DayNamed reports whether one of the tokens is a number, a month or a day. "Last summer" is none: Balanced leaves it.
func (s *Scan) DayNamed(from, to int) bool {
	for i := from; i < to; i++ {
		if s.Numeric(i) || s.Tokens[i].Lex&(token.Month|token.Day) != 0 {
			return true
		}
	}
	return false
}

// Timely reports whether one of the tokens is a word of time: "last summer", not "over the fence".
func (s *Scan) Timely(from, to int) bool {
	for i := from; i < to; i++ {
		if s.Tokens[i].Lex&(token.Near|token.Period|token.Stray) != 0 || timeWords[s.Low(i)] {
			return true
		}
	}
	return false
}

// timeWords are words of time that no other list has.
var timeWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`ago am anniversary annual autumn bday biennial birthday century christmas dawn days daily decade dusk easter
		evening evenings eve fall fortnight friday's halloween holiday holidays hours later midday midnight month
		months monthly morning mornings night nights noon noonish pm season semester spring sunrise sunset summer
		tea-time thanksgiving today today's tomorrow tomorrow's tonight tonight's week weekend weekends weekly weeks
		weekday weekdays winter xmas year years yearly yesterday yesterday's afternoon afternoons`) {
		m[w] = true
	}
	return m
}()

// Capitalised reports whether token i, which people are called by, has a capital inside a sentence.
func (s *Scan) Capitalised(i int) bool {
	t := s.Tokens[i]
	if !s.Cased || t.Shape != token.Capital || i == 0 || t.Gaz&gazetteer.Name == 0 {
		return false
	}
	b := s.Tokens[i-1]
	return (b.Kind == token.Word || s.Low(i-1) == "," || s.Low(i-1) == ":" || s.Low(i-1) == "-") && !s.Headline()
}

// Strange reports whether token i is a word that no dictionary knows, or has a capital inside a sentence.
func (s *Scan) Strange(i int) bool {
	t := s.Tokens[i]
	if t.Kind != token.Word || t.Lex != 0 || t.End-t.Start <= 3 || s.RunOf[i] > 0 || s.HangsUp(i) {
		return false
	}
	return t.Gaz&gazetteer.Word == 0 || s.Cased && t.Shape == token.Capital && i > 0 && s.Tokens[i-1].Kind == token.Word && !s.Headline()
}

// HangsUp reports whether token i is a verb that goes with "up" rather than a name: "she hung up".
func (s *Scan) HangsUp(i int) bool { return s.Tokens[i].Shape == token.Small && s.Low(i+1) == "up" }

// Quantity reports whether tokens [from, to) are a number with the unit in or behind it: "five days", "twenty" of "twenty minutes".
func (s *Scan) Quantity(from, to int) bool {
	numbers, units := 0, 0
	for i := from; i < to; i++ {
		switch t := s.Tokens[i]; {
		case t.Kind < token.Word:
		case s.Numeric(i):
			numbers++
		case t.Lex&(token.Unit|token.Period|token.Money) != 0:
			units++
		default:
			return false
		}
	}
	return numbers > 0 && (units > 0 || s.At(to).Lex&(token.Unit|token.Period|token.Money) != 0)
}

// MayEcho reports whether token i is a word or a number that may be read back.
func (s *Scan) MayEcho(i int) bool {
	t := &s.Tokens[i]
	return t.Kind >= token.Word && t.Kind != token.Mask && (t.Kind != token.Word || t.Lex&(token.Stop|token.Ack) == 0 || s.RunOf[i] > 0)
}
