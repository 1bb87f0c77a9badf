package web_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"murmur/internal/insight"
	"murmur/internal/web"
	"murmur/internal/web/webtest"
	"murmur/internal/workspace"
)

// TestAnAssistantNeedsAToken: /mcp answers a token's workspace as viewers may see it, and nobody else.
func TestAnAssistantNeedsAToken(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	const ask = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_figures","arguments":{"insight":"missed-call-rate"}}}`
	accept := []string{"Accept", "application/json, text/event-stream"}
	for token, want := range map[string]int{"": 401, "guessed": 401, "stranger": 200, "viewer": 200} {
		w := b.call(token, "POST", "/mcp", ask, accept...)
		if w.Code != want {
			t.Errorf("%d, want %d: %s", w.Code, want, w.Body)
		}
		if found := strings.Contains(w.Body.String(), "missed-call-rate/1"); found != (token == "viewer") {
			t.Errorf("figures: %v", found)
		}
	}
}

// TestAnAssistantIsAnsweredAsTheAPIIs: another method is 405, another's workspace 404, as on /v1.
func TestAnAssistantIsAnsweredAsTheAPIIs(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	const ask = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/mcp", "", 405}, {"DELETE", "/mcp", "", 405},
		{"POST", "/mcp?workspace=default", ask, 200}, {"POST", "/mcp?workspace=other", ask, 404}, {"POST", "/mcp?workspace=none", ask, 404},
	} {
		w := b.call("viewer", c.method, c.path, c.body, "Accept", "application/json, text/event-stream")
		if w.Code != c.want || (c.want == 405) != (w.Header().Get("Allow") == "POST") {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, w.Code, w.Header().Get("Allow"))
		}
	}
}

// TestWhoLeavesIsNoError: where the sender of a request is gone, what fails is logged by nobody; a fault is logged once.
func TestWhoLeavesIsNoError(t *testing.T) {
	t.Parallel()
	const ask = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"suggestions","arguments":{}}}`
	for _, gone := range []bool{true, false} {
		for _, path := range []string{"/mcp", "/"} {
			var log bytes.Buffer
			ctx, cancel := context.WithCancel(t.Context())
			fails := failing(func() {
				if gone {
					cancel()
				}
			})
			b := with(webtest.New())
			config := b.Config()
			config.Figures, config.Log = fails, slog.New(slog.NewTextHandler(&log, nil))
			method, body := "GET", ""
			if path == "/mcp" {
				method, body = "POST", ask
			}
			r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer viewer")
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/json, text/event-stream")
			r.AddCookie(&http.Cookie{Name: "murmur", Value: "viewer"})
			web.New(config).ServeHTTP(httptest.NewRecorder(), r)
			cancel()
			if lines := strings.Count(log.String(), "\n"); gone && lines != 0 || !gone && lines != 1 {
				t.Errorf("%s, gone %v: %d lines:\n%s", path, gone, lines, &log)
			}
		}
	}
}

// failing is a server that cannot read its figures; it is told when somebody asks for them.
type failing func()

func (f failing) Figures(context.Context, workspace.ID, string, web.Role) ([]insight.Figure, error) {
	f()
	return nil, errors.New("no lake")
}

// TestTooMuchIsAnswered: a sender that reads only after it has sent everything reads why it was too much.
func TestTooMuchIsAnswered(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(with(webtest.New()))
	t.Cleanup(s.Close)
	for _, path := range []string{"/mcp", "/v1/redact", "/open/nothing"} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		const size = 10 << 20
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer viewer\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			path, size, strings.Repeat(" ", size))
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || path != "/open/nothing" && r.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %+v, %v", path, r, err)
		}
		if err == nil {
			_ = r.Body.Close()
		}
		_ = conn.Close()
	}
}
