// Package browser looks at pages with a real Chromium: screenshots in light, dark and narrow, and the checks that only
// a browser can make - no console error, no violation of the content security policy, no page that scrolls sideways at
// 320 pixels, charts drawn over their tables. It is imported by tests only.
//
// Zone: open.
package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
)

// looks are the ways each page is looked at. Every look is checked; 320 is only checked.
var looks = []struct {
	name, scheme string
	width        int64
}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"narrow", "light", 360}, {"", "dark", 320}}

// Tab is a tab of a browser, and what it complained about since it was last asked.
type Tab struct {
	ctx context.Context
	dir string // of screenshots; empty: none are made

	mu   sync.Mutex
	said []string
}

// Open starts Chromium, or says what is missing: without a browser the test fails, MURMUR_NO_BROWSER=1 skips it, loudly.
// Screenshots go into dir; empty: none are made.
func Open(t *testing.T, dir string) *Tab {
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
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tab := &Tab{ctx: ctx, dir: dir}
	tab.listen(t)
	return tab
}

func (tab *Tab) listen(t *testing.T) {
	t.Helper()
	err := chromedp.Listen(tab.ctx, func(ev any) {
		tab.mu.Lock()
		defer tab.mu.Unlock()
		switch e := ev.(type) {
		case *log.EventEntryAdded: // policy violations and failed loads come here
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				tab.said = append(tab.said, e.Entry.Text)
			}
		case *runtime.EventExceptionThrown:
			tab.said = append(tab.said, "exception: "+e.ExceptionDetails.Text)
			if x := e.ExceptionDetails.Exception; x != nil {
				tab.said = append(tab.said, x.Description)
			}
		case *runtime.EventConsoleAPICalled:
			tab.said = append(tab.said, "console."+e.Type.String())
		case *network.EventLoadingFailed:
			if !e.Canceled {
				tab.said = append(tab.said, "load failed: "+e.ErrorText)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	call(t, tab, log.Enable, cdp.Empty{})
	call(t, tab, network.Enable, network.EnableParams{})
}

// Check fails the test for everything the browser complained about.
func (tab *Tab) Check(t *testing.T, where string) {
	t.Helper()
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, s := range tab.said {
		t.Errorf("%s: the browser says: %s", where, s)
	}
	tab.said = nil
}

// Forgive forgets a complaint that a test has caused on purpose, such as about an answer of 422.
func (tab *Tab) Forgive(part string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.said = slices.DeleteFunc(tab.said, func(s string) bool { return strings.Contains(s, part) })
}

// Arrive opens an address, unfolds what it folds away and waits for its charts.
func (tab *Tab) Arrive(t *testing.T, url string) {
	t.Helper()
	tab.Run(t, chromedp.Navigate(url), chromedp.WaitReady("footer"))
	Evaluate[bool](t, tab, unfold)
	Evaluate[[]string](t, tab, drawn, chromedp.EvalAwaitPromise)
}

// Look looks at an address in every way.
func (tab *Tab) Look(t *testing.T, url, name string) {
	t.Helper()
	tab.each(t, name, func() { tab.Run(t, chromedp.Navigate(url), chromedp.WaitReady("footer")) })
}

// LookHere looks in every way at what stands in the tab: the answer to a form has no address.
func (tab *Tab) LookHere(t *testing.T, name string) {
	t.Helper()
	tab.each(t, name, func() {})
}

func (tab *Tab) each(t *testing.T, name string, arrive func()) {
	t.Helper()
	for _, l := range looks {
		tab.Dress(t, l.scheme, l.width)
		arrive()
		tab.whole(t, name, l.width)
		if l.name != "" {
			tab.Shoot(t, name+"-"+l.name)
		}
		if Evaluate[bool](t, tab, unfold) {
			tab.whole(t, name+" unfolded", l.width)
		}
		tab.Check(t, name)
	}
}

// whole checks that nothing scrolls sideways and that every chart in sight is drawn.
func (tab *Tab) whole(t *testing.T, name string, width int64) {
	t.Helper()
	for _, u := range Evaluate[[]string](t, tab, drawn, chromedp.EvalAwaitPromise) {
		t.Errorf("%s at %d px: figure %s is not drawn", name, width, u)
	}
	if wide := Evaluate[int](t, tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		t.Errorf("%s at %d px scrolls sideways by %d px", name, width, wide)
	}
}

// unfold opens the charts that a page folds away, and tells whether there are any.
const unfold = `(() => {
	const folded = document.querySelectorAll("details.more:not([open])");
	folded.forEach((d) => { d.open = true; });
	return folded.length > 0;
})()`

// drawn scrolls through the page and waits, at most five seconds, for each figure with two numbers or more to
// have its chart, but for those that are folded away.
const drawn = `(async () => {
	const open = () => [...document.querySelectorAll("figure[data-chart]")]
		.filter((f) => !f.closest("details.more:not([open])") && f.querySelectorAll("tr[data-v]").length > 1 && !f.querySelector("svg"));
	for (let i = 0; i < 100 && open().length; i++) {
		open()[0].scrollIntoView();
		await new Promise((r) => setTimeout(r, 50));
	}
	scrollTo(0, 0);
	return open().map((f) => f.id);
})()`

// Shoot makes a screenshot of the whole page.
func (tab *Tab) Shoot(t *testing.T, name string) {
	t.Helper()
	if tab.dir == "" {
		return
	}
	png, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tab.dir, strings.ReplaceAll(name, "/", "-")+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Dress makes the browser prefer a colour scheme and be so many pixels wide; below 500 it is a telephone.
func (tab *Tab) Dress(t *testing.T, scheme string, width int64) {
	t.Helper()
	call(t, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	call(t, tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: 900, DeviceScaleFactor: 1, Mobile: width < 500})
}

// WithoutScripts keeps pages from running any script from now on.
func (tab *Tab) WithoutScripts(t *testing.T) {
	t.Helper()
	call(t, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// Run carries out steps.
func (tab *Tab) Run(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// Evaluate gives the value of a script.
func Evaluate[T any](t *testing.T, tab *Tab, script string, opts ...chromedp.EvaluateOption) T {
	t.Helper()
	v, err := chromedp.Run(tab.ctx, chromedp.Evaluate[T](script, opts...))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func call[P, R any](t *testing.T, tab *Tab, cmd cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(tab.ctx, cmd, params); err != nil {
		t.Fatal(err)
	}
}

// Top makes a screenshot of the upper part of a page, light and 1,100 pixels wide.
func (tab *Tab) Top(t *testing.T, url, file string, height int64) {
	t.Helper()
	tab.Dress(t, "light", 1100)
	call(t, tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1100, Height: height, DeviceScaleFactor: 1})
	tab.Run(t, chromedp.Navigate(url), chromedp.WaitReady("footer"))
	Evaluate[[]string](t, tab, drawn, chromedp.EvalAwaitPromise)
	png, err := chromedp.Run(tab.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		t.Fatal(err)
	}
}
