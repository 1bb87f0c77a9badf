package private

import (
	"context"
	"slices"
	"sync"

	"murmur/internal/private/internal/consent"
)

// memo collects what deliveries tell about people besides their outcomes, until it is stored for a whole batch. It is
// safe for concurrent use.
type memo struct {
	// addresses says that addresses named together are collected too. After they are stored, the caller must ask whether any
	// statement was made meanwhile (Zone.mark): a refusal by one address would have missed the other.
	addresses bool

	mu   sync.Mutex
	told consent.Told
}

func (m *memo) add(t consent.Told) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told.Named = append(m.told.Named, t.Named...)
	m.told.Spoken = append(m.told.Spoken, t.Spoken...)
	m.told.Waiting = append(m.told.Waiting, t.Waiting...)
}

// spoken are the calls collected so far.
func (m *memo) spoken() []consent.Spoken {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clip(m.told.Spoken)
}

func (m *memo) take() consent.Told {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.told
	m.told = consent.Told{}
	return t
}

// Remember stores what Process learned about people besides the outcomes. Call it before the outcomes are committed: after an
// error or a crash the deliveries come again, and with them the same knowledge.
func (z *Zone) Remember(ctx context.Context) error {
	return z.register.Tell(ctx, z.memo.take())
}
