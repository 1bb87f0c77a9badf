package provable

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"murmur/internal/crowd/internal/dp"
)

// Audit measures how much releases of a month tell about one contact, by an attack on the code that makes them. It spends
// and stores nothing, and gives out only the shares of the attacker's errors.
type Audit struct {
	Month string
	Lines []Audited // by metric and grain, then all together
}

// Audited is the attack on one measure in one grain, or on all of a release together. Two things are tried. What each contact of the month
// adds to the exact sums is compared with what the plan declares. Then releases are drawn with and without an invented contact
// who adds as much as is allowed, and an attacker who knows everything else says which is which, by the likelihood.
type Audited struct {
	Measure  string // empty: all together
	Grain    Grain
	Declared int64   // squared Euclidean length of what one contact adds
	Most     int64   // of any contact of the month and the invented ones
	Mu       float64 // the attacker's errors must not lie below the curve of Mu-GDP
	// Low and High are between which mu the measured errors lie (dp.Told); wrong in one of a million audits.
	Low, High float64
}

// Broken reports whether a release tells more about one contact than is claimed.
func (a Audited) Broken() bool { return a.Most > a.Declared || a.Low > a.Mu }

// Dull reports whether a release tells so much less than is claimed that the attack must be too weak or the noise wrong.
func (a Audited) Dull() bool { return a.High < 0.8*a.Mu }

// auditAlarm is how often an audit finds an honest line broken or dull: once in a million lines of each.
const auditAlarm = 1e-6

// guest is an invented contact, and what it adds.
type guest struct {
	sums    [][][]int64
	squared [][]int64 // by metric and grain
	mu      float64   // of all together, under the noise that the plan claims
}

// Audit attacks a release that was not made: rounds releases of the month are drawn with an invented contact, as many
// without. Several are invented, because nobody adds the most in every grain at once: each line is about the one who adds the most to it.
func (r *Releaser) Audit(ctx context.Context, q Request, rounds int) (a Audit, err error) {
	a.Month = q.Month.Name
	alone := func(unit Unit, rows []Row) (g guest) {
		b := newBounded(q.Plan, q.Month, r.Key, q.Workspace)
		b.add(unit, rows)
		g.sums, g.squared = b.sums, squaredOf(b.sums)
		for i, m := range q.Plan.Metrics {
			for j, p := range m.Parts {
				g.mu += float64(g.squared[i][j]) / float64(p.Variance)
			}
		}
		g.mu = math.Sqrt(g.mu)
		return g
	}
	guests := []guest{alone(invented, q.Plan.most(q.Month, 1)), alone(invented, q.Plan.most(q.Month, 7))}
	most := squaredOf(guests[0].sums)
	raise := func(g guest) {
		for i := range most {
			for j := range most[i] {
				most[i][j] = max(most[i][j], g.squared[i][j])
			}
		}
	}
	raise(guests[1])
	without, err := r.sumsOf(ctx, q, func(unit Unit, rows []Row) { raise(alone(unit, rows)) })
	if err != nil {
		return a, fmt.Errorf("audit %s: %w", q.Month.Name, err)
	}
	var scores []scored
	for _, g := range guests {
		s, err := r.play(q.Plan, without, g.sums, rounds)
		if err != nil {
			return a, fmt.Errorf("audit %s: %w", q.Month.Name, err)
		}
		scores = append(scores, s)
	}
	all, heaviest := Audited{Mu: dp.Mu(dp.Cap(q.Plan.Epsilon, q.Plan.Delta))}, 0
	if guests[1].mu > guests[0].mu {
		heaviest = 1
	}
	for i, m := range q.Plan.Metrics {
		for j, p := range m.Parts {
			l := Audited{Measure: m.Measure, Grain: p.Grain, Declared: p.Squared, Most: most[i][j], Mu: dp.Mu(dp.Rho(p.Cost))}
			by := heaviest
			if guests[1-by].squared[i][j] > guests[by].squared[i][j] {
				by = 1 - by
			}
			a.Lines = append(a.Lines, l.told(scores[by].parts[i][j]))
			all.Declared, all.Most = all.Declared+p.Squared, all.Most+guests[heaviest].squared[i][j]
		}
	}
	a.Lines = append(a.Lines, all.told(scores[heaviest].all))
	return a, nil
}

// played are the attacker's scores, of the releases without somebody and of those with them.
type played struct{ without, with []float64 }

// scored are the scores by metric and grain, and those of all together.
type scored struct {
	parts [][]played
	all   played
}

