package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"murmur/internal/crowd"
	"murmur/internal/deliveries"
	"murmur/internal/job"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// The deletion of a workspace is a promise and its work, as an erasure is. The order is one transaction: from then on nothing
// opens the workspace and no row is written for its name. Its keys go before the order is answered; then nobody can read what
// is left, which goes step by step, by this process or the next.

// orderDeletion ends a workspace that is suspended and destroys its keys. The pipeline stands still meanwhile, and nothing
// comes in: whatever was in hand was finished before, or finds the workspace gone.
func (n *Node) orderDeletion(ctx context.Context, ws workspace.ID) error {
	n.tenancy.names.Lock()
	defer n.tenancy.names.Unlock()
	err := n.way.Still(func() error {
		n.tenancy.doors.Lock()
		defer n.tenancy.doors.Unlock()
		if err := n.store.OrderDeletion(ctx, ws); err != nil {
			return err
		}
		if err := n.crashed("order"); err != nil {
			return err
		}
		return n.ring.DestroyWorkspace(ws)
	})
	if err != nil {
		return err
	}
	select {
	case n.tenancy.kick <- struct{}{}:
	default:
	}
	return nil
}

// destroyKeysAgain destroys the keys of workspaces whose deletion was ordered: a process may have been killed between the two.
func (n *Node) destroyKeysAgain(ctx context.Context) error {
	all, err := n.store.Deletions(ctx)
	for _, ws := range all {
		err = errors.Join(err, n.ring.DestroyWorkspace(ws))
	}
	return err
}

// vacate carries a deletion out. Each step can be repeated, and leaves nothing of its part of the workspace when it returns
// nil; the receipt comes last.
func (n *Node) vacate(ctx context.Context, ws workspace.ID) error {
	n.tenancy.one.Lock()
	defer n.tenancy.one.Unlock()
	if c, err := n.store.Condition(ctx, ws); err != nil || c != workspace.Deleting {
		return err // somebody else was faster, and the name may be another workspace's by now
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"keys", func() error { return n.ring.DestroyWorkspace(ws) }},
		{"recordings", func() error { return n.zone.Vacate(ctx, ws) }},
		{"deliveries", func() error { return n.forgetDeliveries(ctx, ws) }},
		{"queue", func() error { return n.passQueue(ctx) }},
		{"rows", func() error { return n.crowd.Vacate(ctx, ws) }},
		{"jobs", func() error { return n.forgetJobs(ctx, ws) }},
		{"notices", func() error { return os.RemoveAll(filepath.Join(n.dir.Path(), noticesDir, ws.String())) }},
		{"metadata", func() error { return n.store.Purge(ctx, ws) }},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("delete the %s of workspace %s: %w", step.name, ws, err)
		}
		if err := n.crashed(step.name); err != nil {
			return err
		}
	}
	n.stalls.forget(ws)
	n.tenancy.mu.Lock()
	delete(n.tenancy.used, ws)
	n.tenancy.mu.Unlock()
	_, err := n.store.Deleted(ctx, ws)
	return err
}

func (n *Node) crashed(step string) error {
	if n.tenancy.crash == nil {
		return nil
	}
	return n.tenancy.crash(step)
}

// forgetDeliveries empties book and queue twice: once beside the pipeline, for there may be many, and what the pipeline had in
// hand meanwhile while it stands still.
func (n *Node) forgetDeliveries(ctx context.Context, ws workspace.ID) error {
	if _, err := n.journal.Forget(ctx, ws); err != nil && !errors.Is(err, deliveries.ErrRead) {
		return err
	}
	return n.way.Still(func() error {
		_, err := n.journal.Forget(ctx, ws)
		return err
	})
}

// passQueue waits until what left for servers has come back: it opens no more, and is dropped. Should the name be given to
// another workspace, none of it comes later. Where no pipeline runs, a directory that is being restored, there is nothing of it
// to come back: another queue is its own.
func (n *Node) passQueue(ctx context.Context) error {
	if !n.started.Load() {
		return nil
	}
	release, err := n.emptyQueue(ctx)
	if err != nil {
		return err
	}
	release()
	return nil
}

// forgetJobs takes the workspace's jobs out of their file.
func (n *Node) forgetJobs(ctx context.Context, ws workspace.ID) error {
	q := n.jobs
	if q == nil {
		var err error
		if q, err = job.Open(ctx, n.dir.Jobs(), job.Config{}); err != nil {
			return err
		}
		defer q.Close()
	}
	return q.Forget(ctx, "workspace", ws.String())
}

// keepDeleting carries out what was ordered, also by a process that was killed, until it is done.
func (n *Node) keepDeleting(ctx context.Context) {
	tick := time.NewTicker(eraseEvery)
	defer tick.Stop()
	var rest time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.tenancy.kick:
		case <-tick.C:
		}
		if time.Now().Before(rest) {
			continue
		}
		if err := n.deleteDue(ctx); err != nil && ctx.Err() == nil {
			if !stillRead(err) {
				n.log.Error("a workspace could not be deleted wholly, and it is tried again", "error", err)
			}
			rest = time.Now().Add(eraseRetry)
		}
	}
}

// deleteDue carries out the deletions that were ordered.
func (n *Node) deleteDue(ctx context.Context) error {
	all, err := n.store.Deletions(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	return n.each(ctx, "delete", all, func(ws workspace.ID) error { return n.vacate(ctx, ws) })
}

// stillRead reports whether all that is wrong is that somebody reads an older state: it ends by itself.
func stillRead(err error) bool {
	return errors.Is(err, crowd.ErrRead) || errors.Is(err, deliveries.ErrRead) || errors.Is(err, meta.ErrRead) || errors.Is(err, job.ErrRead)
}
