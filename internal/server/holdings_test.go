package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/workspace"
)

// TestThePageOfPrivacySaysWhatIsKept compares the table of docs/privacy.md with what the pages show by default.
func TestThePageOfPrivacySaysWhatIsKept(t *testing.T) {
	t.Parallel()
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data")})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	kept, err := holdings{n}.Kept(t.Context(), workspace.Default)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, k := range kept {
		where := k.Where
		if strings.ContainsAny(where, "./") {
			where = "`" + where + "`"
		}
		fmt.Fprintf(&want, "| %s | %s | %s | %s |\n", k.What, where, k.HowLong, k.Guard)
	}
	b, err := os.ReadFile("../../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "<!-- kept -->\n| what | where | how long | guarded by |\n|---|---|---|---|\n")
	if got, _, ok := strings.Cut(rest, "<!-- end -->"); !ok || got != want.String() {
		t.Errorf("docs/privacy.md has another table; it should have\n%s", want.String())
	}
}
