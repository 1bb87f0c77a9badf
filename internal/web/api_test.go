package web_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"murmur/internal/insight"
	"murmur/internal/web"
	"murmur/internal/web/webtest"
	"murmur/internal/workspace"
)

func (b business) call(token, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

// bodies are valid bodies of the operations that need one.
var bodies = map[string]string{
	"redact": `{"text":"hello"}`, "redact-analyze": `{"text":"hello","language":"en"}`, "redact-anonymize": `{"text":"hello","analyzer_results":[]}`,
	"call-opt-out": `{"via":"dtmf"}`, "call-event": `{"kind":"key","key":"9"}`,
	"contact-opt-out": `{"contact":"+12025550143","via":"agent"}`, "erase": `{"contact":"a@example.org"}`,
	"set-policy": `{"reason":"we asked our callers","set":{"transcripts":"opt-in"}}`,
	"connect":    `{"kind":"typeform"}`, "create-workspace": `{"workspace":"new-one"}`, "limit-workspace": `{"deliveries_a_day":7}`,
	"share":        `{"page":"calls"}`,
	"add-alert":    `{"insight":"missed-call-rate","above":"20%","way":"mail","to":"a@example.org"}`,
	"set-category": `{"name":"Broken boiler","like":["a","b","c","d","e","f","g","h"]}`, "rename-category": `{"name":"Panels"}`,
	"rekey-source": `{"api_key":"` + webtest.GoodKey + `"}`, "rotate-source": `{}`,
}

// operation is one of the API; Path has names of the invented business in it, Template the braces.
type operation struct{ ID, Method, Path, Template, Body string }

// operations reads the routes out of the served description, so that a new one cannot be forgotten here.
func (b business) operations(t *testing.T) (ops []operation) {
	t.Helper()
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(b.call("", "GET", "/openapi.json", "").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %q", doc.OpenAPI)
	}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			source := "quo"
			if method == "delete" {
				source = "typeform"
			}
			id := "AC0001"
			if strings.HasPrefix(path, "/v1/tokens") {
				h := web.HashOf("spare")
				id = hex.EncodeToString(h[:6])
			}
			if strings.HasPrefix(path, "/v1/alerts") {
				if id = "0123456789ab"; method == "delete" {
					id = "ba9876543210"
				}
			}
			if strings.HasPrefix(path, "/v1/categories") {
				if id = "0000000a"; method == "delete" {
					id = "0000000b"
				}
			}
			filled := strings.NewReplacer("{id}", id, "{name}", source).Replace(path)
			ops = append(ops, operation{o.OperationID, strings.ToUpper(method), filled, path, bodies[o.OperationID]})
		}
	}
	if len(ops) < 14 {
		t.Errorf("only %d operations", len(ops))
	}
	return ops
}

// operators are the operations of operators alone.
var operators = []string{"create-workspace", "workspace", "limit-workspace", "suspend-workspace", "resume-workspace", "delete-workspace", "export-workspace"}

func TestIsolation(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for _, o := range b.operations(t) {
		for token, want := range map[string]int{"": 401, "unknown": 401} {
			if w := b.call(token, o.Method, o.Path, o.Body); w.Code != want {
				t.Errorf("%s with token %q: %d", o.ID, token, w.Code)
			}
		}
		for _, token := range []string{"stranger", "operator"} {
			before := len(b.Said)
			w := b.call(token, o.Method, o.Path+"?workspace=default", o.Body)
			if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s of another workspace as %s: %d %s", o.ID, token, w.Code, w.Header().Get("Content-Type"))
			}
			if len(b.Said) != before {
				t.Errorf("%s of another workspace did something", o.ID)
			}
		}
		if w := b.call("owner", o.Method, o.Path+"?workspace=default", o.Body); w.Code >= 300 && !slices.Contains(operators, o.ID) {
			t.Errorf("%s of one's own workspace: %d %s", o.ID, w.Code, w.Body)
		}
	}
	if w := b.call("stranger", "GET", "/v1/calls/AC0001/receipt", ""); w.Code != http.StatusNotFound {
		t.Errorf("another workspace's call: %d", w.Code)
	}
	if w := b.call("stranger", "GET", "/v1/figures", ""); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Error("another workspace's token sees figures")
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	least := map[string]string{"figures": "outside", "status": "viewer", "redact": "viewer", "redact-analyze": "viewer", "redact-anonymize": "viewer", "policy": "viewer", "greetings": "viewer", "workspaces": "viewer",
		"call-opt-out": "privacy", "call-receipt": "privacy", "contact-opt-out": "privacy", "erase": "privacy", "set-policy": "privacy",
		"call-event": "owner", "sources": "owner", "connect": "owner", "pause-source": "owner", "resume-source": "owner",
		"rekey-source": "owner", "rotate-source": "owner", "remove-source": "owner", "tokens": "owner", "revoke-token": "owner",
		"share": "owner", "figures-csv": "outside", "figures-parquet": "outside",
		"alerts": "owner", "add-alert": "owner", "test-alert": "owner", "remove-alert": "owner",
		"categories": "owner", "subjects": "owner", "set-category": "owner", "rename-category": "owner", "remove-category": "owner"}
	for _, id := range operators {
		least[id] = "nobody"
	}
	rank := map[string]int{"outside": 0, "viewer": 1, "privacy": 2, "owner": 3, "nobody": 4}
	b := with(webtest.New())
	for _, o := range b.operations(t) {
		need, ok := least[o.ID]
		if !ok {
			t.Errorf("%s has no role in this table", o.ID)
		}
		for _, role := range []string{"outside", "viewer", "privacy", "owner"} {
			w := b.call(role, o.Method, o.Path, o.Body)
			if allowed := rank[role] >= rank[need]; allowed != (w.Code < 300) || !allowed && w.Code != http.StatusForbidden {
				t.Errorf("%s as %s: %d", o.ID, role, w.Code)
			}
		}
	}
	if w := b.call("operator", "POST", "/v1/workspaces", `{"workspace":"new-one"}`); w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), "token-of-new-one") {
		t.Errorf("operator: %d", w.Code)
	}
}

