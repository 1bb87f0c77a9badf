package duckdb

import (
	"fmt"
	"slices"

	"murmur/internal/crowd/release"
)

// plan lays the questions of one session out so that the rows are read once for all of them.
//
// Questions about the same split of the same rows share a sheet: a table with one row for each period, leaf and contact,
// and in it a bit for each *population* (of a query, or a region of a question) that the contact has a row in. So one
// pass of the engine answers all periods, queries and regions of a split.
type plan struct {
	settings release.Settings
	layers   []*layer
	splits   []split
	answers  []answer // by question
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

// sheet is what is counted about one split of one layer.
type sheet struct {
	layer       *layer
	split       int      // in plan.splits
	leaves      int      // how many: those of the split, and the rest
	populations []string // conditions on a row, one a bit
	histograms  []histogram

	tables []string // one a slice of the contacts
	known  map[string]tally
	filled map[leafOf]tally // single leaves; one that is not there is empty
	bins   map[binOf]bar
}

// histogram is the rows of a population by value.
type histogram struct {
	population int
	value      release.Value
}

// leafOf is one leaf of one period.
type leafOf struct{ period, leaf int }

// binOf is one bin of a histogram in one leaf.
type binOf struct {
	histogram int
	at        leafOf
	bin       int
}

// bar is the rows of one bin, and the sums of their contacts' marks.
type bar struct {
	rows  int64
	marks release.Marks
}

// tally is what is known of a cell: its distinct contacts, one a population of its sheet; then the most rows of one
// contact, one a histogram.
type tally []int64

// answer says where a question's numbers are found.
type answer struct {
	sheet       *sheet
	period      int   // of the sheet's layer
	histogram   int   // of the question's population
	populations []int // of the question, then of its regions
	bins        int
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
	a := answer{sheet: sh, period: period, bins: max(1, len(q.Query.Value.Bins))}
	own := sh.population(p.populationSQL(q.Query))
	a.populations = append(a.populations, own)
	for _, r := range q.Regions {
		a.populations = append(a.populations, sh.population(p.regionSQL(r)))
	}
	a.histogram = sh.histogram(histogram{own, q.Query.Value})
	return a
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
	n := slices.IndexFunc(p.splits, by.equal)
	if n < 0 {
		p.splits, n = append(p.splits, by), len(p.splits)
	}
	for _, sh := range l.sheets {
		if sh.split == n {
			return sh
		}
	}
	sh := &sheet{
		layer: l, split: n, leaves: len(by.leaves) + len(by.weeks) + 1,
		known: map[string]tally{}, filled: map[leafOf]tally{}, bins: map[binOf]bar{},
	}
	l.sheets = append(l.sheets, sh)
	return sh
}

func (s split) equal(o split) bool {
	return s.by == o.by && slices.Equal(s.leaves, o.leaves) && slices.Equal(s.weeks, o.weeks)
}

func (sh *sheet) population(condition string) int {
	if i := slices.Index(sh.populations, condition); i >= 0 {
		return i
	}
	sh.populations = append(sh.populations, condition)
	return len(sh.populations) - 1
}

func (sh *sheet) histogram(h histogram) int {
	same := func(o histogram) bool {
		return o.population == h.population && binSQL(o.value) == binSQL(h.value)
	}
	if i := slices.IndexFunc(sh.histograms, same); i >= 0 {
		return i
	}
	sh.histograms = append(sh.histograms, h)
	return len(sh.histograms) - 1
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

// maskBits is how many populations one mask of a sheet has a bit for: population i is in mask i / maskBits.
const maskBits = 62

func (sh *sheet) masks() int { return (len(sh.populations) + maskBits - 1) / maskBits }

func bitSQL(population int) string {
	return fmt.Sprintf("m%d & %d <> 0", population/maskBits, int64(1)<<(population%maskBits))
}
