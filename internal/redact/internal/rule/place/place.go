// Package place marks addresses, towns, countries and postcodes.
//
// Zone: RED.
package place

import (
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// findZip marks five digits behind a state or a town, and five and four with a dash.
func findZip(s *scan.Scan) {
	for i := range s.Tokens {
		t := s.Tokens[i]
		if t.Kind != token.Digit || t.End-t.Start != 5 || s.Taken[i] || s.Glued(i) {
			continue
		}
		prev := s.At(i - 1)
		if prev.Kind != token.Word || s.At(i+1).Lex&token.Unit != 0 {
			continue
		}
		if prev.Lex&token.State != 0 && prev.Lex&token.Stop == 0 || prev.Shape == token.Upper && prev.End-prev.Start == 2 || prev.Gaz&gazetteer.Place != 0 && prev.Gaz&gazetteer.Word == 0 {
			s.Mark(i, i+1, kind.Postcode, 80, kind.ByShape)
			s.Take(i, i+1)
		}
	}
}

// PlaceLen gives the number of words, up to three, of the longest place that begins at token i, 0 if none.
func PlaceLen(s *scan.Scan, i int) int {
	t := s.At(i)
	if t.Kind != token.Word {
		return 0
	}
	best := 0
	if t.Gaz&gazetteer.Place != 0 {
		best = 1
	}
	if s.Low(i) == "san" && s.Low(i+1) == "fran" {
		return 2
	}
	if t.Gaz&gazetteer.Prefix != 0 {
		for n := 3; n >= 2; n-- {
			if i+n > len(s.Tokens) || !spaced(s, i, n) {
				continue
			}
			if gazetteer.Lookup(s.Lower[s.Tokens[i].Start:s.Tokens[i+n-1].End])&gazetteer.Place != 0 {
				return n
			}
		}
	}
	return best
}

// spaced reports whether n words from token i stand one space apart.
func spaced(s *scan.Scan, i, n int) bool {
	for k := i + 1; k < i+n; k++ {
		if s.Tokens[k].Kind != token.Word || s.Tokens[k].Start != s.Tokens[k-1].End+1 {
			return false
		}
	}
	return true
}

// FindPlaces marks towns, states and countries: capitals where the text has them, a word like "in" before
// them where it has not.
func FindPlaces(s *scan.Scan) {
	for i := 0; i < len(s.Tokens); i++ {
		n := PlaceLen(s, i)
		t := s.Tokens[i]
		if abbreviated(s.Low(i)) && t.Shape == token.Upper && s.At(i-1).Shape != token.Upper && s.At(i-1).Lex&(token.Prep|token.Stop) != 0 {
			s.Mark(i, i+1, kind.Location, 60, kind.ByList)
			continue
		}
		if n == 1 && s.Dial != kind.Paranoid && t.Shape == token.Capital && (s.Low(i+1) == "bank" || s.Low(i+1) == "hotel" || s.Low(i+1) == "restaurant") {
			continue
		}
		if n == 0 {
			if t.Kind == token.Word && t.Shape == token.Upper && t.End-t.Start == 2 && t.Lex&token.State != 0 && (s.Low(i-1) == "," || marked(s, i-1, kind.Location)) {
				s.Mark(i, i+1, kind.Location, 70, kind.ByShape)
			}
			continue
		}
		before := s.At(i - 1)
		near := before.Lex&token.Prep != 0 && before.Kind == token.Word
		plain := true // every word of it is English
		for k := i; k < i+n; k++ {
			plain = plain && s.Tokens[k].Gaz&gazetteer.Word != 0
		}
		common := t.Lex&(token.Common|token.Stop|token.Month|token.Day|token.Ack) != 0 && n == 1
		byState := s.Low(i+n) == "," && s.At(i+n+1).Lex&token.State != 0 && s.At(i+n+1).Shape == token.Upper || s.At(i+n).Shape == token.Upper && s.At(i+n).Lex&token.State != 0 && s.At(i+n).End-s.At(i+n).Start == 2
		if near && s.Cased && t.Shape == token.Capital && !common {
			for i+n < len(s.Tokens) && s.At(i+n).Kind == token.Word && s.At(i+n).Shape == token.Capital && s.At(i+n).Lex&(token.Stop|token.Month|token.Day) == 0 && s.Tokens[i+n].Start == s.Tokens[i+n-1].End+1 {
				plain = plain && s.Tokens[i+n].Gaz&gazetteer.Word != 0
				n++
			}
		}
		ok := false
		switch {
		case common && !byState:
		case t.Shape != token.Small && s.Cased:
			capitals := true
			for k := i; k < i+n; k++ {
				capitals = capitals && s.Tokens[k].Shape != token.Small
			}
			sentence := i == 0 || before.Kind < token.Word && s.Low(i-1) != ","
			ok = capitals && (n > 1 || !plain || near && !sentence || byState)
		default:
			ok = byState || !plain && near || n > 1 && near || n > 1 && !plain
		}
		if !ok && s.Ask.Wants(kind.Location) && !common && t.Lex&token.Stop == 0 && (!plain || n > 1) {
			ok = true
		}
		if ok {
			score := uint8(60)
			if near || n > 1 || byState {
				score = 75
			}
			from := i
			if s.Low(i-1) == "." && s.Low(i-2) == "st" && s.Glued(i-1) { // St. Helena
				from = i - 2
			}
			s.Mark(from, i+n, kind.Location, score, kind.ByList)
			if j := i + n; s.Low(j) == "," && country(s.Low(j+1)) && s.At(j+1).Shape == token.Upper {
				s.Mark(j+1, j+2, kind.Location, score, kind.ByShape)
			} else if byState {
				if s.Low(j) == "," {
					j++
				}
				s.Mark(j, j+1, kind.Location, 70, kind.ByShape)
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
func marked(s *scan.Scan, i int, t kind.Type) bool {
	for k := len(s.Marks) - 1; k >= 0 && k >= len(s.Marks)-3; k-- {
		if m := s.Marks[k]; m.Type == t && m.To == i+1 {
			return true
		}
	}
	return false
}
