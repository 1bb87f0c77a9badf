package crowd

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// TestWhatTellingCosts prints what telling the texts of a week by a category takes: of all of MURMUR_BENCH_ROWS texts at first, again, and after a
// thousand more. Without MURMUR_BENCH_ROWS it is of 2,000.
func TestWhatTellingCosts(t *testing.T) {
	rows := 2_000
	if n, err := strconv.Atoi(os.Getenv("MURMUR_BENCH_ROWS")); err == nil {
		rows = n
	}
	w, l := newTown(t, weekly("topics", release.ByTopic, release.Nothing, nil, fact.KindMessage)), newLife(t)
	more := func(n int) {
		var all []fact.Fact
		for range n {
			words := []string{"could you quote me for solar panels", "how much is a haircut", "where is my order, it should be here", "I want to book for Friday"}[l.n%4]
			all = append(all, &fact.Message{Head: l.head(townNow.Add(-24*time.Hour), l.n%10_000), Direction: fact.In, Number: 101, Topic: fact.TopicPrice,
				Body: l.mk.Text(fmt.Sprintf("Hello, %s, please tell me by %d", words, l.n%97))})
		}
		w.add(workspace.Default, nil, all...)
	}
	for left := rows; left > 0; left -= 50_000 {
		more(min(left, 50_000))
	}
	w.must(w.taught(workspace.Default, l.mk.Text("Solar quote"), l.masked(solarWords...), nil))
	tell := func() (own int, cpu time.Duration) {
		lk := &look{Crowd: w.Crowd, ws: workspace.Default}
		w.must(lk.read(t.Context()))
		snapshot, unpin, err := w.lake.Pin(t.Context())
		w.must(err)
		defer unpin()
		lk.snapshot = snapshot
		began := processTime()
		told, err := lk.tellOwn(t.Context(), release.Blocks(time.UTC, townNow.Add(-time.Hour), townNow)[0])
		w.must(err)
		return len(told), processTime() - began
	}
	first, cost := tell()
	again, costAgain := tell()
	more(1000)
	after, costAfter := tell()
	t.Logf("%d texts: %v of processor time, %.1f us a text; again %v; with 1,000 more %v", rows, cost, float64(cost.Microseconds())/float64(rows), costAgain, costAfter)
	if first == 0 || again != first || after <= first {
		t.Errorf("%d texts are told, again %d, with more %d", first, again, after)
	}
}

// processTime is what this process has used of its processors.
func processTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
