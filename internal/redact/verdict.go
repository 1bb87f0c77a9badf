package redact

import (
	"unicode"
	"unicode/utf8"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/token"
)

// Verdict says whether a redaction may be trusted, and if not, why. Whoever stores the text refuses anything but Clean.
type Verdict uint8

const (
	// Clean: the masked text was read again and nothing was found in it.
	Clean Verdict = iota
	// Unsettled: something was still found after the last reading.
	Unsettled
	// Foreign: most of the text is in a language whose names and numbers in words the rules do not know.
	Foreign
	// Unreadable: too much of the text is no text: broken encoding, control characters.
	Unreadable
)

// What it takes to be judged: a short text can be any language, or a name.
const (
	judgedWords   = 20
	judgedLetters = 60
	judgedSigns   = 40
)

// outlook counts what a document is made of.
type outlook struct {
	words, common, english int // words; those that are English function words, and those that English has at all
	letters, alien         int // letters, and those of another script
	signs, broken          int // code points, and those that are no text
}

// look counts the loaded turn.
func (o *outlook) look(s *turn) {
	for i, t := range s.Tokens {
		if t.Kind != token.Word || s.RunOf[i] != 0 {
			continue
		}
		o.words++
		if t.Lex&(token.Stop|token.Ack|token.Greet) != 0 {
			o.common++
		}
		if t.Lex != 0 || t.Gaz&gazetteer.Word != 0 {
			o.english++
		}
	}
	for i := 0; i < len(s.Orig); {
		r, n := utf8.DecodeRuneInString(s.Orig[i:])
		i += n
		o.signs++
		switch {
		case r == utf8.RuneError && n < 3, unicode.Is(unicode.Co, r), r < ' ' && r != '\n' && r != '\t' && r != '\r':
			o.broken++
		case r < utf8.RuneSelf:
			if token.AsciiLetter(byte(r)) {
				o.letters++
			}
		case unicode.IsLetter(r):
			o.letters++
			if !unicode.Is(unicode.Latin, r) {
				o.alien++
			}
		}
	}
}

// verdict judges the whole document. English talk has a function word in every two or three; lists of names and
// addresses have few, but their words are not all unknown.
func (o *outlook) verdict() Verdict {
	switch {
	case o.signs >= judgedSigns && o.broken*10 > o.signs:
		return Unreadable
	case o.letters >= judgedLetters && o.alien*2 > o.letters:
		return Foreign
	case o.words >= judgedWords && o.common*100 < o.words*15 && o.english*100 < o.words*45:
		return Foreign
	}
	return Clean
}
