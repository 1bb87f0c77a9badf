package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"murmur/internal/synth"
)

// peak is the most memory that a process ever had resident, in MiB.
func peak(t testing.TB, pid int) int {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		skip(t.(*testing.T), "the memory of a server", "no /proc")
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kb int
		if n, _ := fmt.Sscanf(s.Text(), "VmHWM: %d kB", &kb); n == 1 {
			return kb / 1024
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// TestMemory: a server that takes a long history and counts it stays within its memory. MURMUR_FULL=1 sends a million
// events and holds it to 512 MiB; the default is 20,000 events and 384 MiB, of which about 150 are there before the
// first event. A week is counted for two audiences.
func TestMemory(t *testing.T) {
	t.Parallel()
	events, limit := 20_000, 384
	if os.Getenv("MURMUR_FULL") != "" {
		events, limit = 1_000_000, 512
	}
	h := spawn(t, newData(t))
	idle := peak(t, h.process.Pid)
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(synth.Bulk(w, synth.Config{Seed: 3, Contacts: 20_000}, 1, events)) }()
	got := h.importFile("native", r)
	if got.In != int64(events) || got.Pending > 0 {
		t.Errorf("%d events: %+v", events, got.Counts)
	}
	imported := peak(t, h.process.Pid)
	if !strings.Contains(string(h.figures()), `"hidden":""`) {
		t.Error("no figure is shown")
	}
	most := peak(t, h.process.Pid)
	t.Logf("%d events: %d MiB when idle, %d after the import, %d after the figures", events, idle, imported, most)
	if most > limit {
		t.Errorf("%d MiB resident, more than %d", most, limit)
	}
}
