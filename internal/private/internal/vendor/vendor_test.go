package vendor

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/private/internal/source"
)

// serve runs a vendor on loopback and a client that was told of it.
func serve(t *testing.T, h http.HandlerFunc, change ...func(*Config)) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Base: s.URL, Named: []string{u.Host}, Header: map[string]string{"Authorization": "synthetic key"}, Jitter: func() float64 { return 0 }, Tries: 2}
	for _, f := range change {
		f(&c)
	}
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestAnswersBecomeTroubles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		kind   string
		body   string
		want   error
	}{
		"good":          {200, "application/json", `{"data":[]}`, nil},
		"empty":         {204, "", "", nil},
		"wrong key":     {401, "application/json", `{}`, source.TroubleKey},
		"plan":          {403, "application/json", `{}`, source.TroubleForbidden},
		"payment":       {402, "application/json", `{}`, source.TroubleForbidden},
		"deleted":       {404, "application/json", `{}`, source.TroubleMissing},
		"gone":          {410, "application/json", `{}`, source.TroubleMissing},
		"bad request":   {400, "application/json", `{}`, source.TroubleRequest},
		"busy":          {429, "application/json", `{}`, source.TroubleBusy},
		"down":          {502, "text/html", `<html>`, source.TroubleDown},
		"cut":           {200, "application/json", `{"data":[{"id":"A`, source.TroubleCut},
		"a log-in page": {200, "text/html; charset=utf-8", `<!doctype html>`, source.TroubleHTML},
		"HTML as JSON":  {200, "application/json", "\n<html>", source.TroubleHTML},
	} {
		client := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "synthetic key" {
				t.Errorf("%s: asked without the key", name)
			}
			w.Header().Set("Content-Type", c.kind)
			w.WriteHeader(c.status)
			if c.body != "" {
				_, _ = w.Write([]byte(c.body))
			}
		})
		body, err := client.Ask(t.Context(), source.Request{Path: "/calls"})
		if !errors.Is(err, c.want) || err == nil && string(body) != c.body {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "synthetic") || strings.Contains(err.Error(), "127.0.0.1")) {
			t.Errorf("%s: the error tells too much: %v", name, err)
		}
	}
}

// TestAHugeAnswerIsNotHeld: of 300 MB no more than the limit is read.
func TestAHugeAnswerIsNotHeld(t *testing.T) {
	t.Parallel()
	var written atomic.Int64
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 1<<20)
		for range 300 {
			n, err := w.Write(chunk)
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	}, func(c *Config) { c.MaxBody = 2 << 20 })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := client.Ask(t.Context(), source.Request{}); !errors.Is(err, source.TroubleLarge) {
		t.Fatalf("%v", err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.Sys - before.Sys; grown > 64<<20 {
		t.Errorf("memory grew by %d MB", grown>>20)
	}
	if n := written.Load(); n > 100<<20 {
		t.Errorf("%d MB were sent", n>>20)
	}
}

// TestTheKeyGoesToItsHostAlone: a redirect elsewhere is refused, within the host it is followed.
func TestTheKeyGoesToItsHostAlone(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	t.Cleanup(other.Close)
	o, err := url.Parse(other.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/within":
			http.Redirect(w, r, "/there", http.StatusFound)
		}
	}, func(c *Config) { c.Named = append(c.Named, o.Host) })
	if _, err := client.Ask(t.Context(), source.Request{Path: "/away"}); !errors.Is(err, source.TroubleRedirect) {
		t.Errorf("away: %v", err)
	}
	if _, err := client.Ask(t.Context(), source.Request{Path: "/within"}); err != nil {
		t.Errorf("within: %v", err)
	}
}

// TestPrivateAddressesAreRefused unless they were named, whatever the name says.
func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("loopback was asked") }))
	t.Cleanup(s.Close)
	for _, base := range []string{s.URL, "https://localhost", "https://10.0.0.1", "https://169.254.169.254", "https://[::1]", "https://[::ffff:127.0.0.1]"} {
		client, err := New(Config{Base: base, Tries: 1})
		if err != nil {
			t.Fatalf("%s: %v", base, err)
		}
		if _, err := client.Ask(t.Context(), source.Request{}); !errors.Is(err, source.TroubleHost) {
			t.Errorf("%s: %v", base, err)
		}
	}
	for _, base := range []string{"http://api.example.com", "ftp://x", "nonsense", "https://", "https://user:secret@api.example.com"} {
		if _, err := New(Config{Base: base}); !errors.Is(err, ErrBase) {
			t.Errorf("%s is a base: %v", base, err)
		}
	}
}

// TestARequestWithABodyIsNotRepeated: the vendor may have carried it out.
func TestARequestWithABodyIsNotRepeated(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(502) })
	if _, err := client.Ask(t.Context(), source.Request{Method: "POST", Body: []byte(`{}`)}); !errors.Is(err, source.TroubleDown) || asked.Load() != 1 {
		t.Errorf("%v after %d requests", err, asked.Load())
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "99999999999": 2 * time.Minute, "soon": 0,
		now.Add(5 * time.Second).Format(http.TimeFormat): 5 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("%q: %s", s, got)
		}
	}
}

func TestAnEndedContextIsItsOwnReason(t *testing.T) {
	t.Parallel()
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, func(c *Config) { c.Tries = 100 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Ask(ctx, source.Request{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
