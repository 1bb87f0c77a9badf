package native

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

var update = flag.Bool("update", false, "write the published schema")

// line is a synthetic event of a type with further fields.
func line(kind, fields string) string {
	return fmt.Sprintf(`{"schema":"murmur.v1","type":%q,"source_id":"s-1","occurred_at":"2026-11-02T09:00:00Z"%s}`, kind, fields)
}

func decode(t *testing.T, body string) event.Event {
	t.Helper()
	events, err := Source{}.Decode(source.Delivery{Body: []byte(body)})
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	return events[0]
}

func TestKinds(t *testing.T) {
	t.Parallel()
	call := decode(t, line("call", `,"direction":"in","number":"Sales","team":"A","outcome":"abandoned","voicemail":true,"ring_s":12.5,"party":{"phone":"+15555550101","email":"ada@example.com","name":"Ada"},"source_updated_at":"2026-11-02T10:00:00+01:00"`))
	if c := call.Call; c.Direction != fact.In || c.Result != fact.Missed || c.Reason != fact.Abandoned || !c.Voicemail || c.Ring != 12500*time.Millisecond || c.Number != "Sales" {
		t.Error("call")
	}
	if call.Party.Address.Reveal() != "+15555550101" || len(call.Party.Also) != 1 || !call.UpdatedAt.Equal(call.At) {
		t.Error("head")
	}
	talked := decode(t, line("call", `,"ring_s":5,"talk_s":60`)).Call
	if talked.Result != fact.Answered || talked.Completed.Sub(talked.Answered) != time.Minute || talked.Answered.Second() != 5 {
		t.Error("talk time without times")
	}
	missed := decode(t, line("call", `,"outcome":"missed","answered_at":"2026-11-02T09:00:05Z"`)).Call
	if !missed.Answered.IsZero() || missed.Ring >= 0 {
		t.Error("a missed call was not answered")
	}
	if m := decode(t, line("message", `,"direction":"out","status":"delivered","media":2,"body":"b","automatic":true`)).Message; m.Status != fact.Arrived || m.Media != 2 || !m.Automatic {
		t.Error("message")
	}
	if k := decode(t, line("transcript", `,"call":"c","origin":"vendor","turns":[{"side":"member","start":1,"end":2,"text":"x"}]`)).Talk; k.Origin != fact.VendorTranscript || k.Turns[0].Side != fact.SideMember {
		t.Error("transcript")
	}
	if s := decode(t, line("step", `,"run":"c","flow":"f","node":"n","node_kind":"menu","key":"1","label":"L","outcome":"matched"`)).Step; s.Choice != "1" || s.NodeKind != fact.NodeMenu || s.Outcome != fact.StepMatched {
		t.Error("step")
	}
	if a := decode(t, line("answer", `,"survey":"s","scale":"ces","score":7,"medium":"email"`)).Answer; a.Min != 1 || a.Max != 7 || a.Score != 7 || !a.Scored || a.Medium != fact.MediumEmail {
		t.Error("answer")
	}
	if c := decode(t, line("consent", `,"call":"c","purpose":"record","act":"opted_out","via":"dtmf"`)).Consent; c.Act != fact.OptedOut || c.Via != fact.ViaDTMF {
		t.Error("consent")
	}
}

