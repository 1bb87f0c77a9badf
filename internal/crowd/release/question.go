package release

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"murmur/internal/crowd/internal/noise"
)

// run is the release of one period while it is made.
type run struct {
	settings  Settings
	keys      noise.Keys // for Others
	labels    *labels
	queries   []Query // of the period's grain
	trees     []*tree
	counts    Counts
	first     int        // number of the first of the questions
	questions []Question // the first ones are those of the queries
	everybody int        // question: all kinds together, by week
	late      bool       // a block that may not stand beside its weeks
	besides   []beside   // of a block's queries[i]
}

// count asks for cells of one of the run's questions.
func (u *run) count(ctx context.Context, question int, cells [][]int) ([]Cell, error) {
	return u.counts.Count(ctx, u.first+question, cells)
}

// beside is what keeps a block's query apart from the weekly queries.
type beside struct {
	question int    // the block's whole
	rests    []rest // differences with weekly tables
}

// rest is one difference of a block and its weeks: a region, and the rows of weekly queries in the weeks
// that show nothing.
type rest struct {
	region int   // of the block's question; -1: no rows
	weekly []int // questions
}

// ask lists all questions of a period. Question i is that of query i.
func (u *run) ask(all []Query, d *due) {
	u.labels = newLabels(d.Dictionary, u.settings)
	for _, q := range u.queries {
		t := grow(q.Split, d.Dictionary)
		u.trees = append(u.trees, t)
		u.questions = append(u.questions, Question{Query: q, Span: d.Period.Span(), Leaves: t.keys, Regions: regions(q, u.queries)})
	}
	u.askCrowd(all, d)
	if d.Period.Grain == Block {
		u.questions = u.alongTime(u.questions, all, d.Period.Span(), d.Period.weeks(u.settings.Zone))
	}
}

// askCrowd asks for everybody, of every kind in the catalogue: weeks and blocks compare.
func (u *run) askCrowd(all []Query, d *due) {
	everybody := Query{Value: Value{Derived: Nothing}}
	for _, q := range all {
		everybody.Kinds = append(everybody.Kinds, q.Kinds...)
	}
	slices.Sort(everybody.Kinds)
	everybody.Kinds = slices.Compact(everybody.Kinds)
	u.everybody = len(u.questions)
	u.questions = append(u.questions, Question{Query: everybody, Span: d.Period.Span(), Weeks: d.Period.weeks(u.settings.Zone)})
}

// alongTime adds the questions that keep a block apart from its weeks. Weekly tables sum to the whole of
// every week that shows any, so a block minus those weeks is about: the regions between the block's query
// and the weekly ones, and the rows of the weeks that show nothing.
func (u *run) alongTime(questions []Question, all []Query, span Span, weeks []Span) []Question {
	var weekly []Query
	asked := map[string]int{}
	for _, q := range all {
		if q.Grain == Week {
			weekly = append(weekly, q)
		}
	}
	for _, q := range weekly {
		asked[q.Name] = len(questions)
		questions = append(questions, Question{Query: q, Span: span, Weeks: weeks, Regions: regions(q, weekly)})
	}
	for _, b := range u.queries {
		at := beside{question: len(questions)}
		whole := Question{Query: b, Span: span}
		leave := func(of Query, minus []Query, weekly ...int) {
			at.rests = append(at.rests, rest{len(whole.Regions), weekly})
			whole.Regions = append(whole.Regions, Region{of, minus})
		}
		for _, q := range weekly {
			inside, around := contains(b, q), contains(q, b)
			switch {
			case inside && around:
				at.rests = append(at.rests, rest{-1, []int{asked[q.Name]}})
			case around:
				leave(q, []Query{b})
			case inside:
				leave(b, []Query{q}, asked[q.Name])
				for _, s := range weekly {
					if contains(b, s) && !contains(s, b) && disjoint(q, s) {
						leave(b, []Query{q, s}, asked[q.Name], asked[s.Name])
					}
				}
			}
		}
		u.besides = append(u.besides, at)
		questions = append(questions, whole)
	}
	return questions
}

// crowd counts everybody behind the period's rows in some of its weeks.
func (u *run) crowd(ctx context.Context, weeks []int) (crowd, error) {
	cells, err := u.count(ctx, u.everybody, [][]int{weeks})
	if err != nil {
		return crowd{}, fmt.Errorf("count: %w", err)
	}
	return crowd{cells[0].Verified, cells[0].Bins[0]}, nil
}

