package arch

import (
	"go/ast"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
)

const (
	private = "internal/private"
	crowd   = "internal/crowd"
)

// redLibraries read what people say and keep nothing: only the private zone and the commands that mask may import
// them.
var redLibraries = []string{"internal/redact", "internal/audio"}

// zones: who may go through which door. Every import from outside a zone into it is a finding, tests included, so
// the list below is the complete list of crossings. An import past a door is never allowed: the compiler refuses
// it too (TestTheCompilerHoldsTheZones), as long as the folders keep their names.
var zones = rule{
	name: "zones",
	find: func(h *house) (out []string) {
		for _, f := range h.files {
			for _, i := range imports(f.File) {
				i = short(i)
				for _, zone := range []string{private, crowd} {
					if under(i, zone) && !under(f.pkg, zone) {
						out = append(out, f.pkg+" imports "+i)
					}
				}
				for _, library := range redLibraries {
					if under(i, library) && !under(f.pkg, library) && !under(f.pkg, private) {
						out = append(out, f.pkg+" imports "+i)
					}
				}
			}
		}
		return out
	},
	allow: map[string]string{
		"internal/server imports internal/private":          "the wiring",
		"internal/server imports internal/crowd":            "the wiring",
		"internal/server imports internal/crowd/release":    "the wiring: policies become settings of releases",
		"internal/server imports internal/crowd/provable":   "the wiring: specifications become plans",
		"internal/rpc imports internal/private":             "the tally of calls, in the answer of status",
		"internal/cli imports internal/crowd/provable":      "prints what a plan costs",
		"internal/insight imports internal/crowd/provable":  "an insight is a pure function of released counts",
		"internal/server imports internal/private/anon":     "the wiring: erasure crosses by value, as contacts",
		"internal/cli imports internal/private":             "redact masks recordings without a data directory, so without a server",
		"internal/cli imports internal/redact/command":      "the verb redact",
		"internal/explain imports internal/redact/command":  "says what its errors mean",
		"internal/explain imports internal/private":         "says what its errors mean",
		"internal/explain imports internal/crowd":           "says what its errors mean",
		"cmd/murmur-redact imports internal/redact/command": "the redactor alone",

		"internal/fact imports internal/private/anon":                  "a fact's two leaves",
		"internal/fact/facttest imports internal/private/anon":         "makes leaves for tests through a real seal",
		"internal/crowd imports internal/private/anon":                 "Forget takes contacts",
		"internal/crowd/internal/lake imports internal/private/anon":   "rows hold contacts until they are de-linked",
		"internal/crowd/internal/enrich imports internal/private/anon": "reads masked words",
		"internal/insight imports internal/crowd/release":              "an insight is a pure function of released tables",
		"internal/arch imports internal/private/anon":                  "holds the gate types",
		"internal/arch imports internal/crowd/release":                 "holds the gate types",
	},
	red: []plant{
		{pkg: "internal/web", src: `package web; import _ "murmur/internal/private"`},
		{pkg: "internal/web", src: `package web; import _ "murmur/internal/redact"`},
		{pkg: "internal/web", src: `package web; import _ "murmur/internal/crowd"`},
		{pkg: "internal/web", name: "planted_test.go", src: `package web; import _ "murmur/internal/crowd/internal/lake"`},
		{pkg: "internal/insight", src: `package insight; import _ "murmur/internal/private/anon"`},
		{pkg: "internal/insight", src: `package insight; import _ "murmur/internal/crowd/internal/lake"`},
		{pkg: "internal/synth", src: `package synth; import _ "murmur/internal/private/internal/event"`},
		{pkg: "internal/demo", src: `package demo; import _ "murmur/internal/private"`},
		{pkg: "internal/demo", src: `package demo; import _ "murmur/internal/crowd/release"`},
		{pkg: "internal/cli", src: `package cli; import _ "murmur/internal/crowd"`},
		{pkg: "internal/crowd", src: `package crowd; import _ "murmur/internal/private"`},
		{pkg: "internal/private", src: `package private; import _ "murmur/internal/crowd/release"`},
		{pkg: "internal/journal", src: `package journal; import _ "murmur/internal/private/anon"`},
		{pkg: "cmd/murmur", src: `package main; import _ "murmur/internal/private/internal/personal"`},
	},
}

