package release

import (
	"context"
	"slices"

	"murmur/internal/crowd/internal/noise"
)

// Planted gives the probe with a fault in the product: exact counts, or noise that does not follow who
// is in a cell.
func (p Probe) Planted(fault string) Probe {
	p.publish = func(u *run, ctx context.Context, i int) ([]part, []Group, error) {
		parts, groups, err := u.noisedTable(ctx, i)
		if err != nil {
			return nil, nil, err
		}
		_, cells := u.members(i, parts)
		counted, err := u.count(ctx, i, cells)
		if err != nil {
			return nil, nil, err
		}
		number := func(n int64, c noise.Cell) int64 { return n }
		if fault == "stale" {
			number = func(n int64, c noise.Cell) int64 { return u.keys.Rows(n, noise.Cell{Most: c.Most}, u.settings.Noise) }
		}
		for n, c := range counted {
			if g := &groups[n]; g.Hidden == Shown {
				g.All = number(sum(c.Bins), cellOf(c))
				for bin := range g.Bins {
					g.Bins[bin] = number(c.Bins[bin], noise.Cell{Key: c.Keys[bin], Most: c.Most})
				}
			}
		}
		return parts, groups, nil
	}
	return p
}

// Contains, Disjoint and Open are for tests outside the package, which the reference fold needs.
var (
	Contains = contains
	Disjoint = disjoint
	Open     = open
	Seal     = seal
)

// Leaves gives the keys and members of a split's public tree.
func Leaves(s Split, d Dictionary) ([]Key, [][]Member) {
	t := grow(s, d)
	return t.keys, t.members
}

// LongYear reports whether an ISO year has 53 weeks.
var LongYear = longYear

// Portions cuts a group's leaves by the children of the lowest node that holds them all; root reports
// whether that is the root.
func Portions(s Split, d Dictionary, leaves []int) (portions [][]int, root bool) {
	t := grow(s, d)
	for n := range homesOf(t.root, [][]int{leaves}) {
		for _, kid := range n.kids {
			var p []int
			for _, l := range kid.leaves() {
				if slices.Contains(leaves, l) {
					p = append(p, l)
				}
			}
			portions = append(portions, p)
		}
		root = n == t.root
	}
	return portions, root
}
