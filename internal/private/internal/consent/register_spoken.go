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
	Workspace    workspace.ID
	Call         fact.ID
	Contact      anon.Contact
	Number       fact.Label
	Began, Ended time.Time
}

// Spoke remembers calls, so that words of no call find them, in one transaction. A newer version of a call, later in the list,
// replaces its times. Of somebody who was erased since, nothing is remembered. Leave forgets them.
func (r *Register) Spoke(ctx context.Context, calls ...Spoken) error {
	if len(calls) == 0 {
		return nil
	}
	now := r.now().UnixMicro()
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, s := range calls {
			c := s.Contact.Bytes()
			_, err := tx.ExecContext(ctx, `INSERT INTO spoken(workspace, contact, number, call, began, ended, told) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
				WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE workspace = ?1 AND contact = ?2 AND at >= ?5)
				ON CONFLICT(workspace, contact, number, call) DO UPDATE SET began = excluded.began, ended = excluded.ended, told = excluded.told`,
				s.Workspace.String(), c[:], int64(s.Number), s.Call[:], s.Began.UnixMicro(), s.Ended.UnixMicro(), now)
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
// where there is none, or more than one. There is no tolerance in time: an unknown call close to a known one may be one that
// was refused, and a contact has only one call at a time. fresh are calls that Spoke is still to be told of.
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
		if s.Workspace != ws || s.Number != number || !slices.Contains(who, s.Contact) {
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

// Waiting are words of a contact that wait for their call since a moment before it was looked for.
type Waiting struct {
	Workspace workspace.ID
	Contact   anon.Contact
	Since     time.Time
}

// Wait notes that words wait, in one transaction.
func (r *Register) Wait(ctx context.Context, words ...Waiting) error {
	if len(words) == 0 {
		return nil
	}
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, w := range words {
			c := w.Contact.Bytes()
			_, err := tx.ExecContext(ctx, `INSERT INTO unplaced(workspace, contact, at) SELECT ?1, ?2, ?3
				WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE workspace = ?1 AND contact = ?2 AND at >= ?3)
				ON CONFLICT(workspace, contact) DO UPDATE SET at = excluded.at`, w.Workspace.String(), c[:], w.Since.UnixMicro())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note that words wait: %w", err)
	}
	return nil
}

// settling is longer than the time from the search for a delivery's call to the commit of its outcome.
const settling = time.Minute

// Placeable gives, by workspace, the contacts whose words wait and of whom a call came since, or shortly before: their words
// are to be decided again, and Placed told.
func (r *Register) Placeable(ctx context.Context) (map[workspace.ID][][anon.ContactLen]byte, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT workspace, contact FROM unplaced u
		WHERE EXISTS (SELECT 1 FROM spoken s WHERE s.workspace = u.workspace AND s.contact = u.contact AND s.told >= u.at - ?)`, settling.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("look for words that wait: %w", err)
	}
	defer rows.Close()
	all := map[workspace.ID][][anon.ContactLen]byte{}
	for rows.Next() {
		var name string
		var c []byte
		if err := rows.Scan(&name, &c); err != nil {
			return nil, fmt.Errorf("look for words that wait: %w", err)
		}
		ws, err := workspace.Parse(name)
		if err != nil || len(c) != anon.ContactLen {
			return nil, errDamaged
		}
		all[ws] = append(all[ws], [anon.ContactLen]byte(c))
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// Placed forgets that words of contacts wait, which were decided again at a moment. Those that began to wait shortly before may
// not have been there to be decided: they stay.
func (r *Register) Placed(ctx context.Context, ws workspace.ID, contacts [][anon.ContactLen]byte, at time.Time) error {
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, c := range contacts {
			if _, err := tx.ExecContext(ctx, `DELETE FROM unplaced WHERE workspace = ? AND contact = ? AND at < ?`,
				ws.String(), c[:], at.Add(-settling).UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget words that waited: %w", err)
	}
	return nil
}

// unspoken deletes calls that began before a moment, and words that began to wait before it.
func unspoken(ctx context.Context, tx *sql.Tx, ws workspace.ID, before time.Time) error {
	for _, del := range []string{`DELETE FROM spoken WHERE workspace = ? AND began < ?`, `DELETE FROM unplaced WHERE workspace = ? AND at < ?`} {
		if _, err := tx.ExecContext(ctx, del, ws.String(), before.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// unspeak deletes the calls of a person who is erased.
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
