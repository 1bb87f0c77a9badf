package insight

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"murmur/internal/crowd/release"
)

// drawn is discrete Laplace noise of scale 2: the difference of two geometric draws.
func drawn(rng *rand.Rand) int64 {
	geometric := func() int64 { return int64(math.Log(1-rng.Float64()) / -0.5) }
	return geometric() - geometric()
}

// variance of drawn.
var laplace = 2 * math.Exp(-0.5) / math.Pow(1-math.Exp(-0.5), 2)

func noised(rng *rand.Rand, counts []int64) release.Group {
	var g release.Group
	for _, c := range counts {
		g.All += c
		if c > 0 {
			c = max(0, c+drawn(rng))
		}
		g.Bins = append(g.Bins, c)
	}
	g.All, g.Step = max(0, g.All+drawn(rng)), 1
	return g
}

// 95 % intervals of 1,000 simulated weeks with noise hold the long-run value in at least 93 of 100: with the true rate .95
// the chance of fewer is below 0.3 %. Seeds are fixed, so it alarms always or never.
func TestIntervalsWithNoiseHoldTheTruth(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	scores := answer{variance: func(release.Group) float64 { return laplace }}
	scores.query.Value.Bins = []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	stars := answer{variance: scores.variance}
	stars.query.Value.Bins = []int64{1, 2, 3, 4, 5}
	waits := answer{variance: scores.variance}
	waits.query.Value.Bins = Seconds()
	const weeks = 1000
	held := map[string]int{}
	hold := func(name string, e estimate, truth float64) {
		if e.low <= truth && truth <= e.high {
			held[name]++
		}
	}
	for range weeks {
		calls := make([]int64, 2)
		for range 60 {
			if rng.Float64() < 0.25 {
				calls[1]++
			} else {
				calls[0]++
			}
		}
		g := noised(rng, calls)
		hold("rate", waits.part(g, 1), 0.25)

		marks := make([]int64, 11)
		for range 60 { // promoters .5, passives .3, detractors .2
			switch u := rng.Float64(); {
			case u < 0.5:
				marks[9+rng.IntN(2)]++
			case u < 0.8:
				marks[7+rng.IntN(2)]++
			default:
				marks[rng.IntN(7)]++
			}
		}
		hold("nps", scores.nps(noised(rng, marks)), 30)

		given := make([]int64, 5)
		for range 60 {
			given[[]int{0, 2, 3, 3, 4, 4}[rng.IntN(6)]]++
		}
		hold("mean", stars.mean(noised(rng, given)), (1+3+4+4+5+5)/6.0)

		var seconds []int64
		for range 60 {
			seconds = append(seconds, int64(math.Floor(60*math.Exp(rng.NormFloat64()))))
		}
		hold("median", waits.quantile(noised(rng, histogram(waits.query.Value.Bins, seconds...)), 0.5), 59.5)

		n := int64(0)
		for at := rng.ExpFloat64(); at < 60; at += rng.ExpFloat64() {
			n++
		}
		g = noised(rng, []int64{n})
		hold("count", waits.count(g, g.Total()), 60)

		a, b := noised(rng, []int64{calls[1]}), noised(rng, []int64{calls[0]})
		hold("share", portion(a.Total(), a.Total()+b.Total(), laplace, laplace), 0.25)
	}
	for _, name := range []string{"rate", "nps", "mean", "median", "count", "share"} {
		t.Logf("%s: %.1f %%", name, float64(held[name])/weeks*100)
		if held[name] < 93*weeks/100 {
			t.Errorf("%s: intervals hold the truth in %d of %d weeks", name, held[name], weeks)
		}
	}
}

func TestNoiseWidensAndNeverLeavesWhatCanBe(t *testing.T) {
	t.Parallel()
	a := answer{variance: func(release.Group) float64 { return laplace }}
	g := release.Group{All: 10, Step: 1, Bins: []int64{0, 14}}
	if e := a.part(g, 1); e.value != 1 || e.high != 1 || e.low >= wilson(10, 10).low {
		t.Errorf("14 of 10 is %+v", e)
	}
	if e := (answer{}).part(release.Group{Bins: []int64{6, 4}}, 1); e != wilson(4, 10) {
		t.Errorf("without noise 4 of 10 is %+v", e)
	}
}

