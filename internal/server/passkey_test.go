package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"murmur/internal/web/webtest/browser"
	"murmur/internal/workspace"
)

// TestAPasskeyOpensThePages: in a real browser with an authenticator of its own, an owner adds a passkey and comes in by it; not with a
// wrong signature, not unverified, not once it was ended; and an answer without its question, or to another, opens nothing.
func TestAPasskeyOpensThePages(t *testing.T) {
	t.Parallel()
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data")})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	n.Start(context.Background())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	n.public = "http://localhost:" + port
	s := newServing(n, slog.New(slog.DiscardHandler)).public
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	link, err := n.store.NewLink(t.Context(), workspace.Default)
	if err != nil {
		t.Fatal(err)
	}

	tab := browser.Open(t, "")
	device := tab.Device(t)
	click := func(what, then string) {
		t.Helper()
		tab.Run(t, chromedp.WaitVisible(`[data-passkey="`+what+`"]`), chromedp.Click(`[data-passkey="`+what+`"]`), chromedp.WaitVisible(then))
	}
	leave := func() {
		t.Helper()
		browser.Evaluate[bool](t, tab, `fetch("/close", { method: "POST" }).then(() => true)`, chromedp.EvalAwaitPromise)
		tab.Run(t, chromedp.Navigate(n.public+"/"), chromedp.WaitVisible("footer"))
	}
	const inside, refused = "nav a[href='/settings']", "[data-passkey-said]:not([hidden])"

	tab.Run(t, chromedp.Navigate(n.public+"/open/"+link), chromedp.WaitVisible("nav"), chromedp.Navigate(n.public+"/settings"))
	click("add", "tr.passkey")
	leave()
	click("use", inside)
	for what, misbehaves := range map[string][2]bool{"a wrong signature": {true, false}, "nobody verified": {false, true}} {
		leave()
		device.Misbehave(t, misbehaves[0], misbehaves[1])
		click("use", refused+", "+inside)
		if browser.Evaluate[bool](t, tab, `Boolean(document.querySelector("`+inside+`"))`) {
			t.Errorf("%s opens the pages", what)
		}
	}
	device.Misbehave(t, false, false)

	for _, path := range []string{"/passkey/use", "/passkey/add", "/passkey/new"} {
		if code := answered(t, n.public+path, `{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{}}`); code != http.StatusForbidden && code != http.StatusUnauthorized {
			t.Errorf("%s without a question or a session: %d", path, code)
		}
	}
	passes, err := n.store.Passes(t.Context(), workspace.Default, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	for _, p := range passes {
		if p.Role == workspace.PasskeyRole {
			ended++
			if err := n.store.Revoke(t.Context(), workspace.Default, p.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if ended != 1 {
		t.Errorf("%d passkeys are listed", ended)
	}
	tab.Run(t, chromedp.Navigate(n.public+"/"), chromedp.WaitVisible("footer"))
	click("use", refused)
}

func answered(t *testing.T, url, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	return r.StatusCode
}
