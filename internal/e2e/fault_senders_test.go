package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
	"murmur/internal/synth"
)

// senders are the vendor and the operator of a house that a fault happens to. The last two weeks of the town come by
// webhook, each event with a delivery id of its own; the first two are a file, imported again until an import ends;
// somebody asks for the figures all the while.
type senders struct {
	events [][]byte
	file   []byte
	rows   int // of the file
	truth  fold

	mu    sync.Mutex
	acked []bool
	filed bool        // an import has ended
	late  atomic.Bool // the fault has begun: an answer from now on promises nothing
}

// newSenders gives the town as events in a random order, the same for every test.
func newSenders(t testing.TB) *senders {
	t.Helper()
	random := rand.New(rand.NewPCG(9, 0))
	b, truth := town(t, 300)
	lines := func(days []synth.Day) [][]byte {
		var all bytes.Buffer
		for _, d := range days {
			if err := b.Native(&all, d); err != nil {
				t.Fatal(err)
			}
		}
		split := bytes.Split(bytes.TrimSpace(all.Bytes()), []byte("\n"))
		random.Shuffle(len(split), func(i, j int) { split[i], split[j] = split[j], split[i] })
		return split
	}
	s := &senders{truth: truth}
	imported := lines(truth.days[:14])
	s.file, s.rows = bytes.Join(imported, []byte("\n")), len(imported)
	for i, l := range lines(truth.days[14:]) {
		s.events = append(s.events, append(fmt.Appendf(nil, `{"delivery_id":"d%d",`, i), l[1:]...))
	}
	s.acked = make([]bool, len(s.events))
	return s
}

// forget makes the senders know of no answer any more.
func (s *senders) forget() { clear(s.acked) }

// rush is what happens until the house is gone or all is sent: senders with a few connections, as a vendor does that
// tries again, an import, and questions for figures. fault is called once when `after` more were acknowledged.
func (s *senders) rush(h *house, source rpc.Connected, after int, fault func()) (refused int64) {
	s.late.Store(false)
	stop := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() {
		var got rpc.Imported
		if h.try("import", rpc.ImportArgs{Kind: "native"}, bytes.NewReader(s.file), &got) == nil {
			s.mu.Lock()
			s.filed = true
			s.mu.Unlock()
		}
	})
	beside.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			var b []byte
			if h.try("figures", rpc.FiguresArgs{Refresh: true}, nil, &b) != nil {
				return
			}
		}
	})
	refused = s.send(h, source, after, fault)
	close(stop)
	beside.Wait()
	return refused
}

// send sends what was not acknowledged yet. It ends when a sender has no answer any more, or when all is sent.
func (s *senders) send(h *house, source rpc.Connected, after int, fault func()) (refused int64) {
	var next, done, no atomic.Int64
	var gone atomic.Bool
	var once sync.Once
	var wait sync.WaitGroup
	for range 6 {
		wait.Go(func() {
			for i := int(next.Add(1) - 1); i < len(s.events) && !gone.Load(); i = int(next.Add(1) - 1) {
				s.mu.Lock()
				sent := s.acked[i]
				s.mu.Unlock()
				if sent {
					continue
				}
				a, err := h.send(http.MethodPost, source.Path, s.events[i], bearer(source.Secret))
				switch {
				case err != nil:
					gone.Store(true)
				case a.status == 200:
					if !s.late.Load() {
						s.mu.Lock()
						s.acked[i] = true
						s.mu.Unlock()
					}
					if done.Add(1) == int64(after) {
						once.Do(fault)
					}
				case a.status != http.StatusServiceUnavailable && a.status != http.StatusTooManyRequests:
					h.t.Errorf("answered %d: %s", a.status, a.body)
				case a.header.Get("Retry-After") == "":
					h.t.Errorf("answered %d without Retry-After", a.status)
				default:
					no.Add(1)
					gone.Store(true)
				}
			}
		})
	}
	wait.Wait()
	return no.Load()
}

// lost sends every acknowledged delivery once more: the house must know each. An address that it does not know any more
// has lost them all.
func (s *senders) lost(h *house, source rpc.Connected) (lost, acked int64) {
	h.t.Helper()
	var g errgroup.Group
	var fresh atomic.Int64
	g.SetLimit(16)
	for i := range s.events {
		if !s.acked[i] {
			continue
		}
		acked++
		g.Go(func() error {
			a, err := h.send(http.MethodPost, source.Path, s.events[i], bearer(source.Secret))
			if err != nil {
				return err
			}
			said := struct{ New int64 }{1}
			switch a.status {
			case http.StatusOK:
				err = json.Unmarshal(a.body, &said)
			case http.StatusNotFound:
			default:
				err = fmt.Errorf("answered %d: %s", a.status, a.body)
			}
			fresh.Add(said.New)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		h.t.Fatal(err)
	}
	return fresh.Load(), acked
}

// finish sends the rest in peace and fills the row: what was acknowledged before and is lost, what counted twice, and
// whether the figures are those of a house to which nothing happened.
func (s *senders) finish(h *house, source rpc.Connected, row *faulttest.Row) {
	h.t.Helper()
	lost, acked := s.lost(h, source)
	row.Lost += lost
	row.Acknowledged += acked
	if acked == 0 {
		h.t.Error("nothing was acknowledged before the fault")
	}
	s.late.Store(false)
	s.send(h, source, len(s.events)+1, func() {})
	if got := h.importFile("native", bytes.NewReader(s.file)); got.Pending+got.Held+got.Quarantined > 0 {
		h.t.Errorf("imported: %+v", got.Counts)
	}
	figures := h.townFigures()
	c := h.counts()
	if all := int64(len(s.events) + s.rows); c.Published > all {
		row.Doubled += c.Published - all
	} else if c.Published < all || c.Pending+c.Held+c.Quarantined > 0 {
		h.t.Errorf("%d events: %+v", all, c)
	}
	row.Same(s.asInCalm(h.t, figures))
}

// townFigures are those of the workspace that the senders send to.
func (h *house) townFigures() (b []byte) {
	h.t.Helper()
	h.do("figures", rpc.FiguresArgs{Workspace: "default", Refresh: true}, &b)
	return b
}

// calm keeps the figures of a house in which nothing happened to the same events.
var calm struct {
	sync.Mutex
	figures []byte
}

// asInCalm compares figures with those of a house to which the same events came in peace, and those with the fold.
func (s *senders) asInCalm(t testing.TB, got []byte) bool {
	t.Helper()
	calm.Lock()
	defer calm.Unlock()
	if calm.figures == nil {
		h := open(t, newData(t))
		h.townPolicy()
		source := h.connect("native")
		h.importFile("native", bytes.NewReader(s.file))
		quiet := &senders{events: s.events, acked: make([]bool, len(s.events))}
		quiet.send(h, source, len(s.events)+1, func() {})
		calm.figures = h.townFigures()
		s.truth.native = true
		figures := parse(t, calm.figures)
		t.Logf("compared with the fold: %v", s.truth.check(t, figures, 5))
		s.truth.nobodyAlone(t, figures, 5)
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	}
	return sameFigures(t, calm.figures, got)
}
