package release

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"murmur/internal/fact"
)

// labels are the names behind which no minimum group stood yet: a name can be one person's (a menu choice that one caller
// made, a number that one caller rang). Until then they are shown as other, in merged groups too.
type labels struct {
	private map[int64]bool
	public  map[int64]bool // that a minimum group stood behind now
}

func privateLabels(d Dictionary, a Audience) *labels {
	l := &labels{private: map[int64]bool{}, public: map[int64]bool{}}
	for _, e := range d.Labels {
		if e.Public&a.Bit() == 0 && e.Dim != fact.DimSource {
			l.private[e.Key] = true
		}
	}
	return l
}

// fresh lists the labels that became public.
func (l *labels) fresh() []int64 { return slices.Sorted(maps.Keys(l.public)) }

// look finds the tree's labels that have k contacts in this period: they are public from now on.
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
		if c.Contacts >= k {
			delete(l.private, keys[i])
			l.public[keys[i]] = true
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
