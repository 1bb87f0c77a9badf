package server

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// TestCallsAreCounted: the metrics, status and doctor say how calls ended, and of none which it was.
func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	n := start(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, n)
	_, err := n.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "recordings", Value: "notice"}}, "a test", "a test")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	for i, events := range [][]string{
		{"began"}, {"began", "notice_started", "notice_ended", "hangup"}, {"began", "notice_started", "notice_ended", "key"},
		{"began", "notice_started", "hangup"}, {"began", "notice_ended"},
	} {
		call := fmt.Sprintf("ACcall%d", i)
		for _, kind := range events {
			at = at.Add(time.Second)
			e := web.CallEvent{Kind: kind, At: at}
			if kind == "key" {
				e.Key = "9"
			}
			if kind == "began" {
				e.Contact = fmt.Sprintf("+121255501%02d", i) // each another person
			}
			if _, err := (calls{n}).Event(t.Context(), workspace.Default, call, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	w := httptest.NewRecorder()
	n.metrics().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		"murmur_calls_live 1", `murmur_calls_total{state="released",why="hangup"} 1`, `murmur_calls_total{state="opted_out",why="opted_out"} 1`,
		`murmur_calls_total{state="aborted",why="hangup"} 1`, `murmur_calls_total{state="aborted",why="failed"} 1`, `murmur_calls_total{state="shredded",why="destroyed"} 3`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("the metrics do not say %s", line)
		}
	}
	status, err := n.Status(t.Context())
	if err != nil || status.Calls.String() != "1 live, 1 aborted (failed), 1 aborted (hangup), 1 opted_out (opted_out), 1 released (hangup), 3 shredded (destroyed)" {
		t.Errorf("status: %s, %v", status.Calls, err)
	}
	d, err := n.doctor(t.Context(), rpc.DoctorArgs{})
	if err != nil {
		t.Fatal(err)
	}
	said := false
	for _, c := range d.Checks {
		if said = said || c.Name == "calls" && !c.OK && strings.HasPrefix(c.Said, "1 live"); strings.Contains(c.Said, "AC") {
			t.Errorf("doctor names a call: %s", c.Said)
		}
	}
	if !said || strings.Contains(w.Body.String(), "ACcall") || strings.Contains(w.Body.String(), "2125") {
		t.Errorf("doctor: %+v", d.Checks)
	}
}
