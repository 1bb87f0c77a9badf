package lake

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/iceberg-go"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Stored is a row as it stands in a file.
type Stored struct {
	Table     fact.Table
	Workspace workspace.ID
	Kind      fact.Kind
	ID        fact.ID
	Version   int64
	At        fact.Micros
	Contact   [anon.ContactLen]byte // zero: de-linked, or a consent about nobody
	Call      fact.ID               // table facts: the call or message it belongs to; zero: none
	// Numbers has the Long columns from direction (table facts) or topic (texts) on, in the order of Schema;
	// fact.Absent for null. Text is the masked words, empty for null. Only Rows sets them.
	Numbers []int64
	Text    string
}

// Number gives a column of a row that Rows yielded.
func (s Stored) Number(c fact.Column) int64 {
	i := 0
	for _, d := range fact.Schema(s.Table) {
		if d.Type != fact.Long || d.Column <= fact.ColContact {
			continue
		}
		if d.Column == c {
			return s.Numbers[i]
		}
		i++
	}
	return fact.Absent
}

// colHead are the columns that drop looks at, colVersions those that settle looks at, colChange those of a Change.
var (
	colHead = map[fact.Table][]fact.Column{
		fact.Facts: {fact.ColWorkspace, fact.ColKind, fact.ColID, fact.ColVersion, fact.ColContact, fact.ColCallHi, fact.ColCallLo},
		fact.Texts: {fact.ColWorkspace, fact.ColKind, fact.ColID, fact.ColVersion, fact.ColContact},
	}
	colVersions = []fact.Column{fact.ColWorkspace, fact.ColID, fact.ColVersion}
	colChange   = []fact.Column{fact.ColWorkspace, fact.ColKind, fact.ColID, fact.ColVersion, fact.ColAt}
)

// Rows yields every row of a table as its files have it, superseded versions included. The lake is pinned
// meanwhile.
func (l *Lake) Rows(ctx context.Context, t fact.Table) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		snap, release, err := l.Pin(ctx)
		if err != nil {
			yield(Stored{}, err)
			return
		}
		defer release()
		for r, err := range l.scan(ctx, t, snap.files[t], nil) {
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// scan yields the rows of files with the named columns alone; nil: all, with Numbers and Text.
func (l *Lake) scan(ctx context.Context, t fact.Table, files []dataFile, cols []fact.Column) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		for _, f := range files {
			tab, err := l.readTable(ctx, f, names(cols))
			if err != nil {
				yield(Stored{}, err)
				return
			}
			tr := array.NewTableReader(tab, 0)
			for tr.Next() {
				h := headOf(t, tr.RecordBatch())
				for i := range int(tr.RecordBatch().NumRows()) {
					r := h.row(i)
					if cols == nil {
						h.rest(i, &r)
					}
					if !yield(r, nil) {
						return
					}
				}
			}
		}
	}
}

func names(cols []fact.Column) []string {
	var out []string
	for _, c := range cols {
		d, _ := fact.Declared(c)
		out = append(out, d.Name)
	}
	return out
}

// readTable reads a file's columns by name; nil: all.
func (l *Lake) readTable(ctx context.Context, f dataFile, cols []string) (arrow.Table, error) {
	pf, err := file.OpenParquetFile(l.catalog.disk.path(f.path), false)
	if err != nil {
		return nil, fmt.Errorf("open data file: %w", err)
	}
	defer func() { _ = pf.Close() }()
	r, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: 1 << 16, Parallel: cols == nil}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	var idx, groups []int
	for _, c := range cols {
		i := pf.MetaData().Schema.ColumnIndexByName(c)
		if i < 0 {
			return nil, errors.New("a data file lacks a column")
		}
		idx = append(idx, i)
	}
	if cols == nil {
		return r.ReadTable(ctx)
	}
	for i := range pf.NumRowGroups() {
		groups = append(groups, i)
	}
	return r.ReadRowGroups(ctx, idx, groups)
}

// readWhole reads files into one record of the schema; a column that a file lacks is null there.
func (l *Lake) readWhole(ctx context.Context, schema *arrow.Schema, files []dataFile) (arrow.RecordBatch, error) {
	chunks := make([][]arrow.Array, schema.NumFields())
	var rows int64
	for _, f := range files {
		tab, err := l.readTable(ctx, f, nil)
		if err != nil {
			return nil, err
		}
		rows += tab.NumRows()
		for i, field := range schema.Fields() {
			at := tab.Schema().FieldIndices(field.Name)
			if len(at) != 1 {
				chunks[i] = append(chunks[i], array.MakeArrayOfNull(memory.DefaultAllocator, field.Type, int(tab.NumRows())))
				continue
			}
			chunks[i] = append(chunks[i], tab.Column(at[0]).Data().Chunks()...)
		}
	}
	cols := make([]arrow.Array, len(chunks))
	for i, c := range chunks {
		var err error
		if cols[i], err = array.Concatenate(c, memory.DefaultAllocator); err != nil {
			return nil, fmt.Errorf("column %s: %w", schema.Field(i).Name, err)
		}
	}
	return array.NewRecordBatch(schema, cols, rows), nil
}

