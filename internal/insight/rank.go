package insight

import (
	"cmp"
	"math"
	"slices"
)

// good are the measures of which more is better; of the others less is, or neither.
var good = map[string]bool{"answer_rate": true, "left": true, "reached": true, "contained": true, "nps": true, "csat": true, "csat_satisfied": true, "mean": true, "applied": true}

// quiet are insights that say how things are and ask for nothing.
var quiet = map[string]bool{"busy-hours": true, "contact-reasons": true, "menu-funnel": true, "medium-switch": true, "talk-balance": true, "ring-timeout": true, "dead-rules": true,
	"auto-reply-effect": true, "repeated-replies": true, "rising-topics": true}

// Affected is about how many people a figure is bad news for: of a share of n those in it, or those not in it where more is
// better; of a low score those who gave it.
func Affected(f Figure) float64 {
	if f.Value == nil || quiet[f.Insight] {
		return 0
	}
	n := float64(f.Base)
	if f.Grain != "week" {
		n /= 4
	}
	switch {
	case f.Unit == "ratio" && good[f.Measure]:
		return n * (1 - *f.Value)
	case f.Unit == "ratio":
		return n * *f.Value
	case f.Insight == "sentiment", f.Measure == "nps":
		return n * max(0, 0.5-*f.Value/200)
	case f.Measure == "violations":
		return 1000 * *f.Value
	case f.Unit == "points":
		return n * math.Abs(*f.Value) / 100
	}
	return n / 10
}

// Surprise is how far a figure moved, in standard errors of the difference of both, up to 6; 0 without an earlier one.
func Surprise(f, before Figure) float64 {
	if f.Value == nil || before.Value == nil {
		return 0
	}
	sd := math.Hypot(*f.High-*f.Low, *before.High-*before.Low) / 2 / z
	if sd == 0 {
		return 0
	}
	return min(math.Abs(*f.Value-*before.Value)/sd, 6)
}

// Matters orders headlines: people affected, times one more than the surprise. Bad news weighs whether it is new or not; what
// has not moved and harms nobody comes last.
func (s Sentence) Matters() float64 {
	if len(s.Evidence) == 0 {
		return -1
	}
	surprise := 0.0
	if len(s.Evidence) > 1 {
		surprise = Surprise(s.Evidence[0], s.Evidence[1])
	}
	moved := 0.0
	if s.Moved() {
		moved = float64(s.Evidence[0].Base) / 10
	}
	return (Affected(s.Evidence[0]) + moved) * (1 + surprise)
}

// Moved reports whether a headline says a clear change.
func (s Sentence) Moved() bool { return s.Change == "up" || s.Change == "down" }

// Better reports whether a clear change is good news; false where neither direction is.
func (s Sentence) Better() bool {
	f := s.Evidence[0]
	return s.Moved() && !quiet[f.Insight] && (s.Change == "up") == good[f.Measure]
}

// Worse reports whether a clear change is bad news.
func (s Sentence) Worse() bool {
	return s.Moved() && !quiet[s.Evidence[0].Insight] && !s.Better()
}

// Rank puts what matters most first: what moved, then the rest.
func Rank(headlines []Sentence) {
	slices.SortStableFunc(headlines, func(a, b Sentence) int {
		if a.Moved() != b.Moved() {
			if a.Moved() {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Matters(), a.Matters())
	})
}
