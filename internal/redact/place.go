package redact

import "murmur/internal/redact/gazetteer"

// findZip marks five digits behind a state or a town, and five and four with a dash.
func (s *scan) findZip() {
	for i := range s.tok {
		t := s.tok[i]
		if t.kind != digit || t.e-t.s != 5 || s.taken[i] || s.glued(i) {
			continue
		}
		prev := s.at(i - 1)
		if prev.kind != word || s.at(i+1).lex&unit != 0 {
			continue
		}
		if prev.lex&state != 0 && prev.lex&stop == 0 || prev.shape == upper && prev.e-prev.s == 2 || prev.gaz&gazetteer.Place != 0 && prev.gaz&gazetteer.Word == 0 {
			s.mark(i, i+1, Postcode, 80, ByShape)
			s.take(i, i+1)
		}
	}
}

// placeLen gives the number of words, up to three, of the longest place that begins at token i, 0 if none.
func (s *scan) placeLen(i int) int {
	t := s.at(i)
	if t.kind != word {
		return 0
	}
	best := 0
	if t.gaz&gazetteer.Place != 0 {
		best = 1
	}
	if s.low(i) == "san" && s.low(i+1) == "fran" {
		return 2
	}
	if t.gaz&gazetteer.Prefix != 0 {
		for n := 3; n >= 2; n-- {
			if i+n > len(s.tok) || !s.spaced(i, n) {
				continue
			}
			if gazetteer.Lookup(s.lower[s.tok[i].s:s.tok[i+n-1].e])&gazetteer.Place != 0 {
				return n
			}
		}
	}
	return best
}

// spaced reports whether n words from token i stand one space apart.
func (s *scan) spaced(i, n int) bool {
	for k := i + 1; k < i+n; k++ {
		if s.tok[k].kind != word || s.tok[k].s != s.tok[k-1].e+1 {
			return false
		}
	}
	return true
}

// findPlaces marks towns, states and countries: capitals where the text has them, a word like "in" before
// them where it has not.
func (s *scan) findPlaces() {
	for i := 0; i < len(s.tok); i++ {
		n := s.placeLen(i)
		t := s.tok[i]
		if abbreviated(s.low(i)) && t.shape == upper && s.at(i-1).shape != upper && s.at(i-1).lex&(prep|stop) != 0 {
			s.mark(i, i+1, Location, 60, ByList)
			continue
		}
		if n == 1 && s.dial != Paranoid && t.shape == capital && (s.low(i+1) == "bank" || s.low(i+1) == "hotel" || s.low(i+1) == "restaurant") {
			continue
		}
		if n == 0 {
			if t.kind == word && t.shape == upper && t.e-t.s == 2 && t.lex&state != 0 && (s.low(i-1) == "," || s.marked(i-1, Location)) {
				s.mark(i, i+1, Location, 70, ByShape)
			}
			continue
		}
		before := s.at(i - 1)
		near := before.lex&prep != 0 && before.kind == word
		plain := true // every word of it is English
		for k := i; k < i+n; k++ {
			plain = plain && s.tok[k].gaz&gazetteer.Word != 0
		}
		common := t.lex&(common|stop|month|day|ack) != 0 && n == 1
		byState := s.low(i+n) == "," && s.at(i+n+1).lex&state != 0 && s.at(i+n+1).shape == upper || s.at(i+n).shape == upper && s.at(i+n).lex&state != 0 && s.at(i+n).e-s.at(i+n).s == 2
		if near && s.cased && t.shape == capital && !common {
			for i+n < len(s.tok) && s.at(i+n).kind == word && s.at(i+n).shape == capital && s.at(i+n).lex&(stop|month|day) == 0 && s.tok[i+n].s == s.tok[i+n-1].e+1 {
				plain = plain && s.tok[i+n].gaz&gazetteer.Word != 0
				n++
			}
		}
		ok := false
		switch {
		case common && !byState:
		case t.shape != small && s.cased:
			capitals := true
			for k := i; k < i+n; k++ {
				capitals = capitals && s.tok[k].shape != small
			}
			sentence := i == 0 || before.kind < word && s.low(i-1) != ","
			ok = capitals && (n > 1 || !plain || near && !sentence || byState)
		default:
			ok = byState || !plain && near || n > 1 && near || n > 1 && !plain
		}
		if !ok && s.ask.wants(Location) && !common && t.lex&stop == 0 && (!plain || n > 1) {
			ok = true
		}
		if ok {
			score := uint8(60)
			if near || n > 1 || byState {
				score = 75
			}
			from := i
			if s.low(i-1) == "." && s.low(i-2) == "st" && s.glued(i-1) { // St. Helena
				from = i - 2
			}
			s.mark(from, i+n, Location, score, ByList)
			if j := i + n; s.low(j) == "," && country(s.low(j+1)) && s.at(j+1).shape == upper {
				s.mark(j+1, j+2, Location, score, ByShape)
			} else if byState {
				if s.low(j) == "," {
					j++
				}
				s.mark(j, j+1, Location, 70, ByShape)
			}
			i += n - 1
		}
	}
}

// country reports whether a word in capitals is a country by its short name.
func country(low string) bool { return low == "uk" || low == "usa" || low == "us" || low == "uae" }

// abbreviated reports whether a word in capitals is a town, a country or an airport by its short name.
func abbreviated(low string) bool {
	switch low {
	case "nyc", "ny", "sf", "la", "dc", "sfo", "lax", "jfk", "kl", "atl", "ord", "dfw", "sea", "oak", "sjc":
		return true
	}
	return false
}

// marked reports whether the last mark of type t ends behind token i.
func (s *scan) marked(i int, t Type) bool {
	for k := len(s.marks) - 1; k >= 0 && k >= len(s.marks)-3; k-- {
		if m := s.marks[k]; m.t == t && m.to == i+1 {
			return true
		}
	}
	return false
}
