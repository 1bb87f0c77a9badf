package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Spoken is a call in which somebody may have spoken: with whom, over which number of the business, from the first ring
// to the end.
type Spoken struct {
	Call         fact.ID
	Contact      anon.Contact
	Number       fact.Label
	Began, Ended time.Time
}

// Spoke remembers calls, so that words of no call find them, in one transaction. A newer version of a call, later in the list,
// replaces its times. Leave forgets them.
func (r *Register) Spoke(ctx context.Context, ws workspace.ID, calls ...Spoken) error {
	if len(calls) == 0 {
		return nil
	}
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, s := range calls {
			c := s.Contact.Bytes()
			_, err := tx.ExecContext(ctx, `INSERT INTO spoken(workspace, contact, number, call, began, ended) VALUES(?,?,?,?,?,?)
				ON CONFLICT(workspace, contact, number, call) DO UPDATE SET began = excluded.began, ended = excluded.ended`,
				ws.String(), c[:], int64(s.Number), s.Call[:], s.Began.UnixMicro(), s.Ended.UnixMicro())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remember a call: %w", err)
	}
	return nil
}

// CallAt finds the call that words of a moment are of: the one call with the contact, over the number, that was on then. Zero
// where there is none, or more than one. There is no tolerance: an unknown call beside a known one may be one that was
// refused, and no two are on at once. fresh are calls that Spoke is still to be told of.
func (r *Register) CallAt(ctx context.Context, ws workspace.ID, number fact.Label, at time.Time, fresh []Spoken, who ...anon.Contact) (call fact.ID, err error) {
	found := map[fact.ID]bool{}
	for _, c := range who {
		b := c.Bytes()
		rows, err := r.db.QueryContext(ctx, `SELECT call FROM spoken WHERE workspace = ? AND contact = ? AND number = ? AND began <= ?4 AND ended >= ?4`,
			ws.String(), b[:], int64(number), at.UnixMicro())
		if err != nil {
			return call, fmt.Errorf("look for a call: %w", err)
		}
		err = each(rows, func(id []byte) error {
			if len(id) != len(call) {
				return errDamaged
			}
			found[fact.ID(id)] = true
			return nil
		})
		if err != nil {
			return call, fmt.Errorf("look for a call: %w", err)
		}
	}
	for _, s := range fresh {
		if s.Number != number || !slices.Contains(who, s.Contact) {
			continue
		}
		if delete(found, s.Call); !s.Began.After(at) && !s.Ended.Before(at) {
			found[s.Call] = true
		}
	}
	if len(found) != 1 {
		return call, nil
	}
	for call = range found {
		break
	}
	return call, nil
}

// Wait notes that words of a contact wait for their call.
func (r *Register) Wait(ctx context.Context, ws workspace.ID, c anon.Contact) error {
	b := c.Bytes()
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO unplaced(workspace, contact, at) VALUES(?,?,?)
			ON CONFLICT(workspace, contact) DO UPDATE SET at = excluded.at`, ws.String(), b[:], r.now().UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("note that words wait: %w", err)
	}
	return nil
}

// Placeable gives the contacts whose words wait and of whom a call is known by now, and forgets that they wait: whoever asks
// has their words decided again.
func (r *Register) Placeable(ctx context.Context, ws workspace.ID) (all [][anon.ContactLen]byte, err error) {
	const known = `SELECT contact FROM unplaced u WHERE workspace = ? AND EXISTS (SELECT 1 FROM spoken s WHERE s.workspace = u.workspace AND s.contact = u.contact)`
	rows, err := r.db.QueryContext(ctx, known, ws.String())
	if err == nil {
		err = each(rows, func(c []byte) error {
			if len(c) != anon.ContactLen {
				return errDamaged
			}
			all = append(all, [anon.ContactLen]byte(c))
			return nil
		})
	}
	if err == nil && len(all) > 0 {
		err = r.db.Tx(ctx, func(tx *sql.Tx) error {
			for _, c := range all {
				if _, err := tx.ExecContext(ctx, `DELETE FROM unplaced WHERE workspace = ? AND contact = ?`, ws.String(), c[:]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("look for words that wait: %w", err)
	}
	return all, nil
}

// unspoken forgets calls that began before a moment, and words that began to wait before it.
func unspoken(ctx context.Context, tx *sql.Tx, ws workspace.ID, before time.Time) error {
	for _, del := range []string{`DELETE FROM spoken WHERE workspace = ? AND began < ?`, `DELETE FROM unplaced WHERE workspace = ? AND at < ?`} {
		if _, err := tx.ExecContext(ctx, del, ws.String(), before.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// unspeak forgets the calls of somebody who is erased.
func unspeak(ctx context.Context, tx *sql.Tx, ws workspace.ID, c pseudonym) error {
	for _, table := range []string{"spoken", "unplaced"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE workspace = ? AND contact = ?`, ws.String(), c[:]); err != nil {
			return err
		}
	}
	return nil
}

// each reads one column of bytes.
func each(rows *sql.Rows, f func([]byte) error) error {
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return err
		}
		if err := f(b); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}
