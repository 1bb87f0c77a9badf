// Package sqlite is the journal of one machine, the queue and the book of deliveries: one SQLite file in WAL mode with
// synchronous=FULL. No other code knows that they are SQLite, nor that they are one.
//
// All writes of a process go through one goroutine that commits what has come in meanwhile in one
// transaction (group commit): one fsync for up to 512 messages, at once when nobody else waits. A Transform
// commits outputs, states and cursor in such a transaction too. Other processes may open the same file
// (import, status, replay): SQLite's locks keep the transactions apart, and a file lock admits one consumer
// of a group. The tables are described in docs/format/journal.md.
//
// It promises what packages journal and deliveries do (P1, P3, P4). A full disk refuses and recovers by itself; any other
// storage error refuses everything until the journal is opened anew, because after a failed fsync nobody
// knows what the disk holds.
//
// It does not protect against a flipped bit (the payload's own seal does, on opening), nor against a disk that
// acknowledges fsync and loses the data, nor does it work on a network file system. No other code of the process may open
// and close the journal's file: closing any descriptor of it drops SQLite's POSIX locks.
package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"murmur/internal/deliveries"
	"murmur/internal/journal"
)

// Version is that of the file format, kept in user_version.
const Version = 3

// application marks the file as a murmur journal ("murj").
const application = 0x6d75726a

var (
	//go:embed schema.sql
	schema string
	//go:embed migrate2.sql
	migrate2 string
	//go:embed migrate3.sql
	migrate3 string
)

// Config adjusts a journal. The zero value is good.
type Config struct {
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Poll is how often a consumer looks for messages of other processes; 0 means 200 ms.
	Poll time.Duration
	// Busy is how long a transaction waits for one of another process; 0 means 10 s.
	Busy time.Duration
	// synchronous overrides FULL: the negative control of the power-cut test, nothing else.
	synchronous string
	// tail overrides tailMost in tests.
	tail int
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Poll == 0 {
		c.Poll = 200 * time.Millisecond
	}
	if c.Busy == 0 {
		c.Busy = 10 * time.Second
	}
	if c.synchronous == "" {
		c.synchronous = "FULL"
	}
	if c.tail == 0 {
		c.tail = tailMost
	}
	return c
}

// Journal is a journal.Queue and a deliveries.Store in one file.
type Journal struct {
	config Config
	path   string
	writes *sql.DB // one connection, the writer's
	reads  *sql.DB // query_only
	writer *writer
	places *places
	bell   bell

	checkpoints checkpoints
	stopBeside  func() // ends the goroutines beside the writer, and waits for them
}

var (
	_ journal.Queue    = (*Journal)(nil)
	_ deliveries.Store = (*Journal)(nil)
)

// Open opens the journal at path and creates it if there is none. The file is 0600; beside it lie SQLite's
// -wal and -shm files and one lock file a consumer group.
func Open(ctx context.Context, path string, c Config) (*Journal, error) {
	j, err := open(ctx, path, c.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", classify(err))
	}
	return j, nil
}

func open(ctx context.Context, path string, c Config) (_ *Journal, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	j := &Journal{config: c, path: path, places: newPlaces(c.tail), checkpoints: make(checkpoints, 1)}
	defer func() {
		if err != nil {
			_ = j.closeFiles()
		}
	}()
	// Deleted facts leave no trace in live pages (secure_delete), temporary tables stay in memory, and the
	// log is cut back after a burst. SQLite's own checkpoints are for when those of checkpoint.go do not keep up.
	if j.writes, err = sql.Open("sqlite", dsn(path, c, "secure_delete(FAST)", "wal_autocheckpoint(16000)",
		"journal_size_limit(67108864)", "cache_size(-16384)")); err != nil {
		return nil, err
	}
	j.writes.SetMaxOpenConns(1)
	if err := migrate(ctx, j.writes); err != nil {
		return nil, err
	}
	if j.reads, err = sql.Open("sqlite", dsn(path, c, "query_only(1)")); err != nil {
		return nil, err
	}
	j.reads.SetMaxOpenConns(4)
	if j.writer, err = startWriter(ctx, j); err != nil {
		return nil, err
	}
	j.startBeside()
	return j, nil
}

