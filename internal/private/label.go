package private

import (
	"crypto/sha256"
	"sync"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
)

// maskedNames remembers the masked form of the names behind labels: every call of a line names the line. A label is
// keyed by its workspace, so that all share one memory. The zero value is ready.
type maskedNames struct {
	mu    sync.Mutex
	known map[nameOf]anon.Text
}

// nameOf is a label under one of its names, as a hash: the name itself may be a person's.
type nameOf struct {
	label fact.Label
	name  [sha256.Size]byte
}

// maxNames is how many are remembered; a column of persons mapped as one of names must not fill the memory.
const maxNames = 10_000

// of gives the masked form of what a label is called.
func (m *maskedNames) of(label fact.Label, called string, mask func() anon.Text) anon.Text {
	l := nameOf{label, sha256.Sum256([]byte(called))}
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
		m.known = map[nameOf]anon.Text{}
	}
	m.known[l] = t
	return t
}
