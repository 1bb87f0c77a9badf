package duckdb

import (
	"bytes"
	"context"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"murmur/internal/crowd/internal/count/counttest"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// The whole way: the same rows through the engine and through the fold give equal tables, provisional and
// closed, week and block.
func TestReleasesEqualThoseOfTheReferenceFold(t *testing.T) {
	t.Parallel()
	c, lake := engine(t)
	calls := []fact.Kind{fact.KindCall}
	nothing := release.Value{Derived: release.Nothing}
	queries := []release.Query{
		{Name: "calls", Kinds: calls, Grain: release.Week, Value: nothing},
		{Name: "missed", Kinds: calls, Grain: release.Week, Split: release.ByNumber, Value: release.Value{Derived: release.Missed, Bins: []int64{0, 1}}},
		{Name: "open", Kinds: calls, Grain: release.Week, Split: release.ByNumber, Open: true, Value: nothing},
		{Name: "hours", Kinds: append(calls, fact.KindMessage), Grain: release.Block, Split: release.ByHourOfWeek, Value: nothing},
		{Name: "block", Kinds: calls, Grain: release.Block, Value: nothing},
	}
	dict := release.Dictionary{Labels: []release.Label{
		{Key: 101, Dim: fact.DimNumber, Name: "sales"}, {Key: 102, Dim: fact.DimNumber, Name: "late"}, {Key: 103, Dim: fact.DimNumber, Name: "ops"},
	}}
	for seed := range rounds(3) {
		rng := rand.New(rand.NewPCG(9, uint64(seed)))
		s, span := settingsOf(rng)
		rows := counttest.Random(rng, 600, 40, span)
		snap := write(t, lake, s.Workspace, rows)
		for _, p := range append(release.Weeks(s.Zone, span.Start, span.End), release.Blocks(s.Zone, span.Start, span.End)...) {
			var sets [2][]release.Table
			for i, counter := range []release.Counter{c, &counttest.Fold{Rows: rows}} {
				r := release.Releaser{
					Queries: queries, Counter: counter, Store: empty{}, Key: bytes.Repeat([]byte{3}, 32),
					Clock: func() time.Time { return p.End.Add(time.Duration(seed*24) * time.Hour) },
				}
				set, err := r.Release(t.Context(), release.Request{Snapshot: snap, Period: p, Settings: s, Dictionary: dict})
				if err != nil {
					t.Fatal(err)
				}
				sets[i] = set.Tables()
			}
			if !reflect.DeepEqual(sets[0], sets[1]) {
				t.Errorf("seed %d, %s: the tables differ", seed, p.Name)
			}
		}
	}
}

// empty is a store that forgets.
type empty struct{}

func (empty) Get(context.Context, workspace.ID, release.Audience, string) ([]byte, error) {
	return nil, nil
}
func (empty) Put(context.Context, workspace.ID, release.Audience, string, bool, []byte) error {
	return nil
}
