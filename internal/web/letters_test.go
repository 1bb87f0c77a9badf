package web_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"murmur/internal/web/webtest"
)

// TestALinkInAMailEndsNothing: a program that follows every link of a mail gets a question; the button, or the one POST of a
// mail program, ends the letters, and an address that ends nothing any more is no error.
func TestALinkInAMailEndsNothing(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	asked := b.ask("", "/unsubscribe/abc", nil)
	if asked.Code != 200 || !strings.Contains(asked.Body.String(), `<form method="post">`) {
		t.Errorf("%d %s", asked.Code, asked.Body)
	}
	r := httptest.NewRequest("POST", "/unsubscribe/abc", strings.NewReader("List-Unsubscribe=One-Click")) // RFC 8058 3.1
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "do not come") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
