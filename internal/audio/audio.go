// Package audio finds where somebody speaks in a recording, and masks stretches of it.
//
// Zone: RED. Below it: package wav reads and writes files, package dtmf hears keys. What is to be masked comes from
// package listen; this package knows nothing of words.
//
// Words: a *leg* is one side of a call, a *level* the loudness of 10 ms of one leg, a *region* a stretch in which
// somebody speaks.
//
// It promises: a masked recording is as long as it was, to the sample; where it is masked, nothing of what was there
// is left, on any leg; everything is done in one pass over samples, in memory that does not grow with them but for
// one byte a level.
//
// What it does not protect against: the voice itself. A masked recording is still personal data; whoever knows the
// speaker recognises them. How long a mask is tells a little of what was said, to a quarter of a second.
package audio

import (
	"slices"
	"time"
)

// Interval is a stretch of a recording, the end exclusive.
type Interval struct{ Start, End time.Duration }

// Length is how long it is.
func (i Interval) Length() time.Duration { return i.End - i.Start }

// Union puts intervals in order and joins those that touch or lie closer than gap. Empty ones are left out.
func Union(in []Interval, gap time.Duration) []Interval {
	in = slices.DeleteFunc(slices.Clone(in), func(i Interval) bool { return i.End <= i.Start })
	slices.SortFunc(in, func(a, b Interval) int { return int(a.Start - b.Start) })
	var out []Interval
	for _, i := range in {
		if last := len(out) - 1; last >= 0 && (i.Start <= out[last].End || i.Start-out[last].End < gap) {
			out[last].End = max(out[last].End, i.End)
			continue
		}
		out = append(out, i)
	}
	return out
}

// Without gives what of the intervals in a lies in none of b. Both are in order, as Union gives them.
func Without(a, b []Interval) []Interval {
	var out []Interval
	for _, i := range a {
		for _, cut := range b {
			if cut.End <= i.Start {
				continue
			}
			if cut.Start >= i.End {
				break
			}
			if cut.Start > i.Start {
				out = append(out, Interval{i.Start, cut.Start})
			}
			i.Start = min(cut.End, i.End)
		}
		if i.Start < i.End {
			out = append(out, i)
		}
	}
	return out
}

// Common gives what lies in both. Both are in order, as Union gives them.
func Common(a, b []Interval) []Interval { return Without(a, Without(a, b)) }

// Total is how long the intervals are together.
func Total(in []Interval) (sum time.Duration) {
	for _, i := range in {
		sum += i.Length()
	}
	return sum
}
