package sqlite

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// bookRows is how many deliveries the book of the benchmark has: MURMUR_ROWS, a million unless that is set.
func bookRows(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("MURMUR_ROWS"))
	if err != nil {
		return 1_000_000
	}
	return n
}

// fullBook is a journal with settled deliveries of 10,000 contacts, one in ten still held.
func fullBook(b *testing.B, rows int) fixture {
	b.Helper()
	c := newClock()
	j, err := Open(b.Context(), filepath.Join(b.TempDir(), "journal.db"), Config{Now: c.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	body := make([]byte, 400)
	for done := 0; done < rows; {
		batch := make([]journal.Message, 0, journal.MaxBatch)
		for ; len(batch) < cap(batch) && done < rows; done++ {
			m := bookDelivery(done)
			m.State, m.At = fact.Published, c.Now()
			binary.BigEndian.PutUint32(m.Contact[:], uint32(done%10_000)+1)
			if done%10 == 0 {
				m.State, m.Why, m.Payload = fact.Held, fact.WhyNoConsentYet, body
				m.About = journal.Subject{Contact: m.Contact}
			}
			batch = append(batch, m)
		}
		if _, err := j.Settle(b.Context(), func() bool { return true }, batch, nil); err != nil {
			b.Fatal(err)
		}
	}
	return fixture{j, c}
}

func bookDelivery(n int) journal.Message {
	m := journal.Message{Topic: journal.Inbox, Workspace: workspace.Default, Source: 7, Epoch: 3}
	binary.BigEndian.PutUint64(m.ID[:], uint64(n)*0x9e3779b97f4a7c15) // spread, as hashes are
	binary.BigEndian.PutUint64(m.ID[8:], uint64(n))
	return m
}

// BenchmarkAcceptBesideUpkeep accepts 500 deliveries a second, open loop, while each job of the upkeep works through a
// full book: how long the slowest waits, and what the book takes on the disk afterwards.
func BenchmarkAcceptBesideUpkeep(b *testing.B) {
	rows := bookRows(b)
	x := fullBook(b, rows)
	next := rows
	jobs := []struct {
		name string
		run  func(ctx context.Context) error
	}{
		{"nothing", func(context.Context) error { <-time.After(10 * time.Second); return nil }}, // what the machine itself takes
		{"replay-held", func(ctx context.Context) error {
			_, err := x.ReplayHeld(ctx, workspace.Default, []journal.Subject{{Contact: [16]byte{3: 1}}})
			return err
		}},
		{"erase", func(ctx context.Context) error {
			_, err := x.MarkErased(ctx, workspace.Default, [][16]byte{{3: 1}, {3: 2}})
			return err
		}},
		{"reseal", func(ctx context.Context) error {
			_, err := x.Reseal(ctx, workspace.Default, 4, func(m journal.Message) (journal.Message, error) { m.Epoch = 9; return m, nil })
			return err
		}},
		{"lapse", func(ctx context.Context) error {
			_, err := x.Lapse(ctx, workspace.Default, x.clock.Now(), x.clock.Now())
			return err
		}},
		{"unlink", func(ctx context.Context) error {
			_, err := x.Unlink(ctx, workspace.Default, x.clock.Now())
			return err
		}},
		{"shrink", func(ctx context.Context) error { _, err := x.Shrink(ctx); return err }},
		{"purge", func(ctx context.Context) error { _, err := x.Purge(ctx); return err }},
	}
	b.ResetTimer()
	for range b.N {
		for _, job := range jobs {
			if job.name == "purge" {
				info, err := os.Stat(x.path)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(info.Size())/float64(next), "bytes/delivery")
				x.clock.advance(deliveries.Window)
			}
			x.clock.advance(2 * time.Hour)
			ended := make(chan error, 1)
			go func() { ended <- job.run(b.Context()) }()
			times := x.acceptUntil(b, &next, ended)
			slices.Sort(times)
			ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
			b.ReportMetric(ms(times[len(times)*99/100]), job.name+"-p99-ms")
			b.ReportMetric(ms(times[len(times)-1]), job.name+"-max-ms")
		}
	}
}

// acceptUntil accepts one delivery each 2 ms until a job has ended, and a hundred more, and gives how long each took.
func (x fixture) acceptUntil(b *testing.B, next *int, ended chan error) (times []time.Duration) {
	b.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for more := -1; more != 0; {
		due := <-tick.C
		m := bookDelivery(*next)
		m.Payload, m.At, m.Epoch = make([]byte, 400), x.clock.Now(), 9
		*next++
		all.Go(func() {
			if _, err := x.Accept(b.Context(), m); err != nil {
				b.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(due))
		})
		select {
		case err := <-ended:
			if err != nil {
				b.Fatal(err)
			}
			more = 100
		default:
			if more > 0 {
				more--
			}
		}
	}
	all.Wait()
	return times
}
