package duckdb

import (
	"fmt"
	"math/bits"
	"strings"
)

// A row comes out of the engine as a few words, each of several small numbers: a number that the driver hands over costs
// as much as the engine's work for it.

// wordBits is how many bits of a word are used, so that no sum of its parts is ever out of range.
const wordBits = 62

// field is where a number stands.
type field struct {
	word   int
	shift  uint
	mask   int64 // of its bits, at the right; 0: the whole word
	lowest int64
}

// bits are those of the word that the number takes.
func (f field) bits() int64 {
	if f.mask == 0 {
		return -1
	}
	return f.mask << f.shift
}

// get takes the number out of the words.
func (f field) get(words []int64) int64 {
	if f.mask == 0 {
		return words[f.word]
	}
	return words[f.word]>>f.shift&f.mask + f.lowest
}

// packer lays fields out.
type packer struct {
	terms [][]string // SQL, by word
	used  []uint     // bits
}

// add places a number from lowest to highest; null and what is outside are the nearest of them.
func (p *packer) add(sql string, lowest, highest int64) field {
	width := uint(max(1, bits.Len64(uint64(highest)-uint64(lowest))))
	if width > wordBits || highest < lowest {
		p.terms, p.used = append(p.terms, []string{fmt.Sprintf("coalesce(%s, 0)", sql)}), append(p.used, wordBits)
		return field{word: len(p.terms) - 1}
	}
	f := field{word: p.word(width), lowest: lowest, mask: 1<<width - 1}
	f.shift = p.used[f.word]
	p.used[f.word] += width
	p.terms[f.word] = append(p.terms[f.word], fmt.Sprintf("(greatest(least(coalesce(%s, %d), %d), %d) - %d) * %d",
		sql, lowest, highest, lowest, lowest, int64(1)<<f.shift))
	return f
}

// word finds or makes one with room.
func (p *packer) word(width uint) int {
	for i, used := range p.used {
		if used+width <= wordBits {
			return i
		}
	}
	p.terms, p.used = append(p.terms, nil), append(p.used, 0)
	return len(p.used) - 1
}

// columns gives the SQL of the words.
func (p *packer) columns() (all []string) {
	for i, terms := range p.terms {
		all = append(all, fmt.Sprintf("CAST(%s AS BIGINT) AS w%d", strings.Join(terms, " + "), i))
	}
	return all
}
