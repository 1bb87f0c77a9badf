package presidio

import (
	"encoding/json"
	"errors"
	"testing"
)

// TestDocumentedExamples: the requests and answers of Presidio's own documentation (API description, anonymizer page).
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ request, text, items string }{
		"replace and mask": {`{"text":"hello world, my name is Jane Doe. My number is: 034453334",
			"anonymizers":{"DEFAULT":{"type":"replace","new_value":"ANONYMIZED"},"PHONE_NUMBER":{"type":"mask","masking_char":"*","chars_to_mask":4,"from_end":true}},
			"analyzer_results":[{"start":24,"end":32,"score":0.8,"entity_type":"NAME"},{"start":24,"end":28,"score":0.8,"entity_type":"FIRST_NAME"},
				{"start":29,"end":32,"score":0.6,"entity_type":"LAST_NAME"},{"start":48,"end":57,"score":0.95,"entity_type":"PHONE_NUMBER"}]}`,
			"hello world, my name is ANONYMIZED. My number is: 03445****",
			`[{"start":50,"end":59,"entity_type":"PHONE_NUMBER","text":"03445****","operator":"mask"},{"start":24,"end":34,"entity_type":"NAME","text":"ANONYMIZED","operator":"replace"}]`},
		"no operator": {`{"text":"My name is Bond","analyzer_results":[{"start":11,"end":15,"score":0.8,"entity_type":"PERSON"}]}`, "My name is <PERSON>", ""},
		"redact":      {`{"text":"My name is Bond","anonymizers":{"PERSON":{"type":"redact"}},"analyzer_results":[{"start":11,"end":15,"score":0.8,"entity_type":"PERSON"}]}`, "My name is ", ""},
		"hash": {`{"text":"hello","anonymizers":{"DEFAULT":{"type":"hash"}},"analyzer_results":[{"start":0,"end":5,"score":1,"entity_type":"X"}]}`,
			"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", ""},
		"overlap in part": {`{"text":"I'm George Washington Square Park","analyzer_results":[{"start":4,"end":21,"score":0.8,"entity_type":"PERSON"},{"start":11,"end":33,"score":0.9,"entity_type":"LOCATION"}]}`,
			"I'm <PERSON><LOCATION>", ""},
		"code points": {`{"text":"é 😀 Bond","anonymizers":{"DEFAULT":{"type":"mask","masking_char":"-"}},"analyzer_results":[{"start":4,"end":8,"score":1,"entity_type":"PERSON"}]}`, "é 😀 ----", ""},
	} {
		var in struct {
			Text        string
			Anonymizers map[string]Operator
			Results     []Result `json:"analyzer_results"`
		}
		if err := json.Unmarshal([]byte(c.request), &in); err != nil {
			t.Fatal(name, err)
		}
		out, err := Anonymize(in.Text, in.Results, in.Anonymizers)
		if err != nil || out.Text != c.text {
			t.Errorf("%s: %q, %v; want %q", name, out.Text, err, c.text)
		}
		if items, _ := json.Marshal(out.Items); c.items != "" && string(items) != c.items {
			t.Errorf("%s: items %s", name, items)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r    Result
		o    Operator
		want error
	}{
		{Result{"X", 2, 9, 1, nil, nil}, Operator{Type: "redact"}, ErrResult},
		{Result{"X", 3, 3, 1, nil, nil}, Operator{Type: "redact"}, ErrResult},
		{Result{"X", -1, 3, 1, nil, nil}, Operator{Type: "redact"}, ErrResult},
		{Result{"X", 0, 3, 1, nil, nil}, Operator{Type: "encrypt"}, ErrName},
		{Result{"X", 0, 3, 1, nil, nil}, Operator{Type: "hash", Hash: "md5"}, ErrHash},
	} {
		if _, err := Anonymize("hello", []Result{c.r}, map[string]Operator{"DEFAULT": c.o}); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.r, err, c.want)
		}
	}
}

func FuzzAnonymize(f *testing.F) {
	f.Add("hello Bond", 0, 5, 3, 8)
	f.Fuzz(func(t *testing.T, text string, a, b, c, d int) {
		out, err := Anonymize(text, []Result{{Entity: "A", Start: a, End: b}, {Entity: "B", Start: c, End: d, Score: 1}}, map[string]Operator{"DEFAULT": {Type: "redact"}})
		if err == nil && len(out.Text) > len(text) {
			t.Fatalf("%q grew to %q", text, out.Text)
		}
	})
}
