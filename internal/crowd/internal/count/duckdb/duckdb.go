// Package duckdb counts with an embedded DuckDB over the lake's Parquet files.
//
// Zone: AMBER. The engine makes bounded integer sums and nothing else; merging and hiding happen in package
// release. It is locked in: it reads the lake's folder, writes its temporary folder, loads no extension,
// and cannot be talked out of it, not even by SQL of its own.
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
	Memory  string // limit, DuckDB's notation; "": 1GB
	Threads int    // 0: one a core
}

// Counter is a release.Counter. Close it.
type Counter struct {
	db   *sql.DB
	next atomic.Int64 // numbers the tables of a session
}

var _ release.Counter = (*Counter)(nil)

// Open starts an engine in memory and locks it in.
func Open(ctx context.Context, c Config) (*Counter, error) {
	if c.Lake == "" || c.Temp == "" {
		return nil, errors.New("open counter: the lake's folder and a temporary one are needed")
	}
	if c.Memory == "" {
		c.Memory = "1GB"
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
	return &Counter{db: db}, nil
}

// settings in the order that matters: folders are allowed before access is cut, and the lock is last.
func settings(c Config) []string {
	s := []string{
		"autoinstall_known_extensions=false",
		"autoload_known_extensions=false",
		"memory_limit=" + quote(c.Memory),
		"temp_directory=" + quote(c.Temp),
		"preserve_insertion_order=false",
		"allowed_directories=[" + quote(c.Lake) + "]",
	}
	if c.Threads > 0 {
		s = append(s, fmt.Sprintf("threads=%d", c.Threads))
	}
	return append(s, "enable_external_access=false", "lock_configuration=true")
}

// Close stops the engine.
func (c *Counter) Close() error { return c.db.Close() }

// Open reads the snapshot's rows of all questions into tables of its own, once.
func (c *Counter) Open(ctx context.Context, snap release.Snapshot, s release.Settings, qs []release.Question) (release.Counts, error) {
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	n := &counts{conn: conn, questions: qs, prefix: fmt.Sprintf("s%d", c.next.Add(1))}
	if err := n.load(ctx, snap, s); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// counts is one session: a connection and its temporary tables.
type counts struct {
	conn      *sql.Conn
	questions []release.Question
	prefix    string
	tables    []string
}

func (n *counts) load(ctx context.Context, snap release.Snapshot, s release.Settings) error {
	b := builder{settings: s, questions: n.questions, rows: n.prefix + "_rows"}
	if err := n.create(ctx, b.rows, b.rowsSQL(snap.Files)); err != nil {
		return fmt.Errorf("engine: rows of %d files: %w", len(snap.Files), err)
	}
	for i := range n.questions {
		if err := n.create(ctx, n.table(i), b.contributionsSQL(i)); err != nil {
			return fmt.Errorf("engine: question %d: %w", i, err)
		}
	}
	return n.drop(ctx, b.rows)
}

func (n *counts) table(question int) string { return fmt.Sprintf("%s_q%d", n.prefix, question) }

func (n *counts) create(ctx context.Context, table, query string) error {
	_, err := n.conn.ExecContext(ctx, "CREATE TEMP TABLE "+table+" AS "+query)
	if err == nil {
		n.tables = append(n.tables, table)
	}
	return err
}

func (n *counts) drop(ctx context.Context, table string) error {
	_, err := n.conn.ExecContext(ctx, "DROP TABLE IF EXISTS "+table)
	return err
}

// Close drops the session's tables, also when the caller's context is over.
func (n *counts) Close() error {
	var errs []error
	for _, t := range n.tables {
		errs = append(errs, n.drop(context.Background(), t))
	}
	return errors.Join(append(errs, n.conn.Close())...)
}

// Count asks for distinct contacts and bins of each cell.
func (n *counts) Count(ctx context.Context, question int, cells [][]int) ([]release.Cell, error) {
	q := n.questions[question]
	out := make([]release.Cell, len(cells))
	for i := range out {
		out[i].Bins = make([]int64, max(1, len(q.Query.Value.Bins)))
		out[i].Regions = make([]int64, len(q.Regions))
	}
	if len(cells) == 0 {
		return out, nil
	}
	rows, err := n.conn.QueryContext(ctx, cellsSQL(n.table(question), cells))
	if err != nil {
		return nil, fmt.Errorf("engine: question %d: %w", question, err)
	}
	defer rows.Close()
	for rows.Next() {
		var cell, population, bin, number int64
		if err := rows.Scan(&cell, &population, &bin, &number); err != nil {
			return nil, fmt.Errorf("engine: question %d: %w", question, err)
		}
		switch {
		case population > 0:
			out[cell].Regions[population-1] = number
		case bin < 0:
			out[cell].Contacts = number
		default:
			out[cell].Bins[bin] = number
		}
	}
	return out, rows.Err()
}
