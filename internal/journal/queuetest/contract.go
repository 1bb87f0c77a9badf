package queuetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"murmur/internal/journal"
)

func durable(t *testing.T, s *subject) {
	want := Delivery(5, 1)
	want.Key = 1<<64 - 1
	s.append(t, want)
	s.restart(t)
	got := s.take(t, journal.Inbox, "g", 1, nil)[0]
	if got.Position == "" {
		t.Error("a message without a position")
	}
	if got.Topic != want.Topic || got.ID != want.ID || got.Workspace != want.Workspace || got.Source != want.Source ||
		got.Key != want.Key || !got.At.Equal(want.At) || got.Epoch != want.Epoch || !bytes.Equal(got.Payload, want.Payload) {
		t.Error("a field changed on the way")
	}
	s.restart(t)
	s.idle(t, journal.Inbox, "g")
}

func order(t *testing.T, s *subject) {
	const keys, each = 8, 200
	for n := range each {
		batch := make([]journal.Message, keys)
		for k := range batch {
			batch[k] = Delivery(uint64(k), n)
		}
		s.append(t, batch...)
	}
	next, seen := map[uint64]int{}, map[journal.Position]bool{}
	for _, m := range s.take(t, journal.Inbox, "g", keys*each, nil) {
		if number(m) != next[m.Key] {
			t.Fatalf("key %d: number %d, want %d", m.Key, number(m), next[m.Key])
		}
		if next[m.Key]++; seen[m.Position] {
			t.Fatalf("two messages at position %s", m.Position)
		}
		seen[m.Position] = true
	}
}

