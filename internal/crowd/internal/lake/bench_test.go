package lake

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// history makes n calls of 112 days, about four a contact, in random order.
func history(tb testing.TB, n int) []Row {
	mk := facttest.New(tb)
	r := rand.New(rand.NewPCG(3, uint64(n)))
	contacts := make([]anon.Contact, n/4)
	for i := range contacts {
		contacts[i] = mk.Contact(i)
	}
	rows := make([]Row, n)
	for i := range rows {
		at := noon.AddDate(0, 0, r.IntN(112)).Add(time.Duration(r.IntN(12*3600)) * time.Second)
		c := &fact.Call{Head: facttest.Head(i, at, contacts[r.IntN(len(contacts))], at.UnixMicro()),
			Direction: fact.Direction(1 + r.IntN(2)), Number: fact.Label(r.IntN(5)), Result: fact.Answered,
			RingS: r.Int64N(40), TalkS: r.Int64N(900)}
		if r.IntN(10) < 3 {
			c.Result, c.Reason, c.TalkS = fact.Missed, fact.Reason(1+r.IntN(4)), fact.Absent
		}
		rows[i] = Row{workspace.Default, c}
	}
	return rows
}

// orders are the orders that an export can have.
var orders = []struct {
	name string
	sort func([]Row)
}{
	{"random", func([]Row) {}},
	{"newest-first", func(rows []Row) {
		slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(b.Fact.Meta().At, a.Fact.Meta().At) })
	}},
}

// BenchmarkImport is what an import costs the lake: appends of 6,400 facts, then the merging at its end. It gives CPU
// seconds of the whole process, files and bytes of both tables, metadata included.
func BenchmarkImport(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{100_000, 1_000_000} {
		for _, order := range orders {
			b.Run(order.name+"/"+map[bool]string{true: "1M", false: "100k"}[n > 100_000], func(b *testing.B) {
				rows := history(b, n)
				order.sort(rows)
				l := openTest(b, Config{Dir: b.TempDir() + "/lake", Catalog: b.TempDir() + "/lake.db"})
				start, pos, most := cpuSeconds(), int64(0), 0
				for b.Loop() {
					for batch := range slices.Chunk(rows, 6_400) {
						pos++
						must(b, l.Append(ctx, batch, to(l, pos)))
						s, err := l.Stats(ctx)
						must(b, err)
						most = max(most, s.Facts.Files)
					}
					appended := cpuSeconds()
					must(b, l.Compact(ctx))
					must(b, l.Expire(ctx))
					b.ReportMetric(cpuSeconds()-appended, "compact-cpu-s")
				}
				b.ReportMetric(cpuSeconds()-start, "cpu-s")
				s, err := l.Stats(ctx)
				must(b, err)
				if s.Facts.Rows != int64(n) {
					b.Fatalf("%d facts", s.Facts.Rows)
				}
				b.ReportMetric(float64(most), "most-files")
				b.ReportMetric(float64(len(filesBelow(b, l.cfg.Dir))), "files")
				b.ReportMetric(float64(s.Facts.Bytes)/float64(n), "bytes/fact")
			})
		}
	}
}

// cpuSeconds is what this process used so far, user and system.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
