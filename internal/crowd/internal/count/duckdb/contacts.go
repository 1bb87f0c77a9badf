package duckdb

import (
	"context"
	"errors"
	"fmt"

	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

var _ provable.Reader = (*Counter)(nil)

// Contacts implements provable.Reader: nothing is added up here. The questions must have one span, and no value that
// follows from other rows.
func (c *Counter) Contacts(ctx context.Context, snap release.Snapshot, s release.Settings, qs []release.Question,
	f func(provable.Unit, []provable.Row)) (err error) {
	for _, q := range qs {
		if q.Span != qs[0].Span || follows(q.Query.Value.Derived) {
			return fmt.Errorf("engine: %s cannot be read contact by contact", q.Query.Name)
		}
	}
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	n := &counts{conn: conn, plan: newPlan(s, qs)}
	defer func() { err = errors.Join(err, n.Close()) }()
	r := &reader{plan: n.plan, questions: qs, files: snap.Files, slice: c.slice, prefix: fmt.Sprintf("s%d", c.next.Add(1)), ids: true}
	err = n.read(ctx, r, func(ctx context.Context, s *slice) error { return s.contactwise(ctx, f) })
	if err != nil {
		return fmt.Errorf("engine: rows of %d files: %w", len(snap.Files), err)
	}
	return nil
}

// contactwise calls f with the rows of every contact that are in the span.
func (s *slice) contactwise(ctx context.Context, f func(provable.Unit, []provable.Row)) error {
	keys := make([]provable.Unit, len(s.marks))
	for key, i := range s.contacts {
		keys[i] = key
	}
	order, ends := s.byContact()
	var rows []provable.Row
	var cells []int32
	begin := uint32(0)
	for contact, end := range ends {
		if contact%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		rows, cells = rows[:0], cells[:0]
		for _, i := range order[begin:end] {
			if row := s.row(i); contact > 0 && s.layers[0].period(row[atTime]) == 0 {
				cells = s.cells(cells, row)
				rows = append(rows, provable.Row{At: row[atTime], ID: s.id(row), Cells: cells[len(cells)-len(s.answers):]})
			}
		}
		if len(rows) > 0 {
			f(keys[contact], rows)
		}
		begin = end
	}
	return nil
}

func (s *slice) id(row []int64) (id fact.ID) {
	if n := row[atID]; n > 0 {
		id = s.ids[n-1]
	}
	return id
}

// cells appends the cell that a row counts in, by question; -1: none.
func (s *slice) cells(cells []int32, row []int64) []int32 {
	is := s.signatureOf(row)
	for _, a := range s.answers {
		cell := int32(-1)
		if h := a.sheet.histograms[a.histogram]; is.in[h.population] {
			cell = int32(s.leaf(a.sheet.split, is, row, 0)*a.bins + s.bin(h, s.layers[0].spans[0], is, row, 0))
		}
		cells = append(cells, cell)
	}
	return cells
}
