// Package queuetest holds every queue to the contract of package journal: one suite that SQLite, the in-memory fake and
// whatever comes later run. It is linked into tests only.
//
// The suite cannot show what only a cut of the power, a full disk or a killed process show; those tests lie
// beside the implementation they are for.
package queuetest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// Run opens queues with open, which gives the same queue for the same dir, and holds them to the contract. A queue that
// is an io.Closer is closed before it is opened again.
func Run(t *testing.T, open func(t *testing.T, dir string) journal.Queue) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *subject)
	}{
		{"durable", durable},
		{"order per key", order},
		{"concurrent", concurrent},
		{"redelivery after an error", redelivery},
		{"more at once on request", early},
		{"poison does not pass", poison},
		{"outputs and cursor are one", atomicOutputs},
		{"groups are apart", groups},
		{"one consumer a group", oneConsumer},
		{"end of the context is no error", ended},
		{"wakes", wakes},
		{"too large", tooLarge},
		{"resumes from the consumer's own position", resumes},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &subject{open: open, dir: t.TempDir()}
			s.start(t)
			t.Cleanup(func() { s.stop(t) })
			c.test(t, s)
		})
	}
}

// subject is the queue under test.
type subject struct {
	journal.Queue
	open func(*testing.T, string) journal.Queue
	dir  string
}

func (s *subject) start(t *testing.T) { s.Queue = s.open(t, s.dir) }

func (s *subject) stop(t *testing.T) {
	if c, ok := s.Queue.(io.Closer); ok {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

func (s *subject) restart(t *testing.T) {
	s.stop(t)
	s.start(t)
}

// Delivery makes the n-th delivery of a key, its number in the payload.
func Delivery(key uint64, n int) journal.Message {
	payload := binary.LittleEndian.AppendUint64(nil, key)
	payload = binary.LittleEndian.AppendUint64(payload, uint64(n))
	sum := sha256.Sum256(payload)
	return journal.Message{Topic: journal.Inbox, ID: journal.ID(sum[:16]), Workspace: workspace.Default, Source: 7,
		Key: key, At: time.UnixMicro(1_760_000_000_000_000 + int64(n)), Epoch: 3, Payload: payload}
}

// number reads back what Delivery wrote.
func number(m journal.Message) int { return int(binary.LittleEndian.Uint64(m.Payload[8:])) }

func (s *subject) append(t *testing.T, m ...journal.Message) {
	t.Helper()
	if err := s.Append(t.Context(), m...); err != nil {
		t.Fatalf("append: %v", err)
	}
}

var errEnough = errors.New("enough")

// take consumes until it has seen want messages, hands each to out, and fails when they do not come.
func (s *subject) take(t *testing.T, topic journal.Topic, group string, want int,
	out func(journal.Message) []journal.Message) (seen []journal.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := s.Transform(ctx, journal.Reader{Topic: topic, Group: group}, func(_ context.Context, batch []journal.Message) (all []journal.Message, _ error) {
		if len(batch) > journal.MaxBatch {
			t.Errorf("a batch of %d", len(batch))
		}
		for _, m := range batch {
			seen = append(seen, m)
			if out != nil {
				all = append(all, out(m)...)
			}
		}
		if len(seen) >= want {
			cancel()
		}
		return all, nil
	})
	if err != nil {
		t.Fatalf("transform: %v", err)
	}
	if len(seen) != want {
		t.Fatalf("%d messages, want %d", len(seen), want)
	}
	return seen
}

// idle shows that a group has nothing to read: a marker that is appended now comes first.
func (s *subject) idle(t *testing.T, topic journal.Topic, group string) {
	t.Helper()
	marker := Delivery(1<<40, 1)
	marker.Topic = topic
	s.append(t, marker)
	if m := s.take(t, topic, group, 1, nil); m[0].ID != marker.ID {
		t.Fatalf("position %s was delivered again", m[0].Position)
	}
}

func published(m journal.Message) journal.Message {
	m.Topic, m.Payload, m.State = journal.States, nil, fact.Published
	return m
}

func factsOf(m journal.Message) journal.Message {
	m.Topic = journal.Facts
	return m
}
