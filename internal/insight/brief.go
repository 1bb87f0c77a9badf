package insight

import (
	"slices"
	"strings"
	"time"

	"murmur/internal/crowd/release"
)

// Headlines says the most important thing of each insight about one period, compared with the period right before it, what
// matters most first. No figure of another period is in it.
func Headlines(figures []Figure, period string) (headlines []Sentence) {
	for _, in := range All() {
		now, before := of(figures, in.Slug, period), of(figures, in.Slug, Before(period))
		if !slices.ContainsFunc(now, tells) {
			continue
		}
		if h := Headline(now, before); len(h.Evidence) > 0 {
			headlines = append(headlines, h)
		}
	}
	Rank(headlines)
	return headlines
}

// of gives the figures of an insight in one period.
func of(figures []Figure, slug, period string) (out []Figure) {
	for _, f := range figures {
		if f.Insight == slug && f.Period == period {
			out = append(out, f)
		}
	}
	return out
}

// Over keeps the figures of periods that are over.
func Over(figures []Figure) []Figure {
	return slices.DeleteFunc(slices.Clone(figures), func(f Figure) bool { return !f.Finished() })
}

// tells reports whether a figure says something: it is shown, and not everything in one group.
func tells(f Figure) bool { return f.Value != nil && (f.Measure != "share" || *f.Value != 1) }

// Before names the period of the same grain that ends where the named one begins; empty for what is no period.
func Before(period string) string {
	if m, err := time.Parse(monthName, period); err == nil {
		return m.AddDate(0, -1, 0).Format(monthName)
	}
	if d, err := time.Parse(time.DateOnly, period); err == nil {
		return d.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	p, err := release.ParsePeriod(time.UTC, period)
	if err != nil {
		return ""
	}
	return p.Before().Name
}

// monthName is the form of the names of months: 2026-10.
const monthName = "2006-01"

// LastBlock names the last block of weeks that is over when the named week is.
func LastBlock(week string) string {
	p, err := release.ParsePeriod(time.UTC, week)
	if err != nil {
		return ""
	}
	return p.LastBlock().Name
}

// LastWeek names the last week that is over and says something; empty where there is none.
func LastWeek(figures []Figure) string {
	week, _ := newest(figures, true)
	return week
}

// Weeks counts the weeks of a period.
func Weeks(period string) int {
	p, err := release.ParsePeriod(time.UTC, period)
	if err != nil {
		return 0
	}
	return len(release.Weeks(time.UTC, p.Start, p.End))
}

// beforeWords name the period before another one.
func beforeWords(period string) string {
	if _, err := time.Parse(monthName, period); err == nil {
		return "the month before"
	}
	if _, err := time.Parse(time.DateOnly, period); err == nil {
		return "the day before"
	}
	switch Weeks(period) {
	case 4:
		return "the four weeks before"
	case 5:
		return "the five weeks before"
	}
	return "the week before"
}

// window is what advice is read from: up to four weeks that are over, and one block.
type window struct {
	weeks   []string // the newest first
	block   string
	running bool // they are not over
}

// windowTo are the four weeks that end with a week, and the block that does, if there is one.
func windowTo(week string) (w window) {
	for name := week; len(w.weeks) < poolWeeks && name != ""; name = Before(name) {
		w.weeks = append(w.weeks, name)
	}
	if b := LastBlock(week); strings.HasSuffix(b, ".."+week) {
		w.block = b
	}
	return w
}

// windowOf are the four weeks to the last one that is over, and the last block that is over by then. Where nothing is over, it
// is what runs.
func windowOf(figures []Figure) window {
	week, block := newest(figures, true)
	running := week == "" && block == ""
	if running {
		week, block = newest(figures, false)
	}
	w := windowTo(week)
	w.running, w.block = running, block
	if week != "" && !running {
		w.block = LastBlock(week)
	}
	return w
}

// newest names the newest week and block that say something, among those that are over or those that are not.
func newest(figures []Figure, over bool) (week, block string) {
	for _, f := range figures {
		switch {
		case !tells(f) || f.Finished() != over:
		case f.Grain == "week":
			week = max(week, f.Period) // names of one grain sort by time
		default:
			block = max(block, f.Period)
		}
	}
	return week, block
}

// Newest keeps, of each insight and grain of a workspace, the shown figures of the newest period that has some.
func Newest(figures []Figure) (out []Figure) {
	type of struct{ workspace, insight, grain string }
	newest := map[of]string{}
	for _, f := range figures {
		if k := (of{f.Workspace, f.Insight, f.Grain}); f.Value != nil {
			newest[k] = max(newest[k], f.Period) // names of one grain sort by time
		}
	}
	for _, f := range figures {
		if f.Value != nil && f.Period == newest[of{f.Workspace, f.Insight, f.Grain}] {
			out = append(out, f)
		}
	}
	return out
}

// Unplaced reports whether nobody has said yet where the business is and when it answers: hours are then those of UTC, and no call
// comes while it is closed.
func Unplaced(figures []Figure) bool {
	if len(figures) == 0 {
		return false
	}
	s := figures[len(figures)-1].Settings
	return s["timezone"] == "UTC" && s["open_hours"] == "always"
}

// Finished reports whether a figure speaks of a period that is over; it may still be provisional.
func (f Figure) Finished() bool {
	zone, err := time.LoadLocation(f.Settings["timezone"])
	if err != nil {
		return false
	}
	p, err := release.ParsePeriod(zone, f.Period)
	return err == nil && !f.AsOf.Before(p.End)
}
