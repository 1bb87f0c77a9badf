package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Spoken is a call: with whom, and where somebody may have spoken, over which number of the business, from the first ring to the
// end.
type Spoken struct {
	Workspace    workspace.ID
	Call         fact.ID
	Contact      anon.Contact // anon.Nobody for a caller who is not shown; zero: of somebody who was erased
	Country      string       // of the contact, ISO 3166; "" where no policy asks
	Number       fact.Label   // 0: nobody spoke, or the number is not known
	Began, Ended time.Time
}

// Spoke remembers calls, so that words find whose they are, in one transaction. A newer version of a call, later in the list,
// replaces its times. Of somebody who was erased since, it remembers the call as an erased person's. Leave forgets calls.
func (r *Register) Spoke(ctx context.Context, calls ...Spoken) error {
	if len(calls) == 0 {
		return nil
	}
	now := r.now().UnixMicro()
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, s := range calls {
			c := s.Contact.Bytes()
			_, err := tx.ExecContext(ctx, `INSERT INTO spoken(workspace, contact, number, call, began, ended, told, country) SELECT ?1,
				iif(EXISTS (SELECT 1 FROM erasures WHERE workspace = ?1 AND contact = ?2 AND at >= ?5), zeroblob(16), ?2), ?3, ?4, ?5, ?6, ?7, ?8 WHERE true
				ON CONFLICT(workspace, contact, number, call) DO UPDATE SET began = excluded.began, ended = excluded.ended, told = excluded.told`,
				s.Workspace.String(), c[:], int64(s.Number), s.Call[:], s.Began.UnixMicro(), s.Ended.UnixMicro(), now, s.Country)
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

// Caller is what the register knows of whose a call was.
type Caller struct {
	Known  bool // the call came in
	Erased bool // somebody who took part was erased since
	Who    []Present
}

// Present is somebody who took part in a call.
type Present struct {
	Contact [anon.ContactLen]byte
	Country string // ISO 3166; "" where nobody can say
}

// nobodysCall stands for the contact of a call whose contact was erased.
var nobodysCall pseudonym

// WhoseCall tells whose a call was: the contact that it belongs to, and who else took part. fresh are calls that Spoke is still
// to be told of.
func (r *Register) WhoseCall(ctx context.Context, ws workspace.ID, call fact.ID, fresh []Spoken) (c Caller, err error) {
	note := func(p Present, known bool) {
		c.Known = c.Known || known
		if p.Contact == nobodysCall {
			c.Erased = true
		} else if !slices.ContainsFunc(c.Who, func(o Present) bool { return o.Contact == p.Contact }) {
			c.Who = append(c.Who, p)
		}
	}
	for _, s := range fresh {
		if s.Workspace == ws && s.Call == call {
			note(Present{s.Contact.Bytes(), s.Country}, true)
		}
	}
	rows, err := r.db.QueryContext(ctx, `SELECT contact, country, 1 FROM spoken WHERE workspace = ?1 AND call = ?2
		UNION ALL SELECT contact, '', 0 FROM parties WHERE workspace = ?1 AND call = ?2`, ws.String(), call[:])
	if err != nil {
		return Caller{}, fmt.Errorf("look for whose call it was: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var who []byte
		var country string
		var known bool
		if err := rows.Scan(&who, &country, &known); err != nil {
			return Caller{}, fmt.Errorf("look for whose call it was: %w", err)
		}
		if len(who) != anon.ContactLen {
			return Caller{}, errDamaged
		}
		note(Present{pseudonym(who), country}, known)
	}
	return c, rows.Err()
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

// Waiting are words that wait for their call since a moment before it was looked for: those that name it, or those of a contact.
type Waiting struct {
	Workspace workspace.ID
	Call      fact.ID // zero: words of the contact
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
			if w.Call != (fact.ID{}) {
				_, err := tx.ExecContext(ctx, `INSERT INTO uncalled(workspace, call, at) VALUES(?,?,?)
					ON CONFLICT(workspace, call) DO UPDATE SET at = excluded.at`, w.Workspace.String(), w.Call[:], w.Since.UnixMicro())
				if err != nil {
					return err
				}
				continue
			}
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

// Placeable gives, by workspace, the words that wait and whose call came since, or shortly before: those that name a call, or
// those of a contact. They are to be decided again, and Placed told.
func (r *Register) Placeable(ctx context.Context) (map[workspace.ID][]journal.Subject, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT workspace, zeroblob(16), contact FROM unplaced u
		WHERE EXISTS (SELECT 1 FROM spoken s WHERE s.workspace = u.workspace AND s.contact = u.contact AND s.number <> 0 AND s.told >= u.at - ?1)
		UNION ALL SELECT workspace, call, zeroblob(16) FROM uncalled u
		WHERE EXISTS (SELECT 1 FROM spoken s WHERE s.workspace = u.workspace AND s.call = u.call AND s.told >= u.at - ?1)`, settling.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("look for words that wait: %w", err)
	}
	defer rows.Close()
	all := map[workspace.ID][]journal.Subject{}
	for rows.Next() {
		var name string
		var call, c []byte
		if err := rows.Scan(&name, &call, &c); err != nil {
			return nil, fmt.Errorf("look for words that wait: %w", err)
		}
		ws, err := workspace.Parse(name)
		if err != nil || len(call) != len(fact.ID{}) || len(c) != anon.ContactLen {
			return nil, errDamaged
		}
		all[ws] = append(all[ws], journal.Subject{Call: fact.ID(call), Contact: pseudonym(c)})
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// Placed forgets that words wait, which were decided again at a moment. Those that began to wait shortly before may not have been
// there to be decided: they stay.
func (r *Register) Placed(ctx context.Context, ws workspace.ID, words []journal.Subject, at time.Time) error {
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, w := range words {
			del, of := `DELETE FROM unplaced WHERE workspace = ? AND contact = ? AND at < ?`, w.Contact[:]
			if w.Call != (fact.ID{}) {
				del, of = `DELETE FROM uncalled WHERE workspace = ? AND call = ? AND at < ?`, w.Call[:]
			}
			if _, err := tx.ExecContext(ctx, del, ws.String(), of, at.Add(-settling).UnixMicro()); err != nil {
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
	for _, del := range []string{
		`DELETE FROM spoken WHERE workspace = ? AND began < ?`, `DELETE FROM unplaced WHERE workspace = ? AND at < ?`,
		`DELETE FROM uncalled WHERE workspace = ? AND at < ?`,
	} {
		if _, err := tx.ExecContext(ctx, del, ws.String(), before.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// unspeak forgets whose the calls of somebody are who is erased, and has words that wait for them decided again.
func unspeak(ctx context.Context, tx *sql.Tx, ws workspace.ID, c pseudonym, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO spoken(workspace, contact, number, call, began, ended, told)
		SELECT workspace, zeroblob(16), 0, call, began, ended, ?3 FROM spoken WHERE workspace = ?1 AND contact = ?2
		ON CONFLICT(workspace, contact, number, call) DO UPDATE SET told = excluded.told`, ws.String(), c[:], now.UnixMicro())
	if err != nil {
		return err
	}
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
