// Package token folds a text, cuts it into tokens, and says of every word what the lists and the closed classes of English know
// of it. Every byte of the folded text leads back to the text as it was given.
//
// Zone: RED.
package token

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/kind"
	"murmur/internal/redact/number"
)

// Token is one word, one row of digits, letters and digits mixed, one sign, or one mask that was there
// before. s and e are bytes of the view.
type Token struct {
	Start, End int32
	Kind       Kind
	Shape      Shape
	Lex        Lex
	Gaz        gazetteer.Flags
	Cue        kind.Type // what it says of the value near it
	Said       int16     // its value and one if it is a number said in words
	Nth        uint8     // 2 of "second"
}

// Kind says what a token is made of.
type Kind uint8

const (
	Sign  Kind = iota // one character that is none of the others
	Line              // a line end
	Word              // letters, with apostrophes inside
	Digit             // digits only
	Mixed             // letters and digits
	Mask              // [PHONE]
)

// Shape says which letters of a token are capitals.
type Shape uint8

const (
	Small   Shape = iota // lower case, or no letters
	Capital              // Only the first
	Upper                // ALL of several letters
)

// Tokenise cuts v into tokens, appended to dst. "Dwight's" is two tokens, "don't" is one.
func Tokenise(v *View, dst []Token) []Token {
	s := v.Norm
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\n':
			dst = append(dst, Token{Start: int32(i), End: int32(i + 1), Kind: Line})
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '[' && MaskLen(s[i:]) > 0:
			n := MaskLen(s[i:])
			dst = append(dst, Token{Start: int32(i), End: int32(i + n), Kind: Mask})
			i += n
		default:
			t := cut(s, i)
			if t.Kind == Word {
				low := composed(v.Lower[t.Start:t.End])
				e := entries[low]
				t.Lex, t.Gaz, t.Cue, t.Said, t.Nth = e.lex, gazetteer.Lookup(low), e.cue, e.said, e.ordinal
				if t.Gaz == 0 && t.Lex == 0 {
					t.Gaz = inflected(low)
				}
				if t.Lex&Given != 0 {
					t.Lex, t.Gaz = t.Lex&^Given, t.Gaz&^gazetteer.Word
				}
			} else if t.Kind == Mixed {
				e := entries[v.Lower[t.Start:t.End]]
				t.Lex, t.Cue = e.lex, e.cue
			}
			dst = append(dst, t)
			i = int(t.End)
		}
	}
	return dst
}

// inflected tells of a word that no list has what the lists know of the word that it is a form of: "fatoumatas" is said of more than
// one, or of what is hers, "lookin" is plain English.
func inflected(low string) gazetteer.Flags {
	n := len(low)
	switch {
	case n > 4 && low[n-1] == 's' && low[n-2] != 's':
		f := gazetteer.Lookup(low[:n-1])
		if f&gazetteer.Word == 0 {
			return f & gazetteer.Name
		}
		return f &^ (gazetteer.Place | gazetteer.Prefix)
	case n > 4 && low[n-2:] == "in":
		return gazetteer.Lookup(low+"g") & gazetteer.Word
	}
	return 0
}

// composed gives a word with its marks on its letters, as the lists have it: "café" of e and an accent is "café".
func composed(low string) string {
	for i := range len(low) {
		if low[i] >= utf8.RuneSelf {
			return norm.NFC.String(low)
		}
	}
	return low
}

// cut gives the token that begins at byte i.
func cut(s string, i int) Token {
	t := Token{Start: int32(i), Kind: Sign}
	var letters, digits, uppers int
	firstUpper := false
	j := i
scan:
	for j < len(s) {
		c := s[j]
		switch {
		case c >= '0' && c <= '9':
			digits++
			j++
		case c >= 'a' && c <= 'z':
			letters++
			j++
		case c >= 'A' && c <= 'Z':
			if j == i {
				firstUpper = true
			}
			letters++
			uppers++
			j++
		case c == '\'':
			if letters == 0 || j+1 >= len(s) || !AsciiLetter(s[j+1]) ||
				s[j+1]|0x20 == 's' && (j+2 >= len(s) || !AsciiLetter(s[j+2])) {
				break scan
			}
			j++
		case c < utf8.RuneSelf:
			break scan
		default:
			r, n := utf8.DecodeRuneInString(s[j:])
			if !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) {
				break scan
			}
			letters++
			if unicode.IsUpper(r) {
				firstUpper = firstUpper || j == i
				uppers++
			}
			j += n
		}
	}
	if j == i { // a sign, or the "'s" of a possessive
		if s[i] == '\'' && i+1 < len(s) && s[i+1]|0x20 == 's' && (i+2 >= len(s) || !AsciiLetter(s[i+2])) {
			t.Kind, t.End = Word, int32(i+2)
			return t
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		t.End = int32(i + n)
		return t
	}
	t.End = int32(j)
	switch {
	case letters == 0:
		t.Kind = Digit
	case digits > 0:
		t.Kind = Mixed
	default:
		t.Kind = Word
	}
	switch {
	case uppers > 1 && uppers == letters:
		t.Shape = Upper
	case firstUpper:
		t.Shape = Capital
	}
	return t
}

// AsciiLetter reports whether a byte is a letter of ASCII.
func AsciiLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// LongestMask is longer than any mask.
const LongestMask = 40

// MaskLen gives the length of a mask such as [PHONE] or [AGE_40_49] at the beginning of s, 0 if there is none.
func MaskLen(s string) int {
	n := 1
	for n < len(s) && n < LongestMask && (s[n] >= 'A' && s[n] <= 'Z' || s[n] == '_' || check.Digit(s[n])) {
		n++
	}
	if n >= len(s) || s[n] != ']' {
		return 0
	}
	for t, name := range kind.Names {
		rest, ok := strings.CutPrefix(s[1:n], name)
		if ok && (rest == "" || rest[0] == '_' && kind.Coarse(kind.Type(t), rest[1:])) {
			return n + 1
		}
	}
	return 0
}

// Words fills dst with the tokens as the number reader wants them; a mask is a word it cannot read.
func Words(v *View, tok []Token, dst []number.Word) []number.Word {
	for _, t := range tok {
		dst = append(dst, number.Word{Lower: v.Lower[t.Start:t.End], Start: int(t.Start), End: int(t.End)})
	}
	return dst
}

// HashOf is FNV-1a.
func HashOf(w string) uint32 {
	h := uint32(2166136261)
	for i := range len(w) {
		h = (h ^ uint32(w[i])) * 16777619
	}
	return h
}
