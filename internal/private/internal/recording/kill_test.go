package recording

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"murmur/internal/faulttest"
	"murmur/internal/private/internal/consent"
	"murmur/internal/workspace"
)

// The killed process is this test binary again: it brings calls to a state, says so, and is killed by its parent with
// SIGKILL, or kills itself at the n-th touch of clock, chance or disk, in the middle of whatever it is doing then.
const (
	killDir   = "MURMUR_KILL_DIR"
	killState = "MURMUR_KILL_STATE" // a state, or a number of touches
)

// ways lead to every state in which a process can die.
var ways = map[string][]consent.EventKind{
	"new":         nil,
	"noticing":    {consent.NoticeStarted},
	"holding":     {consent.NoticeStarted, consent.NoticeEnded},
	"paused":      {consent.NoticeStarted, consent.NoticeEnded, consent.Suspended},
	"resumed":     {consent.NoticeStarted, consent.NoticeEnded, consent.Suspended, consent.Resumed},
	"released":    {consent.NoticeStarted, consent.NoticeEnded, consent.HungUp},
	"opted_out":   {consent.NoticeStarted, consent.NoticeEnded, consent.SaidNo},
	"aborted":     {consent.NoticeStarted, consent.NoticeEnded, consent.Failed},
	"opt_in_wait": {consent.NoticeStarted, consent.NoticeEnded},
	"asking":      {consent.NoticeStarted},
	"refused":     nil,
}

// TestKilled is the process that dies.
func TestKilled(t *testing.T) {
	dir, state := os.Getenv(killDir), os.Getenv(killState)
	if dir == "" {
		t.Skip("this is the process that TestKill kills")
	}
	basis := workspace.Notice
	switch state {
	case "asking", "opt_in_wait":
		basis = workspace.OptIn
	case "refused":
		basis = workspace.Deny
	}
	h := openHouse(t, dir, basis)
	steps := ways[state]
	if n, err := strconv.ParseInt(state, 10, 64); err == nil {
		steps, h.dies = ways["released"], n
	}
	calls := 1
	if state == "holding" {
		calls = 50
	}
	for i := range calls {
		take := h.begin("call-"+strconv.Itoa(i), "+12125550142")
		for _, k := range steps {
			h.step(take, k)
			if take.State() == consent.Holding {
				h.spoken(take)
			}
		}
	}
	t.Logf("%d touches", h.touches.Load())
	for _, k := range h.keys.given {
		fmt.Println("key", hex.EncodeToString(k))
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // until killed
}

// die runs the process and kills it; it gives the keys of its calls.
func die(t *testing.T, dir, state string) (keys [][]byte) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$", "-test.v")
	c.Env = append(os.Environ(), killDir+"="+dir, killState+"="+state)
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err := errors.Join(err1, err2, c.Start()); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	said := ""
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if k, ok := strings.CutPrefix(lines.Text(), "key "); ok {
			b, err := hex.DecodeString(k)
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, b)
		}
		said += lines.Text() + "\n"
		if lines.Text() == "ready" {
			_ = c.Process.Signal(syscall.SIGKILL)
		}
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("it was not killed: %v\n%s", err, said)
	}
	return keys
}

// TestKill kills a process with calls in every state. Nothing readable is left of any call but a released one, before and
// after the sweep of the next start.
func TestKill(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "kill -9 in every state of a recording")
	states := []string{}
	for s := range ways {
		states = append(states, s)
	}
	step := 3
	if faulttest.Asked() {
		step = 1
	}
	for n := 1; n <= 26; n += step { // a released call touches 26 times, nine of them in its last step
		states = append(states, strconv.Itoa(n))
	}
	row.Rounds = len(states)
	for _, state := range states {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			keys := die(t, dir, state)
			if found := holds(t, dir, append(keys, speech[:16])...); len(found) > 0 {
				t.Fatalf("on the disk of a killed process: %s", found)
			}
			h := openHouse(t, dir, workspace.Notice)
			left := h.files()
			if _, err := h.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			readable := 0
			for _, name := range left {
				id, ok := ParseID(name)
				if !ok {
					t.Errorf("a file of a name of %d bytes", len(name))
				}
				a, err := h.Book.Open(t.Context(), workspace.Default, id)
				if err == nil {
					readable++
					_ = a.Close()
				}
			}
			rows, err := h.rows(t.Context(), `1 = 1`)
			if err != nil {
				t.Fatal(err)
			}
			told, err := h.stories(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			released := 0
			for _, s := range told {
				if s.kept && s.state == consent.Released.String() {
					released++
				}
			}
			if readable != released || len(rows) != released || len(h.files()) != released {
				t.Errorf("%d readable, %d keys, %d files; %d were released", readable, len(rows), len(h.files()), released)
			}
			if state == "released" && released != 1 || ways[state] != nil && state != "released" && released != 0 {
				t.Errorf("%d calls were released", released)
			}
			if b := h.breaches(); len(b) > 0 {
				t.Errorf("found %s", b)
			}
		})
	}
}

// touch counts how often the clock, chance and the disk were used; the process dies at the time it was told.
func (h *house) touch() {
	if h.dies > 0 && h.touches.Add(1) == h.dies {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it happens
	}
}
