package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"murmur/internal/tour"
)

// TestAlertsNameWhatThereIs: every rule asks for metrics that a server has, and names a runbook that exists.
func TestAlertsNameWhatThereIs(t *testing.T) {
	t.Parallel()
	root := tour.Root(t)
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations struct{ Summary, Runbook string }
			}
		}
	}
	b, err := os.ReadFile(filepath.Join(root, "deploy", "prometheus", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(b, &rules); err != nil || len(rules.Groups) != 1 || len(rules.Groups[0].Rules) < 5 {
		t.Fatal(err, rules)
	}
	var source strings.Builder
	files, err := filepath.Glob(filepath.Join(root, "internal", "server", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && !strings.HasSuffix(f, "_test.go") {
			source.Write(b)
		}
	}
	for _, r := range rules.Groups[0].Rules {
		for _, m := range regexp.MustCompile(`murmur_[a-z_]+`).FindAllString(r.Expr, -1) {
			if !strings.Contains(source.String(), `"`+m+`"`) {
				t.Errorf("%s asks for %s, which no server has", r.Alert, m)
			}
		}
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(r.Annotations.Runbook))); err != nil || r.Annotations.Runbook == "" || r.Annotations.Summary == "" {
			t.Errorf("%s: its runbook: %v", r.Alert, err)
		}
	}
}

// TestTheUnitIsASandbox: systemd's own judgement of the unit is 2.0 or better.
func TestTheUnitIsASandbox(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("NOT TESTED: systemd-analyze is not installed; it is part of systemd")
	}
	unit := filepath.Join(tour.Root(t), "deploy", "systemd", "murmur.service")
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", unit).Output()
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`exposure level for murmur.service: ([0-9.]+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("no judgement:\n%s", out)
	}
	if level, err := strconv.ParseFloat(string(m[1]), 64); err != nil || level > 2.0 {
		t.Errorf("exposure level %s, at most 2.0", m[1])
	}
}
