package lake

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	_ "github.com/duckdb/duckdb-go/v2" // the driver "duckdb"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Another engine commits between our reading and our commit: the library does not retry, we do, and both
// changes are in.
func TestAForeignCommitIsNotLost(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	var l *Lake
	foreign := 3
	l = openTest(t, Config{Failpoint: func(p string) error {
		if p != "write" || foreign == 0 || l == nil {
			return nil
		}
		foreign--
		mine := l.catalog.disk.take()
		m := &move{c: l.catalog}
		loc, err := l.catalog.location(ctx, "facts")
		must(t, err)
		tbl, err := l.catalog.load(ctx, "facts", loc, m)
		must(t, err)
		txn := tbl.NewTransaction()
		must(t, txn.SetProperties(map[string]string{fmt.Sprintf("foreign.%d", foreign): "here"}))
		_, err = txn.Commit(ctx)
		must(t, err)
		must(t, m.commit(ctx))
		l.catalog.disk.written = mine
		return nil
	}})
	must(t, l.Append(ctx, []Row{call(1, noon, mk.Contact(1), 1)}, to(l, 1)))
	if n := len(latest(t, l, fact.Facts)); n != 1 || foreign != 0 {
		t.Errorf("%d facts, %d foreign commits left", n, foreign)
	}
	for i := range 3 {
		if l.state[fact.Facts].t.Properties()[fmt.Sprintf("foreign.%d", i)] != "here" {
			t.Error("a foreign commit is lost")
		}
	}
	must(t, l.Expire(ctx))
	if b, err := l.Verify(ctx); err != nil || len(b) != 0 {
		t.Errorf("verify: %v, %v", b, err)
	}
}

// Two processes share a lake: they see each other's commits, and neither removes what the other has pinned.
func TestPinsHoldAcrossProcesses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	a := openTest(t, Config{})
	b := openTest(t, a.cfg)
	must(t, a.Append(ctx, []Row{call(1, noon, mk.Contact(1), 1)}, to(a, 1)))
	must(t, b.Append(ctx, []Row{call(2, noon, mk.Contact(2), 1)}, to(b, 2)))
	must(t, a.Append(ctx, []Row{call(3, noon, mk.Contact(3), 1)}, to(a, 2))) // at the other's position: nothing
	snap, release, err := a.Pin(ctx)
	must(t, err)
	must(t, b.Compact(ctx))
	for _, l := range []*Lake{a, b} {
		must(t, l.Expire(ctx))
		for _, f := range snap.Files(fact.Facts, time.Time{}, time.Time{}) {
			if _, err := os.Stat(f); err != nil {
				t.Fatal("a pinned file was removed")
			}
		}
	}
	release()
	release()
	must(t, b.Expire(ctx))
	if n, err := b.Waiting(ctx); n != 0 || err != nil {
		t.Errorf("%d files wait after the release, %v", n, err)
	}
	if n := len(latest(t, a, fact.Facts)); n != 2 {
		t.Errorf("%d facts, want 2", n)
	}
}

func TestFilesArePrunedByDay(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	var rows []Row
	for i := range 5 {
		rows = append(rows, call(i, noon.AddDate(0, 0, i), mk.Contact(1), 1))
	}
	must(t, l.Append(ctx, rows, to(l, 1)))
	must(t, l.Compact(ctx))
	snap, release, err := l.Pin(ctx)
	must(t, err)
	defer release()
	midnight := DayOf(noon).Start()
	for _, c := range []struct {
		from, to time.Time
		want     int
	}{{time.Time{}, time.Time{}, 5}, {midnight, midnight.AddDate(0, 0, 1), 1}, {noon.AddDate(0, 0, 1), time.Time{}, 4},
		{time.Time{}, noon.AddDate(0, 0, 1), 2}, {noon.AddDate(0, 0, 9), time.Time{}, 0}} {
		if n := len(snap.Files(fact.Facts, c.from, c.to)); n != c.want {
			t.Errorf("%v to %v: %d files, want %d", c.from, c.to, n, c.want)
		}
	}
}

// A restored or moved data directory opens where it is, though the metadata has the old path.
func TestAMovedDirectoryOpens(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	dir := tempDir(t)
	was, is := filepath.Join(dir, "was here"), filepath.Join(dir, "is %41 here")
	must(t, os.Mkdir(was, 0o700))
	l := openTest(t, Config{Dir: filepath.Join(was, "lake"), Catalog: filepath.Join(was, "lake.db")})
	must(t, l.Append(ctx, []Row{call(1, noon, mk.Contact(1), 1)}, to(l, 1)))
	must(t, l.Close())
	must(t, os.Rename(was, is))
	l = openTest(t, Config{Dir: filepath.Join(is, "lake"), Catalog: filepath.Join(is, "lake.db")})
	must(t, l.Append(ctx, []Row{call(2, noon, mk.Contact(1), 1)}, to(l, 2)))
	must(t, l.Compact(ctx))
	must(t, l.Expire(ctx))
	if n := len(latest(t, l, fact.Facts)); n != 2 {
		t.Errorf("%d facts, want 2", n)
	}
	if b, err := l.Verify(ctx); err != nil || len(b) != 0 {
		t.Errorf("verify: %v, %v", b, err)
	}
	if _, err := os.Stat(was); err == nil {
		t.Error("something was written to the old place")
	}
}

