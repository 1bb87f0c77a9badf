package consent

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/identity"
	"murmur/internal/workspace"
)

// A source may name one person by several addresses, a phone number and an e-mail address. Rows belong to the first that
// says who it is. Which addresses were named together is kept for as long as rows of that day are linked, so that a refusal
// or an erasure by one of them holds for the others, in whatever order they come.
//
// A link is not passed on. The register stores separately what somebody said by an address, and what holds for it because of
// another (name.linked), and copies only the former. So two people who were both named with a family's number, or with a
// placeholder that somebody typed, stay two people. Agreements are never copied.

// Named is a person whom a source named by several addresses, and when.
type Named struct {
	Workspace workspace.ID
	Who       identity.Person
	At        time.Time
}

// Told is what deliveries tell about people besides their outcomes: the addresses by which they are named, the calls they
// spoke in, and whose words wait for their call. It is collected from many deliveries and stored once, before their outcomes
// are.
type Told struct {
	Named   []Named
	Spoken  []Spoken
	Waiting []Waiting
}

// Tell stores it.
func (r *Register) Tell(ctx context.Context, t Told) error {
	if err := r.Link(ctx, t.Named...); err != nil {
		return err
	}
	if err := r.Spoke(ctx, t.Spoken...); err != nil {
		return err
	}
	return r.Wait(ctx, t.Waiting...)
}

func (n Named) all() []anon.Contact {
	if !n.Who.Known() || len(n.Who.Also) == 0 {
		return nil
	}
	return append(n.Who.All(), n.Who.Also...)
}

// Link remembers by which addresses people were named together, in one transaction.
func (r *Register) Link(ctx context.Context, named ...Named) error {
	now := r.now()
	var fresh []pair
	for _, n := range named {
		pairs, err := r.pairs(ctx, n, now)
		if err != nil {
			return fmt.Errorf("remember addresses: %w", err)
		}
		fresh = append(fresh, pairs...)
	}
	if len(fresh) == 0 {
		return nil
	}
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, p := range fresh {
			_, err := tx.ExecContext(ctx, `INSERT INTO addresses(workspace, contact, also, day, seen) VALUES(?,?,?,?,?)
				ON CONFLICT DO UPDATE SET day = max(day, excluded.day), seen = excluded.seen`, p.ws.String(), p.a[:], p.b[:], p.day, now.UnixMicro())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remember addresses: %w", err)
	}
	return nil
}

// pair is two addresses of one person, a < b, and a day on which they were named.
type pair struct {
	ws   workspace.ID
	a, b pseudonym
	day  int64
}

// pairs are those of a person that are not known of that day or a later one, or that nobody told of today.
func (r *Register) pairs(ctx context.Context, n Named, now time.Time) (fresh []pair, err error) {
	all := n.all()
	for i, c := range all {
		for _, d := range all[i+1:] {
			p := pair{n.Workspace, c.Bytes(), d.Bytes(), dayOf(n.At)}
			if bytes.Compare(p.a[:], p.b[:]) > 0 {
				p.a, p.b = p.b, p.a
			}
			var day, seen int64
			err := r.db.QueryRowContext(ctx, `SELECT day, seen FROM addresses WHERE workspace = ? AND contact = ? AND also = ?`, p.ws.String(), p.a[:], p.b[:]).Scan(&day, &seen)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return nil, err
			}
			if err != nil || day < p.day || now.Sub(time.UnixMicro(seen)) > 24*time.Hour {
				fresh = append(fresh, p)
			}
		}
	}
	return fresh, nil
}

// Lead copies to each address of a person what was refused and erased by another. It gives those whose words may not be stored
// anywhere now. A caller that calls it after Link, or whose decision counts only while Changes stays as it was, does not miss a
// statement made meanwhile.
func (r *Register) Lead(ctx context.Context, ws workspace.ID, who identity.Person) (refused []anon.Contact, err error) {
	s, err := r.of(ctx, ws)
	if err != nil {
		return nil, err
	}
	all := Named{Who: who}.all()
	for _, c := range all {
		if err := r.recall(ws, s, c.Bytes()); err != nil {
			return nil, err
		}
	}
	for _, to := range all {
		for _, from := range all {
			if to != from {
				err = errors.Join(err, r.lead(ctx, ws, to.Bytes(), from.Bytes()))
			}
		}
		r.mu.RLock()
		if s.contacts[name{to.Bytes(), true}].Out&Heard != 0 {
			refused = append(refused, to)
		}
		r.mu.RUnlock()
	}
	return refused, err
}

