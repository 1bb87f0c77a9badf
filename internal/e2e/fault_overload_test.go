package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
)

// wire is one connection of a vendor, with as little client as possible: it shares the cores with the server.
type wire struct {
	address, source string // where to, and from which address of this machine
	path, secret    string
	conn            net.Conn
	in              *bufio.Reader
}

// post sends one native call and gives the status; 0 when there was no answer.
func (w *wire) post(id string) (status int, after string) {
	if w.conn == nil {
		d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(w.source)}}
		c, err := d.Dial("tcp", w.address)
		if err != nil {
			return 0, ""
		}
		w.conn, w.in = c, bufio.NewReader(c)
	}
	body := line(`{"delivery_id":%q,"schema":"murmur.v1","type":"call","source_id":%q,"occurred_at":"2026-03-02T15:00:00Z","direction":"in","number":"PNmain","outcome":"answered","party":{"phone":"+12125550142"}}`, id, id)
	_ = w.conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(w.conn, "POST %s HTTP/1.1\r\nHost: murmur\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", w.path, w.secret, len(body), body)
	res, err := http.ReadResponse(w.in, nil)
	if err == nil {
		_, err = io.Copy(io.Discard, res.Body)
	}
	if err != nil || res.Close {
		_ = w.conn.Close()
		w.conn = nil
	}
	if err != nil {
		return 0, ""
	}
	return res.StatusCode, res.Header.Get("Retry-After")
}

func (h *house) wire(source string, c rpc.Connected) *wire {
	return &wire{address: strings.TrimPrefix(h.base, "http://"), source: source, path: c.Path, secret: c.Secret}
}

// crowdOf is one workspace's vendors, and what they were answered.
type crowdOf struct {
	name                 string
	acked                sync.Map // by id
	ok, refused, nothing atomic.Int64
	bad                  atomic.Int64 // a status that it must not be, or no Retry-After
	mu                   sync.Mutex
	took                 []time.Duration // of the acknowledged
}

func (c *crowdOf) one(w *wire, n int64, due time.Time) {
	id := c.name + strconv.FormatInt(n, 10)
	status, after := w.post(id)
	switch {
	case status == http.StatusOK:
		c.ok.Add(1)
		c.acked.Store(id, true)
		c.mu.Lock()
		c.took = append(c.took, time.Since(due))
		c.mu.Unlock()
	case status == 0:
		c.nothing.Add(1)
	case (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && after != "":
		c.refused.Add(1)
	default:
		c.bad.Add(1)
	}
}

// open sends at a rate, whatever is answered, over so many connections; what is due while none is free waits at the
// vendor.
func (c *crowdOf) open(h *house, s rpc.Connected, source string, connections int, rate float64, stop <-chan struct{}) (offered int64) {
	type due struct {
		n  int64
		at time.Time
	}
	todo := make(chan due, 1<<20)
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			for w := h.wire(source, s); ; {
				select {
				case <-stop:
					return
				case d := <-todo:
					c.one(w, d.n, d.at)
				}
			}
		})
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-stop:
			all.Wait()
			return offered
		case <-tick.C:
		}
		for want := int64(rate * time.Since(began).Seconds()); offered < want && len(todo) < cap(todo); offered++ {
			todo <- due{offered, time.Now()}
		}
	}
}

// closed sends one after another over so many connections for a time: what the house can do.
func (c *crowdOf) closed(h *house, s rpc.Connected, connections int, d time.Duration) (perSecond float64) {
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range connections {
		all.Go(func() {
			for w := h.wire("127.0.0.2", s); time.Since(began) < d; {
				c.one(w, next.Add(1), time.Now())
			}
		})
	}
	all.Wait()
	return float64(c.ok.Load()) / time.Since(began).Seconds()
}

// cpu is what a process has used of processors, in seconds (proc(5), fields 14 and 15).
func cpu(t testing.TB, pid int) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
	user, err1 := strconv.ParseFloat(f[11], 64)
	system, err2 := strconv.ParseFloat(f[12], 64)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return (user + system) / 100
}

func (h *house) connectIn(workspace string) (c rpc.Connected) {
	h.t.Helper()
	h.do("connect", rpc.ConnectArgs{Workspace: workspace, Kind: "native"}, &c)
	return c
}

