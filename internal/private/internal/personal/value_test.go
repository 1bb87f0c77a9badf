package personal_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"murmur/internal/private/internal/personal"
)

// name is what must not come out. Its parts and its hexadecimal form are looked for as well.
const name = "Quirina Vandersloot"

type nested struct {
	Shown  personal.Value
	hidden personal.Value
	inner  struct{ deep []personal.Value }
	at     *personal.Value
	keyed  map[string]personal.Value
}

type fault struct{ v personal.Value }

func (f *fault) Error() string { return fmt.Sprintf("bad value %v", f.v) }

// everything holds the value in every place that a formatter could walk into.
func everything() map[string]any {
	v := personal.New(name)
	n := nested{Shown: v, hidden: v, at: &v, keyed: map[string]personal.Value{"k": v}}
	n.inner.deep = []personal.Value{v}
	return map[string]any{
		"value": v, "pointer": &v, "slice": []personal.Value{v}, "array": [1]personal.Value{v}, "map": map[string]personal.Value{"k": v},
		"key": map[personal.Value]int{v: 1}, "nested": n, "pointer to nested": &n, "any": []any{v, n},
		"error": &fault{v}, "wrapped": fmt.Errorf("open: %w", &fault{v}), "joined": errors.Join(&fault{v}, &fault{v}),
	}
}

func TestNothingPrintsAValue(t *testing.T) {
	t.Parallel()
	for what, x := range everything() {
		for verb := range strings.FieldsSeq("%v %+v %#v %s %q %x %X % x %d %T %t %c %U %e %p %O %10.3s %+q %#x %!") {
			clean(t, what+" "+verb, fmt.Sprintf(verb, x))
		}
		clean(t, what+" Sprint", fmt.Sprint(x))
		clean(t, what+" Sprintln", fmt.Sprintln(x, x))
		clean(t, what+" panic", panicked(x))

		var out bytes.Buffer
		for _, log := range []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))} {
			log.Info("seen", "who", x, slog.Any("again", x), slog.Group("in", "who", x))
			log.With("who", x).Error("seen")
		}
		b, err := json.Marshal(x)
		out.Write(b)
		_, _ = fmt.Fprintln(&out, err)
		b, err = xml.Marshal(x)
		out.Write(b)
		_, _ = fmt.Fprintln(&out, err)
		_, _ = fmt.Fprintln(&out, gob.NewEncoder(&out).Encode(x))
		_, _ = fmt.Fprintln(&out, template.Must(template.New("").Parse(`{{.}} {{printf "%s %q" . .}}`)).Execute(&out, x))
		clean(t, what+" encoders", out.String())
	}
}

func TestAValueSaysThatItIsPersonal(t *testing.T) {
	t.Parallel()
	v := personal.New(name)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, v); got != "[personal]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if b, err := json.Marshal(v); err != nil || string(b) != `"[personal]"` {
		t.Errorf("JSON is %s, %v", b, err)
	}
	if b, err := json.Marshal(map[personal.Value]int{v: 1}); err != nil || string(b) != `{"[personal]":1}` {
		t.Errorf("JSON of a key is %s, %v", b, err)
	}
	if got := (&fault{v}).Error(); got != "bad value [personal]" {
		t.Errorf("an error prints %s", got)
	}
}

func TestRevealIsTheOneExit(t *testing.T) {
	t.Parallel()
	if v := personal.New(name); v.Reveal() != name || v.Empty() {
		t.Error("a value does not give back what it holds")
	}
	if v := personal.New(""); v != (personal.Value{}) || v.Reveal() != "" || !v.Empty() {
		t.Error("an empty value is not the zero value")
	}
	var v personal.Value
	_ = json.Unmarshal([]byte(`"`+name+`"`), &v) // an error is as good as an empty value
	if !v.Empty() {
		t.Error("JSON makes a value")
	}
}

// panicked is what a recovered panic would be logged as.
func panicked(x any) (s string) {
	defer func() { s = fmt.Sprint(recover()) }()
	panic(x)
}

func clean(t *testing.T, where, got string) {
	t.Helper()
	for _, secret := range []string{name, "Quirina", "Vandersloot", fmt.Sprintf("%x", "Quirina"), fmt.Sprintf("%X", "Quirina"), fmt.Sprintf("%d", []byte("Quirina"))[1:20]} {
		if strings.Contains(got, secret) {
			t.Errorf("%s prints the value: %q", where, got)
		}
	}
}
