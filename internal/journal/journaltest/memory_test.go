package journaltest_test

import (
	"sync"
	"testing"

	"murmur/internal/journal"
	"murmur/internal/journal/journaltest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	disks := map[string]*journaltest.Memory{}
	journaltest.Run(t, func(_ *testing.T, dir string) journal.Journal {
		mu.Lock()
		defer mu.Unlock()
		if disks[dir] == nil {
			disks[dir] = journaltest.NewMemory()
		}
		return disks[dir]
	})
}