// groups makes the groups of every table, widest population first: a table that shares a split and a kind
// with earlier ones becomes a coarsening of them.
func (u *run) groups(ctx context.Context) ([][]Group, error) {
	order, err := u.order(ctx)
	if err != nil {
		return nil, err
	}
	parts := make([][]part, len(u.queries))
	tables := make([][]Group, len(u.queries))
	for n, i := range order {
		var earlier [][]part
		for _, j := range order[:n] {
			shows := len(parts[j]) > 1 || parts[j][0].hidden == Shown
			if shows && u.queries[j].Split == u.queries[i].Split && shareKind(u.queries[j], u.queries[i]) {
				earlier = append(earlier, parts[j])
			}
		}
		if err := u.labels.look(ctx, u.measure(i), u.trees[i], u.settings.MinLabel); err != nil {
			return nil, fmt.Errorf("%s: %w", u.queries[i].Name, err)
		}
		if units := u.labels.units(u.trees[i]); units != nil {
			earlier = append(earlier, units)
		}
		if parts[i], err = u.guarded(ctx, i, earlier); err != nil {
			return nil, fmt.Errorf("%s: %w", u.queries[i].Name, err)
		}
		if tables[i], err = u.fill(ctx, i, parts[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", u.queries[i].Name, err)
		}
	}
	return tables, nil
}

// order sorts the queries by the contacts of their population, most first.
func (u *run) order(ctx context.Context) ([]int, error) {
	type size struct {
		i           int
		contacts, k int64
	}
	var sizes []size
	for i := range u.queries {
		cells, err := u.count(ctx, i, [][]int{u.trees[i].root.leaves()})
		if err != nil {
			return nil, fmt.Errorf("count: %w", err)
		}
		sizes = append(sizes, size{i, cells[0].Contacts, u.minimum(u.queries[i])})
	}
	slices.SortStableFunc(sizes, func(a, b size) int {
		return cmp.Or(cmp.Compare(b.contacts, a.contacts), cmp.Compare(a.k, b.k))
	})
	var order []int
	for _, s := range sizes {
		order = append(order, s.i)
	}
	return order, nil
}

func (u *run) minimum(q Query) int64 {
	if q.Content {
		return u.settings.MinContent
	}
	return u.settings.MinGroup
}

// measure counts cells of a question; of none nothing is asked.
func (u *run) measure(question int) measure {
	return func(ctx context.Context, cells [][]int) ([]Cell, error) {
		if len(cells) == 0 {
			return nil, nil
		}
		return u.count(ctx, question, cells)
	}
}

func (u *run) guarded(ctx context.Context, i int, earlier [][]part) ([]part, error) {
	g := &guard{k: u.minimum(u.queries[i]), measure: u.measure(i)}
	apart, err := u.apart(ctx, i, g)
	if err != nil {
		return nil, err
	}
	t := u.trees[i]
	if !apart {
		return []part{{leaves: t.root.leaves(), hidden: SmallGroup}}, nil
	}
	return g.merge(ctx, t, coarsest(len(t.members), earlier))
}

// apart reports whether a block may stand beside its weeks: each difference is empty or big enough.
func (u *run) apart(ctx context.Context, i int, g *guard) (bool, error) {
	if u.late || u.besides == nil {
		return !u.late, nil
	}
	cells, err := u.count(ctx, u.besides[i].question, [][]int{{0}})
	if err != nil || !g.clean(cells[0]) {
		return false, err
	}
	for _, r := range u.besides[i].rests {
		if r.region >= 0 && cells[0].Regions[r.region] > 0 {
			continue // big enough alone
		}
		for _, question := range r.weekly {
			silent, err := u.silent(ctx, question, g)
			if err != nil || silent.Contacts > 0 && !g.stands(silent) {
				return false, err
			}
		}
	}
	return true, nil
}

// silent counts the weeks of a block in which a weekly query has rows but may not show them.
func (u *run) silent(ctx context.Context, question int, g *guard) (Cell, error) {
	weeks, err := u.count(ctx, question, [][]int{{0}, {1}, {2}, {3}, {4}})
	if err != nil {
		return Cell{}, err
	}
	var silent []int
	for w, c := range weeks {
		if c.Contacts > 0 && !g.stands(c) {
			silent = append(silent, w)
		}
	}
	if silent == nil {
		return Cell{}, nil
	}
	cells, err := u.count(ctx, question, [][]int{silent})
	if err != nil {
		return Cell{}, err
	}
	return cells[0], nil
}

// members makes the groups of parts without their counts, and gives the cells that fill them.
func (u *run) members(i int, parts []part) (groups []Group, cells [][]int) {
	groups = make([]Group, len(parts))
	for n, p := range parts {
		cells = append(cells, p.leaves)
		groups[n].Hidden = p.hidden
		for _, l := range p.leaves {
			groups[n].Members = append(groups[n].Members, u.labels.named(u.trees[i].members[l])...)
		}
	}
	return groups, cells
}

// fill counts the final groups.
func (u *run) fill(ctx context.Context, i int, parts []part) ([]Group, error) {
	groups, cells := u.members(i, parts)
	counted, err := u.count(ctx, i, cells)
	if err != nil {
		return nil, err
	}
	for n, c := range counted {
		if parts[n].hidden == Shown {
			groups[n].Contacts, groups[n].Verified, groups[n].Bins = c.Contacts, c.Verified, c.Bins
		}
	}
	return groups, nil
}
