package server

import (
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/explain"
	"murmur/internal/rpc"
)

// TestASharedLinkOpensWhatLeft: through the server, of its own workspace, until it is revoked.
func TestASharedLinkOpensWhatLeft(t *testing.T) {
	t.Parallel()
	h := abroad(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, h.Node)
	web := h.over()
	link := func(ws string) (l rpc.Shared) {
		t.Helper()
		if err := json.Unmarshal([]byte(h.do("share", rpc.ShareArgs{Workspace: ws, Page: "calls", Days: 2}, "")), &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	if err := h.Do(t.Context(), "share", rpc.ShareArgs{Workspace: "other", Page: "calls", Days: 2}, nil, io.Discard); explain.Of(err).Status != 422 {
		t.Errorf("a link to a page from which nothing ever leaves: %v", err)
	}
	h.do("policy", rpc.PolicyArgs{Workspace: "other", Set: []rpc.KeyValue{{Key: "outside", Value: "monthly"}}, Reason: "shared", Author: "test"}, "")
	mine, others := link("default"), link("other")
	for _, suffix := range []string{"", "/figures.json", "/figures.csv"} {
		code, body := web.ask("", "GET", mine.Path+suffix, "")
		if code != 200 || !strings.Contains(body, "2026-11") && !strings.Contains(body, "November 2026") || strings.Contains(body, "guarded") || strings.Contains(body, "busy-hours") {
			t.Errorf("%q: %d %s", suffix, code, body)
		}
		if code, body := web.ask("", "GET", others.Path+suffix, ""); code != 200 || strings.Contains(body, "2026-11") || strings.Contains(body, "November") {
			t.Errorf("another workspace, from which nothing left, %q: %d", suffix, code)
		}
	}
	secret := strings.TrimPrefix(mine.Path, "/s/")
	for _, path := range []string{"/v1/figures", "/v1/status", "/calls", "/"} {
		if code, _ := web.ask(secret, "GET", path, ""); code < 400 {
			t.Errorf("%s with the link as a token: %d", path, code)
		}
	}
	h.do("token-revoke", rpc.RevokeArgs{Workspace: "default", ID: mine.ID}, "")
	if code, _ := web.ask("", "GET", mine.Path, ""); code != 404 {
		t.Errorf("after it was revoked: %d", code)
	}
}
