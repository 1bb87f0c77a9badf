package storetest

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

var elsewhere = workspace.MustParse("elsewhere")

func countsBalance(t *testing.T, s *subject) {
	a, b, c := s.delivery(1), s.delivery(2), s.delivery(3)
	other := s.delivery(4)
	other.Workspace, other.Source = elsewhere, 9
	s.accept(t, 4, a, b, c, a, other)
	s.accept(t, 0, b)
	s.set(t, state(a, fact.Published, 0, 1), state(b, fact.Quarantined, fact.WhyNotJSON, 0))
	s.restart(t)
	want := deliveries.Tally{In: 5, States: [8]int64{fact.Pending: 1, fact.Published: 1, fact.Quarantined: 1, fact.Duplicate: 2}}
	if got := s.tally(t); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	counts, err := s.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := counts[elsewhere][9]; got.In != 1 || got.States[fact.Pending] != 1 {
		t.Errorf("the other workspace: %+v", got)
	}
	backlog, err := s.Backlog(t.Context())
	if err != nil || backlog.Pending != 2 || !backlog.Oldest.Equal(Start) {
		t.Errorf("backlog %+v, %v", backlog, err)
	}
}

func duplicates(t *testing.T, s *subject) {
	a, b, c := s.delivery(1), s.delivery(2), s.delivery(3)
	s.accept(t, 1, a)
	s.accept(t, 0, a)
	s.accept(t, 1, a, b, b)
	s.restart(t)
	s.accept(t, 1, b, c)
	there := a
	there.Workspace = elsewhere
	s.accept(t, 1, there)
	near := a // half of the ID is another's
	near.ID[15]++
	s.accept(t, 1, near)
	s.read(t, journal.Inbox, 5)
	s.accept(t, 0, a, b, c, there, near)
	s.set(t, state(a, fact.Published, 0, 0))
	s.accept(t, 0, a)
	known, err := s.Known(t.Context(), workspace.Default, []journal.ID{a.ID, s.delivery(9).ID, c.ID})
	if err != nil || len(known) != 2 || known[a.ID] != fact.Published || known[c.ID] != fact.Pending {
		t.Errorf("known %v: %v", known, err)
	}
	s.read(t, journal.Inbox, 0)
}

func duplicatesAtOnce(t *testing.T, s *subject) {
	const callers, each = 16, 50
	var all sync.WaitGroup
	var fresh atomic.Int64
	for k := range callers {
		all.Go(func() {
			for n := range each {
				for _, i := range []int{k, (k + 1) % callers} { // each is sent twice, by two callers
					got, err := s.Accept(t.Context(), s.delivery(i*each+n))
					if err != nil {
						t.Error(err)
					}
					fresh.Add(int64(got))
				}
			}
		})
	}
	all.Wait()
	if got := s.tally(t); fresh.Load() != callers*each || got.In != 2*callers*each || got.States[fact.Duplicate] != callers*each {
		t.Errorf("%d fresh, counts %+v", fresh.Load(), got)
	}
}

func trace(t *testing.T, s *subject) {
	m := s.delivery(1)
	s.accept(t, 1, m)
	s.advance(time.Second)
	s.set(t, state(m, fact.Held, fact.WhyNoConsentYet, 4))
	got := s.trace(t, m)
	if got.State != fact.Held || got.Why != fact.WhyNoConsentYet || !got.At.Equal(Start) || !got.Since.Equal(Start.Add(time.Second)) ||
		got.Size != len(m.Payload) || got.Epoch != 3 || got.Payload != nil || got.Contact != [16]byte{4} || got.Source != 7 {
		t.Errorf("trace %d %d %v %v", got.State, got.Why, got.At, got.Since)
	}
	if _, err := s.Trace(t.Context(), elsewhere, m.ID); !errors.Is(err, deliveries.ErrUnknown) {
		t.Errorf("another workspace: %v, want ErrUnknown", err)
	}
}

