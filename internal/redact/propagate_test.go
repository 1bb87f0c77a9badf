package redact_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestAValueMaskedOnceIsMaskedEverywhere says a value where it is asked for and again turns later, by the other side, in another
// case and spelling, where nothing announces it: nothing of it is left.
func TestAValueMaskedOnceIsMaskedEverywhere(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(12, 12))
	said := strings.Fields("zero one two three four five six seven eight nine")
	pick := func(from string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = from[r.IntN(len(from))]
		}
		return string(b)
	}
	spell := func(s, between string) string {
		var out []string
		for _, c := range strings.ToLower(s) {
			switch {
			case c >= '0' && c <= '9':
				out = append(out, said[c-'0'])
			case c != ' ' && c != '-':
				out = append(out, string(c))
			}
		}
		return strings.Join(out, between)
	}
	for range 12 {
		name := strings.ToUpper(pick("BDGKLMNR", 1)) + pick("aeiou", 1) + pick("bdgklmnr", 1) + pick("aeiou", 1) + pick("bdgkmnrz", 1) + pick("aeiou", 1) + pick("bdgk", 1)
		pin, phone := pick("23456789", 4), "415"+pick("23456789", 7)
		code, plate := pick("BCDFGHJKLMNP", 2)+pick("23456789", 1)+pick("BCDFGHJKLMNP", 1)+pick("23456789", 2), pick("BCDFGHJKLMNP", 2)+pick("23456789", 2)+" "+pick("BCDFGHJKLMNP", 3)
		mail := strings.ToLower(name) + "." + pick("bcdfgh", 1) + pick("aeiou", 1) + pick("klmnrt", 2)
		for _, c := range []struct {
			question, value string
			forms           []string
		}{
			{"and your surname?", name, []string{strings.ToUpper(name), strings.ToLower(name), spell(name, " "), strings.ToUpper(spell(name, "-"))}},
			{"what's your order number?", pin, []string{pin, spell(pin, " "), spell(pin, ", ")}},
			{"your phone number please?", phone, []string{phone, spell(phone, " "), "(" + phone[:3] + ") " + phone[3:6] + "-" + phone[6:], phone[:3] + "." + phone[3:6] + "." + phone[6:]}},
			{"the booking reference?", code, []string{strings.ToLower(code), spell(code, " "), strings.ToUpper(code)}},
			{"and the number plate?", plate, []string{strings.ToLower(plate), strings.ReplaceAll(plate, " ", ""), spell(plate, " ")}},
			{"what's your email?", mail + "@example.com", []string{strings.ToUpper(mail) + "@EXAMPLE.COM", strings.ReplaceAll(mail, ".", " dot ") + " at example dot com"}},
		} {
			for _, form := range c.forms {
				in := fmt.Sprintf("Agent: %s\nCaller: %s\nAgent: right so\nCaller: it rained a lot\nAgent: it did\nCaller: a lot\nAgent: nobody wanted %s there", c.question, c.value, form)
				masked := redactText(t, in).Masked()
				last := strings.ToLower(masked[strings.LastIndex(masked, "\n"):])
				for w := range strings.FieldsFuncSeq(strings.ToLower(form), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') }) {
					for left := range strings.FieldsFuncSeq(last, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') }) {
						if w == left {
							t.Fatalf("%q is left of %q, said before as %q: %q", w, form, c.value, masked)
						}
					}
				}
			}
		}
	}
}
