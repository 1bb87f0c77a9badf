package server

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/crowd/provable"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// afterNovember is when November 2026 has left.
func afterNovember() time.Time { return time.Date(2026, 12, 3, 1, 0, 0, 0, time.UTC) }

// novemberCalls are two calls of each of a number of people, one missed.
func novemberCalls(people int) string {
	var b strings.Builder
	for i := range 2 * people {
		at := time.Date(2026, 11, 1+i%28, 12, i%60, 0, 0, time.UTC)
		fmt.Fprintf(&b, `{"schema":"murmur.v1","type":"call","source_id":"c%d","occurred_at":%q,"direction":"in","outcome":%q,"party":{"phone":"+1212555%04d"}}`+"\n",
			i, at.Format(time.RFC3339), []string{"missed", "answered"}[i%2], 100+i/2)
	}
	return b.String()
}

// abroad is a node whose default workspace let November out, beside the workspace "other" that lets nothing out.
func abroad(t *testing.T, data string) house {
	t.Helper()
	n, err := Open(t.Context(), Config{Data: data, Now: afterNovember})
	if err != nil {
		t.Fatal(err)
	}
	n.Start(context.Background())
	h := house{n, t}
	other, err := workspace.Parse("other")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.createWorkspace(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	h.do("import", rpc.ImportArgs{Kind: "native"}, novemberCalls(120))
	h.do("import", rpc.ImportArgs{Kind: "native", Workspace: "other"}, novemberCalls(120))
	h.do("policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "outside", Value: "monthly"}}, Reason: "test", Author: "test"}, "")
	h.do("figures", rpc.FiguresArgs{Refresh: true}, "")
	return h
}

// asked are the figures that a viewer or somebody outside is shown, as the command line prints them.
func (h house) asked(as string) string { return h.do("figures", rpc.FiguresArgs{As: as}, "") }

func (h house) token(ws, role string) (secret string) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(h.do("token", rpc.TokenArgs{Workspace: ws, Role: role}, "")), &secret); err != nil {
		h.t.Fatal(err)
	}
	return secret
}

// over asks a server's routes.
type over struct{ http.Handler }

func (h house) over() over {
	return over{newServing(h.Node, slog.New(slog.DiscardHandler)).public.Handler}
}

