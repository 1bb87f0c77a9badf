package recorder

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"murmur/internal/datadir"
	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/person"
	"murmur/internal/private/internal/recording"
	"murmur/internal/workspace"
)

// TestMain runs more tests at once than there are cores: calls take their time, and nearly all of it is waiting.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// house is a recorder over a real store in a data directory of its own.
type house struct {
	*Recorder
	t    testing.TB
	book *recording.Book
	dir  *datadir.Dir
	stop func()

	mu       sync.Mutex
	takes    map[string]*watched // by the telephony's id
	released chan recording.ID
	logged   *logged
	full     atomic.Bool // the disk
}

// disk is full while the house says so.
type disk struct {
	h *house
	w io.Writer
}

func (d disk) Write(b []byte) (int, error) {
	if d.h.full.Load() {
		return 0, syscall.ENOSPC
	}
	return d.w.Write(b)
}

// watched is a take whose states and frames a test can wait for.
type watched struct {
	Take
	states chan consent.State
	frames chan struct{} // one was kept
	mu     sync.Mutex
	last   time.Time // of the last frame that was kept
	kept   int
}

func (w *watched) Step(ctx context.Context, e consent.Event) (consent.State, error) {
	s, err := w.Take.Step(ctx, e)
	select {
	case w.states <- s:
	default:
	}
	return s, err
}

func (w *watched) Attest(ctx context.Context) (consent.State, error) {
	s, err := w.Take.Attest(ctx)
	select {
	case w.states <- s:
	default:
	}
	return s, err
}

func (w *watched) Write(ctx context.Context, f recording.Frame) error {
	err := w.Take.Write(ctx, f)
	if err == nil {
		w.mu.Lock()
		w.last, w.kept = time.Now(), w.kept+1
		w.mu.Unlock()
		select {
		case w.frames <- struct{}{}:
		default:
		}
	}
	return err
}

func (w *watched) lastKept() (time.Time, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.kept
}

// keeps waits until so many frames are kept: a BYE can overtake what was sent before it.
func (w *watched) keeps(t testing.TB, n int) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		if _, kept := w.lastKept(); kept >= n {
			return
		}
		select {
		case <-w.frames:
		case <-limit:
			t.Fatalf("fewer than %d frames were kept", n)
		}
	}
}

// until waits for a state.
func (w *watched) until(t testing.TB, want consent.State) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for w.State() != want {
		select {
		case <-w.states:
		case <-limit:
			t.Fatalf("the call stays %s, want %s", w.State(), want)
		}
	}
}

// logged keeps what is logged.
type logged struct {
	mu sync.Mutex
	b  []byte
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, b...)
	return len(b), nil
}

// short is a notice of 100 ms.
func short(t testing.TB) *Notice {
	t.Helper()
	n, err := ReadNotice("short", "en", wavOf(make([]byte, 1600)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// wavOf is a WAV file of 16-bit samples.
func wavOf(pcm []byte) []byte {
	size := func(n int) string { return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}) }
	return []byte("RIFF" + size(36+len(pcm)) + "WAVEfmt " + size(16) + "\x01\x00\x01\x00" + size(8000) + size(16000) + "\x02\x00\x10\x00data" + size(len(pcm)) + string(pcm))
}

func newHouse(t testing.TB, basis workspace.Basis, change ...func(*Config)) *house {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir, err := datadir.Open(filepath.Join(t.TempDir(), "data"), datadir.Server)
	must(err)
	ring, err := keyring.Open(dir.Path(), keyring.Config{})
	must(err)
	db, err := meta.Open(ctx, dir.Meta())
	must(err)
	book, err := ledger.Open(ctx, ledger.Config{DB: db, File: dir.Checkpoints(), Key: ring.Root().Derive(ledger.Purpose)})
	must(err)
	store := workspace.NewStore(db, book, ring, time.Now)
	must(ring.Create(workspace.Default))
	must(store.Create(ctx, workspace.Default))
	_, err = store.SetPolicy(ctx, workspace.Default, []workspace.Change{{Key: "recordings", Value: string(basis)}}, "a test", "a test")
	must(err)
	h := &house{t: t, dir: dir, takes: map[string]*watched{}, released: make(chan recording.ID, 4096), logged: &logged{}}
	h.book, err = recording.Open(recording.Config{
		Dir: dir.Recordings(), Ring: ring, DB: db, Ledger: book, Store: store, Register: consent.NewRegister(db, book, ring.Slow, time.Now),
		Persons: person.NewFinder(db, ring, store, time.Now),
		Report:  func(context.Context, recording.Head, fact.Act, fact.Via) error { return nil },
		Disk:    func(w io.Writer) io.Writer { return disk{h, w} },
	})
	must(err)
	c := Config{
		Listen: "127.0.0.1:0", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Workspace: func(_ context.Context, name string) (workspace.ID, error) {
			if name != "default" {
				return workspace.ID{}, workspace.ErrBadID
			}
			return workspace.Default, nil
		},
		Begin:    h.begin,
		Notice:   func(workspace.ID, bool) (*Notice, error) { return short(t), nil },
		Released: func(_ context.Context, _ workspace.ID, id recording.ID) { h.released <- id },
		Log:      slog.New(slog.NewJSONHandler(h.logged, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	h.Recorder, err = Listen(c)
	must(err)
	run, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- h.Run(run) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(func() {
		h.stop()
		if err := errors.Join(h.book.Close(ctx), db.Close(), dir.Close()); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *house) begin(ctx context.Context, c Call) (Take, error) {
	take, err := h.book.Begin(ctx, recording.Head{Workspace: c.Workspace, Source: "recorder", CallID: c.ID, Contact: c.Contact, At: c.At})
	if err != nil {
		return nil, err
	}
	w := &watched{Take: take, states: make(chan consent.State, 1024), frames: make(chan struct{}, 1)}
	h.mu.Lock()
	h.takes[c.ID] = w
	h.mu.Unlock()
	return w, nil
}

func (h *house) take(id string) *watched {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.takes[id]
	if w == nil {
		h.t.Fatal("the call has no take")
	}
	return w
}

// call dials a plain call and waits until it is recorded.
func (h *house) call(change ...func(*phone)) (*phone, *watched) {
	h.t.Helper()
	p := newPhone(h.t, "udp", h.Addr().String(), "default", 1)
	for _, f := range change {
		f(p)
	}
	if a := p.dial(); a.code != 200 {
		h.t.Fatalf("INVITE was answered %d", a.code)
	}
	w := h.take(p.callID)
	w.until(h.t, consent.Holding)
	return p, w
}

// kept waits for a release and reads what was kept.
func (h *house) kept() map[uint8][]recording.Frame {
	h.t.Helper()
	select {
	case id := <-h.released:
		return h.read(id)
	case <-time.After(20 * time.Second):
		h.t.Fatal("nothing was released")
	}
	return nil
}

func (h *house) read(id recording.ID) map[uint8][]recording.Frame {
	h.t.Helper()
	audio, err := h.book.Open(context.Background(), workspace.Default, id)
	if err != nil {
		h.t.Fatal(err)
	}
	defer audio.Close()
	out := map[uint8][]recording.Frame{}
	for frames := recording.NewFrames(audio); ; {
		f, err := frames.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			h.t.Fatal(err)
		}
		f.Payload = append([]byte(nil), f.Payload...)
		out[f.Leg] = append(out[f.Leg], f)
	}
}

// files lists what lies in the folder of recordings.
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

var noFolder = fstest.MapFS{}
