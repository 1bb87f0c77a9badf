package provable

import (
	"cmp"
	"math"
	"slices"
)

// span is one period of a cell: its noised count and the variance of that, and the shorter periods that it consists of.
type span struct {
	count, variance float64
	kids            []*span

	from, spread float64 // the estimate by the span and what is below it, and its variance
	best, left   float64 // the estimate by all spans, and its variance
	whole        int64   // best, in whole numbers that add up
}

// settle gives every span the counts that add up and are nearest to the noised ones, by least squares with the variances as
// weights. It is made of noised counts alone, so it costs nothing. (Hay, Rastogi, Miklau, Suciu 2010, "Boosting the accuracy of
// differentially private histograms through consistency", 4.1, for unequal variances and numbers of kids.)
func (s *span) settle() {
	s.up()
	s.down(s.from, s.spread)
	s.round(int64(math.Round(s.best)))
}

func (s *span) below() (sum, variance float64) {
	for _, k := range s.kids {
		sum, variance = sum+k.from, variance+k.spread
	}
	return sum, variance
}

func (s *span) up() {
	s.from, s.spread = s.count, s.variance
	if len(s.kids) == 0 {
		return
	}
	for _, k := range s.kids {
		k.up()
	}
	sum, variance := s.below()
	s.from = (s.count*variance + sum*s.variance) / (variance + s.variance)
	s.spread = variance * s.variance / (variance + s.variance)
}

func (s *span) down(best, left float64) {
	s.best, s.left = best, left
	if len(s.kids) == 0 {
		return
	}
	sum, variance := s.below()
	for _, k := range s.kids {
		part := k.spread / variance
		k.down(k.from+part*(best-sum), k.spread-part*part*(variance-left))
	}
}

// round gives the kids whole numbers that add up to this one, by the largest remainders.
func (s *span) round(whole int64) {
	s.whole = whole
	if len(s.kids) == 0 {
		return
	}
	rest, order := whole, slices.Clone(s.kids)
	for _, k := range s.kids {
		rest -= int64(math.Floor(k.best))
	}
	part := func(k *span) float64 { return k.best - math.Floor(k.best) }
	slices.SortStableFunc(order, func(a, b *span) int { return cmp.Compare(part(b), part(a)) })
	for i, k := range order {
		more := rest / int64(len(order))
		if int64(i) < rest%int64(len(order)) {
			more++
		}
		k.round(int64(math.Floor(k.best)) + more)
	}
}

// counts gives every period of a metric's grains with its cells: those of a metric whose periods add up are consistent.
func (r Release) counts(i int) (all []Counts) {
	m := r.plan.Metrics[i]
	var levels [][]Period
	for g, part := range m.Parts {
		levels = append(levels, r.month.Periods(part.Grain))
		for _, p := range levels[g] {
			all = append(all, Counts{Measure: m.Measure, Period: p, Most: m.Month, Sigma: part.Sigma(), Cells: make([]Cell, len(m.Cells))})
		}
	}
	for cell, public := range m.Cells {
		spans := make([][]*span, len(levels))
		for g, periods := range levels {
			for p := range periods {
				s := &span{count: float64(r.values[i][g][p*len(m.Cells)+cell]), variance: float64(m.Parts[g].Variance)}
				s.whole, s.left = r.values[i][g][p*len(m.Cells)+cell], s.variance
				spans[g] = append(spans[g], s)
			}
		}
		if top := len(levels) - 1; !m.Afresh && top > 0 {
			for g := range levels[:top] {
				hang(levels[g], spans[g], levels[g+1], spans[g+1])
			}
			spans[top][0].settle()
		}
		at := 0
		for g := range levels {
			for _, s := range spans[g] {
				all[at].Cells[cell] = Cell{Members: public.Members, Bin: public.Bin, Count: s.whole}
				all[at].Sigma = math.Sqrt(s.left)
				at++
			}
		}
	}
	return all
}

// hang puts the spans of a grain under those of the next, each under the one that it lies in.
func hang(short []Period, kids []*span, long []Period, parents []*span) {
	at := 0
	for i, p := range short {
		for !p.Start.Before(long[at].End) {
			at++
		}
		parents[at].kids = append(parents[at].kids, kids[i])
	}
}
