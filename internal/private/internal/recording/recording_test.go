package recording

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/person"
	"murmur/internal/private/internal/personal"
	"murmur/internal/workspace"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// house is a book in a data directory of its own, with a clock that is moved by hand.
type house struct {
	*Book
	t    testing.TB
	dir  folder
	ring *keyring.Ring
	db   *meta.DB
	log  *ledger.Ledger
	keys *remembering

	dies    int64 // kill_test.go
	touches atomic.Int64

	mu   sync.Mutex
	now  time.Time
	full bool // the disk
	said []fact.Act
}

// folder is a data directory, as far as a book needs one.
type folder string

func (f folder) Path() string       { return string(f) }
func (f folder) Recordings() string { return filepath.Join(string(f), "recordings") }

// remembering is chance that remembers what it gave: keys, to look for them.
type remembering struct {
	h     *house
	mu    sync.Mutex
	given [][]byte
}

func (r *remembering) Read(b []byte) (int, error) {
	r.h.touch()
	n, err := rand.Read(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(b) == len(callKey{}.key) {
		r.given = append(r.given, bytes.Clone(b))
	}
	return n, err
}

// disk fails while house.full.
type disk struct {
	h *house
	w io.Writer
}

func (d disk) Write(b []byte) (int, error) {
	d.h.touch()
	d.h.mu.Lock()
	defer d.h.mu.Unlock()
	if d.h.full {
		return 0, syscall.ENOSPC
	}
	return d.w.Write(b)
}

func (h *house) clock() time.Time {
	h.touch()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) after(d time.Duration) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	return h.now
}

func newHouse(t testing.TB, basis workspace.Basis) *house {
	t.Helper()
	return openHouse(t, filepath.Join(t.TempDir(), "data"), basis)
}

func openHouse(t testing.TB, path string, basis workspace.Basis) *house {
	t.Helper()
	ctx := context.Background()
	h := &house{t: t, now: noon}
	h.keys = &remembering{h: h}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h.dir = folder(path)
	must(os.MkdirAll(path, 0o700))
	if err := keyring.CreateRoot(path, keyring.Config{}); !errors.Is(err, fs.ErrExist) {
		must(err)
	}
	var err error
	h.ring, err = keyring.Open(h.dir.Path(), keyring.Config{Clock: h.clock})
	must(err)
	h.db, err = meta.Open(ctx, filepath.Join(path, "murmur.db"))
	must(err)
	h.log, err = ledger.Open(ctx, ledger.Config{DB: h.db, File: filepath.Join(path, "ledger.checkpoints"), Key: h.ring.Root().Derive(ledger.Purpose), Clock: h.clock})
	must(err)
	store := workspace.NewStore(h.db, h.log, h.ring, h.clock)
	must(h.ring.Create(workspace.Default))
	must(store.Create(ctx, workspace.Default))
	_, err = store.SetPolicy(ctx, workspace.Default, []workspace.Change{{Key: "recordings", Value: string(basis)}}, "a test", "a test")
	must(err)
	h.Book, err = Open(Config{
		Dir: h.dir.Recordings(), Ring: h.ring, DB: h.db, Ledger: h.log, Store: store, Register: consent.NewRegister(h.db, h.log, h.ring.Slow, h.clock),
		Persons: person.NewFinder(h.db, h.ring, store, h.clock), Now: h.clock, Rand: h.keys, Disk: func(w io.Writer) io.Writer { return disk{h, w} },
		Report: func(_ context.Context, _ Head, a fact.Act, _ fact.Via) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.said = append(h.said, a)
			return nil
		},
	})
	must(err)
	t.Cleanup(func() {
		if err := errors.Join(h.Close(ctx), h.log.Close(ctx), h.db.Close()); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *house) begin(id, contact string) *Take {
	h.t.Helper()
	take, err := h.Begin(h.t.Context(), Head{Workspace: workspace.Default, Source: "sip", CallID: id, Contact: personal.New(contact), At: h.clock()})
	if err != nil {
		h.t.Fatal(err)
	}
	return take
}

func (h *house) step(take *Take, k consent.EventKind) consent.State {
	h.t.Helper()
	s, err := take.Step(h.t.Context(), consent.Event{Kind: k, At: h.after(time.Second), Via: fact.ViaDTMF})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// holding is a call whose notice was sent to its end.
func (h *house) holding(id, contact string) *Take {
	h.t.Helper()
	take := h.begin(id, contact)
	h.step(take, consent.NoticeStarted)
	if s := h.step(take, consent.NoticeEnded); s != consent.Holding {
		h.t.Fatalf("state %s after the notice", s)
	}
	return take
}

func (h *house) files() []string {
	h.t.Helper()
	entries, err := os.ReadDir(h.dir.Recordings())
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// holds names the files of the data directory that hold any of the needles.
func holds(t testing.TB, dir string, needles ...[]byte) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		for i, n := range needles {
			if bytes.Contains(b, n) {
				out = append(out, filepath.Base(path)+" holds needle "+strconv.Itoa(i))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// spoken writes frames until the cipher has written several blocks to the disk.
func (h *house) spoken(take *Take) {
	h.t.Helper()
	for i := range uint32(2000) {
		if err := take.Write(h.t.Context(), Frame{Leg: uint8(i % 2), At: i / 2 * 160, Payload: speech}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// exec changes the metadata behind everybody's back.
func (h *house) exec(q string) {
	h.t.Helper()
	err := h.db.Tx(h.t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(q); return err })
	if err != nil {
		h.t.Fatal(err)
	}
}

// breaches is what Check says.
func (h *house) breaches() (out []string) {
	h.t.Helper()
	if err := h.Check(h.t.Context(), func(file, what string) { out = append(out, file+": "+what) }); err != nil {
		h.t.Fatal(err)
	}
	return out
}

var speech = bytes.Repeat([]byte("\x55\xd5hello"), 20)

func TestAReleasedCallCanBeListenedTo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	take := h.holding("call-1", "+12125550142")
	for i := range uint32(1000) {
		if err := take.Write(t.Context(), Frame{Leg: uint8(i % 2), At: i / 2 * 160, Payload: speech}); err != nil {
			t.Fatal(err)
		}
	}
	if s := h.step(take, consent.HungUp); s != consent.Released {
		t.Fatalf("state %s after the hang-up", s)
	}
	a, err := h.Book.Open(t.Context(), workspace.Default, take.ID())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	n := 0
	for frames := NewFrames(a); ; n++ {
		f, err := frames.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.Leg != uint8(n%2) || f.At != uint32(n)/2*160 || !bytes.Equal(f.Payload, speech) {
			t.Fatalf("frame %d came back changed", n)
		}
	}
	if n != 1000 || a.Kind != Legs {
		t.Errorf("%d frames of kind %d", n, a.Kind)
	}
}

func TestAKeyDuringTheCallLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	take := h.holding("call-1", "+12125550142")
	for range 1000 {
		if err := take.Write(t.Context(), Frame{Payload: speech}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := take.Step(t.Context(), consent.Event{Kind: consent.Pressed, Key: '9', At: h.after(time.Second)})
	if err != nil || s != consent.Shredded {
		t.Fatalf("state %s after 9: %v", s, err)
	}
	if err := take.Write(t.Context(), Frame{Payload: speech}); !errors.Is(err, ErrStopped) {
		t.Errorf("a frame after the refusal: %v", err)
	}
	if f := h.files(); len(f) != 0 {
		t.Errorf("%d files are left", len(f))
	}
	if err := take.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if next := h.begin("call-2", "(212) 555-0142"); next.State() != consent.Refused {
		t.Errorf("the next call of the same person is %s", next.State())
	}
}