// outside are the packages that lead out of the process: code that reaches none of them cannot send data away.
var outside = []string{"net", "net/http", "os/exec", "database/sql", "plugin"}

// offline: the parts of the anonymiser that read words reach no network, no process and no database, neither by
// their own imports nor by anyone's below them.
var offline = rule{
	name: "offline",
	find: func(h *house) (out []string) {
		for _, root := range h.roots("internal/private/internal/personal", "internal/redact", "cmd/murmur-redact",
			"internal/private/internal/source/lines", "internal/audio", "internal/private/internal/recorder/sdp", "internal/private/internal/recorder/stream",
			"internal/private/internal/listen", "internal/crowd/internal/enrich/classify") {
			reached := h.closure(module + "/" + root)
			for _, o := range outside {
				if reached[o] {
					out = append(out, root+" reaches "+o)
				}
			}
		}
		return out
	},
	allow: map[string]string{
		"internal/private/internal/listen reaches os/exec": "transcribers and ffmpeg are processes of their own, confined",
	},
	red: []plant{
		{pkg: "internal/redact", src: `package redact; import _ "net/http"`},
		{pkg: "cmd/murmur-redact", src: `package main; import _ "murmur/internal/datadir"`},
		{pkg: "internal/redact/number", src: `package number; import _ "os/exec"`},
		{pkg: "internal/private/internal/personal", src: `package personal; import _ "murmur/internal/meta"`},
		{pkg: "internal/audio", src: `package audio; import _ "net"`},
		{pkg: "internal/audio/wav", src: `package wav; import _ "github.com/prometheus/client_golang/prometheus/promhttp"`},
		{pkg: "internal/crowd/internal/enrich/classify", src: `package classify; import _ "murmur/internal/workspace"`},
	},
}

// furnishedRoots read people and name workspaces, keys or facts, whose packages also open the database.
var furnishedRoots = []string{
	"internal/private/anon", "internal/private/internal/consent", "internal/private/internal/event",
	"internal/private/internal/identity", "internal/private/internal/source",
}

// furnished: the rest of the zone may stand on packages of the module that open the database, each listed by the
// edge that leads out; plainUse holds that only names and plain types of them are used.
var furnished = rule{
	name: "furnished",
	find: func(h *house) (out []string) {
		for _, root := range h.roots(furnishedRoots...) {
			for name := range h.closure(module + "/" + root) {
				if !ours(name) {
					continue
				}
				for _, i := range h.graph[name] {
					if !ours(i) && h.leadsOut(i) {
						out = append(out, short(name)+" leads out by "+i)
					}
				}
			}
		}
		return out
	},
	allow: map[string]string{
		"internal/workspace leads out by database/sql":                      "names workspaces, and also stores their policies",
		"internal/meta leads out by database/sql":                           "the metadata database",
		"internal/meta leads out by modernc.org/sqlite":                     "the metadata database",
		"internal/meta leads out by github.com/pressly/goose/v3":            "the migrations of the metadata database",
		"internal/ledger leads out by database/sql":                         "the ledger is a table of the metadata database",
		"internal/private/internal/consent leads out by database/sql":       "the register of what people said is a table",
		"internal/private/internal/source leads out by net/http":            "http.Header, in which webhooks are signed; plainUse holds it to the type",
		"internal/private/internal/source/signature leads out by net/http":  "http.Header",
		"internal/private/internal/source/native leads out by net/http":     "http.Header",
		"internal/private/internal/source/quo leads out by net/http":        "http.Header",
		"internal/private/internal/source/typeform leads out by net/http":   "http.Header",
		"internal/private/internal/source/twilio leads out by net/http":     "http.Header",
		"internal/private/internal/source/delighted leads out by net/http":  "http.Header",
		"internal/private/internal/source/formbricks leads out by net/http": "http.Header",
		"internal/private/internal/source/zendesk leads out by net/http":    "http.Header",
		"internal/private/internal/source/webhook leads out by net/http":    "http.Header",
		"internal/private/internal/source/vcon leads out by net/http":       "http.Header",

		"internal/private/internal/source/vcon leads out by crypto/x509":                   "reads the certificates that a signed vCon carries; plainUse",
		"internal/private/internal/source/vcon leads out by github.com/go-jose/go-jose/v4": "signatures and encryption of vCons: computes, asks nobody",
		"internal/private/internal/source/vcon leads out by mime/multipart":                "cuts a mail into its parts; plainUse",
	},
	red: []plant{
		{pkg: "internal/private/anon", src: `package anon; import _ "net"`},
		{pkg: "internal/private/internal/identity", src: `package identity; import _ "os/exec"`},
		{pkg: "internal/private/internal/source/strictjson", src: `package strictjson; import _ "net/http"`},
		{pkg: "internal/private/internal/event", src: `package event; import _ "github.com/prometheus/client_golang/prometheus/promhttp"`},
	},
}

