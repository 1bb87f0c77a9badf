package meta

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
)

// What is asked wrongly blames nobody's disk; what cannot be written, or is closed, does.
func TestFailed(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "murmur.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, wrong := db.QueryContext(t.Context(), `SELECT nothing FROM nowhere`)
	_, readonly := db.read.ExecContext(t.Context(), `CREATE TABLE x (y)`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{{"a wrong question", wrong, false}, {"a database that only reads", readonly, true}, {"no error", nil, false},
		{"a closed connection", fmt.Errorf("begin: %w", sql.ErrConnDone), true}, {"a cancelled context", context.Canceled, false}} {
		if got := Failed(c.err); got != c.want {
			t.Errorf("%s (%v): %t", c.name, c.err, got)
		}
	}
}
