// Package meta is the metadata database, murmur.db: workspaces, sources, policies, the consent register,
// released tables and the ledger.
//
// Zone: beside both doors. It holds no personal data in the clear: contacts are pseudonyms, secrets are
// sealed.
//
// It promises that what a Tx wrote is on the disk when it returns nil (SQLite, WAL, synchronous=FULL: with
// NORMAL a power cut loses acknowledged transactions), that a writer waits for another instead of failing,
// and that a database of a newer version is refused before anything in it is touched.
//
// It does not notice a changed byte in a page: SQLite has no checksums. The directory's manifest does
// (package datadir), and so does the ledger for its entries.
package meta

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// ErrNewer is returned for a database that was written by a newer version of this program.
var ErrNewer = errors.New("meta: the database is newer than this version")

//go:embed migrations/*.sql
var migrations embed.FS

// DB is the open database. Its methods read; Tx writes.
type DB struct {
	read  *sql.DB // query_only: a write that bypasses Tx fails
	write *sql.DB // one connection, BEGIN IMMEDIATE
}

// Open opens or creates the database and brings its schema up to date. ErrNewer.
func Open(ctx context.Context, path string) (*DB, error) {
	write, err := open(path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)"},
	})
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := open(path, url.Values{"_pragma": {"busy_timeout(10000)", "query_only(1)"}})
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	db := &DB{read: read, write: write}
	if err := migrate(ctx, write, filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("open metadata: %w", errors.Join(err, db.Close()))
	}
	return db, nil
}

// Peek opens the database of another directory as it is: nothing in it is changed or brought up to date.
func Peek(path string) (*sql.DB, error) {
	return open(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}})
}

func open(path string, q url.Values) (*sql.DB, error) {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open metadata: %w", err)
	}
	return db, nil
}

// migrate applies what is missing, each migration in a transaction of its own, and never goes back.
func migrate(ctx context.Context, db *sql.DB, dir string) error {
	fsys, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, fsys, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	// One at a time: two processes would both switch a new file to WAL, which waits for nobody, and goose asks for the
	// version and migrates in two steps. The lock is on the directory, because closing another descriptor of the
	// database would drop SQLite's own locks.
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock for migration: %w", err)
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	v, err := Version(ctx, db)
	if err != nil || v == newest {
		return err
	}
	if v > newest {
		return fmt.Errorf("schema %d, this version knows %d: %w", v, newest, ErrNewer)
	}
	_, err = p.Up(ctx)
	return err
}

// Version is the schema of a database: the number of its last migration, 0 for an empty one. It only reads.
func Version(ctx context.Context, db interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (int64, error) {
	var n int64
	err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'`).Scan(&n)
	if err != nil || n == 0 {
		return 0, err
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&n)
	return n, err
}

// Tx runs f in a transaction that is the only writer, in this and every other process. It commits durably
// when f returns nil, and rolls back otherwise. A writer waits at most 10 s for another one. Inside f, ask
// tx: another Tx would wait for this one.
func (db *DB) Tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Scrub empties the write-ahead log, so that no older version of a page is on the disk: with secure_delete, what was
// deleted is then in no file. While somebody reads it does nothing, and the next one does it.
func (db *DB) Scrub(ctx context.Context) error {
	if err := db.Scrubbed(ctx); !errors.Is(err, ErrRead) {
		return err
	}
	return nil
}

// ErrRead is returned by Scrubbed while somebody reads an older state.
var ErrRead = errors.New("meta: an older state is being read")

// Scrubbed is Scrub for who must know that it was done. ErrRead when it was not.
func (db *DB) Scrubbed(ctx context.Context) error {
	var busy, log, done int
	if err := db.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done); err != nil {
		return fmt.Errorf("scrub metadata: %w", err)
	}
	if busy != 0 {
		return ErrRead
	}
	return nil
}

// QueryContext reads what is committed.
func (db *DB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return db.read.QueryContext(ctx, query, args...)
}

// QueryRowContext reads one row of what is committed.
func (db *DB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return db.read.QueryRowContext(ctx, query, args...)
}

// Backup writes a copy of the database, consistent as of one moment, to a file that must not exist.
func (db *DB) Backup(ctx context.Context, path string) error {
	if _, err := db.write.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return fmt.Errorf("back up metadata: %w", err)
	}
	return nil
}

// Check asks SQLite whether the pages fit together, and names what does not.
func (db *DB) Check(ctx context.Context) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, `PRAGMA integrity_check`)
	if err != nil {
		return nil, fmt.Errorf("check metadata: %w", err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, fmt.Errorf("check metadata: %w", err)
		}
		if s != "ok" {
			found = append(found, s)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("check metadata: %w", err)
	}
	return found, nil
}

// Close closes the database; nothing of it may be used afterwards. The last one to close folds the
// write-ahead log into murmur.db.
func (db *DB) Close() error {
	return errors.Join(db.read.Close(), db.write.Close())
}

// Setting is what the directory remembers under a key; empty: nothing.
func (db *DB) Setting(ctx context.Context, key string) (value string, err error) {
	err = db.QueryRowContext(ctx, `SELECT value FROM settings WHERE key = ?`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read a setting: %w", err)
	}
	return value, nil
}

// Set remembers settings, all of them or none.
func (db *DB) Set(ctx context.Context, settings map[string]string) error {
	err := db.Tx(ctx, func(tx *sql.Tx) error {
		for key, value := range settings {
			if _, err := tx.ExecContext(ctx, `INSERT INTO settings VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2`, key, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep a setting: %w", err)
	}
	return nil
}
