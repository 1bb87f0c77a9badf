package insight

import "murmur/internal/crowd/release"

func mediumSwitch() Insight {
	return Insight{
		Slug: "medium-switch", Title: "From call to text and back", Section: "messages",
		Question: "When people come back within a day, how?",
		Formula: "of all times that somebody called or texted within 24 hours of the time before, but not within 30 minutes: the share of " +
			"each way from one medium to the other. Four weeks.",
		Measures: []Measure{{"share", "Share of those who came back", "ratio", "Wilson"}},
		Caveat:   "Only calls and texts are seen: who went on by e-mail or came to the door is not here.",
		Needs: []release.Query{{
			Name: "medium-switch/1", Kinds: reach, Where: []release.Filter{inbound},
			Grain: release.Block, Split: release.ByTurn, Value: release.Value{Derived: release.Again, Bins: []int64{2}},
		}},
		finish: shares(""),
		story:  story{highest, []line{{"share", "Of all times that people came back within a day, %[2]s were %[1]s"}}},
	}
}
