package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"murmur/internal/explain"
	"murmur/internal/workspace"
)

// stalledJob is a job that fails for one workspace.
type stalledJob struct {
	ws  workspace.ID
	job string // one of a closed set: rotate, tidy, release, erase, poll, status
}

// stall is why it fails, and since when.
type stall struct {
	stalledJob
	why   string // without content
	since time.Time
}

// stalls are the workspaces for which jobs fail, since this process has the directory.
type stalls struct {
	mu  sync.Mutex
	all map[stalledJob]stall
}

// note stores how a job ended for a workspace; nil: without an error.
func (t *stalls) note(at time.Time, s stalledJob, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		delete(t.all, s)
		return
	}
	if t.all == nil {
		t.all = map[stalledJob]stall{}
	}
	old, ok := t.all[s]
	if ok {
		at = old.since
	}
	t.all[s] = stall{s, explain.Describe(err), at}
}

// list gives all of them in order of workspace and job.
func (t *stalls) list() []stall {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]stall, 0, len(t.all))
	for _, v := range t.all {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b stall) int {
		return cmp.Or(cmp.Compare(a.ws.String(), b.ws.String()), cmp.Compare(a.job, b.job))
	})
	return out
}

// forget lets go of a workspace.
func (t *stalls) forget(ws workspace.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.all, func(s stalledJob, _ stall) bool { return s.ws == ws })
}

// of is the list of one workspace in words, for status.
func (t *stalls) of(ws workspace.ID) (out []string) {
	for _, v := range t.list() {
		if v.ws == ws {
			out = append(out, v.job+": "+v.why)
		}
	}
	return out
}

// eachWorking is eachWorkspace without those that are suspended.
func (n *Node) eachWorking(ctx context.Context, job string, f func(workspace.ID) error) error {
	workspaces, err := n.store.Working(ctx)
	if err != nil {
		return err
	}
	return n.each(ctx, job, workspaces, f)
}

// eachWorkspace does something for every workspace. One that fails does not keep the others from it: it is remembered
// as standing still until it succeeds, and its error is one of the errors that are joined.
func (n *Node) eachWorkspace(ctx context.Context, job string, f func(workspace.ID) error) error {
	workspaces, err := n.store.List(ctx)
	if err != nil {
		return err
	}
	return n.each(ctx, job, workspaces, f)
}

// each is eachWorkspace for some workspaces.
func (n *Node) each(ctx context.Context, job string, workspaces []workspace.ID, f func(workspace.ID) error) error {
	var errs []error
	for _, ws := range workspaces {
		err := f(ws)
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		n.stalls.note(n.now(), stalledJob{ws, job}, err)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s of workspace %s: %w", job, ws, err))
		}
	}
	return errors.Join(errs...)
}

// standing tells doctor about every workspace for which a job fails.
func (n *Node) standing(say func(name string, ok bool, hint, format string, args ...any)) {
	for _, t := range n.stalls.list() {
		say(t.job+" of "+t.ws.String(), false, "docs/runbook/workspace-stalled.md; other workspaces are not affected",
			"stands still for %s: %s", n.now().Sub(t.since).Round(time.Second), t.why)
	}
}

// stallMetric is the metric of workspaces for which a job fails.
type stallMetric struct {
	node *Node
	desc *prometheus.Desc
}

func newStallMetric(n *Node) *stallMetric {
	return &stallMetric{n, prometheus.NewDesc("murmur_workspace_stalled", "1 while a job cannot be done for a workspace.", []string{"workspace", "job"}, nil)}
}

func (s *stallMetric) Describe(ch chan<- *prometheus.Desc) { ch <- s.desc }

func (s *stallMetric) Collect(ch chan<- prometheus.Metric) {
	for _, t := range s.node.stalls.list() {
		ch <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, 1, t.ws.String(), t.job)
	}
}
