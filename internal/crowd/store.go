package crowd

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

var (
	// ErrErasing is returned by Release while rows of an erased person may be in the count. Remove them, and try again.
	ErrErasing = errors.New("rows of an erased person wait to be taken out")
	errClosed  = errors.New("the period is closed")
)

// store keeps the sealed sets in the metadata database. A closed set is never replaced. A set in whose count an erased person
// may be is never stored: the erasure is in the same database, so one of the two transactions comes first.
type store struct {
	db  *meta.DB
	now func() time.Time

	mu    sync.Mutex
	marks map[workspace.ID]int64 // the last erasure when the count under way began
}

// begin notes which erasures are carried out before a count of a workspace begins. ErrErasing.
func (s *store) begin(ctx context.Context, ws workspace.ID) error {
	mark, err := lastErased(ctx, s.db, ws)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.marks == nil {
		s.marks = map[workspace.ID]int64{}
	}
	s.marks[ws] = mark
	return nil
}

// lastErased is the place of a workspace's last erasure among all. ErrErasing where one is still to be carried out.
func lastErased(ctx context.Context, db interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, ws workspace.ID) (last int64, err error) {
	var waiting int64
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(n), 0), count(CASE WHEN contact IS NOT NULL AND readable THEN 1 END) FROM erasing WHERE workspace = ?`,
		ws.String()).Scan(&last, &waiting)
	if err != nil {
		return 0, fmt.Errorf("look for erasures: %w", err)
	}
	if waiting > 0 {
		return 0, ErrErasing
	}
	return last, nil
}

func (s *store) Get(ctx context.Context, ws workspace.ID, a release.Audience, period string) ([]byte, error) {
	var b []byte
	err := s.db.QueryRowContext(ctx, `SELECT body FROM releases WHERE workspace = ? AND audience = ? AND period = ?`, ws.String(), a.String(), period).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return b, err
}

func (s *store) Put(ctx context.Context, ws workspace.ID, a release.Audience, period string, closed bool, sealed []byte) error {
	s.mu.Lock()
	began, counting := s.marks[ws]
	s.mu.Unlock()
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		if last, err := lastErased(ctx, tx, ws); err != nil || counting && last > began {
			return errors.Join(err, ErrErasing)
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO releases(workspace, audience, period, closed, as_of, body) VALUES(?,?,?,?,?,?)
			ON CONFLICT(workspace, audience, period) DO UPDATE SET closed = excluded.closed, as_of = excluded.as_of, body = excluded.body
			WHERE releases.closed = 0`, ws.String(), a.String(), period, closed, s.now().UnixMicro(), sealed)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errClosed)
		}
		return nil
	})
}