// Linked lists the pseudonyms that were named together with one.
func (r *Register) Linked(ctx context.Context, ws workspace.ID, who anon.Contact) ([][anon.ContactLen]byte, error) {
	return r.linked(ctx, ws, who.Bytes())
}

func (r *Register) linked(ctx context.Context, ws workspace.ID, b pseudonym) (all [][anon.ContactLen]byte, err error) {
	rows, err := r.db.QueryContext(ctx, `SELECT also FROM addresses WHERE workspace = ?1 AND contact = ?2
		UNION SELECT contact FROM addresses WHERE workspace = ?1 AND also = ?2`, ws.String(), b[:])
	if err != nil {
		return nil, fmt.Errorf("read addresses: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var ref []byte
		if err := rows.Scan(&ref); err != nil {
			return nil, fmt.Errorf("read addresses: %w", err)
		}
		if len(ref) != anon.ContactLen {
			return nil, errDamaged
		}
		all = append(all, pseudonym(ref))
	}
	return all, rows.Err()
}

// lead takes to one address of a person what was refused and erased by another.
func (r *Register) lead(ctx context.Context, ws workspace.ID, to, from pseudonym) error {
	s, err := r.of(ctx, ws)
	if err != nil {
		return err
	}
	if err := r.recall(ws, s, from); err != nil {
		return err
	}
	r.mu.RLock()
	said, unrecorded, gone := s.contacts[name{from, false}], s.unrecorded[name{from, false}], s.erased[name{from, false}]
	r.mu.RUnlock()
	about := Subject{stored: to, Linked: true}
	if said.Out != 0 {
		_, err = r.record(ctx, ws, about, fact.OptedOut, said.Out, fact.ViaPolicy)
	}
	if unrecorded {
		calls := about
		calls.Calls = true
		_, e := r.record(ctx, ws, calls, fact.OptedOut, Everything, fact.ViaPolicy)
		err = errors.Join(err, e)
	}
	return errors.Join(err, r.carryErasure(ctx, ws, s, about, from, gone))
}

// Orders lists the erasures of a workspace that are still to be carried out, oldest first, each with those of the addresses
// that are linked with whoever it is about. They are looked up here and not before the answer, whose time would tell
// whether a person is known.
func (r *Register) Orders(ctx context.Context, ws workspace.ID) ([]Order, error) {
	given, err := r.waiting(ctx, ws)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	receipts := map[string]bool{}
	for _, o := range given {
		receipts[o.Receipt] = true
		for _, from := range o.Who {
			if err := r.orderLinked(ctx, ws, from); err != nil {
				return nil, err
			}
		}
	}
	all, err := r.waiting(ctx, ws)
	return slices.DeleteFunc(all, func(o Order) bool { return !receipts[o.Receipt] }), err // what was given meanwhile waits
}

// orderLinked reads the database and not the memory: an order can be taken up before the caller
// that gave it continues.
func (r *Register) orderLinked(ctx context.Context, ws workspace.ID, from pseudonym) error {
	var at int64
	err := r.db.QueryRowContext(ctx, `SELECT at FROM erasures WHERE workspace = ? AND contact = ? AND linked = 0`, ws.String(), from[:]).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // itself linked with somebody who was erased
	}
	if err != nil {
		return fmt.Errorf("read erasures: %w", err)
	}
	s, err := r.of(ctx, ws)
	if err != nil {
		return err
	}
	linked, err := r.linked(ctx, ws, from)
	for _, to := range linked {
		err = errors.Join(err, r.carryErasure(ctx, ws, s, Subject{stored: to, Linked: true}, from, time.UnixMicro(at)))
	}
	return err
}

// unlink deletes the links of people whose rows are gone.
func unlink(ctx context.Context, tx *sql.Tx, ws workspace.ID, o Order) error {
	for _, who := range o.Who {
		_, err := tx.ExecContext(ctx, `DELETE FROM addresses WHERE workspace = ?1 AND (contact = ?2 OR also = ?2) AND day <= ?3`, ws.String(), who[:], dayOf(o.At))
		if err != nil {
			return err
		}
	}
	return nil
}

// telling is for how long an old day that is still told of (a history that comes in) keeps its links: rows keep theirs for two
// days after the last (package crowd), and seen is a day old at most.
const telling = 3 * 24 * time.Hour

// dayOf is a day of UTC, by which rows are linked, as days since 1970.
func dayOf(t time.Time) int64 {
	days := t.UnixMicro() / dayMicros
	if t.UnixMicro()%dayMicros < 0 {
		days--
	}
	return days
}

const dayMicros = 86_400_000_000
