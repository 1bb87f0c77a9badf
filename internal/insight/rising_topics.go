package insight

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"murmur/internal/crowd/release"
)

func risingTopics() Insight {
	return Insight{
		Slug: "rising-topics", Title: "What people ask more often", Section: "topics",
		Question: "What do people want more often than a month ago?",
		Formula: "change: the share of each reason for contact this week minus its share over the weeks before, four at most, in points. A reason that is " +
			"merged with others this week, or in all weeks before, has no figure; weeks that were told by other reasons, or by an own one learned " +
			"otherwise, are not compared. The headline names one only where its rise stays clear with " +
			"all reasons tried (Benjamini and Hochberg 1995, 5 %).",
		Measures: []Measure{{"change", "Change against the weeks before, four at most", "points", "Newcombe (1998, method 10)"}},
		Caveat:   "A reason can rise because another one fell: shares sum to one. Seasons rise every year.",
		Needs:    []release.Query{contactReasons().Needs[0]},
		since:    finishRising,
		story:    story{clearly(1), []line{{"change", "People ask about %[1]s more often than in %[3]s: %[2]s points more"}}},
		rises:    true,
	}
}

// back is how many weeks a week is compared with.
const back = 4

func finishRising(now []answer, before [][]answer) (fs []Figure) {
	a := now[0]
	if !a.ok {
		return nil
	}
	if len(a.groups) == 0 {
		return a.missing("change")
	}
	all, was := sharesOf(a), map[string]part{}
	from, weeks := a.period.Start.AddDate(0, 0, -7*back), 0
	for _, b := range before {
		if b[0].ok && !b[0].period.Start.Before(from) && len(sharesOf(b[0])) > 0 && sameReasons(a, b[0]) {
			weeks++
			for name, p := range sharesOf(b[0]) {
				q := was[name]
				was[name] = part{q.n + p.n, q.all + p.all, q.noise + p.noise, q.rest + p.rest}
			}
		}
	}
	for _, g := range a.groups {
		if len(g.Members) != 1 {
			continue
		}
		p, w := all[g.Members[0].Name], was[g.Members[0].Name]
		if g.Hidden != release.Shown || w.all == 0 {
			continue
		}
		f := a.put(g, "change", "reason", p.all, newcombe(p.estimate(), w.estimate()))
		f.Settings[weeksBefore] = strconv.Itoa(weeks)
		fs = append(fs, f)
	}
	if len(fs) == 0 {
		return a.missing("change")
	}
	return fs
}

// sameReasons reports whether two weeks were told by the same reasons: those of the business's own are learned anew.
func sameReasons(a, b answer) bool { return maps.Equal(reasonsOf(a), reasonsOf(b)) }

func reasonsOf(a answer) map[int64]bool {
	keys := map[int64]bool{}
	for _, g := range a.groups {
		for _, m := range g.Members {
			keys[m.Key] = true
		}
	}
	return keys
}

// weeksBefore is the setting that says how many weeks a figure is compared with.
const weeksBefore = "weeks_before"

// comparedWords name the weeks that a figure is compared with.
func comparedWords(f Figure) string {
	switch f.Settings[weeksBefore] {
	case "1":
		return "the week before"
	case "2":
		return "the two weeks before"
	case "3":
		return "the three weeks before"
	}
	return "the four weeks before"
}

// part is a share: n of all, with the variances of the noise on n and on the rest.
type part struct {
	n, all      int64
	noise, rest float64
}

func (p part) estimate() estimate { return portion(p.n, p.all, p.noise, p.rest) }

// sharesOf gives the share of each group that is one member alone.
func sharesOf(a answer) map[string]part {
	var all int64
	var noise float64
	for _, g := range a.groups {
		all += g.Total()
		noise += a.noise(g)
	}
	out := map[string]part{}
	for _, g := range a.groups {
		if g.Hidden == release.Shown && len(g.Members) == 1 && all > 0 {
			out[g.Members[0].Name] = part{min(g.Total(), all), all, a.noise(g), noise - a.noise(g)}
		}
	}
	return out
}

// newcombe is the difference of two proportions in points, by the intervals of both.
func newcombe(a, b estimate) estimate {
	d := a.value - b.value
	return estimate{
		100 * d, 100 * max(-1, d-math.Hypot(a.value-a.low, b.high-b.value)), 100 * min(1, d+math.Hypot(a.high-a.value, b.value-b.low)),
	}
}

// clearly picks the figure that lies farthest on one side of zero among those that stay apart from it with all of them
// tried: Benjamini and Hochberg's step-up at 5 %, by the normal deviates of the intervals.
func clearly(sign float64) func([]Figure) int {
	return func(fs []Figure) int {
		type tried struct {
			i int
			p float64
		}
		var all []tried
		for i, f := range fs {
			half := (*f.High - *f.Low) / 2 / z
			if half > 0 {
				all = append(all, tried{i, 2 * distuv.UnitNormal.Survival(math.Abs(*f.Value)/half)})
			}
		}
		slices.SortStableFunc(all, func(a, b tried) int {
			if a.p < b.p {
				return -1
			}
			return 1
		})
		last := -1
		for rank, t := range all {
			if t.p <= 0.05*float64(rank+1)/float64(len(all)) {
				last = rank
			}
		}
		at := -1
		for _, t := range all[:last+1] {
			if v := sign * *fs[t.i].Value; v > 0 && (at < 0 || v > sign**fs[at].Value) {
				at = t.i
			}
		}
		return at
	}
}
