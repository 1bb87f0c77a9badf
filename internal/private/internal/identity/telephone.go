package identity

import (
	"errors"
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// maxShort is the longest short code, in digits. Complete numbers are longer, in every country.
const maxShort = 6

var (
	extension = regexp.MustCompile(`(?i)(?:[\s,;.]*\(?(?:ext(?:ension|n)?|x|poste|durchwahl|dw|nebenstelle|anexo|ramal|int|доб)[\s.:=]*\d{1,7}\)?|\s*#\s*\d{1,7}|\s*,+\s*\d{1,7}#?)$`)
	trunkZero = regexp.MustCompile(`\(\s*0\s*\)`)
	remark    = regexp.MustCompile(`\s*\([^()0-9]*\pL[^()0-9]*\)$`)
	plain     = regexp.MustCompile(`^\(?\+?[0-9()\-. /~_]+$`)
	group     = regexp.MustCompile(`\(?\+?[0-9][0-9()\-. /~_]*`)
	clock     = regexp.MustCompile(`\d:\d`)
)

// telephone reads a phone number in any notation, a short code, or gives Unreadable.
func telephone(s, region string) (Kind, string) {
	if !bare(s) {
		s = remark.ReplaceAllString(extension.ReplaceAllString(s, ""), "")
	}
	if strings.IndexFunc(s, unicode.IsLetter) >= 0 {
		return vanity(s, region)
	}
	if !bare(s) && !plain.MatchString(s) {
		return Unreadable, ""
	}
	digits, plus := strip(s), strings.Contains(s, "+")
	if !plus && digits != "" && len(digits) <= maxShort {
		return Short, shortPrefix + digits
	}
	all := readings(digits, plus, region)
	if without := trunkZero.ReplaceAllString(s, ""); without != s {
		all = append(all, readings(strip(without), plus, region)...)
	}
	if n, ok := number(all, region); ok {
		return Phone, n
	}
	return Unreadable, ""
}

// within finds the one number that stands among words or signs: "Ann Lee (+1 212 555 0123)". Digits too few for a number, an
// extension or a house number, do not count; more that is no number, or another number, leaves it open whose the address is.
func within(s, region string) (Kind, string) {
	if strings.Contains(s, "@") || clock.MatchString(s) || plain.MatchString(s) {
		return Unreadable, ""
	}
	found := ""
	for _, g := range group.FindAllString(s, -1) {
		if len(strip(g)) <= maxShort {
			continue
		}
		kind, one := telephone(strings.Trim(g, "()-. /~_"), region)
		if kind != Phone || found != "" && found != one || !strings.Contains(g, "+") && !inUse(one) {
			return Unreadable, ""
		}
		found = one
	}
	if found == "" {
		return Unreadable, ""
	}
	return Phone, found
}

// inUse reports a number of a range that a country uses.
func inUse(one string) bool {
	n, err := phonenumbers.Parse(one, "")
	return err == nil && phonenumbers.IsValidNumber(n)
}

// readings are the ways to take digits: as they are dialled in the region, with the international prefixes that people
// write everywhere (00, 011, 0011), and with the + that software drops.
func readings(digits string, plus bool, region string) []string {
	if plus {
		return []string{"+" + strings.TrimLeft(digits, "0")}
	}
	all := []string{digits}
	for _, prefix := range []string{"00", "011", "0011"} {
		if rest, ok := strings.CutPrefix(digits, prefix); ok {
			all = append(all, "+"+rest)
		}
	}
	if !strings.HasPrefix(digits, "0") && !(len(digits) == 10 && isNANP(digits) && phonenumbers.GetCountryCodeForRegion(region) == 1) {
		all = append(all, "+"+digits)
	}
	return all
}

// number takes the first reading that is a number in use, else the first that has the length of one: whole ranges (of
// films, of tests, of last month) are in no table of numbers in use.
func number(readings []string, region string) (string, bool) {
	fits := []func(*phonenumbers.PhoneNumber) bool{phonenumbers.IsValidNumber, hasLength}
	if len(readings) == 1 {
		fits = fits[1:]
	}
	for _, fit := range fits {
		for _, r := range readings {
			if n, err := phonenumbers.Parse(r, region); err == nil && fit(n) {
				return settled(r, phonenumbers.Format(n, phonenumbers.E164), region)
			}
		}
	}
	for _, r := range readings { // of a country that the table does not know yet
		_, err := phonenumbers.Parse(r, region)
		if errors.Is(err, phonenumbers.ErrInvalidCountryCode) && r[0] == '+' && len(r) >= 9 && len(r) <= 16 && r[1] != '0' {
			return r, true
		}
	}
	return "", false
}

func hasLength(n *phonenumbers.PhoneNumber) bool {
	return phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE
}

// settled reads a number until it stays as it is: some tables take a prefix off twice.
func settled(from, n, region string) (string, bool) {
	for range 4 {
		if n == from {
			return n, true
		}
		again, err := phonenumbers.Parse(n, region)
		if err != nil || !hasLength(again) {
			return "", false
		}
		from, n = n, phonenumbers.Format(again, phonenumbers.E164)
	}
	return "", false
}

// bare reports digits alone, or behind a +.
func bare(s string) bool { return onlyDigits(strings.TrimPrefix(s, "+")) }

// vanity reads a number with words on its keys. It must be one in use: much that has letters and digits is none.
func vanity(s, region string) (Kind, string) {
	if s[0] != '+' && (s[0] < '0' || s[0] > '9') || strings.ContainsAny(s, "@:_") {
		return Unreadable, ""
	}
	n, err := phonenumbers.Parse(s, region)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return Unreadable, ""
	}
	if one, ok := settled("", phonenumbers.Format(n, phonenumbers.E164), region); ok {
		return Phone, one
	}
	return Unreadable, ""
}

// strip keeps the digits.
func strip(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// plainNANP reports a number of North America as nearly all sources send it: it is in its one spelling already.
func plainNANP(s string) bool { return len(s) == 12 && s[:2] == "+1" && isNANP(s[2:]) }

// isNANP reports ten digits that can be a number of the North American Numbering Plan.
func isNANP(s string) bool {
	return len(s) == 10 && onlyDigits(s) && s[0] >= '2' && s[3] >= '2'
}

// Country is where a phone number is from, as an ISO 3166 code; "" when nobody can say: another kind of address, a
// withheld caller, a number of no country.
func (a Address) Country() string {
	if a.kind != Phone {
		return ""
	}
	n, err := phonenumbers.Parse(a.value.Reveal(), "")
	if err != nil {
		return ""
	}
	if c := phonenumbers.GetRegionCodeForNumber(n); len(c) == 2 && c != "ZZ" {
		return c
	}
	return ""
}

// Region reports whether numbers can be read in a country.
func Region(code string) bool { return phonenumbers.GetCountryCodeForRegion(code) != 0 }
