package crowd

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"murmur/internal/crowd/internal/lake"
	"murmur/internal/crowd/release"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// arrivals remembers, for each UTC day of each workspace, when its last fact came: it decides which periods are
// due and which may close.
type arrivals struct{ db *meta.DB }

// dayOf is one day of a workspace.
type dayOf struct {
	ws  workspace.ID
	day lake.Day
}

type arrived map[time.Time]time.Time // UTC day -> last arrival

func (a *arrivals) note(ctx context.Context, rows []lake.Row, now time.Time) error {
	days := map[dayOf]bool{}
	for _, r := range rows {
		days[dayOf{r.Workspace, lake.DayOf(time.UnixMicro(int64(r.Fact.Meta().At)))}] = true
	}
	if len(days) == 0 {
		return nil
	}
	return a.db.Tx(ctx, func(tx *sql.Tx) error {
		for k := range days {
			if _, err := tx.ExecContext(ctx, `INSERT INTO arrivals(workspace, day, at) VALUES(?,?,?)
				ON CONFLICT(workspace, day) DO UPDATE SET at = max(at, excluded.at)`, k.ws.String(), int64(k.day), now.UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
}

// since lists the days that facts came for after t.
func (a *arrivals) since(ctx context.Context, t time.Time) (map[dayOf]bool, error) {
	rows, err := a.db.QueryContext(ctx, `SELECT workspace, day FROM arrivals WHERE at > ?`, t.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("read arrivals: %w", err)
	}
	defer rows.Close()
	out := map[dayOf]bool{}
	for rows.Next() {
		var name string
		var day int64
		if err := rows.Scan(&name, &day); err != nil {
			return nil, err
		}
		ws, err := workspace.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("read arrivals: %w", err)
		}
		out[dayOf{ws, lake.Day(day)}] = true
	}
	return out, rows.Err()
}

func (a *arrivals) days(ctx context.Context, ws workspace.ID) (arrived, error) {
	rows, err := a.db.QueryContext(ctx, `SELECT day, at FROM arrivals WHERE workspace = ?`, ws.String())
	if err != nil {
		return nil, fmt.Errorf("read arrivals: %w", err)
	}
	defer rows.Close()
	out := arrived{}
	for rows.Next() {
		var day, at int64
		if err := rows.Scan(&day, &at); err != nil {
			return nil, err
		}
		out[lake.Day(day).Start()] = time.UnixMicro(at).UTC()
	}
	return out, rows.Err()
}

// span is from the first day with facts to the end of the last.
func (d arrived) span() (from, to time.Time) {
	all := slices.SortedFunc(maps.Keys(d), time.Time.Compare)
	return all[0], all[len(all)-1].AddDate(0, 0, 1)
}

// last is when the last fact of a period came; a day that only touches the period counts. Zero: it has none.
func (d arrived) last(p release.Period) (at time.Time) {
	for day, came := range d {
		if day.Before(p.End) && p.Start.Before(day.AddDate(0, 0, 1)) && came.After(at) {
			at = came
		}
	}
	return at
}
