// Package table writes figures as one flat table, for spreadsheets (CSV, RFC 4180) and engines (Parquet).
//
// Zone: open. It sees figures alone. A cell that a spreadsheet would take for a formula is written behind an apostrophe: names
// come from the phone system.
package table

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"murmur/internal/insight"
)

// columns are those of both forms, in this order. text gives a cell; number, where there is one, a nullable value.
var columns = []struct {
	name   string
	text   func(insight.Figure) string
	number func(insight.Figure) *float64
	count  func(insight.Figure) int64
}{
	{name: "workspace", text: func(f insight.Figure) string { return f.Workspace }},
	{name: "insight", text: func(f insight.Figure) string { return f.Insight }},
	{name: "measure", text: func(f insight.Figure) string { return f.Measure }},
	{name: "grain", text: func(f insight.Figure) string { return f.Grain }},
	{name: "period", text: func(f insight.Figure) string { return f.Period }},
	{name: "split", text: split},
	{name: "value", number: func(f insight.Figure) *float64 { return f.Value }},
	{name: "low", number: func(f insight.Figure) *float64 { return f.Low }},
	{name: "high", number: func(f insight.Figure) *float64 { return f.High }},
	{name: "unit", text: func(f insight.Figure) string { return f.Unit }},
	{name: "base", count: func(f insight.Figure) int64 { return f.Base }},
	{name: "contacts", text: func(f insight.Figure) string { return f.Contacts }},
	{name: "tier", text: func(f insight.Figure) string { return f.Tier }},
	{name: "noise", count: func(f insight.Figure) int64 { return f.Noise }},
	{name: "hidden", text: func(f insight.Figure) string { return f.Hidden }},
	{name: "definition", text: func(f insight.Figure) string { return f.Definition }},
	{name: "as_of", text: func(f insight.Figure) string { return f.AsOf.UTC().Format(time.RFC3339) }},
}

// split reads "number=Main|Sales; reason=Prices": members of a merged group behind one another.
func split(f insight.Figure) string {
	var parts []string
	for _, d := range insight.Dimensions(f.Split) {
		parts = append(parts, d+"="+strings.Join(f.Split[d], "|"))
	}
	return strings.Join(parts, "; ")
}

// CSV writes a line of names and one line a figure.
func CSV(w io.Writer, figures []insight.Figure) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true // RFC 4180 2.1
	row := make([]string, len(columns))
	for i := range columns {
		row[i] = columns[i].name
	}
	if err := c.Write(row); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	for _, f := range figures {
		for i, col := range columns {
			switch {
			case col.text != nil:
				row[i] = harmless(col.text(f))
			case col.count != nil:
				row[i] = strconv.FormatInt(col.count(f), 10)
			default:
				row[i] = ""
				if v := col.number(f); v != nil {
					row[i] = strconv.FormatFloat(*v, 'g', -1, 64)
				}
			}
		}
		if err := c.Write(row); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// harmless keeps a spreadsheet from computing a cell.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Parquet writes one row a figure; value, low and high are null where a figure is hidden.
func Parquet(w io.Writer, figures []insight.Figure) error {
	fields := make([]arrow.Field, len(columns))
	for i, col := range columns {
		fields[i] = arrow.Field{Name: col.name, Type: arrow.BinaryTypes.String}
		switch {
		case col.count != nil:
			fields[i].Type = arrow.PrimitiveTypes.Int64
		case col.number != nil:
			fields[i].Type, fields[i].Nullable = arrow.PrimitiveTypes.Float64, true
		}
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, f := range figures {
		for i, col := range columns {
			switch cell := b.Field(i).(type) {
			case *array.StringBuilder:
				cell.Append(col.text(f))
			case *array.Int64Builder:
				cell.Append(col.count(f))
			case *array.Float64Builder:
				if v := col.number(f); v != nil {
					cell.Append(*v)
				} else {
					cell.AppendNull()
				}
			}
		}
	}
	rows := b.NewRecordBatch()
	defer rows.Release()
	// The writer would close a file below it; that is the caller's.
	out, err := pqarrow.NewFileWriter(schema, struct{ io.Writer }{w}, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd)), pqarrow.DefaultWriterProps())
	if err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	if err := out.Write(rows); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}
