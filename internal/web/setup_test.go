package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"murmur/internal/web"
	"murmur/internal/web/webtest"
	"murmur/internal/workspace"
)

func page(t *testing.T, b business, path string, form url.Values, code int) string {
	t.Helper()
	w := b.ask("owner", path, form)
	if w.Code != code {
		t.Fatalf("%s: %d, want %d", path, w.Code, code)
	}
	inspect(t, path, w.Body.String())
	return html.UnescapeString(w.Body.String())
}

func has(t *testing.T, where, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("%s does not say %q", where, want)
		}
	}
}

func hasNot(t *testing.T, where, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if strings.Contains(page, want) {
			t.Errorf("%s says %q", where, want)
		}
	}
}

func TestEveryStateOfASourceIsInWords(t *testing.T) {
	t.Parallel()
	b := with(webtest.Troubled())
	seen := map[string]bool{}
	for _, s := range b.Feeds {
		seen[s.State] = true
	}
	for _, s := range web.SourceStates {
		if !seen[s] {
			t.Errorf("no source is %s: that state is not looked at", s)
		}
	}
	settings := page(t, b, "/settings", nil, http.StatusOK)
	has(t, "/settings", settings, "Up to date", "Listens", "Begins in a moment", "History comes in", "Paused", "Stopped",
		"The vendor does not accept the API key", "Make a new one at the vendor", "once an hour", "Interrupted", "The vendor's API cannot be reached", "tried again every minute",
		"Transcripts are not in this plan", "2 minutes ago", "none yet", "37 %", "L1: A refusal is known before a recording is fetched", "Pause", "Resume", "Remove")
	hasNot(t, "/settings", settings, "murmur connect", "L2:")
	has(t, "/welcome", page(t, b, "/welcome", nil, http.StatusOK), `value="37"`, "4,120 so far", "about 6 minutes left", "The first figures")
	has(t, "an empty /settings", page(t, with(webtest.Fresh()), "/settings", nil, http.StatusOK), "Nothing is connected yet", `href="/welcome"`)
}

func TestASourceThatOnlyDeliversCannotBePausedOrRekeyed(t *testing.T) {
	t.Parallel()
	b := webtest.New()
	b.Feeds = b.Feeds[1:]
	settings := page(t, with(b), "/settings", nil, http.StatusOK)
	has(t, "/settings", settings, "webhook alone", "/settings/secret", "/settings/remove")
	hasNot(t, "/settings", settings, "/settings/pause", "/settings/key")
}

// TestARefusedKeyKeepsTheFormButNoSecret: what was typed is there again, but for the key and the secret.
func TestARefusedKeyKeepsTheFormButNoSecret(t *testing.T) {
	t.Parallel()
	b := with(webtest.Fresh())
	typed := url.Values{"kind": {"quo"}, "name": {"quo-main"}, "api_base": {"https://api.example.com"}, "public_url": {"https://murmur.example.com"},
		"api_key": {"a-wrong-secret-key"}, "secret": {"a-signing-secret"}}
	again := page(t, b, "/welcome/source", typed, http.StatusUnprocessableEntity)
	has(t, "the form", again, "The vendor does not accept the API key", "Copy it once more", `role="alert"`, `aria-invalid="true"`,
		`value="quo-main"`, `value="https://api.example.com"`, `value="https://murmur.example.com"`, `value="quo" checked`)
	hasNot(t, "the form", again, "a-wrong-secret-key", "a-signing-secret")
	if len(b.Feeds) > 0 {
		t.Error("a source was stored")
	}
	typed.Set("name", "taken")
	has(t, "the form", page(t, b, "/welcome/source", typed, http.StatusUnprocessableEntity), "A source of that name exists", `value="taken" spellcheck="false" autocomplete="off" aria-describedby="name-h wrong" aria-invalid="true"`)
	typed.Set("api_base", strings.Repeat("x", 600))
	has(t, "the form", page(t, b, "/welcome/source", typed, http.StatusUnprocessableEntity), "api_base must have", `value="taken"`)
}

