package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// What whoever runs the server does with workspaces: docs/workspaces.md. Their deletion is in vacate.go.

// tenancy is what a process knows of it beside what is stored.
type tenancy struct {
	names sync.Mutex    // makes and ends workspaces: none is between having keys and having a name
	doors sync.RWMutex  // held for reading while deliveries come in
	one   sync.Mutex    // carries deletions out
	kick  chan struct{} // one was ordered

	mu   sync.Mutex
	used map[workspace.ID]*used

	crash func(step string) error // of a test: an error ends a deletion after a step
}

// used is what a workspace that has limits had of them.
type used struct {
	second *rate.Limiter // nil: it has not been asked
	day    time.Time     // whose deliveries are counted; zero: none yet
	had    int64
	open   int64     // that wait, as of asked
	asked  time.Time // at most openAge ago
}

// openAge is how old the number of a workspace's open deliveries may be: counting them at each delivery would cost more than
// what it holds off.
const openAge = time.Second

// admit refuses deliveries of a workspace that is suspended, gone or has as much as it may (private.Config.Admit).
func (n *Node) admit(ctx context.Context, ws workspace.ID, deliveries int) error {
	t, err := n.store.Tenant(ctx, ws)
	switch {
	case err != nil:
		return err
	case t.Condition.Gone():
		return fmt.Errorf("workspace %s: %w", ws, workspace.ErrNotFound)
	case t.Condition == workspace.Suspended:
		return workspace.ErrSuspended
	case t.Limits.Day == 0 && t.Limits.Open == 0:
		return nil
	}
	n.tenancy.mu.Lock()
	defer n.tenancy.mu.Unlock()
	return n.within(ctx, t, int64(deliveries))
}

// within holds a workspace to its quotas. The first of a day counts what the day had already.
func (n *Node) within(ctx context.Context, t workspace.Tenant, deliveries int64) error {
	u, now := n.usedBy(t.Workspace), n.now().UTC()
	day := now.Truncate(24 * time.Hour)
	if !u.day.Equal(day) || now.Sub(u.asked) >= openAge || now.Before(u.asked) {
		since := time.Time{}
		if !u.day.Equal(day) {
			since = day
		}
		open, had, err := n.journal.Load(ctx, t.Workspace, since)
		if err != nil {
			return err
		}
		if u.open, u.asked = open, now; !since.IsZero() {
			u.day, u.had = day, had
		}
	}
	if l := t.Limits; l.Open > 0 && u.open+deliveries > l.Open || l.Day > 0 && u.had+deliveries > l.Day {
		return workspace.ErrLimit
	}
	u.had, u.open = u.had+deliveries, u.open+deliveries
	return nil
}

// usedBy gives what a workspace had; n.tenancy.mu is held.
func (n *Node) usedBy(ws workspace.ID) *used {
	if n.tenancy.used == nil {
		n.tenancy.used = map[workspace.ID]*used{}
	}
	if n.tenancy.used[ws] == nil {
		n.tenancy.used[ws] = new(used)
	}
	return n.tenancy.used[ws]
}

// paced reports whether a webhook may come in now: a workspace may send a second's worth at once.
func (n *Node) paced(ctx context.Context, ws workspace.ID) (bool, error) {
	t, err := n.store.Tenant(ctx, ws)
	if err != nil || t.Limits.Second == 0 {
		return true, err
	}
	n.tenancy.mu.Lock()
	defer n.tenancy.mu.Unlock()
	u, most := n.usedBy(ws), int(t.Limits.Second)
	if u.second == nil || u.second.Burst() != most {
		u.second = rate.NewLimiter(rate.Limit(most), most)
	}
	return u.second.AllowN(n.now(), 1), nil
}

// doorkeeper lets nothing into the journal for a workspace that is gone. It is the last door: what was under way when the
// deletion was ordered finds it shut.
type doorkeeper struct {
	deliveries.Engine
	n *Node
}

func (d doorkeeper) Accept(ctx context.Context, m ...journal.Message) (int, error) {
	d.n.tenancy.doors.RLock()
	defer d.n.tenancy.doors.RUnlock()
	if err := d.alive(ctx, m); err != nil {
		return 0, err
	}
	return d.Engine.Accept(ctx, m...)
}

func (d doorkeeper) Settle(ctx context.Context, still func() bool, done, facts []journal.Message) ([]bool, error) {
	d.n.tenancy.doors.RLock()
	defer d.n.tenancy.doors.RUnlock()
	if err := d.alive(ctx, done); err != nil {
		return nil, err
	}
	return d.Engine.Settle(ctx, still, done, facts)
}

func (d doorkeeper) alive(ctx context.Context, m []journal.Message) error {
	for i := range m {
		if i > 0 && m[i].Workspace == m[i-1].Workspace {
			continue
		}
		if c, err := d.n.store.Condition(ctx, m[i].Workspace); err != nil {
			return err
		} else if c.Gone() {
			return fmt.Errorf("workspace %s: %w", m[i].Workspace, workspace.ErrNotFound)
		}
	}
	return nil
}

// rests reports whether nothing is done for a workspace: it is suspended, or gone.
func (n *Node) rests(ctx context.Context, ws workspace.ID) (bool, error) {
	c, err := n.store.Condition(ctx, ws)
	return c != workspace.Works, err
}

// suspend keeps a workspace from being worked on: when it returns, nothing of it is processed. What comes in is refused, what
// waits stays.
func (n *Node) suspend(ctx context.Context, ws workspace.ID) error {
	return n.way.Still(func() error { return n.store.Suspend(ctx, ws) })
}

// resume ends that, and has decided what was set aside. A delivery that the pipeline has in hand is set aside before.
func (n *Node) resume(ctx context.Context, ws workspace.ID) error {
	if err := n.way.Still(func() error { return n.store.Resume(ctx, ws) }); err != nil {
		return err
	}
	return n.resumeAgain(ctx)
}

// resumeAgain has decided what suspended workspaces set aside that work again, also where a process was killed over it.
func (n *Node) resumeAgain(ctx context.Context) error {
	all, err := n.store.Resuming(ctx)
	for _, ws := range all {
		if err != nil {
			break
		}
		if _, err = n.journal.Replay(ctx, ws, []fact.State{fact.Held}, fact.WhySuspended); err == nil {
			err = n.store.Resumed(ctx, ws)
		}
	}
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	return nil
}

// created makes a workspace that is not there. workspace.ErrExists, workspace.ErrDeleting.
func (n *Node) created(ctx context.Context, ws workspace.ID) (token string, err error) {
	if err := n.store.Exists(ctx, ws); err == nil {
		return "", workspace.ErrExists
	} else if !errors.Is(err, workspace.ErrNotFound) {
		return "", err
	}
	if err := n.createWorkspace(ctx, ws); err != nil {
		return "", err
	}
	return n.store.NewToken(ctx, ws, workspace.Owner, workspace.TokenLife)
}
