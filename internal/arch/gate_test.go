package arch

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"murmur/internal/crowd/release"
	"murmur/internal/private/anon"
)

// valid is what every gate type answers.
type valid interface{ Valid() bool }

func TestZeroValuesAreInvalid(t *testing.T) {
	t.Parallel()
	invalid[anon.Text](t)
	invalid[anon.Contact](t)
	invalid[release.Table](t)
	if s := (release.Set{}); len(s.Tables()) > 0 || s.Closed() || s.Table("missed-call-rate/1").Valid() {
		t.Error("the zero release.Set has a table")
	}
}

// invalid tries every way to a T that needs no constructor: none gives one that is valid.
func invalid[T valid](t *testing.T) {
	t.Helper()
	closed := make(chan T)
	close(closed)
	missing := map[int]T{}
	var array [1]T
	var in struct{ T T }
	made := map[string]T{
		"new": *new(T), "closed channel": <-closed, "missing key": missing[1], "array": array[0], "slice": make([]T, 1)[0], "field": in.T,
	}
	for _, s := range []string{
		`null`, `{}`, `{"ok":true,"s":"Anna Berg"}`, `{"Ok":true,"S":"Anna Berg","h":[1,2]}`, `{"OK":true,"Valid":true,"query":{},"groups":[{}]}`,
		`"Anna Berg"`, `[1,2,3]`, `{"T":{"ok":true}}`, `true`,
	} {
		var v T
		_ = json.Unmarshal([]byte(s), &v) // an error is as good as an invalid value
		made["JSON "+s] = v
	}
	var v T
	_ = xml.Unmarshal([]byte(`<T><ok>true</ok><s>Anna Berg</s><h>1</h></T>`), &v)
	made["XML"] = v
	var stream bytes.Buffer
	if err := gob.NewEncoder(&stream).Encode(struct{ OK, Ok bool }{true, true}); err != nil {
		t.Fatal(err)
	}
	var g T
	_ = gob.NewDecoder(&stream).Decode(&g)
	made["gob"] = g
	for how, v := range made {
		if v.Valid() {
			t.Errorf("%T by %s is valid", v, how)
		}
	}
}

// TestForgeriesDoNotCompile compiles what code outside the zone would try. Each line must be a type error,
// except the first, which shows that the imports work.
func TestForgeriesDoNotCompile(t *testing.T) {
	t.Parallel()
	h := open(t)
	const head = "package pipeline\nimport (\n\"murmur/internal/crowd/release\"\n\"murmur/internal/keyring\"\n\"murmur/internal/private/anon\"\n)\nvar (_ anon.Text; _ release.Table; _ keyring.Opened)\n"
	for i, decl := range []string{
		`var v = anon.Text{}`,
		`var v = anon.Text{"Anna Berg", true}`,
		`var v = anon.Text{s: "Anna Berg", ok: true}`,
		`var v = anon.Text(struct{ s string; ok bool }{"Anna Berg", true})`,
		`type mine struct{ s string; ok bool }; var v = anon.Text(mine{"Anna Berg", true})`,
		`func f() { var v anon.Text; v.ok = true }`,
		`func f(v *anon.Text) { v.s = "Anna Berg" }`,
		`type mine struct{ anon.Text }; func f() { var v mine; v.ok = true }`,
		`func f(s string) anon.Text { return anon.Text(s) }`,
		`var v = anon.Contact{[16]byte{1}}`,
		`var v = anon.Contact{h: [16]byte{1}}`,
		`var v = anon.Contact([16]byte{1})`,
		`var v = anon.Contact(struct{ h [16]byte }{[16]byte{1}})`,
		`func f(c anon.Contact) { c.h[0] = 1 }`,
		`var v = anon.Pseudonym(keyring.Pseudonym{}, "+41791234567")`,
		`var v = anon.Of("Anna Berg")`,
		`var v = release.Table{ok: true}`,
		`var v = release.Table(struct{ ok bool }{true})`,
		`func f(t release.Table) { t.groups = nil }`,
		`var v = release.Set{tables: nil}`,
		`var v = keyring.Opened{topic: "facts"}`,
		`func f[T any](x any) anon.Text { return T(x) }`,
		`func f[T interface{ ~struct{ s string; ok bool } }](x T) anon.Text { return anon.Text(x) }`,
	} {
		_, errs := h.with(t, plant{pkg: "internal/pipeline", src: head + decl})
		if compiles := len(errs) == 0; compiles != (i == 0) {
			t.Errorf("%s: compiles is %v: %v", decl, compiles, errs)
		}
	}
}

// TestTheCompilerHoldsTheZones asks the go command about files that reach past the doors: the compiler refuses
// them because of the folders' names, so a renamed folder would open a zone unnoticed.
func TestTheCompilerHoldsTheZones(t *testing.T) {
	t.Parallel()
	h := open(t)
	doors := []string{private, private + "/anon", crowd, crowd + "/release", crowd + "/provable"}
	for _, p := range h.below(private, crowd) {
		if !slices.Contains(doors, p.name) && !under(p.name, private+"/internal") && !under(p.name, crowd+"/internal") {
			t.Errorf("%s is open to everyone: a zone shows its doors alone", p.name)
		}
	}
	past := map[string]string{ // importer to imported; none may close a cycle, which is another error
		"internal/pipeline":      private + "/internal/identity",
		"internal/server":        crowd + "/internal/lake",
		"internal/private/anon":  crowd + "/internal/enrich/classify",
		"internal/crowd/release": private + "/internal/personal",
	}
	overlay, patterns := map[string][]byte{}, []string(nil)
	for from, to := range past {
		name, err := filepath.Abs(filepath.Join("..", "..", filepath.FromSlash(from), "planted_import.go"))
		if err != nil {
			t.Fatal(err)
		}
		overlay[name] = fmt.Appendf(nil, "package %s\nimport _ %q\n", filepath.Base(from), module+"/"+to)
		patterns = append(patterns, module+"/"+from)
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedImports | packages.NeedFiles, Overlay: overlay}, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range loaded {
		if !slices.ContainsFunc(p.Errors, func(e packages.Error) bool { return strings.Contains(e.Msg, "use of internal package") }) {
			t.Errorf("an import past the door from %s is not refused: %v", short(p.PkgPath), p.Errors)
		}
	}
}
