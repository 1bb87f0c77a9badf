package duckdb

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"murmur/internal/crowd/internal/count/counttest"
	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// publicQuestions are what releases that leave ask: cells that are public, of a row alone.
func publicQuestions(span release.Span) (qs []release.Question) {
	calls := []fact.Kind{fact.KindCall}
	in := []release.Filter{{Column: fact.ColDirection, In: []int64{int64(fact.In)}}}
	for _, q := range []release.Query{
		{Kinds: []fact.Kind{fact.KindCall, fact.KindMessage, fact.KindAnswer}, Value: release.Value{Derived: release.Nothing}},
		{Kinds: calls, Where: in, Value: release.Value{Derived: release.Missed, Bins: []int64{0, 1}}},
		{Kinds: calls, Where: in, Split: release.ByReason, Value: release.Value{Derived: release.MissReason, Bins: []int64{0}}},
		{Kinds: []fact.Kind{fact.KindMessage}, Split: release.ByTopic, Value: release.Value{Derived: release.Nothing}},
	} {
		leaves, _, _ := release.Public(q.Split)
		qs = append(qs, release.Question{Query: q, Span: span, Leaves: leaves})
	}
	return qs
}

// Without all facts of one contact the rows of every other contact are the same to the last cell: from files of which some
// are settled, with facts in several versions, in slices of contacts. Each contact comes once. With TestNeighbours of package
// provable, which bounds what one contact's rows add, this is the promise. 8 cases, times MURMUR_ROUNDS.
func TestAContactsRowsDependOnNobodyElse(t *testing.T) {
	t.Parallel()
	c, lake := engineOf(t, Config{SliceRows: 60})
	for seed := range rounds(4) {
		rng := rand.New(rand.NewPCG(31, uint64(seed)))
		s, span := settingsOf(rng)
		all := counttest.Random(rng, 60+rng.IntN(200), 2+rng.IntN(20), span)
		counttest.Hide(all)
		ask := func(rows []counttest.Row) map[provable.Unit][]provable.Row {
			snap := byTurns(t, seed, lake, s.Workspace, rows)
			out := map[provable.Unit][]provable.Row{}
			err := c.Contacts(t.Context(), snap, s, publicQuestions(span), func(u provable.Unit, rows []provable.Row) {
				if out[u] != nil {
					t.Fatalf("seed %d: a contact comes twice", seed)
				}
				for _, r := range rows {
					r.Cells = slices.Clone(r.Cells)
					out[u] = append(out[u], r)
				}
				slices.SortFunc(out[u], func(a, b provable.Row) int { return bytes.Compare(a.ID[:], b.ID[:]) })
			})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		with := ask(all)
		if len(with) < 2 {
			t.Fatalf("seed %d: %d contacts", seed, len(with))
		}
		for range 2 {
			who := all[rng.IntN(len(all))].Contact
			of := map[fact.ID]bool{}
			for _, r := range all {
				of[r.ID] = of[r.ID] || who != nil && bytes.Equal(r.Contact, who)
			}
			without := ask(slices.DeleteFunc(slices.Clone(all), func(r counttest.Row) bool { return of[r.ID] }))
			for u, rows := range with {
				if !bytes.Equal(u[:], who) && !reflect.DeepEqual(rows, without[u]) {
					t.Errorf("seed %d: without a contact the rows of another are\n%v\nand were\n%v", seed, without[u], rows)
				}
				delete(without, u)
			}
			if len(without) > 0 {
				t.Errorf("seed %d: %d contacts are there without another alone", seed, len(without))
			}
		}
	}
}
