// Package personal holds one piece of personal data at a time, so that it cannot be printed by accident.
//
// Zone: RED. Nothing of this package may be mentioned by the door (package private) or by anything
// outside it. A Value prints as [personal] through every formatter; Reveal is its one exit, and its
// callers are listed in the architecture test.
package personal

import (
	"fmt"
	"io"
	"log/slog"
)

const hidden = "[personal]"

// Value is a piece of personal data. It sits behind a pointer so that no formatter reaches it, even
// from an unexported field of another struct. The zero Value is empty.
type Value struct{ p *string }

// New wraps s. An empty string gives the zero Value.
func New(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{&s}
}

// Reveal is the only way to the content.
func (v Value) Reveal() string {
	if v.p == nil {
		return ""
	}
	return *v.p
}

// Empty reports whether there is nothing inside.
func (v Value) Empty() bool { return v.p == nil }

func (v Value) String() string               { return hidden }
func (v Value) GoString() string             { return hidden }
func (v Value) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, hidden) }
func (v Value) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (v Value) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }
