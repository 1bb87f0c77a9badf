package crowd

import (
	"context"
	"fmt"
	"maps"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/workspace"
)

// Release computes what is due in a workspace: the owner's tables of the periods that changed since they were looked at, or
// that close; at their turns what others are shown. It gives the number of periods whose tables were made. ErrErasing: nothing was
// stored, because rows of somebody erased wait to be taken out, or were in the count.
func (c *Crowd) Release(ctx context.Context, ws workspace.ID, when When) (int, error) {
	if err := c.store.begin(ctx, ws); err != nil {
		return 0, err
	}
	c.watch.begin(ws)
	l := &look{Crowd: c, ws: ws, when: when}
	made, err := l.release(ctx)
	if err != nil {
		c.watch.done(ws, c.now().Add(retryAfter))
		return 0, err
	}
	left, next, err := c.monthly(ctx, ws)
	if err != nil {
		c.watch.done(ws, c.now().Add(retryAfter))
		return made, err
	}
	if !next.IsZero() {
		l.wake = earliest(l.wake, next)
	}
	c.watch.done(ws, l.wake)
	if made += left; l.snapshot == nil {
		return 0, nil
	}
	return made, c.lake.Expire(ctx) // rows that were withdrawn or erased while the count still read their files
}

// Landed says that an import or a backfill of a workspace ended: with the next Quiet or Wish others are shown what it brought.
func (c *Crowd) Landed(ctx context.Context, ws workspace.ID) error {
	if err := c.changes.land(ctx, ws); err != nil {
		return fmt.Errorf("note the end of an import: %w", err)
	}
	c.watch.stir(ws, c.now())
	return nil
}

// Due gives the workspaces in which something may have to be computed: the lake changed, or a period may close now. It
// asks nothing about the others.
func (c *Crowd) Due(ctx context.Context) ([]workspace.ID, error) {
	sequence, err := c.lake.Sequence(ctx)
	if err != nil {
		return nil, err
	}
	return c.watch.due(ctx, sequence, c.now())
}

// due lists the weeks and blocks that have facts. Weeks come first: a block must stand beside its weeks.
func due(zone *time.Location, days arrived) []release.Period {
	first, last := days.span()
	var out []release.Period
	for _, p := range append(release.Weeks(zone, first, last), release.Blocks(zone, first, last)...) {
		if !days.last(p).IsZero() {
			out = append(out, p)
		}
	}
	return out
}

// Sets gives the released sets of a workspace as an audience sees them, oldest period first, weeks before blocks, with today's
// names. The owner sees others' tables where there is none of the owner's own.
func (c *Crowd) Sets(ctx context.Context, ws workspace.ID, a release.Audience) ([]release.Set, error) {
	policy, err := c.policy(ctx, ws)
	if err != nil {
		return nil, err
	}
	days, err := c.arrivals.days(ctx, ws)
	if err != nil || len(days) == 0 || a == release.Others && policy.Noise == 0 {
		return nil, err
	}
	names, err := c.names.renamed(ctx, ws)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	own, err := c.categories.called(ctx, ws)
	if err != nil {
		return nil, err
	}
	maps.Copy(names, own)
	var out []release.Set
	for _, p := range due(policy.Zone(), days) {
		s, err := c.releaser.Load(ctx, ws, release.Others, policy.Zone(), p.Name)
		if err == nil && a == release.Owner {
			var own release.Set
			own, err = c.releaser.Load(ctx, ws, release.Owner, policy.Zone(), p.Name)
			s = own.Beside(s)
		}
		if err != nil {
			return nil, fmt.Errorf("read release %s: %w", p.Name, err)
		}
		if len(s.Tables()) > 0 {
			out = append(out, s.Named(names))
		}
	}
	return out, nil
}

func settingsOf(ws workspace.ID, p workspace.Policy) (release.Settings, error) {
	open, err := workspace.ParseHours(p.OpenHours)
	if err != nil {
		return release.Settings{}, err
	}
	return release.Settings{
		Workspace: ws, Zone: p.Zone(), OpenHours: release.Hours(open), ShortAbandonS: int64(p.ShortAbandonSeconds),
		MinGroup: int64(p.MinGroup), MinContent: int64(p.ContentGroup()), MinLabel: int64(p.MinGroup), Noise: int64(p.Noise),
	}, nil
}
