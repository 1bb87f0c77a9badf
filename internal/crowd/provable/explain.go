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
	Months    []MonthExplanation  `json:"months"` // of the account, and those that are due
}

// MetricExplanation says it of one metric.
type MetricExplanation struct {
	Measure     string  `json:"measure"`
	Cells       int     `json:"cells"`
	Month       int64   `json:"month"` // rows of one contact that count
	Day         int64   `json:"day"`
	Once        bool    `json:"once"`
	Sensitivity float64 `json:"sensitivity"` // Euclidean
	Sigma       float64 `json:"sigma"`       // of the noise on each cell
	NanoRho     int64   `json:"nano_rho"`
	Rows        float64 `json:"expected_rows"`  // that count
	Kept        float64 `json:"expected_share"` // of all rows, that counts
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
	}
	for _, m := range p.Metrics {
		rows := keptOf(m.expect, m.Month)
		if m.Once && len(m.Cells) == 1 { // it counts contacts, of whom each has a row
			rows = min(m.expect, 1)
		}
		x := MetricExplanation{
			Measure: m.Measure, Cells: len(m.Cells), Month: m.Month, Day: m.Day, Once: m.Once, Unit: m.measure.Unit,
			Sensitivity: math.Sqrt(float64(m.Squared)), Sigma: m.Sigma(), NanoRho: int64(m.Cost), Rows: rows * p.contacts,
		}
		if m.expect > 0 {
			x.Kept = rows / m.expect
		}
		if x.Rows > 0 && m.measure.Error != nil {
			x.Error = m.measure.Error(x.Rows, x.Sigma)
		}
		e.Metrics = append(e.Metrics, x)
	}
	return e
}

// keptOf is how many of a contact's rows count under a cap of most, when contacts have mean rows each and their numbers are
// geometric: the shares of contacts with 0, 1, 2, .. rows fall by a constant factor.
func keptOf(mean float64, most int64) (kept float64) {
	ratio := mean / (1 + mean)
	for n := int64(1); n <= most; n++ {
		kept += math.Pow(ratio, float64(n))
	}
	return kept
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