func settledKeepsNothing(t *testing.T, s *subject) {
	for to := fact.Pending; to <= fact.Erased; to++ {
		m := s.delivery(int(to))
		s.accept(t, 1, m)
		if to == fact.Pending || to == fact.Duplicate {
			continue
		}
		s.set(t, state(m, to, 0, 1))
		if kept := s.trace(t, m).Size > 0; kept == deliveries.Settled(to) {
			t.Errorf("%s: kept %t", to, kept)
		}
	}
	n := 0
	if err := s.Sealed(t.Context(), func(journal.Message) error { n++; return nil }); err != nil || n != 4 {
		t.Errorf("%d sealed, want those of pending (two), held and quarantined: %v", n, err)
	}
	s.tally(t)
}

func replay(t *testing.T, s *subject) {
	const n = 520 // more than one transaction
	for i := range n {
		s.accept(t, 1, s.delivery(i))
	}
	s.read(t, journal.Inbox, n)
	for i := range n {
		why := fact.WhyNotJSON
		if i%10 == 0 {
			why = fact.WhyBadTime
		}
		s.set(t, state(s.delivery(i), fact.Quarantined, why, 0))
	}
	ctx := t.Context()
	quarantined := []fact.State{fact.Quarantined}
	if got, err := s.Replay(ctx, elsewhere, quarantined, 0); err != nil || got != 0 {
		t.Errorf("another workspace: %d, %v", got, err)
	}
	if got, err := s.Replay(ctx, workspace.Default, quarantined, fact.WhyBadTime); err != nil || got != n/10 {
		t.Errorf("one reason: %d, %v", got, err)
	}
	if got, err := s.Replay(ctx, workspace.Default, []fact.State{fact.Held, fact.Quarantined}, 0); err != nil || got != n-n/10 {
		t.Errorf("the rest: %d, %v", got, err)
	}
	if got := s.tally(t); got.States[fact.Pending] != n {
		t.Errorf("counts %+v", got)
	}
	for i, m := range s.read(t, journal.Inbox, n)[:n/10] {
		if m.ID != s.delivery(i*10).ID {
			t.Fatal("replay changed the order")
		}
	}
	for _, state := range []fact.State{fact.Pending, fact.Published, fact.Erased} {
		if _, err := s.Replay(ctx, workspace.Default, []fact.State{state}, 0); err == nil {
			t.Errorf("%s deliveries were replayed", state)
		}
	}
}

// replayHeld: an agreement frees the deliveries that wait for it, and those that do not say for whom they
// wait; no others change.
func replayHeld(t *testing.T, s *subject) {
	ref := func(b byte) [16]byte { return [16]byte{15: b} }
	for i, about := range []journal.Subject{{Call: ref(1), Contact: ref(7)}, {Call: ref(2), Contact: ref(7)}, {Call: ref(3), Contact: ref(8)}, {Contact: ref(9)}, {}} {
		m := s.delivery(i)
		s.accept(t, 1, m)
		m = state(m, fact.Held, fact.WhyNoConsentYet, 0)
		m.About = about
		s.set(t, m)
	}
	s.read(t, journal.Inbox, 0)
	for _, c := range []struct {
		of   journal.Subject
		want []int
	}{
		{journal.Subject{Call: ref(1)}, []int{0, 3, 4}},
		{journal.Subject{Contact: ref(7)}, []int{1}},
		{journal.Subject{Contact: ref(7)}, nil},
		{journal.Subject{Call: ref(4)}, nil},
		{journal.Subject{Call: ref(3), Contact: ref(8)}, []int{2}},
	} {
		if n, err := s.ReplayHeld(t.Context(), elsewhere, []journal.Subject{c.of}); err != nil || n != 0 {
			t.Fatalf("another workspace: %d, %v", n, err)
		}
		if n, err := s.ReplayHeld(t.Context(), workspace.Default, []journal.Subject{c.of}); err != nil || n != len(c.want) {
			t.Fatalf("%v: %d, want %v: %v", c.of, n, c.want, err)
		}
		if len(c.want) == 0 {
			continue
		}
		for i, m := range s.read(t, journal.Inbox, len(c.want)) {
			if m.ID != s.delivery(c.want[i]).ID {
				t.Errorf("%v: another delivery came", c.of)
			}
		}
	}
	s.tally(t)
}

