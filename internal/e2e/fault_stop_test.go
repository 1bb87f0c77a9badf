package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
	"murmur/internal/synth"
)

// TestStopFault: whatever a server computes, it ends within ten seconds of being told to, it ends well, and the next
// one goes on from there.
func TestStopFault(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "SIGTERM in the middle of import, figures, verify, backup, poll")
	events := faulttest.Rounds(2_000, 15_000, 100_000)
	data := newData(t)
	vendor := startQuo(t, 400, "--every", "9", "--faults", "slow")
	serve := func() *house { return spawn(t, data, "--allow-host", strings.TrimPrefix(vendor, "http://")) }
	h := serve()
	h.townPolicy()
	var file bytes.Buffer
	if err := synth.Bulk(&file, synth.Config{Seed: 3, Contacts: 2_000}, 1, events); err != nil {
		t.Fatal(err)
	}
	longest, last := time.Duration(0), ""
	stop := func(what string) {
		t.Helper()
		row.Rounds++
		told := time.Now()
		h.end()
		<-h.done
		if took := time.Since(told); took > longest {
			longest, last = took, what
		}
		if err := h.err(); err != nil {
			t.Errorf("%s: it ended with %v\n%s", what, err, h.log.Bytes())
		}
		_ = h.control.Close()
		h = serve()
		h.counts()
	}
	half, goOn := newHalf(file.Bytes())
	ended := h.begin("import", rpc.ImportArgs{Kind: "native"}, half)
	<-goOn // half of the file is read, the other half never comes
	stop("import")
	half.Close()
	if err := <-ended; err == nil {
		t.Error("an interrupted import says that it is done")
	}
	if got := h.importFile("native", &file); got.In != int64(events) || got.Pending > 0 {
		t.Errorf("the import again: %+v", got.Counts)
	}
	for verb, args := range map[string]any{"figures": rpc.FiguresArgs{Refresh: true}, "verify": rpc.VerifyArgs{Attack: true}, "backup": nil} {
		h.begin(verb, args, nil)
		<-time.After(50 * time.Millisecond)
		stop(verb)
	}
	if _, err := h.tryConnect(vendor, quoKey); err != nil {
		t.Fatal(err)
	}
	h.polling(func(p rpc.Polling) bool { return p.State == "history" || p.State == "live" })
	stop("poll")
	if longest > 10*time.Second {
		t.Errorf("it took %s to stop in the middle of %s", longest, last)
	}
	row.Note = fmt.Sprintf("stopped in %.1f s at most, in the middle of %s", longest.Seconds(), last)
	h.figures()
	h.stopWell()
	if files, err := os.ReadDir(filepath.Join(data, "tmp")); err != nil || len(files) > 0 {
		t.Errorf("%d files are left in tmp (%v)", len(files), err)
	}
}

// begin starts a verb and gives its end.
func (h *house) begin(verb string, args any, in io.Reader) <-chan error {
	ended := make(chan error, 1)
	c := h.control
	go func() { ended <- c.Do(context.Background(), verb, args, in, io.Discard) }()
	return ended
}

// half is a file of which the second half does not come.
type half struct {
	io.Reader
	goOn, end chan struct{}
	closed    bool
}

func newHalf(all []byte) (*half, <-chan struct{}) {
	cut := len(all) / 2
	cut += bytes.IndexByte(all[cut:], '\n') + 1
	h := &half{bytes.NewReader(all[:cut]), make(chan struct{}), make(chan struct{}), false}
	return h, h.goOn
}

func (h *half) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if err == nil {
		return n, nil
	}
	if !h.closed {
		h.closed = true
		close(h.goOn)
	}
	<-h.end
	return 0, io.ErrUnexpectedEOF
}

func (h *half) Close() { close(h.end) }
