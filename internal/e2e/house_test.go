package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"murmur/internal/cli"
	"murmur/internal/rpc"
	"murmur/internal/server"
)

// childArgs makes this test binary the command itself: a server that can be killed without building it twice.
const childArgs = "MURMUR_E2E_CHILD"

func TestMain(m *testing.M) {
	if args := os.Getenv(childArgs); args != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		out := plant(os.Getenv(plantedMistake), os.Stdout)
		code := cli.Run(ctx, strings.Split(args, "\n"), cli.IO{In: os.Stdin, Out: out, Err: os.Stderr})
		stop()
		os.Exit(code)
	}
	if os.Getenv(bareServer) != "" {
		serveBare()
	}
	os.Exit(m.Run())
}

// recorder keeps what a server prints and says when its first line is whole.
type recorder struct {
	mu    sync.Mutex
	all   bytes.Buffer
	first chan string // the first line, once
}

func newRecorder() *recorder { return &recorder{first: make(chan string, 1)} }

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	had := bytes.IndexByte(r.all.Bytes(), '\n') >= 0
	r.all.Write(p)
	if i := bytes.IndexByte(r.all.Bytes(), '\n'); !had && i >= 0 {
		r.first <- string(r.all.Bytes()[:i])
	}
	return len(p), nil
}

func (r *recorder) Bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.all.Bytes())
}

// house is a running server and whoever speaks to it.
type house struct {
	t        testing.TB
	data     string
	base     string // http://HOST:PORT
	out, log *recorder
	control  rpc.Control

	end  func()          // asks it to stop
	done <-chan struct{} // it has stopped
	err  func() error    // how it ended

	process *os.Process  // of a child
	node    *server.Node // of a server in this process
	ready   chan *server.Node
}

// newData is a path for a data directory, short enough for a socket.
func newData(t testing.TB) string {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "data")
}

// open runs a server in this process, whose operator allows these APIs. It is stopped at the end of the test.
func open(t testing.TB, data string, apis ...string) *house {
	t.Helper()
	return openAt(t, data, time.Now, apis...)
}