// again: the state Pending puts a delivery at the end of the inbox; Erased is final.
func again(t *testing.T, s *subject) {
	held, other := s.delivery(0), s.delivery(1)
	s.accept(t, 1, held)
	first := s.read(t, journal.Inbox, 1)[0]
	s.set(t, state(held, fact.Held, 0, 0))
	s.accept(t, 1, other)
	s.set(t, state(held, fact.Pending, 0, 0))
	got := s.read(t, journal.Inbox, 2)
	if got[0].ID != other.ID || got[1].ID != held.ID || got[1].Position == first.Position || !bytes.Equal(got[1].Payload, held.Payload) {
		t.Fatal("the delivery did not come again, last")
	}
	s.set(t, state(held, fact.Erased, 0, 0), state(held, fact.Pending, 0, 0), state(held, fact.Published, 0, 0))
	if got := s.trace(t, held); got.State != fact.Erased {
		t.Errorf("an erased delivery is %s", got.State)
	}
	s.read(t, journal.Inbox, 0)
}

func settle(t *testing.T, s *subject) {
	known, published, held := s.delivery(0), s.delivery(1), s.delivery(2)
	s.accept(t, 1, known)
	s.read(t, journal.Inbox, 1)
	facts := s.delivery(3)
	facts.Topic = journal.Facts
	known.State, published.State, held.State, held.Why = fact.Refused, fact.Published, fact.Held, fact.WhyNoConsentYet
	published.Payload, published.Contact = nil, [16]byte{1}
	again := s.delivery(1)
	again.State, again.Payload = fact.Duplicate, nil
	done := []journal.Message{known, published, held, again}
	yes := func() bool { return true }
	if _, err := s.Settle(t.Context(), func() bool { return false }, done, []journal.Message{facts}); !errors.Is(err, deliveries.ErrMoved) {
		t.Fatalf("what no longer holds: %v, want ErrMoved", err)
	}
	fresh, err := s.Settle(t.Context(), yes, done, []journal.Message{facts})
	if err != nil || !slices.Equal(fresh, []bool{false, true, true, false}) {
		t.Fatalf("settle: %v, %v", fresh, err)
	}
	s.restart(t)
	if got := s.trace(t, known); got.State != fact.Pending {
		t.Errorf("a duplicate became %s", got.State)
	}
	if got := s.trace(t, published); got.State != fact.Published || got.Size != 0 {
		t.Errorf("%s, %d bytes", got.State, got.Size)
	}
	if got := s.trace(t, held); got.State != fact.Held || got.Size != len(held.Payload) {
		t.Errorf("%s, %d bytes", got.State, got.Size)
	}
	s.read(t, journal.Inbox, 0)
	s.read(t, journal.Facts, 1)
	if n, err := s.Replay(t.Context(), workspace.Default, []fact.State{fact.Held}, 0); err != nil || n != 1 {
		t.Errorf("replayed %d, %v", n, err)
	}
	if got := s.read(t, journal.Inbox, 1); !bytes.Equal(got[0].Payload, held.Payload) {
		t.Error("the payload changed")
	}
	s.tally(t)
}

