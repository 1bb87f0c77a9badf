package provable

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"murmur/internal/crowd/internal/dp"
	"murmur/internal/crowd/release"
)

// Plan is a compiled specification: everything that decides what a release says. Its JSON form is what a release is known
// by (ID) and is kept with it.
type Plan struct {
	Unit    string
	Epsilon float64
	Delta   float64
	Days    int64 // of one contact
	Metrics []Metric
	Cost    Rho // of all metrics

	contacts float64   // expected
	lost     []Coarser // metrics that cannot be had
}

// Metric is one measure of a plan.
type Metric struct {
	Measure    string
	Query      release.Query
	Cells      []PublicCell
	Month, Day int64  // rows of one contact that count
	Once       bool   // a contact counts once in each cell of the month
	Afresh     bool   // a contact counts once in each cell of every period
	Parts      []Part // by grain, the finest first; the last one is the month
	Cost       Rho    // of all parts

	leaves  []release.Key
	to      []int32 // the cell of each leaf and bin, where cells were merged
	measure Measure
	expect  float64 // rows of a contact
	coarser []Coarser
}

// Part is what a metric is counted with in the periods of one grain.
type Part struct {
	Grain Grain
	// Squared is the largest squared Euclidean length of what one contact adds to the cells of all periods of a month.
	Squared  int64
	Variance uint64 // of the noise on each cell
	Cost     Rho
}

// PublicCell is a cell, known before any row is read.
type PublicCell struct {
	Members []release.Member
	Bin     int64
}

// Sigma is the standard deviation of the noise on each cell. A discrete Gaussian's is a little smaller.
func (p Part) Sigma() float64 { return math.Sqrt(float64(p.Variance)) }

// metric is the place of a measure; -1: there is none.
func (p Plan) metric(measure string) int {
	return slices.IndexFunc(p.Metrics, func(m Metric) bool { return m.Measure == measure })
}

// The bounds of a specification's numbers.
const (
	mostDays    = 31
	mostRows    = 1000 // of one contact
	leastShare  = 10
	mostMetrics = 40

	mostContacts = 1e12 // expected
)

// Compile derives bounds, cells, sensitivities and noise from a specification.
func Compile(s Spec, measures []Measure) (Plan, error) {
	bad := func(format string, args ...any) (Plan, error) {
		return Plan{}, fmt.Errorf("%w: "+format, append([]any{ErrSpec}, args...)...)
	}
	switch {
	case s.Version != 1:
		return bad("version %d is not known, 1 is", s.Version)
	case s.Unit != "contact-month":
		return bad("the unit must be contact-month")
	case !(s.Budget.Epsilon > 0 && s.Budget.Epsilon <= Epsilon):
		return bad("epsilon must be more than 0 and at most %d", Epsilon)
	case !(s.Budget.Delta >= 1e-12 && s.Budget.Delta <= Delta):
		return bad("delta must be from 1e-12 to %g", Delta)
	case s.Bounds.Days < 1 || s.Bounds.Days > mostDays:
		return bad("bounds: days must be from 1 to %d", mostDays)
	case len(s.Metrics) == 0 || len(s.Metrics) > mostMetrics:
		return bad("there must be from 1 to %d metrics", mostMetrics)
	}
	weights, err := s.weights()
	if err != nil {
		return bad("%w", err)
	}
	if c := s.Expect.Contacts; !(c >= 0 && c <= mostContacts) {
		return bad("expect: contacts must be from 0 to %d", int64(mostContacts))
	}
	p := Plan{Unit: s.Unit, Epsilon: s.Budget.Epsilon, Delta: s.Budget.Delta, Days: s.Bounds.Days, contacts: s.Expect.Contacts}
	whole, shares, seen := Rho(dp.Cap(p.Epsilon, p.Delta)), int64(0), map[string]bool{}
	for i, sm := range s.Metrics {
		m, err := compile(sm, p.Days, measures)
		if err == nil && seen[m.Measure] {
			err = errors.New("the measure is there twice")
		}
		if err == nil {
			err = m.plan(p.contacts, weights, share(whole, sm.Share, 1000))
		}
		if err != nil {
			return bad("metric %d: %w", i+1, err)
		}
		seen[m.Measure] = true
		shares += sm.Share
		if len(m.Parts) == 0 {
			p.lost = append(p.lost, m.coarser[len(m.coarser)-1])
			continue
		}
		p.Metrics, p.Cost = append(p.Metrics, m), p.Cost+m.Cost
	}
	if shares > 1000 {
		return bad("the shares are %d per mille of the budget together", shares)
	}
	if p.Cost > whole { // each part costs at most its share, rounded down
		return bad("the metrics cost %v, the budget is %v", p.Cost, whole)
	}
	return p, nil
}

// weights are the shares of the grains in a metric's budget, those without a share left out.
func (s Spec) weights() (of []weight, err error) {
	g := SpecGrains{1, 1, 1}
	if s.Grains != nil {
		if g = *s.Grains; g.Day < 0 || g.Week < 0 || g.Month < 1 || g.Day > 1000 || g.Week > 1000 || g.Day+g.Week+g.Month > 1000 {
			return nil, errors.New("grains: day, week and month are shares per mille, 1000 together at most, and month has at least 1")
		}
	}
	for i, share := range []int64{g.Day, g.Week, g.Month} {
		if share > 0 {
			of = append(of, weight{Grains()[i], share})
		}
	}
	return of, nil
}

