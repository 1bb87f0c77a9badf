package reader

import "math"

// Sizes of the network that the code is made for; the file gives the number of layers, of word pieces and of positions.
const (
	width = 384  // of a token's vector
	inner = 1536 // of the feed-forward part
	head  = 32   // width of one of the twelve attention heads
)

// network is a BERT encoder (Devlin et al. 2018) with a classifier of tokens. It is read only once made, and its whole
// numbers stay where they are in the file.
type network struct {
	words     table
	positions []float32 // a row for each, the vector of the first segment added
	norm      norms
	layers    []layer
	classify  []float32 // a row of width for each label
	offset    []float32 // a number for each label
	gelu      geluTable
	shares    shareTable
}

type layer struct {
	query, key, value, attend, rise, fall linear
	normAttend, normFall                  norms
}

// table is an embedding: rows of signed bytes, and what each row is multiplied by.
type table struct {
	cells []byte
	scale []float32
}

// linear is a matrix with a bias: out rows of in signed bytes, and what each row is multiplied by.
type linear struct {
	in, out int
	cells   []byte
	scale   []float32
	bias    []float32
}

// norms are the weights of a layer normalisation.
type norms struct{ gain, bias []float32 }

// together is how many rows of activations are multiplied at a time, and wide how many of weights.
const (
	together = 2
	wide     = 16
)

// rounded are activations as whole numbers: rows of them, an even number, and what each row is multiplied by.
type rounded struct {
	q     []int16
	scale []float32
}

// round rounds x, rows of in activations.
func (r *rounded) round(x []float32, in int) {
	rows := len(x) / in
	r.q, r.scale = grow(r.q, even(rows)*in), grow(r.scale, even(rows))
	for t := range rows {
		r.scale[t] = roundRow(r.q[t*in:][:in], x[t*in:][:in])
	}
	clear(r.q[rows*in:])
}

func even(n int) int { return (n + together - 1) / together * together }

// roundRow sets q to x in whole numbers up to reach, and gives what they are multiplied by.
func roundRow(q []int16, x []float32) float32 {
	top := highest(x)
	if top == 0 {
		clear(q)
		return 0
	}
	by := reach / top
	for i, v := range x {
		v *= by
		q[i] = int16(v + signHalf(v))
	}
	return top / reach
}

// roundBytes is roundRow for signed bytes, step apart in q: the numbers of one row stand together in x, step apart too.
func roundBytes(q []byte, x []float32) float32 {
	top := highest(x)
	if top == 0 {
		clear(q)
		return 0
	}
	by := 127 / top
	for i, v := range x {
		v *= by
		q[i] = byte(int8(v + signHalf(v)))
	}
	return top / 127
}

func highest(x []float32) float32 {
	top := float32(0)
	for _, v := range x {
		if a := abs(v); a > top {
			top = a
		}
	}
	return top
}

// multiply sets y to l*x + bias, rows of l.out.
func (l *linear) multiply(x *rounded, y []float32) {
	rows := len(y) / l.out
	var sums [together * wide]int32
	for o := 0; o < l.out; o += wide {
		cells, scale, bias := l.cells[o*l.in:][:wide*l.in], l.scale[o:][:wide], l.bias[o:][:wide]
		for t := 0; t < rows; t += together {
			dots(sums[:], wide, cells, x.q[t*l.in:][:together*l.in], wide, l.in)
			for k := range min(together, rows-t) {
				row, by := y[(t+k)*l.out+o:][:wide], x.scale[t+k]
				for i, s := range sums[k*wide:][:wide] {
					row[i] = float32(float32(s)*float32(by*scale[i])) + bias[i]
				}
			}
		}
	}
}

// buffers of one run.
type buffers struct {
	rounded                 rounded
	x, y, query, key, value []float32
	high, dense, out        []float32
	keys, values            []byte // of one head: a row of head for each token; a row of tokens for each of head
	keyScale, valueScale    []float32
	queries, shares         []int16   // of two tokens
	meets                   []int32   // of two tokens
	column                  []float32 // one number of all tokens
}

