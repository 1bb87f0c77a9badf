package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// counts is one session: a connection, its temporary tables, and what was counted.
type counts struct {
	conn   *sql.Conn
	plan   *plan
	tables []string
}

func (n *counts) create(ctx context.Context, table, query string) error {
	_, err := n.conn.ExecContext(ctx, "CREATE TEMP TABLE "+table+" AS "+query)
	if err == nil {
		n.tables = append(n.tables, table)
	}
	return err
}

func (n *counts) drop(ctx context.Context, tables ...string) error {
	for _, t := range tables {
		if _, err := n.conn.ExecContext(ctx, "DROP TABLE IF EXISTS "+t); err != nil {
			return err
		}
		n.tables = slices.DeleteFunc(n.tables, func(o string) bool { return o == t })
	}
	return nil
}

// Close drops the session's tables, also when the caller's context is over.
func (n *counts) Close() error {
	err := n.drop(context.Background(), slices.Clone(n.tables)...)
	return errors.Join(err, n.conn.Close())
}

// read hands over the rows, a slice of the contacts at a time.
func (n *counts) read(ctx context.Context, r *reader, done func(context.Context, *slice) error) error {
	if err := n.settle(ctx, r); err != nil {
		return err
	}
	of, err := r.slices(ctx, n)
	if err != nil {
		return err
	}
	vouched, err := n.vouch(ctx, r)
	if err != nil {
		return err
	}
	j := newJudge(n.plan, layOut(n.plan))
	for i := range of {
		s := newSlice(j, vouched)
		for _, query := range r.statements(j.words, i, of) {
			if err := n.scan(ctx, query, s.take); err != nil {
				return err
			}
		}
		if err := done(ctx, s); err != nil {
			return err
		}
	}
	return n.drop(ctx, r.table("dup"), r.table("won"))
}

// scan calls f with every row of a query. It asks the driver itself: sql.Rows converts each value once more.
func (n *counts) scan(ctx context.Context, query string, f func([]driver.Value)) error {
	return n.conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		values := make([]driver.Value, len(rows.Columns()))
		for err = rows.Next(values); err == nil; err = rows.Next(values) {
			f(values)
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return errors.Join(err, rows.Close())
	})
}

// settle finds the facts that stand in several rows, and of each the row that counts.
func (n *counts) settle(ctx context.Context, r *reader) error {
	if !r.unsettled() {
		return nil
	}
	if err := n.create(ctx, r.table("dup"), r.dupSQL()); err != nil {
		return err
	}
	if err := n.conn.QueryRowContext(ctx, "SELECT count(*) > 0 FROM "+r.table("dup")).Scan(&r.doubled); err != nil || !r.doubled {
		return err
	}
	return n.create(ctx, r.table("won"), r.wonSQL())
}

// each calls f with every row of a query of whole numbers.
func (n *counts) each(ctx context.Context, query string, f func([]int64)) error {
	var row []int64
	return n.scan(ctx, query, func(values []driver.Value) {
		row = row[:0]
		for _, v := range values {
			number, _ := v.(int64)
			row = append(row, number)
		}
		f(row)
	})
}

// Count gives distinct contacts and bins of each cell.
func (n *counts) Count(_ context.Context, question int, cells [][]int) ([]release.Cell, error) {
	a := n.plan.answers[question]
	occupied := make([][]int, len(cells))
	for i, cell := range cells {
		occupied[i] = a.sheet.periods[a.period].occupied(cell)
	}
	out := make([]release.Cell, len(cells))
	for i, t := range a.sheet.of(a.period, occupied) {
		out[i] = a.count(t, occupied[i])
	}
	return out, nil
}

// Moved is a day on which a version of a fact stands that has versions on other days too.
type Moved struct {
	Day  time.Time // UTC
	Kind fact.Kind
}

// Moved finds the days of facts that changed their day and were not settled yet, in the files of a workspace. It reads those that
// NearFresh leaves.
func (c *Counter) Moved(ctx context.Context, ws workspace.ID, snap release.Snapshot) (days []Moved, err error) {
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	n := &counts{conn: conn}
	defer func() { err = errors.Join(err, n.Close()) }()
	r := &reader{plan: &plan{settings: release.Settings{Workspace: ws}}, prefix: fmt.Sprintf("s%d", c.next.Add(1))}
	r.files = NearFresh(snap.Files)
	if !slices.ContainsFunc(r.files, fresh) {
		return nil, nil
	}
	if err := n.create(ctx, r.table("moved"), r.movedSQL()); err != nil {
		return nil, fmt.Errorf("engine: facts that moved: %w", err)
	}
	some := false
	if err := n.conn.QueryRowContext(ctx, "SELECT count(*) > 0 FROM "+r.table("moved")).Scan(&some); err != nil || !some {
		return nil, err
	}
	err = n.each(ctx, r.movedDaysSQL(), func(row []int64) {
		days = append(days, Moved{time.UnixMicro(row[1] * 86_400_000_000).UTC(), fact.Kind(row[0])})
	})
	return days, err
}

func fresh(f release.File) bool { return !f.Settled }

// NearFresh leaves out the files that no count reads together with a fresh one: a block reads Horizon around itself.
func NearFresh(files []release.File) (near []release.File) {
	const reach = release.Horizon + 35*24*time.Hour
	for _, f := range files {
		if slices.ContainsFunc(files, func(o release.File) bool {
			return fresh(o) && o.Span.Start.Add(-reach).Before(f.Span.End) && o.Span.End.Add(reach).After(f.Span.Start)
		}) {
			near = append(near, f)
		}
	}
	return near
}
