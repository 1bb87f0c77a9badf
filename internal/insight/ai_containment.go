package insight

import (
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

func aiContainment() Insight {
	return Insight{
		Slug: "ai-containment", Title: "AI agent", Section: "calls",
		Question: "Do calls that the AI agent takes settle the matter?",
		Formula:  "contained: calls that an AI agent handled, and whose caller neither called nor texted within 24 hours after / all calls that it handled. Four weeks.",
		Measures: []Measure{{"contained", "Settled by the AI agent", "ratio", "Wilson"}},
		Caveat:   "Who gave up and never came back counts as settled: read it beside the satisfaction.",
		Needs: []release.Query{{
			Name: "ai-containment/1", Kinds: []fact.Kind{fact.KindCall}, Where: []release.Filter{inbound},
			Grain: release.Block, Value: release.Value{Derived: release.Contained, Bins: yesNo},
		}},
		finish: rates("contained", 1),
		story:  story{whole, []line{{"contained", "After %[2]s of the calls that the AI agent took, the caller did not come back within a day"}}},
	}
}
