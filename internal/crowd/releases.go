package crowd

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"murmur/internal/crowd/internal/lake"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// horizon is how far outside a period a count may look: the reply to a text, the call back within a day, a version
// that moved its event.
const horizon = release.Horizon

// Release computes the tables of every period of a workspace that has facts newer than its tables. With force, open
// periods are computed even when too few new contacts came to show a difference safely (for an explicit wish of the
// owner, never for a schedule). It gives the number of periods that were looked at.
func (c *Crowd) Release(ctx context.Context, ws workspace.ID, force bool) (int, error) {
	periods, err := c.release(ctx, ws, force)
	if err != nil {
		return 0, err
	}
	return periods, c.lake.Expire(ctx) // what was withdrawn or erased while the count held its files
}

func (c *Crowd) release(ctx context.Context, ws workspace.ID, force bool) (int, error) {
	policy, err := c.policy(ctx, ws)
	if err != nil {
		return 0, err
	}
	settings, err := settingsOf(ws, policy)
	if err != nil {
		return 0, err
	}
	days, err := c.arrivals.days(ctx, ws)
	if err != nil || len(days) == 0 {
		return 0, err
	}
	names, err := c.names.read(ctx, ws)
	if err != nil {
		return 0, fmt.Errorf("read names: %w", err)
	}
	snapshot, unpin, err := c.lake.Pin(ctx)
	if err != nil {
		return 0, err
	}
	defer unpin()
	periods := due(settings.Zone, days)
	first, last := days.span()
	for _, block := range release.Blocks(settings.Zone, first, last) {
		files := filesOf(snapshot, ws, block)
		var reqs []release.Request
		for _, p := range periods {
			if p.Start.Before(block.Start) || p.End.After(block.End) {
				continue
			}
			reqs = append(reqs, release.Request{
				Snapshot: files, Period: p, Settings: settings, Dictionary: names, LastAdded: days.last(p), Force: force,
			})
		}
		if _, err := c.releaser.ReleaseAll(ctx, reqs); err != nil {
			return 0, fmt.Errorf("release periods of %s: %w", block.Name, err)
		}
	}
	return len(periods), nil
}

// filesOf gives the files that a block and its weeks are counted from.
func filesOf(s *lake.Snapshot, ws workspace.ID, block release.Period) (out release.Snapshot) {
	for _, f := range s.WorkspaceFiles(fact.Facts, ws, block.Start.Add(-horizon), block.End.Add(horizon)) {
		span := release.Span{Start: f.From.Start(), End: (f.To + 1).Start()}
		out.Files = append(out.Files, release.File{Path: f.Path, Span: span, Rows: f.Rows, Settled: !f.Fresh})
	}
	return out
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

// Sets gives the released sets of a workspace, oldest period first, weeks before blocks.
func (c *Crowd) Sets(ctx context.Context, ws workspace.ID) ([]release.Set, error) {
	policy, err := c.policy(ctx, ws)
	if err != nil {
		return nil, err
	}
	days, err := c.arrivals.days(ctx, ws)
	if err != nil || len(days) == 0 {
		return nil, err
	}
	var out []release.Set
	for _, p := range due(policy.Zone(), days) {
		s, err := c.releaser.Load(ctx, ws, policy.Zone(), p.Name)
		if err != nil {
			return nil, fmt.Errorf("read release %s: %w", p.Name, err)
		}
		if len(s.Tables()) > 0 {
			out = append(out, s)
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
