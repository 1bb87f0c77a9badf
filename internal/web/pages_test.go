package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"murmur/internal/insight"
	"murmur/internal/web"
	"murmur/internal/web/webtest"
	"murmur/internal/workspace"
)

var paths = []string{"/", "/calls", "/messages", "/topics", "/flows", "/satisfaction", "/suggestions", "/privacy", "/recordings",
	"/playground", "/pipeline", "/welcome", "/welcome/history", "/settings", "/figures", "/topics/else"}

// business is a business, its handler and the ways in.
type business struct {
	*webtest.Business
	http.Handler
}

func with(b *webtest.Business) business {
	other := workspace.MustParse("other")
	b.Grant("owner", web.Access{Workspace: workspace.Default, Role: web.Owner})
	b.Grant("viewer", web.Access{Workspace: workspace.Default, Role: web.Viewer})
	b.Grant("privacy", web.Access{Workspace: workspace.Default, Role: web.Privacy})
	b.Grant("outside", web.Access{Workspace: workspace.Default, Role: web.Outside})
	b.Grant("spare", web.Access{Workspace: workspace.Default, Role: web.Viewer}) // to be revoked
	b.Grant("stranger", web.Access{Workspace: other, Role: web.Owner})
	b.Grant("operator", web.Access{Workspace: other, Role: web.Owner, Operator: true})
	return business{b, web.New(b.Config())}
}

