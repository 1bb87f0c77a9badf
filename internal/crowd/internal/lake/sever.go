package lake

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// An id is a keyed hash of the platform's own id: with the key and the platform's list of calls one could find each call's row.
// So an old row gets a random id, which occurs nowhere else, and loses the id of the call that it refers to. The lake stores
// separately that the old id was counted, so that the same fact does not count again (table murmur_spent).

// severed is the version of a row with a random id. A source's are 0 at least.
const severed = -1

// Sever gives the rows of the workspaces, kinds and days that cut names random ids. What is said of their facts afterwards changes
// nothing: a newer version is dropped, a refusal of the call does not find them. A file that cannot be read stays as it is, and its
// error is given; the others go on.
func (l *Lake) Sever(ctx context.Context, cut func(workspace.ID, fact.Kind, Day) bool) error {
	var errs []error
	for more := true; more && ctx.Err() == nil; {
		err := l.change(ctx, func(m *move) error {
			var groups []group
			var err error
			if groups, more, err = l.severable(ctx, m, cut); err != nil {
				return err
			}
			return l.rewrite(ctx, m, groups)
		})
		if errs = append(errs, err); err != nil {
			break
		}
	}
	return wrap("sever", errors.Join(append(errs, ctx.Err())...))
}

// severable gives files with rows to sever, about as many as a commit rewrites, and whether there are more. Rows stay for the next
// time whose id may stand in another row too: what was not yet looked up in all days.
func (l *Lake) severable(ctx context.Context, m *move, cut func(workspace.ID, fact.Kind, Day) bool) (groups []group, more bool, err error) {
	busy, err := l.unsettled(ctx)
	if err != nil {
		return nil, false, err
	}
	judge := func(_ dataFile, r Stored) verdict {
		if r.Version != severed && cut(r.Workspace, r.Kind, dayAt(r.At)) && !busy[r.ID] {
			return sever
		}
		return stay
	}
	rows := int64(0)
	for _, f := range l.state[fact.Facts].files {
		if f.part.loose || l.fresh[f.path] || l.damaged[f.path] {
			continue
		}
		found, err := l.any(ctx, f, judge)
		if err := m.tolerate(err); err != nil {
			return nil, false, err
		}
		if !found {
			continue
		}
		if rows > 0 && rows+f.Count() > commitRows {
			return groups, true, nil
		}
		groups, rows = append(groups, group{table: fact.Facts, files: []dataFile{f}, judge: judge}), rows+f.Count()
	}
	return groups, false, nil
}

// any reports whether a file has a row to sever. Most files have only severed rows, or no old ones; a cheap look tells.
func (l *Lake) any(ctx context.Context, f dataFile, judge func(dataFile, Stored) verdict) (bool, error) {
	whole := true
	for r, err := range l.scan(ctx, fact.Facts, f, []fact.Column{fact.ColVersion}) {
		if err != nil {
			return false, err
		}
		if whole = whole && r.Version == severed; !whole {
			break
		}
	}
	if whole {
		return false, nil
	}
	for r, err := range l.scan(ctx, fact.Facts, f, []fact.Column{fact.ColWorkspace, fact.ColKind, fact.ColID, fact.ColVersion, fact.ColAt}) {
		if err != nil {
			return false, err
		}
		if judge(f, r) == sever {
			return true, nil
		}
	}
	return false, nil
}

// unsettled are the ids of files that were not yet looked up in the other days.
func (l *Lake) unsettled(ctx context.Context) (map[fact.ID]bool, error) {
	ids := map[fact.ID]bool{}
	for _, f := range l.state[fact.Facts].files {
		if !l.fresh[f.path] {
			continue
		}
		for r, err := range l.scan(ctx, fact.Facts, f, []fact.Column{fact.ColID}) {
			if err != nil {
				return nil, err
			}
			ids[r.ID] = true
		}
	}
	return ids, nil
}

// sever draws the new id of a row and notes that the old one is spent.
func (s *sorting) sever(m *move, i int32, r Stored) {
	var id fact.ID
	_, _ = rand.Read(id[:]) // never fails
	s.severed[i] = id
	m.spent = append(m.spent, spentOf(r.Workspace, r.ID))
	m.severed = max(m.severed, dayAt(r.At))
}

// idOf is the id that a row has from now on.
func (s *sorting) idOf(i int32) []byte {
	if id, ok := s.severed[i]; ok {
		return id[:]
	}
	return s.id.Value(int(i))
}

// severedColumn takes a column in order, with what severed rows have instead; nil: it has the same for them.
func (s *sorting) severedColumn(name string, order []int32) arrow.Array {
	switch name {
	case "id":
		b := array.NewFixedSizeBinaryBuilder(memory.DefaultAllocator, s.id.DataType().(*arrow.FixedSizeBinaryType))
		b.Reserve(len(order))
		for _, i := range order {
			b.Append(s.idOf(i))
		}
		return b.NewArray()
	case "version", "call_hi", "call_lo":
		from := map[string]*array.Int64{"version": s.version, "call_hi": s.hi, "call_lo": s.lo}[name]
		b := array.NewInt64Builder(memory.DefaultAllocator)
		b.Reserve(len(order))
		for _, i := range order {
			switch _, gone := s.severed[i]; {
			case gone && name == "version":
				b.Append(severed)
			case gone || from.IsNull(int(i)):
				b.AppendNull()
			default:
				b.Append(from.Value(int(i)))
			}
		}
		return b.NewArray()
	}
	return nil
}

// spentOf is the number under which the lake stores that an id was counted.
func spentOf(ws workspace.ID, id fact.ID) int64 {
	h := sha256.New()
	h.Write(ws[:])
	h.Write(id[:])
	return int64(binary.BigEndian.Uint64(h.Sum(nil)))
}

// spend remembers the ids of severed rows.
func (m *move) spend(ctx context.Context, tx *sql.Tx) error {
	if len(m.spent) == 0 {
		return nil
	}
	ins, err := tx.PrepareContext(ctx, `INSERT OR IGNORE INTO murmur_spent VALUES (?)`)
	if err != nil {
		return err
	}
	for _, n := range m.spent {
		if _, err := ins.ExecContext(ctx, n); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO murmur_lake VALUES ('severed', ?1) ON CONFLICT(key) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(?1 AS INTEGER))`, strconv.Itoa(int(m.severed)))
	return err
}

// unspent leaves out the facts whose rows are severed. A version that takes its event out of the days that have severed rows
// counts as another fact.
func (c *catalog) unspent(ctx context.Context, rows []Row) ([]Row, error) {
	var last int
	err := c.db.QueryRowContext(ctx, `SELECT CAST(value AS INTEGER) FROM murmur_lake WHERE key = 'severed'`).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return rows, nil
	}
	if err != nil {
		return nil, err
	}
	var q *sql.Stmt
	kept := rows[:0:0]
	for _, r := range rows {
		if dayAt(r.Fact.Meta().At) <= Day(last) {
			if q == nil {
				if q, err = c.db.PrepareContext(ctx, `SELECT 1 FROM murmur_spent WHERE id = ?`); err != nil {
					return nil, err
				}
				defer q.Close()
			}
			var one int
			err := q.QueryRowContext(ctx, spentOf(r.Workspace, r.Fact.Meta().ID)).Scan(&one)
			if err == nil {
				continue
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return nil, err
			}
		}
		kept = append(kept, r)
	}
	return kept, nil
}
