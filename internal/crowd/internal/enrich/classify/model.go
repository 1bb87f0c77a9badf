// Package classify sorts short texts into labels: hashed words, word pairs and character runs under a softmax,
// trained from examples and stored in one byte a weight.
//
// Zone: AMBER, and blind to it: the package sees strings and labels. It has no clock, no network and no state
// but the model. It reads any label set; the taxonomy of contact reasons is its caller's.
//
// What it does not protect against: examples that are personal. A model remembers its training texts in its
// weights, so it is trained from texts of our own or from anonymised ones only.
package classify

import (
	"encoding/binary"
	"errors"
	"math"
	"sync"
)

// Model is a trained classifier. It is safe for use by several goroutines.
type Model struct {
	labels  []string
	bits    uint
	rarity  []float32 // by bucket
	weights []int8    // by bucket, then label
	scale   float32   // of a weight
	scratch sync.Pool
}

// Labels gives the labels, sorted. The caller must not modify them.
func (m *Model) Labels() []string { return m.labels }

// Predict puts the probability of each label into p, which has one place a label. A text without words is
// told by nothing: all labels are equally likely.
func (m *Model) Predict(text string, p []float32) {
	x, _ := m.scratch.Get().(*extractor)
	if x == nil {
		x = &extractor{bits: m.bits, rarity: m.rarity}
	}
	defer m.scratch.Put(x)
	k := len(m.labels)
	p = p[:k]
	clear(p)
	for _, f := range x.of(text) {
		for j, w := range m.weights[int(f.Bucket)*k:][:k] {
			p[j] += float32(w) * f.Value
		}
	}
	for j := range p {
		p[j] *= m.scale
	}
	softmax(p)
}

// Best gives the likeliest label and its probability.
func (m *Model) Best(text string) (label string, probability float32) {
	p := make([]float32, len(m.labels))
	m.Predict(text, p)
	best := 0
	for j := range p {
		if p[j] > p[best] {
			best = j
		}
	}
	return m.labels[best], p[best]
}

func softmax(p []float32) {
	top := p[0]
	for _, v := range p {
		top = max(top, v)
	}
	var sum float32
	for j, v := range p {
		p[j] = float32(math.Exp(float64(v - top)))
		sum += p[j]
	}
	for j := range p {
		p[j] /= sum
	}
}

// rarityStep is the number of stored steps a unit of rarity.
const rarityStep = 16

func raritySteps(rarity float64) uint8 {
	return uint8(min(math.Round(rarity*rarityStep), math.MaxUint8))
}

// quantise stores weights in a byte each; the largest is 127 steps.
func (m *Model) quantise(weights, rarity []float32) {
	var largest float32
	for _, w := range weights {
		largest = max(largest, w, -w)
	}
	m.scale = max(largest/math.MaxInt8, 1e-9)
	m.rarity = rarity
	m.weights = make([]int8, len(weights))
	for i, w := range weights {
		m.weights[i] = int8(math.Round(float64(w / m.scale)))
	}
}

// The stored form, version 1, little endian: "mcl1", bits (1 byte), labels (2), each label's length (1) and
// bytes, scale (float32), rarity in steps (one byte a bucket), weights (one a bucket and label).
const magic = "mcl1"

// ErrFormat is returned for bytes that are not a model.
var ErrFormat = errors.New("classify: not a model of version 1")

const (
	maxBits   = 20
	maxLabels = 1000
)

// AppendBinary appends the stored form to b. It never fails.
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, magic...)
	b = append(b, byte(m.bits))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(m.labels)))
	for _, l := range m.labels {
		b = append(append(b, byte(len(l))), l...)
	}
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(m.scale))
	for _, r := range m.rarity {
		b = append(b, byte(r*rarityStep))
	}
	for _, w := range m.weights {
		b = append(b, byte(w))
	}
	return b, nil
}

// Read takes a stored model back.
func Read(b []byte) (*Model, error) {
	if len(b) < len(magic)+3 || string(b[:len(magic)]) != magic {
		return nil, ErrFormat
	}
	b = b[len(magic):]
	m := &Model{bits: uint(b[0])}
	k := int(binary.LittleEndian.Uint16(b[1:]))
	if b = b[3:]; m.bits == 0 || m.bits > maxBits || k < 2 || k > maxLabels {
		return nil, ErrFormat
	}
	for range k {
		if len(b) < 1 || len(b) < 1+int(b[0]) {
			return nil, ErrFormat
		}
		m.labels = append(m.labels, string(b[1:1+b[0]]))
		b = b[1+b[0]:]
	}
	buckets := 1 << m.bits
	if len(b) != 4+buckets*(k+1) {
		return nil, ErrFormat
	}
	m.scale = math.Float32frombits(binary.LittleEndian.Uint32(b))
	if !(m.scale > 0 && m.scale < math.MaxFloat32) {
		return nil, ErrFormat
	}
	b = b[4:]
	m.rarity = make([]float32, buckets)
	for i := range m.rarity {
		m.rarity[i] = float32(b[i]) / rarityStep
	}
	m.weights = make([]int8, buckets*k)
	for i, w := range b[buckets:] {
		m.weights[i] = int8(w)
	}
	return m, nil
}
