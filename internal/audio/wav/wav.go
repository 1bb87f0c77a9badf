// Package wav reads and writes recordings in WAV files, as a stream.
//
// Zone: RED. It reads linear PCM of 8, 16 and 24 bits and both laws of G.711, one or two legs, 8 to 48 kHz, also in
// WAVE_FORMAT_EXTENSIBLE and with the sizes that a program writes that does not know yet how long a recording
// becomes. What comes out is 16-bit PCM, the legs side by side. It writes 16-bit PCM and nothing but the sound: no
// tags, no comments, no times.
//
// Words: a *frame* is one sample of every leg.
//
// It promises: it does not rely on the header for the amount of data; memory does not grow with the file; every
// error is one of the four below, or the reader's own.
//
// What it does not protect against: personal data in the sound.
//
// Source: Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0 (1991); Microsoft,
// Multiple Channel Audio Data and WAVE Files (2001).
package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Limits of one recording.
const (
	MaxBytes    = 500 << 20
	MaxDuration = 4 * time.Hour
	MinRate     = 8_000
	MaxRate     = 48_000
	MaxLegs     = 2
	maxChunks   = 1000 // before the sound
)

var (
	// ErrNotWAV says that these bytes are no WAV file, or a broken one.
	ErrNotWAV = errors.New("not a sound WAV file")
	// ErrUnsupported says that it is a WAV file of a kind that this package does not read.
	ErrUnsupported = errors.New("a WAV file of a kind that is not read here")
	// ErrTruncated says that there is less sound than the header says.
	ErrTruncated = errors.New("the recording is cut short")
	// ErrTooLong says that a recording is beyond MaxBytes or MaxDuration.
	ErrTooLong = errors.New("the recording is longer than 4 hours or larger than 500 MB")
)

// Reader reads the frames of one recording. It is not safe for concurrent use.
type Reader struct {
	Rate int // frames a second
	Legs int

	coding  coding
	in      io.Reader
	left    int64 // bytes of sound to come; unknown until the end of a streamed file
	unknown bool
	frames  int64 // read so far
	buf     []byte
}

// NewReader reads a header.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: io.LimitReader(in, MaxBytes+1), buf: make([]byte, 32<<10)}
	var head [12]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return nil, broken(err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		if string(head[8:]) == "WAVE" { // RIFX, RF64
			return nil, ErrUnsupported
		}
		return nil, ErrNotWAV
	}
	for range maxChunks {
		var chunk [8]byte
		if _, err := io.ReadFull(r.in, chunk[:]); err != nil {
			return nil, broken(err)
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch id := string(chunk[:4]); {
		case id == "fmt " && r.coding == nil:
			if err := r.format(size); err != nil {
				return nil, err
			}
		case id == "data":
			if r.coding == nil {
				return nil, fmt.Errorf("%w: sound before its format", ErrNotWAV)
			}
			r.left, r.unknown = size, size == 0 || size == 0xFFFFFFFF
			if !r.unknown && size > MaxBytes {
				return nil, ErrTooLong
			}
			return r, nil
		default:
			if err := r.skip(size + size%2); err != nil {
				return nil, err
			}
		}
	}
	return nil, fmt.Errorf("%w: more than %d chunks before the sound", ErrNotWAV, maxChunks)
}

// format reads the body of a format chunk.
func (r *Reader) format(size int64) error {
	const plain, extensible = 16, 40
	body := make([]byte, min(size, extensible))
	if size < plain {
		return fmt.Errorf("%w: a format of %d bytes", ErrNotWAV, size)
	}
	if _, err := io.ReadFull(r.in, body); err != nil {
		return broken(err)
	}
	if err := r.skip(size + size%2 - int64(len(body))); err != nil {
		return err
	}
	tag := binary.LittleEndian.Uint16(body)
	legs := int(binary.LittleEndian.Uint16(body[2:]))
	rate := binary.LittleEndian.Uint32(body[4:])
	block := int(binary.LittleEndian.Uint16(body[12:]))
	bits := int(binary.LittleEndian.Uint16(body[14:]))
	if tag == 0xFFFE {
		if len(body) < extensible || !bytes.Equal(body[26:], subformat) {
			return fmt.Errorf("%w: an extensible format without a known subformat", ErrUnsupported)
		}
		tag = binary.LittleEndian.Uint16(body[24:])
	}
	r.coding = codings[kind{tag, bits}]
	switch {
	case r.coding == nil:
		return fmt.Errorf("%w: format %d with %d bits", ErrUnsupported, tag, bits)
	case legs < 1 || legs > MaxLegs:
		return fmt.Errorf("%w: %d legs", ErrUnsupported, legs)
	case rate < MinRate || rate > MaxRate:
		return fmt.Errorf("%w: %d samples a second", ErrUnsupported, rate)
	case block != legs*bits/8:
		return fmt.Errorf("%w: frames of %d bytes", ErrNotWAV, block)
	}
	r.Rate, r.Legs = int(rate), legs
	r.buf = r.buf[:len(r.buf)/block*block]
	return nil
}

