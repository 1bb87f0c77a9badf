package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
)

// injection makes the nth of some system calls of each thread fail.
type injection struct {
	calls, errno string
	file         string // of the data directory; empty: any
	upTo         int    // the most that n is
}

var injections = []injection{
	{"fsync,fdatasync", "EIO", "journal.db-wal", 12},
	{"pwrite64", "EIO", "journal.db-wal", 40},
	{"pwrite64", "ENOSPC", "journal.db-wal", 40},
	{"fsync,fdatasync", "EIO", "murmur.db-wal", 4},
	{"fsync,fdatasync", "EIO", "catalog.db-wal", 4},
	{"fsync,fdatasync", "EIO", "", 60},
	{"pwrite64", "EIO", "", 200},
	{"write", "ENOSPC", "", 80},
	{"rename,renameat,renameat2", "EIO", "", 6},
	{"ftruncate", "EIO", "", 3},
	{"unlink,unlinkat", "EIO", "", 3},
	{"openat", "EMFILE", "", 120},
}

// TestFailedCallsFault: the nth write, sync, rename or removal of the house fails, of one file or of any, again and
// again on the same directory. Nothing acknowledged is lost, nothing counts twice, and after a failed sync of the
// journal nothing more is acknowledged, although the next sync would succeed.
func TestFailedCallsFault(t *testing.T) {
	t.Parallel()
	if !faulttest.Asked() {
		t.Skip("MURMUR_FAULTS asks for it: it takes minutes")
	}
	row := faulttest.Begin(t, "the Nth write, fsync or rename fails, whole house")
	needStrace(t, row)
	random := rand.New(rand.NewPCG(9, 5))
	s := newSenders(t)
	data := newData(t)
	h := spawn(t, data)
	h.townPolicy()
	source := h.connect("native")
	h.stopWell()
	rounds := faulttest.Rounds(0, len(injections), 5*len(injections))
	share, noticed := len(s.events)/(rounds+1), 0
	for round := range rounds {
		in := injections[round%len(injections)]
		if s.underInjection(t, in, 1+random.IntN(in.upTo), data, source, share) {
			noticed++
		}
		row.Rounds++
	}
	h = spawn(t, data)
	h.counts()
	s.finish(h, source, row)
	h.stopWell()
	row.Note = fmt.Sprintf("the house refused to go on in %d rounds", noticed)

	s.forget()
	data = newData(t)
	h = spawn(t, data)
	source = h.connect("native")
	h.stopWell()
	h = startCommand(t, injections[0].under(serveCommand(answersFirst, data), 5, data), data)
	if err := h.listens(); err != nil {
		t.Fatal(err)
	}
	s.send(h, source, len(s.events)+1, func() {})
	h.promisesKept(t)
	h.killGroup()
	h = spawn(t, data)
	lost, _ := s.lost(h, source)
	row.Planted(lost > 0)
	h.stopWell()
}

func needStrace(t *testing.T, row *faulttest.Row) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		row.Skip("no strace; scripts/setup installs it")
	}
	if out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		row.Skip("strace: " + string(out))
	}
}

// under puts a command under the injection, both in a process group of their own.
func (in injection) under(cmd *exec.Cmd, n int, data string) *exec.Cmd {
	args := []string{"-f", "-qq", "-o", os.DevNull, "-e", "trace=" + in.calls, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", in.calls, in.errno, n)}
	if in.file != "" {
		args = append(args, "-P", filepath.Join(data, in.file))
	}
	traced := exec.Command("strace", append(args, cmd.Path)...)
	traced.Env = cmd.Env
	traced.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return traced
}

// underInjection runs the house until it has stored `after` more or refuses, and reports whether it refused.
func (s *senders) underInjection(t *testing.T, in injection, n int, data string, source rpc.Connected, after int) (refused bool) {
	t.Helper()
	h := startCommand(t, in.under(serveCommand(honest, data), n, data), data)
	h.end = h.killGroup
	what := fmt.Sprintf("%s of %s, number %d: %s", in.calls, or(in.file, "any file"), n, in.errno)
	if err := h.listens(); err != nil {
		if code := h.exit(); code < 1 || code > 5 {
			t.Errorf("%s: %v, exit code %d\n%s", what, err, code, h.log.Bytes())
		}
		h.killGroup()
		return true
	}
	refused = s.rush(h, source, after, h.killGroup) > 0
	if in.file == "journal.db-wal" && in.calls == "fsync,fdatasync" {
		for i := range 10 {
			body := append(fmt.Appendf(nil, `{"delivery_id":"after-%d-%d",`, n, i), call("after", march, "+12125550142")[1:]...)
			a, err := h.send(http.MethodPost, source.Path, body, bearer(source.Secret))
			if err == nil && a.status == http.StatusOK && s.refusedBefore(h) {
				t.Errorf("%s: it acknowledged after that", what)
			}
		}
	}
	h.killGroup()
	if log := h.log.Bytes(); bytes.Contains(log, []byte("panic:")) || bytes.Contains(log, []byte("fatal error:")) {
		t.Logf("%s: %.600s", what, log)
	}
	return refused
}

// promisesKept waits until a house that answers first has handed on everything.
func (h *house) promisesKept(t *testing.T) {
	t.Helper()
	for range 1200 {
		if a := h.get(promisesLeft); string(a.body) == "0" {
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Error("promises are left after a minute")
}

// refusedBefore reports whether the house says that its journal is broken.
func (s *senders) refusedBefore(h *house) bool {
	return bytes.Contains(h.log.Bytes(), []byte("storage failed"))
}

// killGroup ends a house and the program that it runs under.
func (h *house) killGroup() {
	if h.control != nil {
		_ = h.control.Close()
	}
	_ = syscall.Kill(-h.process.Pid, syscall.SIGKILL)
	select {
	case <-h.done:
	case <-time.After(10 * time.Second):
		h.t.Error("a killed house does not end")
	}
}

// exit is the exit code of a house that has ended by itself; -1 for one that has not.
func (h *house) exit() int {
	select {
	case <-h.done:
	default:
		return -1
	}
	if e, ok := h.err().(*exec.ExitError); ok {
		return e.ExitCode()
	}
	return 0
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
