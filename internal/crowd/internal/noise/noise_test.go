package noise

import (
	"encoding/binary"
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

func contact(n uint64) (c [16]byte) {
	binary.BigEndian.PutUint64(c[:], n)
	return c
}

// The noise of many cells has the distribution of the table. Chi-squared with 32 degrees of freedom and a
// false-alarm rate of 1e-9 a scale; keys are fixed, so it alarms always or never.
func TestDrawsHaveTheDistribution(t *testing.T) {
	t.Parallel()
	k := NewKeys(make([]byte, 32), "shop", "2026-W45")
	const draws = 200_000
	for scale := MinScale; scale <= MaxScale; scale++ {
		var seen [2*Cut + 1]float64
		for n := range uint64(draws) {
			seen[k.draw(k.Record(contact(n)), scale)+Cut]++
		}
		chi, below := 0.0, 0.0
		var pooled, expected float64 // outcomes rarer than five draws are judged together
		for i, n := range seen {
			p := 1.0
			if i < 2*Cut {
				p = float64(table[scale-MinScale][i]) / (1 << 64)
			}
			want := (p - below) * draws
			below = p
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

func TestTheSamePeopleGiveTheSameNoise(t *testing.T) {
	t.Parallel()
	release := []byte("a release key of thirty-two bytes")
	k := NewKeys(release, "shop", "2026-W45")
	a, b, c := k.Record(contact(1)), k.Record(contact(2)), k.Record(contact(3))
	if k.Apply(40, Cell{a + b + c, 1}, 2) != k.Apply(40, Cell{c + a + b, 1}, 2) {
		t.Error("the order of the people matters")
	}
	if again := NewKeys(release, "shop", "2026-W45"); again.Record(contact(1)) != a {
		t.Error("the same key gives another record key")
	}
	for name, other := range map[string]Keys{
		"period": NewKeys(release, "shop", "2026-W46"), "workspace": NewKeys(release, "shop2", "026-W45"), "release key": NewKeys(make([]byte, 32), "shop", "2026-W45"),
	} {
		if other.Record(contact(1)) == a {
			t.Errorf("another %s gives the same record key", name)
		}
	}
}

// One person more or less draws anew: the noise of the two cells is independent (correlation of 20,000 pairs below five
// standard errors; keys are fixed).
func TestOnePersonMoreDrawsAnew(t *testing.T) {
	t.Parallel()
	k := NewKeys(make([]byte, 32), "shop", "2026-W45")
	const pairs = 20_000
	var sum float64
	for n := range uint64(pairs) {
		with := k.Record(contact(3*n)) + k.Record(contact(3*n+1))
		sum += float64(k.draw(with, 2)) * float64(k.draw(with+k.Record(contact(3*n+2)), 2))
	}
	v := Variance(1, 2)
	if z := sum / pairs / (v / math.Sqrt(pairs)); math.Abs(z) > 5 {
		t.Errorf("the noise of a cell and of the cell with one person more correlate: z = %.1f", z)
	}
}

func TestCountsStayCounts(t *testing.T) {
	t.Parallel()
	k := NewKeys(make([]byte, 32), "shop", "2026-W45")
	for n := range uint64(2000) {
		c := Cell{k.Record(contact(n)), int64(n % 9)}
		if got := k.Apply(0, c, 4); got != 0 {
			t.Fatalf("an empty cell shows %d", got)
		}
		if got := k.Apply(3, c, 4); got < 0 {
			t.Fatalf("a count of %d", got)
		}
		if got := k.Apply(3, c, 0); got != 3 {
			t.Fatalf("without noise a count of 3 is %d", got)
		}
		if d := k.Apply(1000, c, 2) - 1000; d%step(c.Most) != 0 || max(d, -d) > Cut*step(c.Most) {
			t.Fatalf("noise %d with at most %d rows a contact", d, c.Most)
		}
	}
	for most, want := range map[int64]int64{0: 1, 1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 1000: 1024} {
		if step(most) != want {
			t.Errorf("at most %d rows: steps of %d, want %d", most, step(most), want)
		}
	}
}

// The standard deviations that docs/privacy.md prints.
func TestVariance(t *testing.T) {
	t.Parallel()
	for scale, want := range map[int]float64{0: 0, 1: 1.36, 2: 2.77, 3: 4.04, 4: 5.02} {
		if got := math.Sqrt(Variance(1, scale)); math.Abs(got-want) > 0.02 {
			t.Errorf("scale %d: standard deviation %.2f, want %.2f", scale, got, want)
		}
	}
	if got, want := Variance(3, 2), 16*Variance(1, 2); math.Abs(got-want) > 1e-9 {
		t.Errorf("three rows a contact: variance %.3f, want %.3f", got, want)
	}
}
