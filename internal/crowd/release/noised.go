package release

import (
	"context"
	"fmt"
	"slices"

	"murmur/internal/crowd/internal/noise"
)

// askNoised lists the questions of a period for Others: the queries alone. What other tables leave beside a group says
// nothing where every count has noise of its own.
func (u *run) askNoised(d *due) {
	u.labels = newLabels(d.Dictionary, u.settings)
	for _, q := range u.queries {
		t := grow(q.Split, d.Dictionary)
		u.trees = append(u.trees, t)
		u.questions = append(u.questions, Question{Query: q, Span: d.span(), Leaves: t.keys})
	}
}

// noisedTables makes every table for Others. Which leaves are merged is decided by the noised number of contacts. news is
// false when an arrival changes nothing of what is shown.
func (u *run) noisedTables(ctx context.Context, d *due) (tables []Table, news bool, err error) {
	for i, q := range u.queries {
		parts, groups, err := u.noisedTable(ctx, i)
		if err != nil {
			return nil, false, fmt.Errorf("%s: %w", q.Name, err)
		}
		t := d.table(q, groups, d.span().End)
		if t.behind, err = u.really(ctx, i, parts); err != nil {
			return nil, false, fmt.Errorf("%s: %w", q.Name, err)
		}
		moved := true
		if shown := d.shown.Table(q.Name); d.Arrived && !d.closes && shown.Valid() {
			moved = t.arrived(shown, u.minimum(q))
		}
		news = news || moved
		tables = append(tables, t)
	}
	return tables, news, nil
}

// really counts the contacts behind a table.
func (u *run) really(ctx context.Context, i int, parts []part) (*behind, error) {
	cells := [][]int{u.trees[i].root.leaves()}
	for _, p := range parts {
		cells = append(cells, p.leaves)
	}
	counted, err := u.count(ctx, i, cells)
	if err != nil {
		return nil, err
	}
	b := &behind{Whole: counted[0].Verified}
	for _, c := range counted[1:] {
		b.Groups = append(b.Groups, c.Verified)
	}
	return b, nil
}

// noisedTable merges the leaves of one table and counts its groups.
func (u *run) noisedTable(ctx context.Context, i int) ([]part, []Group, error) {
	g := &guard{k: u.minimum(u.queries[i]), measure: u.noised(u.measure(i))}
	if err := u.labels.look(ctx, u.floored(u.measure(i)), u.trees[i], max(u.settings.MinLabel, u.minimum(u.queries[i]))); err != nil {
		return nil, nil, err
	}
	var named [][]part
	if units := u.labels.units(u.trees[i]); units != nil {
		named = append(named, units)
	}
	parts, err := g.merge(ctx, u.trees[i], coarsest(len(u.trees[i].members), named))
	if err != nil {
		return nil, nil, err
	}
	groups, err := u.fillNoised(ctx, i, parts)
	return parts, groups, err
}

// noised counts with noise: contacts, and no regions.
func (u *run) noised(exact measure) measure {
	return u.changed(exact, func(_, noised int64) int64 { return noised })
}

// floored counts for labels, which are what somebody said or chose and not a number: noise may hide a label and never
// reveals one.
func (u *run) floored(exact measure) measure {
	return u.changed(exact, func(really, noised int64) int64 { return min(really, noised) })
}

func (u *run) changed(exact measure, to func(really, noised int64) int64) measure {
	return func(ctx context.Context, cells [][]int) ([]Cell, error) {
		counted, err := exact(ctx, cells)
		for i, c := range counted {
			contacts, verified := u.contacts(c)
			counted[i] = Cell{Contacts: to(c.Contacts, contacts), Verified: to(c.Verified, verified)}
		}
		return counted, err
	}
}

// contacts gives a cell's contacts with noise, and those of them who are verified. Each has a noise of its own, also where
// all are verified, because equal numbers would tell that no contact is unverified.
func (u *run) contacts(c Cell) (all, verified int64) {
	cell := cellOf(c)
	return u.keys.Contacts(c.Contacts, cell, u.settings.Noise), u.keys.Verified(c.Verified, cell, u.settings.Noise)
}

// cellOf is what the noise of a whole cell is drawn for.
func cellOf(c Cell) noise.Cell {
	var all Marks
	for _, k := range c.Keys {
		all = all.Plus(k)
	}
	return noise.Cell{Key: all, Most: c.Most}
}

// fillNoised counts the final groups: contacts, all rows and each bin, each with a noise of its own.
func (u *run) fillNoised(ctx context.Context, i int, parts []part) ([]Group, error) {
	groups, cells := u.members(i, parts)
	counted, err := u.count(ctx, i, cells)
	if err != nil {
		return nil, err
	}
	for n, c := range counted {
		if parts[n].hidden != Shown {
			continue
		}
		g, whole := &groups[n], cellOf(c)
		var rows int64
		for bin, count := range c.Bins {
			rows += count
			g.Bins = append(g.Bins, u.keys.Rows(count, noise.Cell{Key: c.Keys[bin], Most: c.Most}, u.settings.Noise))
		}
		g.Contacts, g.Verified = u.contacts(c)
		g.All, g.Step = u.keys.Rows(rows, whole, u.settings.Noise), noise.Step(c.Most)
	}
	return groups, nil
}

// behind is how many verified contacts there really are behind a table with noise when it was made: what a later count is compared
// with to know whether enough came. It is stored with the table and never shown.
type behind struct {
	Whole  int64   `json:"whole"`
	Groups []int64 `json:"groups"`
}

// arrived keeps in a new table, between two days, what is shown already. Where the groups have the same leaves as before,
// a group to which fewer than k contacts came stays as it was; otherwise the table changes only as a whole, when k
// contacts came to it. moved is false when all stays. The real numbers decide: one person more draws all noise anew, so
// that noised ones would differ by k for that person alone.
func (t *Table) arrived(shown Table, k int64) (moved bool) {
	same := slices.EqualFunc(shown.groups, t.groups, func(a, b Group) bool { return slices.Equal(a.Members, b.Members) && a.Hidden == b.Hidden })
	was := shown.behind
	switch {
	case was == nil: // made by a version that did not keep them
		t.groups, t.behind = shown.groups, nil
		return false
	case !same && apart(was.Whole, t.behind.Whole, k):
		return true
	case !same:
		t.groups, t.behind = shown.groups, was
		return false
	}
	for i := range t.groups {
		if apart(was.Groups[i], t.behind.Groups[i], k) {
			moved = true
		} else {
			t.groups[i], t.behind.Groups[i] = shown.groups[i], was.Groups[i]
		}
	}
	if !moved {
		t.behind = was
	}
	return moved
}

// apart reports whether numbers of contacts differ by k: so many came or went, at least.
func apart(a, b, k int64) bool { return max(a-b, b-a) >= k }
