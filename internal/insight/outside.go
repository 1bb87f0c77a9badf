package insight

import (
	"math"
	"slices"
	"strconv"

	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// outsider is one measure of releases that leave the workspace, and the insight that is finished from it.
type outsider struct {
	provable.Measure
	insight Insight
	finish  func(answer) []Figure
}

// outsiders are the measures that a specification can name, with the definitions of the catalogue.
func outsiders() []outsider {
	nps, csat := satisfaction().Needs[0], satisfaction().Needs[2]
	nps.Value.Bins = npsEdges
	return []outsider{
		{
			provable.Measure{Name: "contacts", Query: contacts().Needs[0], Unit: "%", Error: func(n, sd float64) float64 { return 100 * z * sd / n }},
			contacts(), func(a answer) (fs []Figure) {
				for _, g := range a.groups {
					fs = append(fs, a.put(g, "contacts", "", g.Total(), a.count(g, g.Total())))
				}
				return fs
			},
		},
		{
			provable.Measure{Name: "missed-calls", Query: missedCallRate().Needs[0], Unit: "percentage points of a rate of 50 %", Error: shareError(2)},
			missedCallRate(), func(a answer) []Figure { return rates("rate", 1)([]answer{a}) },
		},
		{
			provable.Measure{Name: "missed-reasons", Query: missedCallReasons().Needs[0], Unit: "percentage points of a small share", Error: shareError(1)},
			missedCallReasons(), func(a answer) []Figure { return shares("")([]answer{a}) },
		},
		{
			provable.Measure{Name: "topics", Query: contactReasons().Needs[0], Unit: "percentage points of a small share", Error: shareError(1)},
			contactReasons(), func(a answer) []Figure { return shares("reason")([]answer{a}) },
		},
		{
			provable.Measure{Name: "nps", Query: nps, Unit: "points", Scale: 200, Error: func(n, sd float64) float64 { return 100 * z * sd * math.Sqrt2 / n }},
			satisfaction(), finishNPS,
		},
		{
			provable.Measure{Name: "csat", Query: csat, Unit: "points of 5", Scale: 4, Error: func(n, sd float64) float64 { return z * sd * math.Sqrt(10) / n }},
			satisfaction(), func(a answer) (fs []Figure) {
				for _, g := range a.groups {
					fs = append(fs, a.put(g, "csat", "", g.Total(), a.mean(g)), a.put(g, "csat_satisfied", "", g.Total(), a.part(g, 3, 4)))
				}
				return fs
			},
		},
	}
}

// npsEdges are detractors, passives and promoters: one noise each instead of eleven.
var npsEdges = []int64{0, 7, 9}

// shareError is that of a proportion of n rows in cells of noise sd; parts is how many equal parts there are, 1 for many.
func shareError(parts float64) func(n, sd float64) float64 {
	return func(n, sd float64) float64 { return 100 * z * sd / n / math.Sqrt(parts) }
}

func finishNPS(a answer) (fs []Figure) {
	for _, g := range a.groups {
		scores := make([]int64, 11)
		for i, edge := range npsEdges {
			scores[edge] = bin(g, i)
		}
		e, squares := nps(scores), 0.0
		for _, side := range []float64{-100, 0, 100} { // what one more in each group changes, times n
			squares += (side - e.value) * (side - e.value)
		}
		n := float64(max(g.Total(), 1))
		fs = append(fs, a.put(g, "nps", "", g.Total(), e.widened(math.Sqrt(a.noise(g)*squares)/n, -100, 100)))
	}
	return fs
}

// contacts is an insight of releases that leave alone: inside, a band stands beside every figure.
func contacts() Insight {
	return Insight{
		Slug: "contacts", Title: "Contacts", Section: "calls",
		Question: "How many people are in touch with us?",
		Formula:  "distinct contacts with a call, a text or an answer to a survey in the period. Callers who withhold their number are left out.",
		Measures: []Measure{{"contacts", "Contacts", "contacts", "Garwood (exact Poisson)"}},
		Caveat:   "A person with two numbers is two contacts, unless murmur was told that they are one.",
		Needs: []release.Query{{
			Name: "contacts/1", Kinds: []fact.Kind{fact.KindCall, fact.KindMessage, fact.KindAnswer}, Value: release.Value{Derived: release.Nothing},
		}},
		finish: func([]answer) []Figure { return nil },
		story:  story{whole, []line{{"contacts", "%[2]s people were in touch"}}},
	}
}

// OutsideMeasures are what a specification of releases that leave can name.
func OutsideMeasures() (all []provable.Measure) {
	for _, o := range outsiders() {
		all = append(all, o.Measure)
	}
	return all
}

// OutsideInsights are the insights that leave.
func OutsideInsights() (all []Insight) {
	for _, o := range outsiders() {
		if !slices.ContainsFunc(all, func(in Insight) bool { return in.Slug == o.insight.Slug }) {
			all = append(all, o.insight)
		}
	}
	return all
}

// OutsideSections are the pages that insights which leave stand on, in the order of the pages.
func OutsideSections() (all []string) {
	for _, in := range OutsideInsights() {
		if !slices.Contains(all, in.Section) {
			all = append(all, in.Section)
		}
	}
	return all
}

// Outside makes the figures of releases that left, oldest month first. Of several releases of a month the first that has a
// measure counts.
func Outside(releases []provable.Release) (fs []Figure) {
	bands := map[string]string{} // by the name of a period: how many contacts it had
	for _, c := range provable.Periods(releases, "contacts") {
		n, _ := c.Of(func(provable.Cell) bool { return true })
		bands[c.Period.Name] = Band(max(n, 0))
	}
	for _, o := range outsiders() {
		for _, c := range provable.Periods(releases, o.Name) {
			fs = append(fs, o.figures(c, bands[c.Period.Name])...)
		}
	}
	return fs
}

func (o outsider) figures(c provable.Told, band string) []Figure {
	plan := c.Release.Plan()
	settings := map[string]string{
		"unit": plan.Unit, "epsilon": decimal(plan.Epsilon), "delta": decimal(plan.Delta),
		"rows_of_a_contact": strconv.FormatInt(c.Most, 10),
	}
	a := o.answer(c)
	for _, k := range []string{"open_hours", "short_abandon_seconds", "timezone"} {
		settings[k] = a.printed()[k]
	}
	fs := o.insight.named(o.finish(a))
	for i := range fs {
		f := &fs[i]
		f.Grain, f.Tier, f.Definition = string(c.Period.Grain), "provable", o.insight.Slug+"/1/"+plan.Unit
		f.Noise, f.Settings = int64(math.Ceil(c.Sigma)), settings
		if f.Hidden == "" {
			f.Contacts = band
		}
	}
	return fs
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// answer lays released counts open as a table of one group a member, with noise on every count, the empty ones too.
func (o outsider) answer(c provable.Told) answer {
	a := answer{
		ok: true, query: o.Query, settings: c.Release.Settings(), closed: true, asOf: c.Release.Month().End, everywhere: true,
		period:   release.Period{Name: c.Period.Name, Start: c.Period.Start, End: c.Period.End},
		variance: func(release.Group) float64 { return c.Sigma * c.Sigma },
	}
	counts := make([]int64, len(c.Cells))
	for i, cell := range c.Cells {
		counts[i] = cell.Count
	}
	counts = plausible(counts)
	bins := max(1, len(o.Query.Value.Bins))
	for i := 0; i < len(c.Cells); i += bins {
		a.groups = append(a.groups, release.Group{Bins: counts[i : i+bins], Members: c.Cells[i].Members})
	}
	return a
}

// plausible gives the counts of no less than nothing that are nearest to noised ones and have their sum: cutting the ones
// below zero alone would invent rows.
func plausible(noised []int64) []int64 {
	total := max(sum(noised), 0)
	down := slices.Clone(noised)
	slices.SortFunc(down, func(a, b int64) int { return int(b - a) })
	shift, above := 0.0, int64(0)
	for i, v := range down { // Duchi et al. 2008, "Efficient projections onto the l1-ball", figure 1
		above += v
		if t := float64(above-total) / float64(i+1); float64(v) > t {
			shift = t
		}
	}
	out := make([]int64, len(noised))
	for i, v := range noised {
		out[i] = int64(math.Round(max(0, float64(v)-shift)))
	}
	return out
}
