package insight

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"murmur/internal/crowd/release"
	"murmur/internal/workspace"
)

// Suggestion is advice with its evidence. Slug and the evidence's splits identify it across periods.
type Suggestion struct {
	Slug     string   `json:"slug"`
	Title    string   `json:"title"`
	Because  string   `json:"because"`
	Effect   string   `json:"effect"` // what to expect, with an interval
	Effort   string   `json:"effort"` // minutes, hours, days
	Evidence []Figure `json:"evidence"`
	// Weight is about how many contacts in four weeks would be served better; it orders suggestions.
	Weight float64 `json:"weight"`
}

// Suggestions reads advice out of the latest period of each insight, the weightiest first. A rule speaks only
// where the interval, not just the value, is beyond its threshold.
func Suggestions(figures []Figure) []Suggestion {
	latest := latestShown(figures)
	var out []Suggestion
	for _, rule := range []func(map[string][]Figure) []Suggestion{
		missedBand, missedNumber, notReturned, menuGivesUp, closedDemand, unhappySurvey,
	} {
		out = append(out, rule(latest)...)
	}
	slices.SortStableFunc(out, func(a, b Suggestion) int { return cmp.Compare(b.Weight, a.Weight) })
	return out
}

// latestShown groups the shown figures of each insight's latest telling period by "insight measure".
func latestShown(figures []Figure) map[string][]Figure {
	by := map[string][]Figure{}
	for _, in := range All() {
		periods, order := periodsThatTell(in.Slug, figures)
		if len(order) == 0 {
			continue
		}
		for _, f := range periods[order[len(order)-1]] {
			if f.Value != nil {
				by[f.Insight+" "+f.Measure] = append(by[f.Insight+" "+f.Measure], f)
			}
		}
	}
	return by
}

// cell is one group of hours of the week: which hours of the day, its calls and its missed calls.
type cell struct {
	figure        Figure
	first, last   int // hours of the day, inclusive
	calls, missed float64
}

// missedBand finds the hours of the day, up to four in a row, that stand out most among the open ones. 96 bands
// are tried; at 3.5 standard errors (one-sided 2.3e-4) a false alarm comes in about one block of fifty.
func missedBand(by map[string][]Figure) []Suggestion {
	cells := openCells(by["busy-hours answer_rate"])
	var found []Suggestion
	clearest := 3.5
	for width := 1; width <= 4; width++ {
		for first := 0; first+width <= 24; first++ {
			in, out, evidence := parted(cells, first, first+width)
			if in.calls == 0 || out.calls == 0 {
				continue
			}
			excess := in.missed - in.calls*out.missed/out.calls
			pooled := (in.missed + out.missed) / (in.calls + out.calls)
			deviation := in.calls * math.Sqrt(pooled*(1-pooled)*(1/in.calls+1/out.calls))
			if excess < 5 || excess < clearest*deviation {
				continue
			}
			clearest = excess / deviation
			found = []Suggestion{coverHours(first, first+width, in, out, evidence, excess)}
		}
	}
	return found
}

// parted sums the cells inside a band of hours and those outside.
func parted(cells []cell, first, end int) (in, out cell, evidence []Figure) {
	for _, c := range cells {
		side := &out
		if c.first >= first && c.last < end {
			side = &in
			evidence = append(evidence, c.figure)
		}
		side.calls += c.calls
		side.missed += c.missed
	}
	return in, out, evidence
}

func coverHours(first, end int, in, out cell, evidence []Figure, excess float64) Suggestion {
	here, rest := wilson(int64(in.missed), int64(in.calls)), wilson(int64(out.missed), int64(out.calls))
	return Suggestion{
		Slug:  "cover-hours",
		Title: fmt.Sprintf("Cover the phone from %02d:00 to %02d:00", first, end),
		Because: fmt.Sprintf("Between %02d:00 and %02d:00 %s of calls are missed; at other hours %s.",
			first, end, ratioText(here), ratioText(rest)),
		Effect: fmt.Sprintf("If they were answered like the others, %s more calls would get through in four weeks.",
			between(in.calls*(here.low-rest.high), in.calls*(here.high-rest.low))),
		Effort: "hours", Evidence: evidence, Weight: excess,
	}
}

// openCells lays out answer rates by hour of the day; cells with closed hours are another rule's matter.
func openCells(figures []Figure) (cells []cell) {
	for _, f := range figures {
		open, _ := workspace.ParseHours(strings.TrimPrefix(f.Settings["open_hours"], "always"))
		c := cell{figure: f, first: 24, last: -1, calls: float64(f.Base)}
		c.missed = math.Round(c.calls * (1 - *f.Value))
		usable := true
		for _, name := range f.Split["hour_of_week"] {
			h, err := strconv.Atoi(name)
			usable = usable && err == nil && release.Hours(open).Has(h)
			c.first, c.last = min(c.first, h%24), max(c.last, h%24)
		}
		if usable && c.last >= 0 {
			cells = append(cells, c)
		}
	}
	return cells
}

