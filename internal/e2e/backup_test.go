package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"murmur/internal/cli"
	"murmur/internal/faulttest"
	"murmur/internal/rpc"
	"murmur/internal/server"
)

// stream is the town as single deliveries in a random order, and which of them were acknowledged.
type stream struct {
	events [][]byte
	truth  fold
	acked  []atomic.Bool
}

func newStream(t testing.TB) *stream {
	t.Helper()
	b, truth := town(t, 150)
	truth.native = true
	var all bytes.Buffer
	for _, d := range truth.days {
		if err := b.Native(&all, d); err != nil {
			t.Fatal(err)
		}
	}
	s := &stream{truth: truth}
	for i, l := range bytes.Split(bytes.TrimSpace(all.Bytes()), []byte("\n")) {
		s.events = append(s.events, append(fmt.Appendf(nil, `{"delivery_id":"d%d",`, i), l[1:]...))
	}
	random := rand.New(rand.NewPCG(2, 1))
	random.Shuffle(len(s.events), func(i, j int) { s.events[i], s.events[j] = s.events[j], s.events[i] })
	s.acked = make([]atomic.Bool, len(s.events))
	return s
}

// send delivers events from..to-1, again and again where the house has no room, and gives how many were new to it.
// begun is called once a third of them was answered.
func (s *stream) send(h *house, to rpc.Connected, which []int, begun func()) (fresh int64, err error) {
	var g errgroup.Group
	var done, news atomic.Int64
	g.SetLimit(8)
	for _, i := range which {
		g.Go(func() error {
			for {
				a, err := h.send(http.MethodPost, to.Path, s.events[i], bearer(to.Secret))
				if err != nil {
					return err
				}
				if a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests {
					continue
				}
				var said struct{ New int64 }
				if err := json.Unmarshal(a.body, &said); err != nil || a.status != http.StatusOK {
					return fmt.Errorf("answered %d: %w", a.status, err)
				}
				s.acked[i].Store(true)
				news.Add(said.New)
				if done.Add(1) == int64(len(which)/3) {
					begun()
				}
				return nil
			}
		})
	}
	return news.Load(), g.Wait()
}

// acknowledged lists what was acknowledged by now.
func (s *stream) acknowledged() (which []int) {
	for i := range s.acked {
		if s.acked[i].Load() {
			which = append(which, i)
		}
	}
	return which
}

func indices(from, to int) (which []int) {
	for i := from; i < to; i++ {
		which = append(which, i)
	}
	return which
}

// TestFiftyBackups: a backup made under load is one moment of the house. Each is restored, verified and goes on: it knows
// every delivery that was acknowledged before it began, and when the senders have said everything its figures are those
// of a house that never stopped.
func TestFiftyBackups(t *testing.T) {
	t.Parallel()
	s := newStream(t)
	quiet := open(t, newData(t))
	quiet.townPolicy()
	quiet.importFile("native", bytes.NewReader(bytes.Join(s.events, []byte("\n"))))
	want := quiet.figures()
	s.truth.check(t, parse(t, want), 5)

	h := open(t, newData(t))
	h.townPolicy()
	source := h.connect("native")
	row := faulttest.Begin(t, "a backup under load, restored and continued")
	n := faulttest.Rounds(2, 6, 50)
	type backup struct {
		file   string
		before []int // acknowledged when it began
	}
	made := make([]backup, n)
	for k := range n {
		begun := make(chan struct{})
		var load errgroup.Group
		load.Go(func() error {
			_, err := s.send(h, source, indices(len(s.events)*k/n, len(s.events)*(k+1)/n), func() { close(begun) })
			return err
		})
		<-begun
		made[k] = backup{filepath.Join(t.TempDir(), "backup"), s.acknowledged()}
		h.verb("backup", "-o", made[k].file)
		if err := load.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	for k, b := range made {
		data := newData(t)
		r := &house{t: t, data: data}
		r.verb("restore", b.file)
		if v, err := server.Verify(t.Context(), data, rpc.VerifyArgs{}); err != nil || len(v.Breaches) > 0 {
			t.Fatalf("backup %d: %v, %v", k, v.Breaches, err)
		}
		r = open(t, data)
		r.counts()
		lost, err := s.send(r, source, b.before, func() {})
		if err != nil || lost > 0 {
			t.Errorf("backup %d: %d of %d deliveries acknowledged before it are missing, %v", k, lost, len(b.before), err)
		}
		row.Lost += lost
		row.Acknowledged += int64(len(b.before))
		if _, err := s.send(r, source, indices(0, len(s.events)), func() {}); err != nil {
			t.Fatalf("backup %d: %v", k, err)
		}
		got := r.figures()
		if c := r.counts(); c.Published != int64(len(s.events)) || c.Pending+c.Held+c.Quarantined > 0 {
			t.Errorf("backup %d: %d events: %+v", k, len(s.events), c)
		}
		row.Same(sameFigures(t, want, got))
		row.Rounds++
		if err := r.stop(); err != nil {
			t.Errorf("backup %d: %v", k, err)
		}
	}
}

// verb carries out a command line on the house's directory.
func (h *house) verb(args ...string) {
	h.t.Helper()
	var out, errs bytes.Buffer
	if code := cli.Run(h.t.Context(), append(args, "--data", h.data), cli.IO{Out: &out, Err: &errs}); code != 0 {
		h.t.Fatalf("%s: exit code %d\n%s", args[0], code, errs.Bytes())
	}
}
