package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// counts is one session: a connection, its temporary tables, and what was counted already.
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

// read fills the sheets, a slice of the contacts at a time.
func (n *counts) read(ctx context.Context, r *reader) error {
	if err := n.settle(ctx, r); err != nil {
		return err
	}
	of, err := r.slices(ctx, n)
	if err != nil {
		return err
	}
	for slice := range of {
		if err := n.rows(ctx, r, slice, of); err != nil {
			return err
		}
		for i, l := range n.plan.layers {
			for j, sh := range l.sheets {
				if err := n.fill(ctx, r, sh, r.table(fmt.Sprintf("sheet%d_%d_%d", i, j, slice))); err != nil {
					return err
				}
			}
		}
		if err := n.drop(ctx, r.table("rows")); err != nil {
			return err
		}
	}
	return n.drop(ctx, r.table("dup"), r.table("won"))
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

// rows makes the table of a slice's rows.
func (n *counts) rows(ctx context.Context, r *reader, slice, of int) error {
	steps := []struct {
		name, query string
		after       []string // not needed any more
	}{
		{"raw", r.rawSQL(slice, of), nil},
		{"con", r.contactsSQL(), nil},
		{"narrow", r.narrowSQL(), []string{"raw", "con"}},
		{"met", r.metSQL(), nil},
		{"replied", r.repliedSQL(), nil},
		{"rows", r.rowsSQL(), []string{"narrow", "met", "replied"}},
	}
	for _, s := range steps {
		if s.name == "met" && !r.needs(release.ReturnedIn24h) || s.name == "replied" && !r.needs(release.ReplySeconds) {
			continue
		}
		if err := n.create(ctx, r.table(s.name), s.query); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for _, t := range s.after {
			if err := n.drop(ctx, r.table(t)); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill adds a slice to a sheet: its table, the contacts of each leaf, and all histograms.
func (n *counts) fill(ctx context.Context, r *reader, sh *sheet, table string) error {
	if err := n.create(ctx, table, r.sheetSQL(sh)); err != nil {
		return err
	}
	sh.tables = append(sh.tables, table)
	err := n.each(ctx, sh.leavesTallySQL(table), func(row []int64) {
		at := leafOf{int(row[0]), int(row[1])}
		sh.filled[at] = sh.plus(sh.filled[at], row[2:])
	})
	if err != nil {
		return err
	}
	err = n.each(ctx, sh.wholeSQL(table), func(row []int64) {
		key := cellKey(int(row[0]), nil)
		sh.known[key] = sh.plus(sh.known[key], row[1:])
	})
	if err != nil {
		return err
	}
	return n.each(ctx, r.histogramsSQL(sh), func(row []int64) {
		at := binOf{int(row[0]), leafOf{int(row[1]), int(row[2])}, int(row[3])}
		b := sh.bins[at]
		sh.bins[at] = bar{b.rows + row[4], b.marks.Plus(release.Marks{row[5], row[6]})}
	})
}

// each calls f with every row of a query of whole numbers.
func (n *counts) each(ctx context.Context, query string, f func([]int64)) error {
	rows, err := n.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return err
	}
	row := make([]int64, len(cols))
	dest := make([]any, len(cols))
	for i := range row {
		dest[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		f(row)
	}
	return rows.Err()
}

// plus adds what another slice of the contacts knows of the same cell: no contact is in two slices.
func (sh *sheet) plus(t tally, more []int64) tally {
	if t == nil {
		return slices.Clone(more)
	}
	for i := range t {
		if i < len(sh.populations) {
			t[i] += more[i]
		} else {
			t[i] = max(t[i], more[i])
		}
	}
	return t
}

// cellKey names a cell of a period; without leaves: all of it.
func cellKey(period int, leaves []int) string { return fmt.Sprint(period, leaves) }

// Count asks for distinct contacts and bins of each cell.
func (n *counts) Count(ctx context.Context, question int, cells [][]int) ([]release.Cell, error) {
	a := n.plan.answers[question]
	var ask [][]int
	parts := make([][]int, len(cells))
	for i, cell := range cells {
		parts[i] = a.sheet.occupied(a.period, cell)
		if _, ok := a.sheet.tally(a.period, parts[i]); !ok {
			ask = append(ask, parts[i])
		}
	}
	if err := n.measure(ctx, a.sheet, a.period, ask); err != nil {
		return nil, fmt.Errorf("engine: question %d: %w", question, err)
	}
	out := make([]release.Cell, len(cells))
	for i, leaves := range parts {
		t, _ := a.sheet.tally(a.period, leaves)
		out[i] = a.cell(t, leaves)
	}
	return out, nil
}

// occupied gives the leaves of a cell that any contact is in, in order.
func (sh *sheet) occupied(period int, cell []int) (leaves []int) {
	for _, leaf := range cell {
		if sh.filled[leafOf{period, leaf}] != nil {
			leaves = append(leaves, leaf)
		}
	}
	slices.Sort(leaves)
	return slices.Compact(leaves)
}

// tally gives the contacts of occupied leaves when they are known: of none, of one, of all, of a cell that was asked for.
func (sh *sheet) tally(period int, leaves []int) (tally, bool) {
	if len(leaves) == 0 {
		return make(tally, len(sh.populations)+len(sh.histograms)), true
	}
	if len(leaves) == 1 {
		return sh.filled[leafOf{period, leaves[0]}], true
	}
	if t, ok := sh.known[cellKey(period, leaves)]; ok {
		return t, true
	}
	if len(leaves) == sh.occupancy(period) {
		return sh.known[cellKey(period, nil)], true
	}
	return nil, false
}

// occupancy is how many leaves of a period any contact is in.
func (sh *sheet) occupancy(period int) (n int) {
	for at := range sh.filled {
		if at.period == period {
			n++
		}
	}
	return n
}

// measure counts the contacts of cells, once.
func (n *counts) measure(ctx context.Context, sh *sheet, period int, cells [][]int) error {
	if len(cells) == 0 {
		return nil
	}
	sums := make([]tally, len(cells))
	for _, table := range sh.tables {
		if err := n.each(ctx, sh.cellsSQL(table, period, cells), func(row []int64) {
			sums[row[0]] = sh.plus(sums[row[0]], row[1:])
		}); err != nil {
			return err
		}
	}
	for i, cell := range cells {
		sh.known[cellKey(period, cell)] = sums[i]
	}
	return nil
}

// cell gives a question's part of what a sheet knows about leaves.
func (a answer) cell(t tally, leaves []int) release.Cell {
	c := release.Cell{
		Contacts: t[a.populations[0]], Bins: make([]int64, a.bins), Keys: make([]release.Marks, a.bins),
		Most: t[len(a.sheet.populations)+a.histogram], Regions: make([]int64, len(a.populations)-1),
	}
	for i, p := range a.populations[1:] {
		c.Regions[i] = t[p]
	}
	for _, leaf := range leaves {
		for bin := range c.Bins {
			b := a.sheet.bins[binOf{a.histogram, leafOf{a.period, leaf}, bin}]
			c.Bins[bin], c.Keys[bin] = c.Bins[bin]+b.rows, c.Keys[bin].Plus(b.marks)
		}
	}
	return c
}

// Moved is a day on which a version of a fact stands that has versions on other days too.
type Moved struct {
	Day  time.Time // UTC
	Kind fact.Kind
}

// Moved finds the days of facts that changed their day and were not settled yet, in the files of a workspace.
func (c *Counter) Moved(ctx context.Context, ws workspace.ID, snap release.Snapshot) (days []Moved, err error) {
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	n := &counts{conn: conn}
	defer func() { err = errors.Join(err, n.Close()) }()
	r := &reader{plan: &plan{settings: release.Settings{Workspace: ws}}, prefix: fmt.Sprintf("s%d", c.next.Add(1))}
	r.files = nearFresh(snap.Files)
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

// nearFresh leaves out the files that no count reads together with a fresh one: a block reads Horizon around itself.
func nearFresh(files []release.File) (near []release.File) {
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
