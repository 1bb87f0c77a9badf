package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
)

func why(err error) fact.Why {
	if v, ok := errors.AsType[*source.Verdict](err); ok {
		return v.Why
	}
	return fact.WhyNone
}

func TestParseRefusesWhatIsNotStrict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want fact.Why
	}{
		"an object":                  {`{"a":[1,"b",null,true,{}]}`, fact.WhyNone},
		"space around":               {" \t\r\n1 \n", fact.WhyNone},
		"names that differ by case":  {`{"a":1,"A":2}`, fact.WhyNone},
		"64 levels":                  {strings.Repeat("[", 64) + strings.Repeat("]", 64), fact.WhyNone},
		"nothing":                    {``, fact.WhyNotJSON},
		"65 levels":                  {strings.Repeat("[", 65) + strings.Repeat("]", 65), fact.WhyTooDeep},
		"depth 100,000":              {strings.Repeat("[", 100_000), fact.WhyTooDeep},
		"objects to depth 100,000":   {strings.Repeat(`{"a":`, 100_000), fact.WhyTooDeep},
		"10 MB of empty objects":     {"[" + strings.Repeat("{},", 10<<20/3) + "{}]", fact.WhyTooLarge},
		"a name twice":               {`{"a":1,"a":1}`, fact.WhyDuplicateKey},
		"a name twice, once escaped": {`{"a":1,"\u0061":1}`, fact.WhyDuplicateKey},
		"a name twice, deep":         {`[{"b":{"a":1,"a":1}}]`, fact.WhyDuplicateKey},
		"invalid UTF-8":              {"\"\xff\"", fact.WhyEncoding},
		"trailing value":             {`{} {}`, fact.WhyNotJSON},
		"trailing bracket":           {`{}]`, fact.WhyNotJSON},
		"trailing letter":            {`1x`, fact.WhyNotJSON},
		"cut object":                 {`{"a":1`, fact.WhyNotJSON},
		"cut name":                   {`{"a`, fact.WhyNotJSON},
		"comma before the end":       {`[1,]`, fact.WhyNotJSON},
		"comma before the brace":     {`{"a":1,}`, fact.WhyNotJSON},
		"two commas":                 {`[1,,2]`, fact.WhyNotJSON},
		"no comma":                   {`[1 2]`, fact.WhyNotJSON},
		"wrong bracket":              {`[1}`, fact.WhyNotJSON},
		"name without quotes":        {`{a:1}`, fact.WhyNotJSON},
		"number for a name":          {`{1:1}`, fact.WhyNotJSON},
		"no colon":                   {`{"a" 1}`, fact.WhyNotJSON},
		"leading zero":               {`01`, fact.WhyNotJSON},
		"NaN":                        {`NaN`, fact.WhyNotJSON},
		"control letter in a text":   {"\"\n\"", fact.WhyNotJSON},
		"byte order mark":            {"\ufeff{}", fact.WhyNotJSON},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse([]byte(c.body)); why(err) != c.want {
				t.Errorf("why = %v, want %v", why(err), c.want)
			}
		})
	}
}

func TestFaultNamesTheFirstFieldOfTheWrongType(t *testing.T) {
	t.Parallel()
	const body = `{"text":"a","number":"7","huge":1e999,"time":"yesterday","ancient":"1970-01-01T00:00:00Z","none":null,"list":["a",1]}`
	for field, read := range map[string]func(Value){
		"text":    func(v Value) { v.Number("text"); v.Text("list") },
		"number":  func(v Value) { v.Number("number") },
		"huge":    func(v Value) { v.Number("huge") },
		"time":    func(v Value) { v.Time("time") },
		"ancient": func(v Value) { v.Time("ancient") },
		"list":    func(v Value) { v.Texts("list") },
	} {
		v, err := Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		read(v)
		var bad *source.Verdict
		if !errors.As(v.Fault(), &bad) || bad.Field != field {
			t.Errorf("fault of %s = %v", field, v.Fault())
		}
	}
	v, _ := Parse([]byte(body))
	if n, ok := v.NumberOrText("number"); n != 7 || !ok {
		t.Error("a number written as text is read where the connector says so")
	}
	if v.Text("none") != "" || v.Text("absent") != "" || v.Object("absent").Text("x") != "" || v.Fault() != nil {
		t.Error("null and absent fields are empty, not faults")
	}
}

func TestValuesDoNotPrint(t *testing.T) {
	t.Parallel()
	v, _ := Parse([]byte(`{"name":"Ada Example"}`))
	nested := struct{ v Value }{v}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if s := fmt.Sprintf(verb+verb, v, nested); strings.Contains(s, "Ada") {
			t.Errorf("%s prints the content", verb)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":null}]}`, `[[[]]]`, `"\ud800"`, `{"a":1,"a":2}`, `1 2`, `{"":{}}`, `"\ud83d\ude00\b\/\u00Ab"`, `[-0.5e+3, 0, 1E9]`, `"\ud83d\ud83d\u"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := Parse(body)
		if err == nil && !json.Valid(body) {
			t.Fatal("accepted what is not JSON")
		}
		if err != nil && why(err) == fact.WhyNone {
			t.Fatal("refused without a reason")
		}
		if err == nil && v.n == nil {
			t.Fatal("accepted nothing")
		}
		if why(err) == fact.WhyNotJSON && json.Valid(body) {
			t.Fatal("refused JSON as not JSON")
		}
		if err == nil {
			d := json.NewDecoder(bytes.NewReader(body))
			d.UseNumber()
			var want any
			if d.Decode(&want) != nil || !reflect.DeepEqual(plain(v.n), want) {
				t.Fatal("read something else than encoding/json")
			}
		}
	})
}

// plain is a node as encoding/json gives it.
func plain(n *node) any {
	switch n.kind {
	case boolean:
		return n.truth
	case number:
		return json.Number(n.text)
	case text:
		return n.text
	case array:
		all := []any{}
		for _, item := range n.items {
			all = append(all, plain(item))
		}
		return all
	case object:
		all := map[string]any{}
		for name, field := range n.named {
			all[name] = plain(field)
		}
		return all
	}
	return nil
}

func BenchmarkParse(b *testing.B) {
	body := []byte(`{"schema":"murmur.v1","type":"call","source_id":"c1","occurred_at":"2026-03-02T10:00:00Z","party":{"phone":"+12125550123","name":"R\u00f3sa"},"direction":"in","outcome":"answered","ring_s":12,"talk_s":65.5,"voicemail":false,"team":null}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}
