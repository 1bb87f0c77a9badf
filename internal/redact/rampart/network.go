package rampart

import (
	"fmt"
	"math"
	"strings"
)

// Sizes of the network: MiniLM-L6 (Wang et al. 2020) with a label for every token.
const (
	width  = 384  // of a token's vector
	inner  = 1536 // of the feed-forward part
	depth  = 6    // layers
	head   = 32   // width of one of the twelve attention heads
	labels = 35
	window = 512 // tokens at a time, [CLS] and [SEP] included
)

// network is a BERT encoder (Devlin et al. 2018) with a classifier of tokens. It is read only once made.
type network struct {
	words     table
	positions []float32 // window*width, the vector of the first segment added
	norm      norms
	layers    [depth]layer
	classify  linear
	gelu      [geluSteps + 2]float32
}

type layer struct {
	query, key, value, attend, rise, fall linear
	normAttend, normFall                  norms
}

// table is an embedding of whole numbers: (cell - zero) * scale.
type table struct {
	cells []byte
	zero  float32
	scale float32
}

// norms are the weights of a layer normalisation.
type norms struct{ gain, bias []float32 }

// readNetwork makes the network from the file of the model, which it keeps.
func readNetwork(file []byte, words int) (*network, error) {
	g, err := readONNX(file)
	if err != nil {
		return nil, err
	}
	r := reader{g: g}
	n := &network{words: r.table("word_embeddings", words)}
	position, segment := r.table("position_embeddings", window), r.table("token_type_embeddings", 2)
	n.norm = r.norms("bert.embeddings.LayerNorm")
	for l := range n.layers {
		n.layers[l] = r.layer(l)
	}
	n.classify = r.linear("/classifier/MatMul_Q4", "classifier.bias", width, labels)
	if r.err != nil {
		return nil, r.err
	}
	n.positions = make([]float32, window*width)
	for i := range n.positions {
		n.positions[i] = position.at(i) + segment.at(i%width)
	}
	for i := range n.gelu {
		a := float64(i) / geluPerUnit
		n.gelu[i] = float32(a * math.Erfc(a/math.Sqrt2) / 2)
	}
	return n, nil
}

// reader takes tensors out of a graph; the first that is not what it must be is kept as its error.
type reader struct {
	g   *onnx
	err error
}

func (r *reader) layer(l int) layer {
	base := fmt.Sprintf("bert/encoder/layer.%d/", l)
	linear := func(part string, in, out int) linear {
		return r.linear("/"+base+part+"/MatMul_Q4", strings.ReplaceAll(base+part, "/", ".")+".bias", in, out)
	}
	norm := func(part string) norms { return r.norms(strings.ReplaceAll(base+part, "/", ".") + ".LayerNorm") }
	return layer{
		query:      linear("attention/self/query", width, width),
		key:        linear("attention/self/key", width, width),
		value:      linear("attention/self/value", width, width),
		attend:     linear("attention/output/dense", width, width),
		rise:       linear("intermediate/dense", width, inner),
		fall:       linear("output/dense", inner, width),
		normAttend: norm("attention/output"),
		normFall:   norm("output"),
	}
}

// linear reads a MatMulNBits node: inputs are the activations, the weights, four bits each with 8 for zero, the
// even one in the low half of a byte, and their scales, row by row.
func (r *reader) linear(node, bias string, in, out int) linear {
	inputs := r.g.inputs[node]
	if len(inputs) != 3 {
		r.err = errONNX
		return linear{}
	}
	cells, scales, offset := r.bytes(inputs[1], in*out/2), r.floats(inputs[2], in/block*out), r.floats(bias, out)
	if r.err != nil {
		return linear{}
	}
	l := linear{in: in, out: out, bias: offset, w: make([][2]int8, (out+1)/2*in), scale: make([][2]float32, (out+1)/2*in/block)}
	for o := range out {
		for k := range in {
			c := cells[(o*in+k)/2] >> (k % 2 * 4) & 15
			l.w[o/2*in+k][o%2] = int8(c) - 8
		}
		for b := range in / block {
			l.scale[o/2*in/block+b][o%2] = scales[o*in/block+b]
		}
	}
	return l
}

func (r *reader) table(name string, rows int) table {
	name = "bert.embeddings." + name + ".weight_"
	zero, scale := r.bytes(name+"zero_point", 1), r.floats(name+"scale", 1)
	cells := r.bytes(name+"quantized", rows*width)
	if r.err != nil {
		return table{}
	}
	return table{cells, float32(zero[0]), scale[0]}
}

func (r *reader) norms(name string) norms {
	return norms{r.floats(name+".weight", width), r.floats(name+".bias", width)}
}

func (r *reader) bytes(name string, n int) []byte {
	b, err := r.g.bytes(name, n)
	if err != nil && r.err == nil {
		r.err = err
	}
	return b
}

func (r *reader) floats(name string, n int) []float32 {
	f, err := r.g.floats(name, n)
	if err != nil && r.err == nil {
		r.err = err
	}
	return f
}

