package insight

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

func scoreDrivers() Insight {
	of := func(name string, s release.Split) release.Query {
		return release.Query{
			Name: "score-drivers/1/" + name, Kinds: []fact.Kind{fact.KindAnswer}, Grain: release.Block, Split: s,
			Value: release.Value{Derived: release.ScoreAfterContact, Bins: percents()},
		}
	}
	return Insight{
		Slug: "score-drivers", Title: "What moves the score", Section: "satisfaction",
		Question: "What goes before a low score?",
		Formula: "answers of all surveys with a score, each in percent of its scale, of people who called or texted within the 7 days before: mean " +
			"of those to whom it happened in these days minus mean of the others, in points. missed_call: a call of theirs was missed; long_wait: one " +
			"rang for 20 seconds or longer until it was answered; repeat_contact: they had to come back within a day; ai_agent: an AI agent took a call. " +
			"Four weeks. The headline names one only where it stays clear with all of them tried (Benjamini and Hochberg 1995, 5 %).",
		Measures: []Measure{{"difference", "Difference in score", "points", "Welch, with a quarter of an answer added at either end of the scale"}},
		Caveat:   "An association, not a cause: what goes with a missed call may come from what made the day busy.",
		Needs: []release.Query{
			of("missed_call", release.ByMissed), of("long_wait", release.ByLongWait), of("repeat_contact", release.ByReturn), of("ai_agent", release.ByAgent),
		},
		finish: finishDrivers,
		story:  story{clearly(-1), []line{{"difference", "People give a lower score after %[1]s: %[2]s points of 100"}}},
	}
}

var driverNames = []string{"missed_call", "long_wait", "repeat_contact", "ai_agent"}

func finishDrivers(answers []answer) (fs []Figure) {
	for i, a := range answers {
		if !a.ok {
			continue
		}
		var yes, no *release.Group
		for j, g := range a.groups {
			switch {
			case g.Hidden != release.Shown || len(g.Members) != 1:
			case g.Members[0].Name == "yes":
				yes = &a.groups[j]
			case g.Members[0].Name == "no":
				no = &a.groups[j]
			}
		}
		named := func(g release.Group) release.Group {
			g.Members = []release.Member{{Dim: "driver", Name: driverNames[i]}}
			return g
		}
		if yes == nil || no == nil || yes.Total() == 0 || no.Total() == 0 {
			fs = append(fs, a.blank(named(release.Group{Hidden: a.hides()}), "difference", ""))
			continue
		}
		fs = append(fs, a.put(named(*yes), "difference", "", yes.Total()+no.Total(), a.apart(*yes, *no)))
	}
	return fs
}

// apart estimates the difference of the means of two groups.
func (a answer) apart(yes, no release.Group) estimate {
	edges := a.query.Value.Bins
	m, v, n := a.moments(yes)
	o, w, k := a.moments(no)
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: max(1, math.Min(n, k))}.Quantile(0.975) * math.Sqrt(v+w)
	span := float64(edges[len(edges)-1] - edges[0])
	return estimate{m - o, max(-span, m-o-half), min(span, m-o+half)}
}

// moments gives the mean of a histogram, the variance of that mean, noise included, and the number of rows.
func (a answer) moments(g release.Group) (mean, variance, n float64) {
	edges := a.query.Value.Bins
	first, last := float64(edges[0]), float64(edges[len(edges)-1])
	for i, c := range g.Bins {
		n += float64(c)
		mean += float64(c) * float64(edges[i])
	}
	if n == 0 {
		return (first + last) / 2, (last - first) * (last - first), 1
	}
	mean /= n
	squares := ((first-mean)*(first-mean) + (last-mean)*(last-mean)) / 4
	noise := 0.0
	for i, c := range g.Bins {
		d := (float64(edges[i]) - mean) * (float64(edges[i]) - mean)
		squares += float64(c) * d
		if c > 0 {
			noise += a.noise(g) * d
		}
	}
	return mean, squares/n/(n+1) + noise/(n*n), n
}