func (o over) ask(token, method, path, body string, header ...string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	o.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestOutsideReadsWhatLeftAndNothingElse: a token of the role outside reads the differentially private figures of its
// workspace; every other operation refuses it; whoever has another token, or none, reads none of them.
func TestOutsideReadsWhatLeftAndNothingElse(t *testing.T) {
	t.Parallel()
	h := abroad(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, h.Node)
	web := h.over()
	outside := h.token("default", "outside")
	tiers := func(body string) (guarded, provable int) {
		return strings.Count(body, `"tier":"guarded"`), strings.Count(body, `"tier":"provable"`)
	}
	code, body := web.ask(outside, "GET", "/v1/figures", "")
	if guarded, provable := tiers(body); code != 200 || guarded > 0 || provable == 0 || strings.Contains(body, `"workspace":"other"`) {
		t.Errorf("outside: %d, %d guarded, %d provable", code, guarded, provable)
	}
	for _, name := range []string{`"grain":"month"`, `"period":"2026-11"`, `"insight":"missed-call-rate"`, `"insight":"contacts"`} {
		if !strings.Contains(body, name) {
			t.Errorf("what left has no %s", name)
		}
	}
	for who, c := range map[string]struct{ ws, role, query string }{
		"a viewer": {"default", "viewer", ""}, "the owner": {"default", "owner", ""},
		"a viewer of another workspace": {"other", "viewer", ""}, "outside of another workspace": {"other", "outside", ""},
	} {
		code, body := web.ask(h.token(c.ws, c.role), "GET", "/v1/figures", "")
		guarded, provable := tiers(body)
		if code != 200 || provable > 0 || (c.role == "outside") != (guarded == 0) || c.ws == "other" && strings.Contains(body, `"workspace":"default"`) {
			t.Errorf("%s: %d, %d guarded, %d provable", who, code, guarded, provable)
		}
	}
	for _, role := range []string{"viewer", "outside", "owner"} {
		if code, body := web.ask(h.token("other", role), "GET", "/v1/figures?workspace=default", ""); code != http.StatusNotFound || strings.Contains(body, "2026-11") {
			t.Errorf("%s of another workspace asks for this one: %d", role, code)
		}
	}
	h.refusesOutside(web, outside)
	if code, body := web.ask("", "GET", "/v1/figures", ""); code != http.StatusUnauthorized || strings.Contains(body, "2026-11") {
		t.Errorf("nobody: %d", code)
	}
	var passes []struct{ ID, Role string }
	if err := json.Unmarshal([]byte(h.do("token-list", rpc.WorkspaceArgs{Workspace: "default"}, "")), &passes); err != nil {
		t.Fatal(err)
	}
	for _, p := range passes {
		h.do("token-revoke", rpc.RevokeArgs{Workspace: "default", ID: p.ID}, "")
	}
	for path, method := range map[string]string{"/v1/figures": "GET", "/mcp": "POST"} {
		if code, _ := web.ask(outside, method, path, `{}`); code != http.StatusUnauthorized {
			t.Errorf("%s with a token that was revoked: %d", path, code)
		}
	}
}

// refusesOutside tries every operation of the API's own description and every page with a token of the role outside.
func (h house) refusesOutside(web over, outside string) {
	h.t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	_, description := web.ask("", "GET", "/openapi.json", "")
	if err := json.Unmarshal([]byte(description), &doc); err != nil || len(doc.Paths) < 14 {
		h.t.Fatalf("%d paths, %v", len(doc.Paths), err)
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			if strings.HasPrefix(path, "/v1/figures") {
				continue
			}
			code, _ := web.ask(outside, strings.ToUpper(method), strings.NewReplacer("{id}", "c1", "{name}", "native").Replace(path), `{}`)
			if code != http.StatusForbidden && code != http.StatusUnprocessableEntity {
				h.t.Errorf("%s %s as outside: %d", method, path, code)
			}
		}
	}
	for _, path := range []string{"/", "/settings", "/sources", "/privacy", "/calls", "/metrics"} {
		for _, header := range [][]string{nil, {"Cookie", "murmur=" + outside}} {
			if code, body := web.ask(outside, "GET", path, "", header...); code < 400 || strings.Contains(body, "2026-11") {
				h.t.Errorf("page %s as outside: %d", path, code)
			}
		}
	}
}

// TestWhatLeavesHasItsGrains: with enough contacts in its plan, a month leaves by day and by week as well, at once; a week that begins or ends in another
// month is not there before that one left too. Days add up to their week.
func TestWhatLeavesHasItsGrains(t *testing.T) {
	t.Parallel()
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data"), Now: afterNovember})
	if err != nil {
		t.Fatal(err)
	}
	n.Start(context.Background())
	h := house{n, t}
	defer stop(t, h.Node)
	h.do("import", rpc.ImportArgs{Kind: "native"}, novemberCalls(300))
	h.do("policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "outside", Value: "monthly"}, {Key: "outside-contacts", Value: "500k"}}, Reason: "test", Author: "test"}, "")
	h.do("figures", rpc.FiguresArgs{Refresh: true}, "")
	figures, err := n.Outside(t.Context(), workspace.Default, "")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]map[string]bool{}
	for _, f := range figures {
		if names[f.Grain] == nil {
			names[f.Grain] = map[string]bool{}
		}
		names[f.Grain][f.Period] = true
		if f.Insight == "missed-call-rate" && f.Noise == 0 {
			t.Errorf("%s has no noise", f.Period)
		}
	}
	if w := names["week"]; len(names["day"]) != 30 || len(w) != 4 || !w["2026-W45"] || !w["2026-W48"] || len(names["month"]) != 1 {
		t.Errorf("%d days, weeks %v, months %v", len(names["day"]), w, names["month"])
	}
	releases, err := n.crowd.Outside(t.Context(), workspace.Default)
	if err != nil {
		t.Fatal(err)
	}
	days, week := int64(0), int64(0)
	for _, c := range provable.Periods(releases, "missed-calls") {
		switch {
		case c.Period.Grain == provable.ByDay && c.Period.Name >= "2026-11-02" && c.Period.Name <= "2026-11-08":
			days += c.Cells[0].Count
		case c.Period.Name == "2026-W45":
			week = c.Cells[0].Count
		}
	}
	if days != week {
		t.Errorf("days add up to %d, their week is %d", days, week)
	}
	if explained := h.do("figures-explain", rpc.ExplainArgs{}, ""); !strings.Contains(explained, `"grain":"day"`) || !strings.Contains(explained, `"state":"released"`) {
		t.Errorf("explained: %s", explained)
	}
}