// ask sends a request with a session; form "" is a GET.
func (b business) ask(session, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	if form != nil {
		r = httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if session != "" {
		r.AddCookie(&http.Cookie{Name: "murmur", Value: session})
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

// The page says of which figures some people are not verified, and how many are, in bands.
func TestThePrivacyPageSaysWhoIsVerified(t *testing.T) {
	t.Parallel()
	b := webtest.New()
	said := "Verified</th>"
	if page := with(b).ask("viewer", "/privacy", nil).Body.String(); strings.Contains(page, said) || !strings.Contains(page, "all people, or nearly all, are verified") {
		t.Error("the page speaks of people who are not verified")
	}
	for i, f := range b.Released[workspace.Default] {
		if f.Insight == "satisfaction" && f.Hidden == "" {
			b.Released[workspace.Default][i].Contacts, b.Released[workspace.Default][i].Verified = "20-49", "10-19"
		}
	}
	if page := with(b).ask("viewer", "/privacy", nil).Body.String(); !strings.Contains(page, said) || !strings.Contains(page, "<td>20 to 49</td><td>10 to 19</td>") {
		t.Error("the page says nothing of people who are not verified")
	}
}

func hidden() *webtest.Business {
	b := webtest.New()
	fs := b.Released[workspace.Default]
	for i := range fs {
		fs[i].Value, fs[i].Low, fs[i].High, fs[i].Base, fs[i].Contacts = nil, nil, nil, 0, ""
		fs[i].Hidden = []string{"small-group", "no-data"}[i%2]
	}
	return b
}

const hostile = `"><script>alert(1)</script>&<img src=x onerror=alert(1)>' javascript:alert(1) {{.}}`

// poisoned has a hostile string wherever a name of somebody's making is shown.
func poisoned() *webtest.Business {
	b := webtest.New()
	fs := b.Released[workspace.Default]
	for i := range fs {
		for d, names := range fs[i].Split {
			if d != "hour_of_week" {
				fs[i].Split[d] = append(slices.Clone(names), hostile)
			}
		}
		fs[i].Split = maps(fs[i].Split)
		fs[i].Settings = map[string]string{"min_group": hostile, hostile: hostile}
		fs[i].Period = strings.Replace(fs[i].Period, "2026-W40", hostile, 1)
	}
	b.Held[0].Reason, b.Held[0].Words = hostile, hostile
	b.Feeds[0].Name, b.Feeds[0].Kind = hostile, hostile
	b.Changes[0].Reason, b.Changes[0].To = hostile, hostile
	b.Storage[0].What, b.Entries.Head, b.Entries.Counts[0].Kind = hostile, hostile, hostile
	b.Counts.BySource[hostile] = web.Counts{}
	return b
}

func maps(m map[string][]string) map[string][]string {
	if m != nil {
		if _, hours := m["hour_of_week"]; !hours {
			m[hostile] = []string{hostile}
		}
	}
	return m
}

func TestEveryPageRenders(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]*webtest.Business{"full": webtest.New(), "empty": webtest.Fresh(), "hidden": hidden(), "hostile": poisoned()} {
		b := with(b)
		all := slices.Clone(paths)
		for _, f := range regexp.MustCompile(`/figures/[a-z2-7]{16}`).FindAllString(b.ask("owner", "/calls", nil).Body.String(), 20) {
			all = append(all, f)
		}
		if name != "empty" && len(all) < len(paths)+5 {
			t.Errorf("%s: /calls links %d figures", name, len(all)-len(paths))
		}
		for _, path := range all {
			for _, role := range []string{"owner", "viewer"} {
				w := b.ask(role, path, nil)
				if role == "viewer" && (strings.HasPrefix(path, "/welcome") || path == "/settings" || path == "/topics/else") {
					if w.Code != http.StatusForbidden {
						t.Errorf("%s %s as viewer: %d", name, path, w.Code)
					}
				} else if w.Code != http.StatusOK {
					t.Errorf("%s %s as %s: %d", name, path, role, w.Code)
				}
				inspect(t, name+" "+path, w.Body.String())
			}
		}
	}
}

var voids = []string{"meta", "link", "img", "input", "br", "hr"}

// inspect checks that a page is whole, harmless and accessible as far as markup goes.
func inspect(t *testing.T, name, page string) {
	t.Helper()
	balanced(t, name, page)
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	ids, labels, references := map[string]int{}, map[string]bool{}, []string{}
	counts := map[string]int{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		counts[n.Data]++
		at := attributes(n)
		for k, v := range at {
			if strings.HasPrefix(k, "on") || k == "style" {
				t.Errorf("%s: <%s> has %s", name, n.Data, k)
			}
			if (k == "href" || k == "src" || k == "action") && !strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "#") && !strings.HasPrefix(v, "?") {
				t.Errorf("%s: <%s %s> leaves this server", name, n.Data, k)
			}
			if k == "aria-labelledby" || k == "aria-describedby" || k == "for" {
				references = append(references, strings.Fields(v)...)
			}
		}
		if id := at["id"]; id != "" {
			ids[id]++
		}
		switch n.Data {
		case "script":
			if at["src"] == "" || n.FirstChild != nil {
				t.Errorf("%s: inline script", name)
			}
		case "style", "iframe", "object", "embed", "base":
			t.Errorf("%s: <%s>", name, n.Data)
		case "html":
			if at["lang"] == "" {
				t.Errorf("%s: no lang", name)
			}
		case "img":
			if _, ok := at["alt"]; !ok {
				t.Errorf("%s: <img> without alt", name)
			}
		case "label":
			labels[at["for"]] = true
		case "th":
			if at["scope"] == "" {
				t.Errorf("%s: <th> without scope", name)
			}
		case "button", "a", "title", "h1", "h2", "h3":
			if text(n) == "" && at["aria-label"] == "" {
				t.Errorf("%s: empty <%s>", name, n.Data)
			}
		}
	}
	for n := range doc.Descendants() {
		at := attributes(n)
		if n.Type == html.ElementNode && slices.Contains([]string{"input", "select", "textarea"}, n.Data) && at["type"] != "hidden" && !labels[at["id"]] {
			t.Errorf("%s: <%s name=%s> has no label", name, n.Data, at["name"])
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: id %q %d times", name, id, n)
		}
	}
	for _, r := range references {
		if ids[r] == 0 {
			t.Errorf("%s: reference to missing id %q", name, r)
		}
	}
	if counts["h1"] != 1 || counts["title"] != 1 || counts["main"] != 1 {
		t.Errorf("%s: %d h1, %d title, %d main", name, counts["h1"], counts["title"], counts["main"])
	}
}

// balanced checks that every element that is opened is closed, in order.
func balanced(t *testing.T, name, page string) {
	t.Helper()
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				t.Errorf("%s: %v", name, z.Err())
			}
			if len(open) > 0 {
				t.Errorf("%s: never closed: %v", name, open)
			}
			return
		case html.StartTagToken:
			if tag := z.Token().Data; !slices.Contains(voids, tag) {
				open = append(open, tag)
			}
		case html.EndTagToken:
			tag := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != tag {
				t.Errorf("%s: </%s> closes %v", name, tag, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
}

func attributes(n *html.Node) map[string]string {
	m := map[string]string{}
	for _, a := range n.Attr {
		m[a.Key] = a.Val
	}
	return m
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestFiguresAreNeverBare(t *testing.T) {
	t.Parallel()
	page := html.UnescapeString(with(webtest.New()).ask("owner", "/calls?period=2026-W48", nil).Body.String())
	for _, want := range []string{"11-23 %", "hidden: fewer than 5 people", "of 1", "people", "Late line or Parts", "merged", "Mon 00:00-08:00"} {
		if !strings.Contains(page, want) {
			t.Errorf("/calls lacks %q", want)
		}
	}
	for _, f := range []string{"small-group", "no-data", "members_did_not_answer"} {
		if strings.Contains(page, f) {
			t.Errorf("/calls shows the machine word %q", f)
		}
	}
}

func TestHiddenFiguresSayWhy(t *testing.T) {
	t.Parallel()
	b := with(hidden())
	for _, path := range []string{"/calls", "/topics", "/flows", "/satisfaction"} {
		page := b.ask("owner", path, nil).Body.String()
		if !strings.Contains(page, "hidden: fewer than") && !strings.Contains(page, "nothing to count") || strings.Contains(page, `class="big"`) {
			t.Errorf("%s does not say why its figures are hidden", path)
		}
	}
}

func TestExplainTellsWhyGroupsAreMerged(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	link := regexp.MustCompile(`/figures/([a-z2-7]{16})">Late line or Parts`).FindStringSubmatch(html.UnescapeString(b.ask("owner", "/calls", nil).Body.String()))
	if link == nil {
		t.Fatal("the merged group has no link")
	}
	page := b.ask("owner", "/figures/"+link[1], nil).Body.String()
	for _, want := range []string{"Merged because fewer than 5", "Wilson", "10-19 distinct contacts", "calls given up at once, in seconds", "Europe/Berlin", "quo"} {
		if !strings.Contains(page, want) {
			t.Errorf("the explanation lacks %q", want)
		}
	}
	if w := b.ask("stranger", "/figures/"+link[1], nil); w.Code != http.StatusNotFound {
		t.Errorf("another workspace's session sees the figure: %d", w.Code)
	}
}

func TestSessionsBeginWithAOneTimeLink(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	if w := b.ask("", "/", nil); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "missed") {
		t.Errorf("without a session: %d", w.Code)
	}
	b.Link("once", web.Access{Workspace: workspace.Default, Role: web.Owner})
	head := httptest.NewRecorder()
	b.ServeHTTP(head, httptest.NewRequest("HEAD", "/open/once", nil))
	w := b.ask("", "/open/once", nil)
	if w.Code != http.StatusOK || len(w.Result().Cookies()) != 1 {
		t.Fatalf("link: %d with %d cookies (a HEAD must not use it up)", w.Code, len(w.Result().Cookies()))
	}
	c := w.Result().Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || len(c.Value) < 43 {
		t.Errorf("cookie: %+v", c)
	}
	if w := b.ask(c.Value, "/", nil); w.Code != http.StatusOK {
		t.Errorf("with the session: %d", w.Code)
	}
	if w := b.ask("", "/open/once", nil); w.Code != http.StatusNotFound || len(w.Result().Cookies()) != 0 {
		t.Errorf("the link worked twice: %d", w.Code)
	}
	if w := b.ask(c.Value, "/close", url.Values{}); w.Code != http.StatusOK {
		t.Errorf("close: %d", w.Code)
	}
	if w := b.ask(c.Value, "/", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("after close: %d", w.Code)
	}

	secure := webtest.New()
	cfg := secure.Config()
	cfg.SecureHost = "example.com"
	secure.Link("once", web.Access{Workspace: workspace.Default, Role: web.Owner})
	w = httptest.NewRecorder()
	web.New(cfg).ServeHTTP(w, httptest.NewRequest("GET", "/open/once", nil))
	if c := w.Result().Cookies()[0]; c.Name != "__Host-murmur" || !c.Secure || w.Header().Get("Strict-Transport-Security") == "" {
		t.Errorf("behind TLS: %s secure=%v", c.Name, c.Secure)
	}
}

func TestFormsActAndKeepPeopleOutOfAddresses(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	const person = "+12025550143"
	for _, c := range []struct {
		role, path string
		form       url.Values
		code       int
		said       string
	}{
		{"privacy", "/privacy/erase", url.Values{"contact": {person}}, 200, "erase"},
		{"privacy", "/privacy/opt-out", url.Values{"contact": {person}}, 303, "opt-out"},
		{"viewer", "/privacy/erase", url.Values{"contact": {person}}, 403, ""},
		{"privacy", "/privacy/erase", url.Values{"contact": {"nonsense"}}, 422, ""},
		{"privacy", "/privacy/erase", url.Values{"contact": {strings.Repeat("9", 400)}}, 422, ""},
		{"owner", "/pipeline/replay", url.Values{"reason": {"bad_field"}}, 303, "replay bad_field"},
		{"owner", "/pipeline/replay", url.Values{"reason": {"unheard"}}, 404, ""},
		{"privacy", "/pipeline/replay", url.Values{"reason": {"bad_field"}}, 403, ""},
		{"owner", "/welcome/policy", url.Values{"recordings": {"opt-in"}, "reason": {"callers should say yes"}}, 303, ""},
		{"owner", "/welcome/policy", url.Values{"recordings": {"always"}, "reason": {"more data"}}, 422, ""},
		{"owner", "/welcome/policy", url.Values{"recordings": {"deny"}}, 422, ""},
		{"owner", "/welcome/source", url.Values{"kind": {"typeform"}}, 200, ""},
		{"owner", "/welcome/source", url.Values{"kind": {"fax"}}, 422, ""},
		{"owner", "/settings/pause", url.Values{"source": {"quo"}}, 303, "paused quo"},
		{"owner", "/settings/resume", url.Values{"source": {"quo"}}, 303, "live quo"},
		{"owner", "/settings/pause", url.Values{"source": {"unheard"}}, 404, ""},
		{"privacy", "/settings/pause", url.Values{"source": {"quo"}}, 403, ""},
		{"owner", "/settings/key", url.Values{"source": {"quo"}, "api_key": {webtest.GoodKey}}, 303, "rekeyed quo"},
		{"privacy", "/settings/key", url.Values{"source": {"quo"}, "api_key": {webtest.GoodKey}}, 403, ""},
		{"owner", "/settings/secret", url.Values{"source": {"quo"}}, 200, "rotated quo"},
		{"owner", "/settings/policy", url.Values{"raw-hours": {"12"}, "reason": {"less is enough"}}, 303, ""},
		{"privacy", "/settings/remove", url.Values{"source": {"typeform"}}, 403, ""},
		{"owner", "/settings/remove", url.Values{"source": {"typeform"}}, 303, "removed typeform"},
		{"privacy", "/welcome/source", url.Values{"kind": {"typeform"}}, 403, ""},
		{"", "/privacy/erase", url.Values{"contact": {person}}, 401, ""},
	} {
		before := len(b.Said)
		w := b.ask(c.role, c.path, c.form)
		if w.Code != c.code {
			t.Errorf("%s as %q: %d, want %d", c.path, c.role, w.Code, c.code)
		}
		if said := strings.Join(b.Said[before:], ";"); said != c.said {
			t.Errorf("%s as %q did %q, want %q", c.path, c.role, said, c.said)
		}
		if strings.Contains(w.Header().Get("Location")+w.Body.String(), person) {
			t.Errorf("%s repeats the contact", c.path)
		}
		if w.Code != http.StatusSeeOther {
			inspect(t, c.path, w.Body.String())
		}
	}
	if p, _ := b.Policy(t.Context(), workspace.Default); p.Recordings != workspace.OptIn {
		t.Errorf("recordings are %q", p.Recordings)
	}
}

func TestPlaygroundMasksAndEscapes(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	w := b.ask("viewer", "/playground", url.Values{"text": {`Lena Vogt <script>alert(1)</script> lena@example.org`}})
	page := w.Body.String()
	inspect(t, "playground", page)
	for _, want := range []string{"<mark>[NAME]</mark>", "<mark>[EMAIL]</mark>", "&lt;script&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if w := b.ask("viewer", "/playground", url.Values{"text": {strings.Repeat("a", 100_001)}}); w.Code != 422 {
		t.Errorf("a text over the limit: %d", w.Code)
	}
	if w := b.ask("viewer", "/playground", url.Values{"text": {strings.Repeat("a", 2<<20)}}); w.Code != 413 && w.Code != 422 {
		t.Errorf("a body over the limit: %d", w.Code)
	}
}

func TestSuggestionsAreAppliedAndMeasured(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	page := b.ask("owner", "/suggestions", nil).Body.String()
	ids := regexp.MustCompile(`name="id" value="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(ids) == 0 {
		t.Fatal("no suggestion to apply")
	}
	for _, id := range ids {
		if w := b.ask("owner", "/suggestions", url.Values{"id": {id[1]}, "applied": {"yes"}}); w.Code != http.StatusSeeOther {
			t.Errorf("apply: %d", w.Code)
		}
	}
	page = b.ask("owner", "/suggestions", nil).Body.String()
	inspect(t, "suggestions", page)
	if !strings.Contains(page, "Applied, being measured") && !strings.Contains(page, ">Measured<") {
		t.Error("an applied suggestion is not shown as applied")
	}
	if strings.Contains(page, `value="yes"`) {
		t.Error("an applied suggestion is still open")
	}
}

func TestEveryAnswerIsProtected(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for _, path := range append(slices.Clone(paths), "/v1/figures", "/openapi.json", "/static/murmur.css", "/nowhere", "/open/x") {
		h := b.ask("owner", path, nil).Header()
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers are missing", path)
		}
		if !strings.HasPrefix(path, "/static/") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be stored", path)
		}
	}
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		r := httptest.NewRequest("POST", "/privacy/erase", strings.NewReader("contact=%2B12025550143"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(header, value)
		r.AddCookie(&http.Cookie{Name: "murmur", Value: "owner"})
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || len(b.Said) > 0 {
			t.Errorf("a form of another site (%s): %d, did %v", header, w.Code, b.Said)
		}
	}
}

func TestPagesShowWhatTheAPIAnswers(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	var week []insight.Figure
	for _, f := range b.Released[workspace.Default] {
		if f.Period == "2026-W47" && f.Insight == "contact-reasons" {
			week = append(week, f)
		}
	}
	page := b.ask("owner", "/topics?period=2026-W47", nil).Body.String()
	for _, f := range week {
		if want := fmt.Sprintf(`data-v="%v"`, *f.Value); !strings.Contains(page, want) {
			t.Errorf("/topics lacks %s", want)
		}
	}
}

// TestTheCookieNamesItsPort: cookies know no ports (RFC 6265 8.5), so on plain HTTP the name has it.
func TestTheCookieNamesItsPort(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	b.Business.Links[web.HashOf("a link")] = web.Access{Workspace: workspace.Default, Role: web.Owner}
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8377/open/a%20link", nil)
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != "murmur-8377" || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode {
		t.Errorf("%d, %v", w.Code, c)
	}
}