func TestFiguresAreEncodedOnce(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	var want bytes.Buffer
	if err := insight.Encode(&want, b.Released[workspace.Default]); err != nil {
		t.Fatal(err)
	}
	w := b.call("viewer", "GET", "/v1/figures", "", "Accept", "application/jsonl")
	if w.Body.String() != want.String() {
		t.Error("the lines of /v1/figures are not those of insight.Encode")
	}
	var list []json.RawMessage
	if err := json.Unmarshal(b.call("viewer", "GET", "/v1/figures", "").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if !strings.Contains(want.String(), string(f)+"\n") {
			t.Fatalf("a listed figure is not among the encoded lines")
		}
	}
	if n := strings.Count(want.String(), "\n"); n != len(list) {
		t.Errorf("%d figures listed, %d encoded", len(list), n)
	}
	if w := b.call("viewer", "GET", "/v1/figures?insight=nonsense", ""); w.Code != 404 || !strings.Contains(w.Body.String(), "docs/insights.md") {
		t.Errorf("an insight that there is none of: %d %s", w.Code, w.Body)
	}
	one := b.call("viewer", "GET", "/v1/figures?insight=satisfaction", "").Body.String()
	if strings.Contains(one, "missed-call-rate") || !strings.Contains(one, "satisfaction") {
		t.Error("insight= does not select")
	}
}

func TestEveryOperationIsDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range with(webtest.New()).operations(t) {
		if want := "`" + o.Method + " " + o.Template; !strings.Contains(string(doc), want) {
			t.Errorf("docs/api.md lacks %s", want)
		}
	}
}

func TestStatusHasTheContractsShape(t *testing.T) {
	t.Parallel()
	var got struct {
		Workspaces map[string]map[string]any
	}
	if err := json.Unmarshal(with(webtest.New()).call("viewer", "GET", "/v1/status", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"in", "pending", "held", "published", "duplicate", "ignored", "refused", "quarantined", "erased", "by_source"} {
		if _, ok := got.Workspaces["default"][k]; !ok {
			t.Errorf("status lacks %s", k)
		}
	}
}

func TestHostileInputIsRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	const person = "Lena Vogt +12025550143"
	for name, c := range map[string]struct{ method, path, body string }{
		"not json":          {"POST", "/v1/erasures", person},
		"wrong type":        {"POST", "/v1/erasures", `{"contact":["` + person + `"]}`},
		"unknown field":     {"POST", "/v1/erasures", `{"contact":"a@example.org","` + person + `":1}`},
		"no contact":        {"POST", "/v1/erasures", `{"contact":"` + person + `"}`},
		"too long":          {"POST", "/v1/erasures", `{"contact":"` + strings.Repeat(person, 20) + `"}`},
		"unknown via":       {"POST", "/v1/contacts/opt-out", `{"contact":"a@example.org","via":"` + person + `"}`},
		"key without kind":  {"POST", "/v1/calls/AC1/events", `{"kind":"hangup","key":"9"}`},
		"kind without key":  {"POST", "/v1/calls/AC1/events", `{"kind":"key"}`},
		"long key":          {"POST", "/v1/calls/AC1/events", `{"kind":"key","key":"99"}`},
		"call id":           {"POST", "/v1/calls/a%2Fb/opt-out", `{"via":"api"}`},
		"no reason":         {"PUT", "/v1/policy", `{"set":{"recordings":"deny"}}`},
		"unknown key":       {"PUT", "/v1/policy", `{"reason":"because","set":{"` + person + `":"x"}}`},
		"bad value":         {"PUT", "/v1/policy", `{"reason":"because","set":{"raw-hours":"` + person + `"}}`},
		"workspace name":    {"POST", "/v1/sources", `{"kind":"../x"}`},
		"deep":              {"POST", "/v1/redact", strings.Repeat(`{"text":`, 90_000)},
		"large":             {"POST", "/v1/redact", `{"text":"` + strings.Repeat("a", 2<<20) + `"}`},
		"text beyond limit": {"POST", "/v1/redact", `{"text":"` + strings.Repeat("a", 100_001) + `"}`},
	} {
		w := b.call("owner", c.method, c.path, c.body)
		if w.Code < 400 || w.Code > 499 {
			t.Errorf("%s: %d", name, w.Code)
		}
		if strings.Contains(w.Body.String(), "Vogt") || strings.Contains(w.Body.String(), "0143") {
			t.Errorf("%s: the answer repeats what was sent: %s", name, w.Body)
		}
		if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
			t.Errorf("%s: %s", name, ct)
		}
	}
	if len(b.Said) > 0 {
		t.Errorf("something was done: %v", b.Said)
	}
}

