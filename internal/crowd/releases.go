package crowd

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// Release computes the tables of the periods of a workspace that changed since they were looked at, and of those that
// close. With force, open periods are computed even when too few new contacts came to show a difference safely, and when
// settings, names or questions changed (for an explicit wish of the owner, never for a schedule). It gives the number of
// periods whose tables were made.
func (c *Crowd) Release(ctx context.Context, ws workspace.ID, force bool) (int, error) {
	l := &look{Crowd: c, ws: ws, force: force}
	made, err := l.release(ctx)
	if err != nil {
		c.watch.done(ws, c.now().Add(retryAfter))
		return 0, err
	}
	c.watch.done(ws, l.wake)
	if l.snapshot == nil {
		return 0, nil
	}
	return made, c.lake.Expire(ctx) // what was withdrawn or erased while the count held its files
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

// Sets gives the released sets of a workspace, oldest period first, weeks before blocks, with today's names.
func (c *Crowd) Sets(ctx context.Context, ws workspace.ID) ([]release.Set, error) {
	policy, err := c.policy(ctx, ws)
	if err != nil {
		return nil, err
	}
	days, err := c.arrivals.days(ctx, ws)
	if err != nil || len(days) == 0 {
		return nil, err
	}
	names, err := c.names.renamed(ctx, ws)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	var out []release.Set
	for _, p := range due(policy.Zone(), days) {
		s, err := c.releaser.Load(ctx, ws, policy.Zone(), p.Name)
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
		MinGroup: int64(p.MinGroup), MinContent: int64(p.MinGroupContent),
	}, nil
}

// store keeps the sealed sets in the metadata database. A closed set is never replaced.
type store struct {
	db  *meta.DB
	now func() time.Time
}

var errClosed = errors.New("the period is closed")

func (s store) Get(ctx context.Context, ws workspace.ID, period string) ([]byte, error) {
	var b []byte
	err := s.db.QueryRowContext(ctx, `SELECT body FROM releases WHERE workspace = ? AND period = ?`, ws.String(), period).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return b, err
}

func (s store) Put(ctx context.Context, ws workspace.ID, period string, closed bool, sealed []byte) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO releases(workspace, period, closed, as_of, body) VALUES(?,?,?,?,?)
			ON CONFLICT(workspace, period) DO UPDATE SET closed = excluded.closed, as_of = excluded.as_of, body = excluded.body
			WHERE releases.closed = 0`, ws.String(), period, closed, s.now().UnixMicro(), sealed)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errClosed)
		}
		return nil
	})
}
