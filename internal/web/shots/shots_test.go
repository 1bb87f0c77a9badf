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
	"context"
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"murmur/internal/web"
	"murmur/internal/web/webtest"
	"murmur/internal/workspace"
)

var (
	dir  = flag.String("shots", "", "folder for the screenshots; empty: only check")
	base = flag.String("base", "", "address of a running server; empty: start an invented one")
	open = flag.String("open", "", "path of its one-time link, /open/TOKEN")
)

// pages are the addresses to look at; a function of the server, because a figure's address is a hash.
var pages = []struct{ name, path string }{
	{"week", "/"}, {"calls", "/calls"}, {"messages", "/messages"}, {"topics", "/topics"}, {"flows", "/flows"},
	{"satisfaction", "/satisfaction"}, {"suggestions", "/suggestions"}, {"privacy", "/privacy"},
	{"playground", "/playground"}, {"pipeline", "/pipeline"}, {"welcome", "/welcome"}, {"figures", "/figures"},
}

// looks are the ways each page is looked at. Every look is checked; 320 is only checked.
var looks = []struct {
	name, scheme string
	width        int64
}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"narrow", "light", 360}, {"", "dark", 320}}

func TestPagesInABrowser(t *testing.T) {
	ctx := browser(t)
	address, link := *base, *open
	if address == "" {
		address, link = invented(t, webtest.New(), "full")
	}
	watch := listen(t, ctx)
	if link != "" {
		run(t, ctx, chromedp.Navigate(address+link), chromedp.WaitVisible("nav"))
	}
	for _, p := range pages {
		look(t, ctx, watch, address+p.path, p.name)
	}
	run(t, ctx, chromedp.Navigate(address+"/calls"))
	figure := evaluate[string](t, ctx, `document.querySelector("figure tbody th a")?.getAttribute("href") ?? ""`)
	if figure != "" {
		look(t, ctx, watch, address+figure, "figure")
	} else if *base == "" {
		t.Error("/calls links no figure")
	}
	if *base == "" {
		played(t, ctx, watch, address)
	}
}

func TestFirstRunInABrowser(t *testing.T) {
	if *base != "" {
		t.Skip("only for the invented business")
	}
	ctx := browser(t)
	watch := listen(t, ctx)
	address, link := invented(t, webtest.Fresh(), "fresh")
	run(t, ctx, chromedp.Navigate(address+link), chromedp.WaitVisible("nav")) // goes on by itself
	for _, p := range pages {
		look(t, ctx, watch, address+p.path, "empty-"+p.name)
	}
}

// played masks the sample text and looks at the answer, which has no address of its own.
func played(t *testing.T, ctx context.Context, watch *watcher, address string) {
	t.Helper()
	dress(t, ctx, "light", 1280)
	run(t, ctx, chromedp.Navigate(address+"/playground"),
		chromedp.Submit("#text"), chromedp.WaitVisible("mark"))
	shoot(t, ctx, "playground-masked-light")
	watch.check(t, "/playground masked")
}

// invented serves a business on loopback.
func invented(t *testing.T, b *webtest.Business, secret string) (address, link string) {
	t.Helper()
	b.Link(secret, web.Access{Workspace: workspace.Default, Role: web.Owner})
	srv := httptest.NewServer(web.New(b.Config()))
	t.Cleanup(srv.Close)
	return srv.URL, "/open/" + secret
}

// browser starts Chromium, or says what is missing.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		const what = "no chromium found: pages are not looked at, their console, policy and width are NOT TESTED"
		if os.Getenv("MURMUR_NO_BROWSER") == "1" {
			t.Skip("SKIPPED LOUDLY: " + what)
		}
		t.Fatal(what + " (apt-get install chromium, or MURMUR_NO_BROWSER=1 to go without)")
	}
	within, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	alloc, stop := chromedp.NewExecAllocator(within,
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true))
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(alloc)
	t.Cleanup(closeTab)
	if *dir != "" {
		if err := os.MkdirAll(*dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return ctx
}

// watcher collects what the browser complains about.
type watcher struct {
	mu   sync.Mutex
	said []string
}

func listen(t *testing.T, ctx context.Context) *watcher {
	t.Helper()
	w := &watcher{}
	err := chromedp.Listen(ctx, func(ev any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch e := ev.(type) {
		case *log.EventEntryAdded: // policy violations and failed loads come here
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				w.said = append(w.said, e.Entry.Text)
			}
		case *runtime.EventExceptionThrown:
			w.said = append(w.said, "exception: "+e.ExceptionDetails.Text)
			if x := e.ExceptionDetails.Exception; x != nil {
				w.said = append(w.said, x.Description)
			}
		case *runtime.EventConsoleAPICalled:
			w.said = append(w.said, "console."+e.Type.String())
		case *network.EventLoadingFailed:
			if !e.Canceled {
				w.said = append(w.said, "load failed: "+e.ErrorText)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	call(t, ctx, log.Enable, cdp.Empty{})
	call(t, ctx, network.Enable, network.EnableParams{})
	return w
}

func (w *watcher) check(t *testing.T, where string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.said {
		t.Errorf("%s: the browser says: %s", where, s)
	}
	w.said = nil
}

func look(t *testing.T, ctx context.Context, watch *watcher, url, name string) {
	t.Helper()
	for _, l := range looks {
		dress(t, ctx, l.scheme, l.width)
		run(t, ctx, chromedp.Navigate(url), chromedp.WaitReady("footer"))
		undrawn := evaluate[[]string](t, ctx, drawn, chromedp.EvalAwaitPromise)
		wide := evaluate[int](t, ctx, `document.documentElement.scrollWidth - document.documentElement.clientWidth`)
		if wide > 0 {
			t.Errorf("%s at %d px scrolls sideways by %d px", name, l.width, wide)
		}
		for _, u := range undrawn {
			t.Errorf("%s at %d px: figure %s is not drawn", name, l.width, u)
		}
		watch.check(t, name)
		if l.name != "" {
			shoot(t, ctx, name+"-"+l.name)
		}
	}
}

// drawn scrolls through the page and waits, at most five seconds, for each figure with two numbers or more to
// have its chart.
const drawn = `(async () => {
	const open = () => [...document.querySelectorAll("figure[data-chart]")]
		.filter((f) => f.querySelectorAll("tr[data-v]").length > 1 && !f.querySelector("svg"));
	for (let i = 0; i < 100 && open().length; i++) {
		open()[0].scrollIntoView();
		await new Promise((r) => setTimeout(r, 50));
	}
	scrollTo(0, 0);
	return open().map((f) => f.id);
})()`

func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if *dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*dir, strings.ReplaceAll(name, "/", "-")+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// dress makes the browser prefer a colour scheme and be so many pixels wide; below 500 it is a telephone.
func dress(t *testing.T, ctx context.Context, scheme string, width int64) {
	t.Helper()
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: 900, DeviceScaleFactor: 1, Mobile: width < 500})
}

func run(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func evaluate[T any](t *testing.T, ctx context.Context, script string, opts ...chromedp.EvaluateOption) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, opts...))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func call[P, R any](t *testing.T, ctx context.Context, cmd cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(ctx, cmd, params); err != nil {
		t.Fatal(err)
	}
}