// A backup is one state, whatever happens to the lake meanwhile and afterwards.
func TestABackupOpensAsTheLakeWas(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	c := mk.Contact(1)
	must(t, l.Append(ctx, []Row{call(1, noon, c, 1), message(2, noon, c, 1, mk.Text("a"))}, to(l, 4)))
	dir := tempDir(t)
	cfg := Config{Dir: filepath.Join(dir, "lake"), Catalog: filepath.Join(dir, "lake.db")}
	must(t, l.Backup(ctx, cfg.Dir, cfg.Catalog))
	must(t, l.Forget(ctx, workspace.Default, []anon.Contact{c}))
	must(t, l.Expire(ctx))
	b := openTest(t, cfg)
	if found, err := b.Verify(ctx); err != nil || len(found) != 0 {
		t.Errorf("verify: %v, %v", found, err)
	}
	if pos, err := b.Position(ctx, 0); pos != "4" || err != nil || len(latest(t, b, fact.Facts)) != 2 || len(latest(t, b, fact.Texts)) != 1 {
		t.Errorf("the backup is at %q, %v", pos, err)
	}
	must(t, b.Append(ctx, []Row{call(3, noon, c, 1)}, to(b, 5)))
	if n := len(latest(t, l, fact.Facts)); n != 0 {
		t.Errorf("the lake has %d facts of the forgotten", n)
	}
}

// DuckDB reads the plain list of files and counts as the lake does.
func TestAnIndependentReaderAgrees(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	r := rand.New(rand.NewPCG(5, 5))
	want := map[string]int64{}
	for i := range 8 {
		var rows []Row
		for j := range 40 {
			n := i*40 + j
			k := facttest.Kinds[r.IntN(len(facttest.Kinds))]
			at := noon.Add(time.Duration(r.IntN(72)) * time.Hour)
			f := facttest.Random(r, k, facttest.Head(n, at, mk.Contact(n%20), 2), mk.Text("words"))
			ws := worldSpaces[r.IntN(len(worldSpaces))]
			old := facttest.Random(r, k, facttest.Head(n, at, mk.Contact(n%20), 1), anon.Text{})
			rows = append(rows, Row{ws, f}, Row{ws, old})
			want[fmt.Sprintf("%s %d %s", ws, k, at.Format(time.DateOnly))]++
			for _, b := range f.Fields() {
				if b.Column == fact.ColSentiment && b.Get() != fact.Absent {
					want["sentiment"] += b.Get()
				}
			}
		}
		must(t, l.Append(ctx, rows, to(l, i)))
	}
	for range 2 { // before and after compaction
		snap, release, err := l.Pin(ctx)
		must(t, err)
		got := duckdbCounts(t, snap.Files(fact.Facts, time.Time{}, time.Time{}))
		release()
		for k, n := range want {
			if got[k] != n {
				t.Errorf("%s: DuckDB has %d, want %d", k, got[k], n)
			}
		}
		if len(got) != len(want) {
			t.Errorf("DuckDB has %d groups, want %d", len(got), len(want))
		}
		must(t, l.Compact(ctx))
	}
}

// An Iceberg reader plans by partitions, of both specs: the files that it reads for a day hold its loose rows and its sorted ones.
func TestAnIcebergReaderFindsLooseRows(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	var rows []Row
	for i := range 30 {
		rows = append(rows, call(i, noon.AddDate(0, 0, i%3), mk.Contact(i), 1))
	}
	must(t, l.Append(ctx, rows[:15], to(l, 1)))
	must(t, l.Compact(ctx))
	must(t, l.Append(ctx, rows[15:], to(l, 2)))
	must(t, l.refresh(ctx))
	day := DayOf(noon) + 1
	at := iceberg.Reference("at")
	tasks, err := l.state[fact.Facts].t.Scan(table.WithRowFilter(iceberg.NewAnd(
		iceberg.GreaterThanEqual(at, iceberg.Timestamp(day.Start().UnixMicro())),
		iceberg.LessThan(at, iceberg.Timestamp((day+1).Start().UnixMicro()))))).PlanFiles(ctx)
	must(t, err)
	var files []string
	for _, task := range tasks {
		files = append(files, task.File.FilePath())
	}
	db, err := sql.Open("duckdb", "")
	must(t, err)
	defer func() { _ = db.Close() }()
	got := 0
	must(t, db.QueryRow(`SELECT count(*) FROM read_parquet(['`+strings.Join(files, "','")+`'], hive_partitioning = false)
		WHERE strftime(make_timestamp(epoch_us("at")), '%Y-%m-%d') = ?`, day.Start().Format(time.DateOnly)).Scan(&got))
	if got != 10 {
		t.Errorf("%d rows of the day, want 10", got)
	}
}

