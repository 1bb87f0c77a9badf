package private

import (
	"sync"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
)

// maskedNames remembers the masked form of the names behind labels: every call of a line names the line. A label is
// keyed by its workspace, so that all share one memory. The zero value is ready.
type maskedNames struct {
	mu    sync.Mutex
	known map[fact.Label]anon.Text
}

// maxNames is how many are remembered; a column of persons mapped as one of names must not fill the memory.
const maxNames = 10_000

func (m *maskedNames) of(l fact.Label, mask func() anon.Text) anon.Text {
	m.mu.Lock()
	t, ok := m.known[l]
	m.mu.Unlock()
	if ok {
		return t
	}
	t = mask()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxNames {
		m.known = map[fact.Label]anon.Text{}
	}
	m.known[l] = t
	return t
}
