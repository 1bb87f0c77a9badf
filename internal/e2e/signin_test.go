package e2e

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"murmur/internal/server"
	"murmur/internal/signin"
	"murmur/internal/signin/signintest"
	"murmur/internal/workspace"
)

// TestAnOwnerSignsIn: through a provider of its own, into the pages of a running server; a stranger gets none, and what the
// server prints names neither.
func TestAnOwnerSignsIn(t *testing.T) {
	t.Parallel()
	issuer := signintest.New(t, "ann@example.com")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	p, err := signin.New(signin.Config{Issuer: issuer.URL, ClientID: signintest.ClientID, ClientSecret: signintest.ClientSecret, PublicURL: "http://" + address,
		Owners: map[string]workspace.ID{"ann@example.com": workspace.Default}})
	if err != nil {
		t.Fatal(err)
	}
	out, log := newRecorder(), newRecorder()
	err = server.Serve(t.Context(), server.ServeConfig{Data: newData(t), Listen: address, SignIn: p, Out: out, Err: log,
		Ready: func(_ context.Context, base string, _ *server.Node) (bool, error) {
			ask := func(c *http.Client, path string) (int, string) {
				t.Helper()
				res, err := c.Get(base + path)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				b, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				return res.StatusCode, string(b)
			}
			browser := func() *http.Client {
				jar, err := cookiejar.New(nil)
				if err != nil {
					t.Fatal(err)
				}
				return &http.Client{Jar: jar}
			}
			ann := browser()
			if code, page := ask(ann, "/settings"); code != http.StatusUnauthorized || !strings.Contains(page, `href="/sign-in"`) {
				t.Errorf("before: %d", code)
			}
			if code, _ := ask(ann, "/sign-in"); code != http.StatusOK {
				t.Errorf("sign-in ends with %d", code)
			}
			if code, page := ask(ann, "/settings"); code != http.StatusOK || !strings.Contains(page, "This browser") {
				t.Errorf("afterwards: %d", code)
			}
			issuer.Claims["email"] = "eve@example.com"
			eve := browser()
			if code, _ := ask(eve, "/sign-in"); code != http.StatusForbidden {
				t.Errorf("a stranger: %d", code)
			}
			if code, _ := ask(eve, "/settings"); code != http.StatusUnauthorized {
				t.Errorf("a stranger afterwards: %d", code)
			}
			if code, _ := ask(browser(), "/sign-in/back?state=a&code=b"); code != http.StatusForbidden {
				t.Errorf("an answer that nobody asked for: %d", code)
			}
			return true, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range [][]byte{out.Bytes(), log.Bytes()} {
		if strings.Contains(string(printed), "@example.com") {
			t.Error("an address is in the log")
		}
	}
}
