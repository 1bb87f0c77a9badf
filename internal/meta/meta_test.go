package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

func opened(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func exec(ctx context.Context, q string, args ...any) func(*sql.Tx) error {
	return func(tx *sql.Tx) error { _, err := tx.ExecContext(ctx, q, args...); return err }
}

func TestEveryConnectionIsDurable(t *testing.T) {
	t.Parallel()
	db := opened(t, filepath.Join(t.TempDir(), "a b?c#%.db"))
	err := db.Tx(t.Context(), func(tx *sql.Tx) error {
		for q, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
			var got string
			if err := tx.QueryRow("PRAGMA " + q).Scan(&got); err != nil || got != want {
				return fmt.Errorf("%s is %s, want %s: %w", q, got, want, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := db.QueryContext(t.Context(), `INSERT INTO settings VALUES('a', 'b') RETURNING key`); err == nil {
		t.Error("a write went round Tx")
	}
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	db := opened(t, filepath.Join(t.TempDir(), "m.db"))
	boom := errors.New("boom")
	err := db.Tx(t.Context(), func(tx *sql.Tx) error {
		return errors.Join(exec(t.Context(), `INSERT INTO settings VALUES('a', 'b')`)(tx), boom)
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM settings`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows, want 0: %v", n, err)
	}
}

func TestWritersOfTwoProcessesWaitForEachOther(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "m.db")
	dbs := []*DB{opened(t, path), opened(t, path)}
	if err := dbs[0].Tx(t.Context(), exec(t.Context(), `INSERT INTO settings VALUES('n', '0')`)); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				err := dbs[i%2].Tx(t.Context(), func(tx *sql.Tx) error {
					var n int
					if err := tx.QueryRow(`SELECT value FROM settings`).Scan(&n); err != nil {
						return err
					}
					return exec(t.Context(), `UPDATE settings SET value = ?`, fmt.Sprint(n+1))(tx)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	if err := dbs[0].QueryRowContext(t.Context(), `SELECT value FROM settings`).Scan(&n); err != nil || n != 80 {
		t.Errorf("counted %d, want 80: %v", n, err)
	}
}

func TestANewerDatabaseIsRefusedUntouched(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "m.db")
	db := opened(t, path)
	if err := db.Tx(t.Context(), exec(t.Context(), `INSERT INTO goose_db_version(version_id, is_applied) VALUES(9999, 1)`)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrNewer) {
		t.Errorf("%v, want ErrNewer", err)
	}
}

func TestOpeningTwiceMigratesOnce(t *testing.T) {
	t.Parallel()
	all, err := migrations.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	newest, err := strconv.ParseInt(all[len(all)-1].Name()[:5], 10, 64) // numbers may be left out
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.db")
	for range 3 {
		db, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := Version(t.Context(), db); err != nil || v != newest {
			t.Errorf("schema %d, want %d: %v", v, newest, err)
		}
		if found, err := db.Check(t.Context()); err != nil || len(found) != 0 {
			t.Errorf("found %v: %v", found, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTwoProcessesMayCreateTheDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "m.db")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			db, err := Open(context.Background(), path)
			if err != nil {
				t.Error(err)
				return
			}
			db.Close()
		})
	}
	wg.Wait()
}

func TestABackupIsADatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := opened(t, filepath.Join(dir, "m.db"))
	if err := db.Tx(t.Context(), exec(t.Context(), `INSERT INTO settings VALUES('a', 'b')`)); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "copy.db")
	if err := db.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	var v string
	if err := opened(t, copied).QueryRowContext(t.Context(), `SELECT value FROM settings WHERE key = 'a'`).Scan(&v); err != nil || v != "b" {
		t.Errorf("%q: %v", v, err)
	}
	if err := db.Backup(t.Context(), copied); err == nil {
		t.Error("a file was overwritten")
	}
}

// TestNothingIsWrittenForADeletedName: every table that has a column for workspaces lets no row in for one that is deleted, but
// for the ledger's and the budget's, which stay, and those that say how workspaces stand. A new table needs a trigger.
func TestNothingIsWrittenForADeletedName(t *testing.T) {
	t.Parallel()
	db := opened(t, filepath.Join(t.TempDir(), "m.db"))
	rows, err := db.QueryContext(t.Context(), `SELECT m.name, (SELECT count(*) FROM sqlite_master g WHERE g.type = 'trigger' AND g.tbl_name = m.name AND g.sql LIKE '%FROM deletions%')
		FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'workspace' AND m.name NOT IN ('ledger', 'ledger_chain', 'budgets', 'deletions')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var table string
		var triggers int
		if err := rows.Scan(&table, &triggers); err != nil {
			t.Fatal(err)
		}
		if triggers != 1 {
			t.Errorf("table %s: %d triggers that look for deleted names, want 1", table, triggers)
		}
	}
	if n < 20 {
		t.Fatalf("only %d tables", n)
	}
	for _, q := range []string{
		`INSERT INTO deletions(workspace, at) VALUES('gone', 1)`,
		`INSERT INTO policy VALUES('gone', 'k', 'v', 1)`,
		`INSERT INTO policy VALUES('here', 'k', 'v', 1) ON CONFLICT(workspace, key) DO UPDATE SET value = excluded.value`,
		`INSERT INTO settings VALUES('mark/gone/a', '1') ON CONFLICT DO NOTHING`,
		`INSERT INTO settings VALUES('mark/here/a', '1')`,
	} {
		if err := db.Tx(t.Context(), exec(t.Context(), q)); err != nil {
			t.Fatal(q, err)
		}
	}
	var policies, marks int
	if err := db.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM policy), (SELECT count(*) FROM settings)`).Scan(&policies, &marks); err != nil || policies != 1 || marks != 1 {
		t.Errorf("%d policies, %d marks, want those of the one that is here: %v", policies, marks, err)
	}
}