// TestASecretIsShownOnce on the answer to the form that made it, and never when it was typed.
func TestASecretIsShownOnce(t *testing.T) {
	t.Parallel()
	b := with(webtest.Fresh())
	const made, path = "made-for-this-test-only", "0q1w2e3r4t5z6u7i8o9p"
	has(t, "the answer", page(t, b, "/welcome/source", url.Values{"kind": {"quo"}, "api_key": {webtest.GoodKey}}, http.StatusOK), made, path, "The key works")
	hasNot(t, "an answer to a typed secret", page(t, b, "/welcome/source", url.Values{"kind": {"typeform"}, "secret": {"a-signing-secret"}}, http.StatusOK), "a-signing-secret", made)
	has(t, "the answer", page(t, b, "/settings/secret", url.Values{"source": {"quo"}}, http.StatusOK), made)
	hasNot(t, "an answer to a typed secret", page(t, b, "/settings/secret", url.Values{"source": {"quo"}, "secret": {"another-secret"}}, http.StatusOK), "another-secret", made)
	for _, p := range paths {
		hasNot(t, p, b.ask("owner", p, nil).Body.String(), webtest.GoodKey, made, path, "a-signing-secret", "another-secret")
	}
	hasNot(t, "/v1/sources", b.call("owner", "GET", "/v1/sources", "").Body.String(), webtest.GoodKey, made, path)
}

func TestWhatAPlanGives(t *testing.T) {
	t.Parallel()
	plain := page(t, with(webtest.Fresh()), "/welcome/source", url.Values{"kind": {"quo"}, "api_key": {webtest.PlainKey}}, http.StatusOK)
	has(t, "a plan without transcripts", plain, "no: not in this plan", "Calls", "Texts")
	full := page(t, with(webtest.Fresh()), "/welcome/source", url.Values{"kind": {"quo"}, "api_key": {webtest.GoodKey}}, http.StatusOK)
	has(t, "a full plan", full, "yes; not asked for until you allow it")
}

func TestARefusedKeyIsSaidBesideItsSource(t *testing.T) {
	t.Parallel()
	b := with(webtest.Troubled())
	again := page(t, b, "/settings/key", url.Values{"source": {"quo-stopped"}, "api_key": {"a-wrong-secret-key"}}, http.StatusUnprocessableEntity)
	hasNot(t, "the form", again, "a-wrong-secret-key")
	card := again[strings.Index(again, "quo-stopped <span"):]
	if i := strings.Index(card, `role="alert"`); i < 0 || i > strings.Index(card, "</article>") {
		t.Error("the refusal is not in the card of its source")
	}
	for _, s := range b.Feeds {
		if s.Name == "quo-stopped" && s.State != "stopped" {
			t.Errorf("the source is %s", s.State)
		}
	}
}

func TestARefusedPolicyKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/welcome/policy", "/settings/policy"} {
		b := with(webtest.Fresh())
		typed := url.Values{"recordings": {"notice"}, "transcripts": {"opt-in"}, "raw-hours": {"99"}, "open-hours": {"mon-fri 08:00-16:00"}, "reason": {"we play a notice"}}
		again := page(t, b, path, typed, http.StatusUnprocessableEntity)
		has(t, path, again, "must be a whole number from 1 to 24", `value="99" aria-invalid="true"`, `value="mon-fri 08:00-16:00"`, `value="we play a notice"`,
			`id="recordings-notice" value="notice" checked`, `id="transcripts-opt-in" value="opt-in" checked`)
		typed.Set("raw-hours", "12")
		typed.Set("reason", "")
		has(t, path, page(t, b, path, typed, http.StatusUnprocessableEntity), "Say why", `value="12"`)
		if p, _ := b.Policy(t.Context(), workspace.Default); p.Recordings != workspace.Deny {
			t.Error("a refused form changed the policy")
		}
		typed.Set("reason", "we play a notice")
		if w := b.ask("owner", path, typed); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), strings.TrimSuffix(path, "/policy")+"?") {
			t.Errorf("%s: %d to %s", path, w.Code, w.Header().Get("Location"))
		}
	}
}

