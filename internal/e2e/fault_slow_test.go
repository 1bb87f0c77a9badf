package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
)

// fewFiles is how many descriptors the server under attack may have.
const fewFiles = 256

// TestSlowConnectionsFault: three thousand connections of many addresses that say nothing, half a header or half a body
// do not keep a vendor out, nor the operator, from a server that has 256 descriptors.
func TestSlowConnectionsFault(t *testing.T) {
	row := faulttest.Begin(t, fmt.Sprintf("3,000 slow connections at %d descriptors", fewFiles))
	n := faulttest.Rounds(600, 3000, 3000)
	data := newData(t)
	h := spawnCommand(t, withFiles(serveCommand(honest, data)), data)
	s := h.connect("native")
	ctx, cancel := context.WithCancel(context.Background())
	attack := slow(ctx, strings.TrimPrefix(h.base, "http://"), s.Path, n)
	row.Rounds = n
	good := &crowdOf{name: "good"}
	w := h.wire("127.0.0.1", s)
	tries := int64(0)
	for ; good.ok.Load() < 200 && tries < 2000; tries++ {
		good.one(w, tries, time.Now())
	}
	var status rpc.Status
	h.do("status", rpc.WorkspaceArgs{}, &status) // the operator's socket
	if good.ok.Load() < 200 || good.bad.Load() > 0 {
		t.Errorf("%d of %d were stored, %d answers are wrong", good.ok.Load(), tries, good.bad.Load())
	}
	row.Note = fmt.Sprintf("200 stored in %d tries", tries)
	cancel()
	attack.Wait()
	row.Lost, row.Acknowledged = good.lost(h, s)
	h.stopWell()
	if faulttest.Asked() {
		row.Planted(starved(t, n))
	}
}

// withFiles limits the descriptors of a command.
func withFiles(cmd *exec.Cmd) *exec.Cmd {
	limited := exec.Command("sh", "-c", fmt.Sprintf("ulimit -n %d && exec \"$0\"", fewFiles), cmd.Path)
	limited.Env = cmd.Env
	return limited
}

// slow keeps n connections open to a server, each dialled again as soon as it is closed, until ctx ends. It returns when
// each was dialled once.
func slow(ctx context.Context, address, path string, n int) *sync.WaitGroup {
	var all, first sync.WaitGroup
	first.Add(n)
	for i := range n {
		say := []string{"", "POST " + path + " HTTP/1.1\r\nHost: mur",
			"POST " + path + " HTTP/1.1\r\nHost: murmur\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"}[i%3]
		all.Go(func() {
			once := sync.OnceFunc(first.Done)
			for ctx.Err() == nil {
				hold(ctx, address, fmt.Sprintf("127.0.%d.%d", 1+i%20, 1+i%200), say, once)
				select { // a flood that fills the processors is another test
				case <-ctx.Done():
				case <-time.After(500 * time.Millisecond):
				}
			}
			once()
		})
	}
	first.Wait()
	return &all
}

// hold opens one connection, says a little and waits for its end.
func hold(ctx context.Context, address, source, say string, dialled func()) {
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	c, err := d.DialContext(ctx, "tcp", address)
	dialled()
	if err != nil {
		return
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	_, _ = io.WriteString(c, say)
	_, _ = io.Copy(io.Discard, c)
}

// starved reports whether the same attack keeps a vendor out of a server without limits: the attack is one.
func starved(t *testing.T, n int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), bareServer+"=1")
	h := &house{t: t, out: newRecorder(), log: newRecorder()}
	limited := withFiles(cmd)
	limited.Stdout = h.out
	if err := limited.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = limited.Process.Kill(); _ = limited.Wait() }()
	h.base = <-h.out.first
	ctx, cancel := context.WithCancel(context.Background())
	attack := slow(ctx, strings.TrimPrefix(h.base, "http://"), "/", n)
	defer attack.Wait()
	defer cancel()
	c := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for range 5 {
		res, err := c.Post(h.base, "application/json", strings.NewReader("{}"))
		if err != nil {
			return true
		}
		_ = res.Body.Close()
	}
	return false
}

// bareServer makes this process a server as the standard library makes it: time-outs, no limit of connections.
const bareServer = "MURMUR_E2E_BARE"

func serveBare() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("http://%s\n", l.Addr())
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })}
	_ = s.Serve(l)
}
