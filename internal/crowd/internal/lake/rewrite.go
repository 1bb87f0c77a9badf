package lake

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go/table"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Verdict is what a rewrite does with a row.
type Verdict int

const (
	Stay   Verdict = iota
	Drop           // the row leaves
	Unlink         // the contact's value leaves, the row stays
)

// Keep decides about one row. It sees only the highest version of an id in its partition, without Numbers
// and Text.
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
		return l.rewrite(ctx, m, tables, parts, keep)
	})
	return wrap("rewrite a day", err)
}

// Forget drops every row of the contacts in one workspace, of all versions. A row that was de-linked is
// nobody's and stays.
func (l *Lake) Forget(ctx context.Context, ws workspace.ID, contacts []anon.Contact) error {
	gone := make(map[[anon.ContactLen]byte]bool, len(contacts))
	for _, c := range contacts {
		if c.Valid() {
			gone[c.Bytes()] = true
		}
	}
	err := l.drop(ctx, func(r Stored) bool { return r.Workspace == ws && gone[r.Contact] }, colHead)
	return wrap("forget", err)
}

// Retract drops facts by their ids, in one workspace.
func (l *Lake) Retract(ctx context.Context, ws workspace.ID, ids []fact.ID) error {
	gone := make(map[fact.ID]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	err := l.drop(ctx, func(r Stored) bool { return r.Workspace == ws && gone[r.ID] }, colHead)
	return wrap("retract", err)
}

// drop removes what match names from all days. Superseded versions go first: without that an old version of
// a row that is dropped would come to light again.
func (l *Lake) drop(ctx context.Context, match func(Stored) bool, cols []fact.Column) error {
	if err := l.settle(ctx); err != nil {
		return err
	}
	return l.change(ctx, func(m *move) error {
		parts := map[part]bool{}
		for _, t := range tables {
			for p, files := range l.state[t].parts() {
				if parts[p] {
					continue
				}
				for r, err := range l.scan(ctx, t, files, cols) {
					if err != nil {
						return err
					}
					if match(r) {
						parts[p] = true
						break
					}
				}
			}
		}
		return l.rewrite(ctx, m, tables, parts, func(r Stored) Verdict {
			if match(r) {
				return Drop
			}
			return Stay
		})
	})
}

// Delink drops the contact's value from the rows of all days that ended at or before t. From then on rows
// of one person cannot be joined.
func (l *Lake) Delink(ctx context.Context, before time.Time) error {
	err := l.change(ctx, func(m *move) error {
		parts := map[part]bool{}
		for _, t := range tables {
			for _, f := range l.state[t].files {
				linked := f.ValueCounts()[int(fact.ColContact)] != f.NullValueCounts()[int(fact.ColContact)]
				if linked && f.part.day < DayOf(before) {
					parts[f.part] = true
				}
			}
		}
		return l.rewrite(ctx, m, tables, parts, func(Stored) Verdict { return Unlink })
	})
	return wrap("de-link", err)
}

// DropTexts drops the masked words of all days that ended at or before t.
func (l *Lake) DropTexts(ctx context.Context, before time.Time) error {
	err := l.change(ctx, func(m *move) error {
		var old []dataFile
		for _, f := range l.state[fact.Texts].files {
			if f.part.day < DayOf(before) {
				old = append(old, f)
			}
		}
		return l.replace(ctx, m, fact.Texts, old, nil)
	})
	return wrap("drop texts", err)
}

// Compact drops superseded versions, in whatever day they are, and then merges the files of at most
// maxDays days, those with the most files first. Days with few files are left alone.
func (l *Lake) Compact(ctx context.Context, maxDays int) error {
	if err := l.settle(ctx); err != nil {
		return wrap("compact", err)
	}
	err := l.change(ctx, func(m *move) error {
		return l.rewrite(ctx, m, tables, l.scattered(maxDays), nil)
	})
	return wrap("compact", err)
}

// scattered gives the partitions of many small files, of at most maxDays days.
func (l *Lake) scattered(maxDays int) map[part]bool {
	count := map[Day]int{}
	many := map[part]bool{}
	for _, t := range tables {
		for p, files := range l.state[t].parts() {
			if len(files) >= l.cfg.SmallFiles {
				many[p] = true
				count[p.day] += len(files)
			}
		}
	}
	days := make([]Day, 0, len(count))
	for d := range count {
		days = append(days, d)
	}
	slices.SortFunc(days, func(a, b Day) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	days = days[:min(len(days), maxDays)]
	for p := range many {
		if !slices.Contains(days, p.day) {
			delete(many, p)
		}
	}
	return many
}

// key is a fact's identity.
type key struct {
	ws workspace.ID
	id fact.ID
}

// winner is the version of an id that counts, and the day it happened in.
type winner struct {
	version int64
	day     Day
}

// settle looks the ids of fresh files up in all days and drops the rows that a higher version supersedes.
// It reads the ids and versions of the buckets that have fresh files, and nothing when there are none.
func (l *Lake) settle(ctx context.Context) error {
	return l.change(ctx, func(m *move) error {
		recorded, err := l.catalog.files(ctx)
		if err != nil {
			return err
		}
		var fresh []dataFile
		byBucket := map[int32]map[key]winner{}
		for _, f := range l.state[fact.Facts].files {
			if recorded[f.path].fresh {
				fresh = append(fresh, f)
				byBucket[f.part.bucket] = map[key]winner{}
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		for _, f := range fresh {
			if err := l.findWinners(ctx, f, byBucket[f.part.bucket], true); err != nil {
				return err
			}
		}
		for _, f := range l.state[fact.Facts].files {
			if w := byBucket[f.part.bucket]; w != nil && !recorded[f.path].fresh {
				if err := l.findWinners(ctx, f, w, false); err != nil {
					return err
				}
			}
		}
		stale, err := l.findStale(ctx, byBucket)
		if err != nil {
			return err
		}
		m.settled = true
		return l.rewrite(ctx, m, tables, stale, func(r Stored) Verdict {
			w, ok := byBucket[l.bucketOf(r.Workspace)][key{r.Workspace, r.ID}]
			if ok && w != (winner{r.Version, DayOf(time.UnixMicro(int64(r.At)))}) {
				return Drop
			}
			return Stay
		})
	})
}

// findWinners raises winners to what f has. Ids that are not among them are added only from fresh files.
func (l *Lake) findWinners(ctx context.Context, f dataFile, winners map[key]winner, add bool) error {
	for r, err := range l.scan(ctx, fact.Facts, []dataFile{f}, colVersions) {
		if err != nil {
			return err
		}
		k := key{r.Workspace, r.ID}
		old, known := winners[k]
		if !known && !add {
			continue
		}
		w := winner{r.Version, f.part.day}
		if !known || w.version > old.version || w.version == old.version && w.day > old.day {
			winners[k] = w
		}
	}
	return nil
}

// findStale gives the partitions that have more than the winner of an id.
func (l *Lake) findStale(ctx context.Context, byBucket map[int32]map[key]winner) (map[part]bool, error) {
	stale := map[part]bool{}
	for _, t := range tables {
		for p, files := range l.state[t].parts() {
			winners := byBucket[p.bucket]
			if winners == nil || stale[p] {
				continue
			}
			seen := map[key]bool{}
			for r, err := range l.scan(ctx, t, files, colVersions) {
				if err != nil {
					return nil, err
				}
				k := key{r.Workspace, r.ID}
				if w, ok := winners[k]; ok && (seen[k] || w != (winner{r.Version, p.day})) {
					stale[p] = true
					break
				}
				seen[k] = true
			}
		}
	}
	return stale, nil
}

// rewrite stages new files for partitions of some tables.
func (l *Lake) rewrite(ctx context.Context, m *move, in []fact.Table, parts map[part]bool, keep Keep) error {
	if len(parts) == 0 {
		return nil
	}
	recorded, err := l.catalog.files(ctx)
	if err != nil {
		return err
	}
	for _, t := range in {
		var old, fresh []dataFile
		for p, files := range l.state[t].parts() {
			if !parts[p] {
				continue
			}
			old = append(old, files...)
			for _, f := range files {
				if recorded[f.path].fresh && !m.settled {
					fresh = append(fresh, f)
				}
			}
		}
		freshParts := map[part]bool{}
		for _, f := range fresh {
			freshParts[f.part] = true
		}
		made := func(f dataFile) {
			if freshParts[f.part] {
				m.setFresh(f.path)
			}
		}
		if err := l.replace(ctx, m, t, old, &remake{keep, made}); err != nil {
			return err
		}
	}
	return nil
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
			if made, err = l.write(ctx, tbl, l.builders[t].schema, l.remade(ctx, t, old, r.keep)); err != nil {
				return err
			}
			for _, f := range made {
				r.made(f)
			}
		}
		// Rewrite semantics without the table's own rows check: this is a replace of files by files.
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
