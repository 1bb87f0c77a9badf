package sqlite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/journal/journaltest"
	"murmur/internal/workspace"
)

var epoch0 = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// clock is a settable one.
type clock struct{ us atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.us.Store(epoch0.UnixMicro())
	return c
}

func (c *clock) Now() time.Time          { return time.UnixMicro(c.us.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.us.Add(d.Microseconds()) }

// fixture is a journal with a clock.
type fixture struct {
	*Journal
	clock *clock
}

func start(t *testing.T) fixture {
	t.Helper()
	c := newClock()
	j := openIn(t, t.TempDir(), Config{Now: c.Now})
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return fixture{j, c}
}

func (x fixture) append(t *testing.T, m ...journal.Message) {
	t.Helper()
	if _, err := x.Append(t.Context(), m...); err != nil {
		t.Fatal(err)
	}
}

// delivery is the n-th of source 7 in the default workspace, received now.
func (x fixture) delivery(n int) journal.Message {
	m := journaltest.Delivery(1, n)
	m.At = x.clock.Now()
	return m
}

func state(m journal.Message, s fact.State, why fact.Why, contact byte) journal.Message {
	m.Topic, m.Payload, m.State, m.Why, m.Contact = journal.States, nil, s, why, [16]byte{contact}
	return m
}

func (x fixture) tally(t *testing.T) journal.Tally {
	t.Helper()
	counts, err := x.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tally := counts[workspace.Default][7]
	if tally.In != tally.Sum() {
		t.Errorf("in %d, states %v", tally.In, tally.States)
	}
	return tally
}

// read gives the n messages that a consumer of the inbox is handed.
func (x fixture) read(t *testing.T, group string, n int) (got []journal.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := x.Transform(ctx, journal.Inbox, group, func(_ context.Context, batch []journal.Message) ([]journal.Message, error) {
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

func TestCountsBalance(t *testing.T) {
	t.Parallel()
	x := start(t)
	a, b, c := x.delivery(1), x.delivery(2), x.delivery(3)
	other := x.delivery(4)
	other.Workspace, other.Source = workspace.MustParse("other"), 9
	x.append(t, a, b, c, a, other)
	x.append(t, b)
	x.append(t, state(a, fact.Published, 0, 1), state(b, fact.Quarantined, fact.WhyNotJSON, 0))
	got := x.tally(t)
	if want := (journal.Tally{In: 5, States: [8]int64{fact.Pending: 1, fact.Published: 1, fact.Quarantined: 1, fact.Duplicate: 2}}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	counts, err := x.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := counts[other.Workspace][9]; got.In != 1 || got.States[fact.Pending] != 1 {
		t.Errorf("the other workspace: %+v", got)
	}
	backlog, err := x.Backlog(t.Context())
	if err != nil || backlog.Pending != 2 || !backlog.Oldest.Equal(epoch0) || backlog.Epoch != 3 {
		t.Errorf("backlog %+v, %v", backlog, err)
	}
}

// TestCountsNoticeALostDelivery: In is not derived from the rows, so a row that vanishes shows.
func TestCountsNoticeALostDelivery(t *testing.T) {
	t.Parallel()
	x := start(t)
	x.append(t, x.delivery(1), x.delivery(2))
	err := x.write(t.Context(), 1, func(tx *tx) error {
		_, err := tx.change(`delete from delivery where pos = 1`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	counts, err := x.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if tally := counts[workspace.Default][7]; tally.In == tally.Sum() {
		t.Error("a lost delivery does not show")
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	x := start(t)
	m := x.delivery(1)
	x.append(t, m)
	x.clock.advance(time.Second)
	x.append(t, state(m, fact.Held, fact.WhyNoConsentYet, 4))
	got, err := x.Trace(t.Context(), workspace.Default, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.State != fact.Held || got.Why != fact.WhyNoConsentYet || !got.At.Equal(epoch0) ||
		!got.Since.Equal(epoch0.Add(time.Second)) || got.Size != len(m.Payload) || !got.Sealed || got.Epoch != 3 ||
		got.Payload != nil || got.Contact != [16]byte{4} {
		t.Errorf("trace %d %d %v %v", got.State, got.Why, got.At, got.Since)
	}
	if _, err := x.Trace(t.Context(), workspace.MustParse("other"), m.ID); !errors.Is(err, journal.ErrUnknown) {
		t.Errorf("another workspace: %v, want ErrUnknown", err)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	x := start(t)
	const n = chunk + 20
	for i := range n {
		x.append(t, x.delivery(i))
	}
	x.read(t, "g", n)
	for i := range n {
		why := fact.WhyNotJSON
		if i%10 == 0 {
			why = fact.WhyBadTime
		}
		x.append(t, state(x.delivery(i), fact.Quarantined, why, 0))
	}
	ctx := t.Context()
	if got, err := x.Replay(ctx, workspace.MustParse("other"), []fact.State{fact.Quarantined}, 0); err != nil || got != 0 {
		t.Errorf("another workspace: %d, %v", got, err)
	}
	if got, err := x.Replay(ctx, workspace.Default, []fact.State{fact.Quarantined}, fact.WhyBadTime); err != nil || got != n/10 {
		t.Errorf("one reason: %d, %v", got, err)
	}
	if got, err := x.Replay(ctx, workspace.Default, []fact.State{fact.Held, fact.Quarantined}, 0); err != nil || got != n-n/10 {
		t.Errorf("the rest: %d, %v", got, err)
	}
	if got := x.tally(t); got.States[fact.Pending] != n {
		t.Errorf("counts %+v", got)
	}
	again := x.read(t, "g", n)
	for i, m := range again[:n/10] {
		if m.ID != x.delivery(i*10).ID {
			t.Fatal("replay changed the order")
		}
	}
	if _, err := x.Replay(ctx, workspace.Default, []fact.State{fact.Erased}, 0); err == nil {
		t.Error("erased deliveries were replayed")
	}
}

func TestResealAndDrop(t *testing.T) {
	t.Parallel()
	x := start(t)
	ctx := t.Context()
	const n = 150
	for i := range n {
		x.append(t, x.delivery(i))
		switch i % 3 {
		case 0:
			x.append(t, state(x.delivery(i), fact.Published, 0, 1))
		case 1:
			x.append(t, state(x.delivery(i), fact.Held, 0, 1))
		}
	}
	facts := x.delivery(0)
	facts.Topic = journal.Facts
	newer := x.delivery(n)
	newer.Epoch = 4
	x.append(t, facts, newer)
	renew := func(m journal.Message) (journal.Message, error) {
		m.Epoch, m.Payload = 5, append([]byte("new"), m.Payload...)
		return m, nil
	}
	if got, err := x.Reseal(ctx, 4, renew); err != nil || got != n/3*2+1 {
		t.Fatalf("resealed %d, %v", got, err)
	}
	if got, err := x.DropPayloads(ctx, 4); err != nil || got != n/3 {
		t.Fatalf("dropped %d, %v", got, err)
	}
	if b, err := x.Backlog(ctx); err != nil || b.Epoch != 4 || b.Facts != 1 {
		t.Fatalf("backlog %+v, %v: epoch 3 is still needed", b, err)
	}
	for _, m := range x.read(t, "g", n/3*2+1) {
		if m.ID != newer.ID && (m.Epoch != 5 || !bytes.HasPrefix(m.Payload, []byte("new"))) {
			t.Fatal("a payload was not resealed")
		}
	}
	x.tally(t)
	stop := errors.New("stop")
	if _, err := x.Reseal(ctx, 9, func(journal.Message) (journal.Message, error) { return journal.Message{}, stop }); !errors.Is(err, stop) {
		t.Errorf("reseal: %v, want the function's error", err)
	}
}

func TestMarkErased(t *testing.T) {
	t.Parallel()
	x := start(t)
	ctx := t.Context()
	contact := [16]byte([]byte("sixteen canaries"))
	var all []journal.Message
	for i := range 40 {
		m := x.delivery(i)
		m.Payload = append([]byte("sealed canary bytes"), m.Payload...)
		all = append(all, m)
		s := state(m, fact.Published, 0, 9)
		if i%2 == 0 {
			s.Contact = contact
		}
		x.append(t, m, s)
	}
	if n, err := x.MarkErased(ctx, workspace.MustParse("other"), [][16]byte{contact}); err != nil || n != 0 {
		t.Errorf("another workspace: %d, %v", n, err)
	}
	if n, err := x.MarkErased(ctx, workspace.Default, [][16]byte{contact, {}}); err != nil || n != 20 {
		t.Fatalf("erased %d, %v", n, err)
	}
	if n, err := x.MarkErased(ctx, workspace.Default, [][16]byte{contact}); err != nil || n != 0 {
		t.Errorf("erased again: %d, %v", n, err)
	}
	if got := x.tally(t); got.States[fact.Erased] != 20 || got.States[fact.Published] != 20 {
		t.Errorf("counts %+v", got)
	}
	trace, err := x.Trace(ctx, workspace.Default, all[0].ID)
	if err != nil || trace.Sealed || trace.Contact != ([16]byte{}) || trace.Why != fact.WhyErasure {
		t.Errorf("trace: sealed %t, why %d, %v", trace.Sealed, trace.Why, err)
	}
	if hits := x.scan(t, contact[:]); hits != 0 {
		t.Errorf("the erased contact is in the files %d times", hits)
	}
}

// scan counts a byte string in the journal's files.
func (x fixture) scan(t *testing.T, b []byte) (hits int) {
	t.Helper()
	files, err := filepath.Glob(x.path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if filepath.Ext(f) == ".lock" || filepath.Base(f) == "journal.db-shm" {
			continue
		}
		// Not opened by this process: closing it would drop SQLite's locks, see the package comment.
		hits += bytes.Count(readApart(t, f), b)
	}
	return hits
}

func TestUnlinkAndPurge(t *testing.T) {
	t.Parallel()
	x := start(t)
	ctx := t.Context()
	contact := [16]byte([]byte("sixteen canaries"))
	for i := range 30 {
		m := x.delivery(i)
		s := state(m, fact.State(i%3)+fact.Held, 0, 0) // held, published, duplicate
		if i%3 == 2 {
			s.State = fact.Refused
		}
		s.Contact = contact
		x.append(t, m, s)
	}
	x.append(t, x.delivery(0)) // a duplicate
	before := x.tally(t)
	x.clock.advance(time.Hour)
	x.append(t, x.delivery(100))
	if n, err := x.Unlink(ctx, x.clock.Now()); err != nil || n != 30 {
		t.Fatalf("unlinked %d, %v", n, err)
	}
	if hits := x.scan(t, contact[:]); hits != 0 {
		t.Errorf("the contact is in the files %d times", hits)
	}
	x.clock.advance(journal.Window - time.Hour)
	if n, err := x.Purge(ctx); err != nil || n != 0 {
		t.Fatalf("purged %d inside the window, %v", n, err)
	}
	x.clock.advance(2 * time.Hour)
	if n, err := x.Purge(ctx); err != nil || n != 20 {
		t.Fatalf("purged %d, %v", n, err)
	}
	before.In++
	before.States[fact.Pending]++
	if got := x.tally(t); got != before {
		t.Errorf("counts %+v, before %+v", got, before)
	}
	if fresh, err := x.Append(ctx, x.delivery(0), x.delivery(1)); err != nil || fresh != 1 {
		t.Errorf("%d fresh, want 1: the held one is still known, the purged one may come again (%v)", fresh, err)
	}
}

func TestFactsDoNotPileUp(t *testing.T) {
	t.Parallel()
	x := start(t)
	size := func() int64 {
		i, err := os.Stat(x.path)
		if err != nil {
			t.Fatal(err)
		}
		return i.Size()
	}
	round := func() {
		for range 200 {
			m := x.delivery(1)
			m.Topic, m.Payload = journal.Facts, make([]byte, 4000)
			x.append(t, m)
		}
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		if err := x.Transform(ctx, journal.Facts, "lake", func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
			if seen += len(in); seen == 200 {
				cancel()
			}
			return nil, nil
		}); err != nil {
			t.Fatal(err)
		}
		if b, err := x.Backlog(t.Context()); err != nil || b.Facts != 0 {
			t.Fatalf("%d facts left, %v", b.Facts, err)
		}
		if _, err := x.reads.Exec(`pragma wal_checkpoint(truncate)`); err != nil {
			t.Fatal(err)
		}
	}
	round()
	first := size()
	for range 5 {
		round()
	}
	if got := size(); got > first+first/10 {
		t.Errorf("the file grew from %d to %d bytes", first, got)
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	x := start(t)
	for i := range 50 {
		x.append(t, x.delivery(i))
	}
	x.append(t, state(x.delivery(3), fact.Ignored, fact.WhyVendorTest, 0))
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	if err := x.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := x.Backup(t.Context(), path); err == nil {
		t.Error("a backup was overwritten")
	}
	x.append(t, x.delivery(51))
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	copied := fixture{openIn(t, dir, Config{}), x.clock}
	defer func() { _ = copied.Close() }()
	if got := copied.tally(t); got.In != 50 || got.States[fact.Ignored] != 1 {
		t.Errorf("counts of the copy %+v", got)
	}
	copied.read(t, "g", 50)
}

func TestNewerAndForeignFilesAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	set := func(pragma string) {
		x := fixture{openIn(t, dir, Config{}), nil}
		if err := x.write(t.Context(), 1, func(tx *tx) error { _, err := tx.change(pragma); return err }); err != nil {
			t.Fatal(err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	set(`pragma user_version = 2`)
	if _, err := Open(t.Context(), filepath.Join(dir, "journal.db"), Config{}); !errors.Is(err, journal.ErrNewer) {
		t.Errorf("open: %v, want ErrNewer", err)
	}
	dir = t.TempDir()
	set(`pragma application_id = 1`)
	if _, err := Open(t.Context(), filepath.Join(dir, "journal.db"), Config{}); err == nil {
		t.Error("a foreign file was opened")
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	x := fixture{openIn(t, t.TempDir(), Config{}), newClock()}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Append(t.Context(), x.delivery(1)); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("append: %v, want ErrClosed", err)
	}
	// No file stays open: it would hold SQLite's locks and a disk that is to be unmounted.
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("NOT TESTED: that Close leaves no file open (no /proc)")
	}
	for _, fd := range open {
		if name, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(name, x.path) {
			t.Errorf("%s is still open", filepath.Base(name))
		}
	}
}

// TestConsumerAhead: a journal restored from an older copy than the lake says so instead of skipping facts.
func TestConsumerAhead(t *testing.T) {
	t.Parallel()
	x := start(t)
	x.append(t, x.delivery(1))
	resume := func(context.Context) (int64, bool, error) { return 2, true, nil }
	err := x.TransformFrom(t.Context(), journal.Facts, "lake", resume,
		func(context.Context, []journal.Message) ([]journal.Message, error) { return nil, nil })
	if !errors.Is(err, journal.ErrAhead) {
		t.Errorf("transform: %v, want ErrAhead", err)
	}
}

// TestNeighbourFails: a caller whose part of a transaction fails does not take the others down.
func TestNeighbourFails(t *testing.T) {
	t.Parallel()
	x := start(t)
	bad := errors.New("bad")
	results := make(chan error, 20)
	hold := make(chan struct{})
	go func() { // keeps the writer busy until all are waiting
		_ = x.write(t.Context(), 1, func(*tx) error { <-hold; return nil })
	}()
	for i := range 20 {
		go func() {
			results <- x.write(t.Context(), 1, func(tx *tx) error {
				m := x.delivery(i)
				if _, err := tx.deliver(&m); err != nil {
					return err
				}
				if i == 7 {
					return bad
				}
				return nil
			})
		}()
	}
	close(hold)
	failed := 0
	for range 20 {
		if err := <-results; errors.Is(err, bad) {
			failed++
		} else if err != nil {
			t.Error(err)
		}
	}
	if got := x.tally(t); failed != 1 || got.In != 19 {
		t.Errorf("%d failed, %d stored", failed, got.In)
	}
}

// TestTheLastDelivery of each source is the newest one received, whatever became of it, in whatever order it is replayed.
func TestTheLastDelivery(t *testing.T) {
	t.Parallel()
	x := start(t)
	early, late := x.delivery(1), x.delivery(2)
	late.At = early.At.Add(time.Minute)
	other := x.delivery(3)
	other.Source, other.At = 8, early.At.Add(-time.Hour)
	x.append(t, late, early, other)
	last, err := x.Latest(t.Context(), workspace.Default)
	if err != nil || len(last) != 2 || !last[7].Equal(late.At) || !last[8].Equal(other.At) {
		t.Errorf("last %v: %v", last, err)
	}
	if last, err := x.Latest(t.Context(), workspace.MustParse("other")); err != nil || len(last) != 0 {
		t.Errorf("another workspace: %v: %v", last, err)
	}
}
