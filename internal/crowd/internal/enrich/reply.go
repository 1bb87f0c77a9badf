package enrich

import (
	"hash/fnv"
	"math"
	"strings"
	"unicode"

	"murmur/internal/fact"
)

// leastWords is how many different words a reply has at least: "ok, thanks" is nothing to automate.
const leastWords = 5

// reply is the label of what a text says, 0 for a short one. Two texts have the same label with a probability of J squared,
// where J is the share of their words that they have in common: the label is made of two minimal hashes of the words
// (Broder 1997, "On the resemblance and containment of documents"). What was masked counts as one word, digits as one sign,
// so that a template has one label for everybody.
func reply(text string) fact.Label {
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }) {
		words[strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return '#'
			}
			return r
		}, w)] = true
	}
	if len(words) < leastWords {
		return 0
	}
	least := [2]uint64{math.MaxUint64, math.MaxUint64}
	for w := range words {
		for i := range least {
			least[i] = min(least[i], hash(byte(i), w))
		}
	}
	both := hash(2, string(appendNumber(appendNumber(nil, least[0]), least[1])))
	return fact.Label(max(1, int64(both>>1)))
}

func hash(seed byte, s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte{seed})
	_, _ = h.Write([]byte(s))
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd // FNV's high bits move little for short words
	return x ^ x>>33
}

func appendNumber(b []byte, n uint64) []byte {
	for range 8 {
		b, n = append(b, byte(n)), n>>8
	}
	return b
}
