package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/number"
)

// token is one word, one row of digits, letters and digits mixed, one sign, or one mask that was there
// before. s and e are bytes of the view.
type token struct {
	s, e  int32
	kind  tokenKind
	shape shape
	lex   lex
	gaz   gazetteer.Flags
	cue   Type  // what it says of the value near it
	said  int16 // its value and one if it is a number said in words
	nth   uint8 // 2 of "second"
}

type tokenKind uint8

const (
	sign  tokenKind = iota // one character that is none of the others
	line                   // a line end
	word                   // letters, with apostrophes inside
	digit                  // digits only
	mixed                  // letters and digits
	mask                   // [PHONE]
)

type shape uint8

const (
	small   shape = iota // lower case, or no letters
	capital              // Only the first
	upper                // ALL of several letters
)

// tokenise cuts v into tokens, appended to dst. "Dwight's" is two tokens, "don't" is one.
func tokenise(v *view, dst []token) []token {
	s := v.norm
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\n':
			dst = append(dst, token{s: int32(i), e: int32(i + 1), kind: line})
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '[' && maskLen(s[i:]) > 0:
			n := maskLen(s[i:])
			dst = append(dst, token{s: int32(i), e: int32(i + n), kind: mask})
			i += n
		default:
			t := cut(s, i)
			if t.kind == word {
				low := composed(v.lower[t.s:t.e])
				e := entries[low]
				t.lex, t.gaz, t.cue, t.said, t.nth = e.lex, gazetteer.Lookup(low), e.cue, e.said, e.ordinal
				if t.gaz == 0 && t.lex == 0 {
					t.gaz = inflected(low)
				}
				if t.lex&given != 0 {
					t.lex, t.gaz = t.lex&^given, t.gaz&^gazetteer.Word
				}
			} else if t.kind == mixed {
				e := entries[v.lower[t.s:t.e]]
				t.lex, t.cue = e.lex, e.cue
			}
			dst = append(dst, t)
			i = int(t.e)
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
func cut(s string, i int) token {
	t := token{s: int32(i), kind: sign}
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
			if letters == 0 || j+1 >= len(s) || !asciiLetter(s[j+1]) ||
				s[j+1]|0x20 == 's' && (j+2 >= len(s) || !asciiLetter(s[j+2])) {
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
		if s[i] == '\'' && i+1 < len(s) && s[i+1]|0x20 == 's' && (i+2 >= len(s) || !asciiLetter(s[i+2])) {
			t.kind, t.e = word, int32(i+2)
			return t
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		t.e = int32(i + n)
		return t
	}
	t.e = int32(j)
	switch {
	case letters == 0:
		t.kind = digit
	case digits > 0:
		t.kind = mixed
	default:
		t.kind = word
	}
	switch {
	case uppers > 1 && uppers == letters:
		t.shape = upper
	case firstUpper:
		t.shape = capital
	}
	return t
}

func asciiLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// longestMask is longer than any mask.
const longestMask = 40

// maskLen gives the length of a mask such as [PHONE] or [AGE_40_49] at the beginning of s, 0 if there is none.
func maskLen(s string) int {
	n := 1
	for n < len(s) && n < longestMask && (s[n] >= 'A' && s[n] <= 'Z' || s[n] == '_' || num(s[n])) {
		n++
	}
	if n >= len(s) || s[n] != ']' {
		return 0
	}
	for t, name := range typeNames {
		rest, ok := strings.CutPrefix(s[1:n], name)
		if ok && (rest == "" || rest[0] == '_' && coarse(Type(t), rest[1:])) {
			return n + 1
		}
	}
	return 0
}

// words fills dst with the tokens as the number reader wants them; a mask is a word it cannot read.
func words(v *view, tok []token, dst []number.Word) []number.Word {
	for _, t := range tok {
		dst = append(dst, number.Word{Lower: v.lower[t.s:t.e], Start: int(t.s), End: int(t.e)})
	}
	return dst
}

// hashOf is FNV-1a.
func hashOf(w string) uint32 {
	h := uint32(2166136261)
	for i := range len(w) {
		h = (h ^ uint32(w[i])) * 16777619
	}
	return h
}
