package redact

import (
	"errors"
	"fmt"
	"strings"

	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// Identifier is a kind of number that a business made itself, taught by an example: of "ORD-2024-118822" the letters
// and signs are kept and every digit stands for any digit. Its mask is [ID_NAME].
type Identifier struct {
	// Name is what the mask says, such as ORDER: 1 to 16 letters A to Z.
	Name string
	// Example is one identifier: 4 to 40 letters, digits and the signs - _ / . , at least three digits of them, and a
	// letter or sign, so that it is no plain number. A # stands for any digit, so that no real one need be written.
	Example string
}

// Refusals of an identifier.
var (
	ErrIdentifier = errors.New("an identifier is NAME:EXAMPLE, a name of letters and an example such as ORD-2024-118822 with three digits and a letter or sign")
	ErrOverlap    = errors.New("the example has the form of something else")
)

// ParseIdentifiers reads "ORDER:ORD-2024-118822,JOB:J/4411". ErrIdentifier.
func ParseIdentifiers(s string) ([]Identifier, error) {
	var out []Identifier
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, example, _ := strings.Cut(part, ":")
		out = append(out, Identifier{strings.ToUpper(strings.TrimSpace(name)), strings.TrimSpace(example)})
		if !out[len(out)-1].valid() {
			return nil, ErrIdentifier
		}
	}
	return out, nil
}

func (x Identifier) valid() bool {
	digits, other := 0, 0
	for i := range len(x.Example) {
		switch c := x.Example[i]; {
		case check.Digit(c) || c == '#':
			digits++
		case token.AsciiLetter(c) || strings.IndexByte("-_/.", c) >= 0:
			other++
		default:
			return false
		}
	}
	return kind.IdentifierName(x.Name) && len(x.Example) >= 4 && len(x.Example) <= 40 && digits >= 3 && other >= 1
}

// overlaps refuses examples that are read as something else already (a telephone number, a card, a date) or that have
// the form of each other.
func (d *Detector) overlaps(ids []Identifier) error {
	for i, x := range ids {
		for _, y := range ids[:i] {
			if matches(y.Example, strings.ToLower(x.filled(fills[0]))) {
				return fmt.Errorf("identifier %s: %w: identifier %s", x.Name, ErrOverlap, y.Name)
			}
		}
		for _, digits := range fills {
			r, err := d.Redact(Doc{Turns: []Turn{{Text: x.filled(digits)}}})
			if err != nil {
				return err
			}
			for _, s := range r.spans {
				whole := s.Start == 0 && s.End == len(x.Example) // else its own letters keep it apart
				if whole && s.Why != ByContext && s.Type != ID && s.Type != Number && s.Type != Vehicle && s.Type != Username {
					return fmt.Errorf("identifier %s: %w: %s", x.Name, ErrOverlap, s.Type)
				}
			}
		}
	}
	return nil
}

// fills are digits of a telephone number, of a day that begins with its year and of one that ends with it.
var fills = [...]string{"4155550132", "2024010203", "0102202403"}

// filled is the example with other digits.
func (x Identifier) filled(digits string) string {
	b, k := []byte(x.Example), 0
	for i, c := range b {
		if check.Digit(c) || c == '#' {
			b[i] = digits[k%len(digits)]
			k++
		}
	}
	return string(b)
}

// matches reports whether s, in lower case, has the shape of example.
func matches(example, s string) bool {
	return len(s) == len(example) && shaped(example, s)
}

// shaped reports whether s begins with the shape of example.
func shaped(example, s string) bool {
	if len(s) < len(example) {
		return false
	}
	for i := range len(example) {
		e := example[i]
		switch {
		case check.Digit(e) || e == '#':
			if !check.Digit(s[i]) {
				return false
			}
		case e != s[i] && (!token.AsciiLetter(e) || e|0x20 != s[i]):
			return false
		}
	}
	return true
}

// findIdentifiers marks what has a shape that the business taught, written or said sign by sign.
func (s *turn) findIdentifiers(ids []Identifier) {
	for _, x := range ids {
		for i, t := range s.Tokens {
			if t.Kind < token.Word && t.Kind != token.Sign || !shaped(x.Example, s.Lower[t.Start:]) || s.Glued(i) && s.Tokens[i-1].Kind >= token.Word {
				continue
			}
			to := i
			for to < len(s.Tokens) && int(s.Tokens[to].End) <= int(t.Start)+len(x.Example) {
				to++
			}
			if to > i && int(s.Tokens[to-1].End) == int(t.Start)+len(x.Example) && !(s.Glued(to) && s.Tokens[to].Kind >= token.Word) {
				s.markIdentifier(i, to, x.Name)
			}
		}
		for k := range s.Runs {
			r := &s.Runs[k]
			var b strings.Builder
			for _, sym := range r.Symbols {
				b.WriteByte(sym.C)
			}
			if matches(x.Example, b.String()) || matches(plainShape(x.Example), r.Value()) {
				s.markIdentifier(r.From, r.To, x.Name)
			}
		}
	}
}

// plainShape is an example without its signs, as people say it.
func plainShape(example string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_/.", r) {
			return -1
		}
		return r
	}, example)
}

func (s *turn) markIdentifier(from, to int, name string) {
	s.Mark(from, to, ID, 97, ByShape)
	s.Marks[len(s.Marks)-1].Name = name
	s.Take(from, to)
}
