// Package identity turns what sources call things into keyed references: a contact's address into its
// canonical form, a vendor's id into a fact's ID, a name of the business into a Label.
//
// Zone: RED. All references are HMAC-SHA256 under the workspace's key: phone numbers and vendor ids enumerate
// quickly, so an unkeyed hash would be the number itself.
package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/private/internal/personal"
)

// Canonical gives the one spelling of an address under which a person is known: a phone number as E.164
// (a national number is read in region, an ISO 3166 code), an e-mail address in lower case, a short code or
// another id as it stands with its kind in front. It is empty for a withheld caller.
func Canonical(v personal.Value, region string) personal.Value {
	s := strings.TrimSpace(v.Reveal())
	if s == "" || withheld(s) {
		return personal.Value{}
	}
	if i := strings.LastIndexByte(s, '@'); i > 0 && i < len(s)-1 && !strings.HasPrefix(s, "sip:") {
		return personal.New(strings.ToLower(s))
	}
	s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(s, "sip:"), "tel:"), "whatsapp:")
	digits, plus, other := digitsOf(s)
	switch {
	case other:
		return personal.New("id:" + s)
	case plus && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0':
		return personal.New("+" + digits)
	case len(digits) <= 6:
		return personal.New("short:" + digits)
	}
	n, err := phonenumbers.Parse(s, region)
	if err != nil {
		return personal.New("id:" + digits)
	}
	return personal.New(phonenumbers.Format(n, phonenumbers.E164))
}

// Country is where a phone number is from, as an ISO 3166 code; "" when nobody can say: another kind of address, a
// withheld caller, a number of no country.
func Country(v personal.Value, region string) string {
	s := Canonical(v, region).Reveal()
	if !strings.HasPrefix(s, "+") {
		return ""
	}
	n, err := phonenumbers.Parse(s, region)
	if err != nil {
		return ""
	}
	if c := phonenumbers.GetRegionCodeForNumber(n); len(c) == 2 && c != "ZZ" {
		return c
	}
	return ""
}

// withheld lists what carriers and vendors write when the caller is not shown.
func withheld(s string) bool {
	switch strings.ToLower(s) {
	case "anonymous", "restricted", "private", "unavailable", "unknown", "withheld", "blocked", "no caller id",
		"+266696687", "266696687", "+7378742833", "+2562533", "+8656696", "+86282452253": // Twilio's letters on a keypad
		return true
	}
	return false
}

// digitsOf strips the separators people write; other is true when anything else than a number remains.
func digitsOf(s string) (digits string, plus, other bool) {
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

// FactID is the keyed id of a fact: the same vendor id of the same kind is the same fact, whichever source,
// delivery or import it came through.
func FactID(key keyring.Pseudonym, kind fact.Kind, id string) (f fact.ID) {
	copy(f[:], keyed(key, "fact", byte(kind), id))
	return f
}

// DeliveryID is the keyed id of a delivery of a source.
func DeliveryID(key keyring.Pseudonym, source, id string) (d [16]byte) {
	copy(d[:], keyed(key, "delivery", 0, source+"\x00"+id))
	return d
}

// Label is the keyed reference of a business's own name; the same name below another parent is another label.
func Label(key keyring.Pseudonym, dim fact.Dim, parent fact.Label, name string) fact.Label {
	if name == "" {
		return 0
	}
	var p [8]byte
	binary.BigEndian.PutUint64(p[:], uint64(parent))
	l := fact.Label(binary.BigEndian.Uint64(keyed(key, "label", byte(dim), string(p[:])+name)) >> 1) // non-negative
	if l == 0 {
		l = 1
	}
	return l
}

func keyed(key keyring.Pseudonym, what string, kind byte, s string) []byte {
	if !key.Valid() {
		panic("identity: no workspace key") // a wiring fault: an unkeyed reference must never be made
	}
	m := hmac.New(sha256.New, key.Key())
	m.Write([]byte(what))
	m.Write([]byte{0, kind})
	m.Write([]byte(s))
	return m.Sum(nil)
}
