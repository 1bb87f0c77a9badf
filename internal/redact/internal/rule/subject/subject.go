// Package subject marks the conversation's own contact and member: exactly, one slip away, by sound, by the last digits.
//
// Zone: RED.
package subject

import (
	"slices"
	"strings"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/rule/name"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// Subject is one thing known about the people of a conversation: a name, an address, a number.
type Subject struct {
	words  []string // lower case, of a name
	sounds []string // of the words of 4 letters and more
	digits string   // of a number
	exact  string   // of anything else: an e-mail address
}

// SubjectsOf prepares known values for matching.
func SubjectsOf(values []string) []Subject {
	var out []Subject
	for _, p := range values {
		v := token.ViewOf(p)
		text := strings.TrimSpace(v.Lower)
		if text == "" {
			continue
		}
		digits := make([]byte, 0, len(text))
		letters := 0
		for i := range len(text) {
			switch c := text[i]; {
			case check.Digit(c):
				digits = append(digits, c)
			case check.Letter(c):
				letters++
			}
		}
		switch {
		case len(digits) >= 4 && letters == 0:
			out = append(out, Subject{digits: string(digits)})
		case strings.Contains(text, "@") || len(digits) > 0:
			out = append(out, Subject{exact: text})
		default:
			s := Subject{}
			for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '-' || r == '.' }) {
				if len(w) < 2 || token.Lexicon[w]&token.Title != 0 {
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

// FindSubjects marks what is known: names exactly, one slip away, or by sound from four letters on.
func FindSubjects(s *scan.Scan, known []Subject) {
	for k := range known {
		p := &known[k]
		switch {
		case p.digits != "":
			findKnownDigits(s, p.digits)
		case p.exact != "":
			for at := 0; ; {
				i := strings.Index(s.Lower[at:], p.exact)
				if i < 0 {
					break
				}
				markBytes(s, at+i, at+i+len(p.exact), kind.Email, 99, kind.BySubject)
				at += i + len(p.exact)
			}
		default:
			for i, t := range s.Tokens {
				if t.Kind == token.Word {
					findKnownName(s, i, p)
				}
			}
		}
	}
}

func findKnownName(s *scan.Scan, i int, p *Subject) {
	t := s.Tokens[i]
	low := s.Low(i)
	for k, w := range p.words {
		exact := low == w
		// A known name that is a word too ("Will", "May") needs its capital, or its neighbour.
		if exact && t.Lex&(token.Stop|token.Common|token.Unit|token.Month) != 0 && t.Shape == token.Small && !p.has(s.Low(i+1)) && !p.has(s.Low(i-1)) {
			continue
		}
		if exact && t.Gaz&gazetteer.Word != 0 && t.Shape == token.Small && !p.has(s.Low(i+1)) && !p.has(s.Low(i-1)) && (s.Cased || verbFollows(s, i)) {
			continue
		}
		near := !exact && len(w) >= 4 && len(low) >= 4 && t.Gaz&gazetteer.Word == 0 && t.Lex&token.Stop == 0 &&
			(check.Slip(low, w) || sound(low) == p.sounds[k] && (low[0] == w[0] || len(p.sounds[k]) >= 3))
		if exact || near {
			s.Mark(i, i+1, kind.Person, 97, kind.BySubject)
			return
		}
	}
}

// verbFollows reports whether the word at token i is rather a verb than a name: "i hope", "to grant".
func verbFollows(s *scan.Scan, i int) bool {
	switch s.Low(i - 1) {
	case "i", "you", "we", "they", "he", "she", "it", "to", "can", "could", "will", "would", "should", "must", "don't", "dont", "not", "please", "i'll", "i'd":
		return name.NameCue(s, i) == name.NoCue
	}
	return false
}

func (p *Subject) has(w string) bool {
	return slices.Contains(p.words, w)
}

// findKnownDigits marks runs that end like a known number, four digits at least.
func findKnownDigits(s *scan.Scan, digits string) {
	for k := range s.Runs {
		r := &s.Runs[k]
		if r.Digits < 4 {
			continue
		}
		v := r.Value()
		if len(v) >= 4 && (strings.HasSuffix(digits, v) || len(digits) >= 7 && strings.Contains(v, digits[max(0, len(digits)-10):])) {
			s.Mark(r.From, r.To, kind.Phone, 97, kind.BySubject)
		}
	}
}

// markBytes marks the tokens that bytes [from, to) of the view touch.
func markBytes(s *scan.Scan, from, to int, t kind.Type, score uint8, why kind.Why) {
	a, b := -1, -1
	for i, k := range s.Tokens {
		if int(k.End) > from && int(k.Start) < to {
			if a < 0 {
				a = i
			}
			b = i + 1
		}
	}
	if a >= 0 {
		s.Mark(a, b, t, score, why)
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