func (t *table) at(i int) float32 { return (float32(t.cells[i]) - t.zero) * t.scale }

// buffers of one run.
type buffers struct {
	packed                    packed
	x, y, query, key, value   []float32
	high, weights, out, dense []float32
}

// run gives the logits of tokens, labels for each. len(ids) is at most window. The result is valid until the next
// run with the same buffers.
func (n *network) run(ids []int32, b *buffers) []float32 {
	size := len(ids) * width
	for _, s := range []*[]float32{&b.x, &b.y, &b.query, &b.key, &b.value, &b.dense} {
		*s = grow(*s, size)
	}
	b.high, b.weights, b.out = grow(b.high, len(ids)*inner), grow(b.weights, len(ids)), grow(b.out, len(ids)*labels)
	for t, id := range ids {
		for i := range width {
			b.x[t*width+i] = n.words.at(int(id)*width+i) + n.positions[t*width+i]
		}
	}
	n.norm.apply(b.x)
	for i := range n.layers {
		l := &n.layers[i]
		b.packed.pack(b.x, width)
		l.query.multiply(&b.packed, b.query)
		l.key.multiply(&b.packed, b.key)
		l.value.multiply(&b.packed, b.value)
		b.attention(len(ids))
		b.apply(&l.attend, b.y)
		l.normAttend.apply(b.x)
		b.packed.pack(b.x, width)
		l.rise.multiply(&b.packed, b.high)
		for i, v := range b.high {
			b.high[i] = n.geluOf(v)
		}
		b.apply(&l.fall, b.high)
		l.normFall.apply(b.x)
	}
	b.packed.pack(b.x, width)
	n.classify.multiply(&b.packed, b.out)
	return b.out
}

// apply adds l*from to x.
func (b *buffers) apply(l *linear, from []float32) {
	b.packed.pack(from, l.in)
	l.multiply(&b.packed, b.dense)
	for i, v := range b.dense {
		b.x[i] += v
	}
}

// attention fills y: for every token and head the mean of the values, weighted by how well its query meets their
// keys (Vaswani et al. 2017, 3.2.1).
func (b *buffers) attention(tokens int) {
	clear(b.y)
	scale := float32(1 / math.Sqrt(head))
	for h := 0; h < width; h += head {
		for t := range tokens {
			query := (*[head]float32)(b.query[t*width+h:])
			top := float32(math.Inf(-1))
			for u := range b.weights {
				w := dot(query, (*[head]float32)(b.key[u*width+h:])) * scale
				b.weights[u] = w
				top = max(top, w)
			}
			sum := float32(0)
			for u, w := range b.weights {
				w = exp(w - top)
				b.weights[u] = w
				sum += w
			}
			to := (*[head]float32)(b.y[t*width+h:])
			for u, w := range b.weights {
				add(to, w/sum, (*[head]float32)(b.value[u*width+h:]))
			}
		}
	}
}

func dot(a, b *[head]float32) float32 {
	var s, t, u, v float32
	for i := 0; i < head; i += 4 {
		s += a[i] * b[i]
		t += a[i+1] * b[i+1]
		u += a[i+2] * b[i+2]
		v += a[i+3] * b[i+3]
	}
	return s + t + u + v
}

func add(to *[head]float32, w float32, from *[head]float32) {
	for i := range to {
		to[i] += w * from[i]
	}
}

// apply gives every row of x mean 0 and variance 1, then the learned gain and bias.
func (n *norms) apply(x []float32) {
	for r := 0; r < len(x); r += width {
		row := (*[width]float32)(x[r:])
		var mean, variance float32
		for _, v := range row {
			mean += v
		}
		mean /= width
		for _, v := range row {
			variance += (v - mean) * (v - mean)
		}
		by := float32(1 / math.Sqrt(float64(variance/width)+1e-12))
		for i, v := range row {
			row[i] = (v-mean)*by*n.gain[i] + n.bias[i]
		}
	}
}

// Steps of the table behind geluOf, up to where the function is a straight line to seven digits.
const (
	geluPerUnit = 256
	geluSteps   = 6 * geluPerUnit
)

// geluOf is x*P(X <= x) for a normal X (Hendrycks, Gimpel 2016): max(x, 0) less what a table holds for |x|, wrong by
// 2e-6 at most.
func (n *network) geluOf(x float32) float32 {
	a := abs(x) * geluPerUnit
	if a >= geluSteps {
		return max(x, 0)
	}
	i := int(a)
	low, high := n.gelu[i], n.gelu[i+1]
	return max(x, 0) - low - (high-low)*(a-float32(i))
}

// exp is e**x for x <= 0, to six digits: 2**whole by the exponent's bits, 2**rest by its series.
func exp(x float32) float32 {
	x *= math.Log2E
	if x < -126 {
		return 0
	}
	whole := int32(x - 0.5)
	f := (x - float32(whole)) * math.Ln2 // -0.35 .. 0.35
	series := 1 + f*(1+f*(1./2+f*(1./6+f*(1./24+f*(1./120+f*(1./720))))))
	return series * math.Float32frombits(uint32(whole+127)<<23)
}
