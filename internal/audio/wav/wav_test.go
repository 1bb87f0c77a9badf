package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"
)

// file is a WAV put together by hand.
type file struct {
	tag, legs, rate, bits int
	extensible            bool
	before                [][2]string // chunks
	size                  int         // of the sound as the header says; -1 is the truth
	sound                 []byte
}

func (f file) bytes() []byte {
	block := f.legs * f.bits / 8
	tag, length := f.tag, 16
	if f.extensible {
		tag, length = 0xFFFE, 40
	}
	b := []byte("RIFF\xff\xff\xff\xffWAVE")
	for _, c := range f.before {
		b = append(b, c[0]...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(c[1])))
		b = append(b, c[1]...)
		if len(c[1])%2 == 1 {
			b = append(b, 0)
		}
	}
	b = append(b, "fmt "...)
	b = binary.LittleEndian.AppendUint32(b, uint32(length))
	for _, v := range []int{tag, f.legs} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	for _, v := range []int{f.rate, f.rate * block} {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	for _, v := range []int{block, f.bits} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	if f.extensible {
		b = append(b, 22, 0, byte(f.bits), 0, 0, 0, 0, 0, byte(f.tag), 0)
		b = append(b, subformat...)
	}
	size := f.size
	if size < 0 {
		size = len(f.sound)
	}
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	return append(b, f.sound...)
}

func readAll(b []byte, piece int) (r *Reader, pcm []int16, err error) {
	r, err = NewReader(iotest.HalfReader(bytes.NewReader(b)))
	if err != nil {
		return nil, nil, err
	}
	buf := make([]int16, piece)
	for {
		n, err := r.Read(buf)
		pcm = append(pcm, buf[:n]...)
		if errors.Is(err, io.EOF) {
			return r, pcm, nil
		}
		if err != nil {
			return r, pcm, err
		}
	}
}

func TestEveryShapeIsRead(t *testing.T) {
	t.Parallel()
	pcm16 := []byte{0, 0, 255, 127, 0, 128, 1, 0}
	four := []int16{0, 32767, -32768, 1}
	for name, test := range map[string]struct {
		f    file
		want []int16
	}{
		"16 bits":             {file{tag: 1, legs: 1, rate: 8000, bits: 16, size: -1, sound: pcm16}, four},
		"two legs":            {file{tag: 1, legs: 2, rate: 48000, bits: 16, size: -1, sound: pcm16}, four},
		"extensible":          {file{tag: 1, legs: 1, rate: 8000, bits: 16, extensible: true, size: -1, sound: pcm16}, four},
		"streamed, size 0":    {file{tag: 1, legs: 1, rate: 8000, bits: 16, size: 0, sound: pcm16}, four},
		"streamed, size max":  {file{tag: 1, legs: 1, rate: 8000, bits: 16, size: 0xFFFFFFFF, sound: pcm16}, four},
		"streamed, half cut":  {file{tag: 1, legs: 1, rate: 8000, bits: 16, size: 0, sound: pcm16[:7]}, four[:3]},
		"more than it says":   {file{tag: 1, legs: 1, rate: 8000, bits: 16, size: 4, sound: pcm16}, four[:2]},
		"odd tags before":     {file{tag: 1, legs: 1, rate: 8000, bits: 16, size: -1, sound: pcm16, before: [][2]string{{"LIST", "abc"}, {"junk", ""}}}, four},
		"24 bits":             {file{tag: 1, legs: 1, rate: 8000, bits: 24, size: -1, sound: []byte{9, 0, 0, 9, 255, 127, 9, 0, 128}}, four[:3]},
		"8 bits":              {file{tag: 1, legs: 1, rate: 8000, bits: 8, size: -1, sound: []byte{128, 255, 0}}, []int16{0, 127 << 8, -32768}},
		"mu-law (G.711)":      {file{tag: 7, legs: 1, rate: 8000, bits: 8, size: -1, sound: []byte{0xFF, 0x80, 0x00}}, []int16{0, 32124, -32124}},
		"A-law (G.711)":       {file{tag: 6, legs: 1, rate: 8000, bits: 8, size: -1, sound: []byte{0xD5, 0xAA, 0x2A}}, []int16{8, 32256, -32256}},
		"A-law in extensible": {file{tag: 6, legs: 1, rate: 8000, bits: 8, extensible: true, size: -1, sound: []byte{0xD5}}, []int16{8}},
		"nothing":             {file{tag: 1, legs: 1, rate: 8000, bits: 16, size: 0}, nil},
	} {
		r, got, err := readAll(test.f.bytes(), 2*test.f.legs)
		if err != nil || !slices.Equal(got, test.want) || r.Rate != test.f.rate || r.Legs != test.f.legs {
			t.Errorf("%s: %v, %v, want %v", name, got, err, test.want)
		}
	}
}

