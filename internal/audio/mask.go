package audio

import (
	"errors"
	"io"
	"math"
	"time"

	"murmur/internal/audio/wav"
)

// How masks lie.
const (
	padBefore  = 200 * time.Millisecond
	padAfter   = 300 * time.Millisecond
	padEdge    = 250 * time.Millisecond // how much further a mask goes to reach silence
	joinWithin = 400 * time.Millisecond // masks closer than this are one
	roundTo    = 250 * time.Millisecond // so that a mask's length tells little of the word's
	fade       = 10 * time.Millisecond
)

// Pad makes masks of the stretches that must be masked: from 200 ms before to 300 ms after, up to the next silence
// of all legs where one is near, joined where less than 400 ms lie between, and rounded up to quarters of a second.
// A recording's end cuts masks off.
func Pad(in []Interval, legs []Levels, duration time.Duration) []Interval {
	thresholds := make([]uint8, len(legs))
	for i, l := range legs {
		thresholds[i] = l.threshold()
	}
	silent := func(t time.Duration) bool {
		for i, l := range legs {
			if !l.silentAt(t, thresholds[i]) {
				return false
			}
		}
		return true
	}
	padded := make([]Interval, len(in))
	for i, m := range in {
		m.Start, m.End = m.Start-padBefore, m.End+padAfter
		for t := m.Start; t > m.Start-padEdge; t -= Tick {
			if silent(t) {
				m.Start = t
				break
			}
		}
		for t := m.End; t < m.End+padEdge; t += Tick {
			if silent(t) {
				m.End = t
				break
			}
		}
		padded[i] = Interval{max(0, m.Start), min(duration, m.End)}
	}
	out := Union(padded, joinWithin)
	for n := -1; n != len(out); { // a longer mask may reach the next one
		n = len(out)
		for i, m := range out {
			m.End = m.Start + (m.Length()+roundTo-1)/roundTo*roundTo
			if over := m.End - duration; over > 0 { // earlier instead
				m = Interval{max(0, m.Start-over), duration}
			}
			out[i] = m
		}
		out = Union(out, joinWithin)
	}
	return out
}

// Fill is the sound in place of a masked stretch.
type Fill uint8

const (
	Silence Fill = iota // with fades of 10 ms on both sides
	Tone                // 440 Hz, quiet
)

// ParseFill reads the name of a fill: silence, tone.
func ParseFill(s string) (Fill, bool) {
	switch s {
	case "", "silence":
		return Silence, true
	case "tone":
		return Tone, true
	}
	return Silence, false
}

// Mask copies a recording of so many frames, with fill in the masks on every leg. The masks are in order.
func Mask(out io.Writer, in *wav.Reader, frames int, masks []Interval, fill Fill) error {
	return pass(out, in, frames, in.Legs, func(pcm []int16, s *shade) []int16 {
		s.apply(pcm, in.Legs)
		return pcm
	}, shade{masks: masks, fill: fill, rate: in.Rate})
}

// Extract copies one leg of a recording, with silence in the masks.
func Extract(out io.Writer, in *wav.Reader, frames, leg int, masks []Interval) error {
	return pass(out, in, frames, 1, func(pcm []int16, s *shade) []int16 {
		pcm = Leg(pcm, leg, in.Legs)
		s.apply(pcm, 1)
		return pcm
	}, shade{masks: masks, rate: in.Rate})
}

// Leg moves the samples of one leg together, in place.
func Leg(pcm []int16, leg, legs int) []int16 {
	n := len(pcm) / legs
	for i := range n {
		pcm[i] = pcm[i*legs+leg]
	}
	return pcm[:n]
}

// pass copies a recording, a second at a time.
func pass(out io.Writer, in *wav.Reader, frames, legs int, change func([]int16, *shade) []int16, s shade) error {
	w, err := wav.NewWriter(out, in.Rate, legs, frames)
	if err != nil {
		return err
	}
	pcm := make([]int16, in.Rate*in.Legs)
	for {
		n, err := in.Read(pcm)
		if errors.Is(err, io.EOF) {
			return w.Close()
		}
		if err != nil {
			return err
		}
		if err := w.Write(change(pcm[:n], &s)); err != nil {
			return err
		}
	}
}

// shade covers samples as they pass.
type shade struct {
	masks []Interval
	fill  Fill
	rate  int
	at    int // frames passed
}

func (s *shade) frame(t time.Duration) int { return int(int64(t) * int64(s.rate) / int64(time.Second)) }

func (s *shade) apply(pcm []int16, legs int) {
	frames := len(pcm) / legs
	end := s.at + frames
	ramp := s.frame(fade)
	for _, m := range s.masks {
		from, to := s.frame(m.Start), s.frame(m.End)+1 // the last frame is covered whole
		if to+ramp <= s.at || from-ramp >= end {
			continue
		}
		for f := max(s.at, from-ramp); f < min(end, to+ramp); f++ {
			// The fades lie outside: within the mask nothing is left.
			frame := pcm[(f-s.at)*legs : (f-s.at+1)*legs]
			away := max(from-f, f-to+1, 0)
			for i := range frame {
				frame[i] = int16(int(frame[i]) * away / (ramp + 1))
				if away == 0 {
					frame[i] = s.filled(f)
				}
			}
		}
	}
	for len(s.masks) > 0 && s.frame(s.masks[0].End)+ramp < end {
		s.masks = s.masks[1:]
	}
	s.at = end
}

// filled is the sample that is heard at frame f of a mask.
func (s *shade) filled(f int) int16 {
	if s.fill == Tone {
		return int16(1000 * math.Sin(2*math.Pi*440*float64(f)/float64(s.rate)))
	}
	return 0
}
