package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"murmur/internal/explain"
	"murmur/internal/journal"
	"murmur/internal/journal/relay"
	"murmur/internal/rpc"
)

// brokers starts a Kafka in memory on a port, 0: any, and gives its address.
func brokers(t *testing.T, port int) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return "kafka://" + c.ListenAddrs()[0]
}

// startAs starts a node.
func startAs(t *testing.T, c Config) house {
	t.Helper()
	n, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	n.Start(t.Context())
	return house{n, t}
}

var countedAt = regexp.MustCompile(`"as_of":"[^"]*"`)

// figures are the exact ones: the noise of the others is of each directory's key.
func (h house) figures() (exact string) {
	h.t.Helper()
	for line := range strings.Lines(h.do("figures", rpc.FiguresArgs{Refresh: true}, "")) {
		if strings.Contains(line, `"noise":0`) {
			exact += countedAt.ReplaceAllString(line, "")
		}
	}
	return exact
}

func (h house) queueStatus() relay.Status {
	h.t.Helper()
	var s rpc.Status
	if err := json.Unmarshal([]byte(h.do("status", nil, "")), &s); err != nil {
		h.t.Fatal(err)
	}
	if s.Queue == nil {
		h.t.Fatal("status does not name the queue")
	}
	return *s.Queue
}

// checked is what doctor says of a part.
func (h house) checked(name string) rpc.Check {
	h.t.Helper()
	d, err := h.doctor(h.t.Context(), rpc.DoctorArgs{})
	if err != nil {
		h.t.Fatal(err)
	}
	i := slices.IndexFunc(d.Checks, func(c rpc.Check) bool { return c.Name == name })
	if i < 0 {
		h.t.Fatalf("doctor does not look at the %s", name)
	}
	return d.Checks[i]
}

// TestFactsGoThroughAQueue: figures are those of one box, also after the directory went back to it, from a backup, and when
// the flag is not said again.
func TestFactsGoThroughAQueue(t *testing.T) {
	t.Parallel()
	plain := open(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, plain.Node)
	plain.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 60))
	want60 := plain.figures()
	if !strings.Contains(want60, `"hidden":""`) {
		t.Fatal("no figure is exact")
	}
	plain.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(60, 90))
	want90 := plain.figures()
	plain.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(90, 120))
	want120 := plain.figures()

	data, address := filepath.Join(t.TempDir(), "data"), brokers(t, 0)
	n := startAs(t, Config{Data: data, Queue: address})
	n.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 60))
	if got := n.figures(); got != want60 {
		t.Errorf("figures differ:\n%s\n%s", want60, got)
	}
	if q := n.queueStatus(); !strings.HasPrefix(q.Address, address+"/murmur-") || q.Here+q.There != 0 || q.Error != "" {
		t.Errorf("status says %+v", q)
	}
	if c := n.checked("queue"); !c.OK {
		t.Errorf("doctor says %+v", c)
	}
	if p, err := n.crowd.Position(t.Context(), 1); err != nil || !strings.HasSuffix(string(p), "/0") {
		t.Errorf("the lake is at %q in the queue, %v", p, err)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(backup, []byte(n.do("backup", nil, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	stop(t, n.Node)

	n = startAs(t, Config{Data: data}) // remembered
	n.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(60, 90))
	if got := n.figures(); got != want90 || n.queueStatus().Address == "" {
		t.Errorf("figures differ:\n%s\n%s", want90, got)
	}
	stop(t, n.Node)
	n = startAs(t, Config{Data: data, Queue: relay.None})
	n.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(90, 120))
	if got := n.figures(); got != want120 {
		t.Errorf("figures differ:\n%s\n%s", want120, got)
	}
	if q, err := n.Node.queueStatus(t.Context()); q != nil || err != nil {
		t.Errorf("status says %v, %v", q, err)
	}
	stop(t, n.Node)

	f, err := os.Open(backup)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	restored := filepath.Join(t.TempDir(), "restored")
	if err := Restore(t.Context(), f, nil, Config{Data: restored}); err != nil {
		t.Fatal(err)
	}
	n = startAs(t, Config{Data: restored})
	defer stop(t, n.Node)
	n.do("import", rpc.ImportArgs{Kind: "native"}, someCalls(60, 90))
	if got := n.figures(); got != want90 {
		t.Errorf("figures of the backup differ:\n%s\n%s", want90, got)
	}
}

// TestServersAreAway: while no server of the queue answers deliveries are taken and processed, doctor says what is wrong, and
// everything arrives when the servers do.
func TestServersAreAway(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	n := startAs(t, Config{Data: filepath.Join(t.TempDir(), "data"), Queue: "kafka://127.0.0.1:" + strconv.Itoa(port)})
	defer stop(t, n.Node)
	if err := n.relay.Ask(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("a server without its queue does not start: %v", err)
	}
	// Whoever waits for the lake is told why it is in vain. The deliveries are decided, their facts wait.
	err := n.Do(t.Context(), "import", rpc.ImportArgs{Kind: "native"}, strings.NewReader(someCalls(0, 30)), io.Discard)
	if !errors.Is(err, journal.ErrAway) || explain.Of(err).Hint == "" {
		t.Errorf("import: %v, want ErrAway", err)
	}
	if q := n.queueStatus(); q.Here == 0 {
		t.Errorf("status says %+v", q)
	}
	if c := n.counts(); c.Published != 30 {
		t.Errorf("%d are published", c.Published)
	}
	if c := n.checked("queue"); c.OK || !strings.Contains(c.Said, "does not answer") {
		t.Errorf("doctor says %+v", c)
	}
	if b, err := n.journal.Backlog(t.Context()); err != nil || b.Facts < 2 {
		t.Errorf("the backlog is %+v, %v", b, err)
	}
	brokers(t, port)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for n.Drain(ctx) != nil && ctx.Err() == nil { // until the pipeline has tried again
		<-time.After(10 * time.Millisecond)
	}
	if !strings.Contains(n.figures(), `"measure":"calls"`) || n.queueStatus().There != 0 {
		t.Error("the facts did not arrive")
	}
}

// freePort is a port that nobody listened on a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
