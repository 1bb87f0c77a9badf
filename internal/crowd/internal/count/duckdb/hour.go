package duckdb

import (
	"math"
	"time"

	"murmur/internal/crowd/release"
)

// offset is what a zone's clock is ahead of UTC until a time.
type offset struct {
	until   int64 // microseconds
	seconds int64
}

// offsets lists those of a span. What is before it has the first.
func offsets(zone *time.Location, span release.Span) (all []offset) {
	at := span.Start.In(zone)
	for {
		_, end := at.ZoneBounds()
		_, seconds := at.Zone()
		if end.IsZero() || !end.Before(span.End) {
			return append(all, offset{math.MaxInt64, int64(seconds)})
		}
		all = append(all, offset{end.UnixMicro(), int64(seconds)})
		at = end
	}
}

// hour gives the hour of the week of a time, 0 = Monday 00:00 local. 1970-01-01 was a Thursday.
func (j *judge) hour(t int64) int {
	for _, o := range j.zone {
		if t < o.until {
			return int((t/1_000_000+o.seconds)/3600+72) % 168
		}
	}
	return 0
}
