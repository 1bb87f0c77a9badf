package e2e

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
	"murmur/internal/server"
)

// TestBrokenTenantFault: the keys of one workspace among three are damaged in a house that was killed. The other two take
// deliveries in and have their figures, and the broken one is named.
func TestBrokenTenantFault(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "one workspace of three broken: its keys damaged")
	s := newSenders(t)
	data := newData(t)
	h := spawn(t, data)
	for _, ws := range []string{"broken", "other"} {
		h.connectIn(ws)
	}
	h.townPolicy()
	source := h.connect("native")
	s.send(h, source, len(s.events)/2, h.kill)
	<-h.done
	for _, d := range []struct {
		what string
		do   func([]byte) []byte
	}{
		{"one bit of a slot", func(b []byte) []byte { return damages[0].do(b, len(b)/2) }},
		{"cut off", func(b []byte) []byte { return b[:len(b)/3] }},
		{"empty", func([]byte) []byte { return nil }},
	} {
		keys, err := filepath.Glob(filepath.Join(data, "keys", "broken*"))
		if err != nil || len(keys) == 0 {
			t.Fatalf("no key file of the workspace: %v", err)
		}
		whole := make([][]byte, len(keys))
		for i, k := range keys {
			if whole[i], err = os.ReadFile(k); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(k, d.do(whole[i]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h = startCommand(t, serveCommand(honest, data), data)
		if err := h.listens(); err != nil {
			t.Errorf("%s: all workspaces are shut out: %v\n%s", d.what, err, h.log.Bytes())
		} else {
			h.post(source.Path, call("tenant"+d.what, march, "+12125550142"), bearer(source.Secret), 200)
			var v rpc.Verified
			if h.do("verify", rpc.VerifyArgs{}, &v); len(v.Breaches) == 0 {
				t.Errorf("%s: verify names nothing", d.what)
			}
			if b := h.townFigures(); len(b) == 0 {
				t.Errorf("%s: no figures of another workspace", d.what)
			}
			h.kill()
			<-h.done
		}
		for i, k := range keys {
			if err := os.WriteFile(k, whole[i], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		row.Rounds++
	}
	h = spawn(t, data)
	lost, acked := s.lost(h, source)
	row.Lost, row.Acknowledged = lost, acked
	h.stopWell()
}

// TestHostileVendorFault: a vendor's API turns hostile in the middle of a history: garbage, the same page for ever, a page
// without end, a byte a moment. The house stays small, takes other deliveries, and says what is wrong.
func TestHostileVendorFault(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "one vendor hostile: garbage, endless pages, endless bodies, slow bytes")
	kind := startQuo(t, 150)
	for _, how := range []string{"garbage", "the same page", "a page without end", "slow bytes"} {
		vendor, turned := turncoat(t, kind, how)
		h := spawn(t, newData(t), "--allow-host", strings.TrimPrefix(vendor.URL, "http://"))
		native := h.connect("native")
		if _, err := h.tryConnect(vendor.URL, quoKey); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		select {
		case <-turned:
		case <-time.After(30 * time.Second):
			t.Errorf("%s: the house asked no more before the vendor turned", how)
		}
		for i := range 200 {
			h.post(native.Path, call(fmt.Sprint("beside", i), march, "+12125550142"), bearer(native.Secret), 200)
			row.Acknowledged++
		}
		h.counts()
		if most := peak(t, h.process.Pid); most > 512 {
			t.Errorf("%s: %d MiB", how, most)
		}
		h.stopWell()
		row.Rounds++
	}
}

// turncoat stands before a vendor and is hostile after ten answers; turned is closed then.
func turncoat(t *testing.T, base, how string) (_ *httptest.Server, turned <-chan struct{}) {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	var n atomic.Int64
	now := make(chan struct{})
	turn := sync.OnceFunc(func() { close(now) })
	page := make(chan []byte, 1) // the one that comes again and again
	proxy.ModifyResponse = func(r *http.Response) error {
		b, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(b))
		if strings.Contains(string(b), "nextPageToken") {
			select {
			case page <- b:
			default:
			}
		}
		return err
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) <= 10 {
			proxy.ServeHTTP(w, r)
			return
		}
		turn()
		w.Header().Set("Content-Type", "application/json")
		switch how {
		case "garbage":
			b := make([]byte, 4096)
			_, _ = rand.Read(b)
			_, _ = w.Write(b)
		case "the same page":
			select {
			case b := <-page:
				page <- b
				_, _ = w.Write(b)
			default:
				proxy.ServeHTTP(w, r)
			}
		case "a page without end":
			_, _ = io.WriteString(w, `{"data":[`)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat(`{"id":"AC1","labels":["x"]},`, 4096)); err != nil {
					return
				}
			}
		default:
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				<-time.After(100 * time.Millisecond)
			}
		}
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s, now
}

// TestWrongClockFault: a vendor whose clock is 400 days off in either direction harms nobody's figures but the days that it
// names, and a house whose own clock was 400 days ahead for a while has lost nothing when it is right again.
func TestWrongClockFault(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "a clock 400 days off: a vendor's, the house's own")
	s := newSenders(t)
	data := newData(t)
	wrong := func() time.Time { return time.Now().AddDate(0, 0, 400) }
	h := openAt(t, data, time.Now)
	h.townPolicy()
	source := h.connect("native")
	off := h.connectIn("off")
	s.send(h, source, len(s.events)/3, func() {})
	for i, days := range []int{400, -400} {
		at := time.Now().AddDate(0, 0, days)
		h.post(off.Path, call(fmt.Sprint("off", i), at, "+12125550142"), bearer(off.Secret), 200)
	}
	var status rpc.Status
	h.drain()
	h.do("status", rpc.WorkspaceArgs{}, &status)
	if c := status.Workspaces["off"].Counts; c.Quarantined != 1 || c.Published != 1 {
		t.Errorf("one call of the future and one of the past: %+v", c)
	}
	h.stopWell()
	h = openAt(t, data, wrong)
	h.post(source.Path, call("ahead", march, "+12125550142"), bearer(source.Secret), 200)
	h.stopWell()
	row.Rounds = 2
	h = openAt(t, data, time.Now)
	row.Lost, row.Acknowledged = s.lost(h, source)
	h.post(source.Path, call("behind", march, "+12125550142"), bearer(source.Secret), 200)
	h.drain()
	if c := h.counts(); c.Pending+c.Quarantined > 0 {
		t.Errorf("after the clock was put right: %+v", c)
	}
	h.stopWell()
	if v, err := server.Verify(t.Context(), data, rpc.VerifyArgs{}); err != nil || len(v.Breaches) > 0 {
		t.Errorf("verify: %v %+v", err, v.Breaches)
	}
}
