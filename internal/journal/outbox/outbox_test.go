package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"murmur/internal/journal"
	"murmur/internal/journal/outbox"
	"murmur/internal/journal/queuetest"
	"murmur/internal/journal/sqlite"
)

// servers are a queue in memory that can be away, and that can lose its answer.
type servers struct {
	*queuetest.Memory
	mu   sync.Mutex
	away bool
	mute bool // what is appended is stored, and the answer lost, once
	done int
}

func (s *servers) state() (away, mute bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	away, mute = s.away, s.mute
	s.mute = false
	return away, mute
}

func (s *servers) set(away, mute bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away, s.mute = away, mute
}

func (s *servers) Append(ctx context.Context, m ...journal.Message) error {
	away, mute := s.state()
	if away {
		return journal.ErrAway
	}
	if err := s.Memory.Append(ctx, m...); err != nil || !mute {
		return err
	}
	return journal.ErrAway
}

func (s *servers) Lag(context.Context, journal.Topic, string) (int64, error) {
	if away, _ := s.state(); away {
		return 0, journal.ErrAway
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.Messages(journal.Facts)) - s.done), nil
}

func newOutbox(t *testing.T) (*outbox.Outbox, *servers, *sqlite.Journal) {
	t.Helper()
	file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), sqlite.Config{Poll: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	s := &servers{Memory: queuetest.NewMemory()}
	return &outbox.Outbox{File: file, Servers: s, Partition: 1}, s, file
}

func facts(t *testing.T, o *outbox.Outbox, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		m := queuetest.Delivery(1, n)
		m.Topic = journal.Facts
		if err := o.Append(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
}

// lake reads until it has seen want messages, and starts again after the servers were away.
func lake(t *testing.T, o *outbox.Outbox, seen map[journal.ID]int, want int, between func(error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	at := journal.Position("")
	for ctx.Err() == nil {
		err := o.Transform(ctx, journal.Reader{Topic: journal.Facts, Group: "lake", Resume: func(_ context.Context, p int32) (journal.Position, error) {
			if p != 1 {
				t.Errorf("asked for partition %d", p)
			}
			return at, nil
		}}, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
			for _, m := range in {
				if seen[m.ID]++; m.Partition != 1 {
					t.Errorf("a message of partition %d", m.Partition)
				}
				at = m.Position
			}
			if len(seen) >= want {
				cancel()
			}
			return nil, nil
		})
		if err != nil {
			between(err)
		}
	}
	if len(seen) != want {
		t.Fatalf("%d messages came, want %d", len(seen), want)
	}
}

// TestFactsGoThroughTheServers: all of them, and the inbox does not.
func TestFactsGoThroughTheServers(t *testing.T) {
	t.Parallel()
	o, s, _ := newOutbox(t)
	facts(t, o, 0, 1200)
	seen := map[journal.ID]int{}
	lake(t, o, seen, 1200, func(err error) { t.Fatal(err) })
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%x came %d times", id, n)
		}
	}
	if got := len(s.Messages(journal.Facts)); got != 1200 {
		t.Errorf("the servers have %d messages", got)
	}
}

// TestServersAreAway: what waits stays in the file, the error says why, and nothing is lost when they come back; when only
// their answer was lost it is carried twice.
func TestServersAreAway(t *testing.T) {
	t.Parallel()
	for _, mute := range []bool{false, true} {
		t.Run(fmt.Sprint(mute), func(t *testing.T) {
			t.Parallel()
			o, s, file := newOutbox(t)
			s.set(!mute, mute)
			facts(t, o, 0, 30)
			failures := 0
			lake(t, o, map[journal.ID]int{}, 30, func(err error) {
				if failures++; !errors.Is(err, journal.ErrAway) {
					t.Fatalf("%v, want ErrAway", err)
				}
				if b, err := file.Backlog(t.Context()); err != nil || b.Facts != 30 && !mute {
					t.Errorf("%d messages wait in the file, %v", b.Facts, err)
				}
				s.set(false, false)
			})
			if failures == 0 {
				t.Error("nobody noticed")
			}
			if b, err := file.Backlog(t.Context()); err != nil || b.Facts != 0 && !mute {
				t.Errorf("%d messages are left in the file, %v", b.Facts, err)
			}
		})
	}
}

// TestHold: while it is held nothing leaves the file, what the servers have is read, and a stop is heard.
func TestHold(t *testing.T) {
	t.Parallel()
	o, s, _ := newOutbox(t)
	release, err := o.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	facts(t, o, 0, 5)
	m := queuetest.Delivery(2, 0)
	m.Topic = journal.Facts
	if err := s.Memory.Append(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	seen := map[journal.ID]int{}
	lake(t, o, seen, 1, func(err error) { t.Fatal(err) })
	if seen[m.ID] != 1 || len(s.Messages(journal.Facts)) != 1 {
		t.Errorf("the servers have %d messages", len(s.Messages(journal.Facts)))
	}
	release()
	lake(t, o, seen, 6, func(err error) { t.Fatal(err) })
}

// TestWaiting: servers that did not answer are not asked again at once.
func TestWaiting(t *testing.T) {
	t.Parallel()
	o, s, _ := newOutbox(t)
	s.set(true, false)
	if _, err := o.Waiting(t.Context(), "lake"); !errors.Is(err, journal.ErrAway) {
		t.Errorf("%v, want ErrAway", err)
	}
	s.set(false, false)
	if _, err := o.Waiting(t.Context(), "lake"); !errors.Is(err, journal.ErrAway) {
		t.Errorf("%v: it was asked again at once", err)
	}
}
