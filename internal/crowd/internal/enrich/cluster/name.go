package cluster

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
)

// Words gives the different words of a masked text, in small letters. Masks and numbers are none.
func Words(text string) (words []string) {
	seen := map[string]bool{}
	for _, field := range strings.Fields(strings.ToLower(withoutMasks(text))) {
		w := strings.TrimFunc(field, func(r rune) bool { return !unicode.IsLetter(r) })
		other := strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' && r != '’' && r != '-' })
		if len([]rune(w)) > 2 && !other && !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	return words
}

// withoutMasks puts a space in the place of [PHONE] and the like.
func withoutMasks(text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		b.WriteByte(' ')
		if _, after, closed := strings.Cut(rest, "]"); closed {
			rest = after
		}
		text = rest
	}
}

// Names gives for each of k groups up to most words that tell it from the others, the most telling first, of those that may
// name it: how many of its texts have the word, times the logarithm of how rare the word is in all groups (class-based TF-IDF,
// Grootendorst 2022).
func Names(texts []string, group []int, k, most int, may func(group int, word string) bool) [][]string {
	in := make([]map[string]float64, k)
	for g := range in {
		in[g] = map[string]float64{}
	}
	everywhere, all := map[string]float64{}, 0.0
	for i, t := range texts {
		for _, w := range Words(t) {
			in[group[i]][w]++
			everywhere[w]++
			all++
		}
	}
	names := make([][]string, k)
	for g, words := range in {
		weight := func(w string) float64 { return words[w] * math.Log(1+all/float64(k)/everywhere[w]) }
		sorted := slices.SortedFunc(maps.Keys(words), func(a, b string) int {
			return cmp.Or(cmp.Compare(weight(b), weight(a)), cmp.Compare(a, b))
		})
		for _, w := range sorted {
			if len(names[g]) < most && may(g, w) {
				names[g] = append(names[g], w)
			}
		}
	}
	return names
}