// TestAnAssistantOutsideReadsWhatLeft: over /mcp a token of the role outside reaches the insights that leave, with the noise
// that is proven; a viewer's token reaches none of them.
func TestAnAssistantOutsideReadsWhatLeft(t *testing.T) {
	t.Parallel()
	h := abroad(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, h.Node)
	web := h.over()
	tool := func(token, name, arguments string) string {
		code, body := web.ask(token, "POST", "/mcp", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, name, arguments))
		if code != 200 {
			t.Errorf("%s: %d %s", name, code, body)
		}
		return body
	}
	outside, viewer, other := h.token("default", "outside"), h.token("default", "viewer"), h.token("other", "outside")
	const november = `{"insight":"missed-call-rate","period":"2026-11"}`
	if body := tool(outside, "get_figures", november); !strings.Contains(body, "missed-call-rate/1/contact-month") || strings.Contains(body, "guarded") {
		t.Errorf("outside: %s", body)
	}
	for who, token := range map[string]string{"a viewer": viewer, "outside of another workspace": other} {
		if body := tool(token, "get_figures", november); strings.Contains(body, "contact-month") {
			t.Errorf("%s reads what left", who)
		}
	}
	for _, name := range []string{"list_insights", "suggestions"} {
		if body := tool(outside, name, `{}`); strings.Contains(body, "busy-hours") || strings.Contains(body, "2026-W45..") || name == "suggestions" && strings.Contains(body, "2026-W") {
			t.Errorf("%s tells somebody outside of guarded figures: %s", name, body)
		}
	}
	if body := tool(outside, "get_figures", `{"insight":"busy-hours"}`); !strings.Contains(body, `"isError":true`) {
		t.Errorf("a guarded insight, outside: %s", body)
	}
}

// TestWhatLeftStaysAfterARestore: figures that left before a backup are the same to the byte after it; a month that had not
// left by then never does, because the directory that the backup was made of may have let it out.
func TestWhatLeftStaysAfterARestore(t *testing.T) {
	t.Parallel()
	h := abroad(t, filepath.Join(t.TempDir(), "data"))
	left := h.asked("outside")
	if !strings.Contains(left, `"provable"`) {
		t.Fatal("nothing left")
	}
	backup := h.do("backup", nil, "")
	h.do("policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "outside", Value: "off"}}, Reason: "test", Author: "test"}, "")
	if h.asked("outside") != left {
		t.Error("what left is taken back with outside=off")
	}
	stop(t, h.Node)
	restored := func(backup string) house {
		data := filepath.Join(t.TempDir(), "restored")
		if err := Restore(t.Context(), strings.NewReader(backup), nil, Config{Data: data, Now: afterNovember}); err != nil {
			t.Fatal(err)
		}
		n, err := Open(t.Context(), Config{Data: data, Now: afterNovember})
		if err != nil {
			t.Fatal(err)
		}
		n.Start(context.Background())
		t.Cleanup(func() { stop(t, n) })
		return house{n, t}
	}
	r := restored(backup)
	r.do("figures", rpc.FiguresArgs{Refresh: true}, "")
	if r.asked("outside") != left {
		t.Error("what left is not what it was")
	}
	if v, err := r.verify(t.Context(), rpc.VerifyArgs{}); err != nil || len(v.Breaches) > 0 {
		t.Errorf("found %v: %v", v.Breaches, err)
	}

	early, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data"), Now: afterNovember})
	if err != nil {
		t.Fatal(err)
	}
	early.Start(context.Background())
	e := house{early, t}
	e.do("import", rpc.ImportArgs{Kind: "native"}, novemberCalls(30))
	backup = e.do("backup", nil, "")
	stop(t, early)
	r = restored(backup)
	r.do("policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "outside", Value: "monthly"}}, Reason: "test", Author: "test"}, "")
	r.do("figures", rpc.FiguresArgs{Refresh: true}, "")
	if got := r.asked("outside"); strings.Contains(got, "provable") {
		t.Error("a month that was over when the backup was made left after the restore")
	}
	explained := r.do("figures-explain", rpc.ExplainArgs{}, "")
	if !strings.Contains(explained, `"left_nano_rho":0`) {
		t.Errorf("the month has budget left: %s", explained)
	}
}
