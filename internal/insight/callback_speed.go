package insight

import (
	"slices"

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

// delays are the steps of the scale, the shortest first.
var delays = []string{"5_minutes", "15_minutes", "1_hour", "4_hours", "24_hours"}

// soonest is the group that holds the shortest delays and none that lies beyond one it lacks: only then does "within" its
// longest say what it holds.
func soonest(fs []Figure) int {
	return slices.IndexFunc(fs, func(f Figure) bool {
		members := slices.DeleteFunc(slices.Clone(f.Split["delay"]), func(name string) bool { return name == "other" })
		return len(members) > 0 && !slices.ContainsFunc(delays[:min(len(members), len(delays))], func(name string) bool { return !slices.Contains(members, name) })
	})
}