// run gives the logits of tokens, a row of labels for each. There are at most as many ids as positions. The result is valid
// until the next run with the same buffers.
func (n *network) run(ids []int32, b *buffers) []float32 {
	size := len(ids) * width
	for _, s := range []*[]float32{&b.x, &b.y, &b.query, &b.key, &b.value, &b.dense} {
		*s = grow(*s, size)
	}
	b.high, b.out = grow(b.high, len(ids)*n.layers[0].rise.out), grow(b.out, len(ids)*len(n.offset))
	for t, id := range ids {
		scale, to := n.words.scale[id], b.x[t*width:][:width]
		for i, c := range n.words.cells[int(id)*width:][:width] {
			to[i] = float32(float32(int8(c))*scale) + n.positions[t*width+i]
		}
	}
	n.norm.apply(b.x)
	for i := range n.layers {
		l := &n.layers[i]
		b.rounded.round(b.x, width)
		l.query.multiply(&b.rounded, b.query)
		l.key.multiply(&b.rounded, b.key)
		l.value.multiply(&b.rounded, b.value)
		b.attention(&n.shares, len(ids))
		b.apply(&l.attend, b.y)
		l.normAttend.apply(b.x)
		b.rounded.round(b.x, width)
		l.rise.multiply(&b.rounded, b.high)
		for i, v := range b.high {
			b.high[i] = n.gelu.of(v)
		}
		b.apply(&l.fall, b.high)
		l.normFall.apply(b.x)
	}
	for t := range ids {
		x := b.x[t*width:][:width]
		for l, o := range n.offset {
			b.out[t*len(n.offset)+l] = dot(x, n.classify[l*width:][:width]) + o
		}
	}
	return b.out
}

// apply adds l*from to x.
func (b *buffers) apply(l *linear, from []float32) {
	b.rounded.round(from, l.in)
	l.multiply(&b.rounded, b.dense)
	for i, v := range b.dense {
		b.x[i] += v
	}
}

// shareTop is the share of the token that a query meets best, as a whole number: 127 * shareTop * 512 is less than 1<<31.
const shareTop = 16383

// shareTable holds shareTop * e**-x for x in steps of 1/shareSteps, to where it is nothing.
type shareTable [11 * shareSteps]int16

const shareSteps = 256

func (s *shareTable) fill() {
	for i := range s {
		s[i] = int16(math.Round(shareTop * math.Exp(-(float64(i)+0.5)/shareSteps)))
	}
	s[0] = shareTop
}

// of gives the share at so many steps.
func (s *shareTable) of(steps float32) int16 {
	if i := int(steps); i < len(s) {
		return s[i]
	}
	return 0
}

// attention fills y: for every token and head the mean of the values, weighted by how well its query meets their keys
// (Vaswani et al. 2017, 3.2.1). Keys and values are rounded like weights, queries and shares like activations.
func (b *buffers) attention(shared *shareTable, tokens int) {
	rows, cols := (tokens+3)/4*4, (tokens+15)/16*16
	b.keys, b.keyScale = grow(b.keys, rows*head), grow(b.keyScale, rows)
	b.values, b.valueScale = grow(b.values, head*cols), grow(b.valueScale, head)
	b.queries, b.shares = grow(b.queries, together*head), grow(b.shares, together*cols)
	b.meets, b.column = grow(b.meets, together*max(rows, head)), grow(b.column, tokens)
	clear(b.keys[tokens*head:])
	for h := 0; h < width; h += head {
		for u := range tokens {
			b.keyScale[u] = roundBytes(b.keys[u*head:][:head], b.key[u*width+h:][:head]) * float32(1/5.656854249492381)
		}
		for i := range head {
			for u := range b.column {
				b.column[u] = b.value[u*width+h+i]
			}
			row := b.values[i*cols:][:cols]
			b.valueScale[i] = roundBytes(row, b.column)
			clear(row[tokens:])
		}
		for t := 0; t < tokens; t += together {
			b.attend(shared, h, t, tokens, rows, cols)
		}
	}
}

