package duckdb

import (
	"fmt"
	"maps"
	"slices"

	"murmur/internal/fact"
)

// words says what stands where in the words of a row.
type words struct {
	packer
	read   map[fact.Column]field // that conditions are about, null as 0; a number that no condition knows is one beside
	masks  []int64               // of the words that have them: their bits
	leaves []field               // by split, of those that are told
	values []field               // null is one below the lowest
}

func layOut(p *plan) *words {
	w := &words{read: map[fact.Column]field{}}
	ranges := p.ranges()
	for _, c := range slices.Sorted(maps.Keys(ranges)) {
		f := w.add(fmt.Sprintf("coalesce(%s, 0)", nameSQL(c)), ranges[c][0], ranges[c][1])
		w.read[c] = f
		if f.word == len(w.masks) {
			w.masks = append(w.masks, 0)
		}
		w.masks[f.word] |= f.bits()
	}
	for i, s := range p.splits {
		w.leaves = append(w.leaves, field{})
		if s.told() {
			w.leaves[i] = w.add(fmt.Sprintf("CAST(leaf%d AS BIGINT)", i), 0, int64(len(s.leaves)))
		}
	}
	for _, v := range p.values {
		w.values = append(w.values, w.add(fmt.Sprintf("coalesce(%s, %d)", nameSQL(v.column), v.min-1), v.min-1, v.max))
	}
	return w
}

// ranges gives for each column of a condition the numbers that tell rows apart.
func (p *plan) ranges() map[fact.Column][2]int64 {
	all := map[fact.Column][2]int64{}
	for _, c := range []fact.Column{fact.ColKind, fact.ColDirection, fact.ColResult, fact.ColReason, fact.ColAutomatic} {
		d, _ := fact.Declared(c)
		all[c] = [2]int64{-1, d.Max + 1}
	}
	if p.ties() {
		all[fact.ColScale] = [2]int64{-1, int64(fact.Comment) + 1}
	}
	for _, n := range p.populations {
		for _, f := range n.query.Where {
			r, ok := all[f.Column]
			if !ok {
				r = [2]int64{0, 0}
			}
			for _, v := range f.In {
				r = [2]int64{min(r[0], v-1), max(r[1], v+1)}
			}
			all[f.Column] = r
		}
	}
	return all
}

// told reports whether the engine numbers the leaves of a split: it does where columns are the key.
func (s split) told() bool {
	return s.weeks == nil && len(s.leaves) > 0 && splitColumns[s.by] != nil
}
