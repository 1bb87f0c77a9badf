package insight

import (
	"math"
	"slices"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// typing is how many characters a member types in a minute: 40 words of 5.
const typing = 200

func repeatedReplies() Insight {
	return Insight{
		Slug: "repeated-replies", Title: "Replies typed again and again", Section: "messages",
		Question: "Which replies do we type again and again?",
		Formula: "replies: texts that members sent by hand, by what they say once masked; texts that share nearly all words count as the same (two " +
			"minimal hashes of the words). minutes: what they take to type at 200 characters a minute. A reply is told apart once 10 people got it in the four weeks; it is called what most of them got, less the words that fewer than 10 got.",
		Measures: []Measure{
			{"replies", "Times sent by hand", "texts", "Garwood (exact Poisson)"}, {"minutes", "Time to type them", "min", "as the count"},
		},
		Caveat: "Some phone systems do not say which texts a rule sent: those count as typed. Others let members paste a saved text: then it is sent often and typed never.",
		Needs: []release.Query{{
			Name: "repeated-replies/1", Kinds: []fact.Kind{fact.KindMessage},
			Where: []release.Filter{{Column: fact.ColDirection, In: []int64{int64(fact.Out)}}, {Column: fact.ColAutomatic, In: []int64{0}}},
			Grain: release.Block, Split: release.ByReply, Content: true,
			Value: release.Value{Derived: release.FromColumn, Column: fact.ColLength, Bins: []int64{1, 40, 80, 120, 160, 240, 320, 480, 640, 960}},
		}},
		finish: finishReplies,
		story:  story{oftenest, []line{{"replies", "A reply that we type often is %[1]s: %[2]s times in four weeks"}}},
	}
}

// oftenest is the highest of what is one reply.
func oftenest(fs []Figure) int {
	return best(fs, func(f Figure) bool { r := f.Split["reply"]; return len(r) == 1 && !slices.Contains(r, "other") }, 1)
}

func finishReplies(answers []answer) (fs []Figure) {
	a := answers[0]
	if len(a.groups) == 0 {
		return a.missing("replies", "minutes")
	}
	for _, g := range a.groups {
		n := g.Total()
		e := a.count(g, n)
		each := a.middle(g) / typing // minutes
		fs = append(fs, a.put(g, "replies", "", n, e), a.put(g, "minutes", "", n, estimate{e.value * each, e.low * each, e.high * each}))
	}
	return fs
}

// middle is the mean of a histogram whose rows lie in the middle of their bins.
func (a answer) middle(g release.Group) float64 {
	edges := a.query.Value.Bins
	var all, n float64
	for i, c := range g.Bins {
		to := edges[min(i+1, len(edges)-1)]
		all += float64(c) * float64(edges[i]+to) / 2
		n += float64(c)
	}
	return all / math.Max(n, 1)
}
