package recorder

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"murmur/internal/private/internal/consent"
	"murmur/internal/workspace"
)

// crowd has n calls at once, each of which opts out at a moment of its own while both sides go on sending. It gives, for
// each, the time from the key's first packet to the last frame that was kept after it, 0 when there was none, and how
// many keys were missed.
func crowd(h *house, n int, inBand bool, seed uint64) (last []time.Duration, missed int) {
	h.t.Helper()
	phones := make([]*phone, n)
	takes := make([]*watched, n)
	var wg sync.WaitGroup
	for i := range phones {
		wg.Go(func() { phones[i], takes[i] = h.call() })
	}
	wg.Wait()
	var mu sync.Mutex
	for i, p := range phones {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			pressed := optOut(p, 20+r.IntN(25), inBand)
			took, gone := time.Duration(0), wait(takes[i])
			if at, _ := takes[i].lastKept(); at.After(pressed) {
				took = at.Sub(pressed)
			}
			mu.Lock()
			defer mu.Unlock()
			if last = append(last, took); !gone {
				missed++
			}
		})
	}
	wg.Wait()
	for _, p := range phones {
		p.bye()
	}
	return last, missed
}

// optOut speaks in real time, presses 9 after so many frames, and speaks on. It gives the moment of the key.
func optOut(p *phone, after int, inBand bool) (pressed time.Time) {
	leg := p.legs[0]
	speech := bytes.Repeat([]byte{0x33, 0x55, 0x9A, 0xC1}, 40)
	ctx := context.Background()
	every(ctx, after, func(int) { leg.frame(speech) })
	pressed = time.Now()
	if inBand {
		tone := ulawOf(press('9', 6))
		every(ctx, 6, func(i int) { leg.frame(tone[160*i : 160*i+160]) })
	} else {
		leg.press('9')
	}
	every(ctx, 15, func(int) { leg.frame(speech) })
	return pressed
}

// wait reports whether a call is shredded, soon.
func wait(w *watched) bool {
	limit := time.After(5 * time.Second)
	for w.State() != consent.Shredded {
		select {
		case <-w.states:
		case <-limit:
			return false
		}
	}
	return true
}

func TestCrowdOptsOut(t *testing.T) {
	t.Parallel()
	for name, inBand := range map[string]bool{"event": false, "in the sound": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice)
			if _, missed := crowd(h, 20, inBand, 1); missed > 0 {
				t.Errorf("%d of 20 keys were missed", missed)
			}
			if f := h.files(); len(f) > 0 || len(h.released) > 0 {
				t.Errorf("%d files and %d releases are left", len(f), len(h.released))
			}
		})
	}
}

// BenchmarkOptOut measures 1,000 opt-outs, 50 calls at once.
func BenchmarkOptOut(b *testing.B) {
	for name, inBand := range map[string]bool{"event": false, "sound": true} {
		b.Run(name, func(b *testing.B) {
			h := newHouse(b, workspace.Notice)
			for b.Loop() {
				var all []time.Duration
				missed := 0
				for round := range 20 {
					last, m := crowd(h, 50, inBand, uint64(round))
					all, missed = append(all, last...), missed+m
				}
				slices.Sort(all)
				b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
				b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "max-ms")
				b.ReportMetric(float64(missed), "missed")
				b.ReportMetric(float64(len(all)), "keys")
			}
		})
	}
}
