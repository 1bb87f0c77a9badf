package insight

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"murmur/internal/workspace"
)

// ErrWatch is the parent of what is wrong with a range.
var ErrWatch = errors.New("watch")

type watchError string

func (e watchError) Error() string { return string(e) }
func (watchError) Is(target error) bool {
	return target == ErrWatch
}

// ParseWatch reads the ends of a range, each empty or a value in the measure's unit: "20%" or "0.2" of a share, "90s" or "5m" of
// a time, a number of anything else. Without a measure it is that of the insight's headline. ErrWatch.
func ParseWatch(slug, measure, below, above string) (workspace.Watch, error) {
	i := slices.IndexFunc(catalogue(), func(in Insight) bool { return in.Slug == slug })
	if i < 0 {
		return workspace.Watch{}, watchError("there is no insight of that name; docs/insights.md lists them")
	}
	in := catalogue()[i]
	if measure == "" {
		measure = in.Headline()
	}
	m := slices.IndexFunc(in.Measures, func(m Measure) bool { return m.Name == measure })
	if m < 0 {
		return workspace.Watch{}, watchError("the insight has no measure of that name; docs/insights.md lists them")
	}
	w := workspace.Watch{Insight: slug, Measure: measure}
	for _, end := range []struct {
		text string
		to   **float64
	}{{below, &w.Below}, {above, &w.Above}} {
		if strings.TrimSpace(end.text) == "" {
			continue
		}
		v, err := parseValue(in.Measures[m].Unit, end.text)
		if err != nil {
			return workspace.Watch{}, err
		}
		*end.to = &v
	}
	if w.Below != nil && w.Above != nil && *w.Below >= *w.Above {
		return workspace.Watch{}, watchError("the lower end of the range is not below the upper one")
	}
	return w, nil
}

// Headline is the measure of which an insight's headline speaks.
func (in Insight) Headline() string {
	if len(in.story.lines) == 0 {
		return in.Measures[0].Name
	}
	return in.story.lines[0].measure
}

func parseValue(unit, text string) (float64, error) {
	text = strings.TrimSpace(text)
	if unit == "s" {
		if d, err := time.ParseDuration(text); err == nil && d >= 0 {
			return d.Seconds(), nil
		}
	}
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	switch {
	case err != nil || math.IsNaN(v) || math.IsInf(v, 0) || percent && unit != "ratio":
		return 0, watchError("an end of a range is a number, such as 20% for a share, 5m for a time")
	case unit == "ratio" && (v < 0 || v > 1):
		return 0, watchError("a share is 0% to 100%")
	}
	return v, nil
}

// Left is a figure that left its range.
type Left struct {
	Figure Figure  `json:"figure"`
	Low    float64 `json:"low"` // of the range; -Inf and +Inf are ends that are not there
	High   float64 `json:"high"`
	Weeks  int     `json:"periods,omitempty"` // of a usual range: how many earlier periods it is read from
	Sure   bool    `json:"sure"`              // the whole 95 % interval is beyond the range
}

// LeftOf gives the figures of a week, and of the block that ends with it, that left the range: of the measure as a whole, or
// where there is no whole, of each of its groups. Of an insight of weeks those over four weeks count where the week has none.
// What is hidden, or so uncertain that it says nothing, is not outside, and there is no usual range before there are
// leastPeriods.
func LeftOf(w workspace.Watch, figures []Figure, week string) (out []Left) {
	var now, before []Figure
	for _, f := range figures {
		switch ends := f.Period == week || strings.HasSuffix(f.Period, ".."+week); {
		case f.Insight != w.Insight || f.Measure != w.Measure || f.Value == nil || f.Vague():
		case ends:
			now = append(now, f)
		default:
			before = append(before, f)
		}
	}
	if slices.ContainsFunc(now, func(f Figure) bool { return f.Grain == "week" }) {
		now = slices.DeleteFunc(now, func(f Figure) bool { return f.Grain != "week" })
	}
	if slices.ContainsFunc(now, func(f Figure) bool { return len(f.Split) == 0 }) {
		now = slices.DeleteFunc(now, func(f Figure) bool { return len(f.Split) > 0 })
	}
	for _, f := range now {
		o := Left{Figure: f, Low: math.Inf(-1), High: math.Inf(1)}
		if w.Below != nil {
			o.Low = *w.Below
		}
		if w.Above != nil {
			o.High = *w.Above
		}
		if w.Usual() {
			o.Low, o.High, o.Weeks = usual(f, before)
		}
		if *f.Value < o.Low || *f.Value > o.High {
			o.Sure = *f.High < o.Low || *f.Low > o.High
			out = append(out, o)
		}
	}
	return out
}

