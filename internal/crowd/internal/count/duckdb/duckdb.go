// Package duckdb counts the rows of the lake's Parquet files: DuckDB reads them, this package adds them up by contact
// (docs/adr/0014-the-engine-reads-murmur-adds-up.md).
//
// Zone: AMBER. It makes bounded integer sums and nothing else; merging and hiding happen in package release. The way of a
// row: rows.go and sql.go let the engine read it, words.go packs its columns; judge.go decides which questions it counts for;
// fold.go collects the rows of a contact, ties.go derives values from them; sheet.go and people.go count contacts. The engine
// is locked in: it reads only the lake's folder, writes only its temporary folder, and loads no extension, whatever SQL it
// gets.
//
// It does not protect against: someone who can write files into the lake.
package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	duck "github.com/duckdb/duckdb-go/v2"

	"murmur/internal/crowd/release"
)

// Config says where the engine may work.
type Config struct {
	Lake    string // the folder (or object-store prefix) of the lake: nothing else can be read
	Temp    string // for what does not fit in memory, on the data volume; an own folder
	Memory  string // limit, DuckDB's notation; "": 256MB
	Threads int    // 0: one a core
	// SliceRows is about how many rows are held at once: more are read in slices of contacts. 0: 2,000,000.
	SliceRows int64
}

// Counter is a release.Counter. Close it.
type Counter struct {
	db    *sql.DB
	slice int64        // rows
	next  atomic.Int64 // numbers the tables of a session
}

var _ release.Counter = (*Counter)(nil)

// Open starts an engine in memory and locks it in.
func Open(ctx context.Context, c Config) (*Counter, error) {
	if c.Lake == "" || c.Temp == "" {
		return nil, errors.New("open counter: the lake's folder and a temporary one are needed")
	}
	if c.Memory == "" {
		c.Memory = "256MB"
	}
	if c.SliceRows == 0 {
		c.SliceRows = 2_000_000
	}
	connector, err := duck.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("open counter: %w", err)
	}
	db := sql.OpenDB(connector)
	for _, set := range settings(c) {
		if _, err := db.ExecContext(ctx, "SET GLOBAL "+set); err != nil {
			_ = db.Close()
			return nil, fmt.Errorf("open counter: setting %s: %w", strings.Fields(set)[0], err)
		}
	}
	return &Counter{db: db, slice: c.SliceRows}, nil
}

// settings in the order that matters: folders are allowed before access is cut, and the lock is last.
func settings(c Config) []string {
	s := []string{
		"autoinstall_known_extensions=false",
		"autoload_known_extensions=false",
		"memory_limit=" + quote(c.Memory),
		"temp_directory=" + quote(c.Temp),
		"preserve_insertion_order=false",
		"enable_external_file_cache=false", // it is kept beside memory_limit, and the kernel caches files too
		"allowed_directories=[" + quote(c.Lake) + "]",
	}
	if c.Threads > 0 {
		s = append(s, fmt.Sprintf("threads=%d", c.Threads))
	}
	return append(s, "enable_external_access=false", "lock_configuration=true")
}

// Close stops the engine.
func (c *Counter) Close() error { return c.db.Close() }

// Open reads the snapshot's rows once, for all questions.
func (c *Counter) Open(ctx context.Context, snap release.Snapshot, s release.Settings, qs []release.Question) (release.Counts, error) {
	n, err := c.read(ctx, snap, s, qs, nil)
	if err != nil {
		return nil, err
	}
	return n, nil
}

func (c *Counter) read(ctx context.Context, snap release.Snapshot, s release.Settings, qs []release.Question, each func(*plan, counted)) (*counts, error) {
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	n := &counts{conn: conn, plan: newPlan(s, qs)}
	r := &reader{plan: n.plan, questions: qs, files: snap.Files, slice: c.slice, prefix: fmt.Sprintf("s%d", c.next.Add(1))}
	for _, l := range n.plan.layers {
		for _, sh := range l.sheets {
			sh.begin(len(l.spans))
		}
	}
	fold := func(ctx context.Context, s *slice) error {
		s.each = each
		return s.fold(ctx)
	}
	err = n.tellOwn(ctx, r, snap.Own)
	if err == nil {
		err = n.read(ctx, r, fold)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("engine: rows of %d files: %w", len(snap.Files), err), n.Close())
	}
	return n, nil
}
