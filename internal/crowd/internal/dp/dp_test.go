package dp

import (
	"math"
	"testing"
)

// The constants that the privacy documentation gives.
func TestTheLargestSoundRho(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		epsilon, delta float64
		want           Rho
	}{{2, 1e-6, 88_152_688}, {1, 1e-6, 24_355_970}, {1, 1e-9, 14_973_057}} {
		got := Cap(c.epsilon, c.delta)
		if got != c.want {
			t.Errorf("epsilon %g, delta %g: %d, want %d", c.epsilon, c.delta, got, c.want)
		}
		if e := Epsilon(got, c.delta); e > c.epsilon {
			t.Errorf("the cap is epsilon %.12f, over %g", e, c.epsilon)
		}
		if e := Epsilon(got+1, c.delta); e <= c.epsilon {
			t.Errorf("one unit more is still epsilon %.12f: the cap is not the largest", e)
		}
	}
	if e := Epsilon(88_200_000, 1e-6); math.Abs(e-2.0006) > 5e-5 {
		t.Errorf("rho 0.0882 is epsilon %.5f, want 2.0006", e)
	}
	if e := Epsilon(12*24_355_970, 1e-6); math.Abs(e-3.86) > 0.01 {
		t.Errorf("twelve months of epsilon 1 are epsilon %.3f, want 3.86", e)
	}
}

// Noise that was made for a cost costs no more than that, and one less variance would.
func TestCostsAreRoundedUp(t *testing.T) {
	t.Parallel()
	for _, squared := range []int64{1, 2, 3, 9, 144, 10_000, 1 << 30} {
		for _, rho := range []Rho{999, 14_692_114, 88_152_688, 999_999_999, 12_000_000_000} {
			v := Variance(squared, rho)
			if v == 0 {
				t.Fatalf("no variance for %d at %v", squared, rho)
			}
			if c := Cost(squared, v); c > rho {
				t.Errorf("squared %d: variance %d costs %d, more than %d", squared, v, c, rho)
			}
			if v > 1 && float64(squared)*nano/2/float64(v-1) <= float64(rho)*(1-1e-12) {
				t.Errorf("squared %d: variance %d is more than %v needs", squared, v, rho)
			}
			if exact := float64(squared) * nano / 2 / float64(v); float64(Cost(squared, v)) < exact*(1-1e-12) {
				t.Errorf("squared %d: the cost of variance %d is rounded down", squared, v)
			}
		}
	}
	for _, none := range []uint64{Variance(0, 1), Variance(1, 0), Variance(-1, 5), Variance(math.MaxInt64, 1)} {
		if none != 0 {
			t.Errorf("variance %d where there is none", none)
		}
	}
}
