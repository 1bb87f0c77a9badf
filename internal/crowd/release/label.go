package release

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// labels are names that fewer contacts than a minimum group used in the period: such a name can stand for one person (a menu
// choice that one caller made, a number that one caller rang). They are shown as other, in merged groups too. They follow
// only from the period's rows, so that figures do not depend on when they were counted.
type labels struct{ private map[int64]bool }

func newLabels(d Dictionary, s Settings) *labels {
	l := &labels{private: map[int64]bool{}}
	if s.MinLabel == 0 {
		return l
	}
	for _, e := range d.Labels {
		l.private[e.Key] = true
	}
	return l
}

// look finds the tree's labels that have k contacts in this period.
func (l *labels) look(ctx context.Context, count measure, t *tree, k int64) error {
	leaves := map[int64][]int{}
	for leaf, members := range t.members {
		for _, m := range members {
			if l.private[m.Key] {
				leaves[m.Key] = append(leaves[m.Key], leaf)
			}
		}
	}
	keys := slices.Sorted(maps.Keys(leaves))
	cells := make([][]int, len(keys))
	for i, key := range keys {
		cells[i] = leaves[key]
	}
	counted, err := count(ctx, cells)
	for i, c := range counted {
		if c.Verified >= k {
			delete(l.private, keys[i])
		}
	}
	return err
}

// named gives the members of a leaf as they are shown.
func (l *labels) named(members []Member) []Member {
	out := slices.Clone(members)
	for i, m := range out {
		if l.private[m.Key] {
			out[i] = Member{Dim: m.Dim, Name: other}
		}
	}
	return out
}

// units puts leaves together that are shown under the same names, so that no two groups are. Without such leaves it is nil.
func (l *labels) units(t *tree) (units []part) {
	at := map[string]int{}
	for leaf, members := range t.members {
		name := fmt.Sprint(l.named(members))
		i, ok := at[name]
		if !ok {
			i = len(units)
			at[name], units = i, append(units, part{})
		}
		units[i].leaves = append(units[i].leaves, leaf)
	}
	if len(units) == len(t.members) {
		return nil
	}
	return units
}
