package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// tenant is one of three businesses in a house: its way in, and what it says.
type tenant struct {
	rpc.Connected
	name, word, phone string
}

// TestKill9WhileAWorkspaceIsDeleted: one workspace of three is deleted while vendors send to all of them; the house is killed again
// and again until the deletion is done. Then the figures of the others are as before, verify is clean, and no file has a word,
// a number, an id or a row of the one that went.
func TestKill9WhileAWorkspaceIsDeleted(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "a workspace is deleted under load, kill -9")
	data := newData(t)
	h := spawn(t, data)
	var all []*tenant
	for i, name := range []string{"default", "quiet-house", "lost-and-gone"} {
		w := &tenant{name: name, word: []string{"teapot", "kettle", "anteater"}[i], phone: fmt.Sprintf("+1202555%04d", 9000+i)}
		h.do("connect", rpc.ConnectArgs{Workspace: name, Kind: "native", Name: "lines"}, &w.Connected)
		h.do("policy", rpc.PolicyArgs{Workspace: name, Set: []rpc.KeyValue{{Key: "transcripts", Value: "notice"}}, Reason: "a test", Author: "e2e"}, nil)
		h.post(w.Path, w.life(), bearer(w.Secret), 200)
		all = append(all, w)
	}
	doomed := all[2]
	want := h.figuresOf(all[:2])
	if words := h.lakeWords(); !strings.Contains(words, doomed.word) || !strings.Contains(words, doomed.name) {
		t.Fatal("the workspace is not in the lake: the test cannot fail")
	}

	var running sync.WaitGroup
	stop := make(chan struct{})
	var base atomic.Pointer[house]
	base.Store(h)
	var taken, refused atomic.Int64
	for _, w := range all {
		running.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				body := w.life()
				if w == doomed {
					body = call(fmt.Sprintf("late%d", i), time.Now(), w.phone)
				}
				a, err := base.Load().send("POST", w.Path, body, bearer(w.Secret)) // the others repeat what is known
				switch {
				case err != nil: // it is dead
				case a.status == 200:
					taken.Add(1)
				case w != doomed && a.status != 503:
					t.Errorf("%s is answered %d", w.name, a.status)
				default:
					refused.Add(1)
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(4, 17))
	for {
		ordered := make(chan struct{})
		go func(h *house) {
			defer close(ordered)
			_ = h.try("workspace-suspend", rpc.WorkspaceArgs{Workspace: doomed.name}, nil, nil)
			_ = h.try("workspace-delete", rpc.WorkspaceArgs{Workspace: doomed.name}, nil, nil)
		}(h)
		after := time.NewTimer(time.Duration(random.IntN(400)) * time.Millisecond)
		select {
		case <-after.C:
		case <-ordered:
		}
		h.kill()
		<-ordered
		row.Rounds++
		h = spawn(t, data)
		base.Store(h)
		if state := h.stateOf(doomed.name); state == "deleted" || row.Rounds > 40 {
			break
		}
	}
	close(stop)
	running.Wait()
	if state := h.stateOf(doomed.name); state != "deleted" {
		h.do("workspace-delete", rpc.WorkspaceArgs{Workspace: doomed.name}, nil)
		t.Logf("after %d deaths: %s", row.Rounds, state)
	}
	t.Logf("%d deaths; %d deliveries taken, %d refused", row.Rounds, taken.Load(), refused.Load())
	row.Acknowledged = taken.Load()
	equal := bytes.Equal(h.figuresOf(all[:2]), want)
	if row.Same(equal); !equal {
		t.Error("the others have other figures")
	}
	if a := h.post(doomed.Path, doomed.life(), bearer(doomed.Secret), 404); a.status != 404 {
		row.Lost++
	}
	if words := h.lakeWords(); strings.Contains(words, doomed.word) || strings.Contains(words, doomed.name) {
		t.Error("rows of it are in the lake")
		row.Lost++
	}
	h.stopWell()
	for _, sign := range []string{doomed.word, doomed.phone[1:], doomed.Secret, "late0"} {
		if out, _ := exec.Command("grep", "-rlaF", sign, data).Output(); len(out) > 0 {
			t.Errorf("%q is in %s", sign, out)
			row.Lost++
		}
	}
	if _, err := os.Stat(filepath.Join(data, "keys", doomed.name+".keys")); err == nil {
		t.Error("its keys are there")
	}
	if code, out := verb(data, "verify"); code != 0 {
		t.Errorf("verify: %d %s", code, out)
	}
}

// life is what a tenant's vendor sends: calls of enough people for figures, and words.
func (w *tenant) life() []byte {
	var b bytes.Buffer
	for i := range 40 {
		at := time.Date(2026, 11, 3, 9, i, 0, 0, time.UTC)
		phone := fmt.Sprintf("+1202555%04d", 100+i)
		if i == 0 {
			phone = w.phone
		}
		b.Write(call(fmt.Sprintf("c%d", i), at, phone))
		b.WriteString("\n")
	}
	b.Write(transcript("c0", time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC), w.phone, "where is my "+w.word+" parcel"))
	b.WriteString("\n")
	return b.Bytes()
}

// figuresOf computes what is due and gives the figures of some workspaces.
func (h *house) figuresOf(some []*tenant) []byte {
	h.t.Helper()
	h.figures()
	var all bytes.Buffer
	for _, w := range some {
		var b []byte
		h.do("figures", rpc.FiguresArgs{Workspace: w.name}, &b)
		all.Write(b)
	}
	return all.Bytes()
}

func (h *house) stateOf(name string) string {
	h.t.Helper()
	var list []workspace.Tenant
	h.do("workspace-list", rpc.WorkspaceArgs{}, &list)
	for _, w := range list {
		if w.Workspace.String() == name {
			return w.State
		}
	}
	return "deleted"
}
