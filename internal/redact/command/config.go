package command

import (
	"errors"

	"murmur/internal/redact"
)

var (
	// ErrDial is returned for an unknown dial.
	ErrDial = errors.New("the dial is balanced, strict or paranoid")
	// ErrReader is returned where the reader is to be neither on nor off.
	ErrReader = errors.New("the reader is on or off")
)

var hints = map[error]string{
	ErrDial:   "strict and paranoid mask more than balanced, the default",
	ErrReader: "off is faster and leaves more names (docs/models/reader.md)",
	ErrLine:   "the answer has the number of each such line; the other lines were masked",
}

// Hint says what to do about an error of this package; "" where there is nothing to say.
func Hint(err error) string {
	for e, hint := range hints {
		if errors.Is(err, e) {
			return hint
		}
	}
	return ""
}

// On and Off say whether the second reader of context reads.
const (
	On  = "on"
	Off = "off"
)

// Config says how text is masked. The zero value is the pipeline's own way.
type Config struct {
	Dial        string // balanced, strict or paranoid; "" is strict
	Transforms  string // what stands for a value instead of its type: "DATE:week,PERSON:pseudonym"; "" is the type alone
	Identifiers string // numbers of the user's own making, by examples: "ORDER:ORD-2024-118822"
	Key         []byte // makes pseudonyms; 16 bytes or more where Transforms has one
	Reader      string // On or Off; "" is On
}

// Detector makes the detector that the configuration asks for. ErrDial, ErrReader, and those of
// redact.ParseTransforms, redact.ParseIdentifiers and redact.New.
func (c Config) Detector() (*redact.Detector, error) {
	if c.Dial == "" {
		c.Dial = redact.Strict.String()
	}
	dial, ok := redact.ParseDial(c.Dial)
	if !ok {
		return nil, ErrDial
	}
	x, err := redact.ParseTransforms(c.Transforms)
	if err != nil {
		return nil, err
	}
	ids, err := redact.ParseIdentifiers(c.Identifiers)
	if err != nil {
		return nil, err
	}
	if c.Reader != "" && c.Reader != On && c.Reader != Off {
		return nil, ErrReader
	}
	return redact.New(redact.Config{Dial: dial, Transforms: x, Identifiers: ids, Key: c.Key, WithoutReader: c.Reader == Off})
}
