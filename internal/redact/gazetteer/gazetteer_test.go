package gazetteer

import (
	"strings"
	"testing"
)

func TestWordsAreFoundWithTheirFlags(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]Flags{
		"maria": CommonFirst, "garcia": CommonLast, "hope": Word | CommonFirst,
		"san francisco": Place, "san": Prefix, "table": Word,
	} {
		if got := Lookup(word); got&want != want {
			t.Errorf("%s: flags %b, want %b among them", word, got, want)
		}
	}
	if got := Lookup("qqxzzy"); got != 0 {
		t.Errorf("an unknown word has flags %b", got)
	}
}

func TestNoTwoWordsShareAHash(t *testing.T) {
	t.Parallel()
	seen := map[uint64]bool{}
	for line := range strings.Lines(words) {
		word, _, _ := strings.Cut(line, "\t")
		h := hash(word) &^ 0xff
		if seen[h] || h == 0 {
			t.Fatalf("line %d shares its hash", len(seen))
		}
		seen[h] = true
	}
	if len(seen) > slots/2 {
		t.Fatalf("%d words in %d slots", len(seen), slots)
	}
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Lookup("garcia")
	}
}

func TestTownsStandForTheirStates(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"texas": "TX", "austin": "TX", "springfield": "", "paris": "", "nowhere": ""} {
		if got := State(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
