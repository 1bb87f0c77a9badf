package redact

import (
	"strings"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/kind"
)

// Label masks a name of the business's own making: a number, a flow, a survey. A vendor's id ("PNx2Yz") and plain
// words stay; of a telephone number the last four digits stay, enough to tell the business's own lines apart;
// everything else is redacted like any text.
func (d *Detector) Label(name string) *Redaction {
	switch digits := check.DigitsOf(name); {
	case isID(name):
		return open(name)
	case isGiven(name):
		return open(kind.Masks[Person])
	case len(digits) >= 7 && len(digits) <= 15 && strings.Trim(name, "+0123456789 -.()/") == "":
		return open("…" + digits[len(digits)-4:])
	}
	r, err := d.Redact(Doc{Turns: []Turn{{Text: name}}})
	if err != nil || r.verdict == Unsettled {
		return open("[NAME]")
	}
	return r
}

// isGiven reports whether a single word is a first name: a line or team called after a member.
func isGiven(s string) bool {
	f := gazetteer.Lookup(strings.ToLower(s))
	return f&gazetteer.CommonFirst != 0 || f&gazetteer.First != 0 && f&gazetteer.Word == 0
}

// isID reports whether a name is an identifier: one word of letters, digits, - and _ without a run of seven digits
// that no person is called: it has a digit, - or _, or begins with two capitals ("PNlate").
func isID(s string) bool {
	run := 0
	if !strings.ContainsAny(s, "0123456789-_") && (len(s) < 3 || s[:2] != strings.ToUpper(s[:2])) {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case check.Digit(c):
			run++
		case check.Letter(c | 0x20):
			run = 0
		case c == '-' || c == '_':
		default:
			return false
		}
		if run >= 7 {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

// open is a redaction in which nothing had to be masked.
func open(s string) *Redaction {
	return &Redaction{turns: []string{s}, labels: []string{""}, lengths: []int{len([]rune(s))}}
}
