package e2e

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"murmur/internal/faulttest"
	"murmur/internal/journal"
	"murmur/internal/journal/kafka"
	"murmur/internal/journal/queuetest"
	"murmur/internal/kafkatest"
)

// TestClusterPowerCut: a lone server that syncs each record keeps what it acknowledged when the power goes. One as Kafka comes
// keeps what its kernel happened to write: the promise of a queue on servers is that replicas do not lose power together.
func TestClusterPowerCut(t *testing.T) {
	kafkatest.Need(t)
	row := faulttest.Begin(t, "Kafka: power cut of a lone server with flush.messages=1 (control: as it comes)")
	row.Rounds = 1
	row.Acknowledged, row.Lost = cutServer(t, row, "log.flush.interval.messages=1")
	_, lost := cutServer(t, row)
	row.Planted(lost > 0)
}

// cutServer takes the power from a server under load, and says how many of the acknowledged messages it has afterwards not.
func cutServer(t *testing.T, row *faulttest.Row, settings ...string) (acked, lost int64) {
	d := newDisk(t, row)
	c := kafkatest.Start(t, 1, append(settings, "log.dirs="+filepath.Join(d.dir, "data"))...)
	q := openQueue(t, c)
	if err := q.Check(t.Context(), journal.Facts); err != nil {
		t.Fatal(err)
	}
	d.sync() // the server's own files; what is under test comes now
	var late atomic.Bool
	var count, next atomic.Int64
	var stored sync.Map // ids that were acknowledged before the power went
	var senders sync.WaitGroup
	for range 16 {
		senders.Go(func() {
			for !late.Load() {
				m := queuetest.Delivery(1, int(next.Add(1)))
				m.Topic = journal.Facts
				if q.Append(t.Context(), m) == nil && !late.Load() {
					stored.Store(m.ID, true)
					count.Add(1)
				}
			}
		})
	}
	for began := time.Now(); count.Load() < 500; <-time.After(5 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("%d messages were acknowledged in a minute", count.Load())
		}
	}
	late.Store(true)
	d.cut()
	c.Kill(0)
	senders.Wait()
	d.remount()
	c.Run(0)
	c.Await(1)
	for _, id := range everything(t, openQueue(t, c)) {
		stored.Delete(id)
	}
	stored.Range(func(any, any) bool { lost++; return true })
	t.Logf("%v: %d acknowledged, %d lost", settings, count.Load(), lost)
	return count.Load(), lost
}

// sync writes everything that is on the disk.
func (d *disk) sync() {
	d.t.Helper()
	f, err := os.Open(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		d.t.Fatal(err)
	}
}

func openQueue(t *testing.T, c *kafkatest.Cluster) *kafka.Queue {
	t.Helper()
	q, err := kafka.Open(kafka.Config{Servers: c.Servers, Prefix: "cut", Patience: 10 * time.Second, Session: 6 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return q
}

// everything gives the ids of all messages of facts on the servers.
func everything(t *testing.T, q *kafka.Queue) (ids []journal.ID) {
	t.Helper()
	var there int64
	for began := time.Now(); ; <-time.After(50 * time.Millisecond) {
		var err error
		if there, err = q.Lag(t.Context(), journal.Facts, "check"); err == nil {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if there == 0 {
		return nil
	}
	err := q.Transform(ctx, journal.Reader{Topic: journal.Facts, Group: "check"}, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
		for _, m := range in {
			ids = append(ids, m.ID)
		}
		if int64(len(ids)) >= there {
			cancel()
		}
		return nil, nil
	})
	if err != nil || int64(len(ids)) < there {
		t.Fatalf("%d of %d messages were read, %v", len(ids), there, err)
	}
	return ids
}