// plainUse: from packages that could lead out of the process, the zone uses only names that cannot. The register
// of consent is a table, so its files are let off (register*.go); what decides has no database.
var plainUse = rule{
	name: "plain use",
	find: func(h *house) (out []string) {
		risky := map[string][]string{ // package to what may be used of it
			"net/http": {"Header"}, "crypto/x509": {"Certificate", "ParseCertificate", "ParsePKCS8PrivateKey", "ParsePKCS1PrivateKey", "ParseECPrivateKey"},
			"mime/multipart": {"NewReader", "Reader", "Part"}, "net": {}, "os/exec": {}, "database/sql": {}, "plugin": {},
			module + "/internal/meta": {}, module + "/internal/ledger": {},
			module + "/internal/workspace": {"ID", "Default", "Parse", "MustParse", "ErrBadID", "Policy", "Basis", "Notice", "OptIn", "OneParty", "Deny", "Allow"},
		}
		register := func(p pkg, id *ast.Ident) bool {
			return p.name == "internal/private/internal/consent" && strings.HasPrefix(filepath.Base(h.fset.Position(id.Pos()).Filename), "register")
		}
		for _, p := range h.below(furnishedRoots...) {
			if p.types.Name() == "main" || strings.HasSuffix(p.name, "test") {
				continue // fakes of vendors, and what else helps tests
			}
			for id, o := range p.info.Uses {
				if o.Pkg() == nil || register(p, id) {
					continue
				}
				if v, ok := o.(*types.Var); ok && v.IsField() {
					continue // a value comes from a function whose use is checked
				}
				allowed, listed := risky[home(o)]
				if listed && !slices.Contains(allowed, owner(o)) {
					out = append(out, p.name+" uses "+short(home(o))+"."+owner(o))
				}
			}
		}
		return out
	},
	red: []plant{
		{pkg: "internal/private/internal/source/quo", src: `package quo; import "net/http"; var f = http.Get`},
		{pkg: "internal/private/internal/source/quo", src: `package quo; import "net/http"; func f(r *http.Request) {}`},
		{pkg: "internal/private/internal/identity", src: `package identity; import "murmur/internal/workspace"; var s *workspace.Store`},
		{pkg: "internal/private/anon", src: `package anon; import "murmur/internal/meta"; var db *meta.DB`},
		{pkg: "internal/private/internal/consent", src: `package consent; import "murmur/internal/meta"; var db *meta.DB`},
	},
}

