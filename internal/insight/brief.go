package insight

import (
	"maps"
	"slices"
)

// Brief says the most important thing of each insight: the headline of its latest period that shows anything,
// compared with the one before, in the order of the catalogue; then what to do about it.
func Brief(figures []Figure) (headlines []Sentence, advice []Suggestion) {
	for _, in := range All() {
		periods := map[string][]Figure{}
		shown := map[string]bool{}
		for _, f := range figures {
			if f.Insight == in.Slug {
				periods[f.Period] = append(periods[f.Period], f)
				shown[f.Period] = shown[f.Period] || f.Value != nil
			}
		}
		names := slices.Sorted(maps.Keys(periods))
		for i := len(names) - 1; i >= 0; i-- {
			if shown[names[i]] {
				var before []Figure
				if i > 0 {
					before = periods[names[i-1]]
				}
				headlines = append(headlines, Headline(periods[names[i]], before))
				break
			}
		}
	}
	return headlines, Suggestions(figures)
}
