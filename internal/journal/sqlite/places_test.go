package sqlite

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// TestDuplicatesAreFoundWhereverTheyStand: two processes write the same file, each with what it keeps in mind; ids are
// filed, half filed, replayed, purged; processes die and come back. An id is new exactly when the model says so.
func TestDuplicatesAreFoundWhereverTheyStand(t *testing.T) {
	t.Parallel()
	seeds := uint64(6)
	if os.Getenv("MURMUR_FAULTS") != "" {
		seeds = 200
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 3))
			p := &processes{t: t, r: r, clock: newClock(), dir: t.TempDir(), known: map[int]fact.State{}}
			p.tail = []int{40, 400}[seed%2]
			for i := range p.all {
				p.restart(i)
			}
			for range 400 {
				p.step()
			}
			p.compare()
		})
	}
}

// processes are two journals over one file, and the model: the states of the deliveries that are in the book.
type processes struct {
	t     *testing.T
	r     *rand.Rand
	clock *clock
	dir   string
	all   [2]*Journal
	tail  int // deliveries that a journal's goroutine waits for before it files them
	known map[int]fact.State
}

func (p *processes) restart(i int) {
	p.t.Helper()
	if p.all[i] != nil {
		if err := p.all[i].Close(); err != nil {
			p.t.Fatal(err)
		}
	} else {
		p.t.Cleanup(func() { _ = p.all[i].Close() })
	}
	p.all[i] = openIn(p.t, p.dir, Config{Now: p.clock.Now, tail: p.tail})
}

// delivery is one of 300, of two workspaces; three share the half of their id that is filed.
func (p *processes) delivery(n int) journal.Message {
	m := bookDelivery(n / 3)
	m.ID[15] = byte(n % 3)
	m.At, m.Epoch, m.Payload = p.clock.Now(), 1, []byte("sealed")
	if n%2 == 1 {
		m.Workspace = workspace.MustParse("other")
	}
	return m
}

func (p *processes) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// step does one of what can happen.
func (p *processes) step() {
	i := p.r.IntN(2)
	j, ctx, n := p.all[i], p.t.Context(), p.r.IntN(300)
	m := p.delivery(n)
	_, inBook := p.known[n]
	switch what := p.r.IntN(30); {
	case what < 12:
		fresh, err := j.Accept(ctx, m, m)
		p.must(err)
		if (fresh == 1) == inBook {
			p.t.Fatalf("process %d, delivery %d: %d new, in the book %t", i, n, fresh, inBook)
		}
		if !inBook {
			p.known[n] = fact.Pending
		}
	case what < 18:
		m.State = fact.Ignored
		fresh, err := j.Settle(ctx, func() bool { return true }, []journal.Message{m}, nil)
		p.must(err)
		if fresh[0] == inBook {
			p.t.Fatalf("process %d, delivery %d: new %t, in the book %t", i, n, fresh[0], inBook)
		}
		if !inBook {
			p.known[n] = fact.Ignored
		}
	case what < 22:
		to := []fact.State{fact.Quarantined, fact.Published}[p.r.IntN(2)]
		p.must(j.Append(ctx, state(m, to, fact.WhyNotJSON, 0)))
		if inBook {
			p.known[n] = to
		}
	case what < 24:
		for _, ws := range []string{"default", "other"} {
			_, err := j.Replay(ctx, workspace.MustParse(ws), []fact.State{fact.Quarantined}, fact.WhyNone)
			p.must(err)
		}
		p.replayed()
	case what < 26 && p.tail > 300: // never full: the goroutine does not
		p.must(j.fileTail(ctx))
	case what < 27: // it dies when it has filed some
		p.must(j.write(ctx, 1, func(t *tx) error {
			return t.exec(t.w.sql.file, fmt.Sprintf("[%d, %d, %d]", p.r.IntN(900), p.r.IntN(900), p.r.IntN(900)))
		}))
		p.restart(i)
	case what < 28:
		p.restart(i)
	case what < 29 && p.r.IntN(4) == 0:
		p.clock.advance(2 * deliveries.Window)
		_, err := j.Purge(ctx)
		p.must(err)
		for n, s := range p.known {
			if deliveries.Settled(s) {
				delete(p.known, n)
			}
		}
		var stale int
		p.must(j.reads.QueryRow(`select count(*) from place where pos not in (select pos from delivery)`).Scan(&stale))
		if stale > 0 {
			p.t.Errorf("%d ids of deliveries that were purged are still filed", stale)
		}
	}
}

// replayed reads from the book which deliveries wait again: those whose payload was still there.
func (p *processes) replayed() {
	for n, s := range p.known {
		if s != fact.Quarantined {
			continue
		}
		trace, err := p.all[0].Trace(p.t.Context(), p.delivery(n).Workspace, p.delivery(n).ID)
		p.must(err)
		p.known[n] = trace.State
	}
}

// compare asks both processes for every delivery, and the file whether it is whole.
func (p *processes) compare() {
	for i, j := range p.all {
		for n := range 300 {
			m := p.delivery(n)
			want, inBook := p.known[n]
			known, err := j.Known(p.t.Context(), m.Workspace, []journal.ID{m.ID})
			p.must(err)
			if got, ok := known[m.ID]; ok != inBook || got != want {
				p.t.Errorf("process %d, delivery %d: known %t, %s; want %t, %s", i, n, ok, got, inBook, want)
			}
			if trace, err := j.Trace(p.t.Context(), m.Workspace, m.ID); (err == nil) != inBook || inBook && trace.State != want {
				p.t.Errorf("process %d, delivery %d: trace %s, %v", i, n, trace.State, err)
			}
		}
	}
	faults, err := p.all[0].Check(p.t.Context())
	p.must(err)
	for _, f := range faults {
		p.t.Error(f)
	}
}

// TestCheckNamesAnIDThatIsNotFound: a row that the table place does not lead to would be accepted twice.
func TestCheckNamesAnIDThatIsNotFound(t *testing.T) {
	t.Parallel()
	x := start(t)
	x.accept(t, x.delivery(1), x.delivery(2))
	if err := x.fileTail(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := x.Check(t.Context()); err != nil || len(found) != 0 {
		t.Fatalf("%v, %v", found, err)
	}
	if err := x.write(t.Context(), 1, func(tx *tx) error { _, err := tx.change(`delete from place where pos = 2`); return err }); err != nil {
		t.Fatal(err)
	}
	if found, err := x.Check(t.Context()); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}