func (r *Reader) skip(n int64) error {
	if _, err := io.CopyN(io.Discard, r.in, n); err != nil {
		return broken(err)
	}
	return nil
}

// broken is the error of a header that ends too early.
func broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends before its sound", ErrNotWAV)
	}
	return fmt.Errorf("read the recording: %w", err)
}

// Read fills pcm with whole frames, the legs side by side, and gives the number of samples: fewer only at the end.
// The error at the end is io.EOF, alone. pcm must hold a frame.
func (r *Reader) Read(pcm []int16) (int, error) {
	n := 0
	width := r.coding.width()
	for len(pcm)-n >= r.Legs {
		want := min(len(r.buf), (len(pcm)-n)/r.Legs*r.Legs*width)
		if !r.unknown {
			want = int(min(int64(want), r.left))
		}
		got, err := io.ReadFull(r.in, r.buf[:want])
		r.left -= int64(got)
		got -= got % (width * r.Legs) // an incomplete frame is dropped
		r.coding.decode(pcm[n:], r.buf[:got])
		n += got / width
		r.frames += int64(got / width / r.Legs)
		switch {
		case r.frames > int64(MaxDuration/time.Second)*int64(r.Rate):
			return n, ErrTooLong
		case want == 0, r.unknown && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
			return r.end(n)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return n, ErrTruncated
		case err != nil:
			return n, fmt.Errorf("read the recording: %w", err)
		}
	}
	return n, nil
}

// end is the answer at the end of the sound: n samples, or io.EOF.
func (r *Reader) end(n int) (int, error) {
	if r.unknown && r.in.(*io.LimitedReader).N == 0 {
		return n, ErrTooLong
	}
	if n > 0 {
		return n, nil
	}
	return 0, io.EOF
}

// Writer writes one recording of a known length. It is not safe for concurrent use.
type Writer struct {
	out  io.Writer
	left int // samples to come
	buf  []byte
}

// NewWriter writes the header of a recording of so many frames.
func NewWriter(out io.Writer, rate, legs, frames int) (*Writer, error) {
	size := frames * legs * 2
	if int64(size) > math.MaxUint32-36 {
		return nil, ErrTooLong
	}
	head := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(36+size))
	head = append(head, "WAVEfmt \x10\x00\x00\x00\x01\x00"...)
	head = binary.LittleEndian.AppendUint16(head, uint16(legs))
	head = binary.LittleEndian.AppendUint32(head, uint32(rate))
	head = binary.LittleEndian.AppendUint32(head, uint32(rate*legs*2))
	head = binary.LittleEndian.AppendUint16(head, uint16(legs*2))
	head = append(head, "\x10\x00data"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(size))
	if _, err := out.Write(head); err != nil {
		return nil, fmt.Errorf("write the recording: %w", err)
	}
	return &Writer{out: out, left: frames * legs}, nil
}

// Write writes samples, the legs side by side.
func (w *Writer) Write(pcm []int16) error {
	if len(pcm) > w.left {
		return errors.New("write the recording: more samples than its header says")
	}
	w.left -= len(pcm)
	w.buf = w.buf[:0]
	for _, s := range pcm {
		w.buf = binary.LittleEndian.AppendUint16(w.buf, uint16(s))
	}
	if _, err := w.out.Write(w.buf); err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	return nil
}

// Close reports whether everything was written that the header says.
func (w *Writer) Close() error {
	if w.left > 0 {
		return fmt.Errorf("write the recording: %d samples are missing", w.left)
	}
	return nil
}
