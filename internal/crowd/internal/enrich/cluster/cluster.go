// Package cluster finds what many short texts are about without being told: texts that share words come together.
//
// It is latent semantic analysis (Deerwester 1990) and spherical k-means (Dhillon and Modha 2001): texts become vectors of weighed
// words and runs of characters, those are turned into the few directions in which texts differ most, and there each text
// goes to the nearest of k centres by angle.
//
// Zone: AMBER, and blind to it: it sees strings. The same texts in the same order give the same groups.
//
// What it does not protect against: a group can be one person's texts, and one text more can move all groups. Whoever shows
// groups counts the people behind each and behind each word, and shows them of texts that do not change any more.
package cluster

import (
	"math"
	"math/rand/v2"

	"murmur/internal/crowd/internal/enrich/classify"
)

const (
	bits   = 15 // log2 of the buckets of words and runs
	rank   = 80 // directions
	powers = 3  // times that the directions are sharpened
	starts = 4  // tries of k-means, of which the tightest is taken
	rounds = 30 // of one try, at most
)

// Groups gives for each text one of k groups, 0 to k-1; some may stay empty.
func Groups(texts []string, k int) []int {
	k = min(k, len(texts))
	if k < 2 {
		return make([]int, len(texts))
	}
	return spherical(embed(classify.Features(texts, bits)), k)
}

// matrix is rows of equal length.
type matrix struct {
	columns int
	cells   []float32
}

func newMatrix(rows, columns int) matrix { return matrix{columns, make([]float32, rows*columns)} }

func (m matrix) rows() int           { return len(m.cells) / m.columns }
func (m matrix) row(i int) []float32 { return m.cells[i*m.columns:][:m.columns] }

// embed turns texts into the directions in which they differ most, each of unit length: subspace iteration finds an orthonormal
// basis of the first right singular vectors (Halko, Martinsson and Tropp 2011, alg. 4.4). Which basis does not matter to
// angles.
func embed(texts [][]classify.Feature) matrix {
	texts, buckets := compact(texts)
	n := min(rank, len(texts), buckets)
	random := rand.New(rand.NewPCG(1, 1))
	basis := newMatrix(n, buckets) // a direction a row
	for i := range basis.cells {
		basis.cells[i] = float32(random.NormFloat64())
	}
	for range powers {
		orthonormal(basis)
		basis = backward(texts, forward(texts, basis), buckets)
	}
	orthonormal(basis)
	out := forward(texts, basis)
	for i := range out.rows() {
		unit(out.row(i))
	}
	return out
}

// compact numbers the buckets that two texts have.
func compact(texts [][]classify.Feature) (out [][]classify.Feature, buckets int) {
	in := map[uint32]int{}
	for _, t := range texts {
		for _, f := range t {
			in[f.Bucket]++
		}
	}
	number := map[uint32]uint32{}
	for _, t := range texts {
		var kept []classify.Feature
		for _, f := range t {
			if in[f.Bucket] < 2 {
				continue
			}
			n, ok := number[f.Bucket]
			if !ok {
				n = uint32(len(number))
				number[f.Bucket] = n
			}
			kept = append(kept, classify.Feature{Bucket: n, Value: f.Value})
		}
		out = append(out, kept)
	}
	return out, max(len(number), 1)
}

// forward gives each text's coordinates in the directions.
func forward(texts [][]classify.Feature, basis matrix) matrix {
	out := newMatrix(len(texts), basis.rows())
	for d := range basis.rows() {
		direction := basis.row(d)
		for i, t := range texts {
			var sum float32
			for _, f := range t {
				sum += f.Value * direction[f.Bucket]
			}
			out.row(i)[d] = sum
		}
	}
	return out
}

// backward gives for each direction the sum of the texts, weighed by their coordinates.
func backward(texts [][]classify.Feature, coordinates matrix, buckets int) matrix {
	out := newMatrix(coordinates.columns, buckets)
	for d := range out.rows() {
		direction := out.row(d)
		for i, t := range texts {
			c := coordinates.row(i)[d]
			for _, f := range t {
				direction[f.Bucket] += c * f.Value
			}
		}
	}
	return out
}

// orthonormal makes rows orthogonal, each of unit length (Gram and Schmidt, in the order that stays exact).
func orthonormal(m matrix) {
	for i := range m.rows() {
		unit(m.row(i))
		for j := i + 1; j < m.rows(); j++ {
			a, b := m.row(i), m.row(j)
			c := dot(a, b)
			for x := range b {
				b[x] -= c * a[x]
			}
		}
	}
}

func dot(a, b []float32) (sum float32) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

func unit(v []float32) {
	if n := math.Sqrt(float64(dot(v, v))); n > 1e-12 {
		for i := range v {
			v[i] = float32(float64(v[i]) / n)
		}
	}
}

// spherical gives each row one of k centres by angle.
func spherical(points matrix, k int) (best []int) {
	tightest := math.Inf(-1)
	for start := range starts {
		group, tight := once(points, k, rand.New(rand.NewPCG(uint64(start), 2)))
		if tight > tightest {
			best, tightest = group, tight
		}
	}
	return best
}

// once is one try: centres are spread at first (k-means++, Arthur and Vassilvitskii 2007), then moved until no text changes.
func once(points matrix, k int, random *rand.Rand) (group []int, tight float64) {
	centres := spread(points, k, random)
	group = make([]int, points.rows())
	for range rounds {
		moved := false
		tight = 0
		for i := range group {
			at, near := nearest(centres, points.row(i))
			moved = moved || at != group[i]
			group[i], tight = at, tight+float64(near)
		}
		if !moved {
			break
		}
		clear(centres.cells)
		for i, g := range group {
			for x, v := range points.row(i) {
				centres.row(g)[x] += v
			}
		}
		for c := range k {
			unit(centres.row(c))
		}
	}
	return group, tight
}

func spread(points matrix, k int, random *rand.Rand) matrix {
	centres := matrix{points.columns, nil}
	far := make([]float64, points.rows()) // 1 - cosine of the nearest centre
	for i := range far {
		far[i] = 1
	}
	for range k {
		next := pick(far, random)
		centres.cells = append(centres.cells, points.row(next)...)
		for i := range far {
			far[i] = max(0, min(far[i], 1-float64(dot(points.row(next), points.row(i)))))
		}
	}
	return centres
}

// pick draws a place by its weight.
func pick(weights []float64, random *rand.Rand) int {
	var all float64
	for _, w := range weights {
		all += w
	}
	at := random.Float64() * all
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return random.IntN(len(weights))
}

func nearest(centres matrix, point []float32) (best int, cosine float32) {
	cosine = -2
	for c := range centres.rows() {
		if d := dot(centres.row(c), point); d > cosine {
			best, cosine = c, d
		}
	}
	return best, cosine
}
