package web

import (
	"sync"
	"time"

	"murmur/internal/insight"
	"murmur/internal/workspace"
)

// coarse is what viewers are told about the states of deliveries: bands, and the same ones for a day. From exact counts a
// person with a viewer's token could see that somebody was erased or refused a minute ago.
type coarse struct {
	mu   sync.Mutex
	day  string
	told map[workspace.ID]WorkspaceStatus
	in   map[workspace.ID]int64 // what had come in when it was told
}

// status gives the bands of today, or makes them now. In stays the sum of the states.
func (c *coarse) status(ws workspace.ID, now time.Time, s WorkspaceStatus) WorkspaceStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	if day := now.UTC().Format(time.DateOnly); day != c.day {
		c.day, c.told, c.in = day, map[workspace.ID]WorkspaceStatus{}, map[workspace.ID]int64{}
	}
	if told, ok := c.told[ws]; ok && s.In >= c.in[ws] { // less came in: it is another workspace of that name
		return told
	}
	out := WorkspaceStatus{BySource: map[string]Counts{}, Control: s.Control}
	for name, counts := range s.BySource {
		out.BySource[name] = banded(counts)
	}
	out.Counts = banded(s.Counts)
	c.told[ws], c.in[ws] = out, s.In
	return out
}

// banded brings every count down to the lowest one of its band: 0, 5, 10, 20, 50 and so on.
func banded(c Counts) Counts {
	for _, n := range []*int64{&c.Pending, &c.Held, &c.Published, &c.Duplicate, &c.Ignored, &c.Refused, &c.Quarantined, &c.Erased} {
		*n, _ = insight.BandOf(*n)
	}
	c.In = c.Sum()
	return c
}
