package insight

import (
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

func callbackSpeed() Insight {
	return Insight{
		Slug: "callback-speed", Title: "Calling back", Section: "calls",
		Question: "Does it help to call back sooner?",
		Formula: "of missed calls after which we called the number within 24 hours: the share in which that first call was answered, " +
			"by how long it took us. Four weeks.",
		Measures: []Measure{{"reached", "Reached when called back", "ratio", "Wilson"}},
		Caveat:   "Whoever is called back late may have been called late because they were hard to reach: an association, not proof.",
		Needs: []release.Query{{
			Name: "callback-speed/1", Kinds: []fact.Kind{fact.KindCall}, Where: []release.Filter{inbound},
			Grain: release.Block, Split: release.ByDelay, Value: release.Value{Derived: release.CalledBack, Bins: yesNo},
		}},
		finish: rates("reached", 1),
		story:  story{soonest, []line{{"reached", "Of those whom we called back %[1]s, we reached %[2]s"}}},
	}
}

// soonest is the first group along the tree, when it says something.
func soonest(fs []Figure) int { return 0 }
