package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"murmur/internal/deliveries/storetest"
	"murmur/internal/journal"
	"murmur/internal/journal/queuetest"
)

func TestQueue(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(t *testing.T, dir string) journal.Queue { return openIn(t, dir, Config{}) })
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, dir string, now func() time.Time) storetest.Engine {
		return openIn(t, dir, Config{Now: now})
	})
}

func openIn(t *testing.T, dir string, c Config) *Journal {
	t.Helper()
	j, err := Open(t.Context(), filepath.Join(dir, "journal.db"), c)
	if err != nil {
		t.Fatal(err)
	}
	return j
}
