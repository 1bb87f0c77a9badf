package server

import (
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// What an owner types is masked before it is kept: what comes back, and what the category was learned from, has nobody in it.
func TestSentencesAreMaskedBeforeTheyAreKept(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	like := []string{
		"this is Margaret Thistlewood, do you quote for solar", "solar for 14 Harbour Lane, Bristol BS1 4ND please", "my number is +44 7700 900123, I want panels",
		"mail me at m.thistlewood@example.org about solar", "what do panels cost", "panels for my garage", "we want to go solar", "solar and a battery",
	}
	made, err := n.setCategory(t.Context(), rpc.CategoryArgs{Name: "Solar for Margaret Thistlewood", Like: like, Unlike: []string{"ask Margaret Thistlewood about the bill"}})
	if err != nil {
		t.Fatal(err)
	}
	said := made.Name + "\n" + strings.Join(append(made.Like, made.Unlike...), "\n")
	for _, person := range []string{"Margaret", "Thistlewood", "Harbour Lane", "BS1", "900123", "@example"} {
		if strings.Contains(said, person) {
			t.Errorf("%q is kept:\n%s", person, said)
		}
	}
	if len(made.Like) != len(like) || !strings.Contains(said, "[PERSON]") {
		t.Errorf("%d sentences:\n%s", len(made.Like), said)
	}
}

// Words that name a subject go through the masker by themselves and together before anybody reads them.
func TestSubjectsAreMaskedOnceMore(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	for _, c := range []struct{ words, kept string }{
		{"dog|allowed|office", "dog allowed office"},
		{"dog|m.thistlewood@example.org|+44 7700 900123", "dog"},
		{"dog|Margaret Thistlewood", "dog"},
		{"+44 7700|900123", ""},
		{"", ""},
	} {
		kept, err := n.harmless(t.Context(), workspace.Default, strings.Split(c.words, "|"))
		if err != nil || strings.Join(kept, " ") != c.kept {
			t.Errorf("%q: %q, %v", c.words, kept, err)
		}
	}
}