// head is a record's columns that every row has; those that were not read are nil.
type head struct {
	t         fact.Table
	rec       arrow.RecordBatch
	workspace *array.String
	kind      *array.Int64
	id        *array.FixedSizeBinary
	version   *array.Int64
	at        *array.Timestamp
	contact   *array.FixedSizeBinary
	hi, lo    *array.Int64
	last      string // the workspace read last: rows of one stand together
	lastID    workspace.ID
}

func headOf(t fact.Table, rec arrow.RecordBatch) *head {
	h := &head{t: t, rec: rec}
	for i, f := range rec.Schema().Fields() {
		switch f.Name {
		case "workspace":
			h.workspace = rec.Column(i).(*array.String)
		case "kind":
			h.kind = rec.Column(i).(*array.Int64)
		case "id":
			h.id = rec.Column(i).(*array.FixedSizeBinary)
		case "version":
			h.version = rec.Column(i).(*array.Int64)
		case "at":
			h.at = rec.Column(i).(*array.Timestamp)
		case "contact":
			h.contact = rec.Column(i).(*array.FixedSizeBinary)
		case "call_hi":
			h.hi = rec.Column(i).(*array.Int64)
		case "call_lo":
			h.lo = rec.Column(i).(*array.Int64)
		}
	}
	return h
}

func (h *head) row(i int) Stored {
	r := Stored{Table: h.t, Workspace: h.ws(i), Version: h.version.Value(i)}
	copy(r.ID[:], h.id.Value(i))
	if h.kind != nil {
		r.Kind = fact.Kind(h.kind.Value(i))
	}
	if h.at != nil {
		r.At = fact.Micros(h.at.Value(i))
	}
	if h.contact != nil && h.contact.IsValid(i) {
		copy(r.Contact[:], h.contact.Value(i))
	}
	if h.hi != nil && h.lo != nil && h.hi.IsValid(i) && h.lo.IsValid(i) {
		r.Call = fact.Reference(h.hi.Value(i), h.lo.Value(i))
	}
	return r
}

func (h *head) ws(i int) workspace.ID {
	if s := h.workspace.Value(i); s != h.last {
		h.last = s
		h.lastID = workspace.ID{}
		copy(h.lastID[:], s)
	}
	return h.lastID
}

// rest reads what is not head.
func (h *head) rest(i int, r *Stored) {
	at := 0
	for _, d := range fact.Schema(h.t) {
		col := h.rec.Column(at)
		at++
		switch {
		case d.Type == fact.Words && col.IsValid(i):
			r.Text = col.(*array.String).Value(i)
		case d.Type == fact.Long && d.Column > fact.ColContact:
			v := int64(fact.Absent)
			if col.IsValid(i) {
				v = col.(*array.Int64).Value(i)
			}
			r.Numbers = append(r.Numbers, v)
		}
	}
}

// winners gives, for each id, the row that counts: the highest version, among equals one without a contact.
func (h *head) winners() []int64 {
	best := make(map[key]int64, h.rec.NumRows())
	for i := range h.rec.NumRows() {
		k := key{ws: h.ws(int(i))}
		copy(k.id[:], h.id.Value(int(i)))
		old, known := best[k]
		if !known || h.beats(int(i), int(old)) {
			best[k] = i
		}
	}
	order := make([]int64, 0, len(best))
	for _, i := range best {
		order = append(order, i)
	}
	return order
}

func (h *head) beats(i, old int) bool {
	if a, b := h.version.Value(i), h.version.Value(old); a != b {
		return a > b
	}
	return h.contact.IsNull(i) && h.contact.IsValid(old)
}

// compare is the order of a compacted file: workspace, time, id.
func (h *head) compare(a, b int64) int {
	i, j := int(a), int(b)
	return cmp.Or(
		cmp.Compare(h.workspace.Value(i), h.workspace.Value(j)),
		cmp.Compare(h.at.Value(i), h.at.Value(j)),
		bytes.Compare(h.id.Value(i), h.id.Value(j)))
}

// bucketOf is the bucket that Iceberg puts a workspace in.
func bucketOf(ws workspace.ID) int32 { return bucket(ws.String()).Val }

var bucket = iceberg.BucketTransform{NumBuckets: buckets}.Transformer(iceberg.PrimitiveTypes.String)
