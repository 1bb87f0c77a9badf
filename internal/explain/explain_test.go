package explain

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/errors.md anew")

const errorsHead = `<!-- Made by: go test ./internal/explain -run TestPageOfErrors -update -->
# Exit codes and errors

| exit code | means |
|---|---|
| 0 | done |
| 1 | failed; what was accepted is safe |
| 2 | bad usage or input: change the command or the input |
| 3 | a check found a breach: something is not as it was left |
| 4 | locked or busy: another murmur has the directory |
| 5 | the data is newer than this version |

An error is two lines on stderr, ` + "`error:`" + ` and ` + "`hint:`" + `. Over HTTP it is ` + "`application/problem+json`" + ` (RFC 9457, see
[the API](api.md)) with the status below. No error repeats a value that somebody sent.

| error | HTTP status | exit code | hint |
|---|---|---|---|
`

func TestPageOfErrors(t *testing.T) {
	var b strings.Builder
	b.WriteString(errorsHead)
	for _, e := range explanations {
		if e.hint == "" || e.exit < 1 || e.exit > 5 || e.status < 400 {
			t.Errorf("%v: exit %d, status %d, hint %q", e.is, e.exit, e.status, e.hint)
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %s |\n", e.is, e.status, e.exit, e.hint)
	}
	b.WriteString("| anything else | 500 | 1 | the message says which step failed |\n")
	file := filepath.Join("..", "..", "docs", "errors.md")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != b.String() {
		t.Error("docs/errors.md does not say what the program does; -update writes it anew")
	}
}

// inner are errors that never leave the code that handles them.
var inner = []string{
	"datadir.ErrNoManifest", "keyring.ErrDead", "keyring.ErrSeal", "keyring.ErrUnknown", "keyring.ErrToday",
	"journal.ErrBroken", "deliveries.ErrUnknown", "journal.ErrTooLarge", "journal.ErrAhead", "journal.ErrEarly", "journal.ErrClosed",
	"ledger.ErrNotFound", "ledger.ErrEntry", "ledger.ErrCheckpoint",
	"meta.ErrRead", "private.ErrNotYet", "private.ErrFill", "private.ErrNoListener",
}

func TestEveryErrorOfADoorIsExplained(t *testing.T) {
	source, err := os.ReadFile("explain.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, pkg := range []string{"datadir", "keyring", "ledger", "journal", "meta", "workspace", "private"} {
		for _, name := range errorsOf(t, filepath.Join("..", pkg)) {
			found++
			explained := strings.Contains(string(source), "{"+pkg+"."+name+",")
			if explained == slices.Contains(inner, pkg+"."+name) {
				t.Errorf("%s.%s must stand either in explanations or in inner; explained: %v", pkg, name, explained)
			}
		}
	}
	if found < 30 {
		t.Errorf("%d errors", found)
	}
}

// errorsOf are the exported error variables of a package.
func errorsOf(t *testing.T, dir string) (names []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for _, id := range v.Names {
					if strings.HasPrefix(id.Name, "Err") {
						names = append(names, id.Name)
					}
				}
			}
			_, function := n.(*ast.FuncDecl)
			return !function
		})
	}
	return names
}
