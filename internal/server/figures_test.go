package server

import (
	"path/filepath"
	"slices"
	"testing"

	"murmur/internal/crowd"
	"murmur/internal/crowd/release"
	"murmur/internal/insight"
	"murmur/internal/workspace"
)

// A question that came later than the tables of a period is a figure with a reason; the others stay.
func TestALaterQuestionHasAReasonAndHidesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if err := fill(t.Context(), dir, 3000, mixes["mixed"], false); err != nil {
		t.Fatal(err)
	}
	n, err := openSize(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	reopen := func(leave string) {
		t.Helper()
		if err := n.crowd.Close(); err != nil {
			t.Fatal(err)
		}
		queries := slices.DeleteFunc(catalogueQueries(), func(q release.Query) bool { return q.Name == leave })
		n.crowd, err = crowd.Open(t.Context(), crowd.Config{
			Lake: n.dir.Lake(), Catalog: n.dir.Catalog(), Temp: n.dir.Tmp(), DB: n.db, Seal: n.ring, Queries: queries,
			ReleaseKey: n.ring.Root().Derive("murmur releases 1")[:], Policy: n.store.Policy, Erased: n.zone.Erased, Now: n.now,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	reopen("ring-timeout/1")
	if err := n.releaseDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	reopen("")
	figures, err := n.Figures(t.Context(), workspace.Default, "", release.Owner)
	if err != nil {
		t.Fatal(err)
	}
	later, shown := map[string]int{}, 0
	for _, f := range figures {
		if f.Reason == insight.LaterQuestion && f.Hidden == "no-data" {
			later[f.Insight]++
		}
		if f.Hidden == "" {
			shown++
		}
	}
	if len(later) != 1 || later["ring-timeout"] < 2 || shown == 0 {
		t.Errorf("later questions: %v, %d figures shown", later, shown)
	}
}
