package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"murmur/internal/web/webtest"
)

func TestTheSettingsSayWhatIsWatched(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	settings := page(t, b, "/settings", nil, http.StatusOK)
	has(t, "/settings", settings, "Missed calls: Calls missed in open hours", "at most 20 %", "Last message taken on", "as the owner sees them",
		"Waiting for us: Nine in ten get a reply within", "its usual range", "chat at chat.example.com", "The receiver refused the message; it is tried again", "with noise, as viewers see them")
	hasNot(t, "/settings", settings, "missed-call-rate: ", "reply_p90_s:")
	has(t, "an empty /settings", page(t, with(webtest.Fresh()), "/settings", nil, http.StatusOK), "There is no alert yet")
}

// TestAnAlertIsMadeOnThePage: the secret of a webhook is shown once; what is wrong is said, and what was typed is there again, but for the
// address, which is a secret at many chats.
func TestAnAlertIsMadeOnThePage(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	const address = "https://chat.example.com/services/secret"
	typed := url.Values{"watch": {"missed-call-rate/rate"}, "above": {"20"}, "way": {"webhook"}, "to": {address}, "as": {"viewer"}}
	again := page(t, b, "/settings/alert", typed, http.StatusUnprocessableEntity)
	has(t, "the form", again, "a share is 0% to 100%", `value="20"`, `id="way-webhook" value="webhook" checked`, `role="alert"`)
	hasNot(t, "the form", again, address)
	typed.Set("above", "20%")
	has(t, "the answer", page(t, b, "/settings/alert", typed, http.StatusOK), webtest.AlertSecret)
	hasNot(t, "/settings", page(t, b, "/settings", nil, http.StatusOK), webtest.AlertSecret, address)
	typed.Set("way", "slack")
	if w := b.ask("owner", "/settings/alert", typed); w.Code != http.StatusSeeOther || !strings.HasSuffix(w.Header().Get("Location"), "done=alert") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestAnAlertIsTriedAndEndedOnThePage(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	if w := b.ask("owner", "/settings/alert/test", url.Values{"id": {"0123456789ab"}}); w.Code != http.StatusSeeOther {
		t.Errorf("%d", w.Code)
	}
	has(t, "a failed test", page(t, b, "/settings/alert/test", url.Values{"id": {"ba9876543210"}}, http.StatusUnprocessableEntity), "the receiver refused the message")
	for _, want := range []int{http.StatusSeeOther, http.StatusNotFound} {
		if w := b.ask("owner", "/settings/alert/remove", url.Values{"id": {"0123456789ab"}}); w.Code != want {
			t.Errorf("%d, want %d", w.Code, want)
		}
	}
	for _, path := range []string{"/settings/alert", "/settings/alert/test", "/settings/alert/remove"} {
		if w := b.ask("viewer", path, url.Values{"id": {"ba9876543210"}}); w.Code != http.StatusForbidden {
			t.Errorf("%s as a viewer: %d", path, w.Code)
		}
	}
	if len(b.Watched) != 1 {
		t.Errorf("%d alerts", len(b.Watched))
	}
}
