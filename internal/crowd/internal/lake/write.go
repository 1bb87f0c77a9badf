package lake

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// parquetProps is how columns are stored. Only columns that tell nothing about a person have statistics, by which
// files of one workspace and time are found. Ids do not repeat, and times are near each other.
var parquetProps = parquet.NewWriterProperties(
	parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCompressionLevel(1),
	parquet.WithStats(false), parquet.WithStatsFor("workspace", true), parquet.WithStatsFor("kind", true), parquet.WithStatsFor("at", true),
	parquet.WithDictionaryFor("id", false), parquet.WithDictionaryFor("text", false),
	parquet.WithDictionaryFor("at", false), parquet.WithEncodingFor("at", parquet.Encodings.DeltaBinaryPacked),
	parquet.WithDictionaryFor("version", false), parquet.WithEncodingFor("version", parquet.Encodings.DeltaBinaryPacked),
	parquet.WithMaxRowGroupLength(1<<17),
)

// newest gives the rows of a table in the order of a file: of each id the highest version alone. When the rows are
// enough for files of their own, those of one day and bucket stand together.
func newest(t fact.Table, rows []Row) (_ []Row, loose bool) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool {
		return t == fact.Texts && (r.Fact.Words() == nil || !r.Fact.Words().Valid())
	})
	slices.SortFunc(rows, func(a, b Row) int {
		x, y := a.Fact.Meta(), b.Fact.Meta()
		return cmp.Or(bytes.Compare(x.ID[:], y.ID[:]), bytes.Compare(a.Workspace[:], b.Workspace[:]), cmp.Compare(y.Version, x.Version))
	})
	rows = slices.CompactFunc(rows, func(a, b Row) bool {
		return a.Fact.Meta().ID == b.Fact.Meta().ID && a.Workspace == b.Workspace
	})
	loose = len(rows) < looseRows
	bucket := map[workspace.ID]int32{}
	for _, r := range rows {
		if _, known := bucket[r.Workspace]; !known && !loose {
			bucket[r.Workspace] = bucketOf(r.Workspace)
		}
	}
	slices.SortFunc(rows, func(a, b Row) int {
		x, y := a.Fact.Meta(), b.Fact.Meta()
		if !loose {
			if c := cmp.Or(cmp.Compare(dayAt(x.At), dayAt(y.At)), cmp.Compare(bucket[a.Workspace], bucket[b.Workspace])); c != 0 {
				return c
			}
		}
		return cmp.Or(bytes.Compare(a.Workspace[:], b.Workspace[:]), cmp.Compare(x.At, y.At), bytes.Compare(x.ID[:], y.ID[:]))
	})
	return rows, loose
}

// write makes files of rows that newest sorted.
func (l *Lake) write(ctx context.Context, tbl *table.Table, t fact.Table, rows []Row, loose bool) ([]dataFile, error) {
	var out []dataFile
	rb := l.builders[t]
	for len(rows) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p, n := part{loose: true}, len(rows)
		if !loose {
			p = partOf(rows[0])
			n = 1
			for n < len(rows) && (rows[n].Workspace == rows[n-1].Workspace && dayAt(rows[n].Fact.Meta().At) == p.day || partOf(rows[n]) == p) {
				n++
			}
		}
		for _, r := range rows[:n] {
			rb.add(r)
		}
		f, err := l.writeFile(tbl, t, rb.b.NewRecordBatch(), p)
		if err != nil {
			return nil, err
		}
		out, rows = append(out, f), rows[n:]
	}
	return out, nil
}

func partOf(r Row) part {
	return part{day: dayAt(r.Fact.Meta().At), bucket: bucketOf(r.Workspace)}
}

// writeFile makes one file of a record, which is in the file's order. A column without a value is left out: readers
// take it for null, and a small file is half as big.
func (l *Lake) writeFile(tbl *table.Table, t fact.Table, rec arrow.RecordBatch, p part) (dataFile, error) {
	var name [16]byte
	_, _ = rand.Read(name[:]) // never fails
	uri := tbl.Location() + "/data/" + p.folder() + "/" + hex.EncodeToString(name[:]) + ".parquet"
	f, err := l.catalog.disk.create(uri)
	if err != nil {
		return dataFile{}, err
	}
	buf := bufio.NewWriterSize(f, 1<<16)
	err = writeParquet(buf, withoutNulls(rec))
	if err := errors.Join(err, buf.Flush(), f.Close()); err != nil {
		return dataFile{}, err
	}
	df, err := describe(tbl, headOf(t, rec), p, uri, f.w.size)
	if err != nil {
		return dataFile{}, err
	}
	return l.dataFile(df)
}

func writeParquet(buf *bufio.Writer, rec arrow.RecordBatch) error {
	w, err := pqarrow.NewFileWriter(rec.Schema(), buf, parquetProps, pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	return errors.Join(w.Write(rec), w.Close())
}

func withoutNulls(rec arrow.RecordBatch) arrow.RecordBatch {
	var fields []arrow.Field
	var cols []arrow.Array
	for i, c := range rec.Columns() {
		if c.NullN() < c.Len() {
			fields, cols = append(fields, rec.Schema().Field(i)), append(cols, c)
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows())
}

// describe is what the manifest says of a file: the bounds of its time, and how many rows have a contact and a call.
func describe(tbl *table.Table, h *head, p part, uri string, size int64) (iceberg.DataFile, error) {
	spec, values := tbl.Metadata().PartitionSpecByID(dayBucketSpec), map[int]any{1000: iceberg.Date(p.day), 1001: p.bucket}
	if p.loose {
		spec, values = tbl.Metadata().PartitionSpecByID(looseSpec), nil
	}
	rows := h.rec.NumRows()
	if spec == nil || rows == 0 {
		return nil, errors.New("lake: a table without its partitions, or a file without rows")
	}
	b, err := iceberg.NewDataFileBuilder(*spec, iceberg.EntryContentData, uri, iceberg.ParquetFile, values, map[int]string{1000: "date"}, nil, rows, size)
	if err != nil {
		return nil, err
	}
	lo, hi := h.at.Value(0), h.at.Value(0)
	for i := range int(rows) {
		lo, hi = min(lo, h.at.Value(i)), max(hi, h.at.Value(i))
	}
	b.LowerBoundValues(map[int][]byte{int(fact.ColAt): binary.LittleEndian.AppendUint64(nil, uint64(lo))})
	b.UpperBoundValues(map[int][]byte{int(fact.ColAt): binary.LittleEndian.AppendUint64(nil, uint64(hi))})
	counts, nulls := map[int]int64{int(fact.ColAt): rows, int(fact.ColContact): rows}, map[int]int64{int(fact.ColContact): rows}
	if h.contact != nil {
		nulls[int(fact.ColContact)] = int64(h.contact.NullN())
	}
	if h.t == fact.Facts {
		counts[int(fact.ColCallHi)], nulls[int(fact.ColCallHi)] = rows, rows
		if h.hi != nil {
			nulls[int(fact.ColCallHi)] = int64(h.hi.NullN())
		}
	}
	b.ValueCounts(counts)
	b.NullValueCounts(nulls)
	if !p.loose {
		b.SortOrderID(sortOrder)
	}
	return b.Build(), nil
}
