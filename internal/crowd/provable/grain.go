package provable

import (
	"fmt"
	"time"
)

// Grain is the length of the periods that are counted.
type Grain string

// The grains, the finest first. A week is counted in each month that it has days of.
const (
	ByDay   Grain = "day"
	ByWeek  Grain = "week"
	ByMonth Grain = "month"
)

// Grains lists them, the finest first.
func Grains() []Grain { return []Grain{ByDay, ByWeek, ByMonth} }

// mostPeriods is how many periods a month has at most: 31 days lie in up to six ISO weeks.
func (g Grain) mostPeriods() int64 {
	switch g {
	case ByDay:
		return 31
	case ByWeek:
		return 6
	}
	return 1
}

// days is how many days a period has at most.
func (g Grain) days() int64 {
	switch g {
	case ByDay:
		return 1
	case ByWeek:
		return 7
	}
	return 31
}

// Period is a day, an ISO week or a month, closed-open: of a month's release the days, the parts of weeks that lie in the month, and
// the month.
type Period struct {
	Grain      Grain
	Name       string // 2026-11-05, 2026-W45, 2026-11
	Start, End time.Time
}

// Periods gives the periods of a grain in the month, in order. A week at its edges is cut off there.
func (m Month) Periods(g Grain) (all []Period) {
	if g == ByMonth {
		return []Period{{g, m.Name, m.Start, m.End}}
	}
	for start := m.Start; start.Before(m.End); {
		days := 1
		if g == ByWeek {
			days = 7 - (int(noon(start).Weekday())+6)%7
		}
		end := midnight(start, days)
		if end.After(m.End) {
			end = m.End
		}
		all = append(all, Period{g, nameOf(g, noon(start)), start, end})
		start = end
	}
	return all
}

// noon is in the day that begins at a time: where clocks change at midnight a day may begin an hour before or after.
func noon(start time.Time) time.Time { return start.Add(12 * time.Hour) }

// midnight is when the day begins that is so many days later: a later one where the calendar leaves that day out.
func midnight(start time.Time, days int) (end time.Time) {
	for at := noon(start); !end.After(start); days++ {
		end = time.Date(at.Year(), at.Month(), at.Day()+days, 0, 0, 0, 0, at.Location())
	}
	return end
}

func nameOf(g Grain, noon time.Time) string {
	if g == ByWeek {
		year, week := noon.ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	}
	return noon.Format(time.DateOnly)
}

// begins reports whether a period has the first day of what it is called by, ends whether it has the last.
func (p Period) begins() bool { return p.Grain != ByWeek || noon(p.Start).Weekday() == time.Monday }
func (p Period) ends() bool   { return p.Grain != ByWeek || noon(p.End).Weekday() == time.Monday }

// periodsByDay gives for each day of the month the period of a grain that it lies in.
func (m Month) periodsByDay(g Grain) (of []int32) {
	first, periods, at := noon(m.Start), m.Periods(g), 0
	for day := range time.Date(first.Year(), first.Month()+1, 0, 12, 0, 0, 0, time.UTC).Day() {
		for at+1 < len(periods) && !time.Date(first.Year(), first.Month(), 1+day, 12, 0, 0, 0, first.Location()).Before(periods[at].End) {
			at++
		}
		of = append(of, int32(at))
	}
	return of
}
