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

// noisedGroups makes the groups of every table. Which leaves are merged is decided by the noised number of contacts.
func (u *run) noisedGroups(ctx context.Context, d *due) ([][]Group, error) {
	tables := make([][]Group, len(u.queries))
	for i, q := range u.queries {
		var err error
		if _, tables[i], err = u.noisedTable(ctx, i); err != nil {
			return nil, fmt.Errorf("%s: %w", q.Name, err)
		}
		if shown := d.shown.Table(q.Name); d.Arrived && shown.Valid() {
			tables[i] = arrived(shown.groups, tables[i], u.minimum(q))
		}
	}
	return tables, nil
}

// noisedTable merges the leaves of one table and counts its groups.
func (u *run) noisedTable(ctx context.Context, i int) ([]part, []Group, error) {
	g := &guard{k: u.minimum(u.queries[i]), measure: u.noised(u.measure(i))}
	if err := u.labels.look(ctx, g.measure, u.trees[i], max(u.settings.MinLabel, u.minimum(u.queries[i]))); err != nil {
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
	return func(ctx context.Context, cells [][]int) ([]Cell, error) {
		counted, err := exact(ctx, cells)
		for i, c := range counted {
			counted[i] = Cell{Contacts: u.keys.Contacts(c.Contacts, cellOf(c), u.settings.Noise)}
		}
		return counted, err
	}
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
		g.Contacts = u.keys.Contacts(c.Contacts, whole, u.settings.Noise)
		g.All, g.Step = u.keys.Rows(rows, whole, u.settings.Noise), noise.Step(c.Most)
	}
	return groups, nil
}

// arrived is what is shown between two days: where the groups are the same people's, those whose contacts changed by fewer
// than k stay as they were; where they are not, the table changes only as a whole, when the whole changed by k.
func arrived(shown, now []Group, k int64) []Group {
	changed := func(a, b Group) bool { return max(a.Contacts-b.Contacts, b.Contacts-a.Contacts) >= k }
	same := slices.EqualFunc(shown, now, func(a, b Group) bool { return slices.Equal(a.Members, b.Members) && a.Hidden == b.Hidden })
	if !same {
		if changed(together(shown), together(now)) {
			return now
		}
		return shown
	}
	out := slices.Clone(shown)
	for i := range out {
		if changed(shown[i], now[i]) {
			out[i] = now[i]
		}
	}
	return out
}

// together adds up the contacts of groups: enough to see whether many came.
func together(groups []Group) (all Group) {
	for _, g := range groups {
		all.Contacts += g.Contacts
	}
	return all
}