func TestCallControl(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	b.call("owner", "POST", "/v1/calls/never-seen/opt-out", `{"via":"dtmf"}`)
	b.call("owner", "POST", "/v1/calls/AC1/events", `{"kind":"key","key":"9"}`)
	b.call("owner", "POST", "/v1/calls/a84b4c76e66710%40pc33.example.org/opt-out", `{"via":"dtmf"}`) // a Call-ID of SIP
	if got, want := strings.Join(b.Said, "; "), "opt-out of never-seen in default via dtmf; key9 on AC1; opt-out of a84b4c76e66710@pc33.example.org in default via dtmf"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBodiesAreStrict: what two readers could read in two ways is read by nobody (RFC 7493).
func TestBodiesAreStrict(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for name, body := range map[string]string{
		"a field twice":        `{"contact":"+12025550143","contact":"+12025550144"}`,
		"twice by an escape":   `{"contact":"+12025550143","\u0063ontact":"+12025550144"}`,
		"a field too many":     `{"contact":"+12025550143","because":"x"}`,
		"another case":         `{"Contact":"+12025550143"}`,
		"a second case":        `{"contact":"+12025550143","CONTACT":"+12025550144"}`,
		"a second value":       `{"contact":"+12025550143"} {"contact":"+12025550144"}`,
		"something behind":     `{"contact":"+12025550143"}x`,
		"no UTF-8":             "{\"contact\":\"+1202555\xff0143\"}",
		"half a surrogate":     `{"contact":"+12025550143\ud800"}`,
		"a comma too many":     `{"contact":"+12025550143",}`,
		"deep":                 `{"contact":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`,
		"a list of the object": `[{"contact":"+12025550143"}]`,
		"nothing":              ` `,
	} {
		w := b.call("privacy", "POST", "/v1/erasures", body)
		if w.Code < 400 || w.Code > 499 {
			t.Errorf("%s: %d", name, w.Code)
		}
		if strings.Contains(w.Body.String(), "2025550") || strings.Contains(strings.ToLower(w.Body.String()), "because") {
			t.Errorf("%s: the answer repeats what was sent: %s", name, w.Body)
		}
	}
	if w := b.call("privacy", "POST", "/v1/erasures", `{"contact":"+12025550143"}`); w.Code >= 300 {
		t.Errorf("a good body: %d %s", w.Code, w.Body)
	}
}

// TestOperatorsHaveEveryOperationOnWorkspaces: what nobody else may, an operator's token does.
func TestOperatorsHaveEveryOperationOnWorkspaces(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for _, o := range b.operations(t) {
		if !slices.Contains(operators, o.ID) {
			continue
		}
		path := strings.Replace(o.Template, "{name}", "other", 1)
		if w := b.call("operator", o.Method, path, o.Body); w.Code >= 300 {
			t.Errorf("%s: %d %s", o.ID, w.Code, w.Body)
		}
		if w := b.call("operator", o.Method, strings.Replace(o.Template, "{name}", "nowhere", 1), o.Body); w.Code != http.StatusNotFound && o.ID != "create-workspace" {
			t.Errorf("%s of none: %d", o.ID, w.Code)
		}
	}
}

// TestAnAddressIsNotRepeated: what is no address is refused without its text, which may hold a password.
func TestAnAddressIsNotRepeated(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for _, field := range []string{"public_url", "api_base"} {
		w := b.call("owner", "POST", "/v1/sources", `{"kind":"quo","api_key":"k","`+field+`":"https://user:S3cretPw@h%zz"}`)
		if w.Code != 422 || strings.Contains(w.Body.String(), "S3cret") || !strings.Contains(w.Body.String(), field) {
			t.Errorf("%s: %d %s", field, w.Code, w.Body)
		}
	}
}

// TestNoSuchCall: what no operation takes is answered as the API answers, and says which methods there are.
func TestNoSuchCall(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for _, c := range []struct {
		method, path, allow string
		code                int
	}{
		{"DELETE", "/v1/figures", "GET", 405}, {"PUT", "/v1/sources", "GET, POST", 405}, {"GET", "/v1/nothing", "", 404}, {"POST", "/v1/", "", 404},
	} {
		w := b.call("", c.method, c.path, "")
		if w.Code != c.code || w.Header().Get("Allow") != c.allow || w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), `"detail"`) {
			t.Errorf("%s %s: %d, allow %q, %s: %s", c.method, c.path, w.Code, w.Header().Get("Allow"), w.Header().Get("Content-Type"), w.Body)
		}
	}
}
