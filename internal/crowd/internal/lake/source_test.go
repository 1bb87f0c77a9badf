package lake

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The library's ways to delete rows make delete files, or resurrect rows after one was made
// (apache/iceberg-go #2042). With append and replace alone the list of data files is the table.
func TestNoDeleteFileIsEverMade(t *testing.T) {
	t.Parallel()
	forbidden := []string{"Delete", "Overwrite", "OverwriteTable", "NewRowDelta", "AddDeleteFile", "ReplaceFilesWithDeleteFiles", "RewriteDataFiles"}
	files, err := filepath.Glob("*.go")
	must(t, err)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		must(t, err)
		ast.Inspect(tree, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(forbidden, s.Sel.Name) {
				t.Errorf("%s calls %s", f, s.Sel.Name)
			}
			return true
		})
	}
}
