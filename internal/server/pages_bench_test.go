package server

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/rpc"
	"murmur/internal/synth"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// shownPages are what an owner looks at.
var shownPages = []string{"/", "/calls", "/messages", "/topics", "/flows", "/satisfaction", "/suggestions", "/pipeline"}

// BenchmarkPages500 is the time to the last byte of a page, as the owner opens one after another, while 500 webhooks a second come in
// for the same workspace and are processed and counted. The workspace has seven weeks of a shop with 300 contacts a month.
func BenchmarkPages500(b *testing.B) {
	n, _ := openShop(b, synth.Config{Seed: 1, Start: monday(time.Now()).AddDate(0, 0, -7*7), Contacts: 300}, nil)
	b.Cleanup(func() { _ = n.Close() })
	var out bytes.Buffer
	if err := n.Do(b.Context(), "connect", rpc.ConnectArgs{Kind: "quo"}, nil, &out); err != nil {
		b.Fatal(err)
	}
	var c rpc.Connected
	if err := json.Unmarshal(out.Bytes(), &c); err != nil {
		b.Fatal(err)
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.Secret, "whsec_"))
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := newServing(n, slog.New(slog.DiscardHandler))
	if err := s.start(l, filepath.Join(b.TempDir(), "s")); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.stop)
	address := l.Addr().String()
	get := owner(b, n, address)
	enough := make(chan struct{})
	var flood sync.WaitGroup
	came := int64(0)
	flood.Go(func() { came = pour(b, address, c.Path, secret, enough) })
	times := make([]time.Duration, b.N)
	began, before := time.Now(), processorTime(b)
	b.ResetTimer()
	for i := range b.N {
		times[i] = get(shownPages[i%len(shownPages)])
	}
	b.StopTimer()
	seconds := time.Since(began).Seconds()
	busy := (processorTime(b) - before).Seconds() / seconds
	close(enough)
	flood.Wait()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(came)/seconds, "webhooks/s")
	b.ReportMetric(busy, "cores-busy")
}

// monday is the midnight that a week began with, UTC.
func monday(t time.Time) time.Time {
	t = t.UTC().Truncate(24 * time.Hour)
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

// owner gives what opens a page as an owner and says how long that took.
func owner(b *testing.B, n *Node, address string) func(path string) time.Duration {
	b.Helper()
	session, hash, err := web.NewSecret(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	if err := n.store.StartSession(b.Context(), workspace.Default, hash); err != nil {
		b.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	return func(path string) time.Duration {
		began := time.Now()
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			b.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: "murmur-" + port, Value: session})
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			b.Fatalf("%s: %d %v", path, answer.StatusCode, err)
		}
		return time.Since(began)
	}
}

// pour posts 500 webhooks a second until it is enough, and says how many. A late answer holds the next ones back only when all
// clients wait.
func pour(b *testing.B, address, path string, secret []byte, enough <-chan struct{}) (n int64) {
	const clients = 16
	idle := make(chan *vendor, clients)
	for range clients {
		idle <- dial(b, address, path, secret)
	}
	var all sync.WaitGroup
	defer all.Wait()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ; ; n++ {
		select {
		case <-enough:
			return n
		case <-tick.C:
		}
		select {
		case <-enough:
			return n
		case v := <-idle:
			i := n
			all.Go(func() {
				if err := v.post(i); err != nil {
					b.Error(err)
				}
				idle <- v
			})
		}
	}
}
