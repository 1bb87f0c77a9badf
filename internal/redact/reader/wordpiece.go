package reader

import (
	"bytes"
	"errors"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// vocabulary cuts text into the word pieces that the model knows, as the "uncased" BERT tokenizer does
// (Devlin et al. 2018; google-research/bert tokenization.py): lower case, accents off, punctuation apart, then the
// longest piece first. Text that spells a special token ("[MASK]") is ordinary text here.
type vocabulary struct {
	first map[string]int32 // pieces that begin a word
	next  map[string]int32 // pieces that go on, without "##"
	unk   int32
	cls   int32
	sep   int32
	size  int // ids
}

// piece is one token: what it is, and the bytes of the text that it stands for.
type piece struct {
	id         int32
	start, end int
	word       int // pieces of one word share the number
}

var errVocabulary = errors.New("reader: not the model's vocabulary")

// readVocabulary reads a list of pieces: one a line, its number is its id. One in brackets is special: no text spells it.
func readVocabulary(file []byte) (*vocabulary, error) {
	v := &vocabulary{first: map[string]int32{}, next: map[string]int32{}}
	id := int32(0)
	for line := range bytes.Lines(file) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if rest, ok := bytes.CutPrefix(line, []byte("##")); ok && len(rest) > 0 {
			v.next[string(rest)] = id
		} else {
			v.first[string(line)] = id
		}
		id++
	}
	for name, at := range map[string]*int32{"[UNK]": &v.unk, "[CLS]": &v.cls, "[SEP]": &v.sep} {
		i, ok := v.first[name]
		if !ok {
			return nil, errVocabulary
		}
		*at = i
		delete(v.first, name)
	}
	v.size = int(id)
	return v, nil
}

// wordMax is the longest word in characters that is cut into pieces; a longer one is unknown as a whole.
const wordMax = 100

// letter is one character of a folded word, with the bytes of the text it came from.
type letter struct {
	at         int // in the folded word
	start, end int
}

// cutter holds the buffers of pieces.
type cutter struct {
	word    []byte
	letters []letter
	out     []piece
	words   int
}

// pieces cuts text. The result is valid until the next call.
func (v *vocabulary) pieces(c *cutter, text string) []piece {
	c.out, c.word, c.letters, c.words = c.out[:0], c.word[:0], c.letters[:0], 0
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch start := i; {
		case space(r):
			v.flush(c)
		case r == utf8.RuneError || r == 0 || control(r): // nothing, as if it were not there
		case punct(r) || ideograph(r):
			v.flush(c)
			c.fold(v, r, start, i+n)
			v.flush(c)
		default:
			c.fold(v, r, start, i+n)
		}
		i += n
	}
	v.flush(c)
	return c.out
}

// fold adds a character in lower case without its accents.
func (c *cutter) fold(v *vocabulary, r rune, start, end int) {
	if r < utf8.RuneSelf {
		c.add(unicode.ToLower(r), start, end)
		return
	}
	var one, many [utf8.UTFMax * 8]byte
	apart := norm.NFD.Append(many[:0], one[:utf8.EncodeRune(one[:], r)]...)
	for len(apart) > 0 {
		r, n := utf8.DecodeRune(apart)
		apart = apart[n:]
		switch {
		case unicode.Is(unicode.Mn, r):
		case punct(r):
			v.flush(c)
			c.add(r, start, end)
			v.flush(c)
		default:
			c.add(unicode.ToLower(r), start, end)
		}
	}
}

func (c *cutter) add(r rune, start, end int) {
	c.letters = append(c.letters, letter{len(c.word), start, end})
	c.word = utf8.AppendRune(c.word, r)
}

// flush cuts the word that was gathered: the longest known piece first, until it is used up.
func (v *vocabulary) flush(c *cutter) {
	word, letters := c.word, c.letters
	c.word, c.letters = c.word[:0], c.letters[:0]
	if len(letters) == 0 {
		return
	}
	known, begin := v.first, len(c.out)
	for at := 0; at < len(letters); {
		id, to := v.unk, len(letters)
		found := false
		for ; to > at && len(letters) <= wordMax; to-- {
			end := len(word)
			if to < len(letters) {
				end = letters[to].at
			}
			if id, found = known[string(word[letters[at].at:end])]; found {
				break
			}
		}
		if !found { // one strange letter makes the whole word unknown
			c.out = append(c.out[:begin], piece{v.unk, letters[0].start, letters[len(letters)-1].end, c.words})
			break
		}
		c.out = append(c.out, piece{id, letters[at].start, letters[to-1].end, c.words})
		known, at = v.next, to
	}
	c.words++
}

func space(r rune) bool { return r == '\t' || r == '\n' || r == '\r' || unicode.IsSpace(r) }

// control reports whether the tokenizer drops r: Unicode category C, without what counts as space.
func control(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs) }

// punct reports whether r is a token of its own: Unicode category P, and every ASCII sign.
func punct(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r < 0x7f && !(r >= '0' && r <= '9') && !(r|0x20 >= 'a' && r|0x20 <= 'z')
	}
	return unicode.IsPunct(r)
}

// ideograph reports whether r is a Chinese character, which is a word of its own.
func ideograph(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF || r >= 0x20000 && r <= 0x2A6DF ||
		r >= 0x2A700 && r <= 0x2B81F || r >= 0x2B920 && r <= 0x2CEAF || r >= 0xF900 && r <= 0xFAFF || r >= 0x2F800 && r <= 0x2FA1F
}
