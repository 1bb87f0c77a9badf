package queuetest_test

import (
	"sync"
	"testing"

	"murmur/internal/journal"
	"murmur/internal/journal/queuetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	disks := map[string]*queuetest.Memory{}
	queuetest.Run(t, func(_ *testing.T, dir string) journal.Queue {
		mu.Lock()
		defer mu.Unlock()
		if disks[dir] == nil {
			disks[dir] = queuetest.NewMemory()
		}
		return disks[dir]
	})
}
