package redact

import "murmur/internal/redact/kind"

// What a caller needs of package kind, under the names that it always had here.
type (
	// Type is what a span is.
	Type = kind.Type
	// Why is the evidence a span was masked for.
	Why = kind.Why
	// Dial trades recall against precision.
	Dial = kind.Dial
	// Side tells the speakers of a conversation apart.
	Side = kind.Side
	// Transform is what stands in a masked text for a value.
	Transform = kind.Transform
)

// The types of personal data.
const (
	None        = kind.None
	Person      = kind.Person
	Phone       = kind.Phone
	Email       = kind.Email
	Address     = kind.Address
	Location    = kind.Location
	Postcode    = kind.Postcode
	CreditCard  = kind.CreditCard
	CardExpiry  = kind.CardExpiry
	CVV         = kind.CVV
	SSN         = kind.SSN
	IBAN        = kind.IBAN
	BankAcct    = kind.BankAcct
	DateOfBirth = kind.DateOfBirth
	Date        = kind.Date
	Age         = kind.Age
	IP          = kind.IP
	URL         = kind.URL
	ID          = kind.ID
	Vehicle     = kind.Vehicle
	Username    = kind.Username
	Password    = kind.Password
	PIN         = kind.PIN
	Number      = kind.Number
)

// The kinds of evidence.
const (
	Unexplained = kind.Unexplained
	ByShape     = kind.ByShape
	ByChecksum  = kind.ByChecksum
	ByCue       = kind.ByCue
	ByQuestion  = kind.ByQuestion
	ByList      = kind.ByList
	BySubject   = kind.BySubject
	ByMemory    = kind.ByMemory
	ByLength    = kind.ByLength
	ByContext   = kind.ByContext
	ByReader    = kind.ByReader
)

// The dials.
const (
	Balanced = kind.Balanced
	Strict   = kind.Strict
	Paranoid = kind.Paranoid
)

// The sides that have a number of their own.
const (
	Contact = kind.Contact
	Member  = kind.Member
	Machine = kind.Machine
)

// The transforms.
const (
	Tag       = kind.Tag
	Last4     = kind.Last4
	Week      = kind.Week
	Decade    = kind.Decade
	Band      = kind.Band
	ZIP3      = kind.ZIP3
	State     = kind.State
	Pseudonym = kind.Pseudonym
)

// ParseDial reads the name of a dial.
func ParseDial(s string) (Dial, bool) { return kind.ParseDial(s) }

// ParseSide gives the side that a label or a name of a side stands for: "Agent: ", "customer".
func ParseSide(label string) Side { return kind.ParseSide(label) }
