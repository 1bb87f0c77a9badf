package server

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/private"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// quoAPI answers every request of a good key with an empty list.
func quoAPI(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "good" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(`{"data":[],"nextCursor":null}`))
	}))
	t.Cleanup(s.Close)
	return s
}

func refusedFor(err error) string {
	var r *web.Refusal
	if !errors.As(err, &r) || !errors.Is(err, web.ErrInput) {
		return "no refusal"
	}
	return r.Why
}

// TestSourcesAsThePagesSeeThem: connect, pause, another key, remove, and why each may be refused.
func TestSourcesAsThePagesSeeThem(t *testing.T) {
	t.Parallel()
	base := quoAPI(t).URL
	n, err := Open(t.Context(), Config{Data: t.TempDir() + "/data", AllowHosts: []string{strings.TrimPrefix(base, "http://")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	s, ws := sources{n}, workspace.Default
	for why, src := range map[string]web.NewSource{
		"key":      {Kind: "quo", Name: "quo", APIKey: "bad", APIBase: base},
		"name":     {Kind: "quo", Name: "Not A Name"},
		"api-base": {Kind: "quo", Name: "quo", APIKey: "good", APIBase: "nonsense"},
		"no-api":   {Kind: "typeform", Name: "typeform", APIKey: "good"},
		"input":    {Kind: "fax", Name: "fax"},
		// Its vendor takes no webhook: nothing is connected by half.
		"missing":    {Kind: "quo", Name: "quo", APIKey: "good", APIBase: base, PublicURL: "https://murmur.example.com"},
		"public-url": {Kind: "quo", Name: "quo", APIKey: "good", APIBase: base, PublicURL: "murmur"},
	} {
		if _, err := s.Connect(t.Context(), ws, src); refusedFor(err) != why {
			t.Errorf("%s: %v", why, err)
		}
	}
	c, err := s.Connect(t.Context(), ws, web.NewSource{Kind: "quo", Name: "quo", APIKey: "good", APIBase: base})
	if err != nil || len(c.Gives) == 0 || c.Webhook != "by hand" {
		t.Fatalf("connect: %+v: %v", c, err)
	}
	if _, err := s.Connect(t.Context(), ws, web.NewSource{Kind: "quo", Name: "quo"}); refusedFor(err) != "name" {
		t.Errorf("a name that is taken: %v", err)
	}
	state := func() web.Source {
		list, err := s.Sources(t.Context(), ws)
		if err != nil || len(list) != 1 {
			t.Fatalf("%d sources: %v", len(list), err)
		}
		return list[0]
	}
	if got := state(); got.State != "waiting" || got.Level != "L1" || got.Secrets != 1 || got.Polling == nil || got.Polling.Left != -1 {
		t.Errorf("connected: %+v", got)
	}
	if err := s.Pause(t.Context(), ws, "quo", true); err != nil || state().State != "paused" {
		t.Errorf("pause: %v", err)
	}
	if err := s.Pause(t.Context(), ws, "quo", false); err != nil || state().State != "waiting" {
		t.Errorf("resume: %v", err)
	}
	if err := s.Rekey(t.Context(), ws, "quo", "bad"); refusedFor(err) != "key" {
		t.Errorf("a bad key: %v", err)
	}
	if secret, err := s.Rotate(t.Context(), ws, "quo", ""); err != nil || secret == c.Secret || state().Secrets != 2 {
		t.Errorf("rotate: %v", err)
	}
	if err := s.Remove(t.Context(), ws, "quo"); err != nil {
		t.Fatal(err)
	}
	var secrets, keys int
	if err := n.db.QueryRowContext(t.Context(), `SELECT coalesce(sum(length(secrets)), 0), count(api_key) FROM sources`).Scan(&secrets, &keys); err != nil || secrets+keys != 0 {
		t.Errorf("a removed source keeps %d bytes of secrets and %d keys: %v", secrets, keys, err)
	}
	for name, err := range map[string]error{"pause": s.Pause(t.Context(), ws, "quo", true), "remove": s.Remove(t.Context(), ws, "quo"), "rekey": s.Rekey(t.Context(), ws, "quo", "good")} {
		if !errors.Is(err, web.ErrNotFound) {
			t.Errorf("%s of a removed source: %v", name, err)
		}
	}
}

func TestTimeLeft(t *testing.T) {
	t.Parallel()
	var p pace
	var c [32]byte
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	if _, ok := p.left(c, stand{at, 0.5}); ok {
		t.Error("known before anything was asked")
	}
	p.from(c, stand{at, 0.2})
	for _, x := range []struct {
		after time.Duration
		done  float64
		want  time.Duration
	}{{500 * time.Millisecond, 0.3, 0}, {time.Minute, 0.2, 0}, {time.Minute, 0.6, time.Minute}, {time.Minute, 1, 0}} {
		got, ok := p.left(c, stand{at.Add(x.after), x.done})
		if ok != (x.want > 0) || got.Round(time.Second) != x.want {
			t.Errorf("after %s at %v: %s, want %s", x.after, x.done, got, x.want)
		}
	}
}

// TestEveryTroubleHasAHint on a page too: the words of this package are those of package web.
func TestEveryTroubleHasAHint(t *testing.T) {
	t.Parallel()
	for trouble, w := range troubles {
		if !web.HasHint(string(trouble)) || w.said == "" || strings.Contains(w.said, "murmur ") {
			t.Errorf("%s has no words for a page", trouble)
		}
	}
}

// TestAKeyThatSignsIsNotShown: Twilio signs with the token that is a part of its key.
func TestAKeyThatSignsIsNotShown(t *testing.T) {
	t.Parallel()
	twilio := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"sid":"AC1","calls":[],"messages":[],"recordings":[],"events":[],"next_page_uri":null}`))
	}))
	t.Cleanup(twilio.Close)
	n, err := Open(t.Context(), Config{Data: t.TempDir() + "/data", AllowHosts: []string{strings.TrimPrefix(twilio.URL, "http://")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	const token = "a-synthetic-token-of-32-letters.."
	c, err := sources{n}.Connect(t.Context(), workspace.Default, web.NewSource{Kind: "twilio", Name: "twilio", APIKey: "AC1:" + token, APIBase: twilio.URL})
	if err != nil {
		t.Fatal(err)
	}
	if c.Secret != "" || strings.Contains(c.Paste, token) || !strings.Contains(c.Paste, c.Path) {
		t.Errorf("the answer holds the token, or does not say where to paste the address")
	}
}

// TestEveryKindThatIsOfferedCanBeConnected.
func TestEveryKindThatIsOfferedCanBeConnected(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		if !slices.Contains(private.Kinds(), k.Name) || k.Title == "" || k.Help == "" {
			t.Errorf("%s is offered", k.Name)
		}
	}
}
