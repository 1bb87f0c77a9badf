package crowd

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"murmur/internal/crowd/internal/lake"
	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/keyring"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// opened is a crowd with real parts in a directory of its own; nobody was erased in it.
func opened(t *testing.T, now func() time.Time, spaces ...workspace.ID) *Crowd {
	t.Helper()
	dir := t.TempDir()
	must(t, keyring.CreateRoot(dir, keyring.Config{}))
	ring, err := keyring.Open(dir, keyring.Config{})
	must(t, err)
	for _, ws := range spaces {
		must(t, ring.Create(ws))
	}
	db, err := meta.Open(t.Context(), filepath.Join(dir, "meta.db"))
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	c, err := Open(t.Context(), Config{
		Lake: filepath.Join(dir, "lake"), Catalog: filepath.Join(dir, "catalog.db"), Temp: dir, DB: db, Seal: ring,
		ReleaseKey: make([]byte, 32), Now: now,
		Policy: func(context.Context, workspace.ID) (workspace.Policy, error) { return workspace.Policy{}, nil },
		Erased: func(context.Context, workspace.ID, anon.Contact) (time.Time, error) { return time.Time{}, nil },
	})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A workspace that keeps links for a day leaves those of the others alone, and a workspace whose number of days is not
// known loses its links after the most days that a policy may say.
func TestTidyCutsTheLinksOfEachWorkspaceByItsOwnDays(t *testing.T) {
	t.Parallel()
	now := noon
	short, long, unknown := workspace.Default, workspace.MustParse("second"), workspace.MustParse("third")
	c := opened(t, func() time.Time { return now }, short, long, unknown)
	mk := facttest.New(t)
	var batches []fact.Batch
	for i, ws := range []workspace.ID{short, long, unknown} {
		batches = append(batches, fact.Batch{Workspace: ws, Facts: []fact.Fact{&fact.Call{
			Head: facttest.Head(i, noon, mk.Contact(i), 1), Direction: fact.In, Result: fact.Missed}}})
	}
	must(t, c.Append(t.Context(), batches, 0, "", "1"))
	for _, step := range []struct {
		days int
		want [3]bool
	}{{10, [3]bool{false, true, true}}, {59, [3]bool{false, true, true}}, {62, [3]bool{false, false, false}}} {
		now = noon.AddDate(0, 0, step.days)
		must(t, c.Tidy(t.Context(), map[workspace.ID]int{short: 1, long: 60}))
		for i, ws := range []workspace.ID{short, long, unknown} {
			k, err := c.Kept(t.Context(), ws, facttest.ID(i), []fact.ID{facttest.ID(i)})
			must(t, err)
			if linked := k.Contact != [anon.ContactLen]byte{}; linked != step.want[i] || linked == k.At.IsZero() { // a call whose link is cut is found by no id
				t.Errorf("after %d days the row of %s is linked: %v, want %v", step.days, ws, linked, step.want[i])
			}
		}
	}
}

// A source with 100,000 names (a column that was mapped wrongly) is stored and read back.
func TestAHundredThousandLabelsAreStored(t *testing.T) {
	t.Parallel()
	c := opened(t, func() time.Time { return noon }, workspace.Default)
	mk := facttest.New(t)
	const n = 100_000
	b := fact.Batch{Workspace: workspace.Default}
	for i := range n {
		b.Labels = append(b.Labels, fact.Named{Label: fact.Label(i + 1), Dim: fact.DimNumber, Name: mk.Text(fmt.Sprintf("number %d", i))})
	}
	must(t, c.Append(t.Context(), []fact.Batch{b}, 0, "", "1"))
	d, err := c.names.read(t.Context(), workspace.Default)
	must(t, err)
	if len(d.Labels) != n || d.Labels[n-1].Name != fmt.Sprintf("number %d", n-1) {
		t.Errorf("%d labels came back, want %d", len(d.Labels), n)
	}
}

// TestWhatComesWhileLinksAreCutKeepsItsLink: an old day whose first fact comes between the beginning of the daily work and the look
// at its rows is one that facts still come for.
func TestWhatComesWhileLinksAreCutKeepsItsLink(t *testing.T) {
	t.Parallel()
	c := opened(t, func() time.Time { return noon }, workspace.Default)
	old, failed := c.older(t.Context(), noon, map[workspace.ID]int{workspace.Default: 60})
	march := noon.AddDate(0, 0, -200)
	mk := facttest.New(t)
	must(t, c.Append(t.Context(), []fact.Batch{{Workspace: workspace.Default, Facts: []fact.Fact{&fact.Call{
		Head: facttest.Head(1, march, mk.Contact(1), 1), Direction: fact.In, Result: fact.Missed}}}}, 0, "", "1"))
	if old(workspace.Default, lake.DayOf(march), 0) || !old(workspace.Default, lake.DayOf(march)-1, 0) {
		t.Error("a day that facts came for meanwhile is cut, or another is not")
	}
	must(t, failed())
}
