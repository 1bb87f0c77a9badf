package act

import (
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

//go:embed model.bin
var embedded []byte

// Header says what a model was learned from.
type Header struct {
	Hands    []string `json:"hands"`
	SHA256   string   `json:"sha256"` // of the phrasings, in order
	Phrases  int      `json:"phrases"`
	Epochs   int      `json:"epochs"`
	Seed     uint64   `json:"seed"`
	Licences string   `json:"licence"`
}

// Model scores acts. It is safe for concurrent use.
type Model struct {
	Header Header
	rows   [][Acts]int8
}

// ErrModel says that a model file was cut or altered.
var ErrModel = errors.New("act: the model file is damaged")

// magic begins a model file; the number is the version of features and acts.
const magic = "murmur-acts-1\n"

// Embedded is the model that ships. ErrModel from a damaged binary.
var Embedded = sync.OnceValues(func() (*Model, error) { return Parse(embedded) })

// Assemble makes a model of weights.
func Assemble(h Header, rows [][Acts]int8) *Model { return &Model{h, rows} }

// Write writes the model: magic, length of the header, header as JSON, rows, CRC-32 of all before it.
func (m *Model) Write(w io.Writer) error {
	h, err := json.Marshal(m.Header)
	if err != nil {
		return fmt.Errorf("act: write: %w", err)
	}
	b := append([]byte(magic), binary.LittleEndian.AppendUint32(nil, uint32(len(h)))...)
	b = append(b, h...)
	for _, r := range m.rows {
		for _, v := range r {
			b = append(b, byte(v))
		}
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	if _, err = w.Write(b); err != nil {
		return fmt.Errorf("act: write: %w", err)
	}
	return nil
}

// Parse reads a model file. ErrModel.
func Parse(b []byte) (*Model, error) {
	if len(b) < len(magic)+8 || string(b[:len(magic)]) != magic || crc32.ChecksumIEEE(b[:len(b)-4]) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, ErrModel
	}
	b = b[len(magic) : len(b)-4]
	n := int(binary.LittleEndian.Uint32(b))
	if b = b[4:]; n > len(b) || len(b)-n != Rows*int(Acts) {
		return nil, ErrModel
	}
	m := &Model{rows: make([][Acts]int8, Rows)}
	if json.Unmarshal(b[:n], &m.Header) != nil {
		return nil, ErrModel
	}
	for i, v := range b[n:] {
		m.rows[i/int(Acts)][i%int(Acts)] = int8(v)
	}
	return m, nil
}

// Read scores a turn. The words are as for features: lower case, "0" a number, "[]" a mask, "?" a question mark.
func (m *Model) Read(words []string, s *Scratch) (out Scores) {
	for _, r := range s.features(words) {
		w := &m.rows[r]
		for a := range out {
			out[a] += int32(w[a])
		}
	}
	return out
}