func (j *Journal) startBeside() {
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { j.file(ctx) })
	all.Go(func() { j.checkpoint(ctx) })
	j.stopBeside = func() {
		stop()
		all.Wait()
	}
}

// Close commits what was handed in, stops the writer and closes the file. Consumers must have ended.
func (j *Journal) Close() error {
	j.stopBeside()
	j.writer.stop()
	return j.closeFiles()
}

func (j *Journal) closeFiles() (err error) {
	for _, db := range []*sql.DB{j.reads, j.writes} { // the writer's last: it checkpoints the log
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}

// create makes an empty file that only its owner may read, and makes its name durable. An existing file is
// not touched, see the package comment.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func dsn(path string, c Config, pragmas ...string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		fmt.Sprintf("busy_timeout(%d)", c.Busy.Milliseconds()),
		"journal_mode(WAL)", "synchronous(" + c.synchronous + ")", "temp_store(MEMORY)"}, pragmas...)}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// migrate creates the tables of a new file, brings those of an older version forward and refuses a newer one.
func migrate(ctx context.Context, db *sql.DB) error {
	var version, app, vacuum int
	if err := db.QueryRowContext(ctx, `select user_version, application_id, auto_vacuum
		from pragma_user_version, pragma_application_id, pragma_auto_vacuum`).Scan(&version, &app, &vacuum); err != nil {
		return err
	}
	switch {
	case version > Version:
		return journal.ErrNewer
	case (version == 0) != (app == 0) || app != 0 && app != application:
		return errors.New("the file is not a murmur journal")
	}
	if version < Version {
		if err := forward(ctx, db); err != nil {
			return err
		}
	}
	if vacuum == incremental {
		return nil
	}
	// A file that cannot return free pages is rewritten as one that can. Without disk space for that it stays as it
	// is.
	_, err := db.ExecContext(ctx, fmt.Sprintf("pragma auto_vacuum = %d; vacuum", incremental))
	if errors.Is(classify(err), journal.ErrFull) {
		return nil
	}
	return err
}

// incremental is SQLite's number of auto_vacuum = incremental.
const incremental = 2

// forward makes the tables of this version, of those of an older one where there are some, in one transaction.
func forward(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect after Commit
	var version int                      // again, now that nobody else can change it
	if err := tx.QueryRowContext(ctx, "pragma user_version").Scan(&version); err != nil || version == Version {
		return err
	}
	script := [...]string{0: schema, 1: renameAll() + schema + migrate2 + fileAll, 2: migrate3 + fileAll}[version]
	if _, err := tx.ExecContext(ctx, script+fmt.Sprintf("pragma application_id = %d; pragma user_version = %d;", application, Version)); err != nil {
		return fmt.Errorf("bring version %d to %d: %w", version, Version, err)
	}
	return tx.Commit()
}

// fileAll files every delivery.
const fileAll = `insert into place select substr(id, 1, 8), pos from delivery order by 1, 2; update sequence set filed = next;`

// renameAll puts the tables of version 1 aside.
func renameAll() string {
	var b strings.Builder
	for _, table := range []string{"workspace", "sequence", "delivery", "payload", "message", "cursor", "accepted", "purged"} {
		fmt.Fprintf(&b, "alter table %[1]s rename to v1_%[1]s;\n", table)
	}
	for _, index := range []string{"delivery_id", "delivery_state", "delivery_contact", "payload_epoch", "message_epoch"} {
		fmt.Fprintf(&b, "drop index %s;\n", index)
	}
	return b.String()
}

// Backup writes one consistent copy to a file that must not exist: VACUUM INTO, which reads one snapshot while others
// write. Nothing sealed is in it, see stripFile.
func (j *Journal) Backup(ctx context.Context, path string) error {
	if err := j.backup(ctx, path); err != nil {
		return fmt.Errorf("back up journal: %w", classify(err))
	}
	return nil
}

func (j *Journal) backup(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // VACUUM INTO takes an empty file
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	db, err := sql.Open("sqlite", dsn(j.path, j.config)) // query_only forbids it
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, `vacuum into ?`, path); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	if err := stripFile(ctx, path); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	// SQLite does not sync the copy.
	return errors.Join(f.Sync(), syncDir(filepath.Dir(path)))
}

// groupName is what a consumer group may be called: it is part of a file name.
var groupName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