// A usual range is read from the last mostPeriods before a figure.
const leastPeriods, mostPeriods = 4, 8

// usual is the range in which a figure like those before lies 99 times in 100: a prediction interval (Student's t) around
// their mean, with no less spread than the figure's own uncertainty. n is 0, and the range everything, where too few are shown.
func usual(f Figure, before []Figure) (low, high float64, n int) {
	var values []float64
	for p := Before(f.Period); p != "" && len(values) < mostPeriods; p = Before(p) {
		i := slices.IndexFunc(before, func(b Figure) bool { return b.Period == p && splitKey(b.Split) == splitKey(f.Split) })
		if i < 0 {
			break // a gap: what was before it may be another business
		}
		values = append(values, *before[i].Value)
	}
	if len(values) < leastPeriods {
		return math.Inf(-1), math.Inf(1), 0
	}
	m, variance := 0.0, 0.0
	for _, v := range values {
		m += v / float64(len(values))
	}
	for _, v := range values {
		variance += (v - m) * (v - m) / float64(len(values)-1)
	}
	own := (*f.High - *f.Low) / 2 / z
	k := float64(len(values))
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: k - 1}.Quantile(0.995) * math.Sqrt(max(variance, own*own)*(1+1/k))
	least, most := f.possible()
	return max(least, m-half), min(most, m+half), len(values)
}

// possible are the values that a figure can have.
func (f Figure) possible() (least, most float64) {
	switch {
	case f.Unit == "ratio":
		return 0, 1
	case f.Measure == "csat":
		return 1, 5
	case f.Unit == "points":
		return -100, 100
	}
	return 0, math.Inf(1)
}

// vague is the share of what is possible from which on an interval says nothing: of a proportion, and of points (a net promoter
// score, a tone), which are read more closely.
const vague, vaguePoints = 0.6, 0.4

// Vague reports whether a figure is so uncertain that it says nothing: its interval is most of what is possible.
func (f Figure) Vague() bool {
	least, most := f.possible()
	share := vague
	if f.Unit == "points" {
		share = vaguePoints
	}
	return f.Value != nil && f.Low != nil && f.High != nil && *f.High-*f.Low >= share*(most-least)
}

// Text says in one sentence that a figure left its range.
func (o Left) Text() string {
	f := o.Figure
	in, _ := Find(f.Insight)
	name := in.Title
	if i := slices.IndexFunc(in.Measures, func(m Measure) bool { return m.Name == f.Measure }); i >= 0 && len(in.Measures) > 1 {
		name += ", " + in.Measures[i].Title
	}
	if w := where(f); w != "" {
		name += ", " + w
	}
	text := name + ": " + withInterval(f) + "; " + o.bounds() + "."
	if !o.Sure {
		text += " The range in brackets reaches back into it, so it may be chance."
	}
	return text
}

func (o Left) bounds() string {
	low, high := inWords(o.Low, o.Figure), inWords(o.High, o.Figure)
	switch {
	case o.Weeks > 0:
		unit := "weeks"
		if o.Figure.Grain == "block" {
			unit = "periods of four weeks"
		}
		return "the " + strconv.Itoa(o.Weeks) + " " + unit + " before lead one to expect " + low + " to " + high
	case *o.Figure.Value < o.Low:
		return "the range that was set begins at " + low
	}
	return "the range that was set ends at " + high
}
