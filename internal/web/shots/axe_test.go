package shots

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/chromedp"

	"murmur/internal/web/webtest"
	"murmur/internal/web/webtest/browser"
	"murmur/internal/workspace"
)

var axe = flag.String("axe", "", "file of axe-core (make axe fetches it); empty: the rules of accessibility are not tested")

// finding is a rule that a page breaks.
type finding struct {
	Rule, Impact, Help string
	Nodes              []string
}

// TestAxeFindsNothing: every page of a business, of a first run and of sources in trouble, in light and dark, wide and narrow,
// with its charts drawn and unfolded, breaks none of axe-core's rules seriously.
func TestAxeFindsNothing(t *testing.T) {
	if *axe == "" {
		t.Skip("NOT TESTED: accessibility by axe-core (make axe)")
	}
	source, err := os.ReadFile(*axe)
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for name, b := range map[string]*webtest.Business{"full": webtest.New(), "fresh": webtest.Fresh(), "troubled": webtest.Troubled()} {
		t.Run(name, func(t *testing.T) {
			tab := browser.Open(t, "")
			address, link := invented(t, b, name)
			tab.Run(t, chromedp.Navigate(address+link), chromedp.WaitVisible("nav"))
			shared, err := b.Share(t.Context(), workspace.Default, "calls", 30)
			if err != nil {
				t.Fatal(err)
			}
			paths := []string{"/nowhere", shared.Path}
			for _, p := range pages {
				paths = append(paths, p.path)
			}
			tab.Run(t, chromedp.Navigate(address+"/calls"))
			if f := browser.Evaluate[string](t, tab, `document.querySelector("figure tbody th a")?.getAttribute("href") ?? ""`); f != "" {
				paths = append(paths, f)
			}
			for _, look := range []struct {
				scheme string
				width  int64
			}{{"light", 1280}, {"dark", 1280}, {"light", 360}, {"dark", 360}} {
				tab.Dress(t, look.scheme, look.width)
				for _, path := range paths {
					tab.Arrive(t, address+path)
					for _, f := range audit(t, tab, string(source)) {
						t.Errorf("%s %s %d px: %s (%s): %s\n%v", path, look.scheme, look.width, f.Rule, f.Impact, f.Help, f.Nodes)
					}
					looked++
				}
			}
		})
	}
	if looked < 100 {
		t.Errorf("%d pages were looked at", looked)
	}
	t.Logf("%d looks at pages", looked)
}

// TestAxeFindsAPlant: a picture without a name and grey words on white are found.
func TestAxeFindsAPlant(t *testing.T) {
	if *axe == "" {
		t.Skip("NOT TESTED: accessibility by axe-core (make axe)")
	}
	source, err := os.ReadFile(*axe)
	if err != nil {
		t.Fatal(err)
	}
	tab := browser.Open(t, "")
	address, link := invented(t, webtest.New(), "plant")
	tab.Run(t, chromedp.Navigate(address+link), chromedp.WaitVisible("nav"))
	browser.Evaluate[bool](t, tab, `document.querySelector("h1").style.color = "#ddd", document.querySelector("main").append(document.createElement("img")), true`)
	found := map[string]bool{}
	for _, f := range audit(t, tab, string(source)) {
		found[f.Rule] = true
	}
	if !found["color-contrast"] || !found["image-alt"] {
		t.Errorf("found %v", found)
	}
}

// audit gives what a page breaks seriously or critically.
func audit(t *testing.T, tab *browser.Tab, source string) []finding {
	t.Helper()
	run := fmt.Sprintf(`(async () => {
		if (!window.axe) { (0, eval)(%q); }
		const r = await axe.run(document, {resultTypes: ["violations"]});
		return r.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => (
			{Rule: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))}));
	})()`, source)
	return browser.Evaluate[[]finding](t, tab, run, chromedp.EvalAwaitPromise)
}
