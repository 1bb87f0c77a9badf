package e2e

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
)

// TestKill9OfAnImport: an import that is killed, in the server or as a command of its own, goes on where it was: no row
// that was told as durable is lost, none counts twice, and the figures are those of one import in peace.
func TestKill9OfAnImport(t *testing.T) {
	t.Parallel()
	s := newSenders(t)
	random := rand.New(rand.NewPCG(9, 7))
	data := newData(t)
	first := open(t, data)
	first.townPolicy()
	first.stopWell()
	told := int64(0)
	for round := range faulttest.Rounds(4, 10, 40) {
		if round%2 == 0 {
			told = max(told, s.killServer(t, data, 1+random.Int64N(int64(s.rows))))
		} else {
			s.killCommand(t, data, random.IntN(len(s.file)))
		}
	}
	h := open(t, data)
	got := h.importFile("native", bytes.NewReader(s.file))
	if got.In != int64(s.rows) || got.Duplicate < told || got.Pending+got.Held+got.Quarantined > 0 {
		t.Errorf("%d rows, of which %d were told as durable before: %+v", s.rows, told, got.Counts)
	}
	if told == 0 {
		t.Error("no import was killed with rows behind it")
	}
	h.drain() // a row that was accepted before a kill makes its like a duplicate at once, and may wait itself
	if c := h.counts(); c.Published != int64(s.rows) {
		t.Errorf("%d rows: %+v", s.rows, c)
	}
	calm := open(t, newData(t))
	calm.townPolicy()
	calm.importFile("native", bytes.NewReader(s.file))
	if !sameFigures(t, calm.townFigures(), h.townFigures()) {
		t.Error("the figures differ from those of an import in peace")
	}
}

// killServer kills a server once it has told that so many more rows of an import are durable, and gives how many it told.
func (s *senders) killServer(t *testing.T, data string, rows int64) (told int64) {
	t.Helper()
	h := spawn(t, data)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = h.try("import", rpc.ImportArgs{Kind: "native", ID: "one"}, bytes.NewReader(s.file), nil)
	}()
	for {
		var p rpc.Progress
		h.do("import-progress", rpc.ProgressArgs{ID: "one"}, &p)
		told = max(told, p.Rows)
		select {
		case <-ended: // before it could be killed
		default:
			if p.Rows < rows {
				continue
			}
		}
		h.kill()
		<-ended
		return told
	}
}

// killCommand kills `murmur import -` once it was handed so many bytes.
func (s *senders) killCommand(t *testing.T, data string, size int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childArgs+"="+strings.Join([]string{"import", "-", "--kind", "native", "--data", data}, "\n"))
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(s.file[:size]); err != nil {
		t.Errorf("the import ended early: %v\n%s", err, said.Bytes())
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}
