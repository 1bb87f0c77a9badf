package legs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zaf/g711"

	"murmur/internal/audio/wav"
	"murmur/internal/private/internal/recording"
)

// record is a frame as the store keeps it (docs/format/recordings.md).
func record(f recording.Frame) []byte {
	b := binary.BigEndian.AppendUint32([]byte{f.Leg, byte(f.Codec)}, f.At)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(f.Payload))), f.Payload...)
}

func play(t *testing.T, frames []byte) (*wav.Reader, []int16) {
	t.Helper()
	s, err := Measure(bytes.NewReader(frames))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Write(&out, bytes.NewReader(frames), s); err != nil {
		t.Fatal(err)
	}
	r, err := wav.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	var all []int16
	pcm := make([]int16, 1000)
	for {
		n, err := r.Read(pcm)
		all = append(all, pcm[:n]...)
		if errors.Is(err, io.EOF) {
			return r, all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestFramesAreWhereTheyWereSaid: each leg on its track, at its time, whatever the order; the rest is silence.
func TestFramesAreWhereTheyWereSaid(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, both := range []bool{false, true} {
		const length = 60 * Rate
		tracks := 1
		if both {
			tracks = 2
		}
		want := make([]int16, length*tracks)
		var order []recording.Frame
		for at := 0; at < length; at += 160 {
			for leg := range tracks {
				if r.IntN(5) == 0 && at+160 < length || at > 10*Rate && at < 40*Rate { // lost, and a long gap
					continue
				}
				f := recording.Frame{Leg: uint8(leg), At: uint32(at), Payload: make([]byte, 160)}
				if leg == 1 {
					f.Codec = recording.PCMA
				}
				for i := range f.Payload {
					b := byte(r.IntN(256))
					f.Payload[i] = b
					s := g711.DecodeUlawFrame(b)
					if leg == 1 {
						s = g711.DecodeAlawFrame(b)
					}
					want[(at+i)*tracks+leg] = s
				}
				order = append(order, f)
			}
		}
		due := map[uint64]int{} // none is late by more than two seconds
		key := func(f recording.Frame) uint64 { return uint64(f.At)<<1 | uint64(f.Leg) }
		for _, f := range order {
			due[key(f)] = int(f.At) + r.IntN(2*Rate)
		}
		slices.SortStableFunc(order, func(a, b recording.Frame) int { return due[key(a)] - due[key(b)] })
		var frames []byte
		for _, f := range order {
			frames = append(frames, record(f)...)
		}
		w, got := play(t, frames)
		if w.Legs != tracks || w.Rate != Rate || len(got) != len(want) {
			t.Fatalf("%d tracks of %d Hz, %d samples; want %d, %d, %d", w.Legs, w.Rate, len(got), tracks, Rate, len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%d tracks: sample %d is %d, want %d", tracks, i, got[i], want[i])
			}
		}
	}
}

func TestADayOfSilenceIsRefused(t *testing.T) {
	t.Parallel()
	_, err := Measure(bytes.NewReader(record(recording.Frame{At: 24 * 3600 * Rate, Payload: []byte{1}})))
	if !errors.Is(err, wav.ErrTooLong) {
		t.Errorf("24 hours of silence: %v", err)
	}
}

// FuzzFrames: no bytes make more sound than four hours, a panic, or a WAV that is not whole.
func FuzzFrames(f *testing.F) {
	f.Add(record(recording.Frame{At: 160, Payload: []byte{1, 2, 3}}))
	f.Add(append(record(recording.Frame{At: 90000, Payload: []byte{1}}), record(recording.Frame{Leg: 1, Codec: recording.PCMA, Payload: []byte{1}})...))
	f.Fuzz(func(t *testing.T, frames []byte) {
		s, err := Measure(bytes.NewReader(frames))
		if err != nil || s.Length > 60*Rate {
			return
		}
		var out bytes.Buffer
		if err := Write(&out, bytes.NewReader(frames), s); err != nil {
			t.Error(err)
		}
	})
}
