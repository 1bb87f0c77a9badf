// Package shots looks at every page with a real browser: screenshots in light, dark and narrow, and the checks
// that only a browser can make - no console error, no violation of the content security policy, no page that
// scrolls sideways at 320 pixels, charts drawn over their tables.
//
//	go test ./internal/web/shots -shots DIR               the invented business of package webtest
//	go test ./internal/web/shots -shots DIR -base URL -open PATH     a running server, opened with its one-time link
//
// Without a browser the test fails; MURMUR_NO_BROWSER=1 skips it, loudly.
package shots

import (
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"murmur/internal/web"
	"murmur/internal/web/webtest"
	"murmur/internal/web/webtest/browser"
	"murmur/internal/workspace"
)

var (
	dir    = flag.String("shots", "", "folder for the screenshots; empty: only check")
	base   = flag.String("base", "", "address of a running server; empty: start an invented one")
	readme = flag.String("readme", "", "folder for the two pictures of the README; empty: none")
	open   = flag.String("open", "", "path of its one-time link, /open/TOKEN")
)

// pages are the addresses to look at; a function of the server, because a figure's address is a hash.
var pages = []struct{ name, path string }{
	{"week", "/"}, {"calls", "/calls"}, {"messages", "/messages"}, {"topics", "/topics"}, {"else", "/topics/else"}, {"flows", "/flows"},
	{"satisfaction", "/satisfaction"}, {"suggestions", "/suggestions"}, {"privacy", "/privacy"}, {"recordings", "/recordings"},
	{"playground", "/playground"}, {"pipeline", "/pipeline"}, {"welcome", "/welcome"},
	{"history", "/welcome/history"}, {"settings", "/settings"}, {"figures", "/figures"},
}

func TestPagesInABrowser(t *testing.T) {
	tab := browser.Open(t, *dir)
	address, link := *base, *open
	if address == "" {
		address, link = invented(t, webtest.New(), "full")
	}
	if link != "" {
		tab.Run(t, chromedp.Navigate(address+link), chromedp.WaitVisible("nav"))
	}
	for _, p := range pages {
		tab.Look(t, address+p.path, p.name)
	}
	tab.Run(t, chromedp.Navigate(address+"/calls"))
	figure := browser.Evaluate[string](t, tab, `document.querySelector("figure tbody th a")?.getAttribute("href") ?? ""`)
	if figure != "" {
		tab.Look(t, address+figure, "figure")
	} else if *base == "" {
		t.Error("/calls links no figure")
	}
	if *base == "" {
		played(t, tab, address)
	}
	if *readme != "" {
		tab.Top(t, address+"/", filepath.Join(*readme, "week.png"), 760)
		tab.Top(t, address+"/calls", filepath.Join(*readme, "calls.png"), 760)
	}
}

func TestFirstRunInABrowser(t *testing.T) {
	if *base != "" {
		t.Skip("only for the invented business")
	}
	tab := browser.Open(t, *dir)
	address, link := invented(t, webtest.Fresh(), "fresh")
	tab.Run(t, chromedp.Navigate(address+link), chromedp.WaitVisible("nav")) // goes on by itself
	for _, p := range pages {
		tab.Look(t, address+p.path, "empty-"+p.name)
	}
}

// TestSourcesInEveryStateInABrowser: beside a real history (package e2e), the states that a vendor brings about rarely.
func TestSourcesInEveryStateInABrowser(t *testing.T) {
	tab := browser.Open(t, *dir)
	b := webtest.Troubled()
	address, link := invented(t, b, "troubled")
	tab.Run(t, chromedp.Navigate(address+link), chromedp.WaitVisible("nav"))
	for _, p := range []string{"settings", "welcome"} {
		tab.Look(t, address+"/"+p, "troubled-"+p)
	}
	shared, err := b.Share(t.Context(), workspace.Default, "calls", 30)
	if err != nil {
		t.Fatal(err)
	}
	tab.Look(t, address+shared.Path, "shared")
}

// played masks the sample text and a clip and looks at the answers, which have no address of their own.
func played(t *testing.T, tab *browser.Tab, address string) {
	t.Helper()
	tab.Dress(t, "light", 1280)
	tab.Run(t, chromedp.Navigate(address+"/playground"), chromedp.Submit("#text"), chromedp.WaitVisible("mark"))
	tab.Shoot(t, "playground-masked-light")
	tab.Check(t, "/playground masked")

	clip := filepath.Join(t.TempDir(), "clip.wav")
	if err := os.WriteFile(clip, []byte("RIFF"), 0o600); err != nil {
		t.Fatal(err)
	}
	tab.Run(t, chromedp.Navigate(address+"/playground"), chromedp.SetUploadFiles("#clip", []string{clip}), chromedp.Submit("#clip"), chromedp.WaitVisible("#stretches"))
	tab.Shoot(t, "playground-heard-light")
	tab.Check(t, "/playground heard")
	tab.Dress(t, "dark", 360)
	tab.Shoot(t, "playground-heard-narrow")
	tab.Check(t, "/playground heard, narrow")
}

// invented serves a business on loopback.
func invented(t *testing.T, b *webtest.Business, secret string) (address, link string) {
	t.Helper()
	b.Link(secret, web.Access{Workspace: workspace.Default, Role: web.Owner})
	srv := httptest.NewServer(web.New(b.Config()))
	t.Cleanup(srv.Close)
	return srv.URL, "/open/" + secret
}
