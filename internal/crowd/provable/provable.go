// Package provable makes releases that leave a workspace: once a month, counts to which every contact adds a bounded
// number, with exact discrete Gaussian noise that a durable account pays for. It is the second way over the second door,
// beside package release.
//
// Words: the *unit* is a contact-month, everything that one contact did with one workspace in one month. A *specification*
// says what is released and how much one unit may add to it; it is compiled to a *plan*, which has the noise and its cost. A
// *release* is what one plan gave for one month: it is made once and never changes.
//
// Zone: AMBER. It sees the rows of contacts, sums them, and lets only noised sums out.
//
// It promises, for whoever reads every release of a month, (2, 1e-6)-differential privacy with respect to adding or removing
// all facts of one contact in that month:
//   - the exact sums of two neighbouring months differ by at most the plan's sensitivity (TestNeighbours), and the noise hides the difference as well as is claimed (Audit);
//   - what one contact adds is bounded over the days, the weeks and the month together, and all of it is paid for (TestTheCostIsThatOfAllThatOneContactAdds);
//   - which grains and cells there are follows from the specification alone, never from rows (TestThePlanIsTheSameWhateverTheRows);
//   - cells are public before any row is read; empty ones get noise as well, and none is hidden;
//   - the budget is reserved durably before a row is read, and never more than the month has; a crash after that has spent it; noise is drawn once;
//   - when a month is due follows from the calendar alone.
//
// It does not protect against: one person whom murmur takes for several contacts, who has as many units; what months tell
// together (each has its own budget; docs/privacy.md prints the sum of a year); somebody with the release key, who can
// forge a release; somebody who reads the rows themselves. Callers who withhold their number are in no release.
package provable

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"murmur/internal/crowd/internal/dp"
	"murmur/internal/crowd/release"
	"murmur/internal/workspace"
)

// What one contact-month may cost all together, over all releases.
const (
	Epsilon = 2
	Delta   = 1e-6
)

// MonthBudget is the largest rho that is (Epsilon, Delta)-differential privacy.
func MonthBudget() Rho { return Rho(dp.Cap(Epsilon, Delta)) }

// Rho is a cost in zero-concentrated differential privacy, in units of 1e-9.
type Rho int64

func (r Rho) String() string { return dp.Rho(r).String() }

// Measure is something that can be released: a query whose cells are public.
type Measure struct {
	Name  string
	Query release.Query // without a split by the workspace's own labels, without values that follow from other rows
	Unit  string        // of the expected error: "%", "points", ..
	Scale float64       // how much of the unit is 100 %; 0: 100
	// Error gives the expected 95 % error of the figure that is made of the cells, when about rows are counted in all of
	// them and the noise of each has a standard deviation of sigma.
	Error func(rows, sigma float64) float64
}

// Month is a calendar month in a workspace's time zone, closed-open.
type Month struct {
	Name       string // 2026-11
	Start, End time.Time
}

// MonthOf gives the month around a moment.
func MonthOf(zone *time.Location, at time.Time) Month {
	local := at.In(zone)
	start := time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, zone)
	return Month{start.Format("2006-01"), start, start.AddDate(0, 1, 0)}
}

// ParseMonth reads a month's name.
func ParseMonth(zone *time.Location, name string) (Month, error) {
	start, err := time.ParseInLocation("2006-01", name, zone)
	if err != nil {
		return Month{}, fmt.Errorf("a month of %d bytes is not a year and a month", len(name))
	}
	return MonthOf(zone, start.Add(12*time.Hour)), nil
}

// Cutoff is how long after its end a month is released: what comes later is not in it.
const Cutoff = 48 * time.Hour

// Due gives the months that can be released at a moment, oldest first: those that were over for Cutoff, and whose rows can
// all still be linked. It does not depend on anybody's events.
func Due(zone *time.Location, linkDays int, now time.Time) (due []Month) {
	for m := MonthOf(zone, now); ; m = MonthOf(zone, m.Start.Add(-12*time.Hour)) {
		if !now.Before(m.Start.AddDate(0, 0, linkDays)) {
			slices.Reverse(due)
			return due
		}
		if !now.Before(m.End.Add(Cutoff)) {
			due = append(due, m)
		}
	}
}

// Cell is one public cell of a released measure, with its noised count, which may be below zero.
type Cell struct {
	Members []release.Member // of the measure's split, several where cells were merged; none: there is no split
	Bin     int64            // lower edge of its values; 0 when there is one bin
	Count   int64
}

