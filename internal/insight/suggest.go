package insight

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"murmur/internal/crowd/release"
)

// Suggestion is advice with its evidence. Slug and the evidence's splits identify it across periods.
type Suggestion struct {
	Slug     string   `json:"slug"`
	Title    string   `json:"title"`
	Because  string   `json:"because"`
	Effect   string   `json:"effect"` // what to expect, with an interval
	Effort   string   `json:"effort"` // minutes, hours, days
	Evidence []Figure `json:"evidence"`
	Expect   Expected `json:"expect"`
	// Weight is about how many contacts in four weeks would be served better, at the low end of what is expected; it orders
	// suggestions.
	Weight float64 `json:"weight"`
}

// Expected is what a change would be worth in the next four weeks: what it would have been worth in the weeks so far, with
// an interval that holds the next four weeks in 80 of 100.
type Expected struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Unit  string  `json:"unit"`  // calls, callers, contacts, people, minutes
	Weeks int     `json:"weeks"` // that it was worked out from
}

func (e Expected) String() string { return between(e.Low, e.High) + " " + e.Unit }

// month is what a rule reads: of each measure the groups of the last four finished weeks together.
type month map[string][]pooled

// pooled is a figure over the last weeks, or over the last block, and the figures it is made of, oldest first.
type pooled struct {
	Figure
	weeks int
	parts []Figure
}

// perBlock is how often the pooled weeks fit into four.
func (p pooled) perBlock() float64 { return 4 / float64(p.weeks) }

// latest is the figure that a page explains.
func (p pooled) latest() Figure { return p.parts[len(p.parts)-1] }

const poolWeeks = 4

// monthOf pools the shown figures of each insight in a window: of one that has figures of four weeks as well as of weeks, those
// that say more (rather).
func monthOf(figures []Figure, w window) month {
	m := month{}
	for _, in := range All() {
		weeks := slices.Clone(w.weeks)
		slices.Reverse(weeks) // the oldest first
		pools := w.pools(in.Slug, figures, []string{w.block})
		if in.Needs[0].Grain == release.Week {
			pools = rather(pools, w.pools(in.Slug, figures, weeks))
		}
		for _, p := range pools {
			name := in.Slug + " " + p.Measure
			m[name] = append(m[name], p)
		}
	}
	return m
}

// pools pools the shown figures of an insight, by measure and split.
func (w window) pools(slug string, figures []Figure, periods []string) (all []pooled) {
	var keys []string
	parts := map[string][]Figure{}
	for _, period := range periods {
		for _, f := range figures {
			if f.Insight != slug || f.Period != period || !tells(f) || !w.running && !f.Finished() {
				continue
			}
			if parts[f.group()] == nil {
				keys = append(keys, f.group())
			}
			parts[f.group()] = append(parts[f.group()], f)
		}
	}
	for _, key := range keys {
		p := pool(sinceChange(parts[key]))
		if p.Grain != "week" {
			p.weeks = poolWeeks
		}
		all = append(all, p)
	}
	return all
}

// group names what a figure is of, in whichever period.
func (f Figure) group() string { return f.Measure + "\x00" + splitKey(f.Split) }

// rather gives the groups of a block, and of the weeks those that it does not have, that say it more exactly, or that are clearly
// unlike it: since then something changed.
func rather(block, weeks []pooled) (all []pooled) {
	for _, b := range block {
		i := slices.IndexFunc(weeks, func(p pooled) bool { return p.group() == b.group() })
		if i < 0 || !apart(weeks[i].Figure, b.Figure) && b.width() <= weeks[i].width() {
			all = append(all, b)
		}
	}
	for _, p := range weeks {
		if !slices.ContainsFunc(all, func(b pooled) bool { return b.group() == p.group() }) {
			all = append(all, p)
		}
	}
	return all
}

// width is that of the interval.
func (f Figure) width() float64 { return *f.High - *f.Low }

// apart reports whether the intervals of two figures do not meet.
func apart(a, b Figure) bool { return *a.Low > *b.High || *a.High < *b.Low }

// sinceChange leaves out the weeks up to the last one that is clearly unlike the newest.
func sinceChange(parts []Figure) []Figure {
	now := parts[len(parts)-1]
	for i := len(parts) - 2; i >= 0; i-- {
		if !counted(now.Unit) && apart(parts[i], now) {
			return parts[i+1:]
		}
	}
	return parts
}

// pool adds up figures of one group: counts add, everything else is weighed by its base. Errors add in squares.
func pool(parts []Figure) pooled {
	f := parts[len(parts)-1]
	var value, base, low, high float64
	for _, p := range parts {
		w := float64(max(p.Base, 1))
		if counted(f.Unit) {
			w = 1
		}
		value += w * *p.Value
		low += w * w * (*p.Value - *p.Low) * (*p.Value - *p.Low)
		high += w * w * (*p.High - *p.Value) * (*p.High - *p.Value)
		base += w
	}
	if counted(f.Unit) {
		base = 1
	}
	v, l, h := value/base, math.Sqrt(low)/base, math.Sqrt(high)/base
	f.Value, f.Low, f.High, f.Base = round(v), round(v-l), round(v+h), 0
	for _, p := range parts {
		f.Base += p.Base
	}
	if f.Unit == "ratio" {
		*f.Low, *f.High = max(0, *f.Low), min(1, *f.High)
	}
	return pooled{f, len(parts), parts}
}

func counted(unit string) bool {
	return unit == "calls" || unit == "texts" || unit == "min" || unit == "answers"
}

// whole gives the group of everybody.
func (m month) whole(measure string) (pooled, bool) {
	i := slices.IndexFunc(m[measure], func(p pooled) bool { return len(p.Split) == 0 })
	if i < 0 {
		return pooled{}, false
	}
	return m[measure][i], true
}

