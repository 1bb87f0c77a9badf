package crowd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"murmur/internal/crowd/internal/lake"
	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Outside gives what left a workspace, oldest month first; of one month what was reserved first is first.
func (c *Crowd) Outside(ctx context.Context, ws workspace.ID) (out []provable.Release, err error) {
	kept, err := c.budget.releases(ctx, ws)
	if err != nil {
		return nil, err
	}
	for _, k := range kept {
		r, err := c.leaver.Load(ws, time.UTC, k.month, k.plan, k.body)
		if err != nil {
			return nil, fmt.Errorf("read release %s: %w", k.month, err)
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b provable.Release) int { return a.Month().Start.Compare(b.Month().Start) })
	return out, nil
}

// Leave makes the releases of a plan that are due. A month of which anything was reserved before, by whatever plan, is not released again. It returns
// how many it made.
func (c *Crowd) Leave(ctx context.Context, ws workspace.ID, plan provable.Plan) (made int, err error) {
	c.leaving.Lock()
	defer c.leaving.Unlock()
	months, request, err := c.due(ctx, ws)
	if err != nil {
		return 0, err
	}
	for _, m := range months {
		left, err := c.budget.left(ctx, ws, m.Name)
		if err != nil {
			return made, err
		}
		a, err := c.budget.Account(ctx, provable.ChargeOf(ws, m, plan))
		if err != nil {
			return made, err
		}
		if left || a.Cap-a.Spent < plan.Cost {
			continue
		}
		request.Month, request.Plan = m, plan
		if err := c.leave(ctx, request); err != nil {
			return made, err
		}
		made++
	}
	return made, nil
}

// leave makes one release from the lake as it is. ErrErasing: nothing was spent.
func (c *Crowd) leave(ctx context.Context, q provable.Request) error {
	if _, err := lastErased(ctx, c.budget.db, q.Workspace); err != nil {
		return err
	}
	snapshot, unpin, err := c.lake.Pin(ctx)
	if err != nil {
		return err
	}
	defer unpin()
	if q.Snapshot, err = fetched(ctx, snapshot, filesOf(snapshot, q.Workspace, q.Month.Start, q.Month.End)); err != nil {
		return err
	}
	_, err = c.leaver.Release(ctx, q)
	return err
}

// due gives the months that the calendar allows to release now. While the history of a source is still coming in there are
// none.
func (c *Crowd) due(ctx context.Context, ws workspace.ID) (months []provable.Month, q provable.Request, err error) {
	policy, err := c.policy(ctx, ws)
	if err != nil {
		return nil, q, err
	}
	settings, err := c.monthSettings(ctx, ws, policy)
	if err != nil {
		return nil, q, err
	}
	if c.fetching != nil {
		if fetching, err := c.fetching(ctx, ws); err != nil || fetching {
			return nil, q, err
		}
	}
	q = provable.Request{Workspace: ws, Settings: settings, LinkDays: policy.LinkDays}
	return provable.Due(settings.Zone, policy.LinkDays, c.now()), q, nil
}

// monthSettings are a workspace's for what leaves: in the zone of its months.
func (c *Crowd) monthSettings(ctx context.Context, ws workspace.ID, p workspace.Policy) (release.Settings, error) {
	s, err := settingsOf(ws, p)
	if err != nil {
		return s, err
	}
	s.Zone, err = c.monthZone(ctx, ws, p)
	return s, err
}

// monthZone is that of the workspace's first release, else the policy's.
func (c *Crowd) monthZone(ctx context.Context, ws workspace.ID, p workspace.Policy) (*time.Location, error) {
	name, err := c.budget.zone(ctx, ws)
	if err != nil || name == "" {
		return p.Zone(), err
	}
	return time.LoadLocation(name)
}

// Explain says what a plan gives and costs in a workspace, and spends nothing.
func (c *Crowd) Explain(ctx context.Context, ws workspace.ID, plan provable.Plan) (provable.Explanation, error) {
	e := plan.Explain()
	months, _, err := c.due(ctx, ws)
	if err != nil {
		return e, err
	}
	for _, m := range months {
		a, err := c.budget.Account(ctx, provable.ChargeOf(ws, m, plan))
		if err != nil {
			return e, fmt.Errorf("account of %s: %w", m.Name, err)
		}
		e.With(m.Name, a)
	}
	return e, nil
}

// Restored closes the budget of every month that the directory a backup was made of may have released since.
func (c *Crowd) Restored(ctx context.Context, ws workspace.ID) error {
	var over []provable.Month
	now := c.now()
	for m := provable.MonthOf(time.UTC, now); m.End.After(now.AddDate(0, 0, -longestLink-1)); m = provable.MonthOf(time.UTC, m.Start.Add(-time.Hour)) {
		if m.End.Before(now.Add(24 * time.Hour)) { // in whatever zone
			over = append(over, m)
		}
	}
	if err := c.budget.close(ctx, ws, over); err != nil {
		return fmt.Errorf("close the budgets of months: %w", err)
	}
	return nil
}

// monthly makes what is due in a workspace that lets its figures out, and gives when the next month is due.
func (c *Crowd) monthly(ctx context.Context, ws workspace.ID) (made int, next time.Time, err error) {
	policy, err := c.policy(ctx, ws)
	if err != nil || policy.Outside != workspace.Monthly || c.outside == nil {
		return 0, time.Time{}, err
	}
	made, err = c.Leave(ctx, ws, c.outside(policy.OutsideContacts))
	zone, zoneErr := c.monthZone(ctx, ws, policy)
	if zoneErr != nil {
		return made, next, errors.Join(err, zoneErr)
	}
	for m := provable.MonthOf(zone, c.now().AddDate(0, -1, 0)); !next.After(c.now()); m = provable.MonthOf(zone, m.End.Add(12*time.Hour)) {
		next = m.End.Add(provable.Cutoff)
	}
	return made, next, err
}

// fetched has files on this machine, until the lake's snapshot lets go of them.
func fetched(ctx context.Context, s *lake.Snapshot, files release.Snapshot) (release.Snapshot, error) {
	paths := make([]string, len(files.Files))
	for i, f := range files.Files {
		paths[i] = f.Path
	}
	return files, s.Fetch(ctx, paths)
}

// filesOf gives the files that can have rows of a workspace in [from, to). A zero time is no bound.
func filesOf(s *lake.Snapshot, ws workspace.ID, from, to time.Time) release.Snapshot {
	return filesIn(s, fact.Facts, ws, from, to)
}

func filesIn(s *lake.Snapshot, t fact.Table, ws workspace.ID, from, to time.Time) (out release.Snapshot) {
	for _, f := range s.WorkspaceFiles(t, ws, from, to) {
		span := release.Span{Start: f.From.Start(), End: (f.To + 1).Start()}
		out.Files = append(out.Files, release.File{Path: f.Path, Span: span, Rows: f.Rows, Settled: !f.Fresh})
	}
	return out
}
