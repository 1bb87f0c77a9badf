package provable

import (
	"math"

	"murmur/internal/crowd/internal/dp"
)

// Explanation says what a plan gives and costs, before anything is spent. Nothing in it comes from data but what the
// account says, which is public.
type Explanation struct {
	Unit      string              `json:"unit"`
	Epsilon   float64             `json:"epsilon"`
	Delta     float64             `json:"delta"`
	Yearly    float64             `json:"epsilon_of_twelve_months"`
	Days      int64               `json:"days"` // of one contact that are looked at
	Contacts  float64             `json:"expected_contacts"`
	Requested int64               `json:"requested_nano_rho"`
	Budget    int64               `json:"budget_nano_rho"` // of a month
	Metrics   []MetricExplanation `json:"metrics"`
	Lost      []LostExplanation   `json:"cannot_be_had"`
	Months    []MonthExplanation  `json:"months"` // of the account, and those that are due
}

// LostExplanation is a metric that would be too inexact in every grain. It costs nothing.
type LostExplanation struct {
	Measure string `json:"measure"`
	Coarser
}

// MetricExplanation says it of one metric.
type MetricExplanation struct {
	Measure string             `json:"measure"`
	Cells   int                `json:"cells"`
	Month   int64              `json:"month"` // rows of one contact that count
	Day     int64              `json:"day"`
	Once    string             `json:"once,omitempty"`
	NanoRho int64              `json:"nano_rho"`
	Kept    float64            `json:"expected_share"` // of all rows, that counts
	Grains  []GrainExplanation `json:"grains"`
	Coarser []Coarser          `json:"coarser"` // what was given up, and why
}

// GrainExplanation says it of one metric in the periods of one grain.
type GrainExplanation struct {
	Grain       Grain   `json:"grain"`
	Sensitivity float64 `json:"sensitivity"` // Euclidean, over all periods of a month
	Sigma       float64 `json:"sigma"`       // of the noise on each cell
	NanoRho     int64   `json:"nano_rho"`
	Rows        float64 `json:"expected_rows"`  // that count in a period
	Error       float64 `json:"expected_error"` // 95 %, of the figure, by noise alone
	Unit        string  `json:"error_unit"`
}

// MonthExplanation is the account of one month.
type MonthExplanation struct {
	Month   string `json:"month"`
	Spent   int64  `json:"spent_nano_rho"`
	Left    int64  `json:"left_nano_rho"`
	Missing int64  `json:"missing_nano_rho"` // for this plan
	State   string `json:"state"`            // open, released, spent, short
}

// Explain says what the plan gives, for the contacts that it expects.
func (p Plan) Explain() Explanation {
	e := Explanation{
		Unit: p.Unit, Epsilon: p.Epsilon, Delta: p.Delta, Days: p.Days, Contacts: p.contacts,
		Requested: int64(p.Cost), Budget: int64(MonthBudget()), Yearly: dp.Epsilon(dp.Rho(12*p.Cost), p.Delta),
		Lost: []LostExplanation{},
	}
	for _, l := range p.lost {
		e.Lost = append(e.Lost, LostExplanation{l.Measure, l})
	}
	for _, m := range p.Metrics {
		e.Metrics = append(e.Metrics, m.explain(p.contacts))
	}
	return e
}

func (m *Metric) explain(contacts float64) MetricExplanation {
	x := MetricExplanation{Measure: m.Measure, Cells: len(m.Cells), Month: m.Month, Day: m.Day, NanoRho: int64(m.Cost), Coarser: append([]Coarser{}, m.coarser...)}
	switch {
	case m.Once:
		x.Once = OnceMonth
	case m.Afresh:
		x.Once = OncePeriod
	}
	if m.expect > 0 {
		x.Kept = m.kept() / m.expect
	}
	for _, p := range m.Parts {
		g := GrainExplanation{
			Grain: p.Grain, Sensitivity: math.Sqrt(float64(p.Squared)), Sigma: p.Sigma(), NanoRho: int64(p.Cost), Rows: m.rows(p.Grain, contacts), Unit: m.measure.Unit,
		}
		if g.Rows > 0 && m.measure.Error != nil {
			g.Error = m.measure.Error(g.Rows, g.Sigma)
		}
		x.Grains = append(x.Grains, g)
	}
	return x
}

// With completes an explanation by the account of a month.
func (e *Explanation) With(month string, a Account) {
	x := MonthExplanation{Month: month, Spent: int64(a.Spent), Left: int64(a.Cap - a.Spent), State: "open"}
	switch {
	case a.Released:
		x.State = "released"
	case a.Reserved:
		x.State = "spent"
	case x.Left < e.Requested:
		x.State, x.Missing = "short", e.Requested-x.Left
	}
	e.Months = append(e.Months, x)
}
