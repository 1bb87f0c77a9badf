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
		story:  story{lowest, []line{{"applied", "The step %[1]s applied to %[2]s of its calls"}}},
	}
}

// didApply are the bins of outcomes of a step that did something.
var didApply = []int{int(fact.StepMatched) - 1, int(fact.StepOptOut) - 1, int(fact.StepAnswered) - 1}

// finishDeadRules sums the groups that lie inside one step. Passes that were merged with those of other steps count as this
// one's, and the interval allows that none of them is. Contacts of its groups overlap: the largest group is all that is known
// of them together.
func finishDeadRules(answers []answer) (fs []Figure) {
	a := answers[0]
	insides, loose := a.steps()
	for _, s := range insides {
		e, n := a.appliedTo(s.groups)
		if more := slices.DeleteFunc(slices.Clone(loose), func(g release.Group) bool { rows, _ := s.touched(a, []release.Group{g}); return rows == 0 }); len(more) > 0 {
			with, all := a.appliedTo(slices.Concat(s.groups, more))
			e, n = either(with, e), all
		}
		fs = append(fs, a.put(s.whole, "applied", "", n, e))
	}
	if len(fs) == 0 {
		return a.unsaid("applied")
	}
	return fs
}

// appliedTo estimates the share of the passes in which a step did something.
func (a answer) appliedTo(groups []release.Group) (e estimate, all int64) {
	var applied int64
	var noise, drawn float64 // variances of all, and of what applied: an empty count has no noise
	for _, g := range groups {
		all += g.Total()
		noise += a.noise(g)
		for _, b := range didApply {
			applied += bin(g, b)
			if bin(g, b) > 0 {
				drawn += a.noise(g)
			}
		}
	}
	n := max(all, 1)
	p := min(float64(applied)/float64(n), 1)
	return wilson(min(applied, n), n).widened(math.Sqrt(max(drawn, noise)+noise*p*p)/float64(n), 0, 1), all
}
