package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// BenchmarkAppend128 is the journal under 128 callers of one delivery each, 1 KiB sealed. Beside it, on the
// same disk, the least that any durable queue on SQLite must do: see BenchmarkBare.
func BenchmarkAppend128(b *testing.B) {
	j, err := Open(b.Context(), filepath.Join(b.TempDir(), "journal.db"), Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	body := make([]byte, 1024)
	b.ReportAllocs()
	share(b, 128, func(int) error {
		m := journal.Message{Topic: journal.Inbox, Workspace: workspace.Default, Source: 7, At: time.Now(), Epoch: 1, Payload: body}
		_, _ = rand.Read(m.ID[:])
		_, err := j.Accept(b.Context(), m)
		return err
	})
}

// BenchmarkBare is a group-commit loop over a table of position and bytes, 128 rows a transaction: no
// deduplication, no counters, no states, no callers to wake.
func BenchmarkBare(b *testing.B) {
	db, err := sql.Open("sqlite", dsn(filepath.Join(b.TempDir(), "bare.db"), Config{}.withDefaults(), "wal_autocheckpoint(4000)"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`create table log (pos integer primary key, body blob)`); err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 1024)
	start := time.Now()
	b.ResetTimer()
	for done := 0; done < b.N; {
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		insert, err := tx.Prepare(`insert into log (body) values (?)`)
		if err != nil {
			b.Fatal(err)
		}
		for i := 0; i < 128 && done < b.N; i, done = i+1, done+1 {
			if _, err := insert.Exec(body); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "msgs/s")
}

// BenchmarkTransform moves deliveries through a stage that answers each with a state and a fact.
func BenchmarkTransform(b *testing.B) {
	j, err := Open(b.Context(), filepath.Join(b.TempDir(), "journal.db"), Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	batch := make([]journal.Message, 0, commitSize)
	for i := range b.N {
		m := journal.Message{Topic: journal.Inbox, Workspace: workspace.Default, Source: 7, At: time.Now(), Epoch: 1, Payload: make([]byte, 1024)}
		_, _ = rand.Read(m.ID[:])
		if batch = append(batch, m); len(batch) == cap(batch) || i == b.N-1 {
			if _, err := j.Accept(b.Context(), batch...); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	start, seen := time.Now(), 0
	b.ResetTimer()
	err = j.Transform(ctx, journal.Reader{Topic: journal.Inbox, Group: "process"}, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
		out := make([]journal.Message, 0, 2*len(in))
		for _, m := range in {
			facts, state := m, m
			facts.Topic, facts.Payload = journal.Facts, m.Payload[:200]
			state.Topic, state.State, state.Contact = journal.States, fact.Published, [16]byte(m.ID)
			out = append(out, facts, state)
		}
		if seen += len(in); seen == b.N {
			cancel()
		}
		return out, nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "msgs/s")
}

// share spreads b.N calls over callers and reports the rate and the 99th percentile.
func share(b *testing.B, callers int, call func(i int) error) {
	times := make([]time.Duration, b.N)
	var next atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if err := call(i); err != nil {
					b.Error(err)
					return
				}
				times[i] = time.Since(began)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "msgs/s")
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
}