func missedNumber(by map[string][]Figure) (out []Suggestion) {
	figures := by["missed-call-rate rate"]
	i := whole(figures)
	if i < 0 {
		return nil
	}
	all := figures[i]
	for _, f := range figures {
		if len(f.Split) == 0 || *f.Low <= *all.High {
			continue
		}
		n := float64(f.Base)
		out = append(out, Suggestion{
			Slug:    "cover-number",
			Title:   "Let more people answer " + where(f),
			Because: fmt.Sprintf("Of the calls to %s %s were missed; of all calls %s.", where(f), withInterval(f), withInterval(all)),
			Effect: fmt.Sprintf("If it were answered like the others, %s more calls a week would get through.",
				between(n*(*f.Low-*all.High), n*(*f.High-*all.Low))),
			Effort: "minutes", Evidence: []Figure{f, all}, Weight: 4 * n * (*f.Value - *all.Value),
		})
	}
	return out
}

// notReturned speaks when surely more than a quarter of missed callers hear nothing.
func notReturned(by map[string][]Figure) []Suggestion {
	figures := by["missed-not-returned rate"]
	i := whole(figures)
	if i < 0 || *figures[i].Low < 0.25 {
		return nil
	}
	f := figures[i]
	n := float64(f.Base)
	return []Suggestion{{
		Slug:    "return-missed-calls",
		Title:   "Call back missed callers within a day",
		Because: fmt.Sprintf("Of missed calls %s were not returned within 24 hours.", withInterval(f)),
		Effect:  fmt.Sprintf("An automatic text after a missed call, or a daily list, would reach %s callers a week.", between(n**f.Low, n**f.High)),
		Effort:  "minutes", Evidence: []Figure{f}, Weight: 4 * n * *f.Value,
	}}
}

// menuGivesUp speaks where surely more than a fifth of passes through a menu end without a choice.
func menuGivesUp(by map[string][]Figure) (out []Suggestion) {
	figures := by["menu-funnel calls"]
	for _, f := range figures {
		if !isNone(f) {
			continue
		}
		var all float64
		evidence := []Figure{f}
		for _, other := range figures {
			if slices.Equal(other.Split["flow"], f.Split["flow"]) && slices.Equal(other.Split["node"], f.Split["node"]) {
				all += *other.Value
				if !isNone(other) {
					evidence = append(evidence, other)
				}
			}
		}
		e := wilson(int64(*f.Value), int64(all))
		if e.low < 0.2 {
			continue
		}
		out = append(out, Suggestion{
			Slug:    "shorten-menu",
			Title:   "Shorten the menu " + where(f),
			Because: fmt.Sprintf("Of its callers %s make no choice.", ratioText(e)),
			Effect: fmt.Sprintf("With one in ten giving up, %s more callers a week would go on.",
				between(all*(e.low-0.1), all*(e.high-0.1))),
			Effort: "minutes", Evidence: evidence, Weight: 4 * all * (e.value - 0.1),
		})
	}
	return out
}

// closedDemand speaks when surely more than 15 % of calls come outside open hours.
func closedDemand(by map[string][]Figure) []Suggestion {
	figures := by["after-hours-demand share"]
	if len(figures) == 0 || *figures[0].Low < 0.15 {
		return nil
	}
	f := figures[0]
	n := float64(f.Base)
	return []Suggestion{{
		Slug:    "answer-after-hours",
		Title:   "Answer after hours, by text or an AI agent",
		Because: fmt.Sprintf("Of all calls %s come while you are closed.", withInterval(f)),
		Effect:  fmt.Sprintf("It would serve %s calls in four weeks at once.", between(n**f.Low, n**f.High)),
		Effort:  "hours", Evidence: []Figure{f}, Weight: n * *f.Value / 2,
	}}
}

// unhappySurvey speaks of surveys whose score surely lies below that of all, or below zero.
func unhappySurvey(by map[string][]Figure) (out []Suggestion) {
	figures := by["satisfaction nps"]
	i := whole(figures)
	for _, f := range figures {
		below := 0.0
		evidence := []Figure{f}
		if i >= 0 && len(f.Split) > 0 {
			below = max(0, *figures[i].Low)
			evidence = append(evidence, figures[i])
		}
		if *f.High >= below {
			continue
		}
		name := "all surveys"
		if len(f.Split) > 0 {
			name = where(f)
		}
		n := float64(f.Base)
		out = append(out, Suggestion{
			Slug:    "ask-the-unhappy",
			Title:   "Find out what goes wrong: " + name,
			Because: fmt.Sprintf("The net promoter score of %s is %s.", name, withInterval(f)),
			Effect: fmt.Sprintf("Reaching %.0f would take %s people a week from unhappy to happy.", below,
				between(n*(below-*f.High)/200, n*(below-*f.Low)/200)),
			Effort: "days", Evidence: evidence, Weight: 4 * n * (below - *f.Value) / 200,
		})
	}
	return out
}

func ratioText(e estimate) string {
	return fmt.Sprintf("%.0f %% (%.0f %% to %.0f %%)", 100*e.value, 100*e.low, 100*e.high)
}

// between reads "3 to 12"; what may be nothing says so.
func between(low, high float64) string {
	return fmt.Sprintf("%.0f to %.0f", math.Floor(max(0, low)), math.Ceil(max(0, high)))
}
