package token

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// View is a turn's text as the rules read it. norm is the text folded (full-width and mathematical digits,
// curly quotes, letters that only look Latin, nothing of zero width), lower the same in lower case, byte for
// byte as long. off maps a byte of norm to a byte of the original; nil means that they are one.
type View struct {
	Orig, Norm, Lower string
	off               []int32
}

// ViewOf folds a text.
func ViewOf(s string) View {
	if plain(s) {
		return View{Orig: s, Norm: s, Lower: strings.ToLower(s)}
	}
	v := View{Orig: s, off: make([]int32, 0, len(s)+1)}
	n := make([]byte, 0, len(s))
	l := make([]byte, 0, len(s))
	prev, before := rune(' '), rune(' ')
	numerals := 0 // to where numerals are digits
	for i := 0; i < len(s); {
		r, width := utf8.DecodeRuneInString(s[i:])
		next, _ := utf8.DecodeRuneInString(s[i+width:])
		folded := ""
		c, isNumeral := numeral(r)
		if isNumeral && i >= numerals {
			if n := numeralsOf(s[i:]); n > 0 {
				numerals, folded = i+n, " " // behind a letter of a script without spaces
			}
		}
		if i < numerals {
			folded += ascii[c : c+1]
		} else if folded = fold(r, prev, next); r >= 0x7f {
			folded = besides(r, before, prev, next, folded)
		}
		before = r
		for _, f := range folded {
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
	v.Norm, v.Lower = string(n), string(l)
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

// besides gives what r reads as among digits: nothing for what is not seen there or only adorns them, a space for what parts lines
// and for a letter of a script that needs no spaces, a digit for one that is set high in a number.
func besides(r, before, prev, next rune, folded string) string {
	digit := prev >= '0' && prev <= '9' || prev == '+' || prev == '-'
	switch {
	case hidden(r), digit && unicode.In(r, unicode.Mn, unicode.Me):
		return ""
	case r == 0x85, r == 0x2800:
		return " "
	case (r == 0x2028 || r == 0x2029) && digit && (unicode.IsDigit(next) || next == '-'):
		return " "
	case high(r) && (high(before) && digit || !high(before) && high(next) && !unicode.IsLetter(prev)): // no footnote, no 10²
		return norm.NFKC.String(string(r))
	case unspaced(r) && unicode.IsDigit(next):
		return folded + " "
	case unspaced(r) && prev >= '0' && prev <= '9':
		return " " + folded
	}
	return folded
}

// hidden reports what no font shows and is no format character (Unicode 5.21, default ignorable code points).
func hidden(r rune) bool {
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || r == 0x180f || r >= 0xe0100 && r <= 0xe01ef
}

// high reports a digit, or a plus, in the height of an exponent.
func high(r rune) bool {
	return r == '¹' || r == '²' || r == '³' || r >= 0x2070 && r <= 0x207a
}

// unspaced reports a letter of a script that sets no spaces between words.
func unspaced(r rune) bool {
	return r >= 0xe00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

// numeral reads a Chinese numeral from zero to nine.
func numeral(r rune) (digit rune, ok bool) {
	switch r {
	case '〇', '零', '○':
		return '0', true
	case '一', '二', '三', '四', '五', '六', '七', '八', '九':
		return rune('1' + strings.IndexRune("一二三四五六七八九", r)/3), true
	case '幺':
		return '1', true
	}
	return 0, false
}

// minNumerals is how many numerals in a row are read one by one: fewer are quantities and words.
const minNumerals = 7

// numeralsOf is the length of the row of numerals that s begins with, 0 where it is short.
func numeralsOf(s string) int {
	n := 0
	for i, r := range s {
		if _, ok := numeral(r); !ok {
			if n < minNumerals {
				return 0
			}
			return i
		}
		n++
	}
	if n < minNumerals {
		return 0
	}
	return len(s)
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

// Original maps bytes [s, e) of norm to bytes of the original text.
func (v *View) Original(s, e int) (int, int) {
	if v.off == nil {
		return s, e
	}
	from, to := int(v.off[s]), int(v.off[e-1])
	last, n := utf8.DecodeRuneInString(v.Orig[to:])
	for to += n; to < len(v.Orig); to += n {
		var r rune
		if r, n = utf8.DecodeRuneInString(v.Orig[to:]); !dressing(r) && !(unicode.IsDigit(last) && unicode.In(r, unicode.Mn, unicode.Me)) {
			break
		}
	}
	return from, to
}

// dressing reports whether a character belongs to the one before it: the marks that make an emoji of a digit.
func dressing(r rune) bool { return r == 0x20e3 || r >= 0xfe00 && r <= 0xfe0f }
