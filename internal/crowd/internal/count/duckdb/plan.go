package duckdb

import (
	"slices"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// plan lays the questions of one session out so that the rows are read once for all of them.
//
// The engine says of each row which *populations* of queries it is in, which leaf of each split, and its values. Questions
// about the same split of the same rows share a sheet, which adds that up by contact.
type plan struct {
	settings    release.Settings
	populations []population
	values      []value
	splits      []split
	layers      []*layer
	answers     []answer // by question
}

// population is the rows that fall in one of a query's bins.
type population struct {
	condition string          // SQL, on a row by itself
	follows   release.Derived // a value that comes from other rows too: the row needs one as well; zero: it does not
	least     int64           // and at least this
}

// value is a number of a row that is sorted into bins.
type value struct {
	sql      string
	min, max int64
}

// layer is a set of spans of which no two share a row: the weeks of a block; or the block.
type layer struct {
	spans  []release.Span
	sheets []*sheet
}

// split is one way to give each row a leaf.
type split struct {
	by     release.Split
	leaves []release.Key
	weeks  []release.Span
}

// set is the rows of a population that are in none of others.
type set struct {
	of    int
	minus []int
}

func (s set) equal(o set) bool { return s.of == o.of && slices.Equal(s.minus, o.minus) }

// histogram is the rows of a population by value.
type histogram struct {
	population int
	follows    release.Derived // the value is this; zero: it is a value of the plan
	value      int             // -1: there is one bin
	bins       []int64
}

func (h histogram) equal(o histogram) bool {
	return h.population == o.population && h.follows == o.follows && h.value == o.value && slices.Equal(h.bins, o.bins)
}

// answer says where a question's numbers are found.
type answer struct {
	sheet     *sheet
	period    int   // of the sheet's layer
	histogram int   // of the sheet
	sets      []int // of the sheet: the question's population, then its regions
	bins      int
}

// newPlan places every question.
func newPlan(s release.Settings, qs []release.Question) *plan {
	p := &plan{settings: s}
	for _, q := range qs {
		p.answers = append(p.answers, p.place(q))
	}
	return p
}

func (p *plan) place(q release.Question) answer {
	l, period := p.layer(q.Span)
	sh := p.sheet(l, split{q.Query.Split, q.Leaves, q.Weeks})
	own := p.population(q.Query)
	a := answer{sheet: sh, period: period, bins: max(1, len(q.Query.Value.Bins)), sets: []int{sh.set(set{of: own})}}
	for _, r := range q.Regions {
		s := set{of: p.population(r.Of)}
		for _, m := range r.Minus {
			s.minus = append(s.minus, p.population(m))
		}
		a.sets = append(a.sets, sh.set(s))
	}
	a.histogram = sh.histogram(p.histogram(own, q.Query.Value))
	return a
}

func (p *plan) population(q release.Query) int {
	n := population{condition: p.conditionSQL(q)}
	if follows(q.Value.Derived) {
		n.follows = q.Value.Derived
		if len(q.Value.Bins) > 0 {
			n.least = q.Value.Bins[0]
		}
	}
	return place(&p.populations, n, func(o population) bool { return o == n })
}

// follows reports whether a value comes from other rows of the contact: it is worked out when they are together.
func follows(d release.Derived) bool {
	return d == release.ReplySeconds || d == release.ReturnedIn24h || tiedValues[d] != ""
}

func (p *plan) histogram(population int, v release.Value) histogram {
	switch {
	case len(v.Bins) < 2 || v.Derived == release.Nothing:
		return histogram{population: population, value: -1}
	case follows(v.Derived):
		return histogram{population: population, follows: v.Derived, value: -1, bins: v.Bins}
	}
	n := value{sql: valueSQL(v), max: 1}
	if c, ok := valueColumns[v.Derived]; ok || v.Derived == release.FromColumn {
		if !ok {
			c = v.Column
		}
		d, _ := fact.Declared(c)
		n.min, n.max = d.Min, d.Max
	}
	return histogram{population: population, value: place(&p.values, n, func(o value) bool { return o == n }), bins: v.Bins}
}

// layer finds or makes the place of a span.
func (p *plan) layer(span release.Span) (*layer, int) {
	for _, l := range p.layers {
		if i := slices.Index(l.spans, span); i >= 0 {
			return l, i
		}
	}
	apart := func(o release.Span) bool { return !o.Start.Before(span.End) || !span.Start.Before(o.End) }
	for _, l := range p.layers {
		if !slices.ContainsFunc(l.spans, func(o release.Span) bool { return !apart(o) }) {
			l.spans = append(l.spans, span)
			return l, len(l.spans) - 1
		}
	}
	p.layers = append(p.layers, &layer{spans: []release.Span{span}})
	return p.layers[len(p.layers)-1], 0
}

func (p *plan) sheet(l *layer, by split) *sheet {
	n := place(&p.splits, by, by.equal)
	for _, sh := range l.sheets {
		if sh.split == n {
			return sh
		}
	}
	sh := newSheet(n, len(by.leaves)+len(by.weeks)+1)
	l.sheets = append(l.sheets, sh)
	return sh
}

func (s split) equal(o split) bool {
	return s.by == o.by && slices.Equal(s.leaves, o.leaves) && slices.Equal(s.weeks, o.weeks)
}

// span is from the first instant that a question is about to the last.
func (p *plan) span() (all release.Span) {
	for _, l := range p.layers {
		for _, s := range l.spans {
			if all.Start.IsZero() || s.Start.Before(all.Start) {
				all.Start = s.Start
			}
			if s.End.After(all.End) {
				all.End = s.End
			}
		}
	}
	return all
}

// place gives where something stands in a list, at whose end it is put when it is nowhere.
func place[T any](list *[]T, v T, same func(T) bool) int {
	if i := slices.IndexFunc(*list, same); i >= 0 {
		return i
	}
	*list = append(*list, v)
	return len(*list) - 1
}
