package redact

import "murmur/internal/redact/number"

// findEveryday keeps everyday letters and digits from the rules of numbers: those that nothing asks for and no frame ("the
// code is") names.
func (s *scan) findEveryday() {
	s.plainly = append(s.plainly[:0], make([]bool, len(s.tok))...)
	for i, t := range s.tok {
		if t.kind != mixed || s.taken[i] || s.coding(i) {
			continue
		}
		low := s.low(i)
		if s.spelledNear(i) || s.low(i-1) == "-" && s.glued(i) || s.low(i+1) == "-" && s.glued(i+1) || inward(s.low(i+1)) || inward(low) && s.at(i-1).kind == mixed {
			continue
		}
		if everyday(low) || s.ofAKind(i) || s.plainly[max(0, i-2)] && (s.low(i-1) == "and" || s.low(i-1) == "or") && s.ofAKind(i-2) {
			s.plainly[i] = true
			s.take(i, i+1)
		}
	}
}

// ofAKind reports whether the words before token i say that it is a thing's: "model x200", "part number 33x7", "promo code save20".
func (s *scan) ofAKind(i int) bool {
	k := i - 1
	for n := 0; n < 3 && (s.low(k) == "number" || s.low(k) == "code" || s.low(k) == "is" || s.low(k) == "no"); n++ {
		k--
	}
	if len(s.low(i)) > 10 {
		return false
	}
	switch s.low(k) {
	case "promo", "discount", "coupon", "voucher":
		return true
	}
	return daily.kinds[s.low(k)]
}

// coding reports whether token i may be a code that was asked for or that the words before it announce.
func (s *scan) coding(i int) bool {
	if s.ask.open() && s.ask.types[0] != Person && s.ask.types[0] != Location {
		return true
	}
	c, ok := s.cueBefore(i, 6)
	if !ok || c.weak {
		return false
	}
	switch c.t {
	case Person, Location, Age, DateOfBirth, Phone, Email:
		return false
	case Address:
		return i-c.at <= 3
	}
	for k := c.at + 1; k < i; k++ { // "the code for the v2 is": only what links a code to its name stands between
		switch low := s.low(k); low {
		case "is", "'s", ":", "number", "no", "#", "was", "it", "it's", "its", "be", "as", "of", "uh", "um", ",", "the", "a", ".", "code", "id":
		default:
			if s.runOf[k] == 0 {
				return false
			}
		}
	}
	return true
}

// inward reports whether a word is the second half of a British postcode: "2lb".
func inward(low string) bool { return len(low) == 3 && num(low[0]) && letter(low[1]) && letter(low[2]) }

// spelledNear reports whether single letters or digits stand right beside token i: it is a piece of something spelled.
func (s *scan) spelledNear(i int) bool {
	piece := func(k int) bool {
		if s.runAt(i) == nil || s.runAt(k) != s.runAt(i) {
			return false
		}
		low := s.low(k)
		_, spoken := number.Spoken(low)
		return s.at(k).kind == digit || spoken || len(low) == 1 && s.at(k).kind == word && low != "a" && low != "i"
	}
	return piece(i-1) || piece(i+1)
}
