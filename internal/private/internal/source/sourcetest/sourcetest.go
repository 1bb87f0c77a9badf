// Package sourcetest holds what the tests of all connectors share. It is imported by tests only.
//
// Zone: RED, tests.
package sourcetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
)

// Shared is a path below ../shared/data beside the repository. Without it the test is skipped, loudly.
func Shared(t testing.TB, untested string, path ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	data := filepath.Join(append([]string{dir, "..", "shared", "data"}, path...)...)
	if _, err := os.Stat(data); err != nil {
		t.Skipf("LOUD SKIP: ../shared/data is absent; NOT TESTED: %s", untested)
	}
	return data
}

// Read is the content of a shared file.
func Read(t testing.TB, untested string, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(Shared(t, untested, path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Same reports whether two lists of events say the same, personal values included.
func Same(a, b []event.Event) bool { return reflect.DeepEqual(a, b) }

// Verdict is the state and reason of a decoder's error; Published for none.
func Verdict(err error) (fact.State, fact.Why) {
	var v *source.Verdict
	switch {
	case err == nil:
		return fact.Published, fact.WhyNone
	case errors.As(err, &v):
		return v.State, v.Why
	}
	return -1, -1
}

// Rewritten is the same JSON with every object's fields in reverse order of name and, if asked, an
// unknown field in every object.
func Rewritten(t testing.TB, body []byte, unknown bool) []byte {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	write(&b, v, unknown)
	return b.Bytes()
}

func write(b *bytes.Buffer, v any, unknown bool) {
	switch v := v.(type) {
	case map[string]any:
		if unknown {
			v["zz_unknown"] = map[string]any{"id": 7, "type": []any{}}
		}
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		slices.Reverse(names)
		b.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, name, false)
			b.WriteByte(':')
			write(b, v[name], unknown && name != "zz_unknown")
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, item, unknown)
		}
		b.WriteByte(']')
	default:
		j, _ := json.Marshal(v)
		b.Write(j)
	}
}

// FuzzDecode holds a connector to what every one promises: it never panics, gives the same events twice,
// and gives events or a verdict, never both, never neither. Every event is whole.
func FuzzDecode(f *testing.F, s source.Source, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := s.Decode(source.Delivery{Body: body})
		again, _ := s.Decode(source.Delivery{Body: body})
		if !Same(events, again) {
			t.Fatal("decoded twice, not the same")
		}
		state, _ := Verdict(err)
		if state == -1 {
			t.Fatal("an error that is no verdict")
		}
		if (err == nil) != (len(events) > 0) {
			t.Fatalf("%d events and state %d", len(events), state)
		}
		for _, e := range events {
			if e.ID == "" || e.At.IsZero() || e.Kind() == fact.KindUnknown || e.Rank > 7 {
				t.Fatal("an event without id, time or kind")
			}
		}
	})
}

// Lines joins lines to a JSONL body.
func Lines(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
