package recording

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Frame is a piece of one leg's audio.
type Frame struct {
	Leg     uint8  // 0: the contact, 1: the member
	Codec   Codec  // of Payload
	At      uint32 // when it begins: samples of 1/8000 s since the recording began
	Payload []byte // 1 to MaxFrame bytes
}

// Codec is an RTP payload type (RFC 3551 table 4).
type Codec uint8

const (
	PCMU Codec = 0
	PCMA Codec = 8
)

// MaxFrame is the most that a frame may carry, in bytes: what a datagram can.
const MaxFrame = 1500

const frameHead = 8

// ErrFrame is returned for a frame that cannot be written, or a stream of frames that is not one.
var ErrFrame = errors.New("recording: not a frame")

// append adds the frame's record: leg u8, codec u8, at u32, length u16, payload (docs/format/recordings.md).
func (f Frame) append(b []byte) ([]byte, error) {
	if f.Leg > 1 || f.Codec != PCMU && f.Codec != PCMA || len(f.Payload) == 0 || len(f.Payload) > MaxFrame {
		return b, fmt.Errorf("leg %d, codec %d, %d bytes: %w", f.Leg, f.Codec, len(f.Payload), ErrFrame)
	}
	b = append(b, f.Leg, byte(f.Codec))
	b = binary.BigEndian.AppendUint32(b, f.At)
	b = binary.BigEndian.AppendUint16(b, uint16(len(f.Payload)))
	return append(b, f.Payload...), nil
}

// Frames reads a stream of frames, as Audio of the kind Legs holds it.
type Frames struct {
	r   *bufio.Reader
	buf [MaxFrame]byte
}

// NewFrames reads frames from r.
func NewFrames(r io.Reader) *Frames { return &Frames{r: bufio.NewReader(r)} }

// Next gives the next frame, valid until the call after; io.EOF after the last one, ErrFrame for what is none.
func (s *Frames) Next() (Frame, error) {
	var h [frameHead]byte
	if _, err := io.ReadFull(s.r, h[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return Frame{}, fmt.Errorf("head cut short: %w", ErrFrame)
		}
		return Frame{}, err
	}
	n := int(binary.BigEndian.Uint16(h[6:]))
	f := Frame{Leg: h[0], Codec: Codec(h[1]), At: binary.BigEndian.Uint32(h[2:])}
	if f.Leg > 1 || f.Codec != PCMU && f.Codec != PCMA || n == 0 || n > MaxFrame {
		return Frame{}, fmt.Errorf("leg %d, codec %d, %d bytes: %w", f.Leg, f.Codec, n, ErrFrame)
	}
	f.Payload = s.buf[:n]
	if _, err := io.ReadFull(s.r, f.Payload); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return Frame{}, fmt.Errorf("payload cut short: %w", ErrFrame)
		}
		return Frame{}, err
	}
	return f, nil
}
