package pipeline

import (
	"context"
	"fmt"
	"maps"
	"os"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// TestAnyMixIsSettled: whatever comes, of whatever size, whatever fails and when, each delivery gets one state, nothing
// is lost or stored twice, and a workspace whose keys are whole is not held up by another's.
func TestAnyMixIsSettled(t *testing.T) {
	t.Parallel()
	seeds := uint64(4)
	if os.Getenv("MURMUR_FAULTS") != "" {
		seeds = 200
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			anyMix(t, newHouse(t, seed))
		})
	}
}

func anyMix(t *testing.T, h *house) {
	orders, came := map[workspace.ID][]order{}, map[workspace.ID][]order{}
	n := 0
	for _, ws := range h.ws {
		for range 10 + h.r.IntN(40) {
			n++
			orders[ws] = append(orders[ws], h.random(n))
		}
	}
	sick := h.ws[h.r.IntN(len(h.ws))]
	h.broken[sick], h.chance = true, 0.03
	for len(orders[h.ws[0]])+len(orders[h.ws[1]])+len(orders[h.ws[2]]) > 0 { // mixed, in pieces
		ws := h.ws[h.r.IntN(3)]
		some := min(len(orders[ws]), 1+h.r.IntN(40))
		h.accept(ws, orders[ws][:some]...)
		came[ws] = append(came[ws], orders[ws][:some]...)
		orders[ws] = orders[ws][some:]
		if h.r.IntN(4) == 0 {
			h.settle(2)
		}
	}
	h.settle(3)
	h.balanced()
	for ws, all := range came {
		h.setAside(ws, all, ws == sick)
	}
	h.parked()
	// The keys are restored, the faults repaired, and what was set aside is tried again.
	h.chance, h.healed, h.broken = 0, true, map[workspace.ID]bool{}
	for _, ws := range h.ws {
		for _, why := range []fact.Why{fact.WhyKeys, fact.WhyFailed} {
			_, err := h.j.Replay(t.Context(), ws, []fact.State{fact.Quarantined}, why)
			must(t, err)
		}
		_, err := h.j.Unpark(t.Context(), ws)
		must(t, err)
	}
	h.settle(0)
	h.balanced()
	for ws, all := range came {
		h.final(ws, all)
	}
}

// setAside checks that the offenders were set aside, each for its reason, and nobody else.
func (h *house) setAside(ws workspace.ID, all []order, sick bool) {
	h.t.Helper()
	for _, o := range all {
		want, because := o.State, fact.WhyNone
		switch {
		case sick:
			want, because = fact.Quarantined, fact.WhyKeys
		case o.Fault == "process" || o.Fault == "panic":
			want, because = fact.Quarantined, fact.WhyFailed
		case o.Size > maxFacts && o.Facts > 0:
			want, because = fact.Quarantined, fact.WhyTooLarge
		}
		if got, why := h.state(ws, o.N); got != want || why != because {
			h.t.Errorf("delivery %d of %s is %s for %q, want %s for %q: %+v", o.N, ws, got, why, want, because, o)
		}
	}
}

// parked checks that the lake has every message but those that it refused, and that those are parked.
func (h *house) parked() {
	h.t.Helper()
	want := map[workspace.ID]int64{}
	for _, p := range h.carried {
		times := 1
		if p.refused {
			want[p.workspace]++
			times = 0
		}
		for _, id := range p.facts {
			if got := h.lake.stored[id]; got != times {
				h.t.Errorf("a fact of %s is in the lake %d times, want %d; its message was refused: %t", p.workspace, got, times, p.refused)
			}
		}
	}
	if got, err := h.j.Parked(h.t.Context()); err != nil || !maps.Equal(got, want) {
		h.t.Errorf("parked %v, want %v: %v", got, want, err)
	}
}

// final checks what became of deliveries in the end.
func (h *house) final(ws workspace.ID, all []order) {
	h.t.Helper()
	for _, o := range all {
		want, times := o.State, 1
		if o.Size > maxFacts && o.Facts > 0 {
			want, times = fact.Quarantined, 0
		}
		if got, why := h.state(ws, o.N); got != want {
			h.t.Errorf("delivery %d of %s is %s for %q, want %s: %+v", o.N, ws, got, why, want, o)
		}
		h.stored(o, times)
	}
}

func (h *house) random(n int) order {
	o := order{N: n, State: fact.Published, Facts: 1}
	switch h.r.IntN(12) {
	case 0:
		o.State, o.Facts = []fact.State{fact.Ignored, fact.Refused, fact.Held}[h.r.IntN(3)], 0
	case 1:
		o.Fault = []string{"process", "panic", "lake"}[h.r.IntN(3)]
	case 2:
		o.Size = 300_000
	case 3:
		o.Facts, o.Size = 5, 260_000 // of one delivery, more than a message
	case 4:
		if h.r.IntN(4) == 0 {
			o.Size = journal.MaxPayload
		}
	default:
		o.Facts, o.Size = 1+h.r.IntN(3), h.r.IntN(30_000)
	}
	return o
}

// TestOneSickWorkspaceHoldsNobodyUp: with keys damaged, what comes for it is set aside at once, with the reason.
func TestOneSickWorkspaceHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	h.broken[h.ws[1]] = true
	for n := range 30 {
		h.accept(h.ws[n%3], order{N: n, State: fact.Published, Facts: 1})
	}
	h.settle(0)
	for n := range 30 {
		o := order{N: n, Facts: 1}
		got, why := h.state(h.ws[n%3], n)
		if n%3 == 1 && (got != fact.Quarantined || why != fact.WhyKeys) {
			t.Errorf("of the sick workspace, delivery %d is %s for %q", n, got, why)
		}
		if n%3 != 1 && got != fact.Published {
			t.Errorf("delivery %d is %s for %q", n, got, why)
		}
		h.stored(o, map[bool]int{true: 0, false: 1}[n%3 == 1])
	}
	h.balanced()
}

