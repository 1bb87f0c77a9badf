package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"murmur/internal/insight"
	"murmur/internal/web"
	"murmur/internal/web/webtest"
	"murmur/internal/workspace"
)

// TestRecordingsSayWhatTheAPIAnswers: counts, levels and the figure are those of /v1, each under its own name.
func TestRecordingsSayWhatTheAPIAnswers(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	page := b.ask("privacy", "/recordings?period=2026-W47", nil).Body.String()
	inspect(t, "recordings", page)

	var status struct {
		Workspaces map[string]web.WorkspaceStatus
	}
	if err := json.Unmarshal(b.call("privacy", "GET", "/v1/status", "").Body.Bytes(), &status); err != nil {
		t.Fatal(err)
	}
	r := status.Workspaces["default"].Recordings
	if r == nil || r.Stored == 0 || r.Said == "" {
		t.Fatalf("/v1/status answers %+v", r)
	}
	for name, n := range map[string]int64{"Stored": r.Stored, "Transcribed": r.Heard, "Waiting": r.Waiting, "Denied": r.Denied} {
		if want := fmt.Sprintf(`%s</span><span class="big">%d</span>`, name, n); !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if !strings.Contains(page, strings.ToUpper(r.Said[:1])+r.Said[1:]+".") {
		t.Error("the page does not say why recordings wait")
	}

	var sources []web.Source
	if err := json.Unmarshal(b.call("owner", "GET", "/v1/sources", "").Body.Bytes(), &sources); err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		if want := fmt.Sprintf(`<tr><th scope="row">%s</th><td>%s</td><td>`, s.Name, s.Level); !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if !strings.Contains(page, "A refusal is known before a recording is fetched.") {
		t.Error("the page does not say a level in words")
	}

	var week []insight.Figure
	for _, f := range b.Released[workspace.Default] {
		if f.Insight == "recording-consent" && f.Period == "2026-W47" {
			week = append(week, f)
		}
	}
	if len(week) != 3 {
		t.Fatalf("%d figures of consent", len(week))
	}
	for _, f := range week {
		if want := fmt.Sprintf(`data-v="%v"`, *f.Value); !strings.Contains(page, want) {
			t.Errorf("the page lacks %s of %s", want, f.Measure)
		}
	}
}

func TestWhoMayOpenAReceiptFromRecordings(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for role, may := range map[string]bool{"owner": true, "privacy": true, "viewer": false} {
		page := b.ask(role, "/recordings", nil).Body.String()
		if got := strings.Contains(page, `action="/privacy/receipt"`); got != may {
			t.Errorf("as %s the form of receipts is there: %v", role, got)
		}
	}
	page := b.ask("stranger", "/recordings", nil).Body.String()
	if !strings.Contains(page, "No recording is stored") || !strings.Contains(page, "No source is connected") {
		t.Error("another workspace sees recordings or sources")
	}
	empty := with(webtest.Fresh()).ask("owner", "/recordings", nil).Body.String()
	if !strings.Contains(empty, "No recording is stored") || strings.Contains(empty, "Waiting") {
		t.Error("the empty page does not say that nothing is stored")
	}
	b.Counts.Recordings = &web.Recorded{Stored: 2, Waiting: 2, Said: hostile}
	page = b.ask("owner", "/recordings", nil).Body.String()
	inspect(t, "hostile recordings", page)
	if !strings.Contains(html.UnescapeString(page), hostile) || strings.Contains(page, "<script>alert") {
		t.Error("the sentence is not escaped")
	}
	if w := b.ask("", "/recordings", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("without a session: %d", w.Code)
	}
}