// TestGreetingsAreThoseOfThePage: the texts of docs/consent.md, with the key of the policy.
func TestGreetingsAreThoseOfThePage(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/consent.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.SplitSeq(string(doc), "\n") {
		if strings.HasPrefix(line, "| en |") || strings.HasPrefix(line, "| de |") || strings.HasPrefix(line, "| es |") || strings.HasPrefix(line, "| fr |") {
			rows++
		}
	}
	if rows != 8 {
		t.Errorf("the page has %d greetings", rows)
	}
	b := with(webtest.Fresh())
	if got := b.call("viewer", "GET", "/v1/greetings", "").Body.String(); strings.TrimSpace(got) != "[]" {
		t.Errorf("without content: %s", got)
	}
	has(t, "/welcome", page(t, b, "/welcome", nil, http.StatusOK), "so it needs no greeting")
	owner := web.Access{Workspace: workspace.Default, Role: web.Owner}
	for _, basis := range []string{"notice", "opt-in"} {
		if _, err := b.SetPolicy(t.Context(), owner, map[string]string{"transcripts": basis, "opt-out-choice": "9"}, "a test"); err != nil {
			t.Fatal(err)
		}
		var said []web.Greeting
		if err := json.Unmarshal(b.call("viewer", "GET", "/v1/greetings", "").Body.Bytes(), &said); err != nil || len(said) != 4 {
			t.Fatalf("%s: %d greetings: %v", basis, len(said), err)
		}
		welcome := page(t, b, "/welcome", nil, http.StatusOK)
		for _, g := range said {
			has(t, "docs/consent.md", string(doc), fmt.Sprintf("| %s | %s |", g.Language, g.Text))
			has(t, "/welcome", welcome, g.Text, `<blockquote lang="`+g.Language+`">`)
		}
	}
	if _, err := b.SetPolicy(t.Context(), owner, map[string]string{"opt-out-choice": "*"}, "a test"); err != nil {
		t.Fatal(err)
	}
	if got := b.call("viewer", "GET", "/v1/greetings", "").Body.String(); strings.Contains(got, "9") || strings.Count(got, "*") != 4 {
		t.Errorf("with another key: %s", got)
	}
	if _, err := b.SetPolicy(t.Context(), owner, map[string]string{"opt-out-choice": ""}, "a test"); err != nil {
		t.Fatal(err)
	}
	has(t, "/welcome", page(t, b, "/welcome", nil, http.StatusOK), "No key means no")
}

// TestAHistoryIsFollowedWithAndWithoutAScript: the same part of a page, on a page that reloads itself.
func TestAHistoryIsFollowedWithAndWithoutAScript(t *testing.T) {
	t.Parallel()
	b := with(webtest.Incoming())
	welcome, alone := page(t, b, "/welcome", nil, http.StatusOK), page(t, b, "/welcome/history", nil, http.StatusOK)
	for where, p := range map[string]string{"/welcome": welcome, "/welcome/history": alone} {
		has(t, where, p, `data-from="/welcome/history" data-again="2"`, `<progress max="100" value="12"`, "about 50 seconds left", "450 so far", "37 deliveries wait")
	}
	has(t, "/welcome/history", alone, `<noscript><meta http-equiv="refresh" content="5"></noscript>`)
	hasNot(t, "/welcome", welcome, "http-equiv") // it has forms: a reload would empty them
	b.Released = webtest.New().Released
	has(t, "/welcome/history", page(t, b, "/welcome/history", nil, http.StatusOK), "The first figures", `class="sentence"`, "explain this number")
	hasNot(t, "an empty /welcome/history", page(t, with(webtest.Fresh()), "/welcome/history", nil, http.StatusOK), "http-equiv", "data-again")
}

func TestSourcesOverTheAPI(t *testing.T) {
	t.Parallel()
	b := with(webtest.Troubled())
	var list []web.Source
	if err := json.Unmarshal(b.call("owner", "GET", "/v1/sources", "").Body.Bytes(), &list); err != nil || len(list) != len(b.Feeds) {
		t.Fatalf("%d sources: %v", len(list), err)
	}
	for i, s := range list {
		if s.State != b.Feeds[i].State || (s.Polling == nil) != (b.Feeds[i].Polling == nil) {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
	refused := b.call("owner", "POST", "/v1/sources", `{"kind":"quo","name":"second","api_key":"a-wrong-secret-key"}`)
	if body := refused.Body.String(); refused.Code != 422 || !strings.Contains(body, `"message":"key"`) || strings.Contains(body, "a-wrong") {
		t.Errorf("a wrong key: %d %s", refused.Code, body)
	}
	for path, want := range map[string]int{"/v1/sources/quo/pause": 204, "/v1/sources/unheard/pause": 404, "/v1/sources/quo/resume": 204} {
		if w := b.call("owner", "POST", path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if w := b.call("stranger", "DELETE", "/v1/sources/quo", ""); w.Code != http.StatusNotFound {
		t.Errorf("another workspace's source: %d", w.Code)
	}
}
