package release

import (
	"cmp"
	"context"
	"slices"
)

// guard merges the leaves of one table until no group is about fewer than k contacts (Cell.Verified).
//
// A set of leaves may stand when it has k verified contacts and each of its regions is empty or has k. Both hold for
// a union of sets for which they hold, so every union of groups may stand as well.
//
// From the leaves up: children that may stand are groups. Those that may not are gathered, together with
// the empty ones beside them, and become a group as soon as they may stand together; else they are handed
// to the parent. What is left at the root joins the smallest group. Empty leaves are shown as empty only
// where everything beside them stands by itself: next to gathered leaves, "empty" would say of each of the
// others that somebody is there.
type guard struct {
	k       int64
	measure measure
	groups  []part
}

// measure counts cells.
type measure func(ctx context.Context, cells [][]int) ([]Cell, error)

// part is one group: its leaves in rising order, and how it is shown.
type part struct {
	leaves   []int
	hidden   Hidden
	contacts int64
}

// remains is what a subtree hands to its parent.
type remains struct {
	small []int   // gathered leaves that may not stand yet
	empty [][]int // nobody there, not yet shown as such
	stood bool    // a group was made below
}

func (g *guard) stands(c Cell) bool { return c.Verified >= g.k && g.clean(c) }

// empty reports whether nobody is in a cell, and saying so tells nothing about its regions.
func (g *guard) empty(c Cell) bool { return c.Contacts == 0 && g.clean(c) }

func (g *guard) clean(c Cell) bool {
	return !slices.ContainsFunc(c.Regions, func(n int64) bool { return n > 0 && n < g.k })
}

// merge groups the leaves of t. start, when not nil, is the partition that the groups must be unions of.
func (g *guard) merge(ctx context.Context, t *tree, start [][]int) ([]part, error) {
	all := t.root.leaves()
	whole, err := g.measure(ctx, [][]int{all})
	if err != nil {
		return nil, err
	}
	if !g.stands(whole[0]) {
		hidden := SmallGroup
		if whole[0].Contacts == 0 {
			hidden = NoData
		}
		return []part{{leaves: all, hidden: hidden}}, nil
	}
	if start == nil {
		for _, l := range all {
			start = append(start, []int{l})
		}
	}
	rest := map[*node]*remains{}
	homes := homesOf(t.root, start)
	for _, level := range levels(t.root) {
		if err := g.level(ctx, level, homes, rest); err != nil {
			return nil, err
		}
	}
	if small := rest[t.root].small; small != nil {
		if err := g.join(ctx, small); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(g.groups, func(a, b part) int { return cmp.Compare(a.leaves[0], b.leaves[0]) })
	return g.groups, nil
}

// level decides the nodes of one height together, with two measurements.
func (g *guard) level(ctx context.Context, level []*node, homes map[*node][][]int, rest map[*node]*remains) error {
	var units, gathered [][]int
	for _, n := range level {
		units = append(units, homes[n]...)
	}
	cells, err := g.measure(ctx, units)
	if err != nil {
		return err
	}
	i := 0
	for _, n := range level {
		r := &remains{}
		for _, kid := range n.kids {
			below := rest[kid]
			r.small = append(r.small, below.small...)
			r.empty = append(r.empty, below.empty...)
			r.stood = r.stood || below.stood
		}
		for _, unit := range homes[n] {
			r.sort(g, unit, cells[i])
			i++
		}
		rest[n] = r
		if r.small != nil {
			r.small = append(r.small, slices.Concat(r.empty...)...)
			r.empty = nil
			slices.Sort(r.small)
			gathered = append(gathered, r.small)
		} else if r.stood {
			for _, e := range r.empty {
				g.groups = append(g.groups, part{leaves: e, hidden: NoData})
			}
			r.empty = nil
		}
	}
	cells, err = g.measure(ctx, gathered)
	if err != nil {
		return err
	}
	for _, n := range level {
		r := rest[n]
		if r.small == nil {
			continue
		}
		if g.stands(cells[0]) {
			g.groups = append(g.groups, part{leaves: r.small, contacts: cells[0].Contacts})
			r.small, r.stood = nil, true
		}
		cells = cells[1:]
	}
	return nil
}

// sort puts one unit where it belongs.
func (r *remains) sort(g *guard, unit []int, c Cell) {
	switch {
	case g.stands(c):
		g.groups = append(g.groups, part{leaves: unit, contacts: c.Contacts})
		r.stood = true
	case g.empty(c):
		r.empty = append(r.empty, unit)
	default:
		r.small = append(r.small, unit...)
	}
}

// join adds what is left at the root to the smallest groups, one after the other until it may stand. The
// whole may stand, so that ends.
func (g *guard) join(ctx context.Context, small []int) error {
	slices.SortStableFunc(g.groups, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.hidden, b.hidden), cmp.Compare(a.contacts, b.contacts))
	})
	for {
		if len(g.groups) > 0 {
			small = append(small, g.groups[0].leaves...)
			g.groups = g.groups[1:]
		}
		slices.Sort(small)
		cells, err := g.measure(ctx, [][]int{small})
		if err != nil {
			return err
		}
		if len(g.groups) == 0 || g.stands(cells[0]) {
			g.groups = append(g.groups, part{leaves: small, contacts: cells[0].Contacts})
			return nil
		}
	}
}

// homesOf places each unit at the lowest node that holds all its leaves.
func homesOf(root *node, units [][]int) map[*node][][]int {
	type place struct {
		parent *node
		depth  int
	}
	places := map[*node]place{root: {}}
	at := map[int]*node{}
	var walk func(*node)
	walk = func(n *node) {
		if len(n.kids) == 0 {
			at[n.leaf] = n
		}
		for _, kid := range n.kids {
			places[kid] = place{n, places[n].depth + 1}
			walk(kid)
		}
	}
	walk(root)
	meet := func(a, b *node) *node {
		for a != b {
			if places[a].depth >= places[b].depth {
				a = places[a].parent
			} else {
				b = places[b].parent
			}
		}
		return a
	}
	homes := map[*node][][]int{}
	for _, unit := range units {
		home := at[unit[0]]
		for _, l := range unit[1:] {
			home = meet(home, at[l])
		}
		homes[home] = append(homes[home], unit)
	}
	return homes
}

// levels gives the nodes by height, leaves first.
func levels(root *node) (all [][]*node) {
	var height func(*node) int
	height = func(n *node) int {
		h := 0
		for _, kid := range n.kids {
			h = max(h, height(kid)+1)
		}
		for len(all) <= h {
			all = append(all, nil)
		}
		all[h] = append(all[h], n)
		return h
	}
	height(root)
	return all
}

// coarsest gives the finest partition of n leaves that every given partition refines.
func coarsest(n int, partitions [][]part) [][]int {
	if len(partitions) == 0 {
		return nil
	}
	block := make([]int, n) // a leaf of the same unit, nearer to the unit's first
	for i := range block {
		block[i] = i
	}
	first := func(l int) int {
		for block[l] != l {
			block[l] = block[block[l]]
			l = block[l]
		}
		return l
	}
	for _, p := range partitions {
		for _, group := range p {
			for _, l := range group.leaves[1:] {
				a, b := first(l), first(group.leaves[0])
				block[max(a, b)] = min(a, b)
			}
		}
	}
	at := map[int]int{}
	var units [][]int
	for l := range block {
		b := first(l)
		if _, ok := at[b]; !ok {
			at[b] = len(units)
			units = append(units, nil)
		}
		units[at[b]] = append(units[at[b]], l)
	}
	return units
}
