package docs

import (
	"bytes"
	"encoding/json"
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

// serverMetrics are the names that stand in the server's source as metrics.
func serverMetrics(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(tour.Root(t), "internal", "server", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil || strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`"(murmur_[a-z_]+)"`).FindAllSubmatch(b, -1) {
			has[string(m[1])] = true
		}
	}
	if len(has) < 15 {
		t.Fatalf("only %d metrics", len(has))
	}
	return has
}

var metricName = regexp.MustCompile(`murmur_[a-z_]+`)

// TestAlertsNameWhatThereIs: every rule asks for metrics that a server has, and names a runbook that exists; every runbook is
// named by a rule.
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
	metrics, named := serverMetrics(t), map[string]bool{}
	for _, r := range rules.Groups[0].Rules {
		for _, m := range metricName.FindAllString(r.Expr, -1) {
			if !metrics[m] {
				t.Errorf("%s asks for %s, which no server has", r.Alert, m)
			}
		}
		named[filepath.Base(r.Annotations.Runbook)] = true
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(r.Annotations.Runbook))); err != nil || r.Annotations.Runbook == "" || r.Annotations.Summary == "" {
			t.Errorf("%s: its runbook: %v", r.Alert, err)
		}
	}
	runbooks, err := os.ReadDir(filepath.Join(root, "docs", "runbook"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range runbooks {
		if !named[page.Name()] {
			t.Errorf("no rule names the runbook %s", page.Name())
		}
	}
}

// TestTheDashboardAsksForWhatThereIs: every panel has a title and queries, every query asks for metrics that a server has, and
// every metric of a server has a panel.
func TestTheDashboardAsksForWhatThereIs(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(tour.Root(t), "deploy", "grafana", "murmur.json"))
	if err != nil {
		t.Fatal(err)
	}
	type position struct{ X, Y, W, H int }
	var board struct {
		Title, UID    string
		SchemaVersion int
		Panels        []struct {
			ID                       int
			Type, Title, Description string
			GridPos                  position
			Targets                  []struct{ Expr, RefID string }
		}
	}
	strict := json.NewDecoder(bytes.NewReader(b))
	if err := strict.Decode(&board); err != nil || board.Title == "" || board.UID == "" || board.SchemaVersion < 30 {
		t.Fatalf("the dashboard: %v", err)
	}
	metrics, shown := serverMetrics(t), map[string]bool{}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range board.Panels {
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 || ids[p.ID] {
			t.Errorf("panel %d, %q: it needs a title, a description, a query and an id of its own", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q lies over %q, or beside the page", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		for _, q := range p.Targets {
			asked := metricName.FindAllString(q.Expr, -1)
			if len(asked) == 0 || q.RefID == "" || strings.Count(q.Expr, "(") != strings.Count(q.Expr, ")") {
				t.Errorf("%q: the query %s", p.Title, q.Expr)
			}
			for _, m := range asked {
				if shown[m] = true; !metrics[m] {
					t.Errorf("%q asks for %s, which no server has", p.Title, m)
				}
			}
		}
	}
	for m := range metrics {
		if !shown[m] {
			t.Errorf("no panel shows %s", m)
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

// TestTheChartIsASandbox looks at what Helm renders: one replica that nobody can write to but its volume, not root, with the root
// key apart, with probes that the server has, and nothing that runs beside it. MURMUR_CHART is the rendering.
func TestTheChartIsASandbox(t *testing.T) {
	t.Parallel()
	rendering := os.Getenv("MURMUR_CHART")
	if rendering == "" {
		t.Skip("NOT TESTED: the Helm chart (make check-deploy renders it)")
	}
	b, err := os.ReadFile(rendering)
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Kind string
		Spec struct {
			Replicas int
			Template struct {
				Spec struct {
					SecurityContext struct {
						RunAsNonRoot bool `yaml:"runAsNonRoot"`
					} `yaml:"securityContext"`
					AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
					Containers                   []map[string]any
				}
			}
			VolumeClaimTemplates []map[string]any `yaml:"volumeClaimTemplates"`
		}
	}
	kinds := map[string]int{}
	for d := yaml.NewDecoder(bytes.NewReader(b)); ; {
		var doc yaml.Node
		if err := d.Decode(&doc); err != nil {
			break
		}
		var kind struct{ Kind string }
		if err := doc.Decode(&kind); err != nil {
			t.Fatal(err)
		}
		if kinds[kind.Kind]++; kind.Kind == "StatefulSet" {
			if err := doc.Decode(&set); err != nil {
				t.Fatal(err)
			}
		}
	}
	pod := set.Spec.Template.Spec
	if kinds["StatefulSet"] != 1 || kinds["Service"] != 1 || len(kinds) != 2 || set.Spec.Replicas != 1 || len(pod.Containers) != 1 || len(set.Spec.VolumeClaimTemplates) != 1 {
		t.Fatalf("kinds %v, %d replicas, %d containers", kinds, set.Spec.Replicas, len(pod.Containers))
	}
	if !pod.SecurityContext.RunAsNonRoot || pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("it may be root, or has the cluster's token")
	}
	c := pod.Containers[0]
	said, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false", "- ALL", "path: /livez", "path: /readyz", "--root-key=credential:root.key", "--public-url=https://murmur.example.com", "CREDENTIALS_DIRECTORY"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("the container has no %s:\n%s", want, said)
		}
	}
}
