package insight

import (
	"math"
	"slices"

	"murmur/internal/crowd/release"
)

func autoReplyEffect() Insight {
	return Insight{
		Slug: "auto-reply-effect", Title: "Automatic replies", Section: "messages",
		Question: "Do automatic replies spare people a second try?",
		Formula: "of missed calls, and of texts that begin a talk: the share after which the same person called or texted again within 30 minutes, " +
			"where a rule texted them within 2 minutes (again_with) and where not (again_without). effect is the difference in points among " +
			"cases that are alike: calls or texts, in open hours or outside, each weighed by its number of automatic replies. Four weeks.",
		Measures: []Measure{
			{"again_with", "Try again after an automatic reply", "ratio", "Wilson"}, {"again_without", "Try again without one", "ratio", "Wilson"},
			{"effect", "Difference that the automatic reply makes", "points", "sum of Agresti-Caffo intervals over the strata"},
		},
		Caveat: "Cases are matched on medium and hours only. Where a rule always replies, or never, nothing can be compared.",
		Needs: []release.Query{{
			Name: "auto-reply-effect/1", Kinds: reach, Where: []release.Filter{inbound},
			Grain: release.Block, Split: release.ByAutoReply, Value: release.Value{Derived: release.SoonAgain, Bins: yesNo},
		}},
		finish: finishAutoReply,
		story: story{someWhole, []line{
			{"effect", "After an automatic reply the share of people who try again within half an hour differs by %[2]s points from that without"},
			{"again_without", "Without an automatic reply %[2]s of people try again within half an hour"},
		}},
	}
}

// arm is what came of the cases with, or without, an automatic reply.
type arm struct {
	whole      release.Group
	all, again int64
	noise      float64 // variance of again, about that of all
}

func (r *arm) add(a answer, g release.Group) {
	r.all += g.Total()
	r.again += min(bin(g, 1), g.Total())
	r.noise += a.noise(g)
	r.whole.Contacts = max(r.whole.Contacts, g.Contacts)
}

// finishAutoReply compares the groups that lie on one side and have the same cases on the other.
func finishAutoReply(answers []answer) (fs []Figure) {
	a := answers[0]
	if len(a.groups) == 0 {
		return a.missing("again_with", "again_without", "effect")
	}
	sides := map[string]*arm{"yes": {}, "no": {}}
	cases := map[string]map[string]release.Group{"yes": {}, "no": {}}
	for _, g := range a.groups {
		split := splitOf(g, "")
		if side := split["auto_reply"]; g.Hidden == release.Shown && len(side) == 1 && sides[side[0]] != nil {
			sides[side[0]].add(a, g)
			cases[side[0]][splitKey(map[string][]string{"case": split["case"]})] = g
		}
	}
	for side, measure := range map[string]string{"yes": "again_with", "no": "again_without"} {
		r := sides[side]
		if r.all == 0 {
			fs = append(fs, a.blank(release.Group{Hidden: a.hides()}, measure, ""))
			continue
		}
		e := portion(r.again, r.all, r.noise, r.noise)
		fs = append(fs, a.put(r.whole, measure, "", r.all, e))
	}
	return append(fs, a.effect(cases["yes"], cases["no"]))
}

// hides is why a table shows nothing of a part: it is too small where something was merged or hidden.
func (a answer) hides() release.Hidden {
	if slices.ContainsFunc(a.groups, func(g release.Group) bool { return g.Hidden == release.SmallGroup || g.Hidden == release.Shown }) {
		return release.SmallGroup
	}
	return release.NoData
}

// unsaid is what a table shows from which no figure could be made: that there is nothing, or too few.
func (a answer) unsaid(measure string) []Figure {
	if !a.ok {
		return nil
	}
	return []Figure{a.blank(release.Group{Hidden: a.hides()}, measure, "")}
}

// effect is the difference among equal cases, weighed by those with a reply (Agresti and Caffo 2000: one success and one
// failure more on either side).
func (a answer) effect(with, without map[string]release.Group) Figure {
	var value, variance float64
	var n int64
	whole := release.Group{}
	for key, w := range with {
		if _, ok := without[key]; ok {
			n += w.Total()
		}
	}
	for key, w := range with {
		o, ok := without[key]
		if !ok || n == 0 {
			continue
		}
		share := float64(w.Total()) / float64(n)
		for i, g := range []release.Group{w, o} {
			m := float64(g.Total())
			x := min(float64(bin(g, 1)), m)
			p, q := x/max(m, 1), (x+1)/(m+2)
			value += share * p * float64(1-2*i)
			variance += share * share * (q*(1-q)/(m+2) + a.noise(g)*(1+p*p)/max(m*m, 1))
		}
		whole.Contacts = max(whole.Contacts, w.Contacts)
	}
	if n == 0 {
		return a.blank(release.Group{Hidden: release.NoData}, "effect", "")
	}
	half := z * math.Sqrt(variance)
	return a.put(whole, "effect", "", n, estimate{100 * value, 100 * max(-1, value-half), 100 * min(1, value+half)})
}
