package lake

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go/table"

	"murmur/internal/fact"
)

// verdict is what a rewrite does with a row.
type verdict int

const (
	stay   verdict = iota
	drop           // the row leaves
	unlink         // the contact's value leaves, the row stays
	sever          // the id becomes a random one, the row stays
)

// group is files that new ones replace: of each id the highest version of the group, in the order of a file, as judge
// decides. Merging, deduplication, erasure and de-linking are this one operation.
type group struct {
	table fact.Table
	files []dataFile
	// judge decides about one row of a file; it sees no Numbers and no Text. nil: every row stays. Only a group without
	// one moves loose rows to their days.
	judge func(dataFile, Stored) verdict
	// gone: the files leave, nothing replaces them.
	gone bool
}

// commitRows is about how many rows one commit rewrites: appends get their turn in between.
const commitRows = 1 << 19

// rewriteAll rewrites groups, many a commit. A file that cannot be read is left as it is and its error given; the
// others go on.
func (l *Lake) rewriteAll(ctx context.Context, groups []group) error {
	var errs []error
	for len(groups) > 0 {
		n, rows := 0, int64(0)
		for n < len(groups) && (n == 0 || rows+rowsOf(groups[n].files) <= commitRows) {
			rows += rowsOf(groups[n].files)
			n++
		}
		err := l.change(ctx, func(m *move) error { return l.rewrite(ctx, m, l.live(groups[:n])) })
		if errs = append(errs, err); err != nil && !isDamage(err) {
			break
		}
		groups = groups[n:]
	}
	return errors.Join(errs...)
}

// live leaves out groups that another writer was faster with.
func (l *Lake) live(groups []group) []group {
	return slices.DeleteFunc(slices.Clone(groups), func(g group) bool {
		return slices.ContainsFunc(g.files, func(f dataFile) bool {
			_, there := l.state[g.table].files[f.path]
			return !there
		})
	})
}

