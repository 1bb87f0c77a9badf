package admission

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// door is an HTTP server behind a limit: / answers at once, /wait when told.
func door(t *testing.T, total int) (address string, places *Connections, refused *atomic.Int64, goOn chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused, goOn = new(atomic.Int64), make(chan struct{})
	places = Limit(l, total, refused)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	mux.HandleFunc("/wait", func(http.ResponseWriter, *http.Request) { <-goOn })
	s := &http.Server{Handler: Answering(mux), ConnContext: Remember, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(places) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String(), places, refused, goOn
}

// from connects from an address of this machine and sends something.
func from(t *testing.T, address, source, say string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Skipf("NOT TESTED: connections from several addresses (%v)", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, say); err != nil {
		t.Fatal(err)
	}
	return c
}

const plain = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

func status(t *testing.T, c net.Conn) int {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// until waits for a state of the connections.
func (c *Connections) until(so func() bool) {
	for {
		c.mu.Lock()
		done := so()
		c.mu.Unlock()
		if done {
			return
		}
		runtime.Gosched()
	}
}

// TestTheSlowGiveWay: whoever keeps a connection without a request loses it to a newcomer; whoever is being answered
// keeps it, and when all are, the newcomer is told 503.
func TestTheSlowGiveWay(t *testing.T) {
	t.Parallel()
	address, places, refused, goOn := door(t, 4)
	slow := []net.Conn{from(t, address, "127.0.0.2", "GET / HT"), from(t, address, "127.0.0.2", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"),
		from(t, address, "127.0.0.3", ""), from(t, address, "127.0.0.3", "")}
	for i := range 4 {
		c := from(t, address, "127.0.0.4", plain)
		if got := status(t, c); got != http.StatusOK {
			t.Fatalf("newcomer %d was answered %d", i, got)
		}
		_ = c.Close()
	}
	if _, err := slow[0].Read(make([]byte, 1)); err == nil {
		t.Error("the slowest was not closed")
	}
	if refused.Load() == 0 {
		t.Error("nobody is counted as refused")
	}
	for _, c := range slow {
		_ = c.Close()
	}
	places.until(func() bool { return places.open == 0 })
	var busy []net.Conn
	for _, source := range []string{"127.0.0.5", "127.0.0.5", "127.0.0.6", "127.0.0.6"} {
		busy = append(busy, from(t, address, source, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"))
	}
	places.until(func() bool { return places.open == 4 && places.waiting.Len() == 0 })
	res, err := http.ReadResponse(bufio.NewReader(from(t, address, "127.0.0.7", plain)), nil)
	if err != nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("a newcomer to a full house: %v %v", res, err)
	} else {
		_ = res.Body.Close()
	}
	close(goOn)
	for _, c := range busy {
		if got := status(t, c); got != http.StatusOK {
			t.Errorf("one that was being answered got %d", got)
		}
	}
}

// TestOneAddressHasHalf: the connections of one address give way to each other, not those of others.
func TestOneAddressHasHalf(t *testing.T) {
	t.Parallel()
	address, places, _, _ := door(t, 8)
	calm := from(t, address, "127.0.0.3", plain)
	in := bufio.NewReader(calm)
	read := func() {
		t.Helper()
		res, err := http.ReadResponse(in, nil)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("the calm one: %v", err)
		}
		_ = res.Body.Close()
	}
	read()
	for range 50 {
		last := from(t, address, "127.0.0.2", plain)
		if got := status(t, last); got != http.StatusOK {
			t.Fatalf("answered %d", got)
		}
	}
	places.mu.Lock()
	open := places.open
	places.mu.Unlock()
	if open > 5 {
		t.Errorf("%d connections are open, of which one address has more than half of 8", open)
	}
	if _, err := io.WriteString(calm, plain); err != nil {
		t.Fatal(err)
	}
	read()
}

// TestDrainClosesWhoWaits: who has no request under way is closed at once.
func TestDrainClosesWhoWaits(t *testing.T) {
	t.Parallel()
	address, places, _, goOn := door(t, 8)
	idle, busy := from(t, address, "127.0.0.1", plain), from(t, address, "127.0.0.1", "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	if status(t, idle) != http.StatusOK {
		t.Fatal("not answered")
	}
	places.until(func() bool { return places.open == 2 && places.waiting.Len() == 1 })
	places.Drain()
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Error("the idle one is still open")
	}
	close(goOn)
	if got := status(t, busy); got != http.StatusOK {
		t.Errorf("the one under way was answered %d", got)
	}
}
