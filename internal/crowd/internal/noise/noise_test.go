package noise

import (
	"math"
	"math/big"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// exp gives e^(-1/s) to 400 bits by its series.
func exp(s int64) *big.Float {
	num := func(n int64) *big.Float { return new(big.Float).SetPrec(400).SetInt64(n) }
	sum, term := num(1), num(1)
	for i := int64(1); i < 150; i++ {
		term.Quo(term.Mul(term, num(-1)), num(s*i))
		sum.Add(sum, term)
	}
	return sum
}

func TestTheTableIsExact(t *testing.T) {
	t.Parallel()
	for scale := int64(MinScale); scale <= MaxScale; scale++ {
		r := exp(scale)
		var weights [2*Cut + 1]*big.Float
		total := new(big.Float).SetPrec(400)
		for i := range weights {
			w := new(big.Float).SetPrec(400).SetInt64(1)
			for range max(i-Cut, Cut-i) {
				w.Mul(w, r)
			}
			weights[i] = w
			total.Add(total, w)
		}
		below := new(big.Float).SetPrec(400)
		for i, got := range table[scale-MinScale] {
			below.Add(below, weights[i])
			v := new(big.Float).SetPrec(400).Quo(below, total)
			v.SetMantExp(v, 64)
			want, _ := v.Add(v, big.NewFloat(0.5)).Int(nil)
			if want.Uint64() != got {
				t.Errorf("scale %d, entry %d: %d, want %d", scale, i, got, want)
			}
		}
	}
}

func marks(n int64) [2]int64 { return [2]int64{n * 7919, n * 104729} }

func keys(period string) Keys { return NewKeys(make([]byte, 32), "shop", period) }

// The noise of many cells has the distribution of the table. Chi-squared with 32 degrees of freedom and a
// false-alarm rate of 1e-9 a scale; keys are fixed, so it alarms always or never.
func TestDrawsHaveTheDistribution(t *testing.T) {
	t.Parallel()
	k := keys("2026-W45")
	const draws = 200_000
	for scale := int64(MinScale); scale <= MaxScale; scale++ {
		var seen [2*Cut + 1]float64
		for n := range int64(draws) {
			seen[draw(k.rows, marks(n), 1, scale)+Cut]++
		}
		chi := 0.0
		var pooled, expected float64 // outcomes rarer than five draws are judged together
		for i, n := range seen {
			want := Probability(int64(i-Cut), scale) * draws
			if want < 5 {
				pooled, expected = pooled+n, expected+want
				continue
			}
			chi += (n - want) * (n - want) / want
		}
		if expected > 0 {
			chi += (pooled - expected) * (pooled - expected) / expected
		}
		if p := 1 - (distuv.ChiSquared{K: 2 * Cut}).CDF(chi); p < 1e-9 {
			t.Errorf("scale %d: chi-squared %.1f, p %g", scale, chi, p)
		}
	}
}

func TestNoiseDependsOnTheKeyThePeriodAndTheCell(t *testing.T) {
	t.Parallel()
	differs := func(name string, f func(n int64) (a, b int64)) {
		for n := range int64(100) {
			if a, b := f(n); a != b {
				return
			}
		}
		t.Errorf("%s makes no difference in 100 cells", name)
	}
	k := keys("2026-W45")
	rows := func(k Keys, n int64) int64 { return k.Rows(40, Cell{marks(n), 1}, 2) }
	for n := range int64(100) {
		if rows(k, n) != rows(keys("2026-W45"), n) {
			t.Fatal("the same cell has two noises")
		}
	}
	differs("the period", func(n int64) (a, b int64) { return rows(k, n), rows(keys("2026-W46"), n) })
	differs("the workspace", func(n int64) (a, b int64) { return rows(k, n), rows(NewKeys(make([]byte, 32), "else", "2026-W45"), n) })
	differs("the release key", func(n int64) (a, b int64) { return rows(k, n), rows(NewKeys([]byte{31: 1}, "shop", "2026-W45"), n) })
	differs("the use", func(n int64) (a, b int64) { return rows(k, n), k.Contacts(40, Cell{marks(n), 1}, 2) })
	differs("one row more", func(n int64) (a, b int64) {
		m := marks(n)
		return rows(k, n), k.Rows(40, Cell{[2]int64{m[0] + 1, m[1] + 1}, 1}, 2)
	})
}

// One person more or less draws anew: the noise of the two cells is independent (correlation of 20,000 pairs below five
// standard errors; keys are fixed).
func TestOnePersonMoreDrawsAnew(t *testing.T) {
	t.Parallel()
	k := keys("2026-W45")
	const pairs = 20_000
	var sum float64
	for n := range int64(pairs) {
		without, who := marks(2*n), marks(2*n+1)
		sum += float64(draw(k.rows, without, 1, 2)) * float64(draw(k.rows, [2]int64{without[0] + who[0], without[1] + who[1]}, 1, 2))
	}
	v := Variance(1, 2)
	if z := sum / pairs / (v / math.Sqrt(pairs)); math.Abs(z) > 5 {
		t.Errorf("the noise of a cell and of the cell with one person more correlate: z = %.1f", z)
	}
}

func TestCountsStayCounts(t *testing.T) {
	t.Parallel()
	k := keys("2026-W45")
	for n := range int64(2000) {
		c := Cell{marks(n), n % 9}
		if got := k.Rows(0, c, 4); got != 0 {
			t.Fatalf("an empty cell shows %d", got)
		}
		if got := k.Rows(3, c, 4); got < 0 {
			t.Fatalf("a count of %d", got)
		}
		if got := k.Rows(3, c, 0); got != 3 {
			t.Fatalf("without noise a count of 3 is %d", got)
		}
		if d := k.Rows(1000, c, 2) - 1000; max(d, -d) > Cut*Step(c.Most)+Step(c.Most)/2 {
			t.Fatalf("noise %d with at most %d rows a contact", d, c.Most)
		}
	}
	for most, want := range map[int64]int64{0: 1, 1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 1000: 1024} {
		if Step(most) != want {
			t.Errorf("at most %d rows: steps of %d, want %d", most, Step(most), want)
		}
	}
}

// The standard deviations that docs/privacy.md prints.
func TestVariance(t *testing.T) {
	t.Parallel()
	for scale, want := range map[int64]float64{0: 0, 1: 1.36, 2: 2.77, 3: 4.04, 4: 5.02} {
		if got := math.Sqrt(Variance(1, scale)); math.Abs(got-want) > 0.02 {
			t.Errorf("scale %d: standard deviation %.2f, want %.2f", scale, got, want)
		}
	}
}

// Noise of wider steps has a mean of 0, the variance and the probabilities that are told, and no lattice: a step that showed a
// count up to a multiple would show who is there.
func TestWideNoiseFillsItsSteps(t *testing.T) {
	t.Parallel()
	k := keys("2026-W45")
	const draws = 100_000
	for _, step := range []int64{2, 4, 16} {
		var mean, squares, total float64
		residues := map[int64]float64{}
		for n := range int64(draws) {
			d := draw(k.rows, marks(n), step, 2)
			mean, squares = mean+float64(d)/draws, squares+float64(d*d)/draws
			residues[(d%step+step)%step]++
		}
		deviation := math.Sqrt(Variance(step, 2))
		if math.Abs(mean) > 5*deviation/math.Sqrt(draws) || math.Abs(squares/Variance(step, 2)-1) > 0.05 {
			t.Errorf("step %d: mean %.3f, variance %.2f, want %.2f", step, mean, squares, Variance(step, 2))
		}
		for n := -(Cut + 1) * step; n <= (Cut+1)*step; n++ {
			total += ProbabilityOf(n, step, 2)
		}
		if math.Abs(total-1) > 1e-9 {
			t.Errorf("step %d: probabilities add up to %.9f", step, total)
		}
		for r := range step {
			if share := residues[r] / draws * float64(step); math.Abs(share-1) > 0.15 {
				t.Errorf("step %d: remainder %d comes %.2f times as often as the others", step, r, share)
			}
		}
	}
}

// The accuracy that docs/privacy.md prints, with the bounds that a noise of 2 is held to.
func TestAccuracy(t *testing.T) {
	t.Parallel()
	for scale, want := range map[int64][3]float64{1: {.73, .65, .93}, 2: {.62, .56, .78}, 3: {.58, .54, .70}, 4: {.56, .53, .66}} {
		got := [3]float64{Accuracy(scale, 1), DifferenceAccuracy(scale), Accuracy(scale, 10)}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 0.015 {
				t.Errorf("scale %d: accuracy %.3f, want %.2f", scale, got[i], want[i])
			}
		}
	}
	if Accuracy(2, 1) > .65 || DifferenceAccuracy(2) > .62 || Accuracy(2, 10) > .80 {
		t.Error("a noise of 2 tells more than it may")
	}
}
