package crowd

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// TestNoFigureIsStoredWithTheErased: while an erasure waits, and when one came between a count and its storing, nothing is
// stored, even where it was carried out meanwhile. What only files that nobody can read may hold keeps no figure back.
func TestNoFigureIsStoredWithTheErased(t *testing.T) {
	t.Parallel()
	db, err := meta.Open(t.Context(), filepath.Join(t.TempDir(), "meta.db"))
	must(t, err)
	defer db.Close()
	s := &store{db: db, now: time.Now}
	other := workspace.MustParse("other")
	say := func(statement string, args ...any) {
		t.Helper()
		must(t, db.Tx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), statement, args...)
			return err
		}))
	}
	order := func(ws workspace.ID) {
		say(`INSERT INTO erasing(workspace, receipt, contact, at) VALUES(?, 'r', x'01', 1)`, ws.String())
	}
	put := func(ws workspace.ID) error {
		return s.Put(context.Background(), ws, release.Owner, "2026-W45", false, []byte{1})
	}
	begin := func() error { return s.begin(t.Context(), workspace.Default) }

	must(t, begin())
	order(other)
	must(t, put(workspace.Default))
	order(workspace.Default)
	if err := put(workspace.Default); !errors.Is(err, ErrErasing) {
		t.Errorf("stored while somebody waits to be erased: %v", err)
	}
	if err := begin(); !errors.Is(err, ErrErasing) {
		t.Errorf("a count begins while somebody waits to be erased: %v", err)
	}
	say(`UPDATE erasing SET contact = NULL`)
	if err := put(workspace.Default); !errors.Is(err, ErrErasing) {
		t.Errorf("stored with somebody who was erased since the count began: %v", err)
	}
	must(t, begin())
	must(t, put(workspace.Default))
	order(workspace.Default)
	say(`UPDATE erasing SET readable = 0`)
	must(t, begin())
	must(t, put(workspace.Default))
}
