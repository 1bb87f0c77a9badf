package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"murmur/internal/rpc"
)

// TestNoRouteOpensToOthers replays every route and method of the API, as its own description names them, on a running
// server: as another workspace's owner, as a viewer, without a token, and with one that was revoked.
// No answer holds a byte of the workspace attacked, none is a 5xx, and nothing changes.
func TestNoRouteOpensToOthers(t *testing.T) {
	t.Parallel()
	h := open(t, newData(t))
	var victim rpc.Connected
	h.do("connect", rpc.ConnectArgs{Kind: "native", Name: "victimsource"}, &victim)
	h.do("connect", rpc.ConnectArgs{Workspace: "other", Kind: "native", Name: "strange"}, nil)
	h.post(victim.Path, call("victimcall", time.Now(), "+12025550143"), bearer(victim.Secret), http.StatusOK)
	token := func(workspace, role string) (s string) {
		h.do("token", rpc.TokenArgs{Workspace: workspace, Role: role}, &s)
		return s
	}
	stranger, viewer, revoked := token("other", "owner"), token("default", "viewer"), token("default", "owner")
	var passes []struct{ ID, Role string }
	h.do("token-list", rpc.WorkspaceArgs{Workspace: "default"}, &passes)
	for _, p := range passes {
		if p.Role == "owner" {
			h.do("token-revoke", rpc.RevokeArgs{Workspace: "default", ID: p.ID}, nil)
		}
	}
	before := h.bytes("connect-list")
	for _, r := range h.routes(t) {
		for who, secret := range map[string]string{"another owner": stranger, "a viewer": viewer, "nobody": "", "a revoked token": revoked} {
			for _, query := range []string{"", "?workspace=default"} {
				if who == "a viewer" && r.method == http.MethodGet {
					continue // a viewer may read what a viewer may
				}
				header := http.Header{"Content-Type": {"application/json"}}
				if secret != "" {
					header.Set("Authorization", "Bearer "+secret)
				}
				a, err := h.send(r.method, r.path+query, []byte(`{"contact":"+12025550143","via":"api","text":"x","kind":"native","workspace":"default"}`), header)
				if err != nil {
					t.Fatalf("%s %s as %s: %v", r.method, r.path, who, err)
				}
				if a.status >= 500 || (who == "nobody" || who == "a revoked token") && a.status != http.StatusUnauthorized {
					t.Errorf("%s %s as %s: %d", r.method, r.path, who, a.status)
				}
				if body := string(a.body); strings.Contains(body, "victim") || strings.Contains(body, "5550143") {
					t.Errorf("%s %s as %s: the answer tells of the workspace", r.method, r.path, who)
				}
			}
		}
	}
	if after := h.bytes("connect-list"); after != before {
		t.Error("the sources of the workspace changed")
	}
}

type route struct{ method, path string }

// routes reads the API's own description; parameters are the names that an attacker would like to hit.
func (h *house) routes(t *testing.T) (all []route) {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(h.get("/openapi.json").body, &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		id := "victimcall"
		if strings.HasPrefix(path, "/v1/tokens") {
			id = "0123456789ab"
		}
		for method := range methods {
			all = append(all, route{strings.ToUpper(method), strings.NewReplacer("{id}", id, "{name}", "victimsource").Replace(path)})
		}
	}
	if len(all) < 14 {
		t.Fatalf("only %d routes", len(all))
	}
	return all
}

// bytes is a verb's answer as it came.
func (h *house) bytes(verb string) string {
	h.t.Helper()
	var b []byte
	h.do(verb, rpc.WorkspaceArgs{Workspace: "default"}, &b)
	return string(b)
}
