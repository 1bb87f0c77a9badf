package insight

import "murmur/internal/crowd/release"

func peers() Insight {
	return Insight{
		Slug: "peers", Title: "You and businesses like yours", Section: "satisfaction",
		Question: "How do we compare with businesses like ours?",
		Formula: "quartiles of the missed-call rate over the businesses of an installation, differentially private with a business as the unit. They " +
			"are published from 200 workspaces on; with fewer there is no figure, and its reason says so.",
		Measures: []Measure{
			{"missed_p25", "A quarter of businesses miss fewer than", "ratio", "differentially private quantile"},
			{"missed_p50", "Half of businesses miss fewer than", "ratio", "differentially private quantile"},
			{"missed_p75", "Three quarters of businesses miss fewer than", "ratio", "differentially private quantile"},
		},
		Caveat: "This version publishes none yet. Businesses differ in more than how they answer the phone.",
		Needs:  []release.Query{missedCallRate().Needs[0]},
		finish: finishPeers,
		story:  story{whole, []line{{"missed_p50", "Half of the businesses miss fewer than %[2]s of their calls"}}},
	}
}

// finishPeers has no table of many businesses to read: one workspace never tells about another.
func finishPeers(answers []answer) (fs []Figure) {
	fs = answers[0].missing("missed_p25", "missed_p50", "missed_p75")
	for i := range fs {
		fs[i].Reason = FewWorkspaces
	}
	return fs
}