// refused are lines that must not become events; the schema refuses them too unless it cannot say so.
var refused = map[string]struct {
	line     string
	why      fact.Why
	unspoken bool // beyond what JSON Schema can express
}{
	"other schema":        {strings.Replace(line("call", ""), "murmur.v1", "murmur.v2", 1), fact.WhyUnknownType, false},
	"no schema":           {strings.Replace(line("call", ""), `"schema"`, `"x"`, 1), fact.WhyUnknownType, false},
	"other type":          {line("fax", ""), fact.WhyUnknownType, false},
	"blank id":            {strings.Replace(line("call", ""), "s-1", " ", 1), fact.WhyBadField, false},
	"no time":             {strings.Replace(line("call", ""), "occurred_at", "x", 1), fact.WhyBadField, false},
	"time without zone":   {strings.Replace(line("call", ""), "00Z", "00", 1), fact.WhyBadTime, false},
	"absurd time":         {strings.Replace(line("call", ""), "2026", "1026", 1), fact.WhyBadTime, true},
	"unknown word":        {line("call", `,"direction":"inbound"`), fact.WhyBadField, false},
	"wrong type":          {line("call", `,"ring_s":"5"`), fact.WhyBadField, false},
	"negative seconds":    {line("call", `,"ring_s":-5`), fact.WhyBadField, false},
	"party is a text":     {line("call", `,"party":"+15555550101"`), fact.WhyBadField, false},
	"half an attachment":  {line("message", `,"media":0.5`), fact.WhyBadField, false},
	"no turns":            {line("transcript", ``), fact.WhyBadField, false},
	"empty turns":         {line("transcript", `,"turns":[]`), fact.WhyBadField, false},
	"no flow":             {line("step", `,"node":"n"`), fact.WhyBadField, false},
	"score off the scale": {line("answer", `,"survey":"s","scale":"nps","score":11`), fact.WhyBadField, true},
	"score without scale": {line("answer", `,"survey":"s","score":1`), fact.WhyBadField, false},
	"nothing answered":    {line("answer", `,"survey":"s"`), fact.WhyBadField, false},
	"violation claimed":   {line("consent", `,"call":"c","purpose":"record","act":"violation"`), fact.WhyBadField, false},
	"consent of nobody":   {line("consent", `,"purpose":"record","act":"opted_out"`), fact.WhyBadField, false},
	"a field twice":       {line("call", `,"type":"call"`), fact.WhyDuplicateKey, true},
	"a list":              {`[]`, fact.WhyNotJSON, false},
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range refused {
		events, err := Source{}.Decode(source.Delivery{Body: []byte(c.line)})
		if state, why := sourcetest.Verdict(err); state != fact.Quarantined || why != c.why || events != nil {
			t.Errorf("%s: state %d why %d", name, state, why)
		}
	}
}

