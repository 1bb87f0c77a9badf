package lake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"murmur/internal/bucket/buckettest"
	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// noon is the day tests start from.
var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func openTest(t testing.TB, cfg Config) *Lake {
	t.Helper()
	if cfg.Dir == "" {
		dir := t.TempDir()
		if _, bench := t.(*testing.B); !bench {
			dir = tempDir(t)
		}
		cfg.Dir, cfg.Catalog = filepath.Join(dir, "lake"), filepath.Join(dir, "lake.db")
	}
	l, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// tempDir is a directory in memory where the system has one: these tests are about order, not about the disk,
// and other tests keep the disk busy.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "lake")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func call(n int, at time.Time, c anon.Contact, version int64) Row {
	return Row{workspace.Default, &fact.Call{
		Head: facttest.Head(n, at, c, version), Direction: fact.In, Number: 11, Result: fact.Missed,
		Reason: fact.OutOfHours, RingS: 20, TalkS: fact.Absent}}
}

func message(n int, at time.Time, c anon.Contact, version int64, body anon.Text) Row {
	return Row{workspace.Default, &fact.Message{
		Head: facttest.Head(n, at, c, version), Direction: fact.In, Number: 11, Delivered: fact.Received,
		Length: int64(len(body.String())), Sentiment: fact.Absent, Body: body}}
}

// allRows yields every row of a table as its files have it, superseded versions included.
func allRows(l *Lake, t fact.Table) iter.Seq2[Stored, error] {
	ctx := context.Background()
	return func(yield func(Stored, error) bool) {
		snap, release, err := l.Pin(ctx)
		if err != nil {
			yield(Stored{}, err)
			return
		}
		defer release()
		for _, f := range snap.files[t] {
			for r, err := range l.scan(ctx, t, f, nil) {
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

// key is a fact's identity.
type key struct {
	ws workspace.ID
	id fact.ID
}

// olderThan cuts the links of all workspaces' rows of days that ended at or before t.
func olderThan(t time.Time) func(workspace.ID, Day) bool {
	return func(_ workspace.ID, d Day) bool { return d < DayOf(t) }
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// latest reads a table as readers must: the highest version per workspace and id.
func latest(t testing.TB, l *Lake, tab fact.Table) map[key]Stored {
	t.Helper()
	out := map[key]Stored{}
	for r, err := range allRows(l, tab) {
		must(t, err)
		k := key{r.Workspace, r.ID}
		old, known := out[k]
		if !known || r.Version > old.Version || r.Version == old.Version && r.Contact == [anon.ContactLen]byte{} {
			out[k] = r
		}
	}
	return out
}

func TestRowsComeBackAsTheyWentIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	c := mk.Contact(1)
	rows := []Row{call(1, noon, c, 5), message(2, noon.Add(time.Hour), c, 6, mk.Text("hello [name]"))}
	must(t, l.Append(ctx, rows, to(l, 10)))
	got := latest(t, l, fact.Facts)
	if len(got) != 2 {
		t.Fatalf("%d facts, want 2", len(got))
	}
	r := got[key{workspace.Default, facttest.ID(1)}]
	if r.Kind != fact.KindCall || r.Version != 5 || r.At != fact.MicrosOf(noon) || r.Contact != c.Bytes() ||
		r.Number(fact.ColRingS) != 20 || r.Number(fact.ColTalkS) != fact.Absent || r.Number(fact.ColResult) != int64(fact.Missed) {
		t.Errorf("call came back as %+v", r)
	}
	texts := latest(t, l, fact.Texts)
	if len(texts) != 1 || texts[key{workspace.Default, facttest.ID(2)}].Text != "hello [name]" {
		t.Errorf("texts came back as %+v", texts)
	}
	if b, err := l.Verify(ctx); err != nil || len(b) != 0 {
		t.Errorf("verify: %v, %v", b, err)
	}
}

// Appends, readers, upkeep and expiry at the same time, in one process.
func TestTheLakeIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	mk := facttest.New(t)
	l := openTest(t, Config{SmallFiles: 2})
	const n = 12
	g, ctx := errgroup.WithContext(context.Background())
	g.Go(func() error {
		for i := range n {
			if err := l.Append(ctx, []Row{message(i, noon, mk.Contact(i), 1, mk.Text("a"))}, to(l, i)); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		for range n / 2 {
			if err := errors.Join(l.Compact(ctx), l.Expire(ctx)); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		seen := 0
		for seen < n {
			rows := 0
			for _, err := range allRows(l, fact.Texts) {
				if err != nil {
					return err
				}
				rows++
			}
			if rows < seen {
				return fmt.Errorf("%d rows after %d", rows, seen)
			}
			seen = rows
		}
		return nil
	})
	must(t, g.Wait())
}

func BenchmarkAppend(b *testing.B) {
	mk := facttest.New(b)
	l := openTest(b, Config{})
	const n = 100_000
	contacts := make([]anon.Contact, 500)
	for i := range contacts {
		contacts[i] = mk.Contact(i)
	}
	rows := make([]Row, n)
	for i := range rows {
		rows[i] = call(i, noon.Add(time.Duration(i)*time.Second), contacts[i%len(contacts)], 1)
		rows[i].Workspace = workspace.MustParse(fmt.Sprintf("ws-%d", i%50))
	}
	b.ReportAllocs()
	pos := int64(0)
	for b.Loop() {
		pos++
		must(b, l.Append(context.Background(), rows, to(l, pos)))
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "facts/s")
	s, err := l.Stats(context.Background())
	must(b, err)
	b.ReportMetric(float64(s.Facts.Bytes)/float64(s.Facts.Rows), "bytes/fact")
}

func BenchmarkSmallCommit(b *testing.B) { smallCommits(b, openTest(b, Config{})) }

// BenchmarkSmallCommitInABucket is the same with the files on a real S3 server of this machine, where there is one.
func BenchmarkSmallCommitInABucket(b *testing.B) {
	s := buckettest.Real(b)
	dir := b.TempDir()
	smallCommits(b, openTest(b, Config{Dir: filepath.Join(dir, "lake"), Catalog: filepath.Join(dir, "lake.db"), Bucket: placeIn(b, s, "lake")}))
	b.ReportMetric(float64(s.Calls("PUT"))/float64(b.N), "objects/op")
}

func smallCommits(b *testing.B, l *Lake) {
	b.Helper()
	mk := facttest.New(b)
	c, text := mk.Contact(1), mk.Text("hello")
	i := 0
	for b.Loop() {
		i++
		at := noon.Add(time.Duration(i) * time.Second)
		must(b, l.Append(context.Background(), []Row{call(2*i, at, c, 1), message(2*i+1, at, c, 1, text)}, to(l, i)))
	}
}
