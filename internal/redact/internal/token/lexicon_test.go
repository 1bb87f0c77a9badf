package token

import (
	"slices"
	"strings"
	"testing"

	"murmur/internal/redact/kind"
)

// TestTheLexiconIsRead: every section of lexicon.txt is of a class or a type, none is empty, and no word announces two types.
func TestTheLexiconIsRead(t *testing.T) {
	t.Parallel()
	words, announces := map[string]int{}, map[string]string{}
	for section, word := range sections() {
		words[section]++
		strength, name, isCue := strings.Cut(section, " ")
		switch {
		case word != strings.ToLower(word):
			t.Errorf("[%s] %s: words are in lower case", section, word)
		case !isCue && !slices.Contains(classes[:], section), isCue && (strength != "cue" && strength != "weak" || !slices.Contains(kind.Names[:], name)):
			t.Errorf("[%s] is no section", section)
		case isCue && announces[word] != "":
			t.Errorf("%s is a cue of %s and of %s", word, announces[word], section)
		case isCue:
			announces[word] = section
		}
	}
	for _, class := range classes {
		if words[class] < 4 {
			t.Errorf("[%s]: %d words", class, words[class])
		}
	}
	if Lexicon["may"] != Stop|Month|Stray || Lexicon["verb"] != 0 || 1<<(len(classes)-1) != Verb || cues["number"] != kind.Phone || !WeakCue["number"] || WeakCue["phone"] {
		t.Errorf("may: %b; number: %v", Lexicon["may"], cues["number"])
	}
}
