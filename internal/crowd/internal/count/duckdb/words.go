package duckdb

import (
	"fmt"
	"slices"
)

// words says what stands where in the words of a row.
type words struct {
	packer
	meets, text, out field   // of a conversation: sql.go
	ties             []field // flags by condition; none where no question looks at ties
	open, percent    field   // in open hours; a score
	populations      []field // flags, the first ones of the words
	masks            []int64 // of the words that have populations: their bits
	leaves           []field // by split; of weeks there is none
	values           []field
}

func layOut(p *plan) *words {
	w := &words{}
	w.meets, w.text, w.out = w.flag(meets), w.flag(human), w.flag("direction = 2")
	if p.ties() {
		for _, condition := range tied {
			w.ties = append(w.ties, w.flag(condition))
		}
		w.open = w.flag(p.openSQL())
	}
	for _, n := range p.populations {
		f := w.flag(n.condition)
		w.populations = append(w.populations, f)
		if f.word == len(w.masks) {
			w.masks = append(w.masks, 0)
		}
		w.masks[f.word] |= f.mask << f.shift
	}
	for i, s := range p.splits {
		if s.weeks == nil && !slices.Contains(tiedSplits, s.by) {
			w.leaves = append(w.leaves, w.add(fmt.Sprintf("leaf%d", i), 0, int64(len(s.leaves))))
		} else {
			w.leaves = append(w.leaves, field{})
		}
	}
	if p.ties() {
		w.percent = w.add(percentSQL(), 0, 100)
	}
	for _, v := range p.values {
		w.values = append(w.values, w.add(v.sql, v.min, v.max))
	}
	return w
}

// ofTexts gives the SQL of the words of texts that are in no population.
func (w *words) ofTexts() (all []string) {
	in := int64(1) << w.text.shift
	out := in | 1<<w.meets.shift | 1<<w.out.shift
	all = append(all, fmt.Sprintf("CAST(CASE WHEN direction = 2 THEN %d ELSE %d END AS BIGINT) AS w0", out, in))
	for i := range w.terms[1:] {
		all = append(all, fmt.Sprintf("CAST(0 AS BIGINT) AS w%d", i+1))
	}
	return all
}
