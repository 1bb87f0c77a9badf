package gazetteer

import (
	"iter"
	"strings"
)

// All yields every entry of the list in its order, lower case, with its flags.
func All() iter.Seq2[string, Flags] {
	return func(yield func(string, Flags) bool) {
		for line := range strings.Lines(words) {
			word, flags, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			var f Flags
			for i := range len(flags) {
				f |= bits[flags[i]]
			}
			if !yield(word, f) {
				return
			}
		}
	}
}
