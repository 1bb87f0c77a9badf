package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
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
	// fact.Absent for null. Text is the masked words, empty for null. Only a scan of all columns sets them.
	Numbers []int64
	Text    string

	n int // its place in its file
}

// Number gives a column of a row that was read whole.
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

// damagedError says that a data file could not be read, or is not as it was written.
type damagedError struct {
	path string // below the lake's directory
	err  error
}

func (e *damagedError) Error() string { return "data file " + e.path + ": " + e.err.Error() }
func (e *damagedError) Unwrap() error { return e.err }

// Unreadable reports whether an operation did everything but for data files that cannot be read.
func Unreadable(err error) bool { return isDamage(err) }

func isDamage(err error) bool {
	var bad *damagedError
	return errors.As(err, &bad)
}

// scan yields the rows of a file with the named columns alone; nil: all, with Numbers and Text.
func (l *Lake) scan(ctx context.Context, t fact.Table, f dataFile, cols []fact.Column) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		goOn := true
		err := l.heads(ctx, t, f, cols, func(h *head, first int) bool {
			for i := 0; goOn && i < int(h.rec.NumRows()); i++ {
				r := h.row(i)
				r.n = first + i
				if cols == nil {
					h.rest(i, &r)
				}
				goOn = yield(r, nil)
			}
			return goOn
		})
		if err != nil && goOn {
			yield(Stored{}, err)
		}
	}
}

// heads calls f for batches of a file's rows until it says no. first is the place of a batch's first row.
func (l *Lake) heads(ctx context.Context, t fact.Table, f dataFile, cols []fact.Column, each func(h *head, first int) bool) error {
	tab, err := l.readColumns(ctx, f, cols)
	if err != nil {
		return err
	}
	first := 0
	for tr := array.NewTableReader(tab, 0); tr.Next(); {
		h := headOf(t, tr.RecordBatch())
		if !each(h, first) {
			return nil
		}
		first += int(h.rec.NumRows())
	}
	return nil
}

// readColumns reads the named columns of a file; nil: all.
func (l *Lake) readColumns(ctx context.Context, f dataFile, cols []fact.Column) (arrow.Table, error) {
	path, release, err := l.catalog.disk.hold(ctx, f.path)
	if err != nil {
		return nil, err
	}
	defer release()
	r, err := os.Open(path)
	if err != nil {
		return nil, &damagedError{f.path, err}
	}
	defer func() { _ = r.Close() }()
	tab, err := readTable(ctx, r, cols)
	if err != nil {
		return nil, f.damaged(ctx, err)
	}
	return tab, nil
}

// damaged turns an error in reading into one about the file, unless the context ended the reading.
func (f dataFile) damaged(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &damagedError{f.path, err}
}

// readTable reads columns of a Parquet file; nil: all. A column that the file does not have is left out. The library
// panics on some damaged files.
func readTable(ctx context.Context, r parquet.ReaderAtSeeker, cols []fact.Column) (_ arrow.Table, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("read columns: %v", p)
		}
	}()
	pf, err := file.NewParquetReader(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = pf.Close() }()
	fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: 1 << 16}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	if cols == nil {
		return fr.ReadTable(ctx)
	}
	var idx, groups []int
	for _, c := range cols {
		d, _ := fact.Declared(c)
		if i := pf.MetaData().Schema.ColumnIndexByName(d.Name); i >= 0 {
			idx = append(idx, i)
		} else if !d.Nullable {
			return nil, errors.New("lacks a column")
		}
	}
	for i := range pf.NumRowGroups() {
		groups = append(groups, i)
	}
	return fr.ReadRowGroups(ctx, idx, groups)
}

// readWhole reads a group's files into one record, with the columns that any of them has; nil when none is left. What
// is read is going to be written anew, so each file must be byte for byte as it was written: otherwise damaged rows
// would be written into an undamaged file.
func (l *Lake) readWhole(ctx context.Context, m *move, g *group) (arrow.RecordBatch, error) {
	var tabs []arrow.Table
	var sound []dataFile
	for _, f := range g.files {
		tab, err := l.readSound(ctx, f)
		if err := m.tolerate(err); err != nil {
			return nil, err
		}
		if err == nil {
			tabs, sound = append(tabs, tab), append(sound, f)
		}
	}
	if g.files = sound; len(tabs) == 0 {
		return nil, nil
	}
	return concatenated(l.builders[g.table].schema, tabs)
}

