package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"murmur/internal/insight"
)

// scale is how a unit is printed: the factor from the figure's value, the digits behind the point and the word
// behind the number.
type scale struct {
	factor float64
	digits int
	word   string
}

// scaleOf picks one scale for a value and its interval, so that "8-14 %" needs its unit once.
func scaleOf(unit string, high float64) scale {
	high = math.Abs(high)
	switch unit {
	case "ratio":
		if high < 0.02 {
			return scale{100, 1, " %"}
		}
		return scale{100, 0, " %"}
	case "s":
		switch {
		case high < 120:
			return scale{1, 0, " s"}
		case high < 2*3600:
			return scale{1.0 / 60, 0, " min"}
		case high < 48*3600:
			return scale{1.0 / 3600, 1, " h"}
		}
		return scale{1.0 / 86400, 1, " days"}
	case "points":
		if high <= 10 {
			return scale{1, 1, " points"}
		}
		return scale{1, 0, " points"}
	}
	return scale{1, 0, " " + unit}
}

func (s scale) number(v float64) string {
	t := strconv.FormatFloat(v*s.factor, 'f', s.digits, 64)
	if strings.Trim(t, "-0.") == "" {
		t = strings.TrimPrefix(t, "-")
	}
	return group(t)
}

// group puts commas between thousands.
func group(t string) string {
	whole, rest, _ := strings.Cut(t, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		rest = "." + rest
	}
	return sign + whole + rest
}

func highOf(f insight.Figure) float64 {
	if f.High != nil {
		return math.Max(math.Abs(*f.High), math.Abs(*f.Value))
	}
	return math.Abs(*f.Value)
}

// valueText prints a shown figure's value with its unit: "11 %".
func valueText(f insight.Figure) string {
	s := scaleOf(f.Unit, highOf(f))
	return s.number(*f.Value) + s.word
}

// intervalText prints the 95 % interval with its unit once: "8-14 %"; with negative ends "-3 to 5 points".
func intervalText(f insight.Figure) string {
	if f.Low == nil || f.High == nil {
		return ""
	}
	s := scaleOf(f.Unit, highOf(f))
	low, high := s.number(*f.Low), s.number(*f.High)
	if low == high {
		return low + s.word
	}
	if *f.Low < 0 {
		return low + " to " + high + s.word
	}
	return low + "-" + high + s.word
}

// keep holds a number and its unit on one line.
func keep(s string) string { return strings.ReplaceAll(s, " %", "\u00a0%") }

// hiddenText says in words why a figure shows no number.
func hiddenText(f insight.Figure) string {
	switch f.Hidden {
	case "small-group":
		return "hidden: fewer than " + minGroup(f) + " people"
	case "no-data":
		if f.Reason == insight.LaterQuestion {
			return "not asked yet"
		}
		if f.Reason == insight.NotYet {
			return "shown from tomorrow morning on"
		}
		if f.Reason == insight.MaybeFew {
			return "nothing to count, or too few people"
		}
		if f.Reason == insight.FewWorkspaces {
			return "needs 200 businesses to compare with"
		}
		return "nothing to count"
	case "":
		return ""
	}
	return "hidden"
}

// minGroup is the smallest group that was allowed when the figure was made.
func minGroup(f insight.Figure) string {
	if m := f.Settings["min_group"]; m != "" {
		return m
	}
	return "5"
}

// measureText names what a measure counts, for headings and table rows.
func measureText(slug, measure string) string {
	in, _ := insight.Find(slug)
	for _, m := range in.Measures {
		if m.Name == measure {
			return m.Title
		}
	}
	return "Figure"
}

// baseText names the denominator of a figure, "of 214"; nothing for a plain count, which is its own.
func baseText(f insight.Figure) string {
	if f.Base == 0 || f.Value != nil && *f.Value == float64(f.Base) {
		return ""
	}
	return "of " + group(strconv.FormatInt(f.Base, 10))
}