func TestLiesAreRefused(t *testing.T) {
	t.Parallel()
	good := file{tag: 1, legs: 1, rate: 8000, bits: 16, size: -1, sound: make([]byte, 100)}
	with := func(change func(*file)) []byte { f := good; change(&f); return f.bytes() }
	tags := make([][2]string, 1_000_000)
	for i := range tags {
		tags[i] = [2]string{"LIST", ""}
	}
	for name, test := range map[string]struct {
		b    []byte
		want error
	}{
		"empty":             {nil, ErrNotWAV},
		"text":              {[]byte("hello, this is no sound at all"), ErrNotWAV},
		"header alone":      {good.bytes()[:12], ErrNotWAV},
		"cut in its format": {good.bytes()[:30], ErrNotWAV},
		"cut in its sound":  {good.bytes()[:100], ErrTruncated},
		"4 GiB":             {with(func(f *file) { f.size = 0xFFFFFFF0 }), ErrTooLong},
		"says 400 MB":       {with(func(f *file) { f.size = 400 << 20 }), ErrTruncated},
		"a million tags":    {with(func(f *file) { f.before = tags }), ErrNotWAV},
		"a tag of 4 GiB":    {append([]byte("RIFF....WAVELIST"), 0xF0, 0xFF, 0xFF, 0xFF, 1, 2), ErrNotWAV},
		"rate 0":            {with(func(f *file) { f.rate = 0 }), ErrUnsupported},
		"rate 4 GHz":        {with(func(f *file) { f.rate = 4_000_000_000 }), ErrUnsupported},
		"no leg":            {with(func(f *file) { f.legs = 0 }), ErrUnsupported},
		"ten legs":          {with(func(f *file) { f.legs = 10 }), ErrUnsupported},
		"floats":            {with(func(f *file) { f.tag, f.bits = 3, 32 }), ErrUnsupported},
		"MP3 in WAV":        {with(func(f *file) { f.tag = 85 }), ErrUnsupported},
		"big-endian":        {append([]byte("RIFX"), good.bytes()[4:]...), ErrUnsupported},
		"sound, no format":  {[]byte("RIFF....WAVEdata\x04\x00\x00\x00abcd"), ErrNotWAV},
		"a format of 2":     {[]byte("RIFF....WAVEfmt \x02\x00\x00\x00\x01\x00data\x04\x00\x00\x00abcd"), ErrNotWAV},
		"frames of 7 bytes": {func() []byte { b := good.bytes(); b[32] = 7; return b }(), ErrNotWAV},
		"unknown subformat": {func() []byte { f := good; f.extensible = true; b := f.bytes(); b[50] = 99; return b }(), ErrUnsupported},
	} {
		if _, _, err := readAll(test.b, 1000); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// endless is silence without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestEndsAtItsLimits reads streams that never end: 24 hours of silence are 4 hours too long, or 500 MB.
func TestEndsAtItsLimits(t *testing.T) {
	t.Parallel()
	for _, f := range []file{
		{tag: 7, legs: 1, rate: 8000, bits: 8, size: 0},
		{tag: 1, legs: 2, rate: 48000, bits: 24, size: 0xFFFFFFFF},
	} {
		r, err := NewReader(io.MultiReader(bytes.NewReader(f.bytes()), endless{}))
		if err != nil {
			t.Fatal(err)
		}
		pcm := make([]int16, 1<<20)
		for err == nil {
			_, err = r.Read(pcm)
		}
		if !errors.Is(err, ErrTooLong) {
			t.Error(err)
		}
	}
}

func TestWrittenIsRead(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	pcm := make([]int16, 2*12345)
	for i := range pcm {
		pcm[i] = int16(r.IntN(1 << 16))
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, 16000, 2, len(pcm)/2)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil {
		t.Error("closed without its sound")
	}
	for rest := pcm; len(rest) > 0; {
		n := min(len(rest), 1+r.IntN(3000))
		if err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := errors.Join(w.Close()); err != nil {
		t.Fatal(err)
	}
	if w.Write(pcm[:1]) == nil {
		t.Error("more was written than the header says")
	}
	head, got, err := readAll(b.Bytes(), 1000)
	if err != nil || !slices.Equal(got, pcm) || head.Rate != 16000 || head.Legs != 2 {
		t.Errorf("%d samples became %d, %v", len(pcm), len(got), err)
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []file{
		{tag: 1, legs: 2, rate: 8000, bits: 16, size: -1, sound: make([]byte, 64)},
		{tag: 1, legs: 1, rate: 48000, bits: 24, extensible: true, size: 0, sound: make([]byte, 7)},
		{tag: 7, legs: 1, rate: 8000, bits: 8, size: 0xFFFFFFFF, before: [][2]string{{"LIST", "odd"}}, sound: make([]byte, 9)},
	} {
		f.Add(seed.bytes())
	}
	known := []error{ErrNotWAV, ErrUnsupported, ErrTruncated, ErrTooLong}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, pcm, err := readAll(b, 64)
		if err != nil && !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) }) {
			t.Fatalf("an error of another kind: %v", err)
		}
		if len(pcm) > len(b) {
			t.Fatalf("%d samples out of %d bytes", len(pcm), len(b))
		}
		if r != nil && len(pcm)%r.Legs != 0 {
			t.Fatalf("%d samples of %d legs", len(pcm), r.Legs)
		}
	})
}
