package insight

import (
	"strings"
	"testing"
	"time"
)

// told is a figure of a period that is over, or not: 20 % says 0.2.
func told(slug, measure, grain, period string, value float64) Figure {
	f := Figure{Insight: slug, Measure: measure, Grain: grain, Period: period, Value: &value, Low: &value, High: &value, Unit: "ratio", Base: 50, Contacts: "20-49"}
	f.AsOf = time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	return f
}

func texts(headlines []Sentence) string {
	var all []string
	for _, h := range headlines {
		all = append(all, h.Text)
	}
	return strings.Join(all, "\n")
}

// TestHeadlinesAreOfOnePeriod: an insight that says nothing in a period is left out, whatever it said before, and what it is
// compared with lies right before.
func TestHeadlinesAreOfOnePeriod(t *testing.T) {
	t.Parallel()
	hidden := told("voicemail-outcome", "left", "week", "2026-W45", 0)
	hidden.Value, hidden.Low, hidden.High, hidden.Hidden = nil, nil, nil, "small-group"
	running := told("missed-call-rate", "rate", "week", "2026-W46", 0.9)
	running.AsOf = time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)
	figures := []Figure{
		told("missed-call-rate", "rate", "week", "2026-W43", 0.1), told("missed-call-rate", "rate", "week", "2026-W45", 0.2), running,
		told("voicemail-outcome", "left", "week", "2026-W44", 0.33), hidden,
		told("after-hours-demand", "share", "block", "2026-W41..2026-W44", 0.44),
	}
	for period, want := range map[string]string{
		"2026-W45":           "Of all calls in open hours, 20 % (20 % to 20 %) were missed.",
		"2026-W44":           "Of all missed callers, 33 % (33 % to 33 %) left a message.",
		"2026-W41..2026-W44": "Of all calls, at least 44 % (44 % to 44 %) come while we are closed.",
		"2026-W46":           "", "2026-W45..2026-W48": "", "": "",
	} {
		if got := texts(Headlines(Over(figures), period)); got != want {
			t.Errorf("%s: %q", period, got)
		}
	}
	figures = append(figures, told("missed-call-rate", "rate", "week", "2026-W44", 0.1), told("after-hours-demand", "share", "block", "2026-W37..2026-W40", 0.04))
	for period, want := range map[string]string{
		"2026-W45": "up from 10 % (10 % to 10 %) the week before.", "2026-W41..2026-W44": "up from 4 % (4 % to 4 %) the four weeks before.",
	} {
		if got := texts(Headlines(Over(figures), period)); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %q", period, got)
		}
	}
}

func TestPeriodsKnowTheOnesBefore(t *testing.T) {
	t.Parallel()
	for period, want := range map[string]string{
		"2026-W45": "2026-W44", "2027-W01": "2026-W53", "2027-W01..2027-W04": "2026-W49..2026-W53", "2026-W49..2026-W53": "2026-W45..2026-W48", "soon": "",
	} {
		if got := Before(period); got != want {
			t.Errorf("before %s: %s, want %s", period, got, want)
		}
	}
	for week, want := range map[string]string{
		"2026-W44": "2026-W41..2026-W44", "2026-W45": "2026-W41..2026-W44", "2026-W52": "2026-W45..2026-W48", "2026-W53": "2026-W49..2026-W53", "": "",
	} {
		if got := LastBlock(week); got != want {
			t.Errorf("last block of %s: %s, want %s", week, got, want)
		}
	}
}

// TestAdviceIsReadFromTheLastFourWeeks: older weeks and older blocks give none, and a letter's advice not even a block that
// ended before its week did.
func TestAdviceIsReadFromTheLastFourWeeks(t *testing.T) {
	t.Parallel()
	closed := func(period string) Figure { return told("after-hours-demand", "share", "block", period, 0.4) }
	lost := func(week string) Figure { return told("missed-not-returned", "rate", "week", week, 0.8) }
	now := told("missed-call-rate", "rate", "week", "2026-W46", 0.1)
	for _, c := range []struct {
		old           Figure
		always, exact bool // by Suggestions, by SuggestionsTo
	}{
		{lost("2026-W42"), false, false}, {lost("2026-W43"), true, true}, {lost("2026-W46"), true, true},
		{closed("2026-W37..2026-W40"), false, false}, {closed("2026-W41..2026-W44"), true, false},
	} {
		all, own := Suggestions([]Figure{c.old, now}), SuggestionsTo([]Figure{c.old, now}, "2026-W46")
		if len(all) > 0 != c.always || len(own) > 0 != c.exact {
			t.Errorf("%s of %s: %d suggestions, %d of its own weeks", c.old.Insight, c.old.Period, len(all), len(own))
		}
	}
	if own := SuggestionsTo([]Figure{closed("2026-W41..2026-W44")}, "2026-W44"); len(own) != 1 {
		t.Errorf("a block that ends with the week gives %d suggestions", len(own))
	}
}

// TestARiseIsAChange: the headline of a rising topic says a clear change by itself.
func TestARiseIsAChange(t *testing.T) {
	t.Parallel()
	f := told("rising-topics", "change", "week", "2026-W45", 12)
	low, high := 6.0, 18.0
	f.Unit, f.Low, f.High, f.Split = "points", &low, &high, map[string][]string{"reason": {"price"}}
	hs := Headlines([]Figure{f}, "2026-W45")
	if len(hs) != 1 || !hs[0].Moved() || hs[0].Worse() || hs[0].Text != "People ask about prices more often than in the four weeks before: 12 (6 to 18) points more." {
		t.Errorf("%+v", hs)
	}
}
