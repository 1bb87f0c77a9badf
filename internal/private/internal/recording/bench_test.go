package recording

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/private/internal/consent"
	"murmur/internal/workspace"
)

// BenchmarkRefusal measures, with 50 calls at once whose two legs bring 50 frames a second each, how long after a key 9
// the last frame was taken (stop), and how long until everything of it is durable (done). 50 refusals a round.
func BenchmarkRefusal(b *testing.B) {
	var mu sync.Mutex
	var stops, dones []time.Duration
	for round := range b.N {
		h := newHouse(b, workspace.Notice)
		var calls sync.WaitGroup
		for i := range 50 {
			take := h.holding("call-"+strconv.Itoa(round)+"-"+strconv.Itoa(i), "")
			var last, pressed atomic.Int64
			calls.Go(func() {
				tick := time.NewTicker(10 * time.Millisecond)
				defer tick.Stop()
				for {
					<-tick.C
					if take.Write(b.Context(), Frame{Payload: speech}) != nil {
						break
					}
					last.Store(time.Now().UnixNano())
				}
				mu.Lock()
				defer mu.Unlock()
				stops = append(stops, max(0, time.Duration(last.Load()-pressed.Load())))
			})
			calls.Go(func() {
				<-time.After(time.Duration(100+7*i) * time.Millisecond) // in the middle of the call
				at := time.Now()
				pressed.Store(at.UnixNano())
				if _, err := take.Step(b.Context(), consent.Event{Kind: consent.Pressed, Key: '9', At: h.after(time.Millisecond)}); err != nil {
					b.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				dones = append(dones, time.Since(at))
			})
		}
		calls.Wait()
	}
	p99 := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)*99/100].Microseconds()) / 1000
	}
	b.ReportMetric(p99(stops), "p99-stop-ms")
	b.ReportMetric(p99(dones), "p99-done-ms")
}

// BenchmarkWrite is one frame of 20 ms.
func BenchmarkWrite(b *testing.B) {
	h := newHouse(b, workspace.Notice)
	h.c.Bytes = 1 << 40
	take := h.holding("call-1", "")
	f := Frame{Payload: make([]byte, 160)}
	b.SetBytes(160)
	b.ReportAllocs()
	for b.Loop() {
		if err := take.Write(b.Context(), f); err != nil {
			b.Fatal(err)
		}
	}
}
