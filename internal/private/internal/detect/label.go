package detect

import "strings"

// Label masks a name of the business's own making: a number, a flow, a survey. A vendor's id ("PNx2Yz") and plain
// words stay; of a telephone number the last four digits stay, enough to tell the business's own lines apart;
// everything else is redacted like any text.
func (d *Detector) Label(name string) *Redaction {
	switch digits := digitsOf(name); {
	case isID(name):
		return open(name)
	case len(digits) >= 7 && len(digits) <= 15 && strings.Trim(name, "+0123456789 -.()/") == "":
		return open("…" + digits[len(digits)-4:])
	}
	r, err := d.Redact(Doc{Turns: []Turn{{Text: name}}})
	if err != nil || !r.verified {
		return open("[NAME]")
	}
	return r
}

// isID reports whether a name is an identifier: one word of letters, digits, - and _ without a run of seven digits.
func isID(s string) bool {
	run := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case num(c):
			run++
		case letter(c | 0x20):
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
	return &Redaction{turns: []string{s}, labels: []string{""}, lengths: []int{len([]rune(s))}, verified: true}
}
