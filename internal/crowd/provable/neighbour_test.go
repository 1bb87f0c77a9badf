package provable

import (
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"

	"murmur/internal/workspace"
)

// Without one contact the exact sums differ by no more than the declared sensitivity of each metric: contacts with rows in
// every cell, with thousands of rows in one cell, with rows that stand twice. MURMUR_ROUNDS multiplies the 10,000 cases.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	p, cases := defaultPlan(t), 10_000
	if more, err := strconv.Atoi(os.Getenv("MURMUR_ROUNDS")); err == nil {
		cases *= more
	}
	reached := make([]bool, len(p.Metrics))
	for seed := range cases {
		rng := rand.New(rand.NewPCG(11, uint64(seed)))
		all := some(rng, p, 1+rng.IntN(12), 8)
		who := Unit{9, 9, 9}
		for range []int{1, 2, 3, 4, 12, 200, 3000}[rng.IntN(7)] {
			r := anyRow(rng, p)
			for i, m := range p.Metrics {
				if seed%2 == 0 {
					r.Cells[i] = 0
				} else {
					r.Cells[i] = int32(rng.IntN(len(m.Cells)))
				}
			}
			all[who] = append(all[who], r)
			if rng.IntN(8) == 0 {
				all[who] = append(all[who], r)
			}
		}
		sums := func() [][]int64 {
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
			squared := int64(0)
			for j := range m.Cells {
				squared += (with[i][j] - without[i][j]) * (with[i][j] - without[i][j])
			}
			if squared > m.Squared {
				t.Fatalf("case %d: one contact changes %s by %d, at most %d is declared", seed, m.Measure, squared, m.Squared)
			}
			reached[i] = reached[i] || squared == m.Squared
		}
	}
	for i, m := range p.Metrics {
		if !reached[i] {
			t.Errorf("no contact changed %s by its sensitivity: the test says little", m.Measure)
		}
	}
}

// Cells to which nobody belongs have noise like the others. False alarm: each cell is zero with probability of at most 0.07
// (sigma 6 and more), 30 releases in a row with 0.07^30.
func TestEmptyCellsHaveNoise(t *testing.T) {
	t.Parallel()
	p := defaultPlan(t)
	moved := make([][]bool, len(p.Metrics))
	for range 30 {
		r, err := releaser(people{}, newMemory()).make(t.Context(), request(p))
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range p.Metrics {
			if moved[i] == nil {
				moved[i] = make([]bool, len(m.Cells))
			}
			for j, v := range r.values[i] {
				moved[i][j] = moved[i][j] || v != 0
			}
		}
	}
	for i, m := range p.Metrics {
		for j, ok := range moved[i] {
			if !ok {
				t.Errorf("cell %d of %s has no noise", j, m.Measure)
			}
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
		one, other := newBounded(p, time.UTC, make([]byte, 32), workspace.Default, "2026-11"), newBounded(p, time.UTC, make([]byte, 32), workspace.Default, "2026-11")
		if !one.whole(rows) {
			continue
		}
		fast++
		if other.some(Unit{1}, rows); !reflect.DeepEqual(one.sums, other.sums) {
			t.Fatalf("seed %d: %v without an order, %v with it", seed, one.sums, other.sums)
		}
	}
	if fast < 1000 {
		t.Errorf("%d of 3000", fast)
	}
}
