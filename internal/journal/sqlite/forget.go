package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Load implements deliveries.Store.
func (j *Journal) Load(ctx context.Context, w workspace.ID, since time.Time) (waiting, received int64, err error) {
	ws, err := j.workspace(ctx, w)
	if err == nil {
		err = j.reads.QueryRowContext(ctx, fmt.Sprintf(`select
			(select count(*) from delivery where state in (%s) and ws = ?1),
			(select count(*) from delivery where ws = ?1 and at >= ?2 and ?2 > 0)`, needed), ws, micros(since)).Scan(&waiting, &received)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("count what a workspace has: %w", err)
	}
	return waiting, received, nil
}

// Forget implements deliveries.Store. Deliveries go first, each with its count, so that book and counters agree at every
// moment; the workspace's number goes last.
func (j *Journal) Forget(ctx context.Context, w workspace.ID) (n int, err error) {
	ws, err := j.workspace(ctx, w)
	if err != nil {
		return 0, fmt.Errorf("forget a workspace: %w", err)
	}
	if ws == 0 { // a crash may have come before its log was cut
		return 0, j.scrub(ctx)
	}
	n, err = j.sweep(ctx, `ws = ?1 and ?2 is null`, []any{ws, nil}, true, func(t *tx, ws int64, r *row) (bool, error) {
		return true, t.forget(ws, r)
	})
	if err == nil {
		err = j.unfile(ctx, true)
	}
	if err == nil {
		err = j.write(ctx, commitSize, func(t *tx) error {
			return t.overwriting(true, func() error { return t.forgetWorkspace(ws) })
		})
	}
	if err != nil {
		return n, fmt.Errorf("forget a workspace: %w", err)
	}
	return n, j.scrub(ctx)
}

// forget takes a delivery out of the book.
func (t *tx) forget(ws int64, r *row) error {
	if deliveries.Settled(r.state) {
		if err := t.exec(t.w.sql.purged, ws, r.source, int64(r.state)); err != nil {
			return err
		}
	}
	if r.state == fact.Held {
		if err := t.exec(t.w.sql.dropHeld, r.pos); err != nil {
			return err
		}
	}
	if err := t.exec(t.w.sql.dropPayload, r.pos); err != nil {
		return err
	}
	return t.exec(t.w.sql.dropDelivery, r.pos)
}

// forgetWorkspace takes out what is left under a workspace's number, the number, and labels of sources that nobody else has.
func (t *tx) forgetWorkspace(ws int64) error {
	if _, err := t.change(`delete from source where no in (select source from accepted where ws = ?1) and no not in (select source from accepted where ws <> ?1)`, ws); err != nil {
		return err
	}
	for _, table := range strings.Fields("delivery payload held message parked retired accepted settled") {
		if _, err := t.change(`delete from `+table+` where ws = ?`, ws); err != nil {
			return err
		}
	}
	if _, err := t.change(`delete from workspace where no = ?`, ws); err != nil {
		return err
	}
	clear(t.w.workspaces) // a number may be given out again
	clear(t.w.sources)
	clear(t.workspaces)
	clear(t.sources)
	return nil
}

// scrub writes the log into the file and cuts it: what was deleted is then in neither. deliveries.ErrRead while an older state
// is being read.
func (j *Journal) scrub(ctx context.Context) error {
	var busy, log, done int
	_, _ = j.reads.ExecContext(ctx, passively) // holds nobody up, and leaves little for the second
	if err := j.reads.QueryRowContext(ctx, `pragma wal_checkpoint(truncate)`).Scan(&busy, &log, &done); err != nil {
		return fmt.Errorf("cut the journal's log: %w", err)
	}
	if busy != 0 {
		return deliveries.ErrRead
	}
	return nil
}
