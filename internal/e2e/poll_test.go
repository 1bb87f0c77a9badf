package e2e

import (
	"bufio"
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
)

// fakeQuo builds the fake of Quo's API once; it is a program of its own, as the vendor is.
var fakeQuo = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "fakequo")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "fakequo")
	out, err := exec.Command("go", "build", "-o", name, "murmur/internal/private/internal/source/sourcetest/fakequo").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return name, nil
})

// startQuo runs the fake with the town's business and gives the address of its API.
func startQuo(t *testing.T, contacts int, args ...string) string {
	t.Helper()
	name, err := fakeQuo()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"--seed", "11", "--start", "2026-02-23", "--zone", zoneName, "--days", "28", "--contacts", strconv.Itoa(contacts)}, args...)
	cmd := exec.Command(name, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: an error is expected
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the fake does not start: %v", err)
	}
	return strings.Fields(line)[2]
}

const quoKey = "synthetic-quo-key"

// tryConnect connects Quo by its API.
func (h *house) tryConnect(base, key string) (c rpc.Connected, err error) {
	h.t.Helper()
	err = h.try("connect", rpc.ConnectArgs{Kind: "quo", Name: "quo", APIKey: key, APIBase: base}, nil, &c)
	return c, err
}

// polling waits until the source is as asked.
func (h *house) polling(until func(rpc.Polling) bool) rpc.Polling {
	h.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var list []rpc.Listed
	for {
		h.do("connect-list", rpc.WorkspaceArgs{}, &list)
		for _, l := range list {
			if l.Polling != nil && until(*l.Polling) {
				return *l.Polling
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			h.t.Fatalf("the source does not get there: %+v", list)
		}
	}
}

func caughtUp(p rpc.Polling) bool { return p.State == "live" && p.Lag >= 0 }

// TestWebhooksAndPollingAreOneBusiness: the same weeks by webhook alone, and by webhook, API and file of one connection
// together, in any order, give the same bytes.
func TestWebhooksAndPollingAreOneBusiness(t *testing.T) {
	t.Parallel()
	b, truth := town(t, 150)
	plain := open(t, newData(t))
	plain.townPolicy()
	plain.sendAll(plain.hooks(b, truth.days))
	want := plain.figures()

	mixed := open(t, newData(t))
	mixed.townPolicy()
	random := rand.New(rand.NewPCG(6, 2))
	var c rpc.Connected
	mixed.do("connect", rpc.ConnectArgs{Kind: "quo", Name: "quo", APIKey: quoKey, APIBase: startQuo(t, 150, "--every", "9", "--faults", "429,502,cut page,reorder,repeated item over a page edge")}, &c)
	hooks := mixed.hooksOf(c, b, truth.days)
	random.Shuffle(len(hooks), func(i, j int) { hooks[i], hooks[j] = hooks[j], hooks[i] })
	mixed.sendAll(hooks[:len(hooks)/2])
	mixed.polling(caughtUp)
	mixed.importTwice(b, truth.days, random)
	mixed.sendAll(hooks[len(hooks)/2:])
	got := mixed.figures()
	if c := mixed.counts(); c.Quarantined+c.Held+c.Refused+c.Pending > 0 {
		t.Errorf("states: %+v", c)
	}
	sameFigures(t, want, got)
}

// TestKilledWhilePolling: a server that is killed at any moment of a history goes on from there; nothing is lost and
// nothing counts twice.
func TestKilledWhilePolling(t *testing.T) {
	t.Parallel()
	base := startQuo(t, 150, "--every", "15", "--faults", "429 with Retry-After,502,slow,expired cursor")
	calm := open(t, newData(t))
	calm.townPolicy()
	if _, err := calm.tryConnect(base, quoKey); err != nil {
		t.Fatal(err)
	}
	calm.polling(caughtUp)
	want, all := calm.figures(), calm.counts()

	data, random := newData(t), rand.New(rand.NewPCG(6, 3))
	h := spawn(t, data)
	h.townPolicy()
	if _, err := h.tryConnect(base, quoKey); err != nil {
		t.Fatal(err)
	}
	n := faulttest.Rounds(3, 8, 20)
	for range n {
		<-time.After(time.Duration(200+random.IntN(1500)) * time.Millisecond)
		h.kill()
		h = spawn(t, data)
	}
	h.polling(caughtUp)
	got := h.figures()
	if c := h.counts(); c.Published != all.Published || c.Pending+c.Held+c.Quarantined > 0 {
		t.Errorf("%d objects are published, want %d: %+v", c.Published, all.Published, c)
	}
	sameFigures(t, want, got)
	t.Logf("killed %d times: %d objects", n, all.Published)
}

// TestAVendorInTrouble: each way in which an API fails has a state in words, at once or in the middle of the history.
func TestAVendorInTrouble(t *testing.T) {
	t.Parallel()
	h := open(t, newData(t))
	base := startQuo(t, 150)
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>log in</html>")) }))
	t.Cleanup(html.Close)
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, base, http.StatusFound) }))
	t.Cleanup(away.Close)
	huge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for chunk := bytes.Repeat([]byte(" "), 1<<20); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	t.Cleanup(huge.Close)
	for name, c := range map[string]struct{ base, key, said string }{
		"wrong key": {base, "another key", "does not accept the API key"},
		"HTML":      {html.URL, quoKey, "web page"},
		"redirect":  {away.URL, quoKey, "another host"},
		"huge":      {huge.URL, quoKey, "larger than 8 MiB"},
	} {
		_, err := h.tryConnect(c.base, c.key)
		p := problemOf(err)
		if p == nil || !strings.Contains(p.Message, c.said) || p.Hint == "" || strings.Contains(p.Message+p.Hint, c.key) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var list []rpc.Listed
	if h.do("connect-list", rpc.WorkspaceArgs{}, &list); len(list) != 0 {
		t.Errorf("%d sources were connected", len(list))
	}
	if _, err := h.tryConnect(startQuo(t, 400, "--every", "24", "--faults", "revoked key"), quoKey); err != nil {
		t.Fatal(err)
	}
	p := h.polling(func(p rpc.Polling) bool { return p.Trouble != "" })
	if p.State != "stopped" || p.Trouble != "key" || p.Items == 0 || !strings.Contains(p.Hint, "rotate") {
		t.Errorf("revoked in the middle: %+v", p)
	}
	h.do("connect-pause", rpc.SourceArgs{Name: "quo"}, nil)
	if p := h.polling(func(rpc.Polling) bool { return true }); p.State != "paused" {
		t.Errorf("paused: %+v", p)
	}
	metrics := string(h.send2(http.MethodGet, "/metrics", h.token()).body)
	if !strings.Contains(metrics, `murmur_poll_trouble{source="quo",why="key",workspace="default"} 1`) {
		t.Error("no metric of the trouble")
	}
	if strings.Contains(metrics+string(h.log.Bytes()), quoKey) {
		t.Error("the key is in a metric or the log")
	}
}
