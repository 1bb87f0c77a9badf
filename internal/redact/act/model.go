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
	rows   []row
}

// row holds a feature's weights, a byte each with zero added, act a in byte a. They are summed in lanes of 16 bits.
type row [Acts / 8]uint64

const (
	zero  = 128
	even  = 0x00ff00ff00ff00ff // the even bytes of a word, as lanes
	lanes = 256                // as many rows a lane holds
)

func pack(w *[Acts]int8) (r row) {
	for a, v := range w {
		r[a/8] |= uint64(int(v)+zero) << (8 * (a % 8))
	}
	return r
}

// weight gives the weight of act a in r.
func (r *row) weight(a int) int { return int(r[a/8]>>(8*(a%8))&0xff) - zero }

// ErrModel says that a model file was cut or altered.
var ErrModel = errors.New("act: the model file is damaged")

// magic begins a model file; the number is the version of features and acts.
const magic = "murmur-acts-2\n"

// Embedded is the model that ships. ErrModel from a damaged binary.
var Embedded = sync.OnceValues(func() (*Model, error) { return Parse(embedded) })

// Assemble makes a model of weights.
func Assemble(h Header, rows [][Acts]int8) *Model {
	m := &Model{h, make([]row, len(rows))}
	for i := range rows {
		m.rows[i] = pack(&rows[i])
	}
	return m
}

// Write writes the model: magic, length of the header, header as JSON, rows, CRC-32 of all before it.
func (m *Model) Write(w io.Writer) error {
	h, err := json.Marshal(m.Header)
	if err != nil {
		return fmt.Errorf("act: write: %w", err)
	}
	b := append([]byte(magic), binary.LittleEndian.AppendUint32(nil, uint32(len(h)))...)
	b = append(b, h...)
	for i := range m.rows {
		for a := range int(Acts) {
			b = append(b, byte(m.rows[i].weight(a)))
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
	m := &Model{rows: make([]row, Rows)}
	if json.Unmarshal(b[:n], &m.Header) != nil {
		return nil, ErrModel
	}
	for b, i := b[n:], 0; i < Rows; i++ {
		var w [Acts]int8
		for a := range w {
			w[a] = int8(b[i*int(Acts)+a])
		}
		m.rows[i] = pack(&w)
	}
	return m, nil
}

// Read scores a turn. The words are as for features: lower case, "0" a number, "[]" a mask, "?" a question mark.
func (m *Model) Read(words []string, s *Scratch) (out Scores) {
	for rows := s.features(words); len(rows) > 0; {
		some := rows[:min(len(rows), lanes)]
		rows = rows[len(some):]
		var sum [len(row{})][2]uint64 // even and odd acts
		for _, r := range some {
			for k, w := range m.rows[r] {
				sum[k][0] += w & even
				sum[k][1] += w >> 8 & even
			}
		}
		for a := range out {
			out[a] += int32(sum[a/8][a%2]>>(16*(a%8/2))&0xffff) - int32(zero*len(some))
		}
	}
	return out
}
