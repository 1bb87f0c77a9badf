package redact

import (
	"slices"
	"strings"

	"murmur/internal/redact/gazetteer"
)

// subject is one thing known about the people of a conversation: a name, an address, a number.
type subject struct {
	words  []string // lower case, of a name
	sounds []string // of the words of 4 letters and more
	digits string   // of a number
	exact  string   // of anything else: an e-mail address
}

// subjectsOf prepares known values for matching.
func subjectsOf(values []string) []subject {
	var out []subject
	for _, p := range values {
		v := viewOf(p)
		text := strings.TrimSpace(v.lower)
		if text == "" {
			continue
		}
		digits := make([]byte, 0, len(text))
		letters := 0
		for i := range len(text) {
			switch c := text[i]; {
			case num(c):
				digits = append(digits, c)
			case letter(c):
				letters++
			}
		}
		switch {
		case len(digits) >= 4 && letters == 0:
			out = append(out, subject{digits: string(digits)})
		case strings.Contains(text, "@") || len(digits) > 0:
			out = append(out, subject{exact: text})
		default:
			s := subject{}
			for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '-' || r == '.' }) {
				if len(w) < 2 || lexicon[w]&title != 0 {
					continue
				}
				s.words = append(s.words, w)
				s.sounds = append(s.sounds, sound(w))
			}
			if s.words != nil {
				out = append(out, s)
			}
		}
	}
	return out
}

// findSubjects marks what is known: names exactly, one slip away, or by sound from four letters on.
func (s *scan) findSubjects(known []subject) {
	for k := range known {
		p := &known[k]
		switch {
		case p.digits != "":
			s.findKnownDigits(p.digits)
		case p.exact != "":
			for at := 0; ; {
				i := strings.Index(s.lower[at:], p.exact)
				if i < 0 {
					break
				}
				s.markBytes(at+i, at+i+len(p.exact), Email, 99, BySubject)
				at += i + len(p.exact)
			}
		default:
			for i, t := range s.tok {
				if t.kind == word {
					s.findKnownName(i, p)
				}
			}
		}
	}
}

func (s *scan) findKnownName(i int, p *subject) {
	t := s.tok[i]
	low := s.low(i)
	for k, w := range p.words {
		exact := low == w
		// A known name that is a word too ("Will", "May") needs its capital, or its neighbour.
		if exact && t.lex&(stop|common|unit|month) != 0 && t.shape == small && !p.has(s.low(i+1)) && !p.has(s.low(i-1)) {
			continue
		}
		if exact && t.gaz&gazetteer.Word != 0 && t.shape == small && !p.has(s.low(i+1)) && !p.has(s.low(i-1)) && (s.cased || s.verbFollows(i)) {
			continue
		}
		near := !exact && len(w) >= 4 && len(low) >= 4 && t.gaz&gazetteer.Word == 0 && t.lex&stop == 0 &&
			(slip(low, w) || sound(low) == p.sounds[k] && (low[0] == w[0] || len(p.sounds[k]) >= 3))
		if exact || near {
			s.mark(i, i+1, Person, 97, BySubject)
			return
		}
	}
}

// verbFollows reports whether the word at token i is rather a verb than a name: "i hope", "to grant".
func (s *scan) verbFollows(i int) bool {
	switch s.low(i - 1) {
	case "i", "you", "we", "they", "he", "she", "it", "to", "can", "could", "will", "would", "should", "must", "don't", "dont", "not", "please", "i'll", "i'd":
		return s.nameCue(i) == noCue
	}
	return false
}

func (p *subject) has(w string) bool {
	return slices.Contains(p.words, w)
}

// findKnownDigits marks runs that end like a known number, four digits at least.
func (s *scan) findKnownDigits(digits string) {
	for k := range s.runs {
		r := &s.runs[k]
		if r.Digits < 4 {
			continue
		}
		v := r.Value()
		if len(v) >= 4 && (strings.HasSuffix(digits, v) || len(digits) >= 7 && strings.Contains(v, digits[max(0, len(digits)-10):])) {
			s.mark(r.From, r.To, Phone, 97, BySubject)
		}
	}
}

// markBytes marks the tokens that bytes [from, to) of the view touch.
func (s *scan) markBytes(from, to int, t Type, score uint8, why Why) {
	a, b := -1, -1
	for i, k := range s.tok {
		if int(k.e) > from && int(k.s) < to {
			if a < 0 {
				a = i
			}
			b = i + 1
		}
	}
	if a >= 0 {
		s.mark(a, b, t, score, why)
	}
}

// sound reduces a word to how it sounds: consonants that sound alike are one, vowels count at the beginning
// only, doubled letters once. It is a coarser cousin of Soundex without its length limit.
func sound(w string) string {
	w = strings.NewReplacer("ph", "f", "gh", "g", "kn", "n", "wr", "r", "ck", "k", "sch", "s", "sh", "s", "ch", "k", "th", "t", "wh", "w", "x", "ks").Replace(w)
	b := make([]byte, 0, len(w))
	for i := range len(w) {
		c := w[i]
		switch c {
		case 'a', 'e', 'i', 'o', 'u', 'y', 'h', 'w':
			if i > 0 {
				continue
			}
			c = 'a'
		case 'c', 'q', 'k', 'g', 'j':
			c = 'k'
		case 's', 'z':
			c = 's'
		case 'd', 't':
			c = 't'
		case 'b', 'p':
			c = 'p'
		case 'v', 'f':
			c = 'f'
		case 'm', 'n':
			c = 'n'
		}
		if len(b) == 0 || b[len(b)-1] != c {
			b = append(b, c)
		}
	}
	return string(b)
}
