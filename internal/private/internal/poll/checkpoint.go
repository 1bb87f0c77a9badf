package poll

import (
	"time"
)

// Checkpoint is how far a source has been asked. It is stored as JSON after every page.
type Checkpoint struct {
	Lists map[string]*Progress `json:"lists,omitempty"`
	// Oldest is about where the history begins; zero while nobody asked.
	Oldest time.Time `json:"oldest,omitzero"`
	// Checked is when the last days were last listed again.
	Checked time.Time `json:"checked,omitzero"`
	Items   int64     `json:"items,omitempty"` // accepted and new
	// Refused are the lists that the key or the plan does not give, and since when.
	Refused map[string]time.Time `json:"refused,omitempty"`
}

// Progress is how far one list has been asked: everything created up to High lies in a gap or was listed.
type Progress struct {
	High time.Time `json:"high,omitzero"`
	Gaps []Gap     `json:"gaps,omitempty"` // still to be listed, newest first
	// Open is the oldest object that was not finished when it was last seen.
	Open time.Time `json:"open,omitzero"`
}

// Gap is a time still to be listed, both ends included. It shrinks from its newer end.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

const (
	// overlap is how far back every poll looks again: objects appear late, and clocks differ.
	overlap = time.Hour
	// patience is how long an unfinished object is asked for again.
	patience = 24 * time.Hour
	// checkEvery and checkBack: once a day the last days are listed again, and what is missing comes in.
	checkEvery, checkBack = 24 * time.Hour, 3 * 24 * time.Hour
)

// floor is before the first call of any vendor.
var floor = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// extend opens a gap from the last look to now.
func (p *Progress) extend(now time.Time) {
	switch {
	case p.High.IsZero():
		p.Gaps = []Gap{{floor, now}}
	case !now.After(p.High):
		return
	case len(p.Gaps) > 0 && p.Gaps[0].To.Equal(p.High): // nothing of it was listed yet: the vendor was away
		p.Gaps[0].To = now
	default:
		from := p.High.Add(-overlap)
		if !p.Open.IsZero() && p.Open.Before(from) {
			from = p.Open
		}
		if least := now.Add(-patience); from.Before(least) && p.High.Add(-overlap).After(least) {
			from = least
		}
		p.Gaps = append([]Gap{{from, now}}, p.Gaps...)
	}
	p.High, p.Open = now, time.Time{}
}

// shrink notes that the first gap is listed down to at. It reports whether that is progress.
func (p *Progress) shrink(at time.Time) bool {
	g := &p.Gaps[0]
	if at.IsZero() || !at.Before(g.To) || at.Before(g.From) {
		return false
	}
	g.To = at
	return true
}

func (p *Progress) close() { p.Gaps = p.Gaps[1:] }

// open notes an object that is not finished.
func (p *Progress) open(at time.Time) {
	if !at.IsZero() && (p.Open.IsZero() || at.Before(p.Open)) {
		p.Open = at
	}
}

// left is the time still to be listed, as far as the history reaches.
func (p *Progress) left(oldest time.Time) (d time.Duration) {
	for _, g := range p.Gaps {
		from := g.From
		if from.Before(oldest) {
			from = oldest
		}
		if g.To.After(from) {
			d += g.To.Sub(from)
		}
	}
	return d
}

// Done is the part of the history that was listed, 0 to 1. Lists that were never asked do not count.
func (c *Checkpoint) Done() float64 {
	var left, whole time.Duration
	for name, p := range c.Lists {
		if p.High.IsZero() || !c.Refused[name].IsZero() {
			continue
		}
		oldest := c.Oldest
		if oldest.IsZero() {
			oldest = floor
		}
		whole += p.High.Sub(oldest)
		left += p.left(oldest)
	}
	if whole <= 0 {
		return 0
	}
	return 1 - float64(left)/float64(whole)
}

// Complete reports whether the history has been listed to its beginning.
func (c *Checkpoint) Complete() bool {
	asked := false
	for name, p := range c.Lists {
		if !c.Refused[name].IsZero() {
			continue
		}
		asked = asked || !p.High.IsZero()
		if len(p.Gaps) > 0 {
			return false
		}
	}
	return asked
}
