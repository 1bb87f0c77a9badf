package consent

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"time"

	"murmur/internal/ledger"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// An erasure has two parts. Erase is the promise: a tombstone, an entry of the ledger and an order, in one transaction;
// from then on nothing of the person is opened, and nothing about the time before is taken in. The order is what is still
// to be done: rows to take out, keys to destroy. It outlives the process, and Fulfil ends it. The promise takes the same
// time for an unknown person; no caller waits for the order.

// Erase records that everything about a person up to now must go, by all pseudonyms that they have or had, and gives the
// receipt. It is idempotent and does the same work for a person nobody knows.
func (r *Register) Erase(ctx context.Context, ws workspace.ID, who ...anon.Contact) (receipt string, err error) {
	s, err := r.of(ctx, ws)
	if err != nil {
		return "", err
	}
	at := r.now()
	before := map[name]time.Time{}
	first := who[0].Bytes()
	about, err := r.slowly(ws, first[:])
	if err != nil {
		return "", err
	}
	err = r.db.Tx(ctx, func(tx *sql.Tx) error {
		rec, err := r.ledger.Append(ctx, tx, ledger.Erasure{Workspace: ws.String(), Ref: about})
		if err != nil {
			return err
		}
		receipt = rec.String()
		for _, c := range who {
			b := c.Bytes()
			_, err = tx.ExecContext(ctx, `INSERT INTO erasures(workspace, contact, at, receipt) VALUES(?,?,?,?)
				ON CONFLICT(workspace, contact, linked) DO UPDATE SET at = excluded.at, receipt = excluded.receipt`, ws.String(), b[:], at.UnixMicro(), receipt)
			if err != nil {
				return err
			}
			if _, err = tx.ExecContext(ctx, `INSERT INTO erasing(workspace, receipt, contact, at) VALUES(?,?,?,?)`, ws.String(), receipt, b[:], at.UnixMicro()); err != nil {
				return err
			}
		}
		r.mu.Lock() // before it is on disk: whoever links an address after the order was taken up must find the tombstone
		defer r.mu.Unlock()
		for _, c := range who {
			n := name{c.Bytes(), false}
			before[n], s.erased[n] = s.erased[n], at
		}
		s.changes++
		return nil
	})
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		maps.Copy(s.erased, before)
		return "", fmt.Errorf("record erasure: %w", err)
	}
	return receipt, nil
}

// Order is an erasure that was promised and is still to be carried out.
type Order struct {
	Last    int64 // its place among all orders
	Receipt string
	Who     [][anon.ContactLen]byte
	At      time.Time
}

