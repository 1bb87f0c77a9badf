package e2e

import (
	"fmt"
	"testing"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
)

// TestErasureSurvivesDeath: a server that is killed behind the answer of an erasure, before or while it is carried out, or
// that meets a full disk there, has it carried out by the next one: rows and deliveries go, and no figure counts them.
func TestErasureSurvivesDeath(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "kill -9 behind an erasure")
	data := newData(t)
	h := spawn(t, data)
	source := h.connect("native")
	rounds := faulttest.Rounds(3, 10, 30)
	for r := range rounds {
		for i := range 20 {
			h.post(source.Path, call(fmt.Sprintf("gone%d-%d", r, i), march, fmt.Sprintf("+1202555%04d", 100+r)), bearer(source.Secret), 200)
		}
	}
	h.figures()
	for r := range rounds {
		var e rpc.Erased
		h.do("erase", rpc.EraseArgs{Contact: fmt.Sprintf("+1202555%04d", 100+r)}, &e)
		if e.Receipt == "" {
			t.Error("no receipt")
		}
		h.kill()
		h = spawn(t, data)
		h.erased()
		if c := h.counts(); c.Erased != int64(20*(r+1)) {
			t.Errorf("round %d: %d deliveries are erased, want %d", r, c.Erased, 20*(r+1))
		}
		row.Rounds++
	}
	h.stopWell()
	if code, out := verb(data, "verify"); code != 0 {
		t.Errorf("verify ends with %d: %s", code, out)
	}
}
