package rampart

import (
	"math"
	"math/rand/v2"
	"testing"
)

// invented is a matrix and activations with every extreme of their ranges.
func invented(in, out, rows int) (*linear, []float32) {
	r := rand.New(rand.NewPCG(1, uint64(in*out)))
	l := &linear{in: in, out: out, w: make([][2]int8, (out+1)/2*in), scale: make([][2]float32, (out+1)/2*in/block), bias: make([]float32, out)}
	for i := range l.w {
		l.w[i] = [2]int8{int8(r.IntN(16) - 8), int8(r.IntN(16) - 8)}
	}
	for i := range l.scale {
		l.scale[i] = [2]float32{r.Float32(), r.Float32()}
	}
	for i := range l.bias {
		l.bias[i] = r.Float32() - .5
	}
	x := make([]float32, rows*in)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return l, x
}

func BenchmarkMultiply(b *testing.B) {
	l, x := invented(384, 1536, 128)
	var p packed
	y := make([]float32, 128*1536)
	for b.Loop() {
		p.pack(x, 384)
		l.multiply(&p, y)
	}
	b.ReportMetric(float64(b.N)*384*1536*128/b.Elapsed().Seconds()/1e9, "GMAC/s")
}

func TestMultiplyIsAsGoodAsItsRounding(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{1, 3, 4, 5, 8, 9} {
		for _, out := range []int{35, 384} {
			l, x := invented(384, out, rows)
			var p packed
			p.pack(x, 384)
			y := make([]float32, rows*out)
			l.multiply(&p, y)
			for r := range rows {
				for o := range out {
					want, slack := float64(l.bias[o]), 0.0
					for k := range l.in {
						at := o/2*l.in + k
						w := float64(l.w[at][o%2]) * float64(l.scale[at/block][o%2])
						want += w * float64(x[r*l.in+k])
						slack += math.Abs(w) * float64(p.scale[(r/panel*l.in+k)/block][r%panel]) / 2
					}
					if math.Abs(float64(y[r*out+o])-want) > slack+1e-3 {
						t.Fatalf("%d rows, %d outputs: [%d %d] is %g, want %g within %g", rows, out, r, o, y[r*out+o], want, slack)
					}
				}
			}
		}
	}
}

func TestSumsAtTheEdgeDoNotRunIntoTheNextToken(t *testing.T) {
	t.Parallel()
	for _, w := range []int8{-8, 7} {
		for signs := range 256 {
			l := &linear{in: block, out: 1, w: make([][2]int8, block), scale: [][2]float32{{1, 1}}, bias: []float32{0}}
			x := make([]float32, panel*block)
			for i := range x {
				x[i] = 127
				if signs>>(i/block)&1 == 1 {
					x[i] = -127
				}
			}
			for i := range l.w {
				l.w[i] = [2]int8{w, w}
			}
			var p packed
			p.pack(x, block)
			y := make([]float32, panel)
			l.multiply(&p, y)
			for i, got := range y {
				if want := float32(w) * x[i*block] * block; got != want {
					t.Fatalf("token %d: %g, want %g", i, got, want)
				}
			}
		}
	}
}
