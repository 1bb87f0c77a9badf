package listen

import (
	"errors"
	"fmt"
	"io"
	"time"

	"murmur/internal/audio"
	"murmur/internal/audio/dtmf"
	"murmur/internal/audio/wav"
)

// Sound is what a recording tells without its words.
type Sound struct {
	Rate   int
	Frames int
	Levels []audio.Levels     // of each leg
	Keys   []audio.Interval   // keys of the telephone on any leg; a row of them is one
	Voice  [][]audio.Interval // of each leg: what is louder than the room
}

// keysApart is how far keys may lie apart to be masked as one row.
const keysApart = 2 * time.Second

// ErrSilent says that a recording has no sound at all in it, or no frame.
var ErrSilent = errors.New("the recording is empty")

// Duration is how long it is.
func (s *Sound) Duration() time.Duration { return at(s.Frames, s.Rate) }

// at is the time of a frame.
func at(frame, rate int) time.Duration {
	return time.Duration(int64(frame) * int64(time.Second) / int64(rate))
}

// Measure reads a whole recording once.
func Measure(in io.Reader) (*Sound, error) {
	r, err := wav.NewReader(in)
	if err != nil {
		return nil, err
	}
	s := &Sound{Rate: r.Rate}
	meters, ears := make([]*audio.Meter, r.Legs), make([]*dtmf.Detector, r.Legs)
	for leg := range meters {
		meters[leg], ears[leg] = audio.NewMeter(r.Rate), dtmf.Sensitive(r.Rate)
	}
	var keys []dtmf.Key
	pcm, one := make([]int16, r.Rate*r.Legs), make([]int16, r.Rate*r.Legs) // one second
	for {
		n, err := r.Read(pcm)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for leg := range meters {
			one = audio.Leg(append(one[:0], pcm[:n]...), leg, r.Legs)
			meters[leg].Write(one)
			keys = append(keys, ears[leg].Write(one)...)
		}
		s.Frames += n / r.Legs
	}
	if s.Frames == 0 {
		return nil, fmt.Errorf("%w: no sample of sound", ErrSilent)
	}
	for leg := range meters {
		meters[leg].Close()
		keys = append(keys, ears[leg].Close()...)
		s.Levels = append(s.Levels, meters[leg].Levels)
		s.Voice = append(s.Voice, meters[leg].Levels.Regions())
	}
	var presses []audio.Interval
	for _, k := range dtmf.Ended(keys) {
		presses = append(presses, audio.Interval{Start: at(k.Start, s.Rate), End: at(k.End, s.Rate)})
	}
	s.Keys = audio.Union(presses, keysApart)
	return s, nil
}
