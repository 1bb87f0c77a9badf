package reader

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestEveryProcessorGivesTheSame: the function for vectors and the plain one, at every extreme of their ranges.
func TestEveryProcessorGivesTheSame(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, k := range []int{16, 32, 160, width, inner} {
		for _, rows := range []int{4, 8, wide, 160} {
			for _, extreme := range []bool{false, true} {
				w, x := make([]byte, rows*k), make([]int16, together*k)
				for i := range w {
					w[i] = byte(int8(r.IntN(255) - 127))
					if extreme {
						w[i] = byte(int8(127 * (1 - 2*(i/k%2))))
					}
				}
				for i := range x {
					x[i] = int16(r.IntN(2*reach+1) - reach)
					if extreme {
						x[i] = int16(reach * (1 - 2*(i/k)))
					}
				}
				got, plain, want := make([]int32, together*rows), make([]int32, together*rows), make([]int32, together*rows)
				dots(got, rows, w, x, rows, k)
				dotsPlain(plain, rows, w, x, rows, k)
				for n := range want {
					sum := int64(0)
					for i := range k {
						sum += int64(int8(w[n%rows*k+i])) * int64(x[n/rows*k+i])
					}
					if want[n] = int32(sum); int64(want[n]) != sum {
						t.Fatalf("%d is more than 32 bits hold", sum)
					}
				}
				if !slices.Equal(got, want) || !slices.Equal(plain, want) {
					t.Fatalf("%d rows of %d: %v and %v, want %v", rows, k, got, plain, want)
				}
			}
		}
	}
}

func TestCurvesAreCloseToTheirFormulas(t *testing.T) {
	t.Parallel()
	var g geluTable
	g.fill()
	var s shareTable
	s.fill()
	for i := range 20000 {
		x := float64(i-10000) / 1000
		if got, want := float64(g.of(float32(x))), x*math.Erfc(-x/math.Sqrt2)/2; math.Abs(got-want) > 3e-6 {
			t.Fatalf("gelu(%g) = %g, want %g", x, got, want)
		}
		if x > 0 {
			continue
		}
		if got, want := float64(exp(float32(x))), math.Exp(x); math.Abs(got-want) > 1e-6*want+1e-30 {
			t.Fatalf("exp(%g) = %g, want %g", x, got, want)
		}
		if got, want := float64(s.of(float32(-x*shareSteps)))/shareTop, math.Exp(x); math.Abs(got-want) > .003*want+1./shareTop {
			t.Fatalf("the share at %g is %g, want %g", x, got, want)
		}
	}
}

func TestRoundingKeepsWhatMatters(t *testing.T) {
	t.Parallel()
	x, q := []float32{0, 1, -2, .5, -.001}, make([]int16, 5)
	by := roundRow(q, x)
	for i, v := range x {
		if d := abs(float32(q[i])*by - v); d > 2./reach {
			t.Errorf("%g becomes %g", v, float32(q[i])*by)
		}
	}
	if by := roundRow(q, make([]float32, 5)); by != 0 || !slices.Equal(q, make([]int16, 5)) {
		t.Errorf("nothing becomes %v by %g", q, by)
	}
}