// openAt is open with a clock.
func openAt(t testing.TB, data string, now func() time.Time, apis ...string) *house {
	t.Helper()
	var allowed []string
	for _, a := range apis {
		allowed = append(allowed, strings.TrimPrefix(a, "http://"))
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &house{t: t, data: data, out: newRecorder(), log: newRecorder(), end: cancel, ready: make(chan *server.Node, 1)}
	done := make(chan struct{})
	var err error
	h.done, h.err = done, func() error { return err }
	go func() {
		defer close(done)
		err = server.Serve(ctx, server.ServeConfig{Data: data, Listen: "127.0.0.1:0", Out: h.out, Err: h.log, Now: now, AllowHosts: allowed,
			Ready: func(_ context.Context, _ string, n *server.Node) (bool, error) { h.ready <- n; return false, nil }})
	}()
	h.await()
	h.node = <-h.ready
	return h
}

// spawn runs `murmur serve` as a process of its own, with more flags.
func spawn(t testing.TB, data string, more ...string) *house {
	t.Helper()
	return spawnWith(t, honest, data, more...)
}

// spawnWith is spawn with a mistake in the house.
func spawnWith(t testing.TB, mistake, data string, more ...string) *house {
	t.Helper()
	return spawnCommand(t, serveCommand(mistake, data, more...), data)
}

// serveCommand is `murmur serve`: this test binary, which then is the command itself. It can be started under another
// program.
func serveCommand(mistake, data string, more ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), plantedMistake+"="+mistake,
		childArgs+"="+strings.Join(append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0"}, more...), "\n"))
	return cmd
}

func spawnCommand(t testing.TB, cmd *exec.Cmd, data string) *house {
	t.Helper()
	h := startCommand(t, cmd, data)
	h.await()
	return h
}

// startCommand starts a house and does not wait for it.
func startCommand(t testing.TB, cmd *exec.Cmd, data string) *house {
	t.Helper()
	h := &house{t: t, data: data, out: newRecorder(), log: newRecorder()}
	cmd.Stdout, cmd.Stderr = h.out, h.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h.process = cmd.Process
	h.end = func() { _ = h.process.Signal(syscall.SIGTERM) }
	done := make(chan struct{})
	var err error
	h.done, h.err = done, func() error { return err }
	go func() { err = cmd.Wait(); close(done) }()
	return h
}

// await waits until the server listens; it must.
func (h *house) await() {
	h.t.Helper()
	if err := h.listens(); err != nil {
		h.t.Fatalf("%v\n%s", err, h.log.Bytes())
	}
}

// listens waits for the first line of the output, which says where the server listens, and attaches to it.
func (h *house) listens() (err error) {
	h.t.Cleanup(func() {
		h.stop()
		if log := h.log.Bytes(); h.t.Failed() {
			h.t.Logf("the last of the server's log:\n%s", log[max(0, len(log)-4096):])
		}
	})
	select {
	case line := <-h.out.first:
		base, ok := strings.CutPrefix(line, "listening on http://127.0.0.1:")
		if !ok {
			return fmt.Errorf("the first line is %q", line)
		}
		h.base = "http://127.0.0.1:" + base
	case <-h.done:
		return fmt.Errorf("the server ended before it listened: %w", h.err())
	case <-time.After(time.Minute):
		return errors.New("the server does not listen")
	}
	if h.control, err = server.Attach(context.Background(), h.data); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	return nil
}

// stop asks the server to stop and waits.
func (h *house) stop() error {
	if h.control != nil {
		_ = h.control.Close()
	}
	h.end()
	<-h.done
	return h.err()
}

// stopWell stops the house, which must end well.
func (h *house) stopWell() {
	h.t.Helper()
	if err := h.stop(); err != nil {
		h.t.Errorf("stop: %v\n%s", err, h.log.Bytes())
	}
}

// kill ends a child at once, as kill -9 does.
func (h *house) kill() {
	_ = h.control.Close()
	_ = h.process.Kill()
	<-h.done
}

// do carries out a verb over the control socket and fails the test when it fails.
func (h *house) do(verb string, args any, answer any) {
	h.t.Helper()
	if err := h.try(verb, args, nil, answer); err != nil {
		h.t.Fatalf("%s: %v", verb, err)
	}
}

func (h *house) try(verb string, args any, in io.Reader, answer any) error {
	var b bytes.Buffer
	if err := h.control.Do(context.Background(), verb, args, in, &b); err != nil {
		return err
	}
	if answer == nil {
		return nil
	}
	if raw, ok := answer.(*[]byte); ok {
		*raw = b.Bytes()
		return nil
	}
	return json.Unmarshal(b.Bytes(), answer)
}

// connect adds a source.
func (h *house) connect(kind string) rpc.Connected {
	h.t.Helper()
	var c rpc.Connected
	h.do("connect", rpc.ConnectArgs{Kind: kind, Name: kind}, &c)
	return c
}

func (h *house) policy(pairs ...string) {
	h.t.Helper()
	a := rpc.PolicyArgs{Reason: "a test", Author: "e2e"}
	for i := 0; i < len(pairs); i += 2 {
		a.Set = append(a.Set, rpc.KeyValue{Key: pairs[i], Value: pairs[i+1]})
	}
	h.do("policy", a, nil)
}

func (h *house) importFile(kind string, in io.Reader) rpc.Imported {
	h.t.Helper()
	return h.importInto("", kind, in)
}

// importInto imports a file of a connection; "": of none in particular.
func (h *house) importInto(source, kind string, in io.Reader) rpc.Imported {
	h.t.Helper()
	var got rpc.Imported
	if err := h.try("import", rpc.ImportArgs{Kind: kind, Source: source}, in, &got); err != nil {
		h.t.Fatalf("import %s: %v", kind, err)
	}
	return got
}

// figures computes what is due and gives every figure as it is printed.
func (h *house) figures() []byte {
	h.t.Helper()
	var b []byte
	h.do("figures", rpc.FiguresArgs{Refresh: true}, &b)
	return b
}

// drain waits until everything accepted has its state and its facts are in the lake.
func (h *house) drain() {
	h.t.Helper()
	if h.node == nil {
		h.figures()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := h.node.Drain(ctx); err != nil {
		h.t.Fatalf("drain: %v", err)
	}
}

// erased waits until every erasure that was promised is carried out, five minutes at most.
func (h *house) erased() {
	h.t.Helper()
	for began := time.Now(); ; <-time.After(20 * time.Millisecond) {
		var s rpc.Status
		h.do("status", rpc.WorkspaceArgs{}, &s)
		if len(s.Erasing) == 0 {
			return
		}
		if time.Since(began) > 5*time.Minute {
			h.t.Fatalf("after five minutes these wait: %v\n%s", s.Erasing, h.log.Bytes())
		}
	}
}

// counts are those of the default workspace, checked to be whole: every delivery has one state.
func (h *house) counts() rpc.Counts {
	h.t.Helper()
	var s rpc.Status
	h.do("status", rpc.WorkspaceArgs{}, &s)
	c := s.Workspaces["default"].Counts
	if sum := c.Pending + c.Held + c.Published + c.Duplicate + c.Ignored + c.Refused + c.Quarantined + c.Erased; sum != c.In {
		h.t.Errorf("%d deliveries are in, %d have a state: %+v", c.In, sum, c)
	}
	return c
}

var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 32, DisableCompression: true}}

// answer is what a request came to.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes a request; a nil header is none. It gives an error when there was no answer.
func (h *house) send(method, path string, body []byte, header http.Header) (answer, error) {
	req, err := http.NewRequest(method, h.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	maps.Copy(req.Header, header)
	if req.Header["Content-Type"] == nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, b}, err
}

// post sends a delivery and expects a status.
func (h *house) post(path string, body []byte, header http.Header, want int) answer {
	h.t.Helper()
	a, err := h.send(http.MethodPost, path, body, header)
	if err != nil {
		h.t.Fatalf("post: %v", err)
	}
	if a.status != want {
		h.t.Errorf("answered %d, want %d: %s", a.status, want, a.body)
	}
	return a
}

func (h *house) get(path string) answer {
	h.t.Helper()
	a, err := h.send(http.MethodGet, path, nil, nil)
	if err != nil {
		h.t.Fatalf("get %s: %v", path, err)
	}
	return a
}

// skip says aloud what is not tested.
func skip(t *testing.T, what, why string) {
	t.Helper()
	t.Skipf("NOT TESTED: %s (%s)", what, strings.TrimSpace(why))
}

// problemOf is the server's own error behind an error, nil for another.
func problemOf(err error) *rpc.Problem {
	if p, ok := errors.AsType[*rpc.Problem](err); ok {
		return p
	}
	return nil
}

func line(format string, args ...any) []byte { return fmt.Appendf(nil, format, args...) }
