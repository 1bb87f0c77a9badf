package kind

import (
	"strings"

	"murmur/internal/redact/internal/check"
)

// Transform is what stands in a masked text for a value: its type alone, or its type and something coarser than the
// value. Whatever it is, it reads as a mask when the text is read again.
type Transform uint8

const (
	// Tag: [PHONE].
	Tag Transform = iota
	// Last4: [PHONE_0132], the last four symbols of a whole number; a piece of one is only tagged.
	Last4
	// Week: [DATE_2026_W46], the ISO 8601 week of a day said with its year.
	Week
	// Decade: [DATE_OF_BIRTH_1970S]; [DATE_OF_BIRTH_BEFORE_1940] together (45 CFR 164.514(b)(2)(i)(C): ages over 89).
	Decade
	// Band: [AGE_40_49], ten years; [AGE_90_UP] together, for the same reason.
	Band
	// ZIP3: [POSTCODE_787XX], the first three digits of a US ZIP code, 000 where fewer than 20,000 people live
	// (45 CFR 164.514(b)(2)(i)(B)).
	ZIP3
	// State: [LOCATION_TX], the US state of a town.
	State
	// Pseudonym: [PERSON_P3F2A91C07D], the first 40 bits of HMAC-SHA256(key, type, value). The same value gives the
	// same pseudonym, so the text is still personal data.
	Pseudonym
	Transforms
)

// TransformNames are the names in a policy.
var TransformNames = [Transforms]string{"tag", "last4", "week", "decade", "band", "zip3", "state", "pseudonym"}

// String gives the name in a policy.
func (x Transform) String() string {
	if x < Transforms {
		return TransformNames[x]
	}
	return TransformNames[Tag]
}

// Transformable says which types a transform is for.
var Transformable = [Transforms]Set{
	Tag: 1<<Types - 1, Last4: Of(Phone, CreditCard, BankAcct, IBAN, SSN, ID), Week: Of(Date), Decade: Of(DateOfBirth), Band: Of(Age), ZIP3: Of(Postcode),
	State: Of(Location), Pseudonym: Of(Person, Phone, Email, Address, CreditCard, SSN, IBAN, BankAcct, ID, Vehicle, Username),
}

// Coarse reports whether a suffix of a mask of type t is one that mask makes. Anything else in brackets is text.
func Coarse(t Type, suffix string) bool {
	fits := func(form string) bool { // 9 is a digit, A a letter, H a hexadecimal digit; anything else is itself
		if len(form) != len(suffix) {
			return false
		}
		for i := range len(form) {
			c := suffix[i]
			switch form[i] {
			case '9':
				if !check.Digit(c) {
					return false
				}
			case 'A':
				if c < 'A' || c > 'Z' {
					return false
				}
			case 'H':
				if !check.Digit(c) && (c < 'A' || c > 'F') {
					return false
				}
			default:
				if c != form[i] {
					return false
				}
			}
		}
		return true
	}
	switch {
	case Transformable[Pseudonym].Has(t) && fits("PHHHHHHHHHH"), Transformable[Last4].Has(t) && fits("9999"):
		return true
	case t == Date:
		return fits("9999_W99")
	case t == DateOfBirth:
		return fits("9990S") || fits("BEFORE_1940")
	case t == Age:
		return fits("0_9") || fits("90_99") || fits("90_UP") || fits("99_99") && suffix[1] == '0' && suffix[4] == '9' && suffix[0] == suffix[3]
	case t == Postcode:
		return fits("999XX")
	case t == Location:
		return fits("AA")
	case t == ID:
		return IdentifierName(suffix)
	}
	return false
}

// IdentifierName reports whether s can name numbers of a business in masks: 1 to 16 capitals.
func IdentifierName(s string) bool {
	return len(s) >= 1 && len(s) <= 16 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
