// Package kind names what the redactor speaks of: the types of personal data, the evidence they are masked for, the dial, the
// sides of a conversation, and what may stand for a value in a masked text. It has no state.
//
// Zone: RED.
package kind

// Type is what a span is. The names are those of the masks: [PHONE].
type Type uint8

const (
	None Type = iota
	Person
	Phone
	Email
	Address
	Location
	Postcode
	CreditCard
	CardExpiry
	CVV
	SSN
	IBAN
	BankAcct
	DateOfBirth
	Date
	Age
	IP
	URL
	ID
	Vehicle
	Username
	Password
	PIN
	Number
	Types
)

// Names are the names of the types in masks.
var Names = [Types]string{"NONE", "PERSON", "PHONE", "EMAIL", "ADDRESS", "LOCATION", "POSTCODE", "CREDIT_CARD",
	"CARD_EXPIRY", "CVV", "SSN", "IBAN", "BANK_ACCT", "DATE_OF_BIRTH", "DATE", "AGE", "IP", "URL", "ID", "VEHICLE",
	"USERNAME", "PASSWORD", "PIN", "NUMBER"}

// Masks are the masks of the types: "[PHONE]".
var Masks = func() (m [Types]string) {
	for t, n := range Names {
		m[t] = "[" + n + "]"
	}
	return m
}()

// String gives the name in masks.
func (t Type) String() string {
	if t < Types {
		return Names[t]
	}
	return Names[None]
}

// Set is a set of types.
type Set uint32

// Of makes a set.
func Of(t ...Type) (s Set) {
	for _, t := range t {
		s |= 1 << t
	}
	return s
}

// Has reports whether t is in the set.
func (s Set) Has(t Type) bool { return s&(1<<t) != 0 }

// Why is the evidence a span was masked for. It never tells the value.
type Why uint8

const (
	Unexplained Why = iota
	ByShape         // the value's own form: an e-mail address, a telephone number
	ByChecksum      // a check digit holds
	ByCue           // words before or behind it: "my name is"
	ByQuestion      // the other side asked for it
	ByList          // a list of names or places
	BySubject       // the conversation's own contact or member
	ByMemory        // the same value was masked elsewhere in the document
	ByLength        // digits too many for a quantity
	ByContext       // the words around it, as the tagger learned them
	ByReader        // the reader found it
	Whys
)

var whyNames = [Whys]string{"unexplained", "shape", "checksum", "cue", "question", "list", "subject", "memory", "length", "context", "reader"}

// String gives the name in explanations.
func (w Why) String() string {
	if w < Whys {
		return whyNames[w]
	}
	return whyNames[Unexplained]
}

// Dial trades recall against precision.
type Dial uint8

const (
	// Balanced leaves what is probably not personal: rare names without context, short numbers.
	Balanced Dial = iota
	// Strict masks what may be personal. It is the dial of the pipeline.
	Strict
	// Paranoid masks every number of three digits and every word that is no plain English.
	Paranoid
	Dials
)

var dialNames = [Dials]string{"balanced", "strict", "paranoid"}

// String gives the name that ParseDial reads.
func (d Dial) String() string {
	if d < Dials {
		return dialNames[d]
	}
	return "unknown"
}

// ParseDial reads the name of a dial.
func ParseDial(s string) (Dial, bool) {
	for d, n := range dialNames {
		if n == s {
			return Dial(d), true
		}
	}
	return Balanced, false
}
