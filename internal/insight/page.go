package insight

import (
	"fmt"
	"slices"
	"strings"

	"murmur/internal/crowd/release"
)

// Page is docs/insights.md, written from the catalogue so that it cannot drift.
func Page() string {
	var b strings.Builder
	b.WriteString(`<!-- Generated from internal/insight/catalogue.go by go generate ./internal/insight; do not edit. -->
# Insights

Every figure is exact, about at least five people (ten where it is derived from content), and carries a 95 %
interval: how far it may lie from the long-run value, not noise. Groups that are too small are merged with
their neighbours; what cannot be merged is hidden and says so. Tier *guarded* is a threshold, not a proof.

| insight | name | section | counted by | period | minimum group |
|---|---|---|---|---|---|
`)
	for _, in := range All() {
		q := in.Needs[0]
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s | %s | %s |\n", in.Slug, in.Slug, in.Title, in.Section, splitNames(in.Needs), grainNames[q.Grain], minGroup(q))
	}
	for _, in := range All() {
		fmt.Fprintf(&b, "\n## %s\n**%s.** *%s*\n\n", in.Slug, in.Title, in.Question)
		fmt.Fprintf(&b, "Definition `%s/1`: %s\n\n| measure | what it is | unit | interval |\n|---|---|---|---|\n", in.Slug, in.Formula)
		for _, m := range in.Measures {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Title, m.Unit, m.Interval)
		}
		fmt.Fprintf(&b, "\nTier: guarded. Caveat: %s\n", in.Caveat)
	}
	return b.String()
}

var grainNames = map[release.Grain]string{release.Week: "week", release.Block: "four weeks"}

var splitWords = map[release.Split]string{
	release.NoSplit: "all", release.ByNumber: "number", release.ByReason: "reason", release.ByTopic: "topic",
	release.ByHourOfWeek: "hour of the week", release.ByMenu: "flow, node and choice", release.BySurvey: "survey and medium",
	release.ByAct: "act", release.ByReply: "reply", release.ByKind: "medium", release.ByTurn: "from which medium to which", release.ByDelay: "delay of the call back",
	release.ByAutoReply: "with and without an automatic reply, medium and hours", release.ByMissed: "whether a call was missed",
	release.ByLongWait: "whether it rang long", release.ByReturn: "whether it was a return", release.ByAgent: "whether an AI agent answered",
}

func splitNames(queries []release.Query) string {
	var names []string
	for _, q := range queries {
		if n := splitWords[q.Split]; !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

func minGroup(q release.Query) string {
	if q.Content {
		return "10"
	}
	return "5"
}
