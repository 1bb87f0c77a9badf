package arch

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// module is the path of the module; the names of packages in findings are relative to it.
const module = "murmur"

// house is what the rules look at.
type house struct {
	files []file              // every Go file, tests and other build tags included: syntax alone
	pkgs  []pkg               // what compiles here, without tests: types
	graph map[string][]string // package to imports, all dependencies included, tests not

	known map[string]*types.Package // what a planted file can import
	fset  *token.FileSet
}

// file is the syntax of one file.
type file struct {
	pkg  string // import path of its folder, relative to the module
	name string // of the file
	test bool
	*ast.File
}

// pkg is one package with types. Files of one folder that are planted are a package of their own.
type pkg struct {
	name  string // import path relative to the module
	files []*ast.File
	types *types.Package
	info  *types.Info
}

// load reads the module once. Dependencies come from export data, so nothing outside the module is checked again.
func load() (*house, error) {
	gomod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(gomod)))
	h := &house{graph: map[string][]string{}, known: map[string]*types.Package{"unsafe": types.Unsafe}, fset: token.NewFileSet()}
	if err := h.readFiles(root); err != nil {
		return nil, err
	}
	if err := h.readGraph(root); err != nil {
		return nil, err
	}
	loaded, err := packages.Load(&packages.Config{
		Dir: root, Fset: h.fset,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedTypes |
			packages.NeedSyntax | packages.NeedTypesInfo,
	}, "./...")
	if err != nil {
		return nil, fmt.Errorf("load packages: %w", err)
	}
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("load packages: %w", p.Errors[0])
		}
		h.pkgs = append(h.pkgs, pkg{short(p.PkgPath), p.Syntax, p.Types, p.TypesInfo})
		h.learn(p.Types)
	}
	return h, nil
}

// learn makes a package and what it imports known to planted files.
func (h *house) learn(p *types.Package) {
	if old := h.known[p.Path()]; old != nil && old.Complete() {
		return
	}
	h.known[p.Path()] = p
	for _, q := range p.Imports() {
		h.learn(q)
	}
}

func (h *house) readFiles(root string) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		base := d.Name()
		switch {
		case d.IsDir() && rel != "." && (base == "testdata" || base == "bin" || strings.HasPrefix(base, ".") || exists(filepath.Join(name, "go.mod"))):
			return filepath.SkipDir
		case d.IsDir() || path.Ext(base) != ".go":
			return nil
		}
		return h.addFile(filepath.ToSlash(filepath.Dir(rel)), base, name, nil)
	})
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// addFile parses a file; src is nil to read it from disk.
func (h *house) addFile(dir, base, name string, src any) error {
	syntax, err := parser.ParseFile(h.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	h.files = append(h.files, file{dir, base, strings.HasSuffix(base, "_test.go"), syntax})
	return nil
}

func (h *house) readGraph(root string) error {
	cmd := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("list dependencies: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 0 {
			h.graph[f[0]] = f[1:]
		}
	}
	return nil
}

// plant is a file that breaks a rule: it stands in the folder of a package, and only in memory.
type plant struct {
	pkg  string // relative to the module
	name string // empty: planted.go
	src  string
}

// with is a house in which only the planted file can be found at fault, standing in the graph of the real one.
// The type errors of the file are returned, not reported: a rule must see what it is meant to see anyway.
func (h *house) with(t *testing.T, p plant) (*house, []error) {
	t.Helper()
	if p.name == "" {
		p.name = "planted.go"
	}
	g := &house{graph: map[string][]string{}, known: h.known, fset: h.fset}
	if err := g.addFile(p.pkg, p.name, p.pkg+"/"+p.name, p.src); err != nil {
		t.Fatal(err)
	}
	maps.Copy(g.graph, h.graph)
	full := module + "/" + p.pkg
	for _, i := range imports(g.files[0].File) {
		g.graph[full] = append(slices.Clip(g.graph[full]), i)
	}
	var errs []error
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}, Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Importer: h, Error: func(err error) { errs = append(errs, err) }}
	checked, _ := conf.Check(full, h.fset, []*ast.File{g.files[0].File}, info) // errors are in errs
	if !g.files[0].test {
		g.pkgs = []pkg{{p.pkg, []*ast.File{g.files[0].File}, checked, info}}
	}
	return g, errs
}

// Import gives planted files the packages of the real house, and the standard library beyond them.
func (h *house) Import(name string) (*types.Package, error) {
	if p := h.known[name]; p != nil && p.Complete() {
		return p, nil
	}
	return importer.ForCompiler(h.fset, "gc", nil).Import(name)
}

func imports(f *ast.File) []string {
	var out []string
	for _, i := range f.Imports {
		if name, err := strconv.Unquote(i.Path.Value); err == nil {
			out = append(out, name)
		}
	}
	return out
}

// short takes the module off an import path.
func short(name string) string { return strings.TrimPrefix(name, module+"/") }

// ours reports whether an import path is of the module.
func ours(name string) bool { return strings.HasPrefix(name, module+"/") }

// under reports whether a package is a folder or lies below it.
func under(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }
