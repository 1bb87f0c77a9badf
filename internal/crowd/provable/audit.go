package provable

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"murmur/internal/crowd/internal/dp"
)

// Audit measures how much releases of a month tell about one contact, by an attack on the code that makes them. It spends
// and stores nothing, and gives out only the shares of the attacker's errors.
type Audit struct {
	Month string
	Lines []Audited // by metric, then all together
}

// Audited is the attack on one measure, or on all of a release together. Two things are tried. What each contact of the month
// adds to the exact sums is compared with what the plan declares. Then releases are drawn with and without an invented contact
// who adds as much as is allowed, and an attacker who knows everything else says which is which, by the likelihood.
type Audited struct {
	Measure  string  // empty: all together
	Declared int64   // squared Euclidean length of what one contact adds
	Most     int64   // of any contact of the month and the invented one
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

// Audit attacks a release that was not made: rounds releases of the month are drawn with the invented contact, as many
// without.
func (r *Releaser) Audit(ctx context.Context, q Request, rounds int) (a Audit, err error) {
	a.Month = q.Month.Name
	guest := newBounded(q.Plan, q.Settings.Zone, r.Key, q.Workspace, q.Month.Name)
	guest.add(invented, q.Plan.most(q.Month))
	declared, total := make([]int64, len(q.Plan.Metrics)), int64(0)
	for i, m := range q.Plan.Metrics {
		declared[i], total = m.Squared, total+m.Squared
	}
	most := guest.squared()
	without, err := r.sumsOf(ctx, q, func(unit Unit, rows []Row) {
		alone := newBounded(q.Plan, q.Settings.Zone, r.Key, q.Workspace, q.Month.Name)
		alone.add(unit, rows)
		for i, s := range alone.squared() {
			most[i] = max(most[i], s)
		}
	})
	if err != nil {
		return a, fmt.Errorf("audit %s: %w", q.Month.Name, err)
	}
	with := make([][]int64, len(without))
	for i, cells := range without {
		for j, v := range cells {
			with[i] = append(with[i], v+guest.sums[i][j])
		}
	}
	scores, err := r.play(q.Plan, without, with, rounds)
	if err != nil {
		return a, fmt.Errorf("audit %s: %w", q.Month.Name, err)
	}
	for i, m := range q.Plan.Metrics {
		l := Audited{Measure: m.Measure, Declared: declared[i], Most: most[i], Mu: dp.Mu(dp.Rho(m.Cost))}
		a.Lines = append(a.Lines, l.told(scores[i]))
	}
	all := Audited{Declared: total, Mu: dp.Mu(dp.Cap(q.Plan.Epsilon, q.Plan.Delta))}
	for _, s := range most {
		all.Most += s
	}
	a.Lines = append(a.Lines, all.told(scores[len(q.Plan.Metrics)]))
	return a, nil
}

// played are the attacker's scores, of the releases without somebody and of those with them.
type played struct{ without, with []float64 }

// play draws releases and gives the attacker's scores by metric, then those of all metrics together. A score is the logarithm
// of the likelihood ratio under the noise that the plan claims, moved and scaled so that it is N(0,1) without the contact
// and N(mu,1) with them: where mu is the distance of the two sums in standard deviations.
func (r *Releaser) play(p Plan, without, with [][]int64, rounds int) ([]played, error) {
	n := len(p.Metrics)
	scores := make([]played, n+1)
	sampler := dp.NewSampler(r.Random)
	draw := func(sums [][]int64, to func(*played) *[]float64) error {
		values, err := noised(sampler, p, sums)
		if err != nil {
			return err
		}
		all, distance := 0.0, 0.0
		for i, m := range p.Metrics {
			one, length := 0.0, 0.0
			for j, v := range values[i] {
				d := float64(with[i][j] - without[i][j])
				one += float64(v-without[i][j]) * d / float64(m.Variance)
				length += d * d / float64(m.Variance)
			}
			all, distance = all+one, distance+length
			s := to(&scores[i])
			*s = append(*s, one/math.Sqrt(length))
		}
		s := to(&scores[n])
		*s = append(*s, all/math.Sqrt(distance))
		return nil
	}
	for range rounds {
		if err := draw(without, func(p *played) *[]float64 { return &p.without }); err != nil {
			return nil, err
		}
		if err := draw(with, func(p *played) *[]float64 { return &p.with }); err != nil {
			return nil, err
		}
	}
	return scores, nil
}

// told completes a line by the errors of attackers whose thresholds lie around the middle, chosen before any draw.
func (a Audited) told(s played) Audited {
	middle := a.Mu / 2
	attackers := dp.ErrorsAt([]float64{middle - 1, middle - 0.5, middle, middle + 0.5, middle + 1}, s.without, s.with)
	a.Low, a.High = dp.Told(attackers, auditAlarm)
	return a
}

// squared are the squared Euclidean lengths of the sums, by metric.
func (b *bounded) squared() (all []int64) {
	for _, cells := range b.sums {
		s := int64(0)
		for _, v := range cells {
			s += v * v
		}
		all = append(all, s)
	}
	return all
}

// invented is a contact that no person has, because pseudonyms are keyed hashes.
var invented = Unit{'i', 'n', 'v', 'e', 'n', 't', 'e', 'd'}

// most are rows of a contact who adds as much as a plan lets one add, and has more.
func (p Plan) most(m Month) (rows []Row) {
	daily := int64(1)
	for _, x := range p.Metrics {
		daily = max(daily, x.Day)
	}
	for day := range int64(m.End.Sub(m.Start).Hours() / 24) {
		for range daily {
			row := Row{At: m.Start.AddDate(0, 0, int(day)).UnixMicro()}
			binary.BigEndian.PutUint64(row.ID[:], uint64(len(rows))+1)
			for _, x := range p.Metrics {
				cell := 0
				if x.Once {
					cell = len(rows) % len(x.Cells)
				}
				row.Cells = append(row.Cells, int32(cell))
			}
			rows = append(rows, row)
		}
	}
	return rows
}
