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

Every figure is about at least five people (ten where it is derived from content) and carries a 95 % interval: how far it may
lie from the long-run value. Counts of calls, texts and menus are exact for the owner alone; for everybody else, and wherever words, surveys or
consent are read, every count has noise for privacy, and the interval includes it. Groups that are too small are merged with their neighbours; what cannot be
merged is hidden and says so. A figure whose interval is most of what is possible says in words that there is too little to tell. Tier *guarded* is a
threshold and noise, not a proof; [what leaves](provable.md) has one.

| insight | name | section | counted by | period | minimum group |
|---|---|---|---|---|---|
`)
	for _, in := range All() {
		q := in.Needs[0]
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s | %s | %s |\n", in.Slug, in.Slug, in.Title, in.Section, splitNames(in.Needs), periodNames(in), minGroup(q))
	}
	for _, in := range All() {
		fmt.Fprintf(&b, "\n## %s\n**%s.** *%s*\n\n", in.Slug, in.Title, in.Question)
		fmt.Fprintf(&b, "Definition `%s/1`: %s\n\n| measure | what it is | unit | interval |\n|---|---|---|---|\n", in.Slug, in.Formula)
		for _, m := range in.Measures {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Title, m.Unit, m.Interval)
		}
		if len(in.Blocks) > 0 {
			fmt.Fprintf(&b, "\nThe same over four weeks, counted by %s: with noise for the owner too, once the four weeks are over.\n", splitNames(in.Blocks))
		}
		fmt.Fprintf(&b, "\nTier: guarded. Caveat: %s\n", in.Caveat)
	}
	b.WriteString(suggestionsText)
	return b.String()
}

const suggestionsText = `
## Suggestions
Twelve rules read the last four finished weeks together, without those before a clear change. Where an insight is counted over four weeks as well,
they read the last finished four weeks, unless its weeks together have a narrower interval or are clearly unlike them. They speak only where the whole 95 %
interval is beyond their threshold. Each names its evidence, the effort, and what acting would be worth: what it would have been worth in each of
the weeks so far, up to a level that can be reached, with an interval that is to hold the next four weeks in 80 of 100. Once a
suggestion is marked as applied, the same figure of up to eight weeks before and eight since is compared; the other weeks are the
control: a change is clear when it is more than weeks differ among each other.

| advice | speaks when | counted up to |
|---|---|---|
| cover the phone at some hours | up to four hours of the day are missed more than the others, by 3.5 standard errors | the others |
| let more people answer a line | a line is missed more than all | all |
| call back missed callers | more than a quarter are not returned within a day | a quarter |
| shorten a menu | more than a fifth make no choice | a tenth |
| answer after hours | more than 15 % of calls come while closed | none |
| find out what goes wrong | the net promoter score of a survey is below that of all, or below 0 | that |
| remove a step, or move it up | it applies to at most 2 % of the calls that pass it | |
| ring shorter | half of the missed calls ring half as long again as nine in ten answered ones take | |
| save a reply as a template | it was typed more than 12 times | |
| let the automatic reply say more | more than a fifth try again within half an hour after it | a tenth |
| let the AI agent hand over sooner | fewer than two in three of its callers stay away for a day | four in five |
| shorten the greeting | more than a quarter of missed calls are given up in it | a tenth |

` + "`make eval-usefulness`" + ` plants each problem in 200 synthetic shops of three sizes, with noise on every count: [benchmarks](benchmarks.md#suggestions)
has the shares of shops that are told the right thing first, and of intervals that hold.
`

var grainNames = map[release.Grain]string{release.Week: "week", release.Block: "four weeks"}

func periodNames(in Insight) string {
	name := grainNames[in.Needs[0].Grain]
	if len(in.Blocks) > 0 {
		name += ", " + grainNames[release.Block]
	}
	return name
}

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
