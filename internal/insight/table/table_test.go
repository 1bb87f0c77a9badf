package table

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"murmur/internal/insight"
)

func number(v float64) *float64 { return &v }

func figures() []insight.Figure {
	asOf := time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	return []insight.Figure{
		{Workspace: "default", Insight: "missed-call-rate", Measure: "rate", Grain: "week", Period: "2026-W45",
			Split: map[string][]string{"number": {`=HYPERLINK("//evil.example")`, "Sales"}},
			Value: number(0.25), Low: number(0.1), High: number(0.4), Unit: "ratio", Base: 40, Contacts: "20-49", Tier: "guarded", Noise: 2, Definition: "missed-call-rate/1", AsOf: asOf},
		{Workspace: "default", Insight: "satisfaction", Measure: "nps", Hidden: "small-group", AsOf: asOf},
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	fs := figures()
	fs[1].Unit = "=1+1"
	var b bytes.Buffer
	if err := CSV(&b, fs); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatal(rows, err)
	}
	cell := func(row int, name string) string {
		for i, n := range rows[0] {
			if n == name {
				return rows[row][i]
			}
		}
		t.Fatalf("no column %s", name)
		return ""
	}
	for name, want := range map[string]string{"value": "0.25", "base": "40", "split": `number==HYPERLINK("//evil.example")|Sales`, "as_of": "2026-11-09T00:00:00Z"} {
		if got := cell(1, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if cell(2, "value") != "" || cell(2, "hidden") != "small-group" || cell(2, "unit") != "'=1+1" {
		t.Errorf("the hidden figure: %v", rows[2])
	}
}

func TestParquet(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Parquet(&b, figures()); err != nil {
		t.Fatal(err)
	}
	read, err := pqarrow.ReadTable(t.Context(), bytes.NewReader(b.Bytes()), parquet.NewReaderProperties(memory.DefaultAllocator), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Release()
	var names []string
	for _, f := range read.Schema().Fields() {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); read.NumRows() != 2 || !strings.HasPrefix(got, "workspace insight measure grain period split value low high unit base contacts tier noise") {
		t.Fatalf("%d rows of %s", read.NumRows(), got)
	}
	value := read.Column(6).Data().Chunk(0).(*array.Float64)
	base := read.Column(10).Data().Chunk(0).(*array.Int64)
	if value.Value(0) != 0.25 || !value.IsNull(1) || base.Value(0) != 40 {
		t.Errorf("values %v, bases %v", value, base)
	}
}

// TestNothingIsATable: without figures there is a table without rows.
func TestNothingIsATable(t *testing.T) {
	t.Parallel()
	var a, b bytes.Buffer
	if err := CSV(&a, nil); err != nil || strings.Count(a.String(), "\n") != 1 {
		t.Errorf("%v %q", err, a.String())
	}
	if err := Parquet(&b, nil); err != nil || b.Len() == 0 {
		t.Errorf("%v, %d bytes", err, b.Len())
	}
}