// TestAKeyThatEndsMeanwhile: a batch is in hand when its deliveries are sealed again under another key, and their own is
// destroyed. They are read once more, and what is held keeps the new key. What cannot be opened then either is in quarantine.
func TestAKeyThatEndsMeanwhile(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	ws := h.ws[0]
	published := order{N: 1, State: fact.Published, Facts: 1, Fault: "rekeyed"}
	h.accept(ws, published, order{N: 2, State: fact.Held, Fault: "rekeyed"}, order{N: 3, State: fact.Published, Fault: "dead"})
	h.settle(0)
	for n, want := range map[int]fact.State{1: fact.Published, 2: fact.Held, 3: fact.Quarantined} {
		if got, why := h.state(ws, n); got != want {
			t.Errorf("delivery %d is %s for %q, want %s", n, got, why, want)
		}
	}
	h.stored(published, 1)
	if epoch, err := h.j.Epoch(t.Context(), ws); err != nil || epoch != 2 {
		t.Errorf("the oldest key that something needs is of epoch %d, want 2 (%v)", epoch, err)
	}
	h.balanced()
}

// TestKeysThatBreakBetweenTheStages: facts that were sealed before are parked, and stored once the keys are back.
func TestKeysThatBreakBetweenTheStages(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	orders := []order{{N: 1, State: fact.Published, Facts: 1}, {N: 2, State: fact.Published, Facts: 1}}
	for i, o := range orders {
		in := []journal.Message{{Topic: journal.Inbox, ID: idOf(o.N), Workspace: h.ws[i], Source: 7, Payload: []byte(`{"N":` + fmt.Sprint(o.N) + `,"State":2,"Facts":1}`)}}
		out, err := h.Process(t.Context(), in[0])
		must(t, err)
		_, err = h.pipeline().Import().Settle(t.Context(), func() bool { return true }, in, []fact.Outcome{out})
		must(t, err)
	}
	h.broken[h.ws[0]] = true
	h.settle(0)
	h.stored(orders[0], 0)
	h.stored(orders[1], 1)
	if parked, err := h.j.Parked(t.Context()); err != nil || parked[h.ws[0]] != 1 {
		t.Fatalf("parked %v, %v", parked, err)
	}
	h.broken[h.ws[0]] = false
	_, err := h.j.Unpark(t.Context(), h.ws[0])
	must(t, err)
	h.settle(0)
	h.stored(orders[0], 1)
}

// TestLargeTranscripts: many that together, and some that nearly alone, are larger than a message.
func TestLargeTranscripts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ deliveries, size int }{{300, 27_000}, {80, 900_000}} {
		t.Run(fmt.Sprintf("%d of %d bytes", c.deliveries, c.size), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 1)
			var all []order
			for n := range c.deliveries {
				all = append(all, order{N: n, State: fact.Published, Facts: 1, Size: c.size})
			}
			h.accept(h.ws[0], all...)
			h.settle(0)
			for _, o := range all {
				if got, why := h.state(h.ws[0], o.N); got != fact.Published {
					t.Fatalf("delivery %d is %s for %q", o.N, got, why)
				}
				h.stored(o, 1)
			}
			h.balanced()
		})
	}
}

// TestAFullDiskGivesNothingUp: the house's own failure stops the pipeline; nothing is set aside for it.
func TestAFullDiskGivesNothingUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	for n := range 20 {
		h.accept(h.ws[0], order{N: n, State: fact.Published, Facts: 1})
	}
	h.chance = 1
	for range 5 {
		p := h.pipeline()
		p.Journal = h.j // which works: what was set aside would be committed
		if err := p.Run(t.Context()); err == nil {
			t.Fatal("the pipeline did not stop")
		}
	}
	for n := range 20 {
		if got, why := h.state(h.ws[0], n); got != fact.Pending {
			t.Fatalf("delivery %d is %s for %q", n, got, why)
		}
	}
	h.chance = 0
	h.settle(0)
	for n := range 20 {
		h.stored(order{N: n, Facts: 1}, 1)
	}
}

// TestALateStoreIsRefused: a process that was paused while another took over the facts does not store them once more.
func TestALateStoreIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	ctx := t.Context()
	o := order{N: 1, State: fact.Published, Facts: 3, Size: 10}
	h.accept(h.ws[0], o)
	inbox := take(t, h, journal.Reader{Topic: journal.Inbox, Group: "process"})
	paused, other := h.pipeline(), h.pipeline()
	out, err := other.process(ctx, inbox, nil)
	must(t, err)
	batch := out[:1]
	batch[0].Position = "1"
	for _, p := range []*Pipeline{paused, other} {
		_, err := p.resume(ctx, 0)
		must(t, err)
	}
	_, err = other.store(ctx, batch, nil)
	must(t, err)
	next := batch
	next[0].Position = "2"
	_, err = other.store(ctx, next, nil)
	must(t, err)
	batch[0].Position = "1"
	if _, err := paused.store(ctx, batch, nil); err == nil {
		t.Error("a late store was taken")
	}
	h.stored(o, 2) // once by each of the two batches
	if h.lake.at != "2" {
		t.Errorf("the lake is at %s", h.lake.at)
	}
}

// take gives the first batch of a topic.
func take(t *testing.T, h *house, r journal.Reader) (batch []journal.Message) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	must(t, h.j.Transform(ctx, r, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
		batch = in
		stop()
		return nil, ctx.Err()
	}))
	return batch
}
