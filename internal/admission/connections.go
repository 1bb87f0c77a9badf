package admission

import (
	"container/list"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// spareFiles is how many descriptors are kept for everything but vendors' connections: databases, the lake's files
	// and the operator's socket.
	spareFiles = 128
	// mostConnections bounds the memory of connections that say nothing, about 20 KiB each.
	mostConnections = 2048
	// lingering is how many refused connections may wait for their client to read the answer.
	lingering = 16
)

// MostConnections is how many public connections this process can carry: what its descriptors leave.
func MostConnections() int {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return mostConnections / 2
	}
	files := int(min(r.Cur, mostConnections+spareFiles)) //nolint:gosec // bounded by the constants
	return max(16, files-spareFiles)
}

// Connections is a listener that never has more connections open than the process can carry, nor more than half of
// them from one address. When one more comes, the one that has waited longest gives way: idle between two requests, or
// slow to send its own. Only when all of them are being answered the newcomer is told 503.
type Connections struct {
	net.Listener
	total, each int
	refused     *atomic.Int64 // told 503, or closed because a newcomer needed the place
	linger      chan struct{}

	mu      sync.Mutex
	closing bool
	waiting *list.List // of *connection: the one that waits longest first
	open    int
	from    map[netip.Addr]int
}

// connection is one of them.
type connection struct {
	net.Conn
	owner *Connections
	from  netip.Addr

	// Of owner.mu.
	place  *list.Element // in waiting; nil while a request is being answered
	closed bool
}

// Limit bounds a listener to so many connections; refused counts those that found no place.
func Limit(l net.Listener, total int, refused *atomic.Int64) *Connections {
	return &Connections{Listener: l, total: total, each: max(1, total/2), refused: refused, linger: make(chan struct{}, lingering), waiting: list.New(), from: map[netip.Addr]int{}}
}

// Accept implements net.Listener.
func (c *Connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if k := c.admit(conn); k != nil {
			return k, nil
		}
		c.refuse(conn)
	}
}

// admit makes room for a connection; nil when there is none.
func (c *Connections) admit(conn net.Conn) *connection {
	k := &connection{Conn: conn, owner: c}
	if a, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		k.from = a.Addr().Unmap()
	}
	c.mu.Lock()
	var gone *connection
	if c.from[k.from] >= c.each {
		gone = c.longest(func(o *connection) bool { return o.from == k.from })
	} else if c.open >= c.total {
		gone = c.longest(func(*connection) bool { return true })
	}
	full := gone == nil && (c.open >= c.total || c.from[k.from] >= c.each)
	if gone != nil {
		c.remove(gone)
	}
	if !full && !c.closing {
		c.open++
		c.from[k.from]++
		k.place = c.waiting.PushBack(k)
	}
	closing := c.closing
	c.mu.Unlock()
	if gone != nil {
		c.refused.Add(1)
		_ = gone.Conn.Close()
	}
	if full || closing {
		return nil
	}
	return k
}

// longest is the connection that waits longest among those wanted.
func (c *Connections) longest(wanted func(*connection) bool) *connection {
	for e := c.waiting.Front(); e != nil; e = e.Next() {
		if k := e.Value.(*connection); wanted(k) {
			return k
		}
	}
	return nil
}

// remove forgets a connection, with c.mu held.
func (c *Connections) remove(k *connection) {
	if k.closed {
		return
	}
	k.closed = true
	if k.place != nil {
		c.waiting.Remove(k.place)
		k.place = nil
	}
	c.open--
	if c.from[k.from]--; c.from[k.from] == 0 {
		delete(c.from, k.from)
	}
}

const tooMany = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

// refuse answers 503 without reading. A client that is still sending would lose the answer to a reset, so a few may
// finish first.
func (c *Connections) refuse(conn net.Conn) {
	c.refused.Add(1)
	_ = conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
	_, _ = io.WriteString(conn, tooMany)
	select {
	case c.linger <- struct{}{}:
		go func() {
			_, _ = io.CopyN(io.Discard, conn, 64<<10)
			_ = conn.Close()
			<-c.linger
		}()
	default:
		_ = conn.Close()
	}
}

// Close implements net.Conn.
func (k *connection) Close() error {
	k.owner.mu.Lock()
	k.owner.remove(k)
	k.owner.mu.Unlock()
	return k.Conn.Close()
}

// answered notes whether a request of the connection is being answered: it then keeps its place.
func (k *connection) answered(now bool) {
	c := k.owner
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case k.closed:
	case now && k.place != nil:
		c.waiting.Remove(k.place)
		k.place = nil
	case !now && k.place == nil:
		k.place = c.waiting.PushBack(k)
	}
}

// Drain closes every connection that waits, and admits no more.
func (c *Connections) Drain() {
	c.mu.Lock()
	c.closing = true
	var gone []*connection
	for e := c.waiting.Front(); e != nil; e = e.Next() {
		gone = append(gone, e.Value.(*connection))
	}
	for _, k := range gone {
		c.remove(k)
	}
	c.mu.Unlock()
	for _, k := range gone {
		_ = k.Conn.Close()
	}
}

type connectionKey struct{}

// Remember is http.Server.ConnContext.
func Remember(ctx context.Context, conn net.Conn) context.Context {
	if k, ok := conn.(*connection); ok {
		return context.WithValue(ctx, connectionKey{}, k)
	}
	return ctx
}

// Answering tells a connection that its request has come in whole and is being answered, and afterwards that it waits.
func Answering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k, ok := r.Context().Value(connectionKey{}).(*connection)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		defer k.answered(false)
		if r.Body == nil || r.Body == http.NoBody {
			k.answered(true)
		} else {
			r.Body = &arriving{r.Body, k}
		}
		next.ServeHTTP(w, r)
	})
}

// arriving is a body that says when it is whole.
type arriving struct {
	io.ReadCloser
	k *connection
}

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil {
		a.k.answered(true)
	}
	return n, err
}