// share is n of whole parts of a budget, rounded down.
func share(budget Rho, n, whole int64) Rho { return Rho(int64(budget) * n / whole) }

func compile(s SpecMetric, days int64, measures []Measure) (Metric, error) {
	i := slices.IndexFunc(measures, func(m Measure) bool { return m.Name == s.Measure })
	switch {
	case i < 0:
		return Metric{}, fmt.Errorf("there is no such measure; there are %s", names(measures))
	case s.Share < leastShare || s.Share > 1000:
		return Metric{}, fmt.Errorf("the share must be from %d to 1000 per mille", leastShare)
	case s.Month < 1 || s.Month > mostRows || s.Day < 0 || s.Day > s.Month:
		return Metric{}, fmt.Errorf("month must be from 1 to %d, and day at most that", mostRows)
	case s.Once != "" && s.Once != OnceMonth && s.Once != OncePeriod:
		return Metric{}, fmt.Errorf("once must be %s or %s", OnceMonth, OncePeriod)
	case !(s.Expect >= 0 && s.Expect <= mostRows):
		return Metric{}, fmt.Errorf("expect must be from 0 to %d", mostRows)
	}
	m := Metric{
		Measure: s.Measure, Query: measures[i].Query, Month: s.Month, Day: s.Day, Once: s.Once == OnceMonth, Afresh: s.Once == OncePeriod,
		measure: measures[i], expect: s.Expect,
	}
	if m.Day == 0 {
		m.Day = m.Month
	}
	m.Month = min(m.Month, m.Day*days)
	if _, _, ok := release.Public(m.Query.Split); !ok {
		return Metric{}, fmt.Errorf("the keys of the measure are not public")
	}
	return m, nil
}

// lay makes the cells: the leaves of the split in groups, each with its bins.
func (m *Metric) lay(groups [][]int) {
	leaves, members, _ := release.Public(m.Query.Split)
	bins := binsOf(m.Query)
	m.leaves, m.Cells, m.to = leaves, nil, nil
	to := make([]int32, len(members)*len(bins))
	for _, group := range groups {
		var of []release.Member
		for _, leaf := range group {
			for b := range bins {
				to[leaf*len(bins)+b] = int32(len(m.Cells) + b)
			}
			if members[leaf].Dim != "" {
				of = append(of, members[leaf])
			}
		}
		for _, bin := range bins {
			m.Cells = append(m.Cells, PublicCell{of, bin})
		}
	}
	if len(groups) < len(members) {
		m.to = to
	}
}

// cell is where a row counts that the reader put into a leaf and bin; -1: nowhere.
func (m *Metric) cell(read int32) int32 {
	if read < 0 || m.to == nil {
		return read
	}
	return m.to[read]
}

// measured gives the noise and cost of the grains, each with its share of a budget.
func (m *Metric) measured(weights []weight, budget Rho) error {
	m.Parts, m.Cost = nil, 0
	whole := int64(0)
	for _, w := range weights {
		whole += w.share
	}
	for _, w := range weights {
		p := Part{Grain: w.grain, Squared: m.squared(w.grain)}
		p.Variance = dp.Variance(p.Squared, dp.Rho(share(budget, w.share, whole)))
		if p.Variance == 0 {
			return errors.New("no noise is large enough for its bounds and share")
		}
		p.Cost = Rho(dp.Cost(p.Squared, p.Variance))
		m.Parts, m.Cost = append(m.Parts, p), m.Cost+p.Cost
	}
	return nil
}

// squared is the sensitivity of a metric in all periods of a grain: each row of a contact in a cell of its own; or as many in one
// cell as a period allows, in as few periods as hold them.
func (m *Metric) squared(g Grain) int64 {
	switch {
	case m.Once:
		return min(m.Month, int64(len(m.Cells)))
	case m.Afresh:
		return min(m.Month, g.mostPeriods()*int64(len(m.Cells)))
	}
	most := min(m.Month, m.Day*g.days())
	return m.Month/most*most*most + (m.Month%most)*(m.Month%most)
}

func binsOf(q release.Query) []int64 {
	if len(q.Value.Bins) == 0 {
		return []int64{0}
	}
	return q.Value.Bins
}

func names(measures []Measure) (list string) {
	for i, m := range measures {
		if i > 0 {
			list += ", "
		}
		list += m.Name
	}
	return list
}

// ID is what a plan is known by: releases of equal plans and months are one release.
func (p Plan) ID() [sha256.Size]byte {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain numbers and names
	}
	return sha256.Sum256(append([]byte("murmur provable plan 1\x00"), b...))
}

// questions are what is asked of the rows of a month, one a metric.
func (p Plan) questions(span release.Span) (qs []release.Question) {
	for _, m := range p.Metrics {
		qs = append(qs, release.Question{Query: m.Query, Span: span, Leaves: m.leaves})
	}
	return qs
}
