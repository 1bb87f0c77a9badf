package redact

import (
	"murmur/internal/redact/gazetteer"
	"strings"
)

// says reports whether one of the tokens can be personal: a word or a number.
func (s *scan) says(from, to int) bool {
	for i := from; i < to; i++ {
		if k := s.tok[i].kind; (k >= word && k <= mixed) && !(k == digit && s.taken[i]) {
			return true
		}
	}
	return false
}

// numeric reports whether token i is a number or belongs to one.
func (s *scan) numeric(i int) bool {
	k := s.tok[i]
	return k.kind == digit || k.kind == mixed || s.runOf[i] > 0
}

// coded reports whether one of the tokens is a number or a single letter.
func (s *scan) coded(from, to int) bool {
	for i := from; i < to; i++ {
		if s.numeric(i) || len(s.low(i)) == 1 && s.tok[i].kind == word {
			return true
		}
	}
	return false
}

// symbols counts the digits and spelled letters of tokens [from, to).
func (s *scan) symbols(from, to int) (n int) {
	for k := range s.runs {
		r := &s.runs[k]
		if r.To <= from || r.From >= to {
			continue
		}
		for _, sym := range r.Symbols {
			if (num(sym.C) || letter(sym.C)) && sym.Start >= int(s.tok[from].s) && sym.Start < int(s.tok[to-1].e) {
				n++
			}
		}
	}
	return n
}

// counts reports whether tokens [from, to) are a number that only counts something: one digit, two in a text, up to three of a thing
// ("error six five one").
func (s *scan) counts(from, to int) bool {
	of := daily.kinds[s.low(from-1)]
	for i := from; i < to; i++ {
		switch t := s.tok[i]; {
		case daily.kinds[s.low(i)]:
			of = true
		case t.kind == word && !s.numeric(i) && t.lex&unit == 0:
			return false
		}
	}
	n := s.symbols(from, to)
	if s.at(from-1).lex&verb != 0 || s.low(from-1) == "am" || s.at(from-1).lex&kin != 0 { // "she is eighty two"
		return n < 2 && to < len(s.tok) || of && n < 4
	}
	return n < 2 || n < 3 && s.side == 0 || of && n < 4
}

// placed reports whether tokens [from, to) can be an address: no price, and not only "the road".
func (s *scan) placed(from, to int) bool {
	return s.at(to).lex&money == 0 && !(from+2 == to && s.low(from) == "the" && s.at(to-1).lex&(street|flat) != 0)
}

// dayNamed reports whether one of the tokens is a number, a month or a day. "Last summer" is none: Balanced leaves it.
func (s *scan) dayNamed(from, to int) bool {
	for i := from; i < to; i++ {
		if s.numeric(i) || s.tok[i].lex&(month|day) != 0 {
			return true
		}
	}
	return false
}

// timely reports whether one of the tokens is a word of time: "last summer", not "over the fence".
func (s *scan) timely(from, to int) bool {
	for i := from; i < to; i++ {
		if s.tok[i].lex&(near|period|stray) != 0 || timeWords[s.low(i)] {
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

// capitalised reports whether token i, which people are called by, has a capital inside a sentence.
func (s *scan) capitalised(i int) bool {
	t := s.tok[i]
	if !s.cased || t.shape != capital || i == 0 || t.gaz&gazetteer.Name == 0 {
		return false
	}
	b := s.tok[i-1]
	return (b.kind == word || s.low(i-1) == "," || s.low(i-1) == ":" || s.low(i-1) == "-") && !s.headline()
}

// strange reports whether token i is a word that no dictionary knows, or has a capital inside a sentence.
func (s *scan) strange(i int) bool {
	t := s.tok[i]
	if t.kind != word || t.lex != 0 || t.e-t.s <= 3 || s.runOf[i] > 0 || s.hangsUp(i) {
		return false
	}
	return t.gaz&gazetteer.Word == 0 || s.cased && t.shape == capital && i > 0 && s.tok[i-1].kind == word && !s.headline()
}

// hangsUp reports whether token i is a verb that goes with "up" rather than a name: "she hung up".
func (s *scan) hangsUp(i int) bool { return s.tok[i].shape == small && s.low(i+1) == "up" }

// quantity reports whether tokens [from, to) are a number with the unit in or behind it: "five days", "twenty" of "twenty minutes".
func (s *scan) quantity(from, to int) bool {
	numbers, units := 0, 0
	for i := from; i < to; i++ {
		switch t := s.tok[i]; {
		case t.kind < word:
		case s.numeric(i):
			numbers++
		case t.lex&(unit|period|money) != 0:
			units++
		default:
			return false
		}
	}
	return numbers > 0 && (units > 0 || s.at(to).lex&(unit|period|money) != 0)
}

// mayEcho reports whether token i is a word or a number that may be read back.
func (s *scan) mayEcho(i int) bool {
	t := &s.tok[i]
	return t.kind >= word && t.kind != mask && (t.kind != word || t.lex&(stop|ack) == 0 || s.runOf[i] > 0)
}
