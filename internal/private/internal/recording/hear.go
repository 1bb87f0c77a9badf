package recording

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Stored is what is known of a recording beside its sound.
type Stored struct {
	Workspace workspace.ID
	ID        ID
	Source    string       // name of the source that carried the call
	Call      fact.ID      // keyed
	Contact   anon.Contact // invalid: withheld
	Country   string       // of the contact, ISO 3166; empty: not known
	Began     time.Time    // the call
	Heard     bool         // its words are in the journal
}

func (b *Book) stored(r row) (Stored, error) {
	key, err := b.c.Ring.Pseudonym(r.ws)
	if err != nil {
		return Stored{}, err
	}
	return Stored{Workspace: r.ws, ID: r.id, Source: r.source, Call: r.call, Contact: anon.Stored(key, r.who), Country: r.country, Began: r.began, Heard: r.heard}, nil
}

// List gives what a workspace has stored, oldest first.
func (b *Book) List(ctx context.Context, ws workspace.ID) ([]Stored, error) {
	all, err := b.rows(ctx, `workspace = ? ORDER BY at`, ws.String())
	if err != nil {
		return nil, err
	}
	out := make([]Stored, len(all))
	for i, r := range all {
		if out[i], err = b.stored(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Stored gives one recording. ErrGone.
func (b *Book) Stored(ctx context.Context, ws workspace.ID, id ID) (Stored, error) {
	all, err := b.rows(ctx, `workspace = ? AND id = ?`, ws.String(), id[:])
	if err != nil {
		return Stored{}, err
	}
	if len(all) != 1 {
		return Stored{}, ErrGone
	}
	return b.stored(all[0])
}

// Heard stores that a recording's words are in the journal: it need not be transcribed again.
func (b *Book) Heard(ctx context.Context, ws workspace.ID, id ID) error {
	return b.exec(ctx, "mark a recording", `UPDATE recordings SET heard = ? WHERE workspace = ? AND id = ?`, b.c.Now().UnixMicro(), ws.String(), id[:])
}

func (b *Book) exec(ctx context.Context, what, statement string, args ...any) error {
	err := b.c.DB.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Announcement is a call whose recordings a platform has.
type Announcement struct {
	Workspace workspace.ID
	Source    string // name
	Name      string // the platform's own id of the call
	Call      fact.ID
	Contact   anon.Contact // invalid: withheld
	Country   string
	At        time.Time // when the call began
	Done      bool      // nothing is left to fetch
}

// Announce remembers a call whose recordings may be fetched. It is idempotent, and does nothing for a call older than
// raw-hours: what would die at once is not fetched.
func (b *Book) Announce(ctx context.Context, a Announcement) error {
	p, err := b.c.Store.Policy(ctx, a.Workspace)
	if err != nil || b.late(p, a.At) {
		return err
	}
	who := a.Contact.Bytes()
	return b.exec(ctx, "announce a recording", `INSERT INTO announced(workspace, call, source, name, contact, country, at) VALUES(?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
		a.Workspace.String(), a.Call[:], a.Source, a.Name, who[:], a.Country, a.At.UnixMicro())
}

func (b *Book) late(p workspace.Policy, at time.Time) bool {
	return b.c.Now().Sub(at) >= time.Duration(p.RawHours)*time.Hour
}

// Announced lists the calls of a workspace whose recordings are still to be fetched, oldest first.
func (b *Book) Announced(ctx context.Context, ws workspace.ID) ([]Announcement, error) {
	return b.announced(ctx, ws, `done = 0 ORDER BY at`)
}

// Announcement finds a call by its keyed id. ErrGone.
func (b *Book) Announcement(ctx context.Context, ws workspace.ID, call fact.ID) (Announcement, error) {
	all, err := b.announced(ctx, ws, `call = ?`, call[:])
	if err == nil && len(all) != 1 {
		err = ErrGone
	}
	if err != nil {
		return Announcement{}, err
	}
	return all[0], nil
}

func (b *Book) announced(ctx context.Context, ws workspace.ID, where string, args ...any) ([]Announcement, error) {
	key, err := b.c.Ring.Pseudonym(ws)
	if err != nil {
		return nil, err
	}
	rows, err := b.c.DB.QueryContext(ctx, `SELECT call, source, name, contact, country, at, done FROM announced WHERE workspace = ? AND `+where, append([]any{ws.String()}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read announced recordings: %w", err)
	}
	defer rows.Close()
	var out []Announcement
	for rows.Next() {
		a := Announcement{Workspace: ws}
		var call, who []byte
		var at int64
		if err := rows.Scan(&call, &a.Source, &a.Name, &who, &a.Country, &at, &a.Done); err != nil {
			return nil, fmt.Errorf("read announced recordings: %w", err)
		}
		if len(call) != len(a.Call) || len(who) != anon.ContactLen {
			return nil, errors.New("read announced recordings: a damaged row")
		}
		a.Call, a.Contact, a.At = fact.ID(call), anon.Stored(key, [anon.ContactLen]byte(who)), time.UnixMicro(at)
		out = append(out, a)
	}
	return out, rows.Err()
}

// Fetched remembers that nothing of a call is left to fetch.
func (b *Book) Fetched(ctx context.Context, ws workspace.ID, call fact.ID) error {
	return b.exec(ctx, "mark a call as fetched", `UPDATE announced SET done = 1 WHERE workspace = ? AND call = ?`, ws.String(), call[:])
}

// Has reports whether a platform's recording is stored.
func (b *Book) Has(ctx context.Context, ws workspace.ID, m MediaID) (bool, error) {
	all, err := b.rows(ctx, `workspace = ? AND media = ?`, ws.String(), m[:])
	return len(all) > 0, err
}

// unannounce forgets announcements: of a call or a contact, or those that are too old.
func (b *Book) unannounce(ctx context.Context, ws workspace.ID, where string, args ...any) error {
	return b.exec(ctx, "forget an announced recording", `DELETE FROM announced WHERE workspace = ? AND `+where, append([]any{ws.String()}, args...)...)
}
