package vcon

import (
	"encoding/json"
	"errors"
	"io"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
)

const (
	// MaxFile is how many bytes one vCon of a file may have, with its recordings.
	MaxFile = 64 << 20
	// MaxLean is how many it may have without what Lean leaves out.
	MaxLean = 1 << 20
)

var (
	// ErrNotJSON is returned for a file that is not JSON up to where it was read.
	ErrNotJSON = errors.New("vcon: the file is not JSON")
	// ErrWrongKey is returned when the given key does not open an encrypted vCon.
	ErrWrongKey = errors.New("vcon: the key does not open it, or it was changed")
	// ErrTooLong is returned for a vCon over MaxFile.
	ErrTooLong = errors.New("vcon: a vCon of more than 64 MiB")
)

// File is a file of one vCon, or of several, one after the other.
type File struct {
	from *bounded
	key  *Key
}

// NewFile reads r; key, when it is not nil, opens what is encrypted.
func NewFile(r io.Reader, key *Key) *File { return &File{&bounded{r: r}, key} }

// bounded ends a reader that gives more for one vCon than one may have.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, ErrTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// Rows implements source.Lines: line is the position of the vCon in the file, from 1. What can be opened is given bare
// and lean; what cannot as it is, for Decode to refuse.
func (f *File) Rows(yield func(line int, vcon []byte, bad *source.Verdict) bool) error {
	d := json.NewDecoder(f.from)
	for line := 1; ; line++ {
		f.from.left = MaxFile
		var body json.RawMessage
		switch err := d.Decode(&body); {
		case errors.Is(err, io.EOF) && line > 1:
			return nil
		case errors.Is(err, ErrTooLong):
			return ErrTooLong
		case errors.As(err, new(*json.SyntaxError)), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return ErrNotJSON
		case err != nil:
			return err
		}
		plain, err := Open(body, f.key)
		var r *Refusal
		switch {
		case err == nil:
			body = Lean(plain)
		case f.key != nil && errors.As(err, &r) && r.why == fact.WhyEncrypted:
			return ErrWrongKey
		}
		var bad *source.Verdict
		if len(body) > MaxLean {
			bad = source.Quarantine(fact.WhyTooLarge, "vcon")
		}
		if !yield(line, body, bad) {
			return nil
		}
	}
}

var _ source.Lines = (*File)(nil)
