package web_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"murmur/internal/insight"
	"murmur/internal/web/webtest"
)

// visit asks without any session or token.
func (b business) visit(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

// TestASharedPageShowsWhatLeftAndNothingElse: one page, of differentially private figures, with no way to any other.
func TestASharedPageShowsWhatLeftAndNothingElse(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	made := page(t, b, "/settings/share", url.Values{"page": {"calls"}, "days": {"30"}}, http.StatusOK)
	has(t, "the answer", made, "/s/calls-link", "25 Dec 2026")
	hasNot(t, "/settings", page(t, b, "/settings", nil, http.StatusOK), "calls-link")
	w := b.visit("/s/calls-link")
	inspect(t, "/s/calls-link", w.Body.String())
	has(t, "the page", w.Body.String(), "October 2026", "differentially private", "epsilon 1 a month", "September 2026", "10 %", "nobody picked up", "430", "people were in touch")
	hasNot(t, "the page", w.Body.String(), "bookings", `href="/figures/`, `href="/settings`, "2026-W", `aria-label="Pages"`)
	if w.Code != http.StatusOK || w.Header().Get("X-Robots-Tag") != "noindex" || w.Header().Get("Referrer-Policy") != "no-referrer" || len(w.Result().Cookies()) > 0 {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	has(t, "the month before", b.visit("/s/calls-link?month=2026-09").Body.String(), "18 %")
	has(t, "a month that there is not", b.visit("/s/calls-link?month=1999-01").Body.String(), "10 %")
	for path, want := range map[string]int{"/s/topics-link": 404, "/s/": 404, "/s/calls-link/figures.xml": 404, "/calls": 401, "/figures.csv": 401} {
		if w := b.visit(path); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, f := range []url.Values{{"page": {"flows"}, "days": {"30"}}, {"page": {"calls"}, "days": {"0"}}, {"page": {"calls"}, "days": {"999"}}, {"page": {"calls"}, "days": {"x"}}} {
		page(t, b, "/settings/share", f, http.StatusUnprocessableEntity)
	}
	if w := b.ask("viewer", "/settings/share", url.Values{"page": {"calls"}, "days": {"30"}}); w.Code != http.StatusForbidden {
		t.Errorf("a viewer shares: %d", w.Code)
	}
	fresh := with(webtest.Fresh())
	page(t, fresh, "/settings/share", url.Values{"page": {"calls"}, "days": {"30"}}, http.StatusOK)
	has(t, "before the first month", fresh.visit("/s/calls-link").Body.String(), "No month has left yet")
}

// TestAPlatformEmbedsWhatLeft: as JSON with sentences, to scripts of any site, and as tables; guarded figures are in none.
func TestAPlatformEmbedsWhatLeft(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	b.ask("owner", "/settings/share", url.Values{"page": {"calls"}, "days": {"30"}})
	w := b.visit("/s/calls-link/figures.json")
	var v struct {
		Workspace, Page, Title, Period string
		Text                           []string
		Figures                        []insight.Figure
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Cross-Origin-Resource-Policy") != "cross-origin" || v.Page != "calls" || v.Period != "2026-10" || len(v.Figures) != 12 {
		t.Errorf("%v %+v", w.Header(), v)
	}
	has(t, "the text", strings.Join(v.Text, "\n"), "430 (418 to 442) people were in touch, no clear change from 410 (398 to 422) the month before.",
		"Of all calls in open hours, 10 % (7 % to 13 %) were missed, down from 18 % (15 % to 21 %) the month before.")
	for _, f := range v.Figures {
		if f.Tier != "provable" {
			t.Errorf("%s is %s", f.Insight, f.Tier)
		}
	}
	rows, err := csv.NewReader(b.visit("/s/calls-link/figures.csv").Body).ReadAll()
	if err != nil || len(rows) != 13 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if parquet := b.visit("/s/calls-link/figures.parquet").Body.String(); !strings.HasPrefix(parquet, "PAR1") {
		t.Errorf("%.20q", parquet)
	}
}

// TestFiguresAsATable: to each role the figures that it sees.
func TestFiguresAsATable(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for role, tier := range map[string]string{"viewer": "guarded", "outside": "provable"} {
		w := b.call(role, "GET", "/v1/figures.csv", "")
		rows, err := csv.NewReader(w.Body).ReadAll()
		if err != nil || len(rows) < 5 || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Fatalf("%s: %d rows, %v, %v", role, len(rows), err, w.Header())
		}
		for _, r := range rows[1:] {
			if r[12] != tier {
				t.Fatalf("%s is shown %v", role, r)
			}
		}
	}
	if w := b.ask("owner", "/figures.parquet", nil); !strings.HasPrefix(w.Body.String(), "PAR1") || !strings.Contains(w.Header().Get("Content-Disposition"), "figures.parquet") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
