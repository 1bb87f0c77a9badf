package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/rpc"
)

// vendor is a connection that posts signed Quo webhooks: as little client as possible, it shares the cores.
type vendor struct {
	conn   net.Conn
	in     *bufio.Reader
	path   string
	secret []byte
}

// post sends a webhook and waits for the 2xx.
func (v *vendor) post(n int64) error { return v.send(v.request(n)) }

// request is the n-th webhook, signed.
func (v *vendor) request(n int64) []byte {
	body := fmt.Appendf(nil, `{"id":"EV%d","apiVersion":"2026-03-30","createdAt":"2026-11-03T12:00:55.000Z","type":"call.completed","data":{"resource":{"id":"AC%d","direction":"incoming","status":"answered","createdAt":"2026-11-03T11:59:55.000Z","answeredAt":"2026-11-03T12:00:00.000Z","completedAt":"2026-11-03T12:00:55.000Z","updatedAt":"2026-11-03T12:00:55.000Z","duration":55,"hasVoicemail":false},"context":{"orgId":"OR1","phoneNumberId":"PN1","conversationId":"CN1","phoneNumberType":"shared","userId":"US1","contacts":{"ids":["CT1"],"lookupStatus":"matched"},"participants":{"workspace":["+15550100001"],"external":["+1555%07d"],"resolution":"available"}},"links":{"quo":"https://my.quo.com/inbox/"}}}`, n, n, n%10_000_000)
	ts := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, v.secret)
	fmt.Fprintf(mac, "EV%d.%s.", n, ts)
	mac.Write(body)
	out := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: murmur\r\nContent-Type: application/json\r\nContent-Length: %d\r\nWebhook-Id: EV%d\r\nWebhook-Timestamp: %s\r\nWebhook-Signature: v1,%s\r\n\r\n",
		v.path, len(body), n, ts, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return append(out, body...)
}

func (v *vendor) send(request []byte) error {
	if _, err := v.conn.Write(request); err != nil {
		return err
	}
	return v.answer()
}

// answer reads a 200 with a Content-Length and nothing else: a whole HTTP client would cost half of what the server does.
func (v *vendor) answer() error {
	size := 0
	for first := true; ; first = false {
		line, err := v.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
			return fmt.Errorf("answered %s", line)
		}
		if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if size, err = strconv.Atoi(string(bytes.TrimSpace(n))); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			_, err := v.in.Discard(size)
			return err
		}
	}
}

// ingest is a node that only takes deliveries in, and a listener.
func ingest(b *testing.B) (address, path string, secret []byte) {
	b.Helper()
	n, err := Open(b.Context(), Config{Data: filepath.Join(b.TempDir(), "data")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = n.Close() })
	var out bytes.Buffer
	if err := n.Do(b.Context(), "connect", rpc.ConnectArgs{Kind: "quo"}, nil, &out); err != nil {
		b.Fatal(err)
	}
	var c rpc.Connected
	if err := json.Unmarshal(out.Bytes(), &c); err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: n.handler(http.NotFoundHandler()), ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(l) }()
	b.Cleanup(func() { _ = srv.Close() })
	secret, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(c.Secret, "whsec_"))
	if err != nil {
		b.Fatal(err)
	}
	return l.Addr().String(), c.Path, secret
}

func dial(b *testing.B, address, path string, secret []byte) *vendor {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return &vendor{conn: conn, in: bufio.NewReader(conn), path: path, secret: secret}
}

// BenchmarkWebhooks128 is durable webhooks through HTTP under 128 clients on the same cores, beside a bare
// group-commit loop on the same disk. The two take turns, so that what else the machine does is the same for both. The
// clients make their requests beforehand: signing is the vendor's work, on the vendor's machine.
func BenchmarkWebhooks128(b *testing.B) {
	const turns = 10
	bare := newBareLoop(b)
	var loop, webhooks, processor time.Duration
	address, path, secret := ingest(b)
	clients := make([]*vendor, 128)
	for i := range clients {
		clients[i] = dial(b, address, path, secret)
	}
	times := make([]time.Duration, b.N)
	b.ResetTimer()
	rows := 0
	for turn := range turns {
		start := time.Now()
		rows += bare.run(b, b.N/turns)
		loop += time.Since(start)
		from, to := turn*b.N/turns, (turn+1)*b.N/turns
		requests := make([][]byte, 0, to-from)
		for i := from; i < to; i++ {
			requests = append(requests, clients[0].request(int64(i)))
		}
		start = time.Now()
		before := processorTime(b)
		postAll(b, clients, requests, times[from:to])
		processor += processorTime(b) - before
		webhooks += time.Since(start)
	}
	b.StopTimer()
	rate := float64(b.N) / webhooks.Seconds()
	b.ReportMetric(rate, "webhooks/s")
	b.ReportMetric(100*rate/(float64(rows)/loop.Seconds()), "%-of-bare")
	b.ReportMetric(float64(processor.Microseconds())/float64(b.N), "cpu-us/webhook")
	b.ReportMetric(p99(times), "p99-ms")
}

// postAll sends webhooks, each client the next one as soon as it was answered, and notes how long each took.
func postAll(b *testing.B, clients []*vendor, requests [][]byte, times []time.Duration) {
	var next atomic.Int64
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(requests)); i = next.Add(1) - 1 {
				began := time.Now()
				if err := c.send(requests[i]); err != nil {
					b.Error(err)
					return
				}
				times[i] = time.Since(began)
			}
		})
	}
	all.Wait()
}

// BenchmarkWebhooks500 is the time to the 2xx at 500 webhooks a second, open loop: a late answer does not hold the
// next webhook back.
func BenchmarkWebhooks500(b *testing.B) {
	address, path, secret := ingest(b)
	const clients = 64
	idle := make(chan *vendor, clients)
	for range clients {
		idle <- dial(b, address, path, secret)
	}
	times := make([]time.Duration, b.N)
	var all sync.WaitGroup
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	b.ResetTimer()
	for i := range b.N {
		due := <-tick.C
		c := <-idle
		all.Go(func() {
			if err := c.post(int64(i)); err != nil {
				b.Error(err)
			}
			times[i] = time.Since(due)
			idle <- c
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(p99(times), "p99-ms")
}

func p99(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)*99/100].Microseconds()) / 1000
}

// bareLoop is the least that a durable queue on SQLite can do: 128 rows of 1 KiB a transaction, one table,
// synchronous=FULL.
type bareLoop struct {
	db   *sql.DB
	body []byte
}

func newBareLoop(b *testing.B) *bareLoop {
	b.Helper()
	q := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(4000)"}}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?"+q.Encode())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE log(pos INTEGER PRIMARY KEY, body BLOB)`); err != nil {
		b.Fatal(err)
	}
	return &bareLoop{db, make([]byte, 1024)}
}

// run stores at least so many rows and gives how many.
func (l *bareLoop) run(b *testing.B, least int) (rows int) {
	b.Helper()
	for rows < least {
		if err := transaction(b.Context(), l.db, l.body, 128); err != nil {
			b.Fatal(err)
		}
		rows += 128
	}
	return rows
}

func transaction(ctx context.Context, db *sql.DB, body []byte, n int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.PrepareContext(ctx, `INSERT INTO log(body) VALUES(?)`)
	if err != nil {
		return err
	}
	for range n {
		if _, err := insert.ExecContext(ctx, body); err != nil {
			return err
		}
	}
	return tx.Commit()
}
