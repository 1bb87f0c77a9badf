package insight

import (
	"maps"
	"slices"
	"time"

	"murmur/internal/crowd/release"
)

// Brief says the most important thing of each insight: the headline of its latest finished period that shows
// anything (the running one only where there is no other), compared with the one before, what matters most
// first; then what to do about it.
func Brief(figures []Figure) (headlines []Sentence, advice []Suggestion) {
	for _, in := range All() {
		periods, order := periodsThatTell(in.Slug, figures)
		if len(order) == 0 {
			continue
		}
		last, before := order[len(order)-1], []Figure(nil)
		if len(order) > 1 {
			before = periods[order[len(order)-2]]
		}
		if h := Headline(periods[last], before); len(h.Evidence) > 0 {
			headlines = append(headlines, h)
		}
	}
	Rank(headlines)
	return headlines, Suggestions(figures)
}

// periodsThatTell gives an insight's figures by period, and the periods that say something, oldest first: finished ones, or
// all where none is finished.
func periodsThatTell(slug string, figures []Figure) (periods map[string][]Figure, order []string) {
	periods = map[string][]Figure{}
	finished, running := map[string]bool{}, map[string]bool{}
	for _, f := range figures {
		if f.Insight != slug {
			continue
		}
		periods[f.Period] = append(periods[f.Period], f)
		if f.Value == nil || f.Measure == "share" && *f.Value == 1 {
			continue // hidden, or everything in one group
		}
		if f.Finished() {
			finished[f.Period] = true
		} else {
			running[f.Period] = true
		}
	}
	if len(finished) > 0 {
		return periods, slices.Sorted(maps.Keys(finished))
	}
	return periods, slices.Sorted(maps.Keys(running))
}

// Finished reports whether a figure speaks of a period that is over; it may still be provisional.
func (f Figure) Finished() bool {
	zone, err := time.LoadLocation(f.Settings["timezone"])
	if err != nil {
		return false
	}
	p, err := release.ParsePeriod(zone, f.Period)
	return err == nil && !f.AsOf.Before(p.End)
}