// z80 is the 90 % quantile of the standard normal distribution: an interval of 80 %.
const z80 = 1.2815515655446004

// expect works out what a change would be worth over the next four weeks: gain is its worth in the time of one figure. Over
// weeks it is the mean of what it would have been worth in each, and the interval is that of a sum of four more (Student's t,
// from how much the weeks differ, but not narrower than what one figure's own interval and the noise in it leave open). Where
// there is one period alone, the interval is that of its figure, for itself and for the next.
func (p pooled) expect(unit string, gain func(Figure) float64) Expected {
	n := float64(len(p.parts))
	var mean, spread, own float64
	for _, f := range p.parts {
		g := gain(f)
		mean += g / n
		a, b := f, f
		a.Value, b.Value = f.Low, f.High
		half := math.Abs(gain(b)-gain(a)) / 2 / z
		own += (half*half + math.Abs(g)) / n // the error of the figure, and of how many people come
	}
	for _, f := range p.parts {
		spread += (gain(f) - mean) * (gain(f) - mean)
	}
	next, t := 1.0, z80 // periods that are foretold
	if p.Grain == "week" {
		next = poolWeeks
	}
	variance := own
	if n > 1 {
		if s := spread / (n - 1); s > own {
			variance, t = s, distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.9)
		}
	}
	half := t * math.Sqrt(variance*(next+next*next/n))
	return Expected{Value: next * mean, Low: max(0, next*mean-half), High: next*mean + half, Unit: unit, Weeks: p.weeks}
}

// Suggestions reads advice out of the last four weeks that are over and the last block that is, the weightiest first. A rule
// speaks only where the interval, not just the value, is beyond its threshold.
func Suggestions(figures []Figure) []Suggestion { return windowOf(figures).advice(figures) }

// surely is the share of what is expected that its low end leaves: what is promised on few and noisy counts comes later.
func (e Expected) surely() float64 {
	if e.Value <= 0 {
		return 0
	}
	return max(e.Low/e.Value, 0.05)
}

// SuggestionsTo reads advice out of nothing but the four weeks that end with a week, and the block that does.
func SuggestionsTo(figures []Figure, week string) []Suggestion { return windowTo(week).advice(figures) }

func (w window) advice(figures []Figure) []Suggestion {
	m := monthOf(figures, w)
	var out []Suggestion
	for _, rule := range rules {
		out = append(out, rule(m)...)
	}
	for i := range out {
		out[i].Weight *= out[i].Expect.surely()
	}
	slices.SortStableFunc(out, func(a, b Suggestion) int { return cmp.Compare(b.Weight, a.Weight) })
	return out
}

// Measured is what came of a suggestion: the same figure before and since, in weeks that are over.
type Measured struct {
	Before, After Figure // pooled
	Change        float64
	Low, High     float64 // 95 %: how much weeks differ by themselves is what the change is held against
	BeforeWeeks   int
	AfterWeeks    int
}

// Clear reports whether the change is more than weeks differ by themselves.
func (m Measured) Clear() bool { return m.Low > 0 || m.High < 0 }

// mostWeeks is how many weeks before and since are compared.
const mostWeeks = 8

// Outcome compares the figure that a suggestion rests on in the weeks before it was applied and in those since. The other
// weeks are the control: the interval comes from how much they differ among each other, and from the figures' own. There is
// nothing to say before a finished period that began later, and without one before.
func Outcome(x Suggestion, figures []Figure, began func(Figure) (before, after bool)) (Measured, bool) {
	if len(x.Evidence) == 0 || x.Evidence[0].Value == nil {
		return Measured{}, false
	}
	of := x.Evidence[0]
	var before, after []Figure
	for _, f := range figures {
		if f.Value == nil || f.Insight != of.Insight || f.Measure != of.Measure || f.Grain != of.Grain || splitKey(f.Split) != splitKey(of.Split) || !f.Finished() {
			continue
		}
		switch earlier, later := began(f); {
		case earlier:
			before = append(before, f)
		case later:
			after = append(after, f)
		}
	}
	if len(before) == 0 || len(after) == 0 {
		return Measured{}, false
	}
	byPeriod := func(a, b Figure) int { return cmp.Compare(a.Period, b.Period) }
	slices.SortFunc(before, byPeriod)
	slices.SortFunc(after, byPeriod)
	before, after = before[max(0, len(before)-mostWeeks):], after[:min(len(after), mostWeeks)]
	b, a := pool(before), pool(after)
	variance := varianceOf(before, b) + varianceOf(after, a)
	change, half := *a.Value-*b.Value, z*math.Sqrt(variance)
	return Measured{b.Figure, a.Figure, change, change - half, change + half, len(before), len(after)}, true
}

// varianceOf is that of a pooled value: from how much its weeks differ, and at least from its own interval.
func varianceOf(parts []Figure, p pooled) float64 {
	own := (*p.High - *p.Low) / 2 / z
	variance := own * own
	if n := float64(len(parts)); n > 2 {
		spread := 0.0
		for _, f := range parts {
			spread += (*f.Value - *p.Value) * (*f.Value - *p.Value)
		}
		variance = max(variance, spread/(n-1)/n)
	}
	return variance
}

func ratioText(e estimate) string {
	return fmt.Sprintf("%.0f %% (%.0f %% to %.0f %%)", 100*e.value, 100*e.low, 100*e.high)
}

// between reads "3 to 12"; what may be nothing says so.
func between(low, high float64) string {
	return fmt.Sprintf("%.0f to %.0f", math.Floor(max(0, low)), math.Ceil(max(0, high)))
}
