package sqlite

import (
	"context"
	"errors"
	"fmt"

	"murmur/internal/workspace"
)

// Parked implements deliveries.Store.
func (j *Journal) Parked(ctx context.Context) (counts map[workspace.ID]int64, err error) {
	rows, err := j.reads.QueryContext(ctx, `select name, count(*) from parked join workspace on no = ws group by ws`)
	if err != nil {
		return nil, fmt.Errorf("count parked facts: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	counts = map[workspace.ID]int64{}
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return nil, fmt.Errorf("count parked facts: %w", err)
		}
		ws, err := workspace.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("count parked facts: %w", err)
		}
		counts[ws] = n
	}
	return counts, rows.Err()
}

// Unpark implements deliveries.Store. Like Replay, it takes what is parked when it begins.
func (j *Journal) Unpark(ctx context.Context, w workspace.ID) (n int, err error) {
	ws, err := j.workspace(ctx, w)
	if err != nil {
		return 0, fmt.Errorf("unpark facts: %w", err)
	}
	rows, err := j.reads.QueryContext(ctx, `select pos from parked where ws = ? order by pos`, ws)
	if err != nil {
		return 0, fmt.Errorf("unpark facts: %w", err)
	}
	found, err := numbers(rows)
	for _, old := range found {
		if err != nil {
			break
		}
		err = j.write(ctx, 1, func(t *tx) error { // one may have a MiB
			pos, err := t.position()
			if err != nil {
				return err
			}
			t.facts = true
			if _, err := t.change(`insert into message select ?, ws, id, source, key, at, epoch, body from parked where pos = ?`, pos, old); err != nil {
				return err
			}
			_, err = t.change(`delete from parked where pos = ?`, old)
			return err
		})
		n++
	}
	if err != nil {
		return n, fmt.Errorf("unpark facts: %w", err)
	}
	return n, nil
}
