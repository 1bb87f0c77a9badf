package connect

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// TestThePageAboutConnectors compiles the connector of docs/connectors.md as a folder beside the others, and runs its
// own test: the page cannot grow old.
func TestThePageAboutConnectors(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../../../../..")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "connectors.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := goBlock.FindAllSubmatch(page, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of code, want the connector and its test", len(blocks))
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for i, name := range []string{"bellweather.go", "bellweather_test.go"} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, blocks[i][1], 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(root, "internal", "private", "internal", "source", "bellweather", name)] = file
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := filepath.Join(t.TempDir(), "bellweather.test")
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", file, "-o", tests, "murmur/internal/private/internal/source/bellweather")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the page's connector does not compile: %v\n%s", err, out)
	}
	if out, err := exec.Command(tests).CombinedOutput(); err != nil {
		t.Errorf("the page's connector does not pass its test: %v\n%s", err, out)
	}
}
