package webhook

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

const mapping = `
signature: {kind: token, header: X-Token}
only: {field: kind, is: answered}
id: a.id
at: a.at
updated: a.changed
survey: a.form
score: a.values.0.v
comment: a.values.1.words
phone: a.phone
email: a.email
scale: ces
min: 1
max: 5
words: {Great: 5, Awful: 1}
medium: text
`

// sent passes a body through Verify as it would come.
func sent(t testing.TB, mapping, body string) source.Delivery {
	t.Helper()
	s, err := Source{}.With([]byte(mapping))
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Verify(http.Header{"X-Token": {"secret"}}, []byte(body), []string{"secret"}, time.Unix(1_790_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func decode(t testing.TB, body string) ([]event.Event, fact.State) {
	t.Helper()
	events, err := Source{}.Decode(sent(t, mapping, body))
	state, _ := sourcetest.Verdict(err)
	return events, state
}

func TestABodyIsReadAfterItsMapping(t *testing.T) {
	t.Parallel()
	events, state := decode(t, `{"kind":"answered","a":{"id":7,"at":"2026-03-02T10:00:00Z","changed":1772445900,"form":"After a call","values":[{"v":"GREAT"},{"words":"Thank you."}],"phone":"+12125550123","email":"ann@example.com"}}`)
	if state != fact.Published || len(events) != 1 {
		t.Fatalf("state %d", state)
	}
	e := events[0]
	if a := e.Answer; a.Scale != fact.CES || a.Score != 5 || a.Max != 5 || a.Survey != "After a call" || a.Medium != fact.MediumText || a.Comment.Reveal() != "Thank you." {
		t.Errorf("%+v", a)
	}
	if e.ID != "7" || e.Party.Address.Reveal() != "+12125550123" || len(e.Party.Also) != 1 || e.UpdatedAt.Unix() != 1772445900 {
		t.Errorf("id %s", e.ID)
	}
}

func TestStatesOfBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body  string
		state fact.State
	}{
		"a number":                {`{"kind":"answered","a":{"id":"x","at":1772445600,"values":[{"v":3}]}}`, fact.Published},
		"a number in a text":      {`{"kind":"answered","a":{"id":"x","at":1772445600,"values":[{"v":"3"}]}}`, fact.Published},
		"words alone":             {`{"kind":"answered","a":{"id":"x","at":1772445600,"values":[{},{"words":"Hm."}]}}`, fact.Published},
		"neither":                 {`{"kind":"answered","a":{"id":"x","at":1772445600,"values":[]}}`, fact.Ignored},
		"another kind":            {`{"kind":"asked","a":{}}`, fact.Ignored},
		"no kind":                 {`{"a":{}}`, fact.Quarantined},
		"beyond the scale":        {`{"kind":"answered","a":{"id":"x","at":1772445600,"values":[{"v":6}]}}`, fact.Quarantined},
		"no id":                   {`{"kind":"answered","a":{"at":1772445600,"values":[{"v":3}]}}`, fact.Quarantined},
		"no time":                 {`{"kind":"answered","a":{"id":"x","values":[{"v":3}]}}`, fact.Quarantined},
		"the far future":          {`{"kind":"answered","a":{"id":"x","at":99999999999,"values":[{"v":3}]}}`, fact.Quarantined},
		"an object as a score":    {`{"kind":"answered","a":{"id":"x","at":1772445600,"values":[{"v":{}}]}}`, fact.Quarantined},
		"no JSON":                 {`hello`, fact.Quarantined},
		"a list":                  {`[1]`, fact.Quarantined},
		"a mapping of its own":    {`{},"map":{"id":"b","at":"b"}`, fact.Quarantined},
		"a second body":           {`{"kind":"answered"},"body":{}`, fact.Quarantined},
		"more after the body":     {`{}}{`, fact.Quarantined},
		"a field twice":           {`{"kind":"answered","kind":"asked"}`, fact.Quarantined},
		"nothing":                 {``, fact.Quarantined},
		"null":                    {`null`, fact.Quarantined},
		"text where an object is": {`{"kind":"answered","a":"b"}`, fact.Quarantined},
	} {
		if _, state := decode(t, c.body); state != c.state {
			t.Errorf("%s: state %d, want %d", name, state, c.state)
		}
	}
}

func TestMappingsThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"an unknown key":        {"medium: text", "medum: text"},
		"no way to sign":        {"kind: token, header: X-Token", "kind: trust"},
		"a token without field": {"kind: token, header: X-Token", "kind: body-token"},
		"a header too many":     {"kind: token", "kind: standard-webhooks"},
		"no id":                 {"id: a.id\n", ""},
		"no time":               {"at: a.at\n", ""},
		"an unknown scale":      {"scale: ces", "scale: vibes"},
		"ends that are swapped": {"max: 5", "max: 0.5"},
		"an unknown medium":     {"medium: text", "medium: pigeon"},
		"half a condition":      {"{field: kind, is: answered}", "{field: kind}"},
		"no YAML":               {"id: a.id", "id: [a"},
	} {
		bad := strings.Replace(mapping, c[0], c[1], 1)
		if bad == mapping {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := (Source{}).With([]byte(bad)); !errors.Is(err, ErrMap) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (Source{}).Verify(http.Header{}, []byte(`{}`), []string{"s"}, time.Now()); !errors.Is(err, source.ErrSignature) {
		t.Errorf("without a mapping: %v", err)
	}
}

// TestEveryKindOfSignature accepts what is signed and refuses the rest.
func TestEveryKindOfSignature(t *testing.T) {
	t.Parallel()
	body := []byte(`{"token":"secret","id":1}`)
	for kind, header := range map[string]string{"{kind: body-token, field: token}": "", "{kind: token, header: X-Token}": "X-Token"} {
		s, err := Source{}.With([]byte(strings.Replace(mapping, "{kind: token, header: X-Token}", kind, 1)))
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		if header != "" {
			h.Set(header, "secret")
		}
		if _, err := s.Verify(h, body, []string{"secret"}, time.Now()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := s.Verify(h, body, []string{"another"}, time.Now()); !errors.Is(err, source.ErrSignature) {
			t.Errorf("%s with another secret: %v", kind, err)
		}
		if _, err := s.Verify(h, body, nil, time.Now()); !errors.Is(err, source.ErrNoKey) {
			t.Errorf("%s without a secret: %v", kind, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	sourcetest.FuzzDecode(f, Source{}, string(sent(f, mapping, `{"kind":"answered","a":{"id":7,"at":1772445600,"values":[{"v":3},{"words":"x"}]}}`).Body),
		`{"map":{"id":"i","at":"t","score":"s","scale":"nps","words":{"a":1}},"body":{"i":1,"t":"2026-03-02T10:00:00Z","s":"a"}}`)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(mapping))
	f.Add([]byte("id: 1\nat: {}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, err := Read(text); err == nil && m.fault() != "" {
			t.Error("a mapping with a fault is read")
		}
	})
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestTheMappingsOfThePage: docs/surveys.md shows mappings that can be used.
func TestTheMappingsOfThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "..", "docs", "surveys.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := yamlBlock.FindAllSubmatch(page, -1)
	if len(blocks) == 0 {
		t.Fatal("the page shows no mapping")
	}
	for i, b := range blocks {
		if _, err := Read(b[1]); err != nil {
			t.Errorf("mapping %d: %v", i, err)
		}
	}
}
