package recording

import (
	"maps"
	"sync"

	"murmur/internal/private/internal/consent"
)

// End is a state in which nothing is recorded any more, and the event that led to it.
type End struct {
	State consent.State
	On    consent.EventKind
}

// Tally counts calls since the process started: how many are live, and how often calls came to which end. One call may
// come to several: released, and opted out later, and shredded then. It names no call.
type Tally struct {
	Live int
	Ends map[End]int
}

// Tally gives the counts so far.
func (b *Book) Tally() Tally {
	live := b.takes(func(t *Take) bool { return !t.State().Over() })
	b.ends.mu.Lock()
	defer b.ends.mu.Unlock()
	return Tally{Live: len(live), Ends: maps.Clone(b.ends.n)}
}

// ends counts. It is locked last: counting waits for nothing.
type ends struct {
	mu sync.Mutex
	n  map[End]int
}

// add counts what is new in a call's trace of so many moves before.
func (e *ends) add(m *consent.Call, before int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, move := range m.Evidence().Trace[before:] {
		if move.To.Over() {
			e.n[End{move.To, move.On}]++
		}
	}
}
