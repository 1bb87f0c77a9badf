package tag

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Header says what a model was built from. It stands at the head of the model's file.
type Header struct {
	Format int     `json:"format"`
	Seed   uint64  `json:"seed"`
	Epochs int     `json:"epochs"`
	Tokens int     `json:"tokens"` // read in one epoch, copies included
	Inputs []Input `json:"inputs"`
	// Dials holds the bias of the dials balanced, strict and paranoid.
	Dials [3]Bias `json:"dials"`
}

// Input is one collection of texts that a model learned from.
type Input struct {
	Name      string `json:"name"`
	SHA256    string `json:"sha256"` // of the file, or of the documents if they are generated
	Licence   string `json:"licence"`
	Documents int    `json:"documents"`
}

// Model is a trained tagger. It is safe for concurrent use.
type Model struct {
	Header Header
	moves  moves
	spread int32 // of moves
	rows   []row
}

// Weights is what a trainer hands over: for every row and label a weight in -127..127, and the moves.
type Weights struct {
	Rows  [][lanes]int8 // Rows rows
	Moves [labels + 1][labels]int32
}

// Rows is the number of rows of a model.
const Rows = 1 << rowBits

const (
	format = 1
	magic  = "murmur tagger 1\n"
	// maxHeader bounds the header of a file, bytes.
	maxHeader = 1 << 20
)

// ErrModel says that a file is no model of this version, or was cut or altered.
var ErrModel = errors.New("tag: not a model file")

//go:embed model.bin
var embedded []byte

// Embedded is the model that ships: some milliseconds on first use, 16 MB beside the file's 13.6. Its checksum is checked
// by a test, not at every start.
var Embedded = sync.OnceValues(func() (*Model, error) {
	body, _, err := split(embedded)
	if err != nil {
		return nil, err
	}
	return parse(body)
})

// Assemble makes a model of trained weights.
func Assemble(h Header, w *Weights) *Model {
	h.Format = format
	m := &Model{Header: h, moves: w.Moves, rows: make([]row, Rows)}
	m.spread = m.moves.spread()
	for r := range m.rows {
		m.rows[r] = pack(&w.Rows[r])
	}
	return m
}

func pack(w *[lanes]int8) (r row) {
	for l, v := range w {
		r[l/8] |= uint64(int(v)+zero) << (8 * (l % 8))
	}
	return r
}

// weight gives the weight of label l in r.
func (r *row) weight(l Label) int8 { return int8(int(r[l/8]>>(8*(l%8))&0xff) - zero) }

// Write writes the model: the magic line, the header's length (4 bytes, little-endian) and JSON,
// the moves (4 bytes each), the rows label by label (a byte each), the SHA-256 of all that.
func (m *Model) Write(w io.Writer) error {
	header, err := json.Marshal(m.Header)
	if err != nil {
		return fmt.Errorf("tag: header: %w", err)
	}
	body := binary.LittleEndian.AppendUint32(nil, uint32(len(header)))
	body = append(body, header...)
	for _, from := range m.moves {
		for _, v := range from {
			body = binary.LittleEndian.AppendUint32(body, uint32(v))
		}
	}
	for l := range labels {
		for r := range m.rows {
			body = append(body, byte(m.rows[r].weight(l)))
		}
	}
	sum := sha256.Sum256(body)
	for _, part := range [][]byte{[]byte(magic), body, sum[:]} {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("tag: write: %w", err)
		}
	}
	return nil
}

// Read reads a model. The error is ErrModel, or the reader's.
func Read(r io.Reader) (*Model, error) {
	file, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("tag: read: %w", err)
	}
	body, sum, err := split(file)
	if err != nil {
		return nil, err
	}
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return nil, ErrModel
	}
	return parse(body)
}

const (
	size  = 4*int(labels+1)*int(labels) + Rows*int(labels) // of moves and rows
	limit = len(magic) + 4 + maxHeader + size + sha256.Size
)

// split gives what stands between the magic line and the checksum of a file, and the checksum. ErrModel.
func split(file []byte) (body, sum []byte, err error) {
	body, ok := bytes.CutPrefix(file, []byte(magic))
	if !ok || len(body) < 4+sha256.Size || len(file) > limit {
		return nil, nil, ErrModel
	}
	cut := len(body) - sha256.Size
	return body[:cut], body[cut:], nil
}

// parse makes a model of the body of a file. ErrModel.
func parse(body []byte) (*Model, error) {
	n := int(binary.LittleEndian.Uint32(body))
	body = body[4:]
	if n > len(body) || len(body)-n != size {
		return nil, ErrModel
	}
	m := &Model{rows: make([]row, Rows)}
	if json.Unmarshal(body[:n], &m.Header) != nil || m.Header.Format != format {
		return nil, ErrModel
	}
	m.unpack(body[n:])
	return m, nil
}

// unpack reads moves and rows of the right length.
func (m *Model) unpack(body []byte) {
	for p := range m.moves {
		for l := range m.moves[p] {
			m.moves[p][l] = int32(binary.LittleEndian.Uint32(body))
			body = body[4:]
		}
	}
	m.spread = m.moves.spread()
	var column [lanes][]byte // by label; those that only fill up are zero
	none := make([]byte, Rows)
	for l := range column {
		column[l] = none
		if l < int(labels) {
			column[l] = body[l*Rows:][:Rows]
		}
	}
	for k := range lanes / 8 {
		c := column[8*k:]
		for r := range m.rows {
			var w uint64
			for l := range 8 {
				w |= uint64(c[l][r]^zero) << (8 * l) // v^zero is v, a signed byte, plus zero
			}
			m.rows[r][k] = w
		}
	}
}
