package audio

import (
	"math"
	"slices"
	"time"
)

// Tick is the time of one level.
const Tick = 10 * time.Millisecond

// Levels is the loudness of one leg, a level a tick: decibels over the smallest step of 16 bits, 0 .. 90.
type Levels []uint8

// Meter measures levels of one leg as its samples come. It is not safe for concurrent use.
type Meter struct {
	Levels Levels

	rate    int
	n, end  int // samples heard, and where the present tick ends
	samples int // of the present tick
	energy  float64
}

// NewMeter makes a meter for rate samples a second.
func NewMeter(rate int) *Meter { return &Meter{rate: rate, end: rate / 100} }

// Write measures more samples.
func (m *Meter) Write(pcm []int16) {
	for _, s := range pcm {
		x := float64(s)
		m.energy += x * x
		m.samples++
		if m.n++; m.n >= m.end {
			m.tick()
		}
	}
}

// Close ends the last tick. It may be shorter.
func (m *Meter) Close() {
	if m.samples > 0 {
		m.tick()
	}
}

func (m *Meter) tick() {
	level := 0.0
	if mean := m.energy / float64(m.samples); mean >= 1 {
		level = 10 * math.Log10(mean)
	}
	m.Levels = append(m.Levels, uint8(level))
	m.energy, m.samples = 0, 0
	m.end = int(int64(len(m.Levels)+1) * int64(m.rate) / 100)
}

// What speech is. It is loud over the room, which is as loud as the quietest twentieth of the recording.
const (
	overRoom  = 10 // decibels
	faintest  = 25 // decibels; below it nothing is understood
	loudest   = 62 // decibels; above it is speech whatever the room
	shortest  = 80 * time.Millisecond
	breath    = 250 * time.Millisecond // silences up to this long are within speech
	edgeWidth = 30 * time.Millisecond  // speech fades in and out
)

// threshold is the level from which on a leg is not silent.
func (l Levels) threshold() uint8 {
	if len(l) == 0 {
		return faintest
	}
	sorted := slices.Sorted(slices.Values(l))
	room := sorted[len(sorted)/20]
	return min(max(room+overRoom, faintest), loudest)
}

// Regions gives where somebody speaks, or makes another noise over the room's.
func (l Levels) Regions() []Interval {
	from := l.threshold()
	var loud []Interval
	for i, level := range l {
		if level >= from {
			loud = append(loud, Interval{time.Duration(i) * Tick, time.Duration(i+1) * Tick})
		}
	}
	var out []Interval
	end := time.Duration(len(l)) * Tick
	for _, r := range Union(loud, breath) {
		if r.Length() >= shortest {
			out = append(out, Interval{max(0, r.Start-edgeWidth), min(end, r.End+edgeWidth)})
		}
	}
	return Union(out, 0)
}

// silentAt reports whether nothing is heard at a time.
func (l Levels) silentAt(t time.Duration, threshold uint8) bool {
	i := int(t / Tick)
	return i < 0 || i >= len(l) || l[i] < threshold
}
