package insight

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Sentence is a figure in plain English: never without its interval, never with a direction that the intervals
// do not support.
type Sentence struct {
	Text string `json:"text"`
	// Plain is the text without the comparison.
	Plain string `json:"-"`
	// Change against the previous period: "up", "down", "unclear" (the intervals overlap), or "" when there
	// is nothing to compare with.
	Change   string   `json:"change"`
	Evidence []Figure `json:"evidence"` // none when there is nothing to say
}

// story says which figure of an insight makes its headline, and how it reads.
type story struct {
	pick  func([]Figure) int // among the shown figures of one measure
	lines []line             // the first whose measure is shown
}

// line is the wording of one measure: %[1]s is the figure's split, %[2]s its value with the interval, %[3]s what it is
// compared with, where that is a part of the figure.
type line struct{ measure, text string }

// Headline says the most important figure of one insight and period, compared with the previous period.
func Headline(figures, previous []Figure) Sentence {
	if len(figures) == 0 {
		return Sentence{Text: "There is no figure yet."}
	}
	in, _ := Find(figures[0].Insight)
	f, text, ok := in.story.find(figures)
	if !ok {
		if i := slices.IndexFunc(figures, Figure.Vague); i >= 0 && !slices.ContainsFunc(figures, certain) {
			return Sentence{Text: tooLittle(figures[i])}
		}
		why := figures[0]
		if i := slices.IndexFunc(figures, func(f Figure) bool { return f.Value != nil }); i >= 0 {
			why = figures[i]
		}
		return Sentence{Text: emptyText(why)}
	}
	s := Sentence{Text: fmt.Sprintf(text, where(f), withInterval(f), comparedWords(f)), Evidence: []Figure{f}}
	s.Plain = s.Text + "."
	if in.rises {
		s.Change = "up"
		s.Text += "."
		return s
	}
	if p, ok := match(f, previous); ok && !p.Vague() {
		s.Evidence = append(s.Evidence, p)
		s.Change = direction(p, f)
		s.Text += ", " + changeWords[s.Change] + " from " + withInterval(p) + " " + beforeWords(f.Period)
	}
	s.Text += "."
	return s
}

// certain reports whether a figure is shown and says something.
func certain(f Figure) bool { return f.Value != nil && !f.Vague() }

// tooLittle says that a figure may be nearly anything.
func tooLittle(f Figure) string {
	return "There is too little to tell: it may be anything from " + inWords(*f.Low, f) + " to " + inWords(*f.High, f) + "."
}

// find gives the figure and the wording of its measure.
func (st story) find(figures []Figure) (Figure, string, bool) {
	for _, l := range st.lines {
		var shown []Figure
		for _, f := range figures {
			if f.Measure == l.measure && f.Value != nil && !f.Vague() {
				shown = append(shown, f)
			}
		}
		if len(shown) > 0 {
			if i := st.pick(shown); i >= 0 {
				return shown[i], l.text, true
			}
		}
	}
	return Figure{}, "", false
}

var changeWords = map[string]string{"up": "up", "down": "down", "unclear": "no clear change"}

func emptyText(f Figure) string {
	if f.Value != nil && f.Unit == "points" {
		return "Nothing stands out clearly."
	}
	if f.Value != nil {
		return "Too few people to tell one group from another."
	}
	if f.Hidden == "small-group" {
		return "Too few people to say anything without pointing at one of them."
	}
	return "Nothing to count."
}

// match finds the figure of the same measure and split, when it is shown.
func match(f Figure, among []Figure) (Figure, bool) {
	for _, p := range among {
		if p.Insight == f.Insight && p.Measure == f.Measure && p.Value != nil && splitKey(p.Split) == splitKey(f.Split) {
			return p, true
		}
	}
	return Figure{}, false
}

func whole(fs []Figure) int {
	return slices.IndexFunc(fs, func(f Figure) bool { return len(f.Split) == 0 })
}

// someWhole is whole, but not where there may be none at all: what a source does not tell reads as 0.
func someWhole(fs []Figure) int {
	return slices.IndexFunc(fs, func(f Figure) bool { return len(f.Split) == 0 && (f.Unit != "ratio" || *f.Low > 0) })
}

func highest(fs []Figure) int { return best(fs, distinct, 1) }
func lowest(fs []Figure) int  { return best(fs, distinct, -1) }

// distinct reports whether a group has few enough members to say something about any of them. Hours are
// neighbours and always do.
func distinct(f Figure) bool { return len(f.Split["reason"]) <= 3 && len(f.Split["node"]) <= 1 }

// highestKnown leaves out the group of what the source did not say.
func highestKnown(fs []Figure) int {
	return best(fs, func(f Figure) bool { return distinct(f) && !slices.Contains(f.Split["reason"], "unknown") }, 1)
}

func highestNamed(fs []Figure) int {
	if i := best(fs, func(f Figure) bool { return distinct(f) && !slices.Contains(f.Split["reason"], "other") }, 1); i >= 0 {
		return i
	}
	return highest(fs)
}

// busiest is the group of hours with the most calls an hour.
func busiest(fs []Figure) int {
	at, most := -1, 0.0
	for i, f := range fs {
		if hours := len(f.Split["hour_of_week"]); hours > 0 && *f.Value/float64(hours) > most {
			at, most = i, *f.Value/float64(hours)
		}
	}
	return at
}

func highestNone(fs []Figure) int { return best(fs, isNone, 1) }

// isNone reports whether a menu figure is of time-outs and hang-ups alone.
func isNone(f Figure) bool {
	return slices.Equal(f.Split["choice"], []string{"none"})
}

func best(fs []Figure, eligible func(Figure) bool, sign float64) int {
	at := -1
	for i, f := range fs {
		if eligible(f) && (at < 0 || sign**f.Value > sign**fs[at].Value) {
			at = i
		}
	}
	return at
}

// where names the members of a figure's split inside a sentence.
func where(f Figure) string {
	var parts []string
	for _, d := range SplitDimensions(f.Split) {
		if d == "choice" && isNone(f) {
			continue // the sentence says so
		}
		if d == "to" && len(parts) > 0 {
			parts[len(parts)-1] += " " + Quoted(d, f.Split[d])
			continue
		}
		parts = append(parts, Quoted(d, f.Split[d]))
	}
	return strings.ReplaceAll(strings.Join(parts, ", "), "”, “", " › ") // steps of one way
}

// Said gives a shown figure and the ends of its interval the way one says them.
func (f Figure) Said() (value, low, high string) {
	return inWords(*f.Value, f), inWords(*f.Low, f), inWords(*f.High, f)
}

func withInterval(f Figure) string {
	value, low, high := f.Said()
	return fmt.Sprintf("%s (%s to %s)", value, low, high)
}

// inWords prints a value in its unit the way one says it.
func inWords(v float64, f Figure) string {
	switch f.Unit {
	case "ratio":
		return fmt.Sprintf("%.0f %%", 100*v)
	case "s":
		return seconds(v)
	case "points":
		if f.Measure == "csat" {
			return fmt.Sprintf("%.1f", v)
		}
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func seconds(v float64) string {
	s := math.Round(v)
	switch {
	case s < 90:
		return plural(s, "second")
	case s < 90*60:
		return plural(math.Round(s/60), "minute")
	case s < 48*3600:
		return plural(math.Round(s/3600), "hour")
	}
	return plural(math.Round(s/86400), "day")
}

func plural(n float64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%.0f %ss", n, unit)
}