// rewrite stages the new files of groups.
func (l *Lake) rewrite(ctx context.Context, m *move, groups []group) error {
	for _, t := range tables {
		mine := slices.DeleteFunc(slices.Clone(groups), func(g group) bool { return g.table != t })
		if len(mine) == 0 {
			continue
		}
		err := l.edit(ctx, m, t, func(tbl *table.Table, txn *table.Transaction) error {
			swap := txn.NewRewrite(nil)
			for _, g := range mine {
				made, err := l.remake(ctx, m, tbl, &g)
				if err != nil {
					return err
				}
				for _, f := range g.files {
					swap.DeleteFile(f.DataFile)
				}
				for _, f := range made {
					swap.AddDataFile(f.DataFile)
				}
			}
			return swap.Commit(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// remake writes the files that replace a group's. Where an old file waits to be settled, the new ones wait too. A file
// that cannot be read leaves the group.
func (l *Lake) remake(ctx context.Context, m *move, tbl *table.Table, g *group) ([]dataFile, error) {
	if g.gone {
		return nil, nil
	}
	all, err := l.readWhole(ctx, m, g)
	if err != nil || all == nil {
		return nil, err
	}
	s := sorted(m, g, all)
	waits := slices.ContainsFunc(g.files, func(f dataFile) bool { return l.fresh[f.path] && !m.settled[f.path] })
	var out []dataFile
	for from := 0; from < len(s.order); {
		p, to := s.part(from), from+1
		for to < len(s.order) && s.part(to) == p {
			to++
		}
		rec, err := s.take(ctx, from, to)
		if err != nil {
			return nil, err
		}
		f, err := l.writeFile(tbl, g.table, rec, p)
		if err != nil {
			return nil, err
		}
		if waits {
			m.fresh[f.path] = true
		}
		out, from = append(out, f), to
	}
	return out, nil
}

// sorting is the rows of a group on their way to new files.
type sorting struct {
	*head
	order  []int32 // the rows that stay
	unlink map[int32]bool
	// severed has the new ids of rows.
	severed map[int32]fact.ID
	loose   bool // they stay loose
	places  []place
}

// place is where a row goes: its day and bucket, then its workspace, as a number in the order of names.
type place struct {
	day    Day
	bucket int32
	ws     int32
}

// sorted gives of each id the version that counts, judged, in the order of the new files.
func sorted(m *move, g *group, all arrow.RecordBatch) *sorting {
	s := &sorting{head: headOf(g.table, all), unlink: map[int32]bool{}, severed: map[int32]fact.ID{}}
	s.loose = g.judge != nil && g.files[0].part.loose
	s.newest(m)
	if g.judge != nil {
		s.judge(m, g)
	}
	s.arrange()
	return s
}

// newest leaves, of each id, the row that counts: the highest version, among equals one without a contact. Days that
// lose a row to another one change.
func (s *sorting) newest(m *move) {
	n := int(s.rec.NumRows())
	s.order = make([]int32, n)
	for i := range s.order {
		s.order[i] = int32(i)
	}
	same := func(a, b int32) int {
		return cmp.Or(bytes.Compare(s.id.Value(int(a)), s.id.Value(int(b))), cmp.Compare(s.workspace.Value(int(a)), s.workspace.Value(int(b))))
	}
	slices.SortFunc(s.order, func(a, b int32) int {
		return cmp.Or(same(a, b), cmp.Compare(s.version.Value(int(b)), s.version.Value(int(a))), s.contacts(a)-s.contacts(b), cmp.Compare(a, b))
	})
	kept := s.order[:0]
	for _, i := range s.order {
		if len(kept) == 0 || same(kept[len(kept)-1], i) != 0 {
			kept = append(kept, i)
		} else if s.t == fact.Facts && s.day(kept[len(kept)-1]) != s.day(i) {
			m.changed(s.row(int(i)))
		}
	}
	s.order = kept
}

func (s *sorting) day(i int32) Day { return dayAt(fact.Micros(s.at.Value(int(i)))) }

// contacts is 1 when a row has a contact's value.
func (s *sorting) contacts(i int32) int {
	if s.contact != nil && s.contact.IsValid(int(i)) {
		return 1
	}
	return 0
}

// judge obeys the verdicts and notes on the move what they change.
func (s *sorting) judge(m *move, g *group) {
	starts := make([]int, len(g.files)) // of each file's rows
	for i, f := range g.files[:len(g.files)-1] {
		starts[i+1] = starts[i] + int(f.Count())
	}
	s.order = slices.DeleteFunc(s.order, func(i int32) bool {
		f := sort.Search(len(starts), func(k int) bool { return starts[k] > int(i) }) - 1
		r := s.row(int(i))
		r.n = int(i) - starts[f]
		v := g.judge(g.files[f], r)
		if v == unlink && s.contacts(i) == 1 {
			s.unlink[i] = true
		}
		if v == sever {
			s.sever(m, i, r)
		}
		if v == drop || s.unlink[i] {
			m.changed(r)
		}
		return v == drop
	})
}

// arrange puts the rows in the order of files: day and bucket, unless they stay loose; workspace; time; id.
func (s *sorting) arrange() {
	names := map[string]int32{}
	for _, i := range s.order {
		names[s.workspace.Value(int(i))] = 0
	}
	var bucket []int32
	for n, name := range slices.Sorted(maps.Keys(names)) {
		names[name] = int32(n)
		bucket = append(bucket, bucketOf(workspaceOf(name)))
	}
	s.places = make([]place, s.rec.NumRows())
	for _, i := range s.order {
		p := place{ws: names[s.workspace.Value(int(i))]}
		if !s.loose {
			p.day, p.bucket = s.day(i), bucket[p.ws]
		}
		s.places[i] = p
	}
	slices.SortFunc(s.order, func(a, b int32) int {
		p, q := s.places[a], s.places[b]
		if p != q {
			return cmp.Or(cmp.Compare(p.day, q.day), cmp.Compare(p.bucket, q.bucket), cmp.Compare(p.ws, q.ws))
		}
		return cmp.Or(cmp.Compare(s.at.Value(int(a)), s.at.Value(int(b))), bytes.Compare(s.idOf(a), s.idOf(b)))
	})
}

// part is where the n-th row in order goes.
func (s *sorting) part(n int) part {
	p := s.places[s.order[n]]
	return part{day: p.day, bucket: p.bucket, loose: s.loose}
}

// take copies rows of the order into a record of their own.
func (s *sorting) take(ctx context.Context, from, to int) (arrow.RecordBatch, error) {
	order := s.order[from:to]
	ib := array.NewInt32Builder(memory.DefaultAllocator)
	ib.AppendValues(order, nil)
	indices := ib.NewInt32Array()
	cols := make([]arrow.Array, s.rec.NumCols())
	for i := range cols {
		if s.rec.Schema().Field(i).Name == "contact" && len(s.unlink) > 0 {
			cols[i] = unlinked(s.contact, order, s.unlink)
			continue
		}
		if len(s.severed) > 0 {
			if cols[i] = s.severedColumn(s.rec.Schema().Field(i).Name, order); cols[i] != nil {
				continue
			}
		}
		var err error
		if cols[i], err = compute.TakeArray(ctx, s.rec.Column(i), indices); err != nil {
			return nil, fmt.Errorf("column %s: %w", s.rec.Schema().Field(i).Name, err)
		}
	}
	return array.NewRecordBatch(s.rec.Schema(), cols, int64(len(order))), nil
}

// unlinked takes the contacts in order, without the values of those unlinked.
func unlinked(contacts *array.FixedSizeBinary, order []int32, unlink map[int32]bool) arrow.Array {
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
