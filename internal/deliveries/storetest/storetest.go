// Package storetest holds every book of deliveries to the contract of package deliveries, together with the queue whose
// inbox it feeds. It is linked into tests only.
package storetest

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/journal/queuetest"
	"murmur/internal/workspace"
)

// Engine is a book and the queue beside it.
type Engine interface {
	journal.Queue
	deliveries.Store
	io.Closer
}

// Open opens an engine: the same one for the same dir, once it was closed. now is its clock.
type Open func(t *testing.T, dir string, now func() time.Time) Engine

// Run holds what open gives to the contract.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *subject)
	}{
		{"counts balance", countsBalance},
		{"duplicates", duplicates},
		{"duplicates at once", duplicatesAtOnce},
		{"trace", trace},
		{"what is settled keeps no payload", settledKeepsNothing},
		{"replay", replay},
		{"replay of whom a yes frees", replayHeld},
		{"a state can ask for the delivery again", again},
		{"settled without the inbox", settle},
		{"an epoch ends", epochEnds},
		{"erased", erased},
		{"unlinked and purged", unlinkAndPurge},
		{"lapsed", lapsed},
		{"the last delivery of each source", latest},
		{"reasons", reasons},
		{"parked facts", parked},
		{"a workspace is forgotten", forgotten},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &subject{open: open, dir: t.TempDir()}
			s.us.Store(Start.UnixMicro())
			s.Engine = open(t, s.dir, s.now)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			c.test(t, s)
		})
	}
}

// Start is when the clock of a test begins.
var Start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// subject is the engine under test and its clock.
type subject struct {
	Engine
	open Open
	dir  string
	us   atomic.Int64
}

func (s *subject) now() time.Time          { return time.UnixMicro(s.us.Load()).UTC() }
func (s *subject) advance(d time.Duration) { s.us.Add(d.Microseconds()) }

func (s *subject) restart(t *testing.T) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Engine = s.open(t, s.dir, s.now)
}

// delivery is the n-th of source 7 in the default workspace, received now.
func (s *subject) delivery(n int) journal.Message {
	m := queuetest.Delivery(1, n)
	m.At = s.now()
	return m
}

func (s *subject) accept(t *testing.T, fresh int, m ...journal.Message) {
	t.Helper()
	got, err := s.Accept(t.Context(), m...)
	if err != nil || got != fresh {
		t.Fatalf("accept: %d fresh, want %d: %v", got, fresh, err)
	}
}

// set gives deliveries states, as a stage does.
func (s *subject) set(t *testing.T, m ...journal.Message) {
	t.Helper()
	if err := s.Append(t.Context(), m...); err != nil {
		t.Fatal(err)
	}
}

func state(m journal.Message, to fact.State, why fact.Why, contact byte) journal.Message {
	m.Topic, m.State, m.Why, m.Contact = journal.States, to, why, [16]byte{contact}
	return m
}

func (s *subject) tally(t *testing.T) deliveries.Tally {
	t.Helper()
	counts, err := s.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tally := counts[workspace.Default][7]
	if tally.In != tally.Sum() {
		t.Errorf("in %d, states %v", tally.In, tally.States)
	}
	return tally
}

func (s *subject) trace(t *testing.T, m journal.Message) deliveries.Trace {
	t.Helper()
	got, err := s.Trace(t.Context(), m.Workspace, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// read gives the n messages that a group is handed, and nothing becomes of them.
func (s *subject) read(t *testing.T, topic journal.Topic, n int) (got []journal.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if n == 0 { // a marker comes first
		m := s.delivery(1 << 30)
		if topic == journal.Facts {
			m.Topic = topic
			s.set(t, m)
		} else {
			s.accept(t, 1, m)
		}
		if got := s.read(t, topic, 1); got[0].ID != m.ID {
			t.Fatal("something waits that should not")
		}
		return nil
	}
	err := s.Transform(ctx, journal.Reader{Topic: topic, Group: "g"}, func(_ context.Context, batch []journal.Message) ([]journal.Message, error) {
		if got = append(got, batch...); len(got) >= n {
			cancel()
		}
		return nil, nil
	})
	if err != nil || len(got) != n {
		t.Fatalf("%d messages, want %d: %v", len(got), n, err)
	}
	return got
}
