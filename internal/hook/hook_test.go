package hook

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// to is a receiver on loopback that the operator named.
func to(t *testing.T, h http.HandlerFunc) Receiver {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil { // a server notices that a client has gone once it has read the body
			r.Body = io.NopCloser(bytes.NewReader(body))
			h(w, r)
		}
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return Receiver{URL: s.URL + "/in?secret=canary", Secret: NewSecret(), Named: []string{u.Host}}
}

// TestAReceiverCanVerify: with the library that receivers use.
func TestAReceiverCanVerify(t *testing.T) {
	t.Parallel()
	var header http.Header
	var body []byte
	r := to(t, func(w http.ResponseWriter, q *http.Request) {
		header = q.Header
		body, _ = io.ReadAll(q.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	if err := r.Send(t.Context(), "msg_1", time.Now(), []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	key, err := standardwebhooks.NewWebhook(r.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Verify(body, header); err != nil || header.Get("webhook-id") != "msg_1" {
		t.Errorf("%v %v", err, header)
	}
	if err := key.Verify([]byte(`{"a":2}`), header); err == nil {
		t.Error("another body verifies")
	}
}

func TestWhatAReceiverAnswers(t *testing.T) {
	t.Parallel()
	var other atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { other.Add(1) }))
	t.Cleanup(elsewhere.Close)
	for status, want := range map[int]error{200: nil, 202: nil, 301: ErrRedirect, 307: ErrRedirect, 400: ErrRefused, 401: ErrRefused, 404: ErrRefused, 408: ErrDown, 410: ErrGone, 429: ErrDown, 500: ErrDown, 503: ErrDown} {
		r := to(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
		})
		r.Named = append(r.Named, strings.TrimPrefix(elsewhere.URL, "http://")) // even a host that is allowed
		if err := r.Send(t.Context(), "msg_1", time.Now(), []byte(`{}`)); !errors.Is(err, want) {
			t.Errorf("%d: %v", status, err)
		}
	}
	if other.Load() > 0 {
		t.Error("a redirect was followed")
	}
}

// TestAReceiverThatHangs: one that takes the message and never answers, one that drips, one that sends without an end.
func TestAReceiverThatHangs(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"never answers": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"drips": func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			defer c.Close()
			for _, b := range []byte(strings.Repeat("HTTP/1.1 1", 1000)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				select {
				case <-r.Context().Done():
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		},
	} {
		r := to(t, h)
		r.Timeout = 50 * time.Millisecond
		if err := r.Send(t.Context(), "msg_1", time.Now(), []byte(`{}`)); !errors.Is(err, ErrDown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	endless := to(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	if err := endless.Send(t.Context(), "msg_1", time.Now(), []byte(`{}`)); err != nil {
		t.Errorf("an endless answer: %v", err)
	}
}

// TestNoHostInsideIsReached: an address that was not named leads to nothing on this machine or its network, whatever it looks
// like and whatever its name resolves to; a named one does not lead to the metadata of a cloud.
func TestNoHostInsideIsReached(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(inside.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(inside.URL, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]error{
		inside.URL: ErrHost, "https://localhost:" + port: ErrHost, "https://2130706433": ErrHost, "https://127.0.0.1": ErrHost, "https://[::1]": ErrHost, "https://localhost": ErrHost,
		"https://10.0.0.7": ErrHost, "https://169.254.169.254": ErrHost, "https://[::ffff:127.0.0.1]": ErrHost, "https://192.168.1.1/x": ErrHost,
		"http://example.com": ErrAddress, "https://user:pass@example.com": ErrAddress, "ftp://example.com": ErrAddress, "https://": ErrAddress, "": ErrAddress,
		"https://example.com/" + strings.Repeat("x", mostURL): ErrAddress,
	} {
		err := Receiver{URL: address}.Send(t.Context(), "msg_1", time.Now(), []byte(`{}`))
		if address == "https://2130706433" && errors.Is(err, ErrDown) { // where the resolver does not read it as a number
			err = ErrHost
		}
		if !errors.Is(err, want) {
			t.Errorf("%.60s: %v, want %v", address, err, want)
		}
	}
	metadata := Receiver{URL: "http://169.254.169.254/latest", Named: []string{"169.254.169.254:80"}}
	if err := metadata.Send(t.Context(), "msg_1", time.Now(), []byte(`{}`)); !errors.Is(err, ErrHost) {
		t.Errorf("metadata: %v", err)
	}
	if asked.Load() > 0 {
		t.Errorf("%d requests reached a server inside", asked.Load())
	}
}

// TestNoErrorHoldsTheAddress: it is a secret at many chats.
func TestNoErrorHoldsTheAddress(t *testing.T) {
	t.Parallel()
	r := to(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "canary of the answer", http.StatusBadRequest)
	})
	closed := to(t, nil)
	closed.URL = strings.Replace(closed.URL, "/in", "/\x7f", 1)
	down := Receiver{URL: "https://canary.invalid/canary"}
	for _, r := range []Receiver{r, closed, down} {
		if err := r.Send(t.Context(), "msg_1", time.Now(), []byte(`{}`)); err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%v", err)
		}
	}
}
