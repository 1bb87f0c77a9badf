package insight

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// Reference values: Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (Wilson), and the
// chi-squared table for Poisson counts.
func TestIntervalsMatchPublishedTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		e               estimate
		value, low, top float64
	}{
		{"wilson 81/263", wilson(81, 263), 0.30798, 0.2553, 0.3662},
		{"wilson 15/148", wilson(15, 148), 0.10135, 0.0624, 0.1605},
		{"wilson 0/20", wilson(0, 20), 0, 0, 0.1611},
		{"wilson 1/29", wilson(1, 29), 0.03448, 0.0061, 0.1718},
		{"garwood 0", garwood(0), 0, 0, 3.6889},
		{"garwood 10", garwood(10), 10, 4.7954, 18.3904},
	} {
		if !near(c.e.value, c.value, 1e-4) || !near(c.e.low, c.low, 1e-4) || !near(c.e.high, c.top, 1e-4) {
			t.Errorf("%s: %+v", c.name, c.e)
		}
	}
}

// TestAProportionIsOneEvenIfNoiseSaysMore: noise may give a part more than its whole, and a whole less than nothing.
func TestAProportionIsOneEvenIfNoiseSaysMore(t *testing.T) {
	t.Parallel()
	for n := int64(-3); n < 40; n++ {
		for x := int64(-5); x < 60; x++ {
			for name, e := range map[string]estimate{"wilson": wilson(x, n), "portion": portion(x, n, laplace, -1)} {
				if !(0 <= e.low && e.low <= e.value && e.value <= e.high && e.high <= 1) {
					t.Fatalf("%s of %d of %d is %+v", name, x, n, e)
				}
			}
		}
	}
}

func TestQuantilesFollowTheExactValues(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	edges := Seconds()
	for range 200 {
		n := 1 + r.IntN(300)
		values := make([]int64, n)
		for i := range values {
			values[i] = int64(math.Exp(r.Float64() * 12))
		}
		slices.Sort(values)
		counts := histogram(edges, values...)
		for _, p := range []float64{0.5, 0.9} {
			e := quantile(edges, counts, p, 0)
			rank := p * float64(n-1)
			low, high := float64(values[int(rank)]), float64(values[int(math.Ceil(rank))])
			if e.value < low*0.84-1 || e.value > high*1.16+1 {
				t.Fatalf("p%v of %d values: %v, exact between %v and %v", 100*p, n, e.value, low, high)
			}
		}
	}
}

func TestQuantileOfEqualSecondsIsThatSecond(t *testing.T) {
	t.Parallel()
	edges := Seconds()
	if e := quantile(edges, histogram(edges, 12, 12, 12, 12), 0.5, 0); e != (estimate{12, 12, 12}) {
		t.Errorf("four times 12 s: %+v", e)
	}
}

// Coverage: of 2,000 intervals at a nominal 95 % at least 92 % hold the truth (a correct 95 % interval falls
// under 92 % with probability < 1e-8).
func TestIntervalsCoverTheTruth(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 10))
	const rounds = 2000
	cover := map[string]int{}
	for range rounds {
		var x int64
		scores, stars := make([]int64, 11), make([]int64, 5)
		values := []int64{}
		for range 60 {
			if r.Float64() < 0.1 {
				x++
			}
			u := r.Float64()
			switch {
			case u < 0.2:
				scores[r.IntN(7)]++
			case u < 0.5:
				scores[7+r.IntN(2)]++
			default:
				scores[9+r.IntN(2)]++
			}
			stars[r.IntN(5)]++
			values = append(values, r.Int64N(1000))
		}
		edges := Seconds()
		for name, hit := range map[string]bool{
			"wilson":   holds(wilson(x, 60), 0.1),
			"nps":      holds(nps(scores), 30),
			"mean":     holds(mean([]int64{1, 2, 3, 4, 5}, stars), 3),
			"quantile": holds(quantile(edges, histogram(edges, values...), 0.5, 0), 499.5),
		} {
			if hit {
				cover[name]++
			}
		}
	}
	for name, n := range cover {
		if float64(n)/rounds < 0.92 {
			t.Errorf("%s: %d of %d intervals hold the truth", name, n, rounds)
		}
	}
	if len(cover) != 4 {
		t.Errorf("coverage of %d kinds", len(cover))
	}
}

func holds(e estimate, truth float64) bool { return e.low <= truth && truth <= e.high }

func TestBands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0-4", 5: "5-9", 9: "5-9", 10: "10-19", 20: "20-49", 49: "20-49", 50: "50-99", 100: "100-199", 199: "100-199",
		200: "200-499", 499: "200-499", 500: "500-999", 1000: "1000-1999", 123456: "100000-199999",
	} {
		if got := Band(n); got != want {
			t.Errorf("Band(%d) = %s, want %s", n, got, want)
		}
	}
}