// TestOverload: ten times what the house can store comes in, without waiting for answers, and in the middle of it the
// server is told to stop. What was answered 200 is there, everything else was told when to come again, another
// workspace gets through, and the server is gone within ten seconds. The house stores for a second of processor time at
// least 80 % of what it stores in peace.
func TestOverload(t *testing.T) {
	if !faulttest.Asked() {
		t.Skip("MURMUR_FAULTS asks for it: it takes a minute of all processors")
	}
	row := faulttest.Begin(t, "ten times the load, SIGTERM in the middle")
	lasts := time.Duration(faulttest.Rounds(0, 60, 300)) * time.Second
	data := newData(t)
	h := spawn(t, data)
	loud, quiet := h.connectIn("loud"), h.connectIn("quiet")
	peace := &crowdOf{name: "peace"}
	used := cpu(t, h.process.Pid)
	rate := peace.closed(h, loud, 64, 5*time.Second)
	inPeace := float64(peace.ok.Load()) / (cpu(t, h.process.Pid) - used)

	many, few := &crowdOf{name: "many"}, &crowdOf{name: "few"}
	stop := make(chan struct{})
	var both sync.WaitGroup
	var offered int64
	used = cpu(t, h.process.Pid)
	both.Go(func() { offered = many.open(h, loud, "127.0.0.2", 900, 10*rate, stop) })
	both.Go(func() { few.open(h, quiet, "127.0.0.3", 8, 20, stop) })
	<-time.After(lasts)
	stored, took := many.ok.Load()+few.ok.Load(), cpu(t, h.process.Pid)-used
	answered := few.ok.Load()
	if no := few.refused.Load() + few.nothing.Load(); no > 0 || float64(answered) < 0.9*20*lasts.Seconds() {
		t.Errorf("the quiet workspace: %d stored of 20 a second, %d not", answered, no)
	}
	told := time.Now()
	h.end()
	<-h.done
	gone := time.Since(told)
	close(stop)
	both.Wait()
	if err := h.err(); err != nil || gone > 10*time.Second {
		t.Errorf("told to stop, it ended after %s: %v\n%s", gone, err, h.log.Bytes())
	}
	if many.bad.Load()+few.bad.Load() > 0 {
		t.Errorf("%d answers are neither 200 nor 429 or 503 with Retry-After", many.bad.Load()+few.bad.Load())
	}
	goodput := float64(stored) / took / inPeace
	if goodput < 0.8 {
		t.Errorf("a second of processor time stores %.0f %% of what it does in peace", 100*goodput)
	}
	row.Rounds = 1
	row.Note = fmt.Sprintf("%.0f/s in peace, %d offered in %s, %d stored, %d told to come again, goodput %.0f %% a CPU second, the quiet workspace p99 %s of %d, stopped in %.1f s",
		rate, offered, lasts, stored, many.refused.Load(), 100*goodput, few.p99(), answered, gone.Seconds())
	h = spawn(t, data)
	for _, c := range []struct {
		*crowdOf
		to rpc.Connected
	}{{peace, loud}, {many, loud}, {few, quiet}} {
		lost, acked := c.lost(h, c.to)
		row.Lost += lost
		row.Acknowledged += acked
	}
	h.stopWell()
}

func (c *crowdOf) p99() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.took) == 0 {
		return 0
	}
	slices.Sort(c.took)
	return c.took[len(c.took)*99/100].Round(time.Millisecond)
}

// lost asks for every acknowledged delivery once more, at most 20,000 of them, evenly: each must be known.
func (c *crowdOf) lost(h *house, to rpc.Connected) (lost, acked int64) {
	h.t.Helper()
	var ids []string
	c.acked.Range(func(id, _ any) bool { ids = append(ids, id.(string)); return true })
	every := 1 + len(ids)/20_000
	var batch bytes.Buffer
	flush := func() {
		if batch.Len() == 0 {
			return
		}
		var said struct{ New int64 }
		a := h.post(to.Path, batch.Bytes(), bearer(to.Secret), 200)
		if err := json.Unmarshal(a.body, &said); err != nil {
			h.t.Fatal(err)
		}
		lost += said.New
		batch.Reset()
	}
	for i, id := range ids {
		if i%every > 0 {
			continue
		}
		acked++
		batch.Write(line(`{"delivery_id":%q,"schema":"murmur.v1","type":"call","source_id":%q,"occurred_at":"2026-03-02T15:00:00Z","direction":"in","number":"PNmain","outcome":"answered","party":{"phone":"+12125550142"}}`+"\n", id, id))
		if acked%1000 == 0 {
			flush()
		}
	}
	flush()
	return lost, acked
}
