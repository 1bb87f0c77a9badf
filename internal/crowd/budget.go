package crowd

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"murmur/internal/crowd/provable"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// budget stores in the metadata database the budget that each month has and has spent, and the releases. Every spending is
// an entry of the ledger, in the same transaction.
type budget struct {
	db     *meta.DB
	ledger *ledger.Ledger
}

var _ provable.Store = budget{}

func (b budget) Account(ctx context.Context, c provable.Charge) (a provable.Account, err error) {
	a.Cap = c.Cap
	err = b.db.QueryRowContext(ctx, `SELECT cap, spent FROM budgets WHERE workspace = ? AND month = ?`, c.Workspace.String(), c.Month).Scan(&a.Cap, &a.Spent)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return a, err
	}
	err = b.db.QueryRowContext(ctx, `SELECT body FROM provable WHERE workspace = ? AND month = ? AND plan = ?`,
		c.Workspace.String(), c.Month, c.Plan[:]).Scan(&a.Sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return a, nil
	}
	a.Reserved, a.Released = err == nil, err == nil && a.Sealed != nil
	return a, err
}

// Reserve spends in one conditional update, so that concurrent spenders together never exceed the
// budget.
func (b budget) Reserve(ctx context.Context, c provable.Charge) error {
	return b.db.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO budgets(workspace, month, cap, spent) VALUES(?,?,?,0) ON CONFLICT DO NOTHING`,
			c.Workspace.String(), c.Month, int64(c.Cap)); err != nil {
			return err
		}
		var left int64
		err := tx.QueryRowContext(ctx, `UPDATE budgets SET spent = spent + ?1 WHERE workspace = ?2 AND month = ?3 AND ?1 > 0 AND ?1 <= cap - spent
			RETURNING cap - spent`, int64(c.Cost), c.Workspace.String(), c.Month).Scan(&left)
		if errors.Is(err, sql.ErrNoRows) {
			return provable.ErrBudget
		}
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO provable(workspace, month, plan, cost, zone) VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING`,
			c.Workspace.String(), c.Month, c.Plan[:], int64(c.Cost), c.Zone)
		if err := oneRow(res, err, provable.ErrSpent); err != nil {
			return err
		}
		return b.note(ctx, tx, c, "reserve", left)
	})
}

// Commit stores a release once.
func (b budget) Commit(ctx context.Context, c provable.Charge, sealed []byte) error {
	return b.db.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE provable SET body = ? WHERE workspace = ? AND month = ? AND plan = ? AND body IS NULL`,
			sealed, c.Workspace.String(), c.Month, c.Plan[:])
		if err := oneRow(res, err, errReleased); err != nil {
			return err
		}
		var left int64
		if err := tx.QueryRowContext(ctx, `SELECT cap - spent FROM budgets WHERE workspace = ? AND month = ?`, c.Workspace.String(), c.Month).Scan(&left); err != nil {
			return err
		}
		return b.note(ctx, tx, c, "commit", left)
	})
}

var errReleased = errors.New("there is a release already, or no budget was reserved")

// oneRow is an error unless a statement changed a row.
func oneRow(res sql.Result, err, none error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, none)
	}
	return nil
}

func (b budget) note(ctx context.Context, tx *sql.Tx, c provable.Charge, step string, left int64) error {
	_, err := b.ledger.Append(ctx, tx, ledger.Budget{
		Workspace: c.Workspace.String(), Release: c.Plan, Period: c.Month, Step: step,
		NanoRho: int64(c.Cost), FemtoDelta: int64(math.Ceil(c.Delta * 1e15)), LeftRho: left,
	})
	return err
}

// close sets the budget of months to zero. It is for a restored directory: the directory that the backup was made of may
// have spent the budget since.
func (b budget) close(ctx context.Context, ws workspace.ID, months []provable.Month) error {
	return b.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, m := range months {
			if _, err := tx.ExecContext(ctx, `INSERT INTO budgets(workspace, month, cap, spent) VALUES(?1, ?2, ?3, ?3)
				ON CONFLICT(workspace, month) DO UPDATE SET spent = cap`, ws.String(), m.Name, int64(provable.MonthBudget())); err != nil {
				return err
			}
		}
		return nil
	})
}

// keptRelease is a stored release.
type keptRelease struct {
	month string
	plan  [32]byte
	body  []byte
}

// releases gives what was stored, in the order in which it was reserved.
func (b budget) releases(ctx context.Context, ws workspace.ID) (all []keptRelease, err error) {
	rows, err := b.db.QueryContext(ctx, `SELECT month, plan, body FROM provable WHERE workspace = ? AND body IS NOT NULL ORDER BY rowid`, ws.String())
	if err != nil {
		return nil, fmt.Errorf("read releases: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var k keptRelease
		var plan []byte
		if err := rows.Scan(&k.month, &plan, &k.body); err != nil {
			return nil, fmt.Errorf("read releases: %w", err)
		}
		copy(k.plan[:], plan)
		all = append(all, k)
	}
	return all, rows.Err()
}

// left reports whether budget was reserved for a release of a month, of whatever plan.
func (b budget) left(ctx context.Context, ws workspace.ID, month string) (left bool, err error) {
	err = b.db.QueryRowContext(ctx, `SELECT EXISTS(SELECT 1 FROM provable WHERE workspace = ? AND month = ?)`, ws.String(), month).Scan(&left)
	return left, err
}

// zone is that of the first release of a workspace: months never overlap, whatever the policy says later. "": none yet.
func (b budget) zone(ctx context.Context, ws workspace.ID) (name string, err error) {
	err = b.db.QueryRowContext(ctx, `SELECT zone FROM provable WHERE workspace = ? ORDER BY rowid LIMIT 1`, ws.String()).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return name, err
}
