package e2e

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"murmur/internal/rpc"
	"murmur/internal/server"
	"murmur/internal/web/webtest/browser"
)

var shots = flag.String("shots", "", "folder for screenshots of the first run; empty: only check")

// openPages opens the pages of a house in a browser, with the link that its server left.
func (h *house) openPages(t *testing.T, tab *browser.Tab) {
	t.Helper()
	link := regexp.MustCompile(`/open/[A-Za-z0-9_-]+`)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		b, _ := os.ReadFile(filepath.Join(h.data, server.LinkFile)) // not there yet
		if path := link.Find(b); path != nil {
			tab.Run(t, chromedp.Navigate(h.base+string(path)), chromedp.WaitVisible("nav"))
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the server left no link")
		}
	}
}

// pasteKey fills in the form of a new source, sends it and waits for the answer; the page that stood there is marked, so
// that it is not taken for the answer.
func pasteKey(t *testing.T, tab *browser.Tab, name, key, base string) {
	t.Helper()
	browser.Evaluate[bool](t, tab, `(() => { document.body.className = "sent"; for (const d of document.querySelectorAll("details")) d.open = true; return true })()`)
	tab.Run(t,
		chromedp.SetValue("#api_base", base), chromedp.SetValue("#name", name),
		chromedp.SendKeys("#api_key", key), chromedp.Submit("#api_key"),
		chromedp.WaitReady("body:not(.sent) footer"))
}

// until waits for a script to be true, in the page as it stands.
func until(t *testing.T, tab *browser.Tab, script string) {
	t.Helper()
	ok := browser.Evaluate[bool](t, tab, `(async () => {
		for (let i = 0; i < 1200 && !(`+script+`); i++) await new Promise((r) => setTimeout(r, 50));
		return Boolean(`+script+`);
	})()`, chromedp.EvalAwaitPromise)
	if !ok {
		t.Fatalf("it does not come about: %s", script)
	}
}

func text(t *testing.T, tab *browser.Tab, selector string) string {
	t.Helper()
	return browser.Evaluate[string](t, tab, `document.querySelector(`+"`"+selector+"`"+`)?.innerText ?? ""`)
}

func says(t *testing.T, tab *browser.Tab, wants ...string) {
	t.Helper()
	main := text(t, tab, "main")
	for _, want := range wants {
		if !strings.Contains(main, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestFirstFigureInABrowser: open the first run, paste a wrong key and then the right one, and watch the history and the
// first figure come in on the same page.
func TestFirstFigureInABrowser(t *testing.T) {
	tab := browser.Open(t, *shots)
	base := startQuo(t, 400, "--rate", "4", "--start", time.Now().AddDate(0, 0, -29).Format(time.DateOnly))
	h := open(t, newData(t), base)
	h.openPages(t, tab)
	tab.Run(t, chromedp.Navigate(h.base+"/welcome"), chromedp.WaitReady("footer"))

	pasteKey(t, tab, "quo", "not-the-key", base)
	tab.Forgive("422")
	says(t, tab, "The vendor does not accept the API key", "Copy it once more")
	if kept := browser.Evaluate[string](t, tab, `document.querySelector("#api_base").value + "|" + document.querySelector("#api_key").value`); kept != base+"|" {
		t.Error("the form does not come back with the address and without the key")
	}
	if focus := browser.Evaluate[string](t, tab, `document.activeElement.id`); focus != "api_key" {
		t.Errorf("the focus is on %q", focus)
	}
	tab.LookHere(t, "welcome-wrong-key")

	began := time.Now()
	pasteKey(t, tab, "quo", quoKey, base)
	says(t, tab, "quo is connected", "The key works", "yes; not asked for until you allow it")
	until(t, tab, `document.querySelector("#history progress")?.value > 0`)
	tab.LookHere(t, "welcome-backfill")
	until(t, tab, `document.querySelector("#history .sentence") !== null`)
	t.Logf("the first figure shows %s after the key was sent", time.Since(began).Round(100*time.Millisecond))
	tab.LookHere(t, "welcome-first-figures")
	if secret := browser.Evaluate[bool](t, tab, `document.body.innerHTML.includes("`+quoKey+`")`); secret {
		t.Error("the page holds the key")
	}
	h.polling(caughtUp)
	until(t, tab, `document.querySelector("#history .tag.live") !== null`)
	if said := text(t, tab, "#history-said"); said == "" {
		t.Error("nothing was announced")
	}
	tab.Check(t, "the first run")
	tab.Look(t, h.base+"/settings", "settings-live")
}

// TestAHistoryWithoutAScriptInABrowser: the same way for who has no script: forms, and a page that reloads itself.
func TestAHistoryWithoutAScriptInABrowser(t *testing.T) {
	tab := browser.Open(t, *shots)
	base := startQuo(t, 200, "--rate", "5", "--start", time.Now().AddDate(0, 0, -29).Format(time.DateOnly))
	h := open(t, newData(t), base)
	tab.WithoutScripts(t)
	h.openPages(t, tab)
	tab.Run(t, chromedp.Navigate(h.base+"/welcome"), chromedp.WaitReady("footer"),
		chromedp.Click(".further summary"), chromedp.WaitVisible("#api_base"),
		chromedp.SendKeys("#api_base", base), chromedp.SendKeys("#api_key", quoKey+"\r"), chromedp.WaitVisible("#source ~ .note"),
		chromedp.Click(`a[href="/welcome/history"]`), chromedp.WaitVisible("#history .sentence"), chromedp.WaitVisible("#history .tag.live"))
	tab.Shoot(t, "history-without-a-script")
	tab.Check(t, "/welcome/history")
}

// TestSourcesInTroubleInABrowser: a key that is revoked in the middle of a history, and a plan without transcripts.
func TestSourcesInTroubleInABrowser(t *testing.T) {
	tab := browser.Open(t, *shots)
	plain := startQuo(t, 60, "--rate", "0", "--no-transcripts")
	revoked := startQuo(t, 400, "--every", "14", "--faults", "revoked key")
	h := open(t, newData(t), plain, revoked)
	h.policy("transcripts", "notice")
	h.openPages(t, tab)
	tab.Run(t, chromedp.Navigate(h.base+"/welcome"), chromedp.WaitReady("footer"))
	pasteKey(t, tab, "plain", quoKey, plain)
	says(t, tab, "no: not in this plan")
	tab.LookHere(t, "welcome-plan-without-transcripts")
	h.polling(func(p rpc.Polling) bool { return len(p.Missing) > 0 })

	tab.Run(t, chromedp.Navigate(h.base+"/welcome"), chromedp.WaitReady("footer"))
	pasteKey(t, tab, "revoked", quoKey, revoked)
	h.polling(func(p rpc.Polling) bool { return p.State == "stopped" })
	until(t, tab, `document.querySelector("#history .tag.stopped") !== null`)
	tab.Look(t, h.base+"/settings", "settings-trouble")
	says(t, tab, "Stopped", "The vendor does not accept the API key", "Make a new one at the vendor", "Transcripts are not in this plan")

	press := func(form string) {
		browser.Evaluate[bool](t, tab, `(document.body.className = "sent") === "sent"`)
		tab.Run(t, chromedp.Submit(`form[action="/settings/`+form+`"] input`), chromedp.WaitReady("body:not(.sent) footer"))
	}
	press("pause")
	says(t, tab, "Paused")
	press("resume")
	press("remove")
	if rest := browser.Evaluate[int](t, tab, `document.querySelectorAll("article.source").length`); rest != 1 {
		t.Errorf("%d sources are left", rest)
	}
	tab.Check(t, "/settings")
}
