package web_test

import (
	"net/http"
	"strings"
	"testing"

	"murmur/internal/web/webtest"
)

func TestTheReceiptOfACall(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	w := b.ask("privacy", "/privacy/receipt?call=AC0001", nil)
	inspect(t, "receipt", w.Body.String())
	for _, want := range []string{"AC0001", "key 9", "opted out", "shredded", "sent to its end", "No key of it is left"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for path, want := range map[string]int{
		"/privacy/receipt?call=AC0001": http.StatusOK, "/privacy/receipt?call=unknown": http.StatusNotFound, "/privacy/receipt": http.StatusNotFound,
		"/privacy/receipt?call=%2B12025550143": http.StatusNotFound,
	} {
		if w := b.ask("owner", path, nil); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if w := b.ask("viewer", "/privacy/receipt?call=AC0001", nil); w.Code != http.StatusForbidden {
		t.Errorf("as a viewer: %d", w.Code)
	}
	if w := b.ask("stranger", "/privacy/receipt?call=AC0001", nil); w.Code != http.StatusNotFound {
		t.Errorf("from another workspace: %d", w.Code)
	}
}

// TestOneEventAndItsFields: an event names itself once and has the fields that go with it.
func TestOneEventAndItsFields(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for body, want := range map[string]int{
		`{"event":"began","contact":"+12025550143"}`:                                             200,
		`{"event":"notice_started","notice":{"id":"greeting","language":"pt-BR","seconds":7.5}}`: 200,
		`{"event":"notice_ended","at":"2026-11-24T12:00:00Z"}`:                                   200,
		`{"event":"opted_out","via":"speech"}`:                                                   200,
		`{"kind":"notice-started"}`:                                                              200,
		`{"event":"hangup","kind":"hangup"}`:                                                     422,
		`{}`:                                                                                     422,
		`{"event":"key"}`:                                                                        422,
		`{"event":"hangup","via":"dtmf"}`:                                                        422,
		`{"event":"hangup","contact":"+12025550143"}`:                                            422,
		`{"event":"hangup","notice":{"id":"x"}}`:                                                 422,
		`{"event":"notice_started","notice":{"id":"A person"}}`:                                  422,
		`{"event":"laughed"}`:                                                                    422,
	} {
		if w := b.call("owner", "POST", "/v1/calls/AC1/events", body); w.Code != want {
			t.Errorf("%s: %d, want %d: %s", body, w.Code, want, w.Body)
		}
	}
	if w := b.call("owner", "POST", "/v1/calls/AC1/events", `{"event":"key","key":"9"}`); !strings.Contains(w.Body.String(), `"must":["stop","delete"]`) {
		t.Errorf("the answer says %s", w.Body)
	}
}
