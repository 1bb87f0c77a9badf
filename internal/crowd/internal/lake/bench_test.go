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

// BenchmarkErase is what one opt-out, one erasure, the daily check and one export cost on a million calls, a talk to
// every tenth: CPU seconds of each, and one merge of a day after it.
func BenchmarkErase(b *testing.B) {
	ctx := context.Background()
	l, rows := aMillion(b)
	n := 0
	for _, op := range []struct {
		name string
		run  func(c *fact.Call) error
	}{
		{"opt-out-of-a-call", func(c *fact.Call) error {
			return l.Withdraw(ctx, workspace.Default, Withdrawal{Calls: []fact.ID{c.ID}})
		}},
		{"opt-out-of-a-contact", func(c *fact.Call) error {
			return l.Withdraw(ctx, workspace.Default, Withdrawal{Contacts: []anon.Contact{c.Contact}})
		}},
		{"opt-out-of-nobody", func(c *fact.Call) error {
			return l.Withdraw(ctx, workspace.Default, Withdrawal{Calls: []fact.ID{facttest.ID(-1)}})
		}},
		{"erasure", func(c *fact.Call) error { return l.Forget(ctx, workspace.Default, []anon.Contact{c.Contact}) }},
		{"check", func(c *fact.Call) error {
			_, err := l.Withdrawable(ctx, workspace.Default, Withdrawal{Calls: []fact.ID{c.ID}, Contacts: []anon.Contact{c.Contact}})
			return err
		}},
		{"export", func(c *fact.Call) error {
			_, _, err := l.Call(ctx, workspace.Default, c.ID, []fact.ID{c.ID})
			return err
		}},
	} {
		b.Run(op.name, func(b *testing.B) {
			start := cpuSeconds()
			for b.Loop() {
				n += 10
				must(b, op.run(rows[n%len(rows)].Fact.(*fact.Call)))
			}
			b.ReportMetric((cpuSeconds()-start)/float64(b.N), "cpu-s/op")
		})
	}
}

// aMillion is a compacted lake of a million calls; every tenth has a talk.
func aMillion(b *testing.B) (*Lake, []Row) {
	ctx := context.Background()
	rows := history(b, 1_000_000)
	text := facttest.New(b).Text("where is my order, it should have come on Monday")
	l := openTest(b, Config{Dir: b.TempDir() + "/lake", Catalog: b.TempDir() + "/lake.db"})
	for i := 0; i < len(rows); i += 100_000 {
		batch := slices.Clone(rows[i : i+100_000])
		for j := 0; j < 100_000; j += 10 {
			c := batch[j].Fact.(*fact.Call)
			head := c.Head
			head.ID = facttest.ID(len(rows) + i + j)
			batch = append(batch, Row{workspace.Default, &fact.Talk{Head: head, Call: c.ID, Body: text}})
		}
		must(b, l.Append(ctx, batch, to(l, i)))
	}
	must(b, l.Compact(ctx))
	must(b, l.Expire(ctx))
	return l, rows
}

// cpuSeconds is what this process used so far, user and system.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
