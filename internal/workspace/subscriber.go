package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const topicSubscriber, topicEnder = "subscriber", "subscriber-end"

// Subscriber gets the week of a workspace by mail.
type Subscriber struct {
	ID      string    `json:"id"`
	Role    Role      `json:"role"` // Owner or Viewer: whose figures
	Created time.Time `json:"created"`
	Sent    string    `json:"sent,omitempty"`   // the Monday of the last week that was sent
	Failed  string    `json:"failed,omitempty"` // why the last try failed

	Address string `json:"-"` // for the mail server alone
	Ender   string `json:"-"` // what ends it, as it stands in a letter
}

// Subscribe has the week of a workspace mailed to an address.
func (s *Store) Subscribe(ctx context.Context, ws ID, address string, role Role) (Subscriber, error) {
	if role != Owner && role != Viewer {
		return Subscriber{}, fmt.Errorf("role: %w; use owner or viewer", ErrNotFound)
	}
	if err := s.Exists(ctx, ws); err != nil {
		return Subscriber{}, err
	}
	sub := Subscriber{Role: role, Created: s.now().UTC(), Address: address, Ender: Secret()}
	h := hashOf(sub.Ender)
	sub.ID = IDOf(h[:])
	sealed, err := s.seal.SealLasting(ws, topicSubscriber, [16]byte(h[:16]), []byte(sub.Address))
	if err != nil {
		return Subscriber{}, err
	}
	ender, err := s.seal.SealLasting(ws, topicEnder, [16]byte(h[:16]), []byte(sub.Ender))
	if err != nil {
		return Subscriber{}, err
	}
	return sub, s.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO subscribers(id, workspace, role, address, ender, created_at) VALUES(?,?,?,?,?,?)`,
			h[:], ws.String(), string(role), sealed, ender, s.now().UnixMicro())
		return err
	})
}

// Subscribers lists who gets the week of a workspace, oldest first.
func (s *Store) Subscribers(ctx context.Context, ws ID) (all []Subscriber, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, role, address, ender, created_at, sent, failed FROM subscribers WHERE workspace = ? ORDER BY created_at, id`, ws.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var sub Subscriber
		var h, address, ender []byte
		var created int64
		if err := rows.Scan(&h, &sub.Role, &address, &ender, &created, &sub.Sent, &sub.Failed); err != nil {
			return nil, err
		}
		if address, err = s.seal.OpenLasting(ws, topicSubscriber, [16]byte(h[:16]), address); err != nil {
			return nil, err
		}
		if ender, err = s.seal.OpenLasting(ws, topicEnder, [16]byte(h[:16]), ender); err != nil {
			return nil, err
		}
		sub.ID, sub.Created, sub.Address, sub.Ender = IDOf(h), time.UnixMicro(created).UTC(), string(address), string(ender)
		all = append(all, sub)
	}
	return all, rows.Err()
}

// Mailed notes that the week beginning on monday was handed to the mail server, or, with why, that it was not.
func (s *Store) Mailed(ctx context.Context, sub Subscriber, monday, why string) error {
	h := hashOf(sub.Ender)
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		if why != "" {
			_, err := tx.ExecContext(ctx, `UPDATE subscribers SET failed = ? WHERE id = ?`, why, h[:])
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE subscribers SET sent = ?, failed = '' WHERE id = ?`, monday, h[:])
		return err
	})
}

// Unsubscribe ends the letters of whoever holds ender. ErrNotFound.
func (s *Store) Unsubscribe(ctx context.Context, ender [32]byte) error {
	return s.affect(ctx, `DELETE FROM subscribers WHERE id = ?`, ender[:])
}

// RemoveSubscriber ends the letters of one of a workspace's subscribers. ErrNotFound.
func (s *Store) RemoveSubscriber(ctx context.Context, ws ID, id string) error {
	return s.affect(ctx, `DELETE FROM subscribers WHERE workspace = ? AND lower(substr(hex(id), 1, 12)) = ?`, ws.String(), id)
}

// affect carries out one statement. ErrNotFound where it changes nothing.
func (s *Store) affect(ctx context.Context, query string, args ...any) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return nil
	})
}
