package arch

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// facts: what crosses the first door is numbers, times, enums and the two leaves of package anon. An array of more
// than 16 bytes could hold words, so it is refused with strings, slices, maps, pointers, interfaces and functions.
var facts = rule{
	name: "facts",
	find: func(h *house) (out []string) {
		row, _ := h.known[module+"/internal/fact"].Scope().Lookup("Fact").Type().Underlying().(*types.Interface)
		for _, p := range h.below("internal/fact") {
			for _, name := range p.types.Scope().Names() {
				o, ok := p.types.Scope().Lookup(name).(*types.TypeName)
				if !ok || types.IsInterface(o.Type()) || !types.Implements(types.NewPointer(o.Type()), row) {
					continue
				}
				walkLeaves(o.Type(), name, nil, func(at, what string) { out = append(out, p.name+"."+at+" is a "+what) })
			}
		}
		return out
	},
	red: []plant{
		leaky("Name string"), leaky("Name []byte"), leaky("Name map[int64]int64"), leaky("Name any"), leaky("Name func() int64"),
		leaky("Name *int64"), leaky("Name chan int64"), leaky("Name [64]byte"), leaky("Name [4]string"), leaky("Name error"),
		leaky("Name struct{ inner struct{ s string } }"), leaky("Name word"), leaky("Name uintptr"), leaky("Name [3][16]byte"),
	},
}

// leaky is a kind of fact with one field too many.
func leaky(field string) plant {
	return plant{pkg: "internal/fact", src: "package fact\nimport real \"murmur/internal/fact\"\ntype word string\nvar _ word\ntype Leaky struct {\n\treal.Call\n\t" + field + "\n}"}
}

// walkLeaves reports everything inside t that can hold more than a number.
func walkLeaves(t types.Type, at string, in []types.Type, report func(at, what string)) {
	if slices.ContainsFunc(in, func(seen types.Type) bool { return types.Identical(seen, t) }) {
		return
	}
	in = append(in, t)
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == module+"/internal/private/anon" {
		if name := n.Obj().Name(); name == "Text" || name == "Contact" {
			return
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsNumeric == 0 && u.Info()&types.IsBoolean == 0 || u.Kind() == types.Uintptr {
			report(at, u.String())
		}
	case *types.Struct:
		for f := range u.Fields() {
			walkLeaves(f.Type(), at+"."+f.Name(), in, report)
		}
	case *types.Array:
		if e, ok := u.Elem().Underlying().(*types.Basic); !ok || u.Len() > 16 || e.Info()&types.IsNumeric == 0 {
			report(at, u.String())
		}
	default:
		report(at, strings.SplitN(fmt.Sprintf("%T", u), ".", 2)[1])
	}
}

// doors: nothing that a door exports mentions a type from inside its zone, by signature, field, method, embedded
// type, type argument or alias, nor through an unexported type of its own that an exported thing gives away.
var doors = rule{
	name: "doors",
	find: func(h *house) (out []string) {
		inside := map[string]string{private: private + "/internal", private + "/anon": private + "/internal", crowd: crowd + "/internal", crowd + "/release": crowd + "/internal", crowd + "/provable": crowd + "/internal"}
		for _, p := range h.pkgs {
			zone, isDoor := inside[p.name]
			if !isDoor {
				continue
			}
			for _, name := range p.types.Scope().Names() {
				o := p.types.Scope().Lookup(name)
				if !o.Exported() {
					continue
				}
				w := mentions{pkg: p.types, zone: module + "/" + zone, seen: map[types.Type]bool{}}
				w.object(o)
				for _, m := range w.found {
					out = append(out, p.name+"."+name+" mentions "+short(m))
				}
			}
		}
		return out
	},
	allow: map[string]string{
		"internal/private/anon.Pseudonym mentions internal/private/internal/personal.Value": "a Contact is made of an address, which nobody outside the zone can have",
	},
	red: []plant{
		door(`func Leak(v personal.Value) {}`),
		door(`type Leak struct{ V personal.Value }`),
		door(`type Leak struct{ personal.Value }`),
		door(`type Leak = personal.Value`),
		door(`type Leak []map[string]*personal.Value`),
		door(`type leak struct{}; func (leak) V() personal.Value { return personal.Value{} }; func Leak() leak { return leak{} }`),
		door(`type leak struct{ V personal.Value }; type Leak struct{ leak }`),
		door(`type Leak interface{ V() personal.Value }`),
		door(`type Leak[T interface{ personal.Value }] struct{}`),
		door(`type box[T any] struct{ v T }; func (b box[T]) Get() T { return b.v }; var Leak box[personal.Value]`),
		door(`type Leak struct{}; func (*Leak) Each(func(personal.Value) bool) {}`),
		door(`var Leak = personal.New`),
		{pkg: "internal/private/anon", src: `package anon; import "murmur/internal/private/internal/personal"; func Back(c int) personal.Value { return personal.Value{} }`},
		{pkg: "internal/crowd", src: `package crowd; import "murmur/internal/crowd/internal/lake"; type Crowd struct{ Lake *lake.Lake }`},
		{pkg: "internal/crowd/release", src: `package release; import "murmur/internal/crowd/internal/lake"; func Rows() []lake.Row { return nil }`},
	},
}

// door is a planted declaration of package private.
func door(decl string) plant {
	return plant{pkg: private, src: `package private
import "murmur/internal/private/internal/personal"
var _ personal.Value
` + decl}
}

// mentions collects the types of a zone's inside that can be reached from an exported object.
type mentions struct {
	pkg   *types.Package
	zone  string
	seen  map[types.Type]bool
	found []string
}

func (w *mentions) object(o types.Object) {
	w.walk(o.Type())
	if t, ok := o.(*types.TypeName); ok && !t.IsAlias() {
		w.walk(t.Type())
	}
}

func (w *mentions) walk(t types.Type) {
	t = types.Unalias(t)
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		w.named(t)
	case *types.Pointer:
		w.walk(t.Elem())
	case *types.Slice:
		w.walk(t.Elem())
	case *types.Array:
		w.walk(t.Elem())
	case *types.Chan:
		w.walk(t.Elem())
	case *types.Map:
		w.walk(t.Key())
		w.walk(t.Elem())
	case *types.Signature:
		w.tuple(t.Params())
		w.tuple(t.Results())
		for p := range t.TypeParams().TypeParams() {
			w.walk(p.Constraint())
		}
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() || f.Embedded() {
				w.walk(f.Type())
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			w.walk(m.Type())
		}
		for e := range t.EmbeddedTypes() {
			w.walk(e)
		}
	case *types.Union:
		for term := range t.Terms() {
			w.walk(term.Type())
		}
	case *types.TypeParam:
		w.walk(t.Constraint())
	}
}

func (w *mentions) tuple(t *types.Tuple) {
	for v := range t.Variables() {
		w.walk(v.Type())
	}
}

// named looks into types of the door itself, exported or not; types of other packages are not checked here.
func (w *mentions) named(t *types.Named) {
	for a := range t.TypeArgs().Types() {
		w.walk(a)
	}
	for p := range t.TypeParams().TypeParams() {
		w.walk(p.Constraint())
	}
	p := t.Obj().Pkg()
	switch {
	case p == nil:
	case under(p.Path(), w.zone):
		w.found = append(w.found, p.Path()+"."+t.Obj().Name())
	case p == w.pkg:
		w.walk(t.Underlying())
		for m := range t.Methods() {
			if m.Exported() {
				w.walk(m.Type())
			}
		}
	}
}
