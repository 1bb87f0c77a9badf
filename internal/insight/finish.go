package insight

import (
	"math"
	"slices"

	"murmur/internal/crowd/release"
)

// part estimates the proportion of some bins in all rows of a group.
func (a answer) part(g release.Group, bins ...int) estimate {
	var x int64
	for _, i := range bins {
		x += bin(g, i)
	}
	n := max(g.Total(), 1)
	x = min(x, n) // noise may say otherwise
	p := float64(x) / float64(n)
	return wilson(x, n).widened(math.Sqrt(a.noise(g)*(float64(len(bins))+p*p))/float64(n), 0, 1)
}

// portion estimates the proportion of groups in all groups; of is the variance of their sum, rest that of the others'.
func portion(x, n int64, of, rest float64) estimate {
	e := wilson(x, n)
	p := e.value
	return e.widened(math.Sqrt(of*(1-p)*(1-p)+max(rest, 0)*p*p)/float64(max(n, 1)), 0, 1)
}

// count estimates the mean of a count of a group.
func (a answer) count(g release.Group, n int64) estimate {
	return garwood(n).widened(math.Sqrt(a.noise(g)), 0, math.Inf(1))
}

// quantile estimates a quantile of the group's histogram.
func (a answer) quantile(g release.Group, p float64) estimate {
	return quantile(a.query.Value.Bins, g.Bins, p, a.noise(g))
}

// mean estimates the mean of the group's histogram.
func (a answer) mean(g release.Group) estimate {
	edges, n := a.query.Value.Bins, float64(max(sum(g.Bins), 1))
	e, squares := mean(edges, g.Bins), 0.0
	for i, c := range g.Bins {
		if c > 0 || a.everywhere {
			squares += (float64(edges[i]) - e.value) * (float64(edges[i]) - e.value)
		}
	}
	return e.widened(math.Sqrt(a.noise(g)*squares)/n, float64(edges[0]), float64(edges[len(edges)-1]))
}

// nps estimates the net promoter score of the group's histogram of scores.
func (a answer) nps(g release.Group) estimate {
	e, n, squares := nps(g.Bins), float64(max(sum(g.Bins), 1)), 0.0
	for score, c := range g.Bins {
		side := 0.0 // what one answer more of this score changes, times n
		switch {
		case score <= 6:
			side = -100
		case score > 8:
			side = 100
		}
		if c > 0 {
			squares += (side - e.value) * (side - e.value)
		}
	}
	return e.widened(math.Sqrt(a.noise(g)*squares)/n, -100, 100)
}

