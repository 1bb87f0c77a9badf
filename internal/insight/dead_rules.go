package insight

import (
	"math"
	"slices"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

func deadRules() Insight {
	return Insight{
		Slug: "dead-rules", Title: "Rules that never apply", Section: "flows",
		Question: "Which steps of the workflow never do anything?",
		Formula: "applied: passes through a step of the workflow in which its rule applied (it matched, was answered, or took a refusal) / all " +
			"passes, by flow and step. 0 says that every pass went by it: it is dead, or a wider rule stands before it.",
		Measures: []Measure{{"applied", "Passes in which the step applied", "ratio", "Wilson"}},
		Caveat:   "A step that no call reached in the week has no figure. Where steps had to be merged there is none either.",
		Needs: []release.Query{{
			Name: "dead-rules/1", Kinds: []fact.Kind{fact.KindStep}, Grain: release.Week, Split: release.ByMenu,
			Value: release.Value{Derived: release.FromColumn, Column: fact.ColStepOutcome, Bins: upTo(int64(fact.StepMatched), int64(fact.StepAnswered))},
		}},
		finish: finishDeadRules,
		story:  story{lowest, []line{{"applied", "The step that applies least often is %[1]s: in %[2]s of its calls"}}},
	}
}

// didApply are the bins of outcomes of a step that did something.
var didApply = []int{int(fact.StepMatched) - 1, int(fact.StepOptOut) - 1, int(fact.StepAnswered) - 1}

// finishDeadRules sums the groups that lie inside one step. Contacts of its groups overlap: the largest group is all that
// is known of them together.
func finishDeadRules(answers []answer) (fs []Figure) {
	a := answers[0]
	type step struct {
		whole        release.Group
		all, applied int64
		noise, drawn float64 // variances of all, and of what applied: an empty count has no noise
	}
	steps, order := map[string]*step{}, []string{}
	for _, g := range a.groups {
		split := splitOf(g, "")
		if g.Hidden != release.Shown || len(split["flow"]) != 1 || len(split["node"]) != 1 {
			continue
		}
		key := split["flow"][0] + "\x00" + split["node"][0]
		s := steps[key]
		if s == nil {
			s = &step{whole: release.Group{Members: slices.DeleteFunc(slices.Clone(g.Members), func(m release.Member) bool { return m.Dim == "choice" })}}
			steps[key], order = s, append(order, key)
		}
		s.all += g.Total()
		s.noise += a.noise(g)
		s.whole.Contacts = max(s.whole.Contacts, g.Contacts)
		for _, b := range didApply {
			s.applied += bin(g, b)
			if bin(g, b) > 0 {
				s.drawn += a.noise(g)
			}
		}
	}
	for _, key := range order {
		s := steps[key]
		n := max(s.all, 1)
		p := min(float64(s.applied)/float64(n), 1)
		e := wilson(min(s.applied, n), n).widened(math.Sqrt(max(s.drawn, s.noise)+s.noise*p*p)/float64(n), 0, 1)
		fs = append(fs, a.put(s.whole, "applied", "", s.all, e))
	}
	if len(fs) == 0 {
		return a.missing("applied")
	}
	return fs
}
