package web

import "murmur/internal/insight"

// seenIn says in a sentence for which role figures are shown and whether they have noise; without figures it is
// empty.
func seenIn(figures []insight.Figure) string {
	exact, noised := false, false
	for _, f := range figures {
		if f.Hidden == "" {
			exact, noised = exact || f.Noise == 0, noised || f.Noise > 0
		}
	}
	switch {
	case exact && noised:
		return "Calls, texts and menus are exact, as the owner sees them. What comes from words, surveys or consent, and missed calls over four weeks, has noise on every count and changes when a week is over."
	case exact:
		return "These figures are exact, as the owner sees them."
	case noised:
		return "Every count has noise, so that no person shows in it, and changes when a week is over. Two figures need not add up."
	}
	return ""
}