// Counts are the released cells of one measure in one period.
type Counts struct {
	Measure string
	Period  Period
	Most    int64   // rows that one contact adds at most
	Sigma   float64 // standard deviation of the noise on each
	Cells   []Cell
}

// Of adds up the cells that f accepts. The noise of a sum of n cells has n times the variance.
func (c Counts) Of(f func(Cell) bool) (sum, cells int64) {
	for _, cell := range c.Cells {
		if f(cell) {
			sum, cells = sum+cell.Count, cells+1
		}
	}
	return sum, cells
}

// Release is what left. The zero Release is invalid.
type Release struct {
	workspace workspace.ID
	month     Month
	settings  release.Settings
	plan      Plan
	values    [][][]int64 // by metric, grain, and cell of each period in turn
	ok        bool
}

// Valid reports whether the release was made here.
func (r Release) Valid() bool { return r.ok }

// Workspace is whose release it is.
func (r Release) Workspace() workspace.ID { return r.workspace }

// Month is the month it is about.
func (r Release) Month() Month { return r.month }

// Settings are those that the rows were counted under.
func (r Release) Settings() release.Settings { return r.settings }

// Plan is what was released.
func (r Release) Plan() Plan { return r.plan }

// Counts gives a measure's cells in the month; ok is false when the plan has none.
func (r Release) Counts(measure string) (c Counts, ok bool) {
	i := r.plan.metric(measure)
	if i < 0 {
		return Counts{}, false
	}
	all := r.counts(i)
	return all[len(all)-1], true
}

// Noised are the counts of a measure as they were drawn, by grain, period and cell: before they are made consistent.
func (r Release) Noised(measure string) (parts []Part, counts [][]int64) {
	i := r.plan.metric(measure)
	if i < 0 {
		return nil, nil
	}
	return r.plan.Metrics[i].Parts, r.values[i]
}

// Told are the counts of one period, and the release that they are of: of a week in two months the later one.
type Told struct {
	Release Release
	Counts
}

// Periods gives all counts of a measure in releases that are sorted by month: of each month's the first that has the measure. A week in two months is there when both
// left with the same cells; it has the noise of both.
func Periods(releases []Release, measure string) (all []Told) {
	last := ""
	var begun *Told // a week that the month before began
	for _, r := range releases {
		i := r.plan.metric(measure)
		if i < 0 || r.month.Name == last {
			continue
		}
		last = r.month.Name
		var rest *Told
		for _, c := range r.counts(i) {
			switch {
			case c.Period.begins() && c.Period.ends():
				all = append(all, Told{r, c})
			case c.Period.begins():
				rest = &Told{r, c}
			case begun != nil:
				if joined, ok := begun.with(c); ok {
					all = append(all, Told{r, joined})
				}
			}
		}
		begun = rest
	}
	return all
}

// with adds the rest of a week.
func (t Told) with(c Counts) (Counts, bool) {
	same := t.Period.Name == c.Period.Name && t.Period.End.Equal(c.Period.Start) && slices.EqualFunc(t.Cells, c.Cells, func(a, b Cell) bool {
		return a.Bin == b.Bin && slices.Equal(a.Members, b.Members)
	})
	if !same {
		return c, false
	}
	c.Cells = slices.Clone(c.Cells)
	for i := range c.Cells {
		c.Cells[i].Count += t.Cells[i].Count
	}
	c.Period.Start, c.Most, c.Sigma = t.Period.Start, max(t.Most, c.Most), math.Hypot(t.Sigma, c.Sigma)
	return c, true
}

// Errors that callers branch on.
var (
	// ErrSpec is returned for a specification that cannot be compiled.
	ErrSpec = errors.New("specification of a release")
	// ErrBudget is returned when a month has less budget than a release costs. Nothing was spent.
	ErrBudget = errors.New("the budget of the month is too small")
	// ErrSpent is returned when an earlier release reserved the budget and did not finish: the budget is spent, and there is
	// no release.
	ErrSpent = errors.New("the budget was spent without a release")
	// ErrNotDue is returned for a month that is not over, or whose rows can no longer be linked.
	ErrNotDue = errors.New("the month cannot be released now")
	// ErrSeal is returned for stored bytes that were not sealed here for this place.
	ErrSeal = errors.New("stored release is not authentic")
)
