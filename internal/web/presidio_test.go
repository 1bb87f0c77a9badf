package web_test

import (
	"strings"
	"testing"

	"murmur/internal/web/webtest"
)

// TestAPresidioUserChangesAnAddress sends what Presidio's documentation sends to /analyze and /anonymize.
func TestAPresidioUserChangesAnAddress(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	analyze := func(body string) string {
		w := b.call("viewer", "POST", "/v1/redact/analyze", body)
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
		return strings.TrimSpace(w.Body.String())
	}
	const text = "call me on +12025550143 please"
	all := analyze(`{"text":"` + text + `","language":"en"}`)
	if all != `[{"entity_type":"PHONE_NUMBER","start":11,"end":23,"score":1}]` {
		t.Errorf("found %s", all)
	}
	for name, body := range map[string]string{
		"another entity": `{"text":"` + text + `","language":"en","entities":["CREDIT_CARD"]}`,
		"left in clear":  `{"text":"` + text + `","language":"en","allow_list":["+12025550143"],"score_threshold":0.5,"correlation_id":"x","return_decision_process":true}`,
	} {
		if got := analyze(body); got != "[]" {
			t.Errorf("%s: found %s", name, got)
		}
	}
	w := b.call("viewer", "POST", "/v1/redact/anonymize", `{"text":"My name is Bond","anonymizers":{"DEFAULT":{"type":"replace","new_value":"ANONYMIZED"}},
		"analyzer_results":[{"start":11,"end":15,"score":0.8,"entity_type":"PERSON","analysis_explanation":null,"recognition_metadata":{"recognizer_name":"SpacyRecognizer","recognizer_identifier":"SpacyRecognizer_1"}}]}`)
	if want := `{"text":"My name is ANONYMIZED","items":[{"start":11,"end":21,"entity_type":"PERSON","text":"ANONYMIZED","operator":"replace"}]}`; w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for name, body := range map[string]string{
		"outside the text": `{"text":"Bond","analyzer_results":[{"start":0,"end":15,"score":0.8,"entity_type":"PERSON"}]}`,
		"encrypt":          `{"text":"Bond","anonymizers":{"DEFAULT":{"type":"encrypt","key":"3t6w9z$C&F)J@NcR"}},"analyzer_results":[]}`,
		"no results":       `{"text":"Bond"}`,
	} {
		if w := b.call("viewer", "POST", "/v1/redact/anonymize", body); w.Code != 422 || strings.Contains(w.Body.String(), "Bond") || strings.Contains(w.Body.String(), "3t6w") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if len(b.Said) > 0 {
		t.Errorf("something was done: %v", b.Said)
	}
}

// TestAnUnknownEntityIsRefused: a text is not said to be clean of what nobody looked for; the problem says which names, by place.
func TestAnUnknownEntityIsRefused(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for body, want := range map[string]int{
		`["PHONE_NUMBER"]`: 200, `["PHONE_NUMBER","DATE_TIME","PIN","LOCATION"]`: 200, `[]`: 200,
		`["PHONE"]`: 422, `["zelda_q"]`: 422, `["PHONE_NUMBER","zelda_q"]`: 422, `["phone_number"]`: 422,
	} {
		w := b.call("viewer", "POST", "/v1/redact/analyze", `{"text":"call me on +12025550143 please","language":"en","entities":`+body+`}`)
		if w.Code != want || strings.Contains(w.Body.String(), "zelda_q") {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
		if last := "body.entities[1]"; want == 422 && strings.Contains(body, ",") != strings.Contains(w.Body.String(), last) {
			t.Errorf("%s: %s", body, w.Body)
		}
	}
}
