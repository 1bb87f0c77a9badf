package consent

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"murmur/internal/workspace"
)

// Shred is an order to destroy the key that is in use in a workspace: somebody refused, and what they said may be on the disk
// under it, deleted or not.
type Shred struct {
	Workspace   workspace.ID
	First, Last time.Time // when somebody refused first and last since the key began
}

func orderShred(ctx context.Context, tx *sql.Tx, ws workspace.ID, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO shredding(workspace, first, last) VALUES(?1,?2,?2) ON CONFLICT(workspace) DO UPDATE SET last = excluded.last`,
		ws.String(), at.UnixMicro())
	return err
}

// Shreds lists the orders.
func (r *Register) Shreds(ctx context.Context) (all []Shred, err error) {
	rows, err := r.db.QueryContext(ctx, `SELECT workspace, first, last FROM shredding`)
	if err != nil {
		return nil, fmt.Errorf("read whose keys end: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var first, last int64
		if err := rows.Scan(&name, &first, &last); err != nil {
			return nil, fmt.Errorf("read whose keys end: %w", err)
		}
		ws, err := workspace.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("read whose keys end: %w", err)
		}
		all = append(all, Shred{ws, time.UnixMicro(first), time.UnixMicro(last)})
	}
	return all, rows.Err()
}

// Shredded ends an order that was carried out at a moment; a later refusal has an order of its own.
func (r *Register) Shredded(ctx context.Context, s Shred, at time.Time) error {
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM shredding WHERE workspace = ? AND last = ?`, s.Workspace.String(), s.Last.UnixMicro()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE shredding SET first = ? WHERE workspace = ?`, at.UnixMicro(), s.Workspace.String())
		return err
	})
	if err != nil {
		return fmt.Errorf("end an order to destroy a key: %w", err)
	}
	return nil
}
