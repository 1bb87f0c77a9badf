package server

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"murmur/internal/crowd/release"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// peopleCalls are three calls each of people from-to of a town.
func peopleCalls(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		for k := range 3 {
			fmt.Fprintf(&b, `{"schema":"murmur.v1","type":"call","delivery_id":"p%d-%d","source_id":"p%d-%d","occurred_at":"2026-11-03T1%d:%02d:00Z","direction":"in","outcome":"missed","party":{"phone":"+1212555%04d"}}`+"\n",
				i, k, i, k, k, i%60, i)
		}
	}
	return b.String()
}

// TestTheAnswerOfAnErasureTellsNothing: what is done before the answer is the same for a contact that nobody knows. The
// attacker sees the work itself, not a clock: allocations, bytes allocated, bytes written; and picks the best threshold on
// each, after the fact. 200 of each kind: by chance alone the best of three thresholds is right about more than 60 % in less
// than one run of 400 (two-sided Kolmogorov-Smirnov, D > 0.2: 0.0007 each).
func TestTheAnswerOfAnErasureTellsNothing(t *testing.T) { //nolint:paralleltest // it counts this process's allocations
	const each = 200
	data := filepath.Join(t.TempDir(), "data")
	h := open(t, data)
	h.do("import", rpc.ImportArgs{Kind: "native"}, peopleCalls(0, each))
	h.do("figures", rpc.FiguresArgs{Refresh: true}, "")
	stop(t, h.Node)
	n, err := Open(t.Context(), Config{Data: data}) // nothing runs beside the erasures
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	n.erasing.running = true
	var work [3][2][]float64 // by measure; unknown, known
	order := rand.Perm(2 * each)
	for _, i := range order {
		known := 0
		if i < each {
			known = 1
		}
		before := workDone(t, data)
		if _, err := n.erase(t.Context(), rpc.EraseArgs{Contact: fmt.Sprintf("+1212555%04d", i)}); err != nil {
			t.Fatal(err)
		}
		after := workDone(t, data)
		for m := range work {
			work[m][known] = append(work[m][known], after[m]-before[m])
		}
	}
	for m, name := range []string{"allocations", "bytes allocated", "bytes written"} {
		right := bestThreshold(work[m][0], work[m][1])
		t.Logf("%s: the best threshold is right about %.3f", name, right)
		if right > .60 {
			t.Errorf("%s: known and unknown are told apart in %.3f of cases", name, right)
		}
	}
	waiting, _, err := n.zone.WaitingOrders(t.Context())
	if err != nil || waiting[workspace.Default] != 2*each {
		t.Errorf("%v wait, %v", waiting, err)
	}
}

// workDone is what this process did so far: allocations, bytes allocated, bytes written to the files of the metadata and the
// journal.
func workDone(t *testing.T, data string) [3]float64 {
	t.Helper()
	var written int64
	for _, name := range []string{"murmur.db-wal", "journal.db-wal", "catalog.db-wal"} {
		if info, err := os.Stat(filepath.Join(data, name)); err == nil {
			written += info.Size()
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return [3]float64{float64(m.Mallocs), float64(m.TotalAlloc), float64(written)}
}

// bestThreshold is how often the best guess of the form "known if the value is above t", or below it, is right.
func bestThreshold(unknown, known []float64) (best float64) {
	below := func(all []float64, t float64) float64 {
		n := 0
		for _, v := range all {
			if v <= t {
				n++
			}
		}
		return float64(n) / float64(len(all))
	}
	for _, t := range slices.Concat(unknown, known) {
		u, k := below(unknown, t), below(known, t)
		best = max(best, (u+1-k)/2, (k+1-u)/2)
	}
	return best
}

// TestWhoeverComesNextCarriesOutAnErasure: a process that dies behind the answer loses nothing. Meanwhile it is said that an
// erasure waits.
func TestWhoeverComesNextCarriesOutAnErasure(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	h := open(t, data)
	h.do("import", rpc.ImportArgs{Kind: "native"}, peopleCalls(0, 20))
	h.do("figures", rpc.FiguresArgs{Refresh: true}, "")
	h.erasing.running = true // a server whose worker never came to it
	h.do("erase", rpc.EraseArgs{Contact: "+12125550007"}, "")
	if s, err := h.Status(t.Context()); err != nil || s.Erasing["default"] != 1 || s.Workspaces["default"].Erased != 0 {
		t.Errorf("while it waits: %+v, %v", s, err)
	}
	if d := h.do("doctor", nil, ""); !strings.Contains(d, "1 wait to be carried out") {
		t.Errorf("doctor does not tell: %s", d)
	}
	stop(t, h.Node)

	c, err := attach(t.Context(), Config{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	n := c.(*Node)
	defer stop(t, n)
	if s, err := n.Status(t.Context()); err != nil || len(s.Erasing) != 0 || s.Workspaces["default"].Erased != 3 {
		t.Errorf("afterwards: %+v, %v", s, err)
	}
	if breaches, err := n.ledger.Verify(t.Context()); err != nil || len(breaches) > 0 {
		t.Errorf("ledger: %v, %v", breaches, err)
	}
	if err := n.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if base := callsCounted(t, n); base != 19*3 {
		t.Errorf("%d calls count, 57 are there", base)
	}
}

// TestNoFigureIsMadeWithTheErased: whoever makes figures takes out first what waits.
func TestNoFigureIsMadeWithTheErased(t *testing.T) {
	t.Parallel()
	h := open(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, h.Node)
	h.do("import", rpc.ImportArgs{Kind: "native"}, peopleCalls(0, 20))
	h.erasing.running = true // nobody else carries it out
	h.do("erase", rpc.EraseArgs{Contact: "+12125550007"}, "")
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if base := callsCounted(t, h.Node); base != 19*3 {
		t.Errorf("%d calls count, 57 are there", base)
	}
}

// callsCounted is how many calls the newest missed-call-rate rests on.
func callsCounted(t *testing.T, n *Node) (calls int64) {
	t.Helper()
	all, err := n.Figures(t.Context(), workspace.Default, "missed-call-rate", release.Owner)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Grain == "week" && f.Base > 0 {
			calls = max(calls, f.Base)
		}
	}
	return calls
}
