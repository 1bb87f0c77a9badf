package provable

import (
	"crypto/sha256"
	"encoding/json"
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

	contacts float64 // expected
}

// Metric is one measure of a plan.
type Metric struct {
	Measure    string
	Query      release.Query
	Cells      []PublicCell
	Month, Day int64 // rows of one contact that count
	Once       bool  // a contact counts once in each cell
	// Squared is the largest squared Euclidean length of what one contact adds to the cells.
	Squared  int64
	Variance uint64 // of the noise on each cell
	Cost     Rho

	leaves  []release.Key
	measure Measure
	expect  float64 // rows of a contact
}

// PublicCell is a cell, known before any row is read.
type PublicCell struct {
	Member release.Member
	Bin    int64
}

// Sigma is the standard deviation of the noise on each cell. A discrete Gaussian's is a little smaller.
func (m Metric) Sigma() float64 { return math.Sqrt(float64(m.Variance)) }

// The bounds of a specification's numbers.
const (
	mostDays    = 31
	mostRows    = 1000 // of one contact
	leastShare  = 10
	mostMetrics = 40
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
	p := Plan{Unit: s.Unit, Epsilon: s.Budget.Epsilon, Delta: s.Budget.Delta, Days: s.Bounds.Days, contacts: s.Expect.Contacts}
	whole, shares := Rho(dp.Cap(p.Epsilon, p.Delta)), int64(0)
	for _, sm := range s.Metrics {
		m, err := compile(sm, p.Days, whole, measures)
		if err != nil {
			return bad("metric %d: %w", len(p.Metrics)+1, err)
		}
		if slices.ContainsFunc(p.Metrics, func(o Metric) bool { return o.Measure == m.Measure }) {
			return bad("metric %d: the measure is there twice", len(p.Metrics)+1)
		}
		shares += sm.Share
		p.Metrics, p.Cost = append(p.Metrics, m), p.Cost+m.Cost
	}
	if shares > 1000 {
		return bad("the shares are %d per mille of the budget together", shares)
	}
	if p.Cost > whole { // each metric costs at most its share, rounded down
		return bad("the metrics cost %v, the budget is %v", p.Cost, whole)
	}
	return p, nil
}

func compile(s SpecMetric, days int64, whole Rho, measures []Measure) (Metric, error) {
	i := slices.IndexFunc(measures, func(m Measure) bool { return m.Name == s.Measure })
	switch {
	case i < 0:
		return Metric{}, fmt.Errorf("there is no such measure; there are %s", names(measures))
	case s.Share < leastShare || s.Share > 1000:
		return Metric{}, fmt.Errorf("the share must be from %d to 1000 per mille", leastShare)
	case s.Month < 1 || s.Month > mostRows || s.Day < 0 || s.Day > s.Month:
		return Metric{}, fmt.Errorf("month must be from 1 to %d, and day at most that", mostRows)
	case s.Expect < 0:
		return Metric{}, fmt.Errorf("expect must not be negative")
	}
	m := Metric{
		Measure: s.Measure, Query: measures[i].Query, Month: s.Month, Day: s.Day, Once: s.Once, measure: measures[i], expect: s.Expect,
	}
	if m.Day == 0 {
		m.Day = m.Month
	}
	m.Month = min(m.Month, m.Day*days)
	var members []release.Member
	var ok bool
	if m.leaves, members, ok = release.Public(m.Query.Split); !ok {
		return Metric{}, fmt.Errorf("the keys of the measure are not public")
	}
	for _, member := range members {
		for _, bin := range append([]int64(nil), binsOf(m.Query)...) {
			m.Cells = append(m.Cells, PublicCell{member, bin})
		}
	}
	m.Squared = squared(m)
	m.Variance = dp.Variance(m.Squared, dp.Rho(whole)*dp.Rho(s.Share)/1000)
	if m.Variance == 0 {
		return Metric{}, fmt.Errorf("no noise is large enough for its bounds and share")
	}
	m.Cost = Rho(dp.Cost(m.Squared, m.Variance))
	return m, nil
}

// squared is the sensitivity of a metric: all rows of a contact in one cell; or each in a cell of its own.
func squared(m Metric) int64 {
	if m.Once {
		return min(m.Month, int64(len(m.Cells)))
	}
	return m.Month * m.Month
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
