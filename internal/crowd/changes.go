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

// changes stores in which sequence the lake changed last, for each day and kind of each workspace, and in which
// sequence each period was counted, so that unchanged periods are not counted again.
type changes struct{ db *meta.DB }

// note is told by the lake before each change.
func (c *changes) note(ctx context.Context, sequence int64, all []lake.Change) error {
	if len(all) == 0 {
		return nil
	}
	err := c.db.Tx(ctx, func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO changes(workspace, day, kind, sequence) VALUES(?,?,?,?)
			ON CONFLICT(workspace, day, kind) DO UPDATE SET sequence = max(sequence, excluded.sequence)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, ch := range all {
			if _, err := insert.ExecContext(ctx, ch.Workspace.String(), int64(ch.Day), int64(ch.Kind), sequence); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note what changes: %w", err)
	}
	return nil
}

// since lists the workspaces that changed after one sequence and up to another.
func (c *changes) since(ctx context.Context, after, upTo int64) ([]workspace.ID, error) {
	return workspaces(ctx, c.db, `SELECT DISTINCT workspace FROM changes WHERE sequence > ? AND sequence <= ?`, after, upTo)
}

func workspaces(ctx context.Context, db *meta.DB, query string, args ...any) (out []workspace.ID, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		ws, err := workspace.Parse(name)
		if err != nil {
			return nil, err
		}
		out = append(out, ws)
	}
	return out, rows.Err()
}

// last is the highest sequence that was noted; 0: none.
func (c *changes) last(ctx context.Context) (n int64, err error) {
	err = c.db.QueryRowContext(ctx, `SELECT coalesce(max(sequence), 0) FROM changes`).Scan(&n)
	return n, err
}

// forget has every period counted anew.
func (c *changes) forget(ctx context.Context) error {
	return c.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM counted`)
		return err
	})
}

// changed is the last change of each day and kind of one workspace.
type changed map[lake.Day]map[fact.Kind]int64

func (c *changes) of(ctx context.Context, ws workspace.ID) (changed, error) {
	rows, err := c.db.QueryContext(ctx, `SELECT day, kind, sequence FROM changes WHERE workspace = ?`, ws.String())
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close()
	out := changed{}
	for rows.Next() {
		var day, kind, sequence int64
		if err := rows.Scan(&day, &kind, &sequence); err != nil {
			return nil, err
		}
		out.add(lake.Day(day), fact.Kind(kind), sequence)
	}
	return out, rows.Err()
}

func (c changed) add(day lake.Day, kind fact.Kind, sequence int64) {
	if c[day] == nil {
		c[day] = map[fact.Kind]int64{}
	}
	c[day][kind] = max(c[day][kind], sequence)
}

// last is the last change of anything.
func (c changed) last() (last int64) {
	for _, kinds := range c {
		for _, sequence := range kinds {
			last = max(last, sequence)
		}
	}
	return last
}

// around is the last change of anything that a period's tables are counted from: its own rows and those before that say who is
// verified, the calls and texts of the day after it that return a call, the texts of the conversations that reach into it.
func (c changed) around(p release.Period) int64 {
	return max(
		c.within(p.Start.Add(-release.Horizon), p.End, 0),
		c.within(p.End, p.End.Add(24*time.Hour+time.Microsecond), fact.KindCall),
		c.within(p.Start.Add(-release.Horizon), p.End.Add(release.Horizon), fact.KindMessage),
	)
}

// within is the last change of one kind (0: any) on the days that touch [from, to).
func (c changed) within(from, to time.Time, kind fact.Kind) (last int64) {
	for day := lake.DayOf(from); day.Start().Before(to); day++ {
		for k, sequence := range c[day] {
			if kind == 0 || k == kind {
				last = max(last, sequence)
			}
		}
	}
	return last
}

// place is a period as one audience is shown it.
type place struct {
	audience release.Audience
	period   string
}

// counted says how far the count of a place is.
type counted struct {
	looked int64     // the sequence in which it was looked at
	made   int64     // the sequence that its tables were counted in; 0: never
	until  time.Time // others: the midnight up to which rows were counted
	basis  string
	closed bool
}

// periods gives where the periods of a workspace stand.
func (c *changes) periods(ctx context.Context, ws workspace.ID) (map[place]counted, error) {
	rows, err := c.db.QueryContext(ctx, `SELECT audience, period, looked, made, until, basis, 0 FROM counted WHERE workspace = ?1
		UNION ALL SELECT audience, period, 0, 0, 0, '', 1 FROM releases WHERE workspace = ?1 AND closed = 1`, ws.String())
	if err != nil {
		return nil, fmt.Errorf("read what was counted: %w", err)
	}
	defer rows.Close()
	out := map[place]counted{}
	for rows.Next() {
		var at place
		var audience string
		var n counted
		var until int64
		var basis []byte
		if err := rows.Scan(&audience, &at.period, &n.looked, &n.made, &until, &basis, &n.closed); err != nil {
			return nil, err
		}
		if audience == release.Others.String() {
			at.audience = release.Others
		}
		n.basis, n.until = string(basis), time.UnixMicro(until)
		n.closed = n.closed || out[at].closed
		out[at] = n
	}
	return out, rows.Err()
}

// keep notes where places stand now.
func (c *changes) keep(ctx context.Context, ws workspace.ID, now map[place]counted) error {
	return c.db.Tx(ctx, func(tx *sql.Tx) error {
		for at, n := range now {
			if _, err := tx.ExecContext(ctx, `INSERT INTO counted(workspace, audience, period, looked, made, until, basis) VALUES(?,?,?,?,?,?,?)
				ON CONFLICT(workspace, audience, period) DO UPDATE SET looked = excluded.looked, made = excluded.made, until = excluded.until, basis = excluded.basis`,
				ws.String(), at.audience.String(), at.period, n.looked, n.made, n.until.UnixMicro(), []byte(n.basis)); err != nil {
				return err
			}
		}
		return nil
	})
}

// published is the last daily publication of a workspace to others, and whether an import or a backfill ended since.
type published struct {
	midnight time.Time
	arrived  bool
}

func (c *changes) published(ctx context.Context, ws workspace.ID) (p published, err error) {
	var midnight int64
	err = c.db.QueryRowContext(ctx, `SELECT midnight, arrived FROM published WHERE workspace = ?`, ws.String()).Scan(&midnight, &p.arrived)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if midnight != 0 {
		p.midnight = time.UnixMicro(midnight)
	}
	return p, err
}

func (c *changes) publish(ctx context.Context, ws workspace.ID, p published) error {
	return c.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO published(workspace, midnight, arrived) VALUES(?,?,?)
			ON CONFLICT(workspace) DO UPDATE SET midnight = excluded.midnight, arrived = excluded.arrived`, ws.String(), p.midnight.UnixMicro(), p.arrived)
		return err
	})
}

// land notes that an import or a backfill of a workspace ended.
func (c *changes) land(ctx context.Context, ws workspace.ID) error {
	return c.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO published(workspace, midnight, arrived) VALUES(?, 0, 1)
			ON CONFLICT(workspace) DO UPDATE SET arrived = 1`, ws.String())
		return err
	})
}

// catchUp marks every period to be counted anew when the lake has changes that this database does not know: then one of
// the two is from a backup.
func (c *changes) catchUp(ctx context.Context, l *lake.Lake) error {
	sequence, err := l.Sequence(ctx)
	if err != nil {
		return err
	}
	last, err := c.last(ctx)
	if err != nil || last >= sequence {
		return err
	}
	return c.forget(ctx)
}
