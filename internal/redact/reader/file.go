package reader

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
)

// Header says what a model was built from and how it is read. It stands at the head of the model's file, a line of JSON.
type Header struct {
	Version    int              `json:"version"`
	Layers     int              `json:"layers"`
	Inner      int              `json:"inner"`
	Words      int              `json:"words"` // rows of the embedding
	Positions  int              `json:"positions"`
	Window     int              `json:"window"`           // pieces that it was taught to read at once
	Labels     []string         `json:"labels"`           // "O", then names of masks
	Marks      map[string]int32 `json:"marks"`            // pieces that say who speaks
	Masks      map[string]int32 `json:"masks"`            // pieces that stand for a value that is masked
	Vocabulary int              `json:"vocabulary_bytes"` // behind the header: a piece a line, filled up with line ends
	Inputs     []Input          `json:"inputs"`
}

// Input is one collection of texts, or one set of weights, that a model learned from.
type Input struct {
	Name      string `json:"name"`
	SHA256    string `json:"sha256"`
	Licence   string `json:"licence"`
	Documents int    `json:"documents"`
}

// ErrModel says that a file is no model of this version, or was cut or altered.
var ErrModel = errors.New("reader: not a model file")

const version = 1

// Bounds of a file.
const (
	maxHeader    = 1 << 20
	maxLayers    = 12
	maxPositions = 512
	maxPieces    = 1 << 17
	maxLabels    = 64
	minWindow    = 2 + contextPieces + 1 + wordMax
)

// Parse makes a model of a file, whose whole numbers stay where they are. ErrModel.
func Parse(file []byte) (*Model, error) {
	end := bytes.IndexByte(file[:min(len(file), maxHeader)], '\n') + 1
	m := new(Model)
	h := &m.Header
	if end == 0 || json.Unmarshal(file[:end], h) != nil || !h.valid() || h.Vocabulary > len(file)-end {
		return nil, ErrModel
	}
	vocabulary := file[end : end+h.Vocabulary]
	f := &tensors{rest: file[end+h.Vocabulary:]}
	m.net = f.network(h)
	if f.short || len(f.rest) > 0 {
		return nil, ErrModel
	}
	var err error
	if m.words, err = readVocabulary(bytes.TrimRight(vocabulary, "\n")); err != nil || m.words.size != h.Words {
		return nil, ErrModel
	}
	return m, m.resolve()
}

func (h *Header) valid() bool {
	for _, ids := range []map[string]int32{h.Marks, h.Masks} {
		for _, id := range ids {
			if id < 0 || int(id) >= h.Words {
				return false
			}
		}
	}
	return h.Version == version && h.Layers > 0 && h.Layers <= maxLayers && h.Inner > 0 && h.Inner <= inner && h.Inner%wide == 0 &&
		h.Window >= minWindow && h.Window <= h.Positions && h.Positions <= maxPositions && h.Words > 0 && h.Words <= maxPieces &&
		len(h.Labels) > 1 && len(h.Labels) <= maxLabels && h.Vocabulary >= 0
}

// tensors takes numbers off the head of a file.
type tensors struct {
	rest  []byte
	short bool // the file ended before
}

func (f *tensors) network(h *Header) *network {
	n := &network{words: table{scale: f.floats(h.Words), cells: f.bytes(h.Words * width)}}
	n.positions = f.floats(h.Positions * width)
	n.norm = f.norms()
	n.layers = make([]layer, h.Layers)
	for i := range n.layers {
		l := &n.layers[i]
		for _, m := range []*linear{&l.query, &l.key, &l.value, &l.attend} {
			*m = f.linear(width, width)
		}
		l.normAttend = f.norms()
		l.rise, l.fall = f.linear(width, h.Inner), f.linear(h.Inner, width)
		l.normFall = f.norms()
	}
	n.classify, n.offset = f.floats(len(h.Labels)*width), f.floats(len(h.Labels))
	n.gelu.fill()
	n.shares.fill()
	return n
}

func (f *tensors) linear(in, out int) linear {
	return linear{in: in, out: out, scale: f.floats(out), cells: f.bytes(in * out), bias: f.floats(out)}
}

func (f *tensors) norms() norms { return norms{f.floats(width), f.floats(width)} }

func (f *tensors) bytes(n int) []byte {
	if f.short || n > len(f.rest) {
		f.short = true
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

// floats reads numbers of four bytes; one that is none makes the file short.
func (f *tensors) floats(n int) []float32 {
	b := f.bytes(4 * n)
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		f.short = f.short || !(abs(out[i]) < 1<<20)
	}
	return out
}
