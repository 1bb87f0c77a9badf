package sourcetest

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// Object is one object of a vendor's list.
type Object struct {
	ID   string
	At   time.Time // created
	Body []byte    // JSON
}

// Pager cuts a vendor's list into pages, newest first, and misbehaves as it is told.
type Pager struct {
	Faults []Fault
	// CursorLives is how often a cursor of a list can be used with CursorGone; 0: 2 pages.
	CursorLives int

	mu    sync.Mutex
	pages int
}

func (p *Pager) has(f Fault) bool { return slices.Contains(p.Faults, f) }

// Page gives the objects created within [from, to] behind the cursor; a zero time is no bound. ok is false when the
// cursor is no longer known.
func (p *Pager) Page(all []Object, from, to time.Time, cursor string, limit int) (page []Object, next string, ok bool) {
	var in []Object
	for _, o := range all {
		if (from.IsZero() || !o.At.Before(from)) && (to.IsZero() || !o.At.After(to)) {
			in = append(in, o)
		}
	}
	slices.SortStableFunc(in, func(a, b Object) int { return b.At.Compare(a.At) })
	if p.has(Fivefold) {
		in = repeat(in, 5)
	}
	start := 0
	if cursor != "" {
		if p.expired() {
			return nil, "", false
		}
		var err error
		if start, err = strconv.Atoi(cursor); err != nil || start > len(in) {
			return nil, "", false
		}
	}
	end := min(start+limit, len(in))
	page = slices.Clone(in[start:end])
	if p.has(Repeated) && start > 0 {
		page = append([]Object{in[start-1]}, page...)
	}
	if p.has(Reordered) {
		slices.Reverse(page)
	}
	if end < len(in) {
		next = strconv.Itoa(end)
	}
	return page, next, true
}

func (p *Pager) expired() bool {
	if !p.has(CursorGone) {
		return false
	}
	lives := p.CursorLives
	if lives == 0 {
		lives = 2
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages++
	return p.pages%(lives+1) == 0
}

func repeat(all []Object, times int) (out []Object) {
	for _, o := range all {
		for range times {
			out = append(out, o)
		}
	}
	return out
}