func duckdbCounts(t *testing.T, files []string) map[string]int64 {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	must(t, err)
	defer func() { _ = db.Close() }()
	table := "(SELECT * FROM read_parquet(['" + strings.Join(files, "','") + `'], hive_partitioning = false)
		QUALIFY row_number() OVER (PARTITION BY workspace, id ORDER BY version DESC) = 1)`
	rows, err := db.Query(`SELECT workspace || ' ' || kind || ' ' || strftime(make_timestamp(epoch_us("at")), '%Y-%m-%d'), count(*)
		FROM ` + table + ` GROUP BY 1 UNION ALL SELECT 'sentiment', CAST(sum(sentiment) AS BIGINT) FROM ` + table)
	must(t, err)
	defer func() { _ = rows.Close() }()
	out := map[string]int64{}
	for rows.Next() {
		var k string
		var n int64
		must(t, rows.Scan(&k, &n))
		out[k] = n
	}
	must(t, rows.Err())
	return out
}

// Every kind of file, damaged anywhere: Verify names the file, and nothing is silently less.
func TestVerifyFindsEveryDamage(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	for i := range 3 {
		must(t, l.Append(ctx, []Row{message(i, noon, mk.Contact(i), 1, mk.Text("words"))}, to(l, i)))
	}
	tries := 20
	if os.Getenv("MURMUR_FAULTS") != "" {
		tries = 1000
	}
	r := rand.New(rand.NewPCG(8, 8))
	snap, release, err := l.Pin(ctx)
	must(t, err)
	defer release()
	for _, p := range snap.paths() {
		path := l.catalog.disk.path(p)
		whole, err := os.ReadFile(path)
		must(t, err)
		for i := range tries {
			b := append([]byte(nil), whole...)
			at := r.IntN(len(b))
			switch i % 3 {
			case 0:
				b[at] ^= 1 << r.IntN(8)
			case 1:
				b = b[:at]
			default:
				binary.BigEndian.PutUint64(b[min(at, len(b)-8):], r.Uint64())
			}
			must(t, os.WriteFile(path, b, 0o600))
			found, err := l.Verify(ctx)
			must(t, err)
			if len(found) != 1 || found[0].File != p {
				t.Fatalf("%s, damage %d at %d: %v", filepath.Ext(p), i%3, at, found)
			}
		}
		must(t, os.Remove(path))
		if found, err := l.Verify(ctx); err != nil || len(found) != 1 || found[0].What != "is missing" {
			t.Fatalf("a missing file: %v, %v", found, err)
		}
		must(t, os.WriteFile(path, whole, 0o600))
	}
	if found, err := l.Verify(ctx); err != nil || len(found) != 0 {
		t.Errorf("everything is back: %v, %v", found, err)
	}
}

// No column's extremes are in the metadata but those of time.
func TestMetadataHasNoBoundsOfContactsAndIDs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	must(t, l.Append(ctx, []Row{message(1, noon, mk.Contact(1), 1, mk.Text("words"))}, to(l, 1)))
	must(t, l.refresh(ctx))
	for _, tab := range tables {
		for _, f := range l.state[tab].files {
			for id := range f.LowerBoundValues() {
				if id != int(fact.ColAt) {
					t.Errorf("table %s: the manifest has bounds of column %d", tableName(tab), id)
				}
			}
			if n := f.ValueCounts()[int(fact.ColContact)]; n != 1 {
				t.Errorf("table %s: %d contacts are counted, want 1", tableName(tab), n)
			}
		}
	}
}

func TestAppendRefusesARowOfNobody(t *testing.T) {
	t.Parallel()
	l := openTest(t, Config{})
	ctx := context.Background()
	if err := l.Append(ctx, []Row{{workspace.ID{}, &fact.Call{}}}, to(l, 1)); err == nil {
		t.Error("a row without a workspace is in")
	}
	must(t, l.Append(ctx, nil, to(l, 3))) // a batch without facts moves the position
	if pos, err := l.Position(ctx, 0); pos != "3" || err != nil {
		t.Errorf("position %q, %v", pos, err)
	}
}
