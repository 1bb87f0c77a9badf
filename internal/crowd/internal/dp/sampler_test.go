package dp

import (
	"errors"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// falseAlarm is how often a test of a distribution fails on a right sampler: once in a million runs of each case.
const falseAlarm = 1e-6

// chiSquared compares draws with exact probabilities; cells with fewer than ten expected draws are added to their
// neighbour nearer to zero, so that the statistic follows its distribution.
func chiSquared(t *testing.T, name string, draws []int64, weight func(x float64) float64) {
	t.Helper()
	limit, whole := 0, 0.0
	for x := 0; ; x++ {
		w := weight(float64(x))
		if x > 0 {
			w *= 2
		}
		if whole += w; w < whole*1e-18 {
			break
		}
		limit = x
	}
	counts := make([]float64, 2*limit+1)
	beyond := 0
	for _, d := range draws {
		if d < int64(-limit) || d > int64(limit) {
			beyond++
			continue
		}
		counts[d+int64(limit)]++
	}
	if beyond > 0 { // expected: under 1e-15 of them
		t.Errorf("%s: %d draws beyond %d", name, beyond, limit)
	}
	n, statistic, cells := float64(len(draws)), 0.0, -1
	side := func(from, step int) {
		expected, seen := 0.0, 0.0
		for i := from; i >= 0 && i < len(counts); i += step {
			expected += n * weight(float64(i-limit)) / whole
			seen += counts[i]
			if expected >= 10 {
				statistic += (seen - expected) * (seen - expected) / expected
				cells++
				expected, seen = 0, 0
			}
			if i == limit || step < 0 && i == limit+1 {
				return // what is left is the little beside the last full cell
			}
		}
	}
	side(0, 1)
	side(len(counts)-1, -1)
	if most := (distuv.ChiSquared{K: float64(cells)}).Quantile(1 - falseAlarm); statistic > most {
		t.Errorf("%s: chi-squared %.1f over %d cells, at most %.1f", name, statistic, cells+1, most)
	}
}

// The draws have the exact probabilities of CKS20, definitions 1 and 5. False alarm: falseAlarm a case, 13 cases.
func TestTheNoiseHasItsExactProbabilities(t *testing.T) {
	t.Parallel()
	const n = 60_000
	out := make([]int64, n)
	s := NewSampler(nil)
	for _, variance := range []uint64{1, 2, 3, 9, 34, 100, 1_000, 4_912, 250_000} {
		if err := s.Gaussian(out, variance); err != nil {
			t.Fatal(err)
		}
		chiSquared(t, "gaussian", out, func(x float64) float64 { return math.Exp(-x * x / 2 / float64(variance)) })
	}
	for _, scale := range []uint64{1, 2, 7, 300} {
		if err := s.Laplace(out, scale); err != nil {
			t.Fatal(err)
		}
		chiSquared(t, "laplace", out, func(x float64) float64 { return math.Exp(-math.Abs(x) / float64(scale)) })
	}
}

// The way of numbers that do not fit into 64 bits decides as the short one does. False alarm: 1e-6, by Hoeffding's bound.
func TestLargeNumbersAreAcceptedAlike(t *testing.T) {
	t.Parallel()
	const n = 20_000
	s := NewSampler(nil)
	within := math.Sqrt(math.Log(2/1e-6) / 2 / n)
	for _, c := range []struct{ a, t, variance uint64 }{{3, 4, 9}, {0, 4, 9}, {12, 4, 9}, {70, 71, 4_912}, {200, 71, 4_912}} {
		far := float64(c.a)*float64(c.t) - float64(c.variance)
		want := math.Exp(-far * far / 2 / float64(c.variance) / float64(c.t) / float64(c.t))
		accepted := 0
		for range n {
			if s.acceptBig(c.a, c.t, c.variance) {
				accepted++
			}
		}
		if got := float64(accepted) / n; math.Abs(got-want) > within {
			t.Errorf("%+v: accepted %.4f, want %.4f", c, got, want)
		}
	}
	// A deviation of 100,000, whose acceptance test does not fit into 64 bits: the mean square is the variance within six
	// standard errors of a chi-squared of 20,000, a false alarm of 2e-9.
	out := make([]int64, n)
	if err := s.Gaussian(out, 1e10); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, x := range out {
		sum += float64(x) * float64(x) / n / 1e10
	}
	if math.Abs(sum-1) > 6*math.Sqrt(2.0/n) {
		t.Errorf("mean square %.4f of the variance", sum)
	}
}

// broken gives some randomness and then none.
type broken struct{ left int }

func (b *broken) Read(p []byte) (int, error) {
	if b.left < len(p) {
		return 0, errors.New("the device is gone")
	}
	b.left -= len(p)
	for i := range p {
		p[i] = byte(i * 37)
	}
	return len(p), nil
}

func TestWithoutRandomnessThereIsNoNoise(t *testing.T) {
	t.Parallel()
	for _, pages := range []int{0, 1, 3} {
		out := make([]int64, 10_000)
		out[0] = 7
		err := NewSampler(&broken{pages * 4096}).Gaussian(out, 34)
		if !errors.Is(err, ErrRandom) {
			t.Errorf("after %d pages: %v", pages, err)
		}
		for i, x := range out {
			if x != 0 {
				t.Fatalf("after %d pages draw %d is left", pages, i)
			}
		}
	}
	if err := NewSampler(io.LimitReader(strings.NewReader("short"), 5)).Laplace(make([]int64, 1), 2); !errors.Is(err, ErrRandom) {
		t.Errorf("a short read: %v", err)
	}
}

func TestVariancesOutOfRangeAreRefused(t *testing.T) {
	t.Parallel()
	s := NewSampler(nil)
	for _, v := range []uint64{0, MaxVariance + 1} {
		if s.Gaussian(make([]int64, 1), v) == nil {
			t.Errorf("variance %d is drawn from", v)
		}
	}
	if err := s.Gaussian(make([]int64, 100), MaxVariance); err != nil {
		t.Error(err)
	}
	if s.Laplace(make([]int64, 1), 0) == nil || s.Laplace(make([]int64, 1), math.MaxUint32+1) == nil {
		t.Error("a scale out of range is drawn from")
	}
}

// bernoulli decides by the binary digits of the fraction, exactly.
func FuzzBernoulliComparesDigits(f *testing.F) {
	f.Add(uint64(1), uint64(3), uint64(0x5555555555555555), uint64(0x5555555555555555))
	f.Add(uint64(1), uint64(2), uint64(1)<<63, uint64(9))
	f.Add(uint64(5), uint64(5), uint64(0), uint64(0))
	f.Fuzz(func(t *testing.T, num, den, high, low uint64) {
		if den == 0 || num > den {
			t.Skip()
		}
		s := NewSampler(&broken{})
		s.left = make([]byte, 0, 16)
		for _, w := range []uint64{high, low} {
			for i := range 8 {
				s.left = append(s.left, byte(w>>(8*i)))
			}
		}
		got, decided := false, true
		func() {
			defer func() {
				if recover() != nil {
					decided = false
				}
			}()
			got = s.bernoulli(num, den)
		}()
		if !decided {
			return // 128 digits were equal
		}
		u := new(big.Int).SetUint64(high)
		u.Lsh(u, 64).Or(u, new(big.Int).SetUint64(low)).Mul(u, new(big.Int).SetUint64(den))
		p := new(big.Int).SetUint64(num)
		p.Lsh(p, 128)
		if want := u.Cmp(p) < 0; got != want {
			t.Errorf("%d/%d with %x %x: %v, want %v", num, den, high, low, got, want)
		}
	})
}

func BenchmarkGaussian(b *testing.B) {
	out := make([]int64, 1000)
	for _, variance := range []uint64{34, 4_912} {
		b.Run("sigma "+big.NewInt(int64(root(variance))).String(), func(b *testing.B) {
			s := NewSampler(nil)
			b.ReportAllocs()
			began := cpuTime()
			for b.Loop() {
				if err := s.Gaussian(out, variance); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(out))/(cpuTime()-began).Seconds()/1e6, "M-draws/cpu-s")
		})
	}
}

// There is no seed: two samplers of one process draw differently. 64 draws of deviation 6 are alike with a chance below 1e-60.
func TestNoTwoSamplersDrawAlike(t *testing.T) {
	t.Parallel()
	a, b := make([]int64, 64), make([]int64, 64)
	if err := errors.Join(NewSampler(nil).Gaussian(a, 34), NewSampler(nil).Gaussian(b, 34)); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(a, b) {
		t.Error("two samplers draw alike")
	}
}

// cpuTime is what this process has used of its processors: other work on the machine does not move it much.
func cpuTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
