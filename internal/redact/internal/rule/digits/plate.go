package digits

import (
	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// FindPlates marks what stands behind "plate", "reg" or "registration" in the form of a plate: one to three scraps of
// letters and digits, at least one of each kind, "FDY 4503", "C64 FSR", "200 wul".
func FindPlates(s *scan.Scan) {
	for at := range s.Tokens {
		if parks(s.Low(at)) {
			findPlateBehind(s, scan.Cue{At: at, Type: kind.Vehicle, Weak: true})
		}
	}
	for _, c := range s.Cues {
		if c.Type == kind.Vehicle && s.Low(c.At) != "vehicle" {
			findPlateBehind(s, c)
		}
	}
}

// FindLonePlates marks plates that nothing announces, in a text: "N95 CKL", "black corolla. djz 0177". Letters that are no word
// stand before or behind the digits.
func FindLonePlates(s *scan.Scan) {
	if s.Side != 0 {
		return
	}
	for i := range s.Tokens {
		if s.Taken[i] || i > 0 && s.Glued(i) {
			continue
		}
		a, b, c := s.At(i), s.At(i+1), s.At(i+2)
		scrap := func(k int) bool {
			t := s.At(k)
			return t.Kind == token.Word && t.Lex == 0 && (t.Gaz&gazetteer.Word == 0 && t.Gaz&gazetteer.Name == 0 || t.Shape == token.Upper && !s.Headline()) && !s.Taken[k] && !s.Glued(k)
		}
		whole := func(to int) bool { return !s.Glued(to) || s.At(to).Kind < token.Word }
		switch la, lb, lc := int(a.End-a.Start), int(b.End-b.Start), int(c.End-c.Start); {
		case la == 3 && scrap(i) && b.Kind == token.Digit && !s.Glued(i+1) && (lb == 3 || lb == 4) && whole(i+2) && c.Lex&(token.Unit|token.Money|token.Street) == 0:
			markPlate(s, i, i+2)
		case a.Kind == token.Mixed && la >= 3 && la <= 4 && check.Letter(s.Low(i)[0]) && check.Digit(s.Low(i)[la-1]) && check.Digit(s.Low(i)[la-2]) && lb == 3 && b.Kind == token.Word && b.Lex == 0 && !s.Glued(i+1) && whole(i+2) &&
			(scrap(i+1) || b.Shape == token.Upper || la == 4 && check.Letter(s.Low(i)[1])):
			markPlate(s, i, i+2)
		case la == 2 && a.Kind == token.Word && a.Lex&token.Stop == 0 && (scrap(i) || a.Shape == token.Upper) && b.Kind == token.Digit && lb == 3 && !s.Glued(i+1) && lc == 2 && c.Kind == token.Word && !s.Glued(i+2) && whole(i+3) && (scrap(i+2) || c.Shape == token.Upper):
			markPlate(s, i, i+3)
		}
	}
}

func markPlate(s *scan.Scan, from, to int) {
	s.Mark(from, to, kind.Vehicle, 72, kind.ByShape)
	s.Take(from, to)
}

// parks reports whether a word is what happens to cars.
func parks(low string) bool {
	switch low {
	case "towed", "clamped", "parked", "parking", "driving", "driver", "blocking", "permit":
		return true
	}
	return false
}

// findPlateBehind marks the first plate in the nine words behind a cue.
func findPlateBehind(s *scan.Scan, c scan.Cue) {
	for i := c.At + 1; i < len(s.Tokens) && i <= c.At+9; i++ {
		if s.Tokens[i].Kind == token.Line || s.Low(i) == "?" {
			return
		}
		if to := plateAt(s, i); to > i && (!c.Weak || plateOnly(s, i, to)) {
			s.Mark(i, to, kind.Vehicle, 85, kind.ByCue)
			s.Take(i, to)
			return
		}
	}
}

// plateOnly reports whether tokens [i, to) can hardly be anything but a plate: three digits and more beside two or three letters that
// are no word, or capitals.
func plateOnly(s *scan.Scan, i, to int) bool {
	digits, odd := 0, false
	for ; i < to; i++ {
		switch t := s.Tokens[i]; t.Kind {
		case token.Digit:
			digits += len(s.Low(i))
		case token.Mixed:
			digits += len(check.DigitsOf(s.Low(i)))
			odd = odd || !s.Plainly[i] && !token.Everyday(s.Low(i))
		case token.Word:
			odd = odd || len(s.Low(i)) > 1 && (t.Shape == token.Upper || t.Gaz&gazetteer.Word == 0 && t.Lex == 0)
		}
	}
	return odd && digits >= 2
}

// plateAt gives the end of a plate that begins at token i, or i.
func plateAt(s *scan.Scan, i int) int {
	digits, letters, n, to := 0, 0, 0, i
	for j := i; j < len(s.Tokens) && j < i+5; j++ {
		t := s.Tokens[j]
		low := s.Low(j)
		switch {
		case low == "-" && j > i:
			continue
		case t.Kind == token.Digit && len(low) <= 4:
			digits++
		case t.Kind == token.Mixed && len(low) <= 8 && !s.Ordinal(j):
			digits, letters = digits+1, letters+1
		case t.Kind == token.Word && len(low) <= 3 && t.Lex&(token.Stop|token.Ack|token.Unit|token.Verb|token.Prep|token.Near) == 0:
			letters++
		default:
			j = len(s.Tokens)
			continue
		}
		n++
		to = j + 1
	}
	if digits > 0 && letters > 0 && n <= 3 {
		return to
	}
	return i
}
