package workspace_test

import (
	"database/sql"
	"testing"

	"murmur/internal/workspace"
)

// TestAKeyOfAnOlderMurmurIsPassedOver: a policy that was stored with a key which says nothing any more can be read, and
// nobody sets that key again.
func TestAKeyOfAnOlderMurmurIsPassedOver(t *testing.T) {
	t.Parallel()
	s, db := newStoreOf(t)
	err := db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO policy(workspace, key, value, set_at) VALUES(?, 'recognizer', 'rampart', 1)`, workspace.Default.String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.Policy(t.Context(), workspace.Default); err != nil || p.Reader != workspace.On {
		t.Errorf("reader %q: %v", p.Reader, err)
	}
	if _, err := s.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "recognizer", Value: "rampart"}}, "why", "who"); err == nil {
		t.Error("the old key can be set")
	}
}
