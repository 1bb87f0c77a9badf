package classify

import (
	"math"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Feature is one bucket of a text and its weight there; the squares of a text's weights sum to 1.
type Feature struct {
	Bucket uint32
	Value  float32
}

// extractor turns texts into features. It is scratch space: one goroutine at a time.
type extractor struct {
	bits     uint
	rarity   []float32 // by bucket; nil: all alike
	words    []byte    // normalised words, each with a space before and after
	starts   []int
	hashes   []uint32
	features []Feature
}

const (
	offset32   = 2166136261 // FNV-1a
	prime32    = 16777619
	wordBit    = 1          // set in the buckets of words and pairs of words
	wordWeight = 2          // a word counts as much as two runs of characters
	runs32     = 0x9e3779b9 // keeps runs apart from words
)

// of gives the features of a text: words, pairs of words, and runs of 3 to 5 characters inside each word and its
// two spaces. They are valid until the next call.
func (x *extractor) of(text string) []Feature {
	x.normalise(text)
	x.hashes = x.hashes[:0]
	before := uint32(0)
	for i, start := range x.starts {
		end := len(x.words)
		if i+1 < len(x.starts) {
			end = x.starts[i+1]
		}
		word := x.words[start:end] // " word "
		whole := hash(offset32, word)
		x.hashes = append(x.hashes, x.bucket(whole)|wordBit)
		if i > 0 {
			x.hashes = append(x.hashes, x.bucket(before*prime32^whole)|wordBit)
		}
		before = whole
		if word[1] == '[' {
			continue // a mask stands for itself
		}
		x.runs(word)
	}
	return x.weigh()
}

func (x *extractor) runs(word []byte) {
	for i := range word {
		if !utf8.RuneStart(word[i]) {
			continue
		}
		h, n := uint32(runs32), 0
		for j := i; j < len(word) && n < 5; {
			_, size := utf8.DecodeRune(word[j:])
			h = hash(h, word[j:j+size])
			j += size
			if n++; n >= 3 {
				x.hashes = append(x.hashes, x.bucket(h)&^wordBit)
			}
		}
	}
}

// normalise splits text into words of lower-case letters, digits (each read as 0) and apostrophes; a mask such as
// [PHONE] is one word.
func (x *extractor) normalise(text string) {
	x.words, x.starts = x.words[:0], x.starts[:0]
	inside := false
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == '’' {
			r = '\''
		}
		switch {
		case r == '[':
			if end := mask(text[i:]); end > 0 {
				x.close(&inside)
				x.open(&inside)
				x.words = append(x.words, text[i:i+end]...)
				x.close(&inside)
				i += end
				continue
			}
			x.close(&inside)
		case unicode.IsLetter(r):
			x.open(&inside)
			x.words = utf8.AppendRune(x.words, unicode.ToLower(r))
		case unicode.IsDigit(r):
			x.open(&inside)
			x.words = append(x.words, '0')
		case r == '\'' && inside:
			x.words = append(x.words, '\'')
		default:
			x.close(&inside)
		}
		i += size
	}
	x.close(&inside)
}

func (x *extractor) open(inside *bool) {
	if !*inside {
		x.starts = append(x.starts, len(x.words))
		x.words = append(x.words, ' ')
		*inside = true
	}
}

func (x *extractor) close(inside *bool) {
	if *inside {
		x.words = append(x.words, ' ')
		*inside = false
	}
}

// mask is the length of the mask that text begins with, 0 for none: "[PHONE]", "[PERSON_2]".
func mask(text string) int {
	for i := 1; i < len(text) && i < 32; i++ {
		switch c := text[i]; {
		case c == ']' && i > 1:
			return i + 1
		case (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_':
			return 0
		}
	}
	return 0
}

// weigh counts the hashes and scales them: 1 + log of the count, times the bucket's rarity, to unit length.
func (x *extractor) weigh() []Feature {
	slices.Sort(x.hashes)
	x.features = x.features[:0]
	var squares float64
	for i := 0; i < len(x.hashes); {
		j := i + 1
		for j < len(x.hashes) && x.hashes[j] == x.hashes[i] {
			j++
		}
		v := float32(1)
		if j-i > 1 {
			v += float32(math.Log(float64(j - i)))
		}
		if x.rarity != nil {
			v *= x.rarity[x.hashes[i]]
		}
		if x.hashes[i]&wordBit != 0 {
			v *= wordWeight
		}
		squares += float64(v) * float64(v)
		x.features = append(x.features, Feature{x.hashes[i], v})
		i = j
	}
	if squares > 0 {
		scale := float32(1 / math.Sqrt(squares))
		for i := range x.features {
			x.features[i].Value *= scale
		}
	}
	return x.features
}

// bucket mixes a hash (the finaliser of MurmurHash3) and keeps its low bits.
func (x *extractor) bucket(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	h ^= h >> 16
	return h & (1<<x.bits - 1)
}

func hash(h uint32, b []byte) uint32 {
	for _, c := range b {
		h = (h ^ uint32(c)) * prime32
	}
	return h
}