// waiting lists the orders as they stand, oldest first.
func (r *Register) waiting(ctx context.Context, ws workspace.ID) (all []Order, err error) {
	rows, err := r.db.QueryContext(ctx, `SELECT n, receipt, contact, at FROM erasing WHERE workspace = ? AND contact IS NOT NULL ORDER BY n`, ws.String())
	if err != nil {
		return nil, fmt.Errorf("read orders of erasure: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n, at int64
		var receipt string
		var ref []byte
		if err := rows.Scan(&n, &receipt, &ref, &at); err != nil {
			return nil, fmt.Errorf("read orders of erasure: %w", err)
		}
		if len(ref) != anon.ContactLen {
			return nil, errDamaged
		}
		if len(all) == 0 || all[len(all)-1].Receipt != receipt {
			all = append(all, Order{Receipt: receipt, At: time.UnixMicro(at)})
		}
		o := &all[len(all)-1]
		o.Last, o.Who = n, append(o.Who, pseudonym(ref))
	}
	return all, rows.Err()
}

// Waiting counts the erasures that are still to be carried out, and tells since when the oldest waits.
func (r *Register) Waiting(ctx context.Context) (n map[workspace.ID]int, oldest time.Time, err error) {
	rows, err := r.db.QueryContext(ctx, `SELECT workspace, count(DISTINCT receipt), min(at) FROM erasing WHERE contact IS NOT NULL GROUP BY workspace`)
	if err != nil {
		return nil, oldest, fmt.Errorf("count orders of erasure: %w", err)
	}
	defer rows.Close()
	n = map[workspace.ID]int{}
	for rows.Next() {
		var name string
		var k int
		var at int64
		if err := rows.Scan(&name, &k, &at); err != nil {
			return nil, oldest, fmt.Errorf("count orders of erasure: %w", err)
		}
		ws, err := workspace.Parse(name)
		if err != nil {
			return nil, oldest, err
		}
		if n[ws] = k; oldest.IsZero() || time.UnixMicro(at).Before(oldest) {
			oldest = time.UnixMicro(at)
		}
	}
	return n, oldest, rows.Err()
}

// Unreadable notes that orders are carried out but for files that nobody can read: no figure can count what is in them.
func (r *Register) Unreadable(ctx context.Context, ws workspace.ID, all []Order) error {
	return r.close(ctx, ws, all, `UPDATE erasing SET readable = 0 WHERE workspace = ? AND receipt = ? AND n <= ?`, false)
}

// Fulfil ends orders that were carried out: the ledger says that the rows are gone, and the pseudonyms leave the orders.
func (r *Register) Fulfil(ctx context.Context, ws workspace.ID, all []Order) error {
	return r.close(ctx, ws, all, `UPDATE erasing SET contact = NULL WHERE workspace = ? AND receipt = ? AND n <= ?`, true)
}

func (r *Register) close(ctx context.Context, ws workspace.ID, all []Order, update string, gone bool) error {
	about := make([][]byte, len(all))
	for i, o := range all {
		if !gone {
			continue
		}
		var err error
		if about[i], err = r.slowly(ws, o.Who[0][:]); err != nil {
			return err
		}
	}
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		for i, o := range all {
			if _, err := tx.ExecContext(ctx, update, ws.String(), o.Receipt, o.Last); err != nil {
				return err
			}
			if !gone {
				continue
			}
			if err := unlink(ctx, tx, ws, o); err != nil {
				return err
			}
			for _, c := range o.Who {
				if err := unspeak(ctx, tx, ws, c, r.now()); err != nil {
					return err
				}
			}
			if _, err := r.ledger.Append(ctx, tx, ledger.Erasure{Workspace: ws.String(), Ref: about[i], Step: "rows-gone"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("end orders of erasure: %w", err)
	}
	return nil
}

// Lapse deletes tombstones from before a moment, except those whose order still waits. Events of the time before are by
// then older than rows may be linked.
func (r *Register) Lapse(ctx context.Context, ws workspace.ID, before time.Time) error {
	s, err := r.of(ctx, ws)
	if err != nil {
		return err
	}
	err = r.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM erasures WHERE workspace = ?1 AND at < ?2
			AND contact NOT IN (SELECT contact FROM erasing WHERE workspace = ?1 AND contact IS NOT NULL)`, ws.String(), before.UnixMicro())
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM erasing WHERE workspace = ? AND at < ? AND contact IS NULL`, ws.String(), before.UnixMicro())
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("forget erasures: %w", err)
	}
	gone, err := r.loadErased(ctx, ws)
	if err != nil {
		return fmt.Errorf("read consent register: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for who, at := range s.erased { // another one may have been recorded meanwhile
		if _, stays := gone[who]; !stays && at.Before(before) {
			delete(s.erased, who)
		}
	}
	return nil
}

// Erased gives the moment up to which everything about a person was erased; zero when nothing was.
func (r *Register) Erased(ctx context.Context, ws workspace.ID, who ...anon.Contact) (last time.Time, err error) {
	s, err := r.of(ctx, ws)
	if err != nil {
		return time.Time{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, n := range names(who) {
		if at := s.erased[n]; at.After(last) {
			last = at
		}
	}
	return last, nil
}

// OrderAgain orders once more whatever was erased.
func (r *Register) OrderAgain(ctx context.Context, ws workspace.ID) error {
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO erasing(workspace, receipt, contact, at) SELECT workspace, receipt, contact, at FROM erasures
			WHERE workspace = ?1 AND contact NOT IN (SELECT contact FROM erasing WHERE workspace = ?1 AND contact IS NOT NULL) ORDER BY receipt`, ws.String())
		return err
	})
	if err != nil {
		return fmt.Errorf("order erasures again: %w", err)
	}
	return nil
}

// carryErasure takes the tombstone of one pseudonym to another. To a linked one it takes the order too: rows of theirs are
// the erased person's.
func (r *Register) carryErasure(ctx context.Context, ws workspace.ID, s *said, to Subject, from pseudonym, gone time.Time) error {
	r.mu.RLock()
	known := s.erased[to.name()]
	r.mu.RUnlock()
	if !gone.After(known) {
		return nil
	}
	a := to.name().pseudonym
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO erasures(workspace, contact, linked, at, receipt)
			SELECT workspace, ?, ?, at, receipt FROM erasures WHERE workspace = ? AND contact = ? AND linked = 0
			ON CONFLICT(workspace, contact, linked) DO UPDATE SET at = excluded.at, receipt = excluded.receipt`, a[:], to.Linked, ws.String(), from[:])
		if err == nil && to.Linked {
			_, err = tx.ExecContext(ctx, `INSERT INTO erasing(workspace, receipt, contact, at)
				SELECT workspace, receipt, ?, at FROM erasures WHERE workspace = ? AND contact = ? AND linked = 0`, a[:], ws.String(), from[:])
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("carry an erasure: %w", err)
	}
	r.mu.Lock()
	s.erased[to.name()] = gone
	s.changes++
	r.mu.Unlock()
	return nil
}

func (r *Register) loadErased(ctx context.Context, ws workspace.ID) (map[name]time.Time, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT contact, linked, at FROM erasures WHERE workspace = ?`, ws.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[name]time.Time{}
	for rows.Next() {
		var ref []byte
		var linked bool
		var at int64
		if err := rows.Scan(&ref, &linked, &at); err != nil {
			return nil, err
		}
		if len(ref) != anon.ContactLen {
			return nil, errDamaged
		}
		all[name{pseudonym(ref), linked}] = time.UnixMicro(at)
	}
	return all, rows.Err()
}
