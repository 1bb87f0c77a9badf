// Package gazetteer knows which words are borne as names, which are places and which are plain English.
//
// Zone: RED. It is one embedded list (words.txt, built by the command in gen, see sources.txt for what it was
// built from and under which licences) behind one hash table, made on first use in about 10 ms and 4 MB.
//
// It promises: the same answer for the same word for ever. What it does not protect against: a name that is
// in no list, which is why the rules never rely on the list alone.
package gazetteer

import (
	_ "embed"
	"sync"
)

//go:embed words.txt
var words string

// Flags say what a word is known as.
type Flags uint8

const (
	CommonFirst Flags = 1 << iota // a first name of at least 1 in 20,000 people of the US census
	First                         // a first name somewhere
	CommonLast                    // a surname of at least 1 in 20,000
	Last                          // a surname somewhere
	Word                          // a lower-case English word
	Place                         // a town, a state or a country, maybe of several words
	Prefix                        // the first word of a place of several words

	Name  = CommonFirst | First | CommonLast | Last
	Given = CommonFirst | First
	Sur   = CommonLast | Last
)

var bits = [256]Flags{'F': CommonFirst, 'f': First, 'S': CommonLast, 's': Last, 'w': Word, 'P': Place, '>': Prefix}

// slots is a power of two well above the number of lines, so that probes are short.
const slots = 1 << 19

// table holds the upper 56 bits of a word's hash and its flags in one number; 0 is empty. Two words of the
// list share 56 bits with a chance of 3e-7, checked by a test.
var table = sync.OnceValue(func() []uint64 {
	t := make([]uint64, slots)
	for at := 0; at < len(words); {
		h := uint64(offset)
		for ; words[at] != '\t'; at++ {
			h = (h ^ uint64(words[at])) * prime
		}
		h = finish(h)
		var f Flags
		for at++; words[at] != '\n'; at++ {
			f |= bits[words[at]]
		}
		at++
		i := h >> 45
		for t[i] != 0 {
			i = (i + 1) & (slots - 1)
		}
		t[i] = h&^0xff | uint64(f)
	}
	return t
})

// Lookup gives the flags of a lower-case word, or of a place of several words joined by single spaces.
// 0 means unknown.
func Lookup(lower string) Flags {
	t, h := table(), hash(lower)
	for i := h >> 45; t[i] != 0; i = (i + 1) & (slots - 1) {
		if t[i]&^0xff == h&^0xff {
			return Flags(t[i])
		}
	}
	return 0
}

// hash is FNV-1a with a last mix, so that the upper bits depend on every byte.
func hash(s string) uint64 {
	h := uint64(offset)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return finish(h)
}

// offset and prime are those of FNV-1a.
const (
	offset = 14695981039346656037
	prime  = 1099511628211
)

func finish(h uint64) uint64 {
	h ^= h >> 32
	return h * 0x9e3779b97f4a7c15
}
