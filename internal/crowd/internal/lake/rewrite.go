package lake

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go/table"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
)

// Verdict is what a rewrite does with a row.
type Verdict int

const (
	Stay   Verdict = iota
	Drop           // the row leaves
	Unlink         // the contact's value leaves, the row stays
)

// Keep decides about one row. It sees only the highest version of an id in its partition, without Numbers and
// Text.
type Keep func(Stored) Verdict

// Rewrite puts new files in the place of a day's files, in both tables: the highest version of each id, in
// the order of workspace and time, as keep decides. It is compaction, deduplication, erasure and
// de-linking in one; a nil keep lets every row stay.
func (l *Lake) Rewrite(ctx context.Context, day Day, keep Keep) error {
	err := l.change(ctx, func(m *move) error {
		parts := map[part]bool{}
		for p := range l.allParts() {
			if p.day == day {
				parts[p] = true
			}
		}
		return l.rewrite(ctx, m, parts, keep)
	})
	return wrap("rewrite a day", err)
}

// rewrite stages new files for partitions of both tables.
func (l *Lake) rewrite(ctx context.Context, m *move, parts map[part]bool, keep Keep) error {
	if len(parts) == 0 {
		return nil
	}
	recorded, err := l.catalog.files(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		var old []dataFile
		fresh := map[part]bool{} // where an old file still waits to be settled, the new one waits too
		for p, files := range l.state[t].parts() {
			if !parts[p] {
				continue
			}
			old = append(old, files...)
			for _, f := range files {
				fresh[p] = fresh[p] || recorded[f.path].fresh && !m.settled[f.path]
			}
		}
		made := func(f dataFile) {
			if fresh[f.part] {
				m.fresh[f.path] = true
			}
		}
		if err := l.replace(ctx, m, t, old, &remake{noting(m, keep), made}); err != nil {
			return err
		}
	}
	return nil
}

// noting tells the move which rows a verdict changes.
func noting(m *move, keep Keep) Keep {
	if keep == nil {
		return nil
	}
	return func(r Stored) Verdict {
		v := keep(r)
		if v == Drop || v == Unlink && r.Contact != [anon.ContactLen]byte{} {
			m.changed(r)
		}
		return v
	}
}

// remake says how new files are made of old ones, and hears of each.
type remake struct {
	keep Keep
	made func(dataFile)
}

// replace stages the removal of old files and, with a remake, the files made of them in their place.
func (l *Lake) replace(ctx context.Context, m *move, t fact.Table, old []dataFile, r *remake) error {
	if len(old) == 0 {
		return nil
	}
	return l.edit(ctx, m, t, func(tbl *table.Table, txn *table.Transaction) error {
		var made []dataFile
		if r != nil {
			var err error
			if made, err = l.write(ctx, tbl, l.builders[t].schema, l.remade(ctx, t, old, r.keep), table.WithClusteredWrite()); err != nil {
				return err
			}
			for _, f := range made {
				r.made(f)
			}
		}
		swap := txn.NewRewrite(nil)
		for _, f := range old {
			swap.DeleteFile(f.DataFile)
		}
		for _, f := range made {
			swap.AddDataFile(f.DataFile)
		}
		return swap.Commit(ctx)
	})
}

// remade gives the records of the new files, a partition at a time.
func (l *Lake) remade(ctx context.Context, t fact.Table, old []dataFile, keep Keep) iter.Seq2[arrow.RecordBatch, error] {
	parts := map[part][]dataFile{}
	for _, f := range old {
		parts[f.part] = append(parts[f.part], f)
	}
	return func(yield func(arrow.RecordBatch, error) bool) {
		for _, files := range parts {
			rec, err := l.merge(ctx, t, files, keep)
			if err != nil {
				yield(nil, err)
				return
			}
			if rec.NumRows() > 0 && !yield(rec, nil) {
				return
			}
		}
	}
}

// merge reads a partition's files into one record: winners only, judged, sorted.
func (l *Lake) merge(ctx context.Context, t fact.Table, files []dataFile, keep Keep) (arrow.RecordBatch, error) {
	schema := l.builders[t].schema
	all, err := l.readWhole(ctx, schema, files)
	if err != nil {
		return nil, err
	}
	h := headOf(t, all)
	unlink := make([]bool, all.NumRows())
	order := h.winners()
	order = slices.DeleteFunc(order, func(i int64) bool {
		if keep == nil {
			return false
		}
		switch keep(h.row(int(i))) {
		case Drop:
			return true
		case Unlink:
			unlink[i] = true
		}
		return false
	})
	slices.SortFunc(order, h.compare)
	ib := array.NewInt64Builder(memory.DefaultAllocator)
	ib.AppendValues(order, nil)
	indices := ib.NewInt64Array()
	cols := make([]arrow.Array, all.NumCols())
	for i := range cols {
		if schema.Field(i).Name == "contact" {
			cols[i] = unlinked(all.Column(i).(*array.FixedSizeBinary), order, unlink)
			continue
		}
		if cols[i], err = compute.TakeArray(ctx, all.Column(i), indices); err != nil {
			return nil, err
		}
	}
	return array.NewRecordBatch(schema, cols, int64(len(order))), nil
}

// unlinked takes the contacts in order, without the values of those unlinked.
func unlinked(contacts *array.FixedSizeBinary, order []int64, unlink []bool) arrow.Array {
	b := array.NewFixedSizeBinaryBuilder(memory.DefaultAllocator, contacts.DataType().(*arrow.FixedSizeBinaryType))
	b.Reserve(len(order))
	for _, i := range order {
		if unlink[i] || contacts.IsNull(int(i)) {
			b.AppendNull()
		} else {
			b.Append(contacts.Value(int(i)))
		}
	}
	return b.NewArray()
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s in lake: %w", what, err)
}