// TestQuantilesWithNoiseHoldWhatHappened: the quantile of the values that were counted lies inside the interval of the noised
// histogram in at least 94 of 100 (with the true share .95 the chance of fewer is
// below 8 %, and seeds are fixed), of few values and many, in the middle and in the tail. A bin of one value is empty after the
// noise in 38 of 100: an interval that ended with the last bin that is not empty held 70 of 100.
func TestQuantilesWithNoiseHoldWhatHappened(t *testing.T) {
	t.Parallel()
	edges := Seconds()
	const weeks = 1000
	for _, n := range []int{12, 30, 60, 150} {
		for _, p := range []float64{0.5, 0.9} {
			for name, draw := range map[string]func(*rand.Rand) float64{
				"rings":   func(rng *rand.Rand) float64 { return 22 + 6*rng.NormFloat64() + 25*float64(rng.IntN(4)/3) },
				"replies": func(rng *rand.Rand) float64 { return 600 * math.Exp(rng.NormFloat64()) },
			} {
				held, rng := 0, rand.New(rand.NewPCG(uint64(n), uint64(len(name))))
				for range weeks {
					values := make([]int64, n)
					for i := range values {
						values[i] = int64(max(1, draw(rng)))
					}
					slices.Sort(values)
					e := quantile(edges, noised(rng, histogram(edges, values...)).Bins, p, laplace)
					rank := p * float64(n-1)
					least, most := float64(values[int(rank)]), float64(values[int(math.Ceil(rank))])
					if e.low <= most && least <= e.high {
						held++
					}
				}
				if held < weeks*94/100 {
					t.Errorf("%s, %d values, p%v: %d of %d intervals hold what happened", name, n, 100*p, held, weeks)
				}
			}
		}
	}
}

// TestScoresWithNoiseHoldWhatHappened: so do the intervals of scores, of few answers and many.
func TestScoresWithNoiseHoldWhatHappened(t *testing.T) {
	t.Parallel()
	marks := answer{variance: func(release.Group) float64 { return laplace }}
	marks.query.Value.Bins = []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	const weeks = 1000
	for _, n := range []int{12, 30, 60, 150} {
		for name, draw := range map[string][]int{"happy": {5, 7, 8, 8, 9, 9, 9, 10, 10, 10}, "mixed": {0, 1, 2, 3, 5, 6, 7, 8, 9, 10}} {
			nps, mean, rng := 0, 0, rand.New(rand.NewPCG(uint64(n), uint64(len(name))))
			for range weeks {
				counts := make([]int64, 11)
				for range n {
					counts[draw[rng.IntN(10)]]++
				}
				exact := answer{query: marks.query}
				g := noised(rng, counts)
				if holds(marks.nps(g), exact.nps(release.Group{Bins: counts}).value) {
					nps++
				}
				if holds(marks.mean(g), exact.mean(release.Group{Bins: counts}).value) {
					mean++
				}
			}
			if nps < weeks*94/100 || mean < weeks*94/100 {
				t.Errorf("%s, %d answers: of %d intervals %d of the net promoter score hold what happened, %d of the mean", name, n, weeks, nps, mean)
			}
		}
	}
}

// TestNothingLeftByNoiseIsNotCalledNothing: an empty count with noise may have been one of a few people, and an exact one not.
func TestNothingLeftByNoiseIsNotCalledNothing(t *testing.T) {
	t.Parallel()
	in, _ := Find("missed-call-rate")
	for noise, want := range map[int64]string{0: "", 2: MaybeFew} {
		for what, g := range map[string]release.Group{"nobody": {Hidden: release.NoData}, "rows that noise took": {Contacts: 6, Bins: []int64{0, 0}, Step: noise}} {
			a := answered(in.Needs[0], g)
			a.settings.Noise = noise
			f := in.figures([]answer{a, {}})[0]
			if f.Hidden != "no-data" || f.Reason != want {
				t.Errorf("noise %d, %s: %q %q", noise, what, f.Hidden, f.Reason)
			}
		}
	}
}
