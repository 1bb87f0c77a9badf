package insight

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"murmur/internal/crowd/release"
)

// weekly makes a missed-call rate of each week from 2026-W40 on, out of 100 calls each.
func weekly(rates ...float64) (fs []Figure) {
	for i, r := range rates {
		e := wilson(int64(math.Round(100*r)), 100)
		fs = append(fs, Figure{Insight: "missed-call-rate", Measure: "rate", Grain: "week", Period: fmt.Sprintf("2026-W%d", 40+i), Unit: "ratio",
			Value: round(e.value), Low: round(e.low), High: round(e.high), Base: 100})
	}
	return fs
}

func TestABandIsReadInTheUnitOfItsMeasure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		slug, measure, below, above string
		low, high                   float64 // NaN: there is no end
		wrong                       bool
	}{
		{slug: "missed-call-rate", above: "20%", low: math.NaN(), high: 0.2},
		{slug: "missed-call-rate", measure: "rate", below: "0.05", above: " 20 % ", low: 0.05, high: 0.2},
		{slug: "missed-call-rate", low: math.NaN(), high: math.NaN()},
		{slug: "time-to-respond", measure: "reply_p90_s", above: "5m", low: math.NaN(), high: 300},
		{slug: "time-to-respond", measure: "reply_p90_s", above: "90", low: math.NaN(), high: 90},
		{slug: "satisfaction", measure: "nps", below: "-10", low: -10, high: math.NaN()},
		{slug: "missed-call-rate", above: "20", wrong: true},
		{slug: "missed-call-rate", below: "30%", above: "20%", wrong: true},
		{slug: "missed-call-rate", above: "NaN", wrong: true},
		{slug: "satisfaction", measure: "nps", below: "10%", wrong: true},
		{slug: "missed-call-rate", measure: "nps", wrong: true},
		{slug: "nobody", wrong: true},
	} {
		b, err := ParseWatch(c.slug, c.measure, c.below, c.above)
		if c.wrong {
			if !errors.Is(err, ErrWatch) {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		end := func(v *float64) float64 {
			if v == nil {
				return math.NaN()
			}
			return *v
		}
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		if err != nil || !same(end(b.Below), c.low) || !same(end(b.Above), c.high) {
			t.Errorf("%+v: %v %v %v", c, end(b.Below), end(b.Above), err)
		}
	}
	for _, in := range All() {
		if _, err := ParseWatch(in.Slug, "", "", ""); err != nil {
			t.Errorf("%s: %v", in.Slug, err)
		}
	}
}

func TestAFigureLeavesItsRange(t *testing.T) {
	t.Parallel()
	b, err := ParseWatch("missed-call-rate", "", "", "20%")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		rate float64
		want string
	}{
		{"inside", 0.2, ""},
		{"beyond with all of its range", 0.4, "Missed calls: 40 % (31 % to 50 %); the range that was set ends at 20 %."},
		{"beyond, perhaps by chance", 0.25, "Missed calls: 25 % (18 % to 34 %); the range that was set ends at 20 %. The range in brackets reaches back into it, so it may be chance."},
	} {
		got := ""
		for _, o := range LeftOf(b, weekly(0.1, c.rate), "2026-W41") {
			got += o.Text()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if out := LeftOf(b, weekly(0.4, 0.1), "2026-W41"); len(out) > 0 {
		t.Errorf("the week before was outside, not this one: %v", out)
	}
	hidden := weekly(0.4)
	hidden[0].Value, hidden[0].Hidden = nil, "small-group"
	vague := weekly(0.4)
	vague[0].Low, vague[0].High = round(0.1), round(0.9)
	for name, fs := range map[string][]Figure{"hidden": hidden, "vague": vague} {
		if out := LeftOf(b, fs, "2026-W40"); len(out) > 0 {
			t.Errorf("a figure that is %s is outside: %v", name, out)
		}
	}
}

// TestOneGroupSpeaksWhereThereIsNoWhole: groups are looked at only where the measure has no figure of everybody.
func TestOneGroupSpeaksWhereThereIsNoWhole(t *testing.T) {
	t.Parallel()
	b, _ := ParseWatch("missed-call-rate", "", "", "20%")
	groups := append(weekly(0.5), weekly(0.1)...)
	groups[0].Split, groups[1].Split = map[string][]string{"number": {"Sales"}}, map[string][]string{"number": {"Support"}}
	out := LeftOf(b, groups, "2026-W40")
	if len(out) != 1 || out[0].Figure.Split["number"][0] != "Sales" {
		t.Errorf("%v", out)
	}
	if out := LeftOf(b, append(groups, weekly(0.15)...), "2026-W40"); len(out) > 0 {
		t.Errorf("everybody is inside: %v", out)
	}
}

// A week speaks for itself; four weeks of the same speak where it has no figure.
func TestFourWeeksSpeakWhereTheWeekDoesNot(t *testing.T) {
	t.Parallel()
	b, _ := ParseWatch("missed-call-rate", "", "", "20%")
	both := append(weekly(0.1), weekly(0.5)...)
	both[1].Grain, both[1].Period = "block", "2026-W37..2026-W40"
	if out := LeftOf(b, both, "2026-W40"); len(out) > 0 {
		t.Errorf("the week is inside: %v", out)
	}
	if out := LeftOf(b, both[1:], "2026-W40"); len(out) != 1 {
		t.Errorf("the four weeks are outside: %v", out)
	}
}

func TestTheUsualRangeNeedsFourPeriodsInARow(t *testing.T) {
	t.Parallel()
	b, _ := ParseWatch("missed-call-rate", "", "", "")
	out := LeftOf(b, weekly(0.1, 0.12, 0.09, 0.11, 0.1, 0.12, 0.08, 0.1, 0.6), "2026-W48")
	if len(out) != 1 || !out[0].Sure || out[0].Weeks != 8 {
		t.Fatalf("%+v", out)
	}
	if want := "Missed calls: 60 % (50 % to 69 %); the 8 weeks before lead one to expect 0 % to 28 %."; out[0].Text() != want {
		t.Errorf("%q", out[0].Text())
	}
	if out := LeftOf(b, weekly(0.1, 0.12, 0.09, 0.6), "2026-W43"); len(out) > 0 {
		t.Errorf("three weeks are no range: %v", out)
	}
	gap := weekly(0.1, 0.12, 0.09, 0.11, 0.1, 0.6)
	if out := LeftOf(b, append(gap[:3], gap[4:]...), "2026-W45"); len(out) > 0 {
		t.Errorf("one week since the gap is no range: %v", out)
	}
}

// TestTheUsualRangeSeldomCriesWolf: 2,000 businesses whose rate never changes, with 60 calls a week and eight weeks before. A false
// alarm is to come once in 100 weeks; of 2,000 then 20, and more than 39 with a chance of 1 in 20,000 (binomial).
func TestTheUsualRangeSeldomCriesWolf(t *testing.T) {
	t.Parallel()
	b, _ := ParseWatch("missed-call-rate", "", "", "")
	r := rand.New(rand.NewPCG(13, 13))
	wrong := 0
	for range 2000 {
		var fs []Figure
		for i := range 9 {
			var missed int64
			for range 60 {
				if r.Float64() < 0.25 {
					missed++
				}
			}
			e := wilson(missed, 60)
			fs = append(fs, Figure{Insight: "missed-call-rate", Measure: "rate", Grain: "week", Period: fmt.Sprintf("2026-W%d", 40+i), Unit: "ratio",
				Value: round(e.value), Low: round(e.low), High: round(e.high), Base: 60})
		}
		if len(LeftOf(b, fs, "2026-W48")) > 0 {
			wrong++
		}
	}
	if wrong > 39 {
		t.Errorf("%d of 2,000 quiet weeks are outside", wrong)
	}
	t.Logf("%d of 2,000", wrong)
}

// TestAFigureThatMayBeAnythingSaysSo: it is no headline, nothing is compared with it, and its words say why; one that is certain
// beside it speaks.
func TestAFigureThatMayBeAnythingSaysSo(t *testing.T) {
	t.Parallel()
	vague := weekly(0)
	vague[0].Low, vague[0].High = round(0), round(1)
	if h := Headline(vague, nil); h.Text != "There is too little to tell: it may be anything from 0 % to 100 %." || len(h.Evidence) > 0 {
		t.Errorf("%+v", h)
	}
	if all := Headlines(vague, "2026-W40"); len(all) > 0 {
		t.Errorf("%+v", all)
	}
	if h := Headline(weekly(0.1), vague); h.Text != "Of all calls in open hours, 10 % (6 % to 17 %) were missed." {
		t.Errorf("%q", h.Text)
	}
	reply := Figure{Insight: "satisfaction", Measure: "nps", Grain: "week", Period: "2026-W40", Unit: "points", Value: round(10), Low: round(-80), High: round(90)}
	csat := Figure{Insight: "satisfaction", Measure: "csat", Grain: "week", Period: "2026-W40", Unit: "points", Value: round(4), Low: round(3.8), High: round(4.2)}
	if h := Headline([]Figure{reply, csat}, nil); len(h.Evidence) != 1 || h.Evidence[0].Measure != "csat" {
		t.Errorf("%+v", h)
	}
}

// TestARiseSaysWhatItIsComparedWith: not with more weeks than there are.
func TestARiseSaysWhatItIsComparedWith(t *testing.T) {
	t.Parallel()
	for weeks, want := range map[string]string{"1": "the week before", "2": "the two weeks before", "3": "the three weeks before", "4": "the four weeks before"} {
		f := Figure{Insight: "rising-topics", Measure: "change", Grain: "week", Period: "2026-W40", Unit: "points", Split: map[string][]string{"reason": {"booking"}},
			Value: round(30), Low: round(20), High: round(40), Settings: map[string]string{weeksBefore: weeks}}
		if h := Headline([]Figure{f}, nil); h.Text != "People ask about bookings more often than in "+want+": 30 (20 to 40) points more." {
			t.Errorf("%q", h.Text)
		}
	}
}

// TestNoMoreAreVerifiedThanThereAre: the noise of either count is its own, the bands do not contradict each other.
func TestNoMoreAreVerifiedThanThereAre(t *testing.T) {
	t.Parallel()
	for verified, want := range map[int64]string{3: "0-4", 6: "", 12: ""} {
		if f := (answer{}).blank(release.Group{Contacts: 7, Verified: verified}, "rate", ""); f.Contacts != "5-9" || f.Verified != want {
			t.Errorf("%d verified: %q of %q", verified, f.Verified, f.Contacts)
		}
	}
}

func TestAWayBetweenMediaReadsAsOne(t *testing.T) {
	t.Parallel()
	if got := where(Figure{Split: map[string][]string{"from": {"text"}, "to": {"call"}}}); got != "from a text to a call" {
		t.Errorf("%q", got)
	}
}
