package wav

import (
	"encoding/binary"

	"github.com/zaf/g711"
)

// kind is what a format chunk says about one sample.
type kind struct {
	tag  uint16 // wFormatTag
	bits int
}

// coding is how one sample is written down.
type coding interface {
	width() int // bytes
	decode(pcm []int16, b []byte)
}

var codings = map[kind]coding{
	{1, 8}: bytewise(func(b byte) int16 { return (int16(b) - 128) << 8 }), {1, 16}: wide(2), {1, 24}: wide(3),
	{6, 8}: bytewise(g711.DecodeAlawFrame), {7, 8}: bytewise(g711.DecodeUlawFrame),
}

// subformat is the rest of the GUID of a subformat behind its format tag.
var subformat = []byte("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71")

// table decodes samples of one byte.
type table [256]int16

func bytewise(decode func(byte) int16) *table {
	var t table
	for i := range t {
		t[i] = decode(byte(i))
	}
	return &t
}

func (*table) width() int { return 1 }

func (t *table) decode(pcm []int16, b []byte) {
	for i, c := range b {
		pcm[i] = t[c]
	}
}

// wide decodes linear samples of so many bytes, the least significant first; 16 bits of each are kept.
type wide int

func (w wide) width() int { return int(w) }

func (w wide) decode(pcm []int16, b []byte) {
	for i := range len(b) / int(w) {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[i*int(w)+int(w)-2:]))
	}
}
