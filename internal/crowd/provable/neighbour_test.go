package provable

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"murmur/internal/workspace"
)

// Without one contact the exact sums differ by no more than the declared sensitivity of each metric: contacts with rows in
// every cell, with thousands of rows in one cell, with rows that stand twice. MURMUR_ROUNDS multiplies the 10,000 cases.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	plans, cases := []Plan{defaultPlan(t), mergedPlan(t)}, 10_000
	if more, err := strconv.Atoi(os.Getenv("MURMUR_ROUNDS")); err == nil {
		cases *= more
	}
	reached := map[string]bool{}
	for seed := range cases {
		p := plans[seed/2%len(plans)]
		rng := rand.New(rand.NewPCG(11, uint64(seed)))
		all := some(rng, p, 1+rng.IntN(12), 8)
		who := Unit{9, 9, 9}
		near := november.Start.AddDate(0, 0, rng.IntN(30)) // rows of some lie close together, so that they share a day or a week
		for range []int{1, 2, 3, 4, 12, 200, 3000}[rng.IntN(7)] {
			r := anyRow(rng, p)
			if at := near.Add(time.Duration(rng.Int64N(int64(72 * time.Hour)))); seed%3 == 0 && at.Before(november.End) {
				r.At = at.UnixMicro()
			}
			for i, m := range p.Metrics {
				if seed%2 == 0 {
					r.Cells[i] = 0
				} else {
					r.Cells[i] = int32(rng.IntN(max(len(m.Cells), len(m.to))))
				}
			}
			all[who] = append(all[who], r)
			if rng.IntN(8) == 0 {
				all[who] = append(all[who], r)
			}
		}
		sums := func() [][][]int64 {
			s, err := releaser(people{rows: all}, newMemory()).sums(t.Context(), request(p))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		with := sums()
		delete(all, who)
		without := sums()
		for i, m := range p.Metrics {
			for g, part := range m.Parts {
				squared := int64(0)
				for j := range with[i][g] {
					squared += (with[i][g][j] - without[i][g][j]) * (with[i][g][j] - without[i][g][j])
				}
				if squared > part.Squared {
					t.Fatalf("case %d: one contact changes %s by %s by %d, at most %d is declared", seed, m.Measure, part.Grain, squared, part.Squared)
				}
				name := fmt.Sprint(len(m.Cells), " cells of ", m.Measure, " by ", part.Grain)
				reached[name] = reached[name] || squared == part.Squared
			}
		}
	}
	for name, ok := range reached {
		if !ok {
			t.Errorf("no contact changed %s by the sensitivity: the test says little", name)
		}
	}
}

// mergedPlan has cells that were merged.
func mergedPlan(t testing.TB) Plan {
	t.Helper()
	p := planOf(t, func(s *Spec) {
		s.Expect.Contacts = 260
		s.Metrics = slices.DeleteFunc(s.Metrics, func(m SpecMetric) bool { return m.Measure != "topics" })
	})
	if len(p.Metrics) != 1 || p.Metrics[0].to == nil {
		t.Fatalf("no cells were merged: %+v", p.Explain())
	}
	return p
}

// Cells to which nobody belongs have noise like the others. False alarm: each cell is zero with probability of at most 0.07
// (sigma 6 and more), 30 releases in a row with 0.07^30.
func TestEmptyCellsHaveNoise(t *testing.T) {
	t.Parallel()
	p := defaultPlan(t)
	moved := map[string]bool{}
	for range 30 {
		r, err := releaser(people{}, newMemory()).make(t.Context(), request(p))
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range p.Metrics {
			for g, part := range m.Parts {
				for j, v := range r.values[i][g] {
					cell := fmt.Sprint(m.Measure, " by ", part.Grain, ", ", j)
					moved[cell] = moved[cell] || v != 0
				}
			}
		}
	}
	if len(moved) < 1000 {
		t.Errorf("%d cells", len(moved))
	}
	for cell, ok := range moved {
		if !ok {
			t.Errorf("cell %s has no noise", cell)
		}
	}
}

// A contact within all bounds is counted without an order, to the same sums: in one of three cases or more that is so.
func TestContactsWithinBoundsCountAlike(t *testing.T) {
	t.Parallel()
	p, fast := defaultPlan(t), 0
	for seed := range 3000 {
		rng := rand.New(rand.NewPCG(12, uint64(seed)))
		var rows []Row
		for range 1 + rng.IntN(5) {
			r := anyRow(rng, p)
			for i := range r.Cells {
				if rng.IntN(3) > 0 {
					r.Cells[i] = -1
				}
			}
			rows = append(rows, r)
		}
		one, other := newBounded(p, november, make([]byte, 32), workspace.Default), newBounded(p, november, make([]byte, 32), workspace.Default)
		if !one.whole(rows) {
			continue
		}
		fast++
		if other.some(Unit{1}, rows); !reflect.DeepEqual(one.sums, other.sums) {
			t.Fatalf("seed %d: the sums without an order are not those with it", seed)
		}
	}
	if fast < 1000 {
		t.Errorf("%d of 3000", fast)
	}
}
