package docs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"murmur/internal/cli"
	"murmur/internal/tour"
)

// pages gives every Markdown file of the repository by its path below the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	root, all := tour.Root(t), map[string]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "vendor" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		b, err := os.ReadFile(name)
		rel, _ := filepath.Rel(root, name)
		all[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil || len(all) < 20 {
		t.Fatalf("only %d pages were found: %v", len(all), err)
	}
	return all
}

var (
	code = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			to, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if to != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), to))
			}
			if _, err := os.Stat(filepath.Join(tour.Root(t), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			} else if anchor != "" && !anchors(all[target])[anchor] {
				t.Errorf("%s links to %s, which has no such heading", name, m[1])
			}
		}
	}
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// anchors are the headings of a page as browsers are sent to them.
func anchors(text string) map[string]bool {
	has := map[string]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		if h := strings.TrimLeft(line, "#"); h != line && strings.HasPrefix(h, " ") {
			h = notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(h)), "")
			has[strings.ReplaceAll(h, " ", "-")] = true
		}
	}
	return has
}

func TestTheIndexNamesEveryPage(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for name := range all {
		if short, ok := strings.CutPrefix(name, "docs/"); ok && short != "README.md" && !strings.Contains(all["docs/README.md"], "("+short+")") {
			t.Errorf("docs/README.md does not name %s", short)
		}
	}
}

// private paths of a machine: nobody else has them.
var machine = regexp.MustCompile(`(^|[^A-Za-z0-9.])/(home|root|Users|work|mnt|tmp)/[A-Za-z0-9._]+`)

func TestNoPageNamesAMachine(t *testing.T) {
	t.Parallel()
	for name, text := range pages(t) {
		for _, m := range machine.FindAllString(text, -1) {
			t.Errorf("%s names %s", name, strings.TrimSpace(m))
		}
	}
}

var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)`")

// TestTestsAreThere looks up the tests that the pages call upon.
func TestTestsAreThere(t *testing.T) {
	t.Parallel()
	has := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9]*)\(`)
	err := filepath.WalkDir(tour.Root(t), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") && d.Name() != "contract.go" {
			return err
		}
		b, err := os.ReadFile(name)
		for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
			has[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for name, text := range pages(t) {
		for _, m := range testName.FindAllStringSubmatch(text, -1) {
			found++
			if !has[m[1]] {
				t.Errorf("%s calls upon %s, which is not there", name, m[1])
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d tests are named", found)
	}
}

// TestVerdictsAreThoseOfTheCode compares the table of docs/consent.md with the cases that package consent runs.
func TestVerdictsAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(tour.Root(t), "internal", "private", "internal", "consent", "testdata", "verdicts.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for line := range strings.SplitSeq(string(b), "\n") {
		if line != "" && line[0] != '#' {
			want.WriteString(line + "\n")
		}
	}
	_, rest, _ := strings.Cut(pages(t)["docs/consent.md"], "<!-- verdicts -->\n```text\n")
	if got, _, _ := strings.Cut(rest, "```\n<!-- end -->"); got != want.String() {
		t.Errorf("docs/consent.md has another table than the test of package consent:\n%s", want.String())
	}
}

// section gives the first block of shell commands below a heading of the README, or the last before any.
func section(t *testing.T, heading string) []string {
	t.Helper()
	_, rest, _ := strings.Cut(pages(t)["README.md"], heading+"\n")
	_, rest, ok := strings.Cut(rest, "```sh\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("README.md has no commands below %q", heading)
	}
	return strings.Split(strings.TrimSpace(block), "\n")
}

var redaction = regexp.MustCompile("(?s)\\$ printf '([^']*)' \\| murmur redact\n(.*?)```")

func TestTheRedactExampleIsTrue(t *testing.T) {
	t.Parallel()
	m := redaction.FindStringSubmatch(pages(t)["README.md"])
	if m == nil {
		t.Fatal("README.md shows no redaction")
	}
	var out, errs bytes.Buffer
	in := strings.NewReader(strings.ReplaceAll(m[1], `\n`, "\n"))
	if code := cli.Run(t.Context(), []string{"redact"}, cli.IO{In: in, Out: &out, Err: &errs}); code != 0 || out.String() != m[2] {
		t.Errorf("exit code %d; printed\n%s%sREADME.md says\n%s", code, out.String(), errs.String(), m[2])
	}
}

// firstLine tells when a server listens.
type firstLine struct{ seen chan struct{} }

func (w *firstLine) Write(p []byte) (int, error) {
	select {
	case <-w.seen:
	default:
		close(w.seen)
	}
	return len(p), nil
}

// TestTheCommandsOfTheReadmeRun types them one after the other into a directory with an export and a key in it, where
// every vendor is one that has nothing to tell. It is not parallel: it has the process's working directory and environment.
func TestTheCommandsOfTheReadmeRun(t *testing.T) {
	dir := t.TempDir()
	lines := section(t, "## With your own phone system")
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("MURMUR_DATA", filepath.Join(dir, "data"))
	if err := os.WriteFile("calls.csv", []byte(export()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("key.txt", []byte("not-a-key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[],"totalItems":0}`)
	}))
	defer vendor.Close()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan int, 1)
	if !strings.HasPrefix(lines[0], `make build && export PATH="$PWD/bin:$PATH" `) {
		t.Fatalf("on a clean clone nobody finds the command: %s", lines[0])
	}
	for _, line := range lines[1:] {
		line, _, _ = strings.Cut(line, " #")
		args := words(line)
		if len(args) < 2 || args[0] != "murmur" {
			t.Fatalf("not a command of murmur: %s", line)
		}
		var out, errs bytes.Buffer
		if args[1] == "serve" {
			listens := &firstLine{make(chan struct{})}
			go func() {
				served <- cli.Run(ctx, append(args[1:], "--listen", "127.0.0.1:0"), cli.IO{In: &bytes.Buffer{}, Out: listens, Err: &errs})
			}()
			select {
			case <-listens.seen:
			case code := <-served:
				t.Fatalf("%s: exit code %d\n%s", line, code, errs.String())
			}
			continue
		}
		if slices.Contains(args, "--api-key") {
			args = append(args, "--api-base", vendor.URL)
		}
		if code := cli.Run(ctx, args[1:], cli.IO{In: &bytes.Buffer{}, Out: &out, Err: &errs}); code != 0 {
			t.Errorf("%s: exit code %d\n%s", line, code, errs.String())
		}
	}
	stop()
	if code := <-served; code != 0 {
		t.Errorf("the server ended with exit code %d", code)
	}
}

// export is a small file of calls, as a phone system would write it.
func export() string {
	var b strings.Builder
	b.WriteString("Call ID,Direction,From,To,Start Time,Duration,Status\n")
	for i := range 8 {
		fmt.Fprintf(&b, "c%d,incoming,+1212555015%d,+12125550100,2026-11-0%dT10:00:00Z,60,answered\n", i, i, i+2)
	}
	return b.String()
}

var word = regexp.MustCompile(`"([^"]*)"|(\S+)`)

// words cuts a command line, with double quotes.
func words(line string) (out []string) {
	for _, m := range word.FindAllStringSubmatch(line, -1) {
		out = append(out, m[1]+m[2])
	}
	return out
}
