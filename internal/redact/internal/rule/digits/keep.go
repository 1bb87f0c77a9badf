package digits

import (
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
	"murmur/internal/redact/number"
)

// FindEveryday keeps everyday letters and digits from the rules of numbers: those that nothing asks for and no frame ("the
// code is") names.
func FindEveryday(s *scan.Scan) {
	s.Plainly = append(s.Plainly[:0], make([]bool, len(s.Tokens))...)
	for i, t := range s.Tokens {
		if t.Kind != token.Mixed || s.Taken[i] || coding(s, i) {
			continue
		}
		low := s.Low(i)
		if spelledNear(s, i) || s.Low(i-1) == "-" && s.Glued(i) || s.Low(i+1) == "-" && s.Glued(i+1) || inward(s.Low(i+1)) || inward(low) && s.At(i-1).Kind == token.Mixed {
			continue
		}
		if token.Everyday(low) || ofAKind(s, i) || s.Plainly[max(0, i-2)] && (s.Low(i-1) == "and" || s.Low(i-1) == "or") && ofAKind(s, i-2) {
			s.Plainly[i] = true
			s.Take(i, i+1)
		}
	}
}

// ofAKind reports whether the words before token i say that it is a thing's: "model x200", "part number 33x7", "promo code save20".
func ofAKind(s *scan.Scan, i int) bool {
	k := i - 1
	for n := 0; n < 3 && (s.Low(k) == "number" || s.Low(k) == "code" || s.Low(k) == "is" || s.Low(k) == "no"); n++ {
		k--
	}
	if len(s.Low(i)) > 10 {
		return false
	}
	switch s.Low(k) {
	case "promo", "discount", "coupon", "voucher":
		return true
	}
	return token.Daily.Kinds[s.Low(k)]
}

// coding reports whether token i may be a code that was asked for or that the words before it announce.
func coding(s *scan.Scan, i int) bool {
	if s.Ask.Open() && s.Ask.Types[0] != kind.Person && s.Ask.Types[0] != kind.Location {
		return true
	}
	c, ok := s.CueBefore(i, 6)
	if !ok || c.Weak {
		return false
	}
	switch c.Type {
	case kind.Person, kind.Location, kind.Age, kind.DateOfBirth, kind.Phone, kind.Email:
		return false
	case kind.Address:
		return i-c.At <= 3
	}
	for k := c.At + 1; k < i; k++ { // "the code for the v2 is": only what links a code to its name stands between
		switch low := s.Low(k); low {
		case "is", "'s", ":", "number", "no", "#", "was", "it", "it's", "its", "be", "as", "of", "uh", "um", ",", "the", "a", ".", "code", "id":
		default:
			if s.RunOf[k] == 0 {
				return false
			}
		}
	}
	return true
}

// inward reports whether a word is the second half of a British postcode: "2lb".
func inward(low string) bool {
	return len(low) == 3 && check.Digit(low[0]) && check.Letter(low[1]) && check.Letter(low[2])
}

// spelledNear reports whether single letters or digits stand right beside token i: it is a piece of something spelled.
func spelledNear(s *scan.Scan, i int) bool {
	piece := func(k int) bool {
		if s.RunAt(i) == nil || s.RunAt(k) != s.RunAt(i) {
			return false
		}
		low := s.Low(k)
		_, spoken := number.Spoken(low)
		return s.At(k).Kind == token.Digit || spoken || len(low) == 1 && s.At(k).Kind == token.Word && low != "a" && low != "i"
	}
	return piece(i-1) || piece(i+1)
}
