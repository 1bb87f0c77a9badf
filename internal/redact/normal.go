package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// view is a turn's text as the rules read it. norm is the text folded (full-width and mathematical digits,
// curly quotes, letters that only look Latin, nothing of zero width), lower the same in lower case, byte for
// byte as long. off maps a byte of norm to a byte of the original; nil means that they are one.
type view struct {
	orig, norm, lower string
	off               []int32
}

func viewOf(s string) view {
	if plain(s) {
		return view{orig: s, norm: s, lower: strings.ToLower(s)}
	}
	v := view{orig: s, off: make([]int32, 0, len(s)+1)}
	n := make([]byte, 0, len(s))
	l := make([]byte, 0, len(s))
	prev := rune(' ')
	for i := 0; i < len(s); {
		r, width := utf8.DecodeRuneInString(s[i:])
		next, _ := utf8.DecodeRuneInString(s[i+width:])
		for _, f := range fold(r, prev, next) {
			from := len(n)
			n = utf8.AppendRune(n, f)
			l = utf8.AppendRune(l, unicode.ToLower(f))
			if len(l) != len(n) {
				l = append(l[:from], n[from:]...)
			}
			for range len(n) - from {
				v.off = append(v.off, int32(i))
			}
			prev = f
		}
		i += width
	}
	v.off = append(v.off, int32(len(s)))
	v.norm, v.lower = string(n), string(l)
	return v
}

// plain reports whether folding changes nothing: printable ASCII, tabs and line ends.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// lookalikes are Cyrillic and Greek letters drawn as Latin ones; they fold only beside a Latin letter or a
// digit, so that Cyrillic text stays what it is.
var lookalikes = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'х': 'x', 'у': 'y', 'і': 'i', 'ѕ': 's', 'ј': 'j', 'ԁ': 'd', 'һ': 'h',
	'А': 'A', 'В': 'B', 'Е': 'E', 'К': 'K', 'М': 'M', 'Н': 'H', 'О': 'O', 'Р': 'P', 'С': 'C', 'Т': 'T', 'Х': 'X', 'І': 'I',
	'Α': 'A', 'Β': 'B', 'Ε': 'E', 'Ζ': 'Z', 'Η': 'H', 'Ι': 'I', 'Κ': 'K', 'Μ': 'M', 'Ν': 'N', 'Ο': 'O', 'Ρ': 'P', 'Τ': 'T',
	'Υ': 'Y', 'Χ': 'X', 'ο': 'o', 'ν': 'v', 'α': 'a', 'ι': 'i',
}

// fold gives what r reads as: nothing for a character of no width, else one or a few characters.
func fold(r, prev, next rune) string {
	switch {
	case r == '\n' || r == '\t' || r == '\r' || r >= ' ' && r < 0x7f:
		return ascii[r : r+1]
	case r < ' ' || r == 0x7f || r == utf8.RuneError || r == 0xa0 || unicode.Is(unicode.Zs, r):
		return " "
	case r == 0xad || dressing(r) || unicode.Is(unicode.Cf, r):
		return ""
	case r == '‘' || r == '’' || r == 'ʼ' || r == '`' || r == '´':
		return "'"
	case r == '“' || r == '”' || r == '„':
		return "\""
	case r >= 0x2010 && r <= 0x2015 || r == 0x2212:
		return "-"
	case r == 0x2028 || r == 0x2029:
		return "\n"
	}
	if l, ok := lookalikes[r]; ok && (latinOrDigit(prev) || latinOrDigit(next)) {
		return string(l)
	}
	if unicode.Is(unicode.Nd, r) && r < 0x1d7ce {
		zero := r
		for r-zero < 9 && unicode.Is(unicode.Nd, zero-1) && (zero-1)%16 != 5 && (zero-1)%16 != 15 {
			zero--
		}
		return ascii['0'+r-zero : '0'+r-zero+1]
	}
	if r >= 0x2000 && !unicode.Is(unicode.Co, r) {
		return norm.NFKC.String(string(r))
	}
	return string(r)
}

func latinOrDigit(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// ascii holds every ASCII character at its own index, to cut one-character strings from.
var ascii = func() string {
	b := make([]byte, 128)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}()

// original maps bytes [s, e) of norm to bytes of the original text.
func (v *view) original(s, e int) (int, int) {
	if v.off == nil {
		return s, e
	}
	from, to := int(v.off[s]), int(v.off[e-1])
	_, n := utf8.DecodeRuneInString(v.orig[to:])
	for to += n; to < len(v.orig); to += n {
		var r rune
		if r, n = utf8.DecodeRuneInString(v.orig[to:]); !dressing(r) {
			break
		}
	}
	return from, to
}

// dressing reports whether a character belongs to the one before it: the marks that make an emoji of a digit.
func dressing(r rune) bool { return r == 0x20e3 || r >= 0xfe00 && r <= 0xfe0f }
