package duckdb

import (
	"fmt"
	"math"
	"slices"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// plan lays the questions of one session out so that the rows are read once for all of them.
//
// Of each row it is told which *populations* of queries it is in, its leaf of each split, and its values. Questions about
// the same split of the same rows share a sheet, which adds that up by contact.
type plan struct {
	settings    release.Settings
	populations []population
	values      []value
	limits      []limit
	splits      []split
	layers      []*layer
	answers     []answer // by question
}

// population is the rows that fall in one of a query's bins.
type population struct {
	name  string // equal for equal populations
	query release.Query
	limit int // of its value; -1: the value is derived, or none
}

// value is a column whose numbers are sorted into bins; limit is the least of them that counts.
type value struct {
	column   fact.Column
	min, max int64
}

// The values that rows are judged by come first.
const (
	ringS = iota
	score
)

type limit struct {
	value int
	least int64
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
	derived    release.Derived // release.Nothing: there is one bin
	value      int             // of the plan, for FromColumn
	bins       []int64
}

func (h histogram) equal(o histogram) bool {
	return h.population == o.population && h.derived == o.derived && h.value == o.value && slices.Equal(h.bins, o.bins)
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
	p.value(fact.ColRingS) // ringS
	p.value(fact.ColScore) // score
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
	n := population{query: q, limit: -1}
	if c, ok := columnOf(q.Value); ok {
		v := p.value(c)
		l := limit{v, p.values[v].min}
		if len(q.Value.Bins) > 0 {
			l.least = max(l.least, q.Value.Bins[0])
		}
		n.limit = place(&p.limits, l, func(o limit) bool { return o == l })
	}
	n.name = fmt.Sprint(q.Kinds, q.Where, q.Open, q.Value.Derived, n.limit, n.least())
	return place(&p.populations, n, func(o population) bool { return o.name == n.name })
}

// least is the lowest derived value that counts.
func (n population) least() int64 {
	if bins := n.query.Value.Bins; len(bins) > 0 {
		return bins[0]
	}
	return math.MinInt64
}

// columnOf gives the column that a value is taken from.
func columnOf(v release.Value) (fact.Column, bool) {
	switch v.Derived {
	case release.FromColumn:
		return v.Column, true
	case release.AnswerSeconds:
		return fact.ColRingS, true
	}
	return 0, false
}

func (p *plan) value(c fact.Column) int {
	d, _ := fact.Declared(c)
	v := value{c, max(d.Min, math.MinInt64+1), d.Max}
	return place(&p.values, v, func(o value) bool { return o == v })
}

// follows reports whether a value comes from other rows of the contact: it is worked out when they are together.
func follows(d release.Derived) bool {
	return d == release.ReplySeconds || d == release.ReturnedIn24h || tied(d)
}

func (p *plan) histogram(population int, v release.Value) histogram {
	if len(v.Bins) < 2 {
		return histogram{population: population, derived: release.Nothing}
	}
	h := histogram{population: population, derived: v.Derived, bins: v.Bins}
	if c, ok := columnOf(v); ok {
		h.derived, h.value = release.FromColumn, p.value(c)
	}
	return h
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