// The published schema is the embedded one, takes the page's examples and refuses what the decoder does.
func TestSchemaAgreesWithTheDecoder(t *testing.T) {
	t.Parallel()
	docs := filepath.Join("..", "..", "..", "..", "..", "docs", "format")
	published := filepath.Join(docs, "murmur.v1.schema.json")
	if *update {
		if err := os.WriteFile(published, Schema, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(published); err != nil || !bytes.Equal(b, Schema) {
		t.Errorf("docs/format has another schema (run with -update): %v", err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("murmur.v1", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("murmur.v1")
	if err != nil {
		t.Fatal(err)
	}
	accepts := func(line string) bool {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		return err == nil && schema.Validate(v) == nil
	}
	page, err := os.ReadFile(filepath.Join(docs, "murmur.v1.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for l := range strings.SplitSeq(string(page), "\n") {
		if !strings.HasPrefix(l, "{") {
			continue
		}
		examples++
		events := []event.Event{decode(t, l)}
		if !accepts(l) || !accepts(strings.Replace(l, `,`, `,"member":null,"further":[1],`, 1)) {
			t.Errorf("the schema refuses example %d", examples)
		}
		for _, unknown := range []bool{false, true} {
			if !sourcetest.Same(events, []event.Event{decode(t, string(sourcetest.Rewritten(t, []byte(l), unknown)))}) {
				t.Errorf("example %d: other order or unknown fields (%t) change the event", examples, unknown)
			}
		}
	}
	if examples != len(decoders) {
		t.Errorf("%d examples for %d types", examples, len(decoders))
	}
	for name, c := range refused {
		if accepts(c.line) != c.unspoken {
			t.Errorf("%s: the schema accepts it: %t", name, !c.unspoken)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	a, b := line("call", `,"delivery_id":"d-1"`), line("message", "")
	pretty := strings.ReplaceAll(a, ",", ",\n")
	many := strings.Repeat(a+"\n", MaxBatch+1)
	for name, c := range map[string]struct {
		body string
		ids  []string
	}{
		"one object":           {a, []string{"d-1"}},
		"one without an id":    {b, []string{"outer"}},
		"over several lines":   {pretty, []string{"d-1"}},
		"lines":                {a + "\r\n\n" + b + "\n", []string{"d-1", ""}},
		"a broken line":        {a + "\n{\"x\n" + b, []string{"d-1", "", ""}},
		"an array":             {"[" + a + "," + b + "]", []string{"d-1", ""}},
		"an array of one":      {"[" + b + "]", []string{"outer"}},
		"events":               {`{"batch":7,"events":[` + a + "," + b + "]}", []string{"d-1", ""}},
		"empty":                {`[]`, []string{}},
		"events twice":         {`{"events":[],"events":[` + a + `]}`, []string{"outer"}},
		"a cut array":          {"[" + a + ",", []string{"outer"}},
		"an array and more":    {"[" + a + "] 1", []string{"outer"}},
		"not JSON":             {"hello", []string{"outer"}},
		"an event with events": {strings.Replace(a, "{", `{"events":[1],`, 1), []string{"d-1"}},
	} {
		deliveries, err := Source{}.Split(source.Delivery{ID: "outer", Body: []byte(c.body)})
		if err != nil || len(deliveries) != len(c.ids) {
			t.Errorf("%s: %d deliveries, %v", name, len(deliveries), err)
			continue
		}
		for i, d := range deliveries {
			if d.ID != c.ids[i] || len(d.Body) == 0 {
				t.Errorf("%s: delivery %d has id %q", name, i, d.ID)
			}
		}
	}
	for _, body := range []string{many, "[" + strings.Repeat("{},", MaxBatch) + "{}]"} {
		if _, err := (Source{}).Split(source.Delivery{Body: []byte(body)}); err == nil {
			t.Error("a batch over the limit is cut")
		}
	}
}

func TestVerifyTakesATokenOrASignature(t *testing.T) {
	t.Parallel()
	const secret = "whsec_c3ludGhldGljIGtleSBvZiBtdXJtdXI="
	bearer := http.Header{"Authorization": {"Bearer " + secret}}
	if _, err := (Source{}).Verify(bearer, nil, []string{secret}, time.Time{}); err != nil {
		t.Error(err)
	}
	wrong := http.Header{"Authorization": {"Bearer x"}}
	for _, h := range []http.Header{wrong, {}} {
		if _, err := (Source{}).Verify(h, nil, []string{secret}, time.Time{}); !errors.Is(err, source.ErrSignature) {
			t.Error(err)
		}
	}
	if _, err := (Source{}).Verify(bearer, nil, nil, time.Time{}); !errors.Is(err, source.ErrNoKey) {
		t.Error(err)
	}
}

func TestWorkspaceIsReadButNotActedOn(t *testing.T) {
	t.Parallel()
	d := source.Delivery{Body: []byte(line("call", `,"workspace":"w-7"`))}
	if (Source{}).Workspace(d) != "w-7" || (Source{}).Workspace(source.Delivery{Body: []byte("x")}) != "" {
		t.Error("workspace")
	}
}

func TestLinesSkipsWhatIsTooLong(t *testing.T) {
	t.Parallel()
	file := "\ufeff" + line("call", "") + "\r\n\n" + strings.Repeat("x", MaxEvent+10) + "\n" + line("message", "")
	var got []string
	err := NewLines(strings.NewReader(file)).Rows(func(n int, native []byte, bad *source.Verdict) bool {
		got = append(got, fmt.Sprint(n, bad != nil, len(native) > 0 && native[0] == '{'))
		return true
	})
	if want := []string{"1 false true", "3 true false", "4 false true"}; err != nil || strings.Join(got, ";") != strings.Join(want, ";") {
		t.Errorf("%v %v", got, err)
	}
}

func FuzzDecode(f *testing.F) {
	seeds := []string{line("call", `,"talk_s":1e7,"ring_s":3`), line("answer", `,"survey":"s","scale":"nps","score":3,"min":5`)}
	for _, c := range refused {
		seeds = append(seeds, c.line)
	}
	sourcetest.FuzzDecode(f, Source{}, seeds...)
}

// Split keeps every byte that is not between events, and cutting a part again gives the part.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{`[{},{}]`, "{}\n{}\n", `{"events":[1,[2]]}`, "{\n}", "x\ny\n{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parts, err := Source{}.Split(source.Delivery{Body: body})
		if err != nil {
			return
		}
		for _, p := range parts {
			if !bytes.Contains(body, p.Body) {
				t.Fatal("a part that was not in the body")
			}
		}
	})
}