// weekOf reads "2026-W45"; the Monday it starts on.
func weekOf(name string) (time.Time, bool) {
	var year, week int
	if n, err := fmt.Sscanf(name, "%4d-W%2d", &year, &week); n != 2 || err != nil || week < 1 || week > 53 {
		return time.Time{}, false
	}
	jan4 := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC) // always in week 1 (ISO 8601)
	monday := jan4.AddDate(0, 0, -(int(jan4.Weekday())+6)%7)
	return monday.AddDate(0, 0, 7*(week-1)), true
}

// periodText prints a period for people: "2-8 Nov 2026", "2-29 Nov 2026 (4 weeks)", "October 2026", "5 Nov 2026".
func periodText(name string) string {
	first, last, block := strings.Cut(name, "..")
	from, ok := weekOf(first)
	if month, err := time.Parse("2006-01", name); err == nil {
		return month.Format("January 2006")
	}
	if day, err := time.Parse(time.DateOnly, name); err == nil {
		return day.Format("2 Jan 2006")
	}
	if !ok {
		return name
	}
	to, weeks := from.AddDate(0, 0, 6), ""
	if block {
		end, ok := weekOf(last)
		if !ok {
			return name
		}
		to = end.AddDate(0, 0, 6)
		weeks = fmt.Sprintf(" (%d weeks)", int(to.Sub(from).Hours()/24+1)/7)
	}
	if from.Month() == to.Month() {
		return fmt.Sprintf("%d-%d %s%s", from.Day(), to.Day(), to.Format("Jan 2006"), weeks)
	}
	return from.Format("2 Jan") + " - " + to.Format("2 Jan 2006") + weeks
}

// inPeriod reports whether a figure's period is the week, or a block of weeks around it.
func inPeriod(period, week string) bool {
	first, last, block := strings.Cut(period, "..")
	if !block {
		return period == week
	}
	return first <= week && week <= last // ISO names sort
}

// ageText prints how long ago something was: "4 minutes ago".
func ageText(d time.Duration) string {
	if d < time.Minute {
		return "just now"
	}
	return durationText(d) + " ago"
}

func durationText(d time.Duration) string {
	unit := func(n int, word string) string {
		if n == 1 {
			return "1 " + word
		}
		return strconv.Itoa(n) + " " + word + "s"
	}
	switch {
	case d < time.Minute:
		return unit(int(d.Seconds()), "second")
	case d < time.Hour:
		return unit(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return unit(int(d.Hours()), "hour")
	}
	return unit(int(d.Hours()/24), "day")
}

// settingTitles are the keys of the policy as people call them.
var settingTitles = map[string]string{
	"recordings": "Recordings", "transcripts": "Transcripts and summaries", "opt-in-countries": "Countries where people are always asked", "raw-hours": "Hours that originals live",
	"link-days": "Days that rows stay linked", "timezone": "Time zone", "region": "Country of numbers without a country code", "open-hours": "When someone should answer",
	"short-abandon-seconds": "Calls given up at once, in seconds", "opt-out-choice": "Key for “do not record”", "min-group": "Smallest group of people", "min-group-content": "Smallest group where words were read",
	"noise": "Noise on counts for others than the owner", "outside": "Differentially private figures leave", "outside-contacts": "Contacts in a month, about", "transforms": "What masking puts in place of values", "identifiers": "Identifiers of your own that are masked",
	"reader": "Second reader of words",
}

func settingText(key string) string {
	if t, ok := settingTitles[key]; ok {
		return t
	}
	return strings.ReplaceAll(key, "-", " ")
}

// levelText says how far calls can be controlled.
func levelText(level string) string {
	switch level {
	case "L1":
		return "A refusal is known before a recording is fetched."
	case "L2":
		return "A recording is stopped and deleted at the platform."
	case "L3":
		return "murmur records calls itself, and only what it may."
	}
	return "Import only: what comes in was recorded elsewhere."
}
