package web_test

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"testing"

	"murmur/internal/web"
	"murmur/internal/web/webtest"
)

// TestSettingsEndWhatGetsIn: the owner sees every token and session of the workspace, never what opens, and ends each; who ends
// their own is out; nobody else ends anything.
func TestSettingsEndWhatGetsIn(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	id := func(secret string) string {
		h := web.HashOf(secret)
		return hex.EncodeToString(h[:6])
	}
	settings := page(t, b, "/settings", nil, http.StatusOK)
	has(t, "/settings", settings, "Who gets in", "This browser", id("owner"), id("spare"), "End "+id("viewer"), "End this browser's session", "3 hours ago")
	hasNot(t, "/settings", settings, `value="spare"`, "spare<")

	end := func(session, id string, code int) {
		t.Helper()
		if w := b.ask(session, "/settings/end", url.Values{"id": {id}}); w.Code != code {
			t.Errorf("%s ends %q: %d, want %d", session, id, w.Code, code)
		}
	}
	end("viewer", id("owner"), http.StatusForbidden)
	end("owner", "nothing", http.StatusUnprocessableEntity)
	end("owner", "0123456789ab", http.StatusNotFound)
	end("owner", id("viewer"), http.StatusSeeOther)
	if w := b.ask("viewer", "/", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("what was ended still opens: %d", w.Code)
	}
	end("owner", id("owner"), http.StatusOK)
	if w := b.ask("owner", "/settings", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("who ended their own session is still in: %d", w.Code)
	}
}
