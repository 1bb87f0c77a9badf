package provable

import (
	"math"

	"murmur/internal/crowd/release"
)

// Usable is the largest expected error, 95 %, of a figure that a plan has, as a part of the measure's scale.
const Usable = 0.1

// weight is the share of a grain in a metric's budget.
type weight struct {
	grain Grain
	share int64
}

// Coarser says what a plan gave up, because the error that is expected with it is too large.
type Coarser struct {
	Measure string  `json:"-"`
	What    string  `json:"what"`           // day, week: that grain; cells: how many there are; measure: all of it
	Cells   int     `json:"cells"`          // with which it was tried
	Error   float64 `json:"expected_error"` // in the unit of the measure
	Unit    string  `json:"error_unit"`
	Most    float64 `json:"most"` // that is usable
}

// plan chooses grains and cells: the finest whose expected error is usable. First grains go, the finest first, and their budget goes to those that
// are left; then cells merge along the public tree. It looks at the specification alone. Without Parts the metric cannot
// be had.
func (m *Metric) plan(contacts float64, weights []weight, budget Rho) error {
	for _, cut := range release.Coarser(m.Query.Split) {
		m.lay(cut)
		var grains []Coarser
		for kept := weights; len(kept) > 0; kept = kept[1:] {
			if err := m.measured(kept, budget); err != nil {
				return err
			}
			lost, ok := m.misses(contacts)
			if ok {
				m.coarser = append(m.coarser, grains...)
				return nil
			}
			grains = append(grains, lost)
		}
		last := grains[len(grains)-1]
		last.What = "cells"
		m.coarser = append(m.coarser, last)
	}
	m.coarser[len(m.coarser)-1].What = "measure"
	m.Parts, m.Cost = nil, 0
	return nil
}

// misses gives the finest grain whose expected error is not usable; ok: there is none. Where there are many cells, an average
// one must be larger than its error, else most of them would say nothing.
func (m *Metric) misses(contacts float64) (lost Coarser, ok bool) {
	if contacts <= 0 || m.expect <= 0 || m.measure.Error == nil {
		return lost, true
	}
	for _, p := range m.Parts {
		most := Usable * m.scale()
		if cells := len(m.Cells) / len(binsOf(m.Query)); cells > 1 {
			most = min(most, m.scale()/float64(cells))
		}
		if e := m.measure.Error(m.rows(p.Grain, contacts), p.Sigma()); !(e <= most) {
			return Coarser{m.Measure, string(p.Grain), len(m.Cells), e, m.measure.Unit, most}, false
		}
	}
	return lost, true
}

func (m *Metric) scale() float64 {
	if m.measure.Scale == 0 {
		return 100
	}
	return m.measure.Scale
}

// average days of a period.
func (g Grain) average() float64 {
	if g == ByMonth {
		return 365.25 / 12
	}
	return float64(g.days())
}

// rows is how many rows are expected to count in a period.
func (m *Metric) rows(g Grain, contacts float64) float64 {
	if m.Afresh && len(m.Cells) == 1 { // contacts, who come at random times
		if g == ByMonth {
			return contacts * min(m.expect, 1)
		}
		return contacts * -math.Expm1(-m.kept()*g.average()/ByMonth.average())
	}
	return contacts * m.kept() * g.average() / ByMonth.average()
}

// kept is how many of a contact's rows count in a month, when contacts have the expected mean each and their numbers are geometric: the shares of contacts with
// 0, 1, 2, .. rows fall by a constant factor.
func (m *Metric) kept() (rows float64) {
	ratio := m.expect / (1 + m.expect)
	for n := int64(1); n <= m.Month; n++ {
		rows += math.Pow(ratio, float64(n))
	}
	return rows
}