func sum(counts []int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// rates finishes tables of two bins: the figure is the share of bin "of", by the table's own split.
func rates(measure string, of int) func([]answer) []Figure {
	return func(answers []answer) (fs []Figure) {
		for _, a := range answers {
			if len(a.groups) == 0 {
				fs = append(fs, a.missing(measure)...)
			}
			for _, g := range a.groups {
				fs = append(fs, a.put(g, measure, "", g.Total(), a.part(g, of)))
			}
		}
		return fs
	}
}

// shares finishes one table: each group's part of all that is shown. dim renames the split.
func shares(dim string) func([]answer) []Figure {
	return func(answers []answer) (fs []Figure) {
		a := answers[0]
		if len(a.groups) == 0 {
			return a.missing("share")
		}
		var all int64
		var noise float64
		for _, g := range a.groups {
			all += g.Total()
			noise += a.noise(g)
		}
		for _, g := range a.groups {
			fs = append(fs, a.put(g, "share", dim, all, portion(g.Total(), all, a.noise(g), noise-a.noise(g))))
		}
		return fs
	}
}

// counts finishes one table of plain counts.
func counts(measure string) func([]answer) []Figure {
	return func(answers []answer) (fs []Figure) {
		a := answers[0]
		if len(a.groups) == 0 {
			return a.missing(measure)
		}
		for _, g := range a.groups {
			fs = append(fs, a.put(g, measure, "", g.Total(), a.count(g, g.Total())))
		}
		return fs
	}
}

func finishBusyHours(answers []answer) (fs []Figure) {
	a := answers[0]
	if len(a.groups) == 0 {
		return a.missing("calls", "answer_rate")
	}
	for _, g := range a.groups {
		n := g.Total()
		fs = append(fs, a.put(g, "calls", "", n, a.count(g, n)), a.put(g, "answer_rate", "", n, a.part(g, 0)))
	}
	return fs
}

func finishTimeToRespond(answers []answer) []Figure {
	return append(waits(answers[0], "answer"), waits(answers[1], "reply")...)
}

// waits gives the median and the ninth decile of a histogram of seconds.
func waits(a answer, prefix string) (fs []Figure) {
	p50, p90 := prefix+"_p50_s", prefix+"_p90_s"
	if len(a.groups) == 0 {
		return a.missing(p50, p90)
	}
	for _, g := range a.groups {
		n := sum(g.Bins)
		fs = append(fs,
			a.put(g, p50, "", n, a.quantile(g, 0.5)),
			a.put(g, p90, "", n, a.quantile(g, 0.9)))
	}
	return fs
}

// finishMenuTrouble sums the groups that lie inside one menu. Choices that were merged with those of other menus count as
// this one's, and the interval allows that none of them is. Contacts of its groups overlap: the largest group is all that is
// known of them together.
func finishMenuTrouble(answers []answer) (fs []Figure) {
	a := answers[0]
	insides, loose := a.steps()
	for _, m := range insides {
		var all, none, noise, of float64
		mixed, alone := false, false // "none" is merged with a choice, or is by itself
		for _, g := range m.groups {
			all, noise = all+float64(g.Total()), noise+a.noise(g)
			switch choices := splitOf(g, "")["choice"]; {
			case slices.Equal(choices, []string{"none"}):
				none, of, alone = none+float64(g.Total()), of+a.noise(g), true
			case slices.Contains(choices, "none"):
				mixed = mixed || g.Total() > 0
			}
		}
		more, moreNoise := m.touched(a, loose)
		if mixed || more > 0 && !alone {
			continue
		}
		e := portion(int64(none), int64(all), of, noise-of)
		if more > 0 {
			e = either(portion(int64(none), int64(all+more), of, noise+moreNoise-of), e)
		}
		fs = append(fs, a.put(m.whole, "no_choice", "", int64(all+more), e))
	}
	if len(fs) == 0 {
		return a.unsaid("no_choice")
	}
	return fs
}

// step is one step of a flow, and the groups that lie inside it.
type step struct {
	flow, node string
	whole      release.Group
	groups     []release.Group
}

// steps sorts shown groups by the step that they lie inside; loose are those that reach over several.
func (a answer) steps() (inside []*step, loose []release.Group) {
	for _, g := range a.groups {
		split := splitOf(g, "")
		switch {
		case g.Hidden != release.Shown:
			continue
		case len(split["flow"]) != 1 || len(split["node"]) != 1:
			loose = append(loose, g)
			continue
		}
		i := slices.IndexFunc(inside, func(s *step) bool { return s.flow == split["flow"][0] && s.node == split["node"][0] })
		if i < 0 {
			i = len(inside)
			whole := release.Group{Members: slices.DeleteFunc(slices.Clone(g.Members), func(m release.Member) bool { return m.Dim == "choice" })}
			inside = append(inside, &step{flow: split["flow"][0], node: split["node"][0], whole: whole})
		}
		s := inside[i]
		s.groups, s.whole.Contacts = append(s.groups, g), max(s.whole.Contacts, g.Contacts)
	}
	return inside, loose
}

// touched counts what loose groups may hold of a step.
func (s *step) touched(a answer, loose []release.Group) (rows, noise float64) {
	for _, g := range loose {
		if split := splitOf(g, ""); slices.Contains(split["flow"], s.flow) && slices.Contains(split["node"], s.node) {
			rows, noise = rows+float64(g.Total()), noise+a.noise(g)
		}
	}
	return rows, noise
}

// either is a, with an interval that holds b's too.
func either(a, b estimate) estimate { return estimate{a.value, min(a.low, b.low), max(a.high, b.high)} }

// finishAfterHours counts a group as closed when every hour in it is closed: the share is a lower bound. The interval allows
// that all calls of groups with a closed hour came in those.
func finishAfterHours(answers []answer) []Figure {
	a := answers[0]
	var all, closed, mixed, contacts int64
	var noise, of, mixedNoise float64
	for _, g := range a.groups {
		outside := 0
		for _, m := range g.Members {
			if !a.settings.OpenHours.Has(int(m.Key)) {
				outside++
			}
		}
		all += g.Total()
		noise += a.noise(g)
		contacts = max(contacts, g.Contacts)
		switch {
		case outside == len(g.Members):
			closed += g.Total()
			of += a.noise(g)
		case outside > 0:
			mixed += g.Total()
			mixedNoise += a.noise(g)
		}
	}
	switch {
	case a.settings.OpenHours == alwaysOpen:
		return a.missing("share")
	case all == 0:
		return a.unsaid("share")
	}
	// The contacts of groups overlap, so the largest group is all that is known of them together.
	whole := release.Group{Contacts: contacts}
	e := either(portion(closed, all, of, noise-of), portion(closed+mixed, all, of+mixedNoise, noise-of-mixedNoise))
	f := a.put(whole, "share", "", all, e)
	f.Grain = "block"
	return []Figure{f}
}

// finishTalkBalance gives the median of each number; shares are counted in percent.
func finishTalkBalance(answers []answer) (fs []Figure) {
	for i, m := range talkBalance().Measures {
		a := answers[i]
		if len(a.groups) == 0 {
			fs = append(fs, a.missing(m.Name)...)
		}
		for _, g := range a.groups {
			e := a.quantile(g, 0.5)
			if m.Unit == "ratio" {
				e = estimate{e.value / 100, e.low / 100, e.high / 100}
			}
			fs = append(fs, a.put(g, m.Name, "", g.Total(), e))
		}
	}
	return fs
}

func finishSentiment(answers []answer) (fs []Figure) {
	a := answers[0]
	if len(a.groups) == 0 {
		return a.missing("mean")
	}
	for _, g := range a.groups {
		fs = append(fs, a.put(g, "mean", "reason", g.Total(), a.mean(g)))
	}
	return fs
}

// finishConsent counts each act; what nobody said is 0, which for violations is the number that matters.
func finishConsent(answers []answer) (fs []Figure) {
	measures := []string{"noticed", "opted_out", "violations"}
	for i, a := range answers {
		if !a.ok {
			continue
		}
		if len(a.groups) == 0 || a.groups[0].Hidden == release.NoData {
			fs = append(fs, a.none(measures[i]))
			continue
		}
		g := a.groups[0]
		fs = append(fs, a.put(g, measures[i], "", g.Total(), a.count(g, g.Total())))
	}
	return fs
}

func finishSatisfaction(answers []answer) (fs []Figure) {
	for _, a := range answers[:2] {
		if len(a.groups) == 0 {
			fs = append(fs, a.missing("nps")...)
		}
		for _, g := range a.groups {
			fs = append(fs, a.put(g, "nps", "", g.Total(), a.nps(g)), a.responses(g, "nps"))
		}
	}
	for _, a := range answers[2:] {
		if len(a.groups) == 0 {
			fs = append(fs, a.missing("csat", "csat_satisfied")...)
		}
		for _, g := range a.groups {
			n := g.Total()
			fs = append(fs, a.put(g, "csat", "", n, a.mean(g)),
				a.put(g, "csat_satisfied", "", n, a.part(g, 3, 4)), a.responses(g, "csat"))
		}
	}
	return fs
}

// responses counts scored answers; the scale is part of the split, because a form may ask on both.
func (a answer) responses(g release.Group, scale string) Figure {
	f := a.put(g, "responses", "", g.Total(), a.count(g, g.Total()))
	if f.Split == nil {
		f.Split = map[string][]string{}
	}
	f.Split["scale"] = []string{scale}
	return f
}

func bin(g release.Group, i int) int64 {
	if i < len(g.Bins) {
		return g.Bins[i]
	}
	return 0
}
