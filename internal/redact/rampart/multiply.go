package rampart

import "math"

// Weights of the model are whole numbers from -8 to 7 with one scale for every 32 (MatMulNBits, block_size 32).
// Activations are rounded to whole numbers from -127 to 127 with a scale for the same 32, and those of four tokens
// are packed into one word of 64 bits, 16 bits apart: p = q0 + q1<<16 + q2<<32 + q3<<48. One multiplication by a
// weight then multiplies for four tokens, and a sum over 32 stays within 16 bits for each, because
// 32 * 8 * 127 = 32512 < 1<<15. This takes a third of the time of float32 arithmetic without vector instructions,
// which a Go compiler does not make.

const (
	block = 32 // weights under one scale
	lanes = 4  // tokens in one word
	panel = 8  // tokens that are multiplied at a time: two words
)

// linear is a matrix with a bias: out rows of in weights. Two rows lie side by side, pair after pair, the second
// of the last pair empty when out is odd.
type linear struct {
	in, out int
	w       [][2]int8    // (out+1)/2*in
	scale   [][2]float32 // (out+1)/2*in/block
	bias    []float32    // out
}

// packed holds rounded activations: for every eight tokens in pairs of words and in/block scales of eight.
type packed struct {
	word  [][2]int64
	scale [][panel]float32
}

// pack rounds x, rows of in activations.
func (p *packed) pack(x []float32, in int) {
	rows := len(x) / in
	panels := (rows + panel - 1) / panel
	p.word = grow(p.word, panels*in)
	p.scale = grow(p.scale, panels*in/block)
	clear(p.word)
	clear(p.scale)
	for r := range rows {
		base, t := r/panel*in, r%panel
		half, shift := t/lanes, t%lanes*16
		for b := 0; b < in; b += block {
			xs, ws := (*[block]float32)(x[r*in+b:]), (*[block][2]int64)(p.word[base+b:])
			top := float32(0)
			for _, v := range xs {
				top = max(top, abs(v))
			}
			if top == 0 {
				continue
			}
			p.scale[(base+b)/block][t] = top / 127
			by := 127 / top
			for i, v := range xs {
				v *= by
				ws[i][half] += int64(v+signHalf(v)) << shift
			}
		}
	}
}

// multiply gives y = l*x + bias for the packed rows; y has rows of l.out.
func (l *linear) multiply(p *packed, y []float32) {
	rows := len(y) / l.out
	blocks := l.in / block
	for o := 0; o < l.out; o += 2 {
		w, scale := l.w[o/2*l.in:][:l.in], l.scale[o/2*blocks:][:blocks]
		for r := 0; r < rows; r += panel {
			word, by := p.word[r/panel*l.in:][:l.in], p.scale[r/panel*blocks:][:blocks]
			var sum, sum2 [panel]float32 // of the two rows of weights
			for b := range scale {
				a1, a2, b1, b2 := products((*[block][2]int8)(w[b*block:]), (*[block][2]int64)(word[b*block:]))
				unpack(&sum, a1, a2, scale[b][0], &by[b])
				unpack(&sum2, b1, b2, scale[b][1], &by[b])
			}
			for t := range min(panel, rows-r) {
				row := y[(r+t)*l.out:][:l.out]
				row[o] = sum[t] + l.bias[o]
				if o+1 < len(row) {
					row[o+1] = sum2[t] + l.bias[o+1]
				}
			}
		}
	}
}

// products multiplies two rows of weights, a and b, with two words of tokens.
func products(w *[block][2]int8, x *[block][2]int64) (a1, a2, b1, b2 int64) {
	for i := range x {
		x1, x2 := x[i][0], x[i][1]
		a, b := int64(w[i][0]), int64(w[i][1])
		a1 += a * x1
		a2 += a * x2
		b1 += b * x1
		b2 += b * x2
	}
	return a1, a2, b1, b2
}

// unpack adds the eight sums in two words, scaled. Each is a signed number in 16 bits that borrowed from the one
// above it when negative; 1<<15 added to each makes them plain.
func unpack(sum *[panel]float32, word, word2 int64, scale float32, by *[panel]float32) {
	const plain = 0x8000_8000_8000_8000
	u, v := uint64(word)+plain, uint64(word2)+plain
	sum[0] += float32(int32(u&0xffff)-1<<15) * (scale * by[0])
	sum[1] += float32(int32(u>>16&0xffff)-1<<15) * (scale * by[1])
	sum[2] += float32(int32(u>>32&0xffff)-1<<15) * (scale * by[2])
	sum[3] += float32(int32(u>>48)-1<<15) * (scale * by[3])
	sum[4] += float32(int32(v&0xffff)-1<<15) * (scale * by[4])
	sum[5] += float32(int32(v>>16&0xffff)-1<<15) * (scale * by[5])
	sum[6] += float32(int32(v>>32&0xffff)-1<<15) * (scale * by[6])
	sum[7] += float32(int32(v>>48)-1<<15) * (scale * by[7])
}

func abs(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }

// signHalf is a half with the sign of v: added before cutting, it rounds.
func signHalf(v float32) float32 {
	return math.Float32frombits(math.Float32bits(v)&(1<<31) | math.Float32bits(0.5))
}

// grow gives a slice of n elements, the old memory where it suffices; its content is of no meaning.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