func concurrent(t *testing.T, s *subject) {
	const callers, each = 32, 50
	var all sync.WaitGroup
	for k := range callers {
		all.Go(func() {
			for n := range each {
				if err := s.Append(t.Context(), Delivery(uint64(k), n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	got := s.take(t, journal.Inbox, "g", callers*each, nil) // while they still come
	all.Wait()
	seen := map[journal.ID]int{}
	for _, m := range got {
		if seen[m.ID]++; seen[m.ID] > 1 {
			t.Fatal("delivered twice")
		}
	}
	s.idle(t, journal.Inbox, "g")
}

func redelivery(t *testing.T, s *subject) {
	for n := range 10 {
		s.append(t, Delivery(1, n))
	}
	calls, first := 0, 0
	err := s.Transform(t.Context(), journal.Reader{Topic: journal.Inbox, Group: "g"}, func(_ context.Context, batch []journal.Message) ([]journal.Message, error) {
		if calls++; calls == 1 {
			first = len(batch)
		}
		return []journal.Message{factsOf(batch[0])}, errEnough
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("transform gave %v, want the stage's own error", err)
	}
	if calls != 1 || first == 0 {
		t.Fatalf("the stage was called %d times", calls)
	}
	s.restart(t)
	for n, m := range s.take(t, journal.Inbox, "g", 10, nil) {
		if number(m) != n {
			t.Fatalf("number %d in place %d", number(m), n)
		}
	}
	s.idle(t, journal.Facts, "lake") // what the failed stage returned is nowhere
}

// poison: a message that its stage cannot take stops the group, each time, and is never skipped.
// early: a stage that wants more at once is handed the same messages and those that came in meanwhile.
func early(t *testing.T, s *subject) {
	s.append(t, Delivery(1, 0))
	calls := 0
	err := s.Transform(t.Context(), journal.Reader{Topic: journal.Inbox, Group: "g"}, func(_ context.Context, batch []journal.Message) ([]journal.Message, error) {
		if calls++; calls == 1 {
			s.append(t, Delivery(1, 1))
			return nil, journal.ErrEarly
		}
		for n, m := range batch {
			if number(m) != n || len(batch) != 2 {
				t.Errorf("number %d in place %d of %d", number(m), n, len(batch))
			}
		}
		return nil, errEnough
	})
	if calls != 2 || !errors.Is(err, errEnough) {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func poison(t *testing.T, s *subject) {
	s.append(t, Delivery(1, 0))
	for range 3 {
		seen := 0
		err := s.Transform(t.Context(), journal.Reader{Topic: journal.Inbox, Group: "g"}, func(_ context.Context, batch []journal.Message) ([]journal.Message, error) {
			seen = number(batch[0])
			return nil, errEnough
		})
		if !errors.Is(err, errEnough) || seen != 0 {
			t.Fatalf("number %d, %v", seen, err)
		}
	}
	s.take(t, journal.Inbox, "g", 1, nil)
}

func atomicOutputs(t *testing.T, s *subject) {
	const n = 700 // more than one batch
	for i := range n {
		s.append(t, Delivery(uint64(i), i))
	}
	s.take(t, journal.Inbox, "g", n, func(m journal.Message) []journal.Message {
		return []journal.Message{factsOf(m), published(m)}
	})
	s.restart(t)
	for i, m := range s.take(t, journal.Facts, "lake", n, nil) {
		if number(m) != i || m.Topic != journal.Facts {
			t.Fatalf("fact %d in place %d", number(m), i)
		}
	}
	s.restart(t)
	s.idle(t, journal.Inbox, "g")
	s.idle(t, journal.Facts, "lake")
}

func groups(t *testing.T, s *subject) {
	for n := range 20 {
		s.append(t, Delivery(1, n))
	}
	s.take(t, journal.Inbox, "one", 20, nil)
	s.take(t, journal.Inbox, "two", 20, nil)
	s.idle(t, journal.Inbox, "one")
}

func oneConsumer(t *testing.T, s *subject) {
	ctx, cancel := context.WithCancel(t.Context())
	running, done := make(chan struct{}), make(chan error, 1)
	s.append(t, Delivery(1, 0))
	go func() {
		done <- s.Transform(ctx, journal.Reader{Topic: journal.Inbox, Group: "g"}, func(context.Context, []journal.Message) ([]journal.Message, error) {
			close(running)
			return nil, nil
		})
	}()
	<-running
	stage := func(context.Context, []journal.Message) ([]journal.Message, error) { return nil, nil }
	if err := s.Transform(t.Context(), journal.Reader{Topic: journal.Inbox, Group: "g"}, stage); !errors.Is(err, journal.ErrTaken) {
		t.Errorf("a second consumer: %v, want ErrTaken", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	s.idle(t, journal.Inbox, "g") // free again
}

func ended(t *testing.T, s *subject) {
	s.append(t, Delivery(1, 0))
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Transform(ctx, journal.Reader{Topic: journal.Inbox, Group: "g"}, func(ctx context.Context, _ []journal.Message) ([]journal.Message, error) {
		cancel()
		return nil, ctx.Err()
	})
	if err != nil {
		t.Errorf("transform: %v, want nil", err)
	}
	if err := s.Append(ctx, Delivery(1, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v, want Canceled", err)
	}
	s.take(t, journal.Inbox, "g", 1, nil) // it was not finished
}

// wakes: a consumer that waits sees what is appended.
func wakes(t *testing.T, s *subject) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	arrived, done := make(chan int), make(chan error, 1)
	go func() {
		done <- s.Transform(ctx, journal.Reader{Topic: journal.Inbox, Group: "g"}, func(_ context.Context, batch []journal.Message) ([]journal.Message, error) {
			arrived <- number(batch[0])
			return nil, nil
		})
	}()
	for n := range 20 {
		s.append(t, Delivery(1, n))
		if got := <-arrived; got != n {
			t.Fatalf("number %d, want %d", got, n)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func tooLarge(t *testing.T, s *subject) {
	m := Delivery(1, 0)
	m.Payload = make([]byte, journal.MaxPayload+1)
	if err := s.Append(t.Context(), Delivery(1, 1), m); !errors.Is(err, journal.ErrTooLarge) {
		t.Fatalf("append: %v, want ErrTooLarge", err)
	}
	m.Payload = m.Payload[:journal.MaxPayload]
	s.append(t, m)
	if got := s.take(t, journal.Inbox, "g", 1, nil)[0]; len(got.Payload) != journal.MaxPayload {
		t.Fatalf("payload of %d bytes", len(got.Payload))
	}
}

func resumes(t *testing.T, s *subject) {
	for n := range 10 {
		m := Delivery(1, n)
		m.Topic = journal.Facts
		s.append(t, m)
	}
	// The consumer stored the effect of the first batch and died before the cursor moved.
	var stored []journal.Message
	err := s.Transform(t.Context(), journal.Reader{Topic: journal.Facts, Group: "lake"}, func(_ context.Context, batch []journal.Message) ([]journal.Message, error) {
		stored = slices.Clone(batch[:4])
		return nil, errEnough
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	resume := func(context.Context, int32) (journal.Position, error) { return stored[len(stored)-1].Position, nil }
	err = s.Transform(ctx, journal.Reader{Topic: journal.Facts, Group: "lake", Resume: resume}, func(_ context.Context, batch []journal.Message) ([]journal.Message, error) {
		if stored = append(stored, batch...); len(stored) >= 10 {
			cancel()
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, m := range stored {
		if number(m) != n {
			t.Fatalf("number %d in place %d: not exactly once", number(m), n)
		}
	}
	s.idle(t, journal.Facts, "lake")
}