// epochEnds: what an ended epoch seals is carried over or refused, and the book names the oldest that is needed.
func epochEnds(t *testing.T, s *subject) {
	ctx := t.Context()
	const n = 150
	for i := range n {
		s.accept(t, 1, s.delivery(i))
		switch i % 3 {
		case 0:
			s.set(t, state(s.delivery(i), fact.Published, 0, 1))
		case 1:
			s.set(t, state(s.delivery(i), fact.Held, 0, 1))
		}
	}
	newer, there := s.delivery(n), s.delivery(n+1)
	newer.Epoch, there.Workspace = 4, elsewhere
	s.accept(t, 2, newer, there)
	if e, err := s.Epoch(ctx, workspace.Default); err != nil || e != 3 {
		t.Fatalf("epoch %d, %v", e, err)
	}
	if err := s.Retire(ctx, workspace.Default, 4); err != nil {
		t.Fatal(err)
	}
	late := s.delivery(n + 2) // sealed before, committed after
	if _, err := s.Accept(ctx, late); !errors.Is(err, journal.ErrStale) {
		t.Fatalf("accept: %v, want ErrStale", err)
	}
	held := late
	held.State = fact.Held
	if _, err := s.Settle(ctx, func() bool { return true }, []journal.Message{held}, nil); !errors.Is(err, journal.ErrStale) {
		t.Fatalf("settle: %v, want ErrStale", err)
	}
	late.Workspace = elsewhere
	s.accept(t, 1, late)
	if err := s.Unretire(ctx, 3, 5); err != nil { // nothing was retired so late
		t.Fatal(err)
	}
	again := s.delivery(n + 3)
	if _, err := s.Accept(ctx, again); !errors.Is(err, journal.ErrStale) {
		t.Fatalf("accept: %v, want ErrStale", err)
	}
	if err := errors.Join(s.Retire(ctx, workspace.Default, 400), s.Unretire(ctx, 4, 5)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(ctx, again); !errors.Is(err, journal.ErrStale) {
		t.Fatalf("an epoch of before today: %v, want ErrStale", err)
	}
	again.Epoch = 4
	s.accept(t, 1, again)
	renew := func(m journal.Message) (journal.Message, error) {
		if m.Workspace != workspace.Default {
			t.Error("another workspace's payload")
		}
		m.Epoch, m.Payload = 5, append([]byte("new"), m.Payload...)
		return m, nil
	}
	if got, err := s.Reseal(ctx, workspace.Default, 4, renew); err != nil || got != n/3*2 {
		t.Fatalf("resealed %d, %v", got, err)
	}
	if e, err := s.Epoch(ctx, workspace.Default); err != nil || e != 4 {
		t.Fatalf("epoch %d, %v: 4 is still needed", e, err)
	}
	for _, m := range s.read(t, journal.Inbox, n/3+4) {
		if m.Workspace == workspace.Default && m.ID != newer.ID && m.ID != again.ID && (m.Epoch != 5 || !bytes.HasPrefix(m.Payload, []byte("new"))) {
			t.Fatal("a payload was not resealed")
		}
	}
	// A stage that read a delivery before it was carried over settles it: the carried-over bytes stay.
	s.set(t, state(s.delivery(2), fact.Quarantined, 0, 0))
	if got := s.trace(t, s.delivery(2)); got.Epoch != 5 {
		t.Errorf("epoch %d", got.Epoch)
	}
	stop := errors.New("stop")
	if _, err := s.Reseal(ctx, workspace.Default, 9, func(journal.Message) (journal.Message, error) { return journal.Message{}, stop }); !errors.Is(err, stop) {
		t.Errorf("reseal: %v, want the function's error", err)
	}
	s.tally(t)
}

func erased(t *testing.T, s *subject) {
	ctx := t.Context()
	contact := [16]byte{77}
	var all []journal.Message
	for i := range 40 {
		m := s.delivery(i)
		all = append(all, m)
		to := state(m, []fact.State{fact.Published, fact.Held, fact.Quarantined, fact.Refused}[i/2%4], 0, 9)
		if i%2 == 0 {
			to.Contact = contact
		}
		s.accept(t, 1, m)
		s.set(t, to)
	}
	if n, err := s.MarkErased(ctx, elsewhere, [][16]byte{contact}); err != nil || n != 0 {
		t.Errorf("another workspace: %d, %v", n, err)
	}
	if n, err := s.MarkErased(ctx, workspace.Default, [][16]byte{contact, {}}); err != nil || n != 20 {
		t.Fatalf("erased %d, %v", n, err)
	}
	if n, err := s.MarkErased(ctx, workspace.Default, [][16]byte{contact}); err != nil || n != 0 {
		t.Errorf("erased again: %d, %v", n, err)
	}
	if got := s.tally(t); got.States[fact.Erased] != 20 || got.States[fact.Published] != 5 || got.States[fact.Held] != 5 {
		t.Errorf("counts %+v", got)
	}
	for i, m := range all {
		got := s.trace(t, m)
		if i%2 == 0 && (got.State != fact.Erased || got.Size > 0 || got.Contact != [16]byte{} || got.Why != fact.WhyErasure) {
			t.Errorf("%d: %s, %d bytes, why %s", i, got.State, got.Size, got.Why)
		}
	}
	if n, err := s.Replay(ctx, workspace.Default, []fact.State{fact.Held, fact.Quarantined}, 0); err != nil || n != 10 {
		t.Errorf("replayed %d, %v", n, err)
	}
}

func unlinkAndPurge(t *testing.T, s *subject) {
	ctx := t.Context()
	for i := range 30 {
		m := s.delivery(i)
		s.accept(t, 1, m)
		s.set(t, state(m, []fact.State{fact.Held, fact.Published, fact.Refused}[i%3], 0, 5))
	}
	there := s.delivery(0)
	there.Workspace = elsewhere
	s.accept(t, 1, there)
	s.set(t, state(there, fact.Published, 0, 5))
	s.accept(t, 0, s.delivery(0))
	before := s.tally(t)
	s.advance(time.Hour)
	s.accept(t, 1, s.delivery(100))
	if n, err := s.Unlink(ctx, workspace.Default, s.now()); err != nil || n != 30 {
		t.Fatalf("unlinked %d, %v", n, err)
	}
	if got := s.trace(t, there); got.Contact != [16]byte{5} {
		t.Error("another workspace was unlinked")
	}
	s.advance(deliveries.Window - time.Hour)
	if n, err := s.Purge(ctx); err != nil || n != 0 {
		t.Fatalf("purged %d inside the window, %v", n, err)
	}
	s.advance(2 * time.Hour)
	if n, err := s.Purge(ctx); err != nil || n != 21 {
		t.Fatalf("purged %d, %v", n, err)
	}
	before.In++
	before.States[fact.Pending]++
	if got := s.tally(t); got != before {
		t.Errorf("counts %+v, before %+v", got, before)
	}
	s.accept(t, 1, s.delivery(0), s.delivery(1)) // the held one is still known, the purged one may come again
	if _, err := s.Shrink(ctx); err != nil {
		t.Error(err)
	}
	s.tally(t)
}

func lapsed(t *testing.T, s *subject) {
	ctx := t.Context()
	held, quarantined := s.delivery(1), s.delivery(2)
	there := s.delivery(1)
	there.Workspace = elsewhere
	s.accept(t, 3, held, quarantined, there)
	s.set(t, state(held, fact.Held, fact.WhyNoConsentYet, 0), state(quarantined, fact.Quarantined, fact.WhyBadTime, 0), state(there, fact.Held, 0, 0))
	s.advance(time.Hour)
	young := s.delivery(3)
	s.accept(t, 1, young)
	s.set(t, state(young, fact.Held, fact.WhyNoConsentYet, 0))
	for _, want := range []int{2, 0} { // once
		if n, err := s.Lapse(ctx, workspace.Default, s.now(), s.now()); err != nil || n != want {
			t.Fatalf("lapsed %d, want %d: %v", n, want, err)
		}
	}
	for _, c := range []struct {
		m    journal.Message
		want fact.State
		why  fact.Why
		kept bool
	}{
		{held, fact.Refused, fact.WhyNoConsentYet, false}, {quarantined, fact.Quarantined, fact.WhyBadTime, false},
		{young, fact.Held, fact.WhyNoConsentYet, true}, {there, fact.Held, 0, true},
	} {
		if got := s.trace(t, c.m); got.State != c.want || got.Why != c.why || got.Size > 0 != c.kept {
			t.Errorf("%s for %s, kept %t; want %s, %t", got.State, got.Why, got.Size > 0, c.want, c.kept)
		}
	}
	if n, err := s.Replay(ctx, workspace.Default, []fact.State{fact.Held, fact.Quarantined}, 0); err != nil || n != 1 {
		t.Errorf("replayed %d, %v", n, err)
	}
	s.tally(t)
}

// latest is the newest one received, whatever became of it, in whatever order it comes.
func latest(t *testing.T, s *subject) {
	early, late := s.delivery(1), s.delivery(2)
	late.At = early.At.Add(time.Minute)
	other := s.delivery(3)
	other.Source, other.At = 8, early.At.Add(-time.Hour)
	s.accept(t, 3, late, early, other)
	last, err := s.Latest(t.Context(), workspace.Default)
	if err != nil || len(last) != 2 || !last[7].Equal(late.At) || !last[8].Equal(other.At) {
		t.Errorf("last %v: %v", last, err)
	}
	if last, err := s.Latest(t.Context(), elsewhere); err != nil || len(last) != 0 {
		t.Errorf("another workspace: %v: %v", last, err)
	}
}

func reasons(t *testing.T, s *subject) {
	for i, why := range []fact.Why{fact.WhyBadTime, fact.WhyNotJSON, fact.WhyBadTime} {
		m := s.delivery(i)
		s.accept(t, 1, m)
		s.set(t, state(m, fact.Quarantined, why, 0))
		s.advance(time.Second)
	}
	got, err := s.Reasons(t.Context(), workspace.Default, fact.Quarantined)
	if err != nil || len(got) != 2 || got[0].Why != fact.WhyNotJSON || got[1].Deliveries != 2 || !got[1].Oldest.Equal(Start) {
		t.Errorf("%+v, %v", got, err)
	}
}

// parked facts wait for somebody to ask for them again; the last of an ID stays.
func parked(t *testing.T, s *subject) {
	a, b, there := s.delivery(1), s.delivery(2), s.delivery(3)
	there.Workspace = elsewhere
	for _, m := range []journal.Message{a, b, a, there} {
		m.Topic, m.Why = journal.Parked, fact.WhyKeys
		s.set(t, m)
	}
	s.restart(t)
	if got, err := s.Parked(t.Context()); err != nil || got[workspace.Default] != 2 || got[elsewhere] != 1 {
		t.Fatalf("parked %v, %v", got, err)
	}
	s.read(t, journal.Facts, 0)
	if n, err := s.Unpark(t.Context(), workspace.Default); err != nil || n != 2 {
		t.Fatalf("unparked %d, %v", n, err)
	}
	for i, m := range s.read(t, journal.Facts, 2) {
		if want := []journal.Message{b, a}[i]; m.ID != want.ID || !bytes.Equal(m.Payload, want.Payload) {
			t.Errorf("message %d is another", i)
		}
	}
	if got, err := s.Parked(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("parked %v, %v", got, err)
	}
}

// forgotten: of a workspace nothing is left in book and queue; the others have what they had, and the name may come again.
func forgotten(t *testing.T, s *subject) {
	const n = 250 // more than one transaction
	all := make([]journal.Message, n)
	for i := range all {
		all[i] = s.delivery(i)
		there := all[i]
		there.Workspace = elsewhere
		s.accept(t, 2, all[i], there)
		to := fact.State(i % int(fact.Erased+1))
		s.set(t, state(all[i], to, fact.WhyNone, 1), state(there, to, fact.WhyNone, 1))
	}
	for _, topic := range []journal.Topic{journal.Facts, journal.Parked} {
		m := s.delivery(n)
		m.Topic = topic
		there := m
		there.Workspace = elsewhere
		s.set(t, m, there)
	}
	before, err := s.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting, received, err := s.Load(t.Context(), workspace.Default, Start)
	if err != nil || waiting != 95 || received != n {
		t.Errorf("%d wait of %d received: %v", waiting, received, err)
	}
	if got, err := s.Forget(t.Context(), workspace.Default); err != nil || got != n {
		t.Fatalf("forgot %d: %v", got, err)
	}
	for range 2 {
		if after, err := s.Counts(t.Context()); err != nil || len(after) != 1 || !maps.Equal(after[elsewhere], before[elsewhere]) {
			t.Errorf("counts %v, %v", after, err)
		}
		if _, err := s.Trace(t.Context(), workspace.Default, all[0].ID); !errors.Is(err, deliveries.ErrUnknown) {
			t.Errorf("trace: %v, want ErrUnknown", err)
		}
		if parked, err := s.Parked(t.Context()); err != nil || parked[workspace.Default] != 0 || parked[elsewhere] != 1 {
			t.Errorf("parked %v, %v", parked, err)
		}
		err := s.Sealed(t.Context(), func(m journal.Message) error {
			if m.Workspace != elsewhere {
				t.Error("a payload is left")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		s.restart(t)
	}
	if facts := s.read(t, journal.Facts, 1); facts[0].Workspace != elsewhere {
		t.Error("facts are left")
	}
	if got, err := s.Forget(t.Context(), workspace.Default); err != nil || got != 0 {
		t.Errorf("forgot %d once more: %v", got, err)
	}
	s.accept(t, n, all...)
	if got := s.tally(t); got.In != n || got.States[fact.Pending] != n {
		t.Errorf("the next of that name: %+v", got)
	}
}