// play draws releases and gives the attacker's scores. A score is the logarithm
// of the likelihood ratio under the noise that the plan claims, moved and scaled so that it is N(0,1) without the contact
// and N(mu,1) with them: where mu is the distance of the two sums in standard deviations. Cells to which the contact adds nothing
// tell nothing of it: they are not drawn.
func (r *Releaser) play(p Plan, sums, adds [][][]int64, rounds int) (s scored, err error) {
	without, with := make([][][]int64, len(sums)), make([][][]int64, len(sums))
	for i := range sums {
		without[i], with[i] = make([][]int64, len(sums[i])), make([][]int64, len(sums[i]))
		s.parts = append(s.parts, make([]played, len(sums[i])))
		for j, cells := range sums[i] {
			for k, v := range cells {
				if more := adds[i][j][k]; more != 0 {
					without[i][j], with[i][j] = append(without[i][j], v), append(with[i][j], v+more)
				}
			}
		}
	}
	sampler := dp.NewSampler(r.Random)
	for range rounds {
		for _, there := range []bool{false, true} {
			exact, to := without, func(p *played) *[]float64 { return &p.without }
			if there {
				exact, to = with, func(p *played) *[]float64 { return &p.with }
			}
			values, err := noised(sampler, p, exact)
			if err != nil {
				return s, err
			}
			p.score(values, without, with, func(i, j int, score float64) {
				of := &s.all
				if i >= 0 {
					of = &s.parts[i][j]
				}
				scores := to(of)
				*scores = append(*scores, score)
			})
		}
	}
	return s, nil
}

// score gives the scores of one release to f, of each part, then of all (-1).
func (p Plan) score(values, without, with [][][]int64, f func(metric, grain int, score float64)) {
	all, distance := 0.0, 0.0
	for i, m := range p.Metrics {
		for j, part := range m.Parts {
			one, length := 0.0, 0.0
			for k, v := range values[i][j] {
				d := float64(with[i][j][k] - without[i][j][k])
				one += float64(v-without[i][j][k]) * d / float64(part.Variance)
				length += d * d / float64(part.Variance)
			}
			all, distance = all+one, distance+length
			f(i, j, one/math.Sqrt(length))
		}
	}
	f(-1, -1, all/math.Sqrt(distance))
}

// told completes a line by the errors of attackers whose thresholds lie around the middle, chosen before any draw.
func (a Audited) told(s played) Audited {
	middle := a.Mu / 2
	attackers := dp.ErrorsAt([]float64{middle - 1, middle - 0.5, middle, middle + 0.5, middle + 1}, s.without, s.with)
	a.Low, a.High = dp.Told(attackers, auditAlarm)
	return a
}

// squaredOf are the squared Euclidean lengths of sums, by metric and grain.
func squaredOf(sums [][][]int64) (all [][]int64) {
	for _, parts := range sums {
		var of []int64
		for _, cells := range parts {
			s := int64(0)
			for _, v := range cells {
				s += v * v
			}
			of = append(of, s)
		}
		all = append(all, of)
	}
	return all
}

// invented is a contact that no person has, because pseudonyms are keyed hashes.
var invented = Unit{'i', 'n', 'v', 'e', 'n', 't', 'e', 'd'}

// most are rows of a contact who adds as much as a plan lets one add, on days that follow one another (apart 1) or lie in weeks of their
// own (7): as many days as are looked at.
func (p Plan) most(m Month, apart int) (rows []Row) {
	daily := int64(1)
	for _, x := range p.Metrics {
		daily = max(daily, x.Day)
	}
	weeks := m.Periods(ByWeek)
	first := weeks[1].Start // a whole week
	if apart == 7 {
		first = weeks[0].Start
	}
	for day := first; int64(len(rows)) < p.Days*daily && day.Before(m.End); day = day.AddDate(0, 0, apart) {
		for range daily {
			row := Row{At: day.UnixMicro()}
			binary.BigEndian.PutUint64(row.ID[:], uint64(len(rows))+1)
			for _, x := range p.Metrics {
				cell := 0
				if x.Once || x.Afresh {
					cell = len(rows) % len(x.Cells)
				}
				row.Cells = append(row.Cells, x.first(cell))
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// first is the leaf and bin that a reader gives for a cell, the first of those that merged.
func (m *Metric) first(cell int) int32 {
	if m.to == nil {
		return int32(cell)
	}
	return int32(slices.Index(m.to, int32(cell)))
}
