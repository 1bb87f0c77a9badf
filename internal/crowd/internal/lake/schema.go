package lake

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// buckets is the number of hash buckets a day is cut into. One workspace is in one bucket.
const buckets = 16

// propPosition is the table property that holds the queue's position, on table facts.
const propPosition = "murmur.position"

// tables are the two tables, in the order they are staged.
var tables = []fact.Table{fact.Facts, fact.Texts}

func tableName(t fact.Table) string {
	if t == fact.Texts {
		return "texts"
	}
	return "facts"
}

// Schema gives the columns of a table as its files have them.
func Schema(t fact.Table) []fact.Declaration { return fact.Schema(t) }

func icebergType(t fact.Type) iceberg.Type {
	switch t {
	case fact.Time:
		return iceberg.PrimitiveTypes.TimestampTz
	case fact.Key:
		return iceberg.FixedTypeOf(16)
	case fact.Name, fact.Words:
		return iceberg.PrimitiveTypes.String
	}
	return iceberg.PrimitiveTypes.Int64
}

// icebergSchema numbers the columns from 1 in their order: for facts that is fact.Column itself.
func icebergSchema(t fact.Table) *iceberg.Schema {
	var fields []iceberg.NestedField
	for i, d := range fact.Schema(t) {
		fields = append(fields, iceberg.NestedField{
			ID: i + 1, Name: d.Name, Type: icebergType(d.Type), Required: !d.Nullable, Doc: d.Doc})
	}
	return iceberg.NewSchema(0, fields...)
}

// The partition specs: a file belongs to a day and a bucket, or it is loose and has rows of any.
const (
	dayBucketSpec = 0
	looseSpec     = 1
)

// sortOrder is the order of the rows of a file: workspace, at, id.
const sortOrder = 1

// newMetadata is an empty table: format 2, partitioned by day(at) and bucket(16, workspace), or not at all.
func newMetadata(t fact.Table, location string) (table.Metadata, error) {
	ws, at, id := int(fact.ColWorkspace), int(fact.ColAt), int(fact.ColID)
	spec := iceberg.NewPartitionSpecID(dayBucketSpec,
		iceberg.PartitionField{SourceIDs: []int{at}, FieldID: 1000, Name: "at_day", Transform: iceberg.DayTransform{}},
		iceberg.PartitionField{SourceIDs: []int{ws}, FieldID: 1001, Name: "workspace_bucket", Transform: iceberg.BucketTransform{NumBuckets: buckets}},
	)
	var by []table.SortField
	for _, c := range []int{ws, at, id} {
		by = append(by, table.SortField{SourceIDs: []int{c}, Transform: iceberg.IdentityTransform{}, Direction: table.SortASC, NullOrder: table.NullsFirst})
	}
	order, err := table.NewSortOrder(sortOrder, by)
	if err != nil {
		return nil, err
	}
	meta, err := table.NewMetadata(icebergSchema(t), &spec, order, location, iceberg.Properties{
		table.PropertyFormatVersion: "2",
		// For an engine that writes: bounds in a manifest would keep extremes of what was erased, only time has them.
		table.DefaultWriteMetricsModeKey:            "counts",
		table.MetricsModeColumnConfPrefix + ".at":   "full",
		table.MetricsModeColumnConfPrefix + ".id":   "none",
		table.MetricsModeColumnConfPrefix + ".text": "none",
		table.ManifestMergeEnabledKey:               "true",
		table.ManifestMinMergeCountKey:              "8",
		table.MetadataPreviousVersionsMaxKey:        "1",
	})
	if err != nil {
		return nil, err
	}
	return withLooseSpec(meta, "")
}

// withLooseSpec adds the spec of loose files, which have no partition. location is where meta was read.
func withLooseSpec(meta table.Metadata, location string) (table.Metadata, error) {
	b, err := table.MetadataBuilderFromBase(meta, location)
	if err != nil {
		return nil, err
	}
	none := iceberg.NewPartitionSpecID(looseSpec)
	if err := b.AddPartitionSpec(&none, false); err != nil {
		return nil, err
	}
	if meta, err = b.Build(); err == nil && meta.PartitionSpecByID(looseSpec) == nil {
		err = errors.New("lake: the table has other partitions than expected")
	}
	return meta, err
}

// rowBuilder turns rows into Arrow records. It is reused; one goroutine at a time.
type rowBuilder struct {
	schema *arrow.Schema
	b      *array.RecordBuilder
	decls  []fact.Declaration
	names  map[workspace.ID]string
}

func newRowBuilder(t fact.Table) (*rowBuilder, error) {
	s, err := table.SchemaToArrowSchema(icebergSchema(t), nil, true, false)
	if err != nil {
		return nil, err
	}
	return &rowBuilder{
		schema: s, b: array.NewRecordBuilder(memory.DefaultAllocator, s),
		decls: fact.Schema(t), names: map[workspace.ID]string{},
	}, nil
}

func (rb *rowBuilder) add(r Row) {
	var values [fact.ColLast + 1]int64
	for i := range values {
		values[i] = fact.Absent
	}
	h := r.Fact.Meta()
	values[fact.ColKind] = int64(r.Fact.Kind())
	values[fact.ColVersion] = h.Version
	values[fact.ColSource] = int64(h.Source)
	values[fact.ColAnonymiser] = h.Anonymiser
	for _, b := range r.Fact.Fields() {
		values[b.Column] = b.Get()
	}
	for i, d := range rb.decls {
		f := rb.b.Field(i)
		switch d.Type {
		case fact.Long:
			if v := values[d.Column]; v != fact.Absent || !d.Nullable {
				f.(*array.Int64Builder).Append(v)
			} else {
				f.AppendNull()
			}
		case fact.Time:
			f.(*array.TimestampBuilder).Append(arrow.Timestamp(h.At))
		case fact.Name:
			f.(*array.StringBuilder).Append(rb.name(r.Workspace))
		case fact.Key:
			rb.addKey(f.(*array.FixedSizeBinaryBuilder), d.Column, h)
		case fact.Words:
			if w := r.Fact.Words(); w != nil && w.Valid() {
				f.(*array.StringBuilder).Append(w.String())
			} else {
				f.AppendNull()
			}
		}
	}
}

func (rb *rowBuilder) addKey(f *array.FixedSizeBinaryBuilder, c fact.Column, h *fact.Head) {
	switch {
	case c == fact.ColID:
		f.Append(h.ID[:])
	case h.Contact.Valid():
		b := h.Contact.Bytes()
		f.Append(b[:])
	default:
		f.AppendNull()
	}
}

func (rb *rowBuilder) name(id workspace.ID) string {
	s, ok := rb.names[id]
	if !ok {
		if len(rb.names) > 1<<17 {
			clear(rb.names)
		}
		s = id.String()
		rb.names[id] = s
	}
	return s
}
