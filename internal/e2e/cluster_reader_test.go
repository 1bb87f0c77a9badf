package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // the driver "duckdb"

	"murmur/internal/insight"
)

// pyiceberg names a Python that has pyiceberg; scripts/cluster installs it.
const pyiceberg = "MURMUR_PYICEBERG"

// TestClusterReader: an Iceberg engine that is not murmur's reads the lake of the demo through its catalog, and counts the rows
// that the plain list of Parquet files has and the calls that murmur's figures count.
func TestClusterReader(t *testing.T) {
	t.Parallel()
	python := os.Getenv(pyiceberg)
	if python == "" {
		skip(t, "an independent reader of the lake", "make test-cluster installs pyiceberg and sets "+pyiceberg)
	}
	data := newData(t)
	if code, out := verb(data, "demo", "--days", "28", "--listen", "127.0.0.1:0", "--exit", "--json"); code != 0 {
		t.Fatalf("demo: %d %s", code, out)
	}
	var policy struct {
		Timezone string
		Hours    string `json:"open-hours"`
	}
	if code, out := verb(data, "policy", "show", "--json"); code != 0 || json.Unmarshal(out, &policy) != nil || policy.Timezone == "" {
		t.Fatalf("policy: %d %s", code, out)
	}
	got := readBy(t, python, data, policy.Timezone, policy.Hours)

	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	plain := func(table, what string) (n int64) {
		t.Helper()
		files := filepath.Join(data, "lake", table, "data", "**", "*.parquet")
		if err := db.QueryRow(`SELECT ` + what + ` FROM read_parquet('` + files + `', union_by_name = true, hive_partitioning = false)`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := plain("facts", "count(*)"); n != got.FactRows || n == 0 {
		t.Errorf("%d rows of facts, the reader counts %d", n, got.FactRows)
	}
	if n := plain("texts", "count(*)"); n != got.TextRows || n == 0 {
		t.Errorf("%d rows of texts, the reader counts %d", n, got.TextRows)
	}
	sum := int64(0)
	for _, n := range got.Kinds {
		sum += n
	}
	if n := plain("facts", "count(DISTINCT (workspace, id))"); n != sum || len(got.Kinds) < 4 {
		t.Errorf("%d facts, the reader counts %d of %d kinds", n, sum, len(got.Kinds))
	}

	code, out := verb(data, "figures", "--insight", "missed-call-rate", "--json")
	if code != 0 {
		t.Fatalf("figures: %d %s", code, out)
	}
	weeks := 0
	for line := range bytes.Lines(out) {
		var f insight.Figure
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		if f.Grain != "week" || len(f.Split) > 0 || f.Hidden != "" || f.Measure != "rate" {
			continue
		}
		weeks++
		if got.Inbound[f.Period] != f.Base {
			t.Errorf("%s: murmur counts %d inbound calls in open hours, the reader %d", f.Period, f.Base, got.Inbound[f.Period])
		}
	}
	if weeks < 3 {
		t.Errorf("only %d weeks were compared", weeks)
	}

	// A row that goes is missed: the comparison can fail.
	var some string
	for _, f := range files(t, filepath.Join(data, "lake", "facts", "data")) {
		if strings.HasSuffix(f, ".parquet") {
			some = f
		}
	}
	if err := os.Remove(some); err != nil {
		t.Fatal(err)
	}
	if again := exec.Command(python, "testdata/read_lake.py", data, policy.Timezone, policy.Hours).Run(); again == nil {
		t.Error("a file of the table is gone, and the reader does not notice")
	}
}

// counted is what testdata/read_lake.py prints.
type counted struct {
	FactRows int64            `json:"fact_rows"`
	TextRows int64            `json:"text_rows"`
	Kinds    map[string]int64 `json:"kinds"`
	Inbound  map[string]int64 `json:"inbound"`
}

func readBy(t *testing.T, python, data, zone, hours string) (r counted) {
	t.Helper()
	cmd := exec.Command(python, "testdata/read_lake.py", data, zone, hours)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r
}
