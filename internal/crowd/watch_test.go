package crowd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/workspace"
)

// Of many workspaces those are looked at in which something changed, or in which a period may close; at the start all are.
func TestOnlyWorkspacesWithNewsAreDue(t *testing.T) {
	t.Parallel()
	w := newTown(t, townQueries()...)
	l := &life{rng: rand.New(rand.NewPCG(8, 8)), mk: facttest.New(t)}
	var all []workspace.ID
	for i := range 5 {
		all = append(all, workspace.MustParse(fmt.Sprint("town-", i)))
		w.add(all[i], nil, l.call(townNow.Add(-time.Hour), i))
	}
	due := func() []workspace.ID {
		t.Helper()
		now, err := w.Due(t.Context())
		w.must(err)
		slices.SortFunc(now, func(a, b workspace.ID) int { return slices.Compare(a[:], b[:]) })
		return now
	}
	look := func(which ...workspace.ID) {
		t.Helper()
		for _, ws := range which {
			_, err := w.Release(t.Context(), ws, Schedule)
			w.must(err)
		}
	}
	if got := due(); !slices.Equal(got, all) {
		t.Fatalf("at the start %v are due", got)
	}
	look(all...)
	if got := due(); len(got) > 0 {
		t.Errorf("nothing changed, and %v are due", got)
	}
	w.add(all[3], nil, []fact.Fact{l.call(townNow, 3)}...)
	for range 2 { // until it was looked at
		if got := due(); !slices.Equal(got, all[3:4]) {
			t.Errorf("one has a call, and %v are due", got)
		}
	}
	look(all[3])
	w.now = townNow.AddDate(0, 0, 6) // the week ended two days ago
	if got := due(); !slices.Equal(got, all) {
		t.Errorf("a week may close, and %v are due", got)
	}
	look(all...)
	if got := due(); len(got) > 0 {
		t.Errorf("all weeks are closed, and %v are due", got)
	}
}
