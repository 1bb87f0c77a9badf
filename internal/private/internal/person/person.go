// Package person finds the person at an address: it makes pseudonyms, in one place for everything: events, live calls,
// opt-outs, erasures.
//
// Zone: RED. It keeps by which rules (package identity) each workspace's addresses got their one spelling, so that what was
// refused or erased under former rules still holds. Of several addresses of one person the first that identifies the person
// gives the pseudonym; package consent stores that the others are the same person's.
package person

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"time"

	"murmur/internal/keyring"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/personal"
	"murmur/internal/workspace"
)

// Finder finds persons. It is safe for concurrent use.
type Finder struct {
	db    *meta.DB
	ring  *keyring.Ring
	store *workspace.Store
	now   func() time.Time

	parser  identity.Parser
	mu      sync.Mutex
	schemes map[workspace.ID][]identity.Scheme // newest first
}

// NewFinder opens the register of schemes.
func NewFinder(db *meta.DB, ring *keyring.Ring, store *workspace.Store, now func() time.Time) *Finder {
	return &Finder{db: db, ring: ring, store: store, now: now, schemes: map[workspace.ID][]identity.Scheme{}}
}

// Of is the person at an address.
func (f *Finder) Of(ctx context.Context, ws workspace.ID, v personal.Value) (identity.Person, error) {
	return f.First(ctx, ws, personal.Value{}, v)
}

// Named is the person behind an address that somebody typed. A platform's own id must be written id:TEXT: otherwise a
// misspelt number or address would be taken for the id of a new person.
func (f *Finder) Named(ctx context.Context, ws workspace.ID, v personal.Value) (identity.Person, error) {
	schemes, err := f.of(ctx, ws)
	if err != nil {
		return identity.Person{}, err
	}
	if f.parser.Parse(v, schemes[0].Region).Kind() == identity.Own && !identity.SaysOwn(v) {
		nobody := identity.Stranger(anon.Nobody(), "")
		nobody.Unreadable = true
		return nobody, nil
	}
	return f.Of(ctx, ws, v)
}

// First is the person at the first of several addresses that says who it is, who has the others too; own is what the
// platform itself calls them, and comes last.
func (f *Finder) First(ctx context.Context, ws workspace.ID, own personal.Value, all ...personal.Value) (identity.Person, error) {
	schemes, err := f.of(ctx, ws)
	if err != nil {
		return identity.Person{}, err
	}
	out, hidden := identity.Stranger(anon.Nobody(), ""), false
	for i, v := range append(all, own) {
		if v.Empty() {
			continue
		}
		a := f.parser.Parse(v, schemes[0].Region)
		if i == len(all) {
			a = identity.OwnID(v, schemes[0].Region)
		}
		switch {
		case a.Person():
			p, err := f.named(ws, schemes, v, a)
			if err != nil {
				return identity.Person{}, err
			}
			if !out.Known() && !hidden {
				out = p
			} else {
				out.Also = append(out.Also, p.All()...)
			}
		case a.Kind() == identity.Unreadable && !out.Known() && !hidden:
			out.Unreadable = true
		case a.Kind() == identity.Withheld && i == 0:
			hidden = true // a caller who hides the number must not be found by other addresses
		}
	}
	out.Also = further(out)
	return out, nil
}

// further are the pseudonyms of a person's other addresses, each once.
func further(p identity.Person) (all []anon.Contact) {
	for _, c := range p.Also {
		if !slices.Contains(p.All(), c) && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

func (f *Finder) named(ws workspace.ID, schemes []identity.Scheme, v personal.Value, a identity.Address) (identity.Person, error) {
	key, err := f.ring.Pseudonym(ws)
	if err != nil {
		return identity.Person{}, err
	}
	out := identity.Person{Contact: anon.Pseudonym(key, a.Value()), Country: a.Country}
	for _, s := range schemes[1:] {
		for _, one := range s.Former(v, a) {
			if c := anon.Pseudonym(key, one); c != out.Contact && !slices.Contains(out.Former, c) {
				out.Former = append(out.Former, c)
			}
		}
	}
	return out, nil
}

// of gives the schemes of a workspace, the one of today first. A new one is on disk before it is used.
func (f *Finder) of(ctx context.Context, ws workspace.ID) ([]identity.Scheme, error) {
	policy, err := f.store.Policy(ctx, ws)
	if err != nil {
		return nil, err
	}
	today := identity.Scheme{Version: identity.Version, Region: policy.Region}
	f.mu.Lock()
	defer f.mu.Unlock()
	if all := f.schemes[ws]; len(all) > 0 && all[0] == today {
		return all, nil
	}
	all, err := f.load(ctx, ws)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0] != today {
		if err := f.adopt(ctx, ws, today); err != nil {
			return nil, err
		}
		all = append([]identity.Scheme{today}, slices.DeleteFunc(all, func(s identity.Scheme) bool { return s == today })...)
	}
	f.schemes[ws] = all
	return all, nil
}

func (f *Finder) load(ctx context.Context, ws workspace.ID) (all []identity.Scheme, err error) {
	rows, err := f.db.QueryContext(ctx, `SELECT version, region FROM identities WHERE workspace = ? ORDER BY since DESC, version DESC`, ws.String())
	if err != nil {
		return nil, fmt.Errorf("read how addresses are spelt: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s identity.Scheme
		if err := rows.Scan(&s.Version, &s.Region); err != nil {
			return nil, fmt.Errorf("read how addresses are spelt: %w", err)
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

func (f *Finder) adopt(ctx context.Context, ws workspace.ID, s identity.Scheme) error {
	err := f.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO identities(workspace, version, region, since) VALUES(?,?,?,?)
			ON CONFLICT(workspace, version, region) DO UPDATE SET since = excluded.since`, ws.String(), s.Version, s.Region, f.now().UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("write how addresses are spelt: %w", err)
	}
	return nil
}
