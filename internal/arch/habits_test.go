package arch

import (
	"go/ast"
	"slices"
	"strings"
)

// comments: every package says what it is for, and in the zones which zone it is.
var comments = rule{
	name: "comments",
	find: func(h *house) (out []string) {
		docs := map[string]string{}
		command := map[string]bool{}
		for _, f := range h.files {
			docs[f.pkg] += f.Doc.Text()
			command[f.pkg] = command[f.pkg] || f.Name.Name == "main"
		}
		for name, doc := range docs {
			switch {
			case !strings.HasPrefix(doc, "Package ") && !strings.HasPrefix(doc, "Command "):
				out = append(out, name+" has no package comment")
			case (under(name, private) || under(name, crowd) || slices.ContainsFunc(redLibraries, func(l string) bool { return under(name, l) })) && !command[name] && !strings.Contains(doc, "Zone: "):
				out = append(out, name+" does not name its zone")
			}
		}
		return out
	},
	red: []plant{
		{pkg: "internal/web", src: `package web`},
		{pkg: "internal/crowd/internal/lake", src: "// Package lake keeps rows.\npackage lake"},
		{pkg: "internal/redact", src: "// Package redact finds.\npackage redact"},
	},
}

// quiet: only the command line writes to the terminal; everything else logs, without content, or returns.
var quiet = rule{
	name: "quiet",
	find: func(h *house) (out []string) {
		for _, f := range h.files {
			if f.test || under(f.pkg, "internal/cli") || under(f.pkg, "cmd") || f.Name.Name == "main" {
				continue
			}
			for _, i := range imports(f.File) {
				if i == "log" {
					out = append(out, f.pkg+" imports log")
				}
			}
			for _, s := range selections(f.File, "fmt") {
				if slices.Contains([]string{"Print", "Printf", "Println"}, s) {
					out = append(out, f.pkg+" calls fmt."+s)
				}
			}
			ast.Inspect(f.File, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if id, ok := call.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
						out = append(out, f.pkg+" calls "+id.Name)
					}
				}
				return true
			})
		}
		return out
	},
	red: []plant{
		{pkg: "internal/server", src: `package server; import "fmt"; func f() { fmt.Println("x") }`},
		{pkg: "internal/server", src: `package server; import f "fmt"; var p = f.Printf`},
		{pkg: "internal/server", src: `package server; import "log"; func f() { log.Print("x") }`},
		{pkg: "internal/private", src: `package private; func f() { println("x") }`},
	},
}

// noSleep: a test waits for a signal or moves a clock, it never sleeps.
var noSleep = rule{
	name: "no sleep",
	find: func(h *house) (out []string) {
		for _, f := range h.files {
			if (f.test || strings.HasSuffix(f.pkg, "test")) && slices.Contains(selections(f.File, "time"), "Sleep") {
				out = append(out, f.pkg+" sleeps in "+f.name)
			}
		}
		return out
	},
	red: []plant{
		{pkg: "internal/web", name: "planted_test.go", src: `package web; import "time"; func f() { time.Sleep(1) }`},
		{pkg: "internal/web", name: "planted_test.go", src: `package web; import t "time"; var nap = t.Sleep`},
		{pkg: "internal/journal/queuetest", src: `package queuetest; import "time"; func f() { time.Sleep(1) }`},
	},
}

// selections are the names that a file takes from a package of the standard library.
func selections(f *ast.File, pkg string) (out []string) {
	local := ""
	for _, i := range f.Imports {
		if i.Path.Value == `"`+pkg+`"` {
			local = pkg
			if i.Name != nil {
				local = i.Name.Name
			}
		}
	}
	if local == "" {
		return nil
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && id.Name == local {
				out = append(out, s.Sel.Name)
			}
		}
		return true
	})
	return out
}

// binary: what helps tests is not linked into the command.
var binary = rule{
	name: "binary",
	find: func(h *house) (out []string) {
		helpers := []string{
			"gonum.org/v1/gonum", "github.com/chromedp", "github.com/rogpeppe/go-internal", "go.uber.org/goleak", "golang.org/x/tools",
			"github.com/stretchr/testify", "github.com/santhosh-tekuri/jsonschema", "github.com/johannesboyne/gofakes3", "github.com/twmb/franz-go/pkg/kfake", "github.com/versity", "testing",
		}
		helps := func(name string) string {
			if ours(name) && strings.HasSuffix(name, "test") {
				return short(name)
			}
			if i := slices.IndexFunc(helpers, func(x string) bool { return under(name, x) }); i >= 0 {
				return helpers[i]
			}
			return ""
		}
		for name := range h.closure(module + "/cmd/murmur") {
			for _, i := range h.graph[name] {
				if to := helps(i); to != "" && helps(name) == "" {
					out = append(out, short(name)+" links "+to)
				}
			}
		}
		return out
	},
	allow: map[string]string{
		"internal/insight links gonum.org/v1/gonum":                               "quantiles of the binomial and chi-squared distributions in intervals",
		"internal/crowd/internal/enrich links gonum.org/v1/gonum":                 "quantiles of the beta distribution in the precision of own categories",
		"internal/crowd/internal/dp links gonum.org/v1/gonum":                     "quantiles of the normal and beta distributions in the audit of noise",
		"github.com/apache/iceberg-go/internal links github.com/stretchr/testify": "the library keeps its mocks in a package that it links",
		"github.com/apache/thrift/lib/go/thrift links testing":                    "the library ships a helper of its tests; it comes with Parquet",
	},
	red: []plant{
		{pkg: "internal/server", src: `package server; import _ "murmur/internal/fact/facttest"`},
		{pkg: "internal/web", src: `package web; import _ "github.com/chromedp/chromedp"`},
		{pkg: "internal/cli", src: `package cli; import _ "github.com/rogpeppe/go-internal/testscript"`},
		{pkg: "internal/crowd", src: `package crowd; import _ "gonum.org/v1/gonum/mat"`},
		{pkg: "internal/job", src: `package job; import _ "testing"`},
	},
}
