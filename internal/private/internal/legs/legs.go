// Package legs makes a WAV file from the recorded frames of a call.
//
// Zone: RED. Frames (package recording) come roughly in order, each with its leg and time; where no frame came
// there is silence. A call of one leg gives a WAV of one, a call of two one of both, the contact's first.
//
// It promises: two passes over the frames, in memory that does not grow with them; sound beyond the four hours that
// anything may last is refused.
//
// What it does not protect against: a frame that comes more than four seconds late is left out.
package legs

import (
	"errors"
	"io"
	"time"

	"github.com/zaf/g711"

	"murmur/internal/audio/wav"
	"murmur/internal/private/internal/recording"
)

// Rate of G.711, in samples a second.
const Rate = 8000

// window is how late a frame may come, in samples.
const window = 4 * Rate

const longest = int64(wav.MaxDuration/time.Second) * Rate

// Shape is what a first pass over the frames found.
type Shape struct {
	Length int     // in samples
	Has    [2]bool // which legs said anything
}

// Both reports whether two legs were recorded.
func (s Shape) Both() bool { return s.Has[0] && s.Has[1] }

// Measure reads all frames. wav.ErrTooLong, recording.ErrFrame.
func Measure(in io.Reader) (s Shape, err error) {
	frames := recording.NewFrames(in)
	for {
		f, err := frames.Next()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		end := int64(f.At) + int64(len(f.Payload))
		if end > longest {
			return s, wav.ErrTooLong
		}
		s.Length, s.Has[f.Leg] = max(s.Length, int(end)), true
	}
}

// Write writes the frames as a WAV of 16 bits. s is what Measure found in them.
func Write(out io.Writer, in io.Reader, s Shape) error {
	m := mixer{tracks: 1}
	if s.Both() {
		m.tracks = 2
	}
	var err error
	if m.out, err = wav.NewWriter(out, Rate, m.tracks, s.Length); err != nil {
		return err
	}
	m.sound = make([]int16, 2*window*m.tracks)
	frames := recording.NewFrames(in)
	for {
		f, err := frames.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := m.add(f); err != nil {
			return err
		}
	}
	for m.base < s.Length {
		if err := m.flush(min(window, s.Length-m.base)); err != nil {
			return err
		}
	}
	return m.out.Close()
}

// mixer holds the sound that frames may still be added to.
type mixer struct {
	out    *wav.Writer
	tracks int
	base   int     // sample at which sound begins
	sound  []int16 // 2 windows, the tracks side by side
}

func (m *mixer) add(f recording.Frame) error {
	end := int(f.At) + len(f.Payload)
	for end > m.base+2*window {
		if err := m.flush(window); err != nil {
			return err
		}
	}
	track := 0
	if m.tracks == 2 {
		track = int(f.Leg)
	}
	for i, b := range f.Payload {
		at := int(f.At) + i - m.base
		if at < 0 {
			continue
		}
		sample := g711.DecodeUlawFrame(b)
		if f.Codec == recording.PCMA {
			sample = g711.DecodeAlawFrame(b)
		}
		m.sound[at*m.tracks+track] = sample
	}
	return nil
}

// flush writes the first samples and moves the rest to the front.
func (m *mixer) flush(samples int) error {
	n := samples * m.tracks
	if err := m.out.Write(m.sound[:n]); err != nil {
		return err
	}
	copy(m.sound, m.sound[n:])
	clear(m.sound[len(m.sound)-n:])
	m.base += samples
	return nil
}
