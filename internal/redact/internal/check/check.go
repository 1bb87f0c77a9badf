// Package check knows the forms of numbers that everybody writes alike: check digits, lengths and prefixes of cards, accounts,
// telephone numbers and postcodes. A form names a type; it never decides whether digits are masked.
//
// Zone: RED.
package check

import "github.com/nyaruka/phonenumbers"

// Check digits and ranges. They name a type and never gate masking: a mistyped card number is still one.

// Luhn holds for payment cards (ISO/IEC 7812-1 annex B).
func Luhn(d string) bool {
	sum := 0
	for i := range len(d) {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// CardLike reports whether digits may be a payment card: 13 to 19 digits that begin like a known network.
func CardLike(d string) bool {
	return len(d) >= 13 && len(d) <= 19 && d[0] >= '2' && d[0] <= '6' || len(d) >= 12 && len(d) <= 19 && Luhn(d)
}

// IBAN holds for ISO 13616 account numbers, lower case, without spaces: mod 97 is 1.
func IBAN(s string) bool {
	if len(s) < 15 || len(s) > 34 || !IBANLike(s) {
		return false
	}
	rest := 0
	for i := range len(s) {
		switch c := s[(i+4)%len(s)]; {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'a' && c <= 'z':
			rest = (rest*100 + int(c-'a') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

// IBANLike reports whether s begins with a country and two check digits and is long enough.
func IBANLike(s string) bool {
	return len(s) >= 15 && len(s) <= 34 && s[0] >= 'a' && s[0] <= 'z' && s[1] >= 'a' && s[1] <= 'z' &&
		s[2] >= '0' && s[2] <= '9' && s[3] >= '0' && s[3] <= '9'
}

// ABA holds for US bank routing numbers: nine digits, a Federal Reserve district first, the 3-7-1 sum a multiple of ten.
func ABA(d string) bool {
	if len(d) != 9 {
		return false
	}
	sum := 0
	for i, w := range [...]int{3, 7, 1, 3, 7, 1, 3, 7, 1} {
		sum += w * int(d[i]-'0')
	}
	n := Atoi(d[:2])
	return sum%10 == 0 && (n <= 12 || n >= 21 && n <= 32 || n >= 61 && n <= 72 || n == 80)
}

// Dialled holds for digits that are a telephone number somewhere (E.164 numbering plans), as they are dialled from the
// US: with or without +, 00 or 011 before the country. It costs tens of microseconds, so it is asked last.
func Dialled(d string, plus bool) bool {
	if plus {
		d = "+" + d
	} else if len(d) > 2 && d[:2] == "00" {
		d = "+" + d[2:]
	}
	n, err := phonenumbers.Parse(d, "US")
	return err == nil && phonenumbers.IsValidNumber(n)
}

// SocialSecurity holds for numbers the US administration issues: area neither 000, 666 nor 9xx, no part zero.
func SocialSecurity(d string) bool {
	return len(d) == 9 && d[:3] != "000" && d[:3] != "666" && d[0] != '9' && d[3:5] != "00" && d[5:] != "0000"
}

// VIN holds for vehicle numbers: 17 characters without i, o, q (ISO 3779).
func VIN(s string) bool {
	if len(s) != 17 {
		return false
	}
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == 'i' || c == 'o' || c == 'q':
			return false
		case c >= '0' && c <= '9':
			digits++
		}
	}
	return digits >= 5 && digits < 17
}

// Expiry holds for month and year: 0127, 12028, 228 said as "two twenty eight".
func Expiry(d string) bool {
	n := func(s string) int { return Atoi(s) }
	switch len(d) {
	case 3:
		return n(d[:1]) >= 1 && n(d[1:]) >= 20
	case 4:
		return n(d[:2]) >= 1 && n(d[:2]) <= 12 && n(d[2:]) >= 20
	case 5:
		return n(d[:1]) >= 1 && n(d[1:3]) == 20
	case 6:
		return n(d[:2]) >= 1 && n(d[:2]) <= 12 && n(d[2:4]) == 20
	}
	return false
}

// PostcodeLike reports whether letters and digits may be a UK or Canadian postcode, or its first half.
func PostcodeLike(s string) bool {
	if len(s) < 5 || len(s) > 7 || !Letter(s[0]) {
		return false
	}
	if len(s) == 6 && Letter(s[0]) && Digit(s[1]) && Letter(s[2]) && Digit(s[3]) && Letter(s[4]) && Digit(s[5]) {
		return true
	}
	in := s[len(s)-3:]
	return Digit(in[0]) && Letter(in[1]) && Letter(in[2]) && (Digit(s[1]) || Letter(s[1]) && Digit(s[2]))
}

// Letter reports whether a byte is a small letter of ASCII.
func Letter(c byte) bool { return c >= 'a' && c <= 'z' }

// Digit reports whether a byte is a digit of ASCII.
func Digit(c byte) bool { return c >= '0' && c <= '9' }

// Atoi reads a short row of digits; anything else is -1.
func Atoi(s string) int {
	if s == "" || len(s) > 9 {
		return -1
	}
	n := 0
	for i := range len(s) {
		if !Digit(s[i]) {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// DigitsOf gives the written digits of s.
func DigitsOf(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if Digit(s[i]) {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// Slip reports whether a becomes b with one letter changed, added, left out or swapped.
func Slip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:] {
		return true
	}
	return i < len(a) && a[i+1:] == b[i+1:]
}
