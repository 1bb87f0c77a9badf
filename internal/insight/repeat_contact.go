package insight

import (
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// reach matches whatever brings somebody to us: calls and texts that come in.
var reach = []fact.Kind{fact.KindCall, fact.KindMessage}

func repeatContact() Insight {
	q := release.Query{
		Name: "repeat-contact/1", Kinds: reach, Where: []release.Filter{inbound},
		Grain: release.Week, Value: release.Value{Derived: release.Again, Bins: []int64{0, 1, 2}},
	}
	return Insight{
		Slug: "repeat-contact", Title: "People who come back", Section: "calls",
		Question: "How often do people have to get in touch again?",
		Formula: "of all times that somebody called or texted: the share in which the same person had been in touch in the 24 hours " +
			"(within_24h) or the 7 days (within_7d) before. A call or text within 30 minutes of the one before belongs to it and is not counted.",
		Measures: []Measure{
			{"within_24h", "Had been in touch within a day", "ratio", "Wilson"}, {"within_7d", "Had been in touch within a week", "ratio", "Wilson"},
		},
		Caveat: "Coming back is not always a failure: some people book twice. Withheld callers cannot be told apart and are left out.",
		Needs:  []release.Query{q, by(q, release.ByKind, "medium")},
		finish: finishRepeats,
		story:  story{whole, []line{{"within_7d", "Of all times that people got in touch, %[2]s were within a week of the time before"}}},
	}
}

func finishRepeats(answers []answer) (fs []Figure) {
	for _, a := range answers {
		if len(a.groups) == 0 {
			fs = append(fs, a.missing("within_24h", "within_7d")...)
		}
		for _, g := range a.groups {
			fs = append(fs, a.put(g, "within_24h", "", g.Total(), a.part(g, 2)), a.put(g, "within_7d", "", g.Total(), a.part(g, 1, 2)))
		}
	}
	return fs
}