func (l *Lake) readSound(ctx context.Context, f dataFile) (arrow.Table, error) {
	b, err := l.catalog.whole(ctx, f.path)
	if err != nil {
		return nil, err
	}
	tab, err := readTable(ctx, bytes.NewReader(b), nil)
	if err != nil {
		return nil, f.damaged(ctx, err)
	}
	return tab, nil
}

// concatenated makes one record of tables: the columns of the schema that any of them has.
func concatenated(schema *arrow.Schema, tabs []arrow.Table) (arrow.RecordBatch, error) {
	rows := int64(0)
	has := map[string]bool{}
	for _, tab := range tabs {
		rows += tab.NumRows()
		for _, c := range tab.Schema().Fields() {
			has[c.Name] = true
		}
	}
	var fields []arrow.Field
	var cols []arrow.Array
	for _, field := range schema.Fields() {
		if !has[field.Name] {
			continue
		}
		var chunks []arrow.Array
		for _, tab := range tabs {
			if at := tab.Schema().FieldIndices(field.Name); len(at) == 1 {
				chunks = append(chunks, tab.Column(at[0]).Data().Chunks()...)
			} else {
				chunks = append(chunks, array.MakeArrayOfNull(memory.DefaultAllocator, field.Type, int(tab.NumRows())))
			}
		}
		col, err := array.Concatenate(chunks, memory.DefaultAllocator)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", field.Name, err)
		}
		fields, cols = append(fields, field), append(cols, col)
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rows), nil
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
	numbers   []*array.Int64
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
	r := Stored{Table: h.t, Workspace: h.ws(i)}
	if h.id != nil {
		copy(r.ID[:], h.id.Value(i))
	}
	if h.version != nil {
		r.Version = h.version.Value(i)
	}
	if h.kind != nil {
		r.Kind = fact.Kind(h.kind.Value(i))
	}
	if h.at != nil {
		r.At = fact.Micros(h.at.Value(i))
	}
	r.Contact, r.Call = h.who(i), h.refers(i)
	return r
}

func (h *head) ws(i int) workspace.ID {
	if h.workspace == nil {
		return workspace.ID{}
	}
	if s := h.workspace.Value(i); s != h.last {
		h.last, h.lastID = s, workspaceOf(s)
	}
	return h.lastID
}

// refers gives the call that a row belongs to; zero: none.
func (h *head) refers(i int) fact.ID {
	if h.hi == nil || h.lo == nil || h.hi.IsNull(i) || h.lo.IsNull(i) {
		return fact.ID{}
	}
	return fact.Reference(h.hi.Value(i), h.lo.Value(i))
}

// who gives a row's contact; zero: de-linked, or nobody's.
func (h *head) who(i int) (c [anon.ContactLen]byte) {
	if h.contact != nil && h.contact.IsValid(i) {
		copy(c[:], h.contact.Value(i))
	}
	return c
}

func workspaceOf(name string) (id workspace.ID) {
	copy(id[:], name)
	return id
}

// linked reports whether the row has a contact's value.
func (s Stored) linked() bool { return s.Contact != [anon.ContactLen]byte{} }

// rest reads what is not head.
func (h *head) rest(i int, r *Stored) {
	if h.numbers == nil {
		h.numbers = h.longs()
	}
	if at := h.rec.Schema().FieldIndices("text"); len(at) == 1 && h.rec.Column(at[0]).IsValid(i) {
		r.Text = h.rec.Column(at[0]).(*array.String).Value(i)
	}
	r.Numbers = make([]int64, 0, len(h.numbers))
	for _, col := range h.numbers {
		v := int64(fact.Absent)
		if col != nil && col.IsValid(i) {
			v = col.Value(i)
		}
		r.Numbers = append(r.Numbers, v)
	}
}

// longs gives the columns of Numbers; nil for one that the record does not have.
func (h *head) longs() []*array.Int64 {
	out := []*array.Int64{}
	for _, d := range fact.Schema(h.t) {
		if d.Type != fact.Long || d.Column <= fact.ColContact {
			continue
		}
		var col *array.Int64
		if at := h.rec.Schema().FieldIndices(d.Name); len(at) == 1 {
			col = h.rec.Column(at[0]).(*array.Int64)
		}
		out = append(out, col)
	}
	return out
}

// bucketOf is the bucket that Iceberg puts a workspace in.
func bucketOf(ws workspace.ID) int32 { return bucketing(ws.String()).Val }

var bucketing = iceberg.BucketTransform{NumBuckets: buckets}.Transformer(iceberg.PrimitiveTypes.String)
