package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/journal/queuetest"
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

func start(t *testing.T) fixture { return startWith(t, 0) }

// startWith begins with a journal that files so many deliveries at once; 0: as ever.
func startWith(t *testing.T, tail int) fixture {
	t.Helper()
	c := newClock()
	j := openIn(t, t.TempDir(), Config{Now: c.Now, tail: tail})
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return fixture{j, c}
}

func (x fixture) append(t *testing.T, m ...journal.Message) {
	t.Helper()
	if err := x.Append(t.Context(), m...); err != nil {
		t.Fatal(err)
	}
}

// accept takes deliveries in.
func (x fixture) accept(t *testing.T, m ...journal.Message) {
	t.Helper()
	if _, err := x.Accept(t.Context(), m...); err != nil {
		t.Fatal(err)
	}
}

// delivery is the n-th of source 7 in the default workspace, received now.
func (x fixture) delivery(n int) journal.Message {
	m := queuetest.Delivery(1, n)
	m.At = x.clock.Now()
	return m
}

func state(m journal.Message, s fact.State, why fact.Why, contact byte) journal.Message {
	m.Topic, m.State, m.Why, m.Contact = journal.States, s, why, [16]byte{contact}
	return m
}

func (x fixture) tally(t *testing.T) deliveries.Tally {
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
	err := x.Transform(ctx, journal.Reader{Topic: journal.Inbox, Group: group}, func(_ context.Context, batch []journal.Message) ([]journal.Message, error) {
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

// TestCountsNoticeALostDelivery: In is not derived from the rows, so a row that vanishes shows.
func TestCountsNoticeALostDelivery(t *testing.T) {
	t.Parallel()
	x := start(t)
	x.accept(t, x.delivery(1), x.delivery(2))
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

// TestCheckNamesALostRow: the counter of what was settled is not derived from the rows.
func TestCheckNamesALostRow(t *testing.T) {
	t.Parallel()
	x := start(t)
	for i := range 3 {
		x.accept(t, x.delivery(i))
		x.append(t, state(x.delivery(i), fact.Published, 0, 0))
	}
	if found, err := x.Check(t.Context()); err != nil || len(found) != 0 {
		t.Fatalf("%v, %v", found, err)
	}
	err := x.write(t.Context(), 1, func(tx *tx) error {
		_, err := tx.change(`delete from delivery where pos = 2`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := x.Check(t.Context()); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

// TestErasedContactsLeaveTheFiles: the pages of the file and of the log are overwritten.
func TestErasedContactsLeaveTheFiles(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"erased", "unlinked"} {
		x := start(t)
		contact := [16]byte([]byte("sixteen canaries"))
		for i := range 40 {
			m := x.delivery(i)
			s := state(m, fact.Published, 0, 9)
			if i%2 == 0 {
				s.Contact = contact
			}
			x.accept(t, m)
			x.append(t, s)
		}
		if x.scan(t, contact[:]) == 0 {
			t.Fatal("the contact is not in the files: the test cannot fail")
		}
		x.clock.advance(time.Hour)
		var n int
		var err error
		if how == "erased" {
			n, err = x.MarkErased(t.Context(), workspace.Default, [][16]byte{contact})
		} else {
			n, err = x.Unlink(t.Context(), workspace.Default, x.clock.Now())
		}
		if err != nil || n < 20 {
			t.Fatalf("%s %d, %v", how, n, err)
		}
		if hits := x.scan(t, contact[:]); hits != 0 {
			t.Errorf("the %s contact is in the files %d times", how, hits)
		}
	}
}

// TestAForgottenWorkspaceLeavesTheFiles: ids, payloads and the name, whatever has become of a delivery.
func TestAForgottenWorkspaceLeavesTheFiles(t *testing.T) {
	t.Parallel()
	x := startWith(t, 16)
	signs := map[string][]byte{"id": []byte("an id o"), "payload": []byte("a sealed canary of many bytes"), "name": []byte("the-doomed-one")}
	ws := workspace.MustParse("the-doomed-one")
	for i := range 40 {
		m := x.delivery(i)
		m.Workspace, m.Payload = ws, bytes.Repeat(signs["payload"], 300) // spills over pages
		copy(m.ID[1:], signs["id"])                                      // the half that is filed has it too
		m.ID[0] = byte(i)
		x.accept(t, m, x.delivery(i))
		switch i % 4 {
		case 0:
			x.append(t, state(m, fact.Held, 0, 9))
		case 1:
			x.append(t, state(m, fact.Published, 0, 9))
		case 2:
			m.Topic = journal.Facts
			x.append(t, m)
		}
	}
	if err := x.fileTail(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, sign := range signs {
		if x.scan(t, sign) == 0 {
			t.Fatalf("the %s is not in the files: the test cannot fail", what)
		}
	}
	if n, err := x.Forget(t.Context(), ws); err != nil || n != 40 {
		t.Fatalf("forgot %d: %v", n, err)
	}
	for what, sign := range signs {
		if hits := x.scan(t, sign); hits != 0 {
			t.Errorf("the %s is in the files %d times", what, hits)
		}
	}
	if faults, err := x.Check(t.Context()); err != nil || len(faults) > 0 {
		t.Errorf("check: %v, %v", faults, err)
	}
	if got := x.tally(t); got.In != 40 {
		t.Errorf("the other workspace: %+v", got)
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
		if err := x.Transform(ctx, journal.Reader{Topic: journal.Facts, Group: "lake"}, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
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
		x.accept(t, x.delivery(i))
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
	x.accept(t, x.delivery(51))
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	copied := fixture{openIn(t, dir, Config{}), x.clock}
	defer func() { _ = copied.Close() }()
	if got := copied.tally(t); got.In != 1 || got.States[fact.Ignored] != 1 { // what waited comes again
		t.Errorf("counts of the copy %+v", got)
	}
	copied.accept(t, x.delivery(1), x.delivery(3))
	copied.read(t, "g", 1)
	if found, err := copied.Check(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("the copy: %v, %v", found, err)
	}
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
	set(fmt.Sprintf(`pragma user_version = %d`, Version+1))
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
	if _, err := x.Accept(t.Context(), x.delivery(1)); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("accept: %v, want ErrClosed", err)
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
	x.accept(t, x.delivery(1))
	resume := func(context.Context, int32) (journal.Position, error) { return "2", nil }
	err := x.Transform(t.Context(), journal.Reader{Topic: journal.Facts, Group: "lake", Resume: resume},
		func(context.Context, []journal.Message) ([]journal.Message, error) { return nil, nil })
	if !errors.Is(err, journal.ErrAhead) {
		t.Errorf("transform: %v, want ErrAhead", err)
	}
}

// TestWhatIsStoredWaitsNoMore: a consumer died between its effect and the cursor, and nothing comes after it.
func TestWhatIsStoredWaitsNoMore(t *testing.T) {
	t.Parallel()
	x := start(t)
	m := x.delivery(1)
	m.Topic = journal.Facts
	x.append(t, m, m)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := x.Transform(ctx, journal.Reader{Topic: journal.Facts, Group: "lake", Limit: func() int { cancel(); return 1 },
		Resume: func(context.Context, int32) (journal.Position, error) { return "2", nil }},
		func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
			t.Errorf("%d stored messages were handed over again", len(in))
			return nil, nil
		})
	if b, after := x.Backlog(t.Context()); err != nil || after != nil || b.Facts != 0 {
		t.Errorf("%d wait: %v, %v", b.Facts, err, after)
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

// TestAFileOfVersion2Opens: what it has is found by its id, counted as before, and accepted no second time.
func TestAFileOfVersion2Opens(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("testdata/version2.sql")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(string(script)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	x := fixture{openIn(t, dir, Config{}), newClock()}
	defer func() { _ = x.Close() }()
	want := map[fact.State]byte{fact.Published: 1, fact.Held: 2, fact.Pending: 1}
	var all []journal.Message
	for s, first := range want {
		m := x.delivery(1)
		m.ID = journal.ID{first, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
		if s == fact.Pending {
			copy(m.ID[8:], bytes.Repeat([]byte{255}, 8))
		}
		trace, err := x.Trace(t.Context(), m.Workspace, m.ID)
		if err != nil || trace.State != s {
			t.Errorf("%s is %s: %v", s, trace.State, err)
		}
		all = append(all, m)
	}
	fresh, err := x.Accept(t.Context(), append(all, x.delivery(1))...)
	if err != nil || fresh != 1 {
		t.Errorf("%d new, want one: %v", fresh, err)
	}
	if got := x.tally(t); got.In != 8 || got.States[fact.Duplicate] != 4 {
		t.Errorf("counts %+v", got)
	}
	if found, err := x.Check(t.Context()); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}
