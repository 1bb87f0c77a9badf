package redact

import "murmur/internal/redact/gazetteer"

// findPlates marks what stands behind "plate", "reg" or "registration" in the form of a plate: one to three scraps of
// letters and digits, at least one of each kind, "FDY 4503", "C64 FSR", "200 wul".
func (s *scan) findPlates() {
	for at := range s.tok {
		if parks(s.low(at)) {
			s.findPlateBehind(cue{at: at, t: Vehicle, weak: true})
		}
	}
	for _, c := range s.cues {
		if c.t == Vehicle && s.low(c.at) != "vehicle" {
			s.findPlateBehind(c)
		}
	}
}

// findLonePlates marks plates that nothing announces, in a text: "N95 CKL", "black corolla. djz 0177". Letters that are no word
// stand before or behind the digits.
func (s *scan) findLonePlates() {
	if s.side != 0 {
		return
	}
	for i := range s.tok {
		if s.taken[i] || i > 0 && s.glued(i) {
			continue
		}
		a, b, c := s.at(i), s.at(i+1), s.at(i+2)
		scrap := func(k int) bool {
			t := s.at(k)
			return t.kind == word && t.lex == 0 && (t.gaz&gazetteer.Word == 0 && t.gaz&gazetteer.Name == 0 || t.shape == upper && !s.headline()) && !s.taken[k] && !s.glued(k)
		}
		whole := func(to int) bool { return !s.glued(to) || s.at(to).kind < word }
		switch la, lb, lc := int(a.e-a.s), int(b.e-b.s), int(c.e-c.s); {
		case la == 3 && scrap(i) && b.kind == digit && !s.glued(i+1) && (lb == 3 || lb == 4) && whole(i+2) && c.lex&(unit|money|street) == 0:
			s.markPlate(i, i+2)
		case a.kind == mixed && la >= 3 && la <= 4 && letter(s.low(i)[0]) && num(s.low(i)[la-1]) && num(s.low(i)[la-2]) && lb == 3 && b.kind == word && b.lex == 0 && !s.glued(i+1) && whole(i+2) &&
			(scrap(i+1) || b.shape == upper || la == 4 && letter(s.low(i)[1])):
			s.markPlate(i, i+2)
		case la == 2 && a.kind == word && a.lex&stop == 0 && (scrap(i) || a.shape == upper) && b.kind == digit && lb == 3 && !s.glued(i+1) && lc == 2 && c.kind == word && !s.glued(i+2) && whole(i+3) && (scrap(i+2) || c.shape == upper):
			s.markPlate(i, i+3)
		}
	}
}

func (s *scan) markPlate(from, to int) {
	s.mark(from, to, Vehicle, 72, ByShape)
	s.take(from, to)
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
func (s *scan) findPlateBehind(c cue) {
	for i := c.at + 1; i < len(s.tok) && i <= c.at+9; i++ {
		if s.tok[i].kind == line || s.low(i) == "?" {
			return
		}
		if to := s.plateAt(i); to > i && (!c.weak || s.plateOnly(i, to)) {
			s.mark(i, to, Vehicle, 85, ByCue)
			s.take(i, to)
			return
		}
	}
}

// plateOnly reports whether tokens [i, to) can hardly be anything but a plate: three digits and more beside two or three letters that
// are no word, or capitals.
func (s *scan) plateOnly(i, to int) bool {
	digits, odd := 0, false
	for ; i < to; i++ {
		switch t := s.tok[i]; t.kind {
		case digit:
			digits += len(s.low(i))
		case mixed:
			digits += len(digitsOf(s.low(i)))
			odd = odd || !s.plainly[i] && !everyday(s.low(i))
		case word:
			odd = odd || len(s.low(i)) > 1 && (t.shape == upper || t.gaz&gazetteer.Word == 0 && t.lex == 0)
		}
	}
	return odd && digits >= 2
}

// plateAt gives the end of a plate that begins at token i, or i.
func (s *scan) plateAt(i int) int {
	digits, letters, n, to := 0, 0, 0, i
	for j := i; j < len(s.tok) && j < i+5; j++ {
		t := s.tok[j]
		low := s.low(j)
		switch {
		case low == "-" && j > i:
			continue
		case t.kind == digit && len(low) <= 4:
			digits++
		case t.kind == mixed && len(low) <= 8 && !s.ordinal(j):
			digits, letters = digits+1, letters+1
		case t.kind == word && len(low) <= 3 && t.lex&(stop|ack|unit|verb|prep|near) == 0:
			letters++
		default:
			j = len(s.tok)
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