// attend fills one head of y for tokens t and t+1.
func (b *buffers) attend(shared *shareTable, h, t, tokens, rows, cols int) {
	var scale [together]float32
	clear(b.queries)
	clear(b.shares)
	both := min(together, tokens-t)
	for k := range both {
		scale[k] = roundRow(b.queries[k*head:][:head], b.query[(t+k)*width+h:][:head])
	}
	dots(b.meets, rows, b.keys, b.queries, rows, head)
	var by [together]float32
	for k := range both {
		top := float32(math.Inf(-1))
		column, keyScale := b.column[:tokens], b.keyScale[:tokens]
		for u, m := range b.meets[k*rows:][:tokens] {
			v := float32(m) * keyScale[u]
			if column[u] = v; v > top {
				top = v
			}
		}
		sum, steps := int32(0), scale[k]*shareSteps
		shares := b.shares[k*cols:][:tokens]
		for u, v := range column {
			s := shared.of((top - v) * steps)
			shares[u] = s
			sum += int32(s)
		}
		by[k] = 1 / float32(sum)
	}
	dots(b.meets, head, b.values, b.shares, head, cols)
	for k := range both {
		to := b.y[(t+k)*width+h:][:head]
		for i, m := range b.meets[k*head:][:head] {
			to[i] = float32(m) * float32(by[k]*b.valueScale[i])
		}
	}
}

// dot adds up in an order of its own, four sums side by side.
func dot(a, b []float32) float32 {
	var s, t, u, v float32
	for i := 0; i+3 < len(a) && i+3 < len(b); i += 4 {
		s += float32(a[i] * b[i])
		t += float32(a[i+1] * b[i+1])
		u += float32(a[i+2] * b[i+2])
		v += float32(a[i+3] * b[i+3])
	}
	return s + t + u + v
}

// apply gives every row of x mean 0 and variance 1, then the learned gain and bias.
func (n *norms) apply(x []float32) {
	gain, bias := n.gain[:width], n.bias[:width]
	for r := 0; r < len(x); r += width {
		row := x[r:][:width]
		var mean, variance float32
		for _, v := range row {
			mean += v
		}
		mean /= width
		for _, v := range row {
			variance += float32((v - mean) * (v - mean))
		}
		by := float32(1 / math.Sqrt(float64(variance/width)+1e-12))
		for i, v := range row {
			row[i] = float32(float32((v-mean)*by)*gain[i]) + bias[i]
		}
	}
}

// Steps of the table behind the function GELU, up to where the function is a straight line to seven digits.
const (
	geluPerUnit = 256
	geluSteps   = 6 * geluPerUnit
)

type geluTable [geluSteps + 2]float32

func (g *geluTable) fill() {
	for i := range g {
		a := float64(i) / geluPerUnit
		g[i] = float32(a * math.Erfc(a/math.Sqrt2) / 2)
	}
}

// of is x*P(X <= x) for a normal X (Hendrycks, Gimpel 2016): max(x, 0) less what a table holds for |x|, wrong by
// 2e-6 at most.
func (g *geluTable) of(x float32) float32 {
	a := abs(x) * geluPerUnit
	if a >= geluSteps {
		return max(x, 0)
	}
	i := int(a)
	low, high := g[i], g[i+1]
	return max(x, 0) - low - float32((high-low)*(a-float32(i)))
}

// exp is e**x for x <= 0, to six digits: 2**whole by the exponent's bits, 2**rest by its series.
func exp(x float32) float32 {
	x *= math.Log2E
	if x < -126 {
		return 0
	}
	whole := int32(x - 0.5)
	f := (x - float32(whole)) * math.Ln2 // -0.35 .. 0.35
	series := 1 + float32(f*(1+float32(f*(1./2+float32(f*(1./6+float32(f*(1./24+float32(f*(1./120+float32(f*(1./720))))))))))))
	return series * math.Float32frombits(uint32(whole+127)<<23)
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
