package server

import (
	"errors"
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

// TestNoNameIsAWordOfASubject: words of subjects have no capitals and no sentence. Surnames that are on no list of names are left out all the
// same, as the masker reads them where a name is expected; few common words go with them.
func TestNoNameIsAWordOfASubject(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	left := func(words string) (kept []string) {
		t.Helper()
		for _, w := range strings.Fields(words) {
			k, err := n.harmless(t.Context(), workspace.Default, []string{w})
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, k...)
		}
		return kept
	}
	names := left("margaret thistlewood novak okafor fennimore hathersage trelawney bracegirdle quillfeather winterbourne aldersey pemberthy")
	common := left("dog wasps office allowed roof garden solar panels battery invoice haircut bicycle brakes parking delivery nest mortgage kitchen carpet window " +
		"leak engine tyres passport visa dentist crown tooth insurance refund shipping tracking charger")
	t.Logf("%d of 12 names are left: %v; %d of 33 common words: %v", len(names), names, len(common), common)
	if len(names) > 2 || len(common) < 26 {
		t.Errorf("names left: %v; common words left: %v", names, common)
	}
}

// TestTwoLinesAreNotOfOneName: a category is not called as the pages call a public reason, and what does not show in its name is
// taken out, so that two that look alike are one; the hint is about what was wrong.
func TestTwoLinesAreNotOfOneName(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	like := []string{"do you quote for solar", "what do panels cost", "panels for my garage", "we want to go solar", "solar and a battery", "solar on a flat roof", "panels and an inverter", "how long do panels last"}
	hint := func(err error) string {
		if p, ok := errors.AsType[*rpc.Problem](err); ok {
			return p.Hint
		}
		return ""
	}
	for _, name := range []string{"prices", "Complaints", "other  reasons", "booking", "something does not work"} {
		_, err := n.setCategory(t.Context(), rpc.CategoryArgs{Name: name, Like: like})
		if h := hint(err); h == "" || strings.Contains(h, "sentences") {
			t.Errorf("%q: %v, hint %q", name, err, h)
		}
	}
	if _, err := n.setCategory(t.Context(), rpc.CategoryArgs{Name: "Solar", Like: like[:3]}); !strings.Contains(hint(err), "sentences") {
		t.Errorf("hint %q", hint(err))
	}
	for _, name := range []string{"Solar panels", "\u202eSolar\u200b panels", "Solar\u3164 panels"} {
		if c, err := n.setCategory(t.Context(), rpc.CategoryArgs{Name: name, Like: like}); err != nil || c.Name != "Solar panels" {
			t.Errorf("%+q: %q, %v", name, c.Name, err)
		}
	}
	if all, err := n.listCategories(t.Context(), rpc.WorkspaceArgs{}); err != nil || len(all) != 1 {
		t.Errorf("%d categories, %v", len(all), err)
	}
	for _, name := range []string{"prices", "Prices"} {
		if _, err := n.renameCategory(t.Context(), rpc.CategoryNameArgs{Name: "Solar panels", To: name}); err == nil {
			t.Errorf("it is renamed %q", name)
		}
	}
}

// TestAnOwnersNameTellsNobody: what others read of a line tells no person and no way to reach one; a place is no person.
func TestAnOwnersNameTellsNobody(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	rename := func(to string) string {
		_, err := n.rename(t.Context(), rpc.NameArgs{Kind: "line", From: "none", To: to})
		return err.Error() // there is no such line
	}
	const unknown = "nothing of that kind"
	for _, name := range []string{"+1 628 555 7391", "Desk +1 628 555 7391", "Bcc: evil@x.example", "Zebulon Quatermass", "https://evil.example/login"} {
		if said := rename(name); strings.Contains(said, unknown) || strings.Contains(said, "7391") || strings.Contains(said, "Quatermass") {
			t.Errorf("%q: %s", name, said)
		}
	}
	for _, name := range []string{"Front desk", "Late shift", "Berlin office", "Support 2"} {
		if said := rename(name); !strings.Contains(said, unknown) {
			t.Errorf("%q: %s", name, said)
		}
	}
}
