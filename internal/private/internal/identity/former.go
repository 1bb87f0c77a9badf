package identity

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"murmur/internal/private/internal/personal"
)

// Scheme is a way in which a workspace's addresses got their one spelling: the version of the rules and the region.
type Scheme struct {
	Version int
	Region  string
}

// canonical is the spelling under a scheme; empty: nobody's.
func (s Scheme) canonical(text string) string {
	if s.Version == 1 {
		return canonical1(text, s.Region)
	}
	return Parse(personal.New(text), s.Region).Value().Reveal()
}

// Former gives what an earlier scheme may have made of the person at an address: of the spelling at hand, of the one
// spelling, and of the ways in which such an address is usually written. An opt-out can only be found by the spelling that
// it was made under, because an address cannot be computed from a pseudonym; an opt-out under any other spelling is not
// found.
func (s Scheme) Former(spelling personal.Value, a Address) (all []personal.Value) {
	seen := map[string]bool{"": true, a.value.Reveal(): true}
	for _, text := range append([]string{spelling.Reveal(), a.value.Reveal()}, a.usual()...) {
		if one := s.canonical(text); !seen[one] {
			seen[one], all = true, append(all, personal.New(one))
		}
	}
	return all
}

// usual are the ways in which a number is usually written.
func (a Address) usual() (all []string) {
	if a.kind != Phone {
		return nil
	}
	n, err := phonenumbers.Parse(a.value.Reveal(), "")
	if err != nil {
		return nil
	}
	one := strings.TrimPrefix(a.value.Reveal(), "+")
	national, international := phonenumbers.Format(n, phonenumbers.NATIONAL), phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
	country, rest, _ := strings.Cut(international, " ")
	written := []string{
		one, "00" + one, "011" + one, "+" + country[1:] + "0" + strings.TrimPrefix(one, country[1:]),
		national, strip(national), international, international[1:], "00" + international[1:], "011 " + international[1:],
		country + " (0)" + rest, country + "(0)" + strip(rest), phonenumbers.Format(n, phonenumbers.RFC3966),
	}
	for _, text := range written {
		all = append(all, text)
		for _, in := range []string{"\u00a0", "\u202f", "-", "\u2011", "\u2010", "."} {
			if other := strings.ReplaceAll(text, " ", in); other != text {
				all = append(all, other)
			}
		}
		if other := strings.ReplaceAll(text, "-", "\u2011"); other != text {
			all = append(all, other)
		}
	}
	wide := strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + 0xFEE0
		}
		return r
	}, "+"+one)
	return append(all, wide)
}

// canonical1 are the rules of version 1, which left what they did not know as it stood.
func canonical1(s, region string) string {
	s = strings.TrimSpace(s)
	if s == "" || withheld1(s) {
		return ""
	}
	if i := strings.LastIndexByte(s, '@'); i > 0 && i < len(s)-1 && !strings.HasPrefix(s, "sip:") {
		return strings.ToLower(s)
	}
	s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(s, "sip:"), "tel:"), "whatsapp:")
	digits, plus, other := digits1(s)
	switch {
	case other:
		return ownPrefix + s
	case plus && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0':
		return "+" + digits
	case len(digits) <= 6:
		return shortPrefix + digits
	}
	n, err := phonenumbers.Parse(s, region)
	if err != nil {
		return ownPrefix + digits
	}
	return phonenumbers.Format(n, phonenumbers.E164)
}

func withheld1(s string) bool {
	switch strings.ToLower(s) {
	case "anonymous", "restricted", "private", "unavailable", "unknown", "withheld", "blocked", "no caller id",
		"+266696687", "266696687", "+7378742833", "+2562533", "+8656696", "+86282452253":
		return true
	}
	return false
}

func digits1(s string) (digits string, plus, other bool) {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			b = append(b, c)
		case c == '+' && len(b) == 0:
			plus = true
		case c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/':
		default:
			return "", false, true
		}
	}
	return string(b), plus, len(b) == 0
}