// pure: code that must give the same answer for the same input uses neither the clock nor randomness nor the
// machine.
var pure = rule{
	name: "pure",
	find: func(h *house) (out []string) {
		clock := []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"}
		world := []string{"os", "io/ioutil", "path/filepath", "math/rand", "math/rand/v2", "crypto/rand", "syscall", "runtime", "log", "log/slog"}
		for _, p := range h.below("internal/insight", "internal/fact", "internal/private/internal/personal", "internal/private/internal/event",
			"internal/private/internal/identity", "internal/redact", "internal/private/internal/source",
			"internal/crowd/internal/enrich/classify") {
			if p.types.Name() == "main" || strings.HasSuffix(p.name, "test") {
				continue // generators and helpers of tests
			}
			for _, f := range p.files {
				for _, i := range imports(f) {
					if slices.Contains(world, i) || (p.name == "internal/insight" && slices.Contains(outside, i)) {
						out = append(out, p.name+" imports "+i)
					}
				}
			}
			for _, o := range p.uses() {
				if home(o) == "time" && isFunc(o) && slices.Contains(clock, owner(o)) {
					out = append(out, p.name+" asks time."+owner(o))
				}
			}
		}
		return out
	},
	allow: map[string]string{
		"internal/private/internal/personal imports log/slog":          "a value answers loggers with [personal]; it logs nothing",
		"internal/crowd/internal/enrich/classify imports math/rand/v2": "training shuffles with a seed that it is given",
		"internal/redact/command imports os":                           "reads the files that a person names",
		"internal/redact/act/train imports math/rand/v2":               "training writes and shuffles phrasings with a seed that it is given",
		"internal/redact/trial imports math/rand/v2":                   "puts questions before real answers with a seed that it is given",
		"internal/redact/invent imports math/rand/v2":                  "makes up training texts from a seed that it is given",
		"internal/redact/tag/train imports math/rand/v2":               "training copies and shuffles with a seed that it is given",
	},
	red: []plant{
		{pkg: "internal/insight", src: `package insight; import "time"; var n = time.Now()`},
		{pkg: "internal/insight", src: `package insight; import clock "time"; var now = clock.Now`},
		{pkg: "internal/insight", src: `package insight; import _ "os"`},
		{pkg: "internal/insight", src: `package insight; import _ "net"`},
		{pkg: "internal/private/internal/source/quo", src: `package quo; import "time"; var n = time.Since(time.Time{})`},
		{pkg: "internal/redact", src: `package redact; import _ "math/rand/v2"`},
	},
}

// roots are the packages at or below the folders, relative to the module.
func (h *house) roots(folders ...string) (out []string) {
	for name := range h.graph {
		name = short(name)
		if slices.ContainsFunc(folders, func(f string) bool { return under(name, f) }) && !strings.HasSuffix(name, "test") && !strings.Contains(name, "test/") {
			out = append(out, name)
		}
	}
	return out
}

// below are the packages with types at or below the folders.
func (h *house) below(folders ...string) (out []pkg) {
	for _, p := range h.pkgs {
		if slices.ContainsFunc(folders, func(f string) bool { return under(p.name, f) }) {
			out = append(out, p)
		}
	}
	return out
}

// closure is everything a package needs to run, itself included.
func (h *house) closure(name string) map[string]bool {
	seen := map[string]bool{}
	var walk func(string)
	walk = func(n string) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, i := range h.graph[n] {
			walk(i)
		}
	}
	walk(name)
	return seen
}

func (h *house) leadsOut(name string) bool {
	reached := h.closure(name)
	return slices.ContainsFunc(outside, func(o string) bool { return reached[o] })
}

// uses are the objects of other packages that a package names, fields and methods included.
func (p pkg) uses() (out []types.Object) {
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if o := p.info.Uses[id]; o != nil && o.Pkg() != nil && o.Pkg() != p.types {
					if _, isPkg := o.(*types.PkgName); !isPkg {
						out = append(out, o)
					}
				}
			}
			return true
		})
	}
	return out
}

func home(o types.Object) string { return o.Pkg().Path() }

func isFunc(o types.Object) bool { f, ok := o.(*types.Func); return ok && f.Signature().Recv() == nil }

// owner is the name of an object of package scope, and of the type for a method or a field.
func owner(o types.Object) string {
	if f, ok := o.(*types.Func); ok && f.Signature().Recv() != nil {
		t := f.Signature().Recv().Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		if n, ok := t.(*types.Named); ok {
			return n.Obj().Name()
		}
	}
	return o.Name()
}
