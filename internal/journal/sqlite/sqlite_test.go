package sqlite

import (
	"path/filepath"
	"testing"

	"murmur/internal/journal"
	"murmur/internal/journal/journaltest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T, dir string) journal.Journal { return openIn(t, dir, Config{}) })
}

func openIn(t *testing.T, dir string, c Config) *Journal {
	t.Helper()
	j, err := Open(t.Context(), filepath.Join(dir, "journal.db"), c)
	if err != nil {
		t.Fatal(err)
	}
	return j
}
