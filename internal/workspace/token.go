package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Role is what an API token may do: a viewer reads figures, privacy also reads evidence and erases, an owner does
// everything.
type Role string

const (
	Owner   Role = "owner"
	Viewer  Role = "viewer"
	Privacy Role = "privacy"

	link    Role = "link"    // opens the pages once
	session Role = "session" // the pages, opened
)

// NewToken makes an API token of 256 random bits; only its hash is kept.
func (s *Store) NewToken(ctx context.Context, ws ID, role Role) (string, error) {
	if !slices.Contains([]Role{Owner, Viewer, Privacy}, role) {
		return "", fmt.Errorf("role: %w; use owner, viewer or privacy", ErrNotFound)
	}
	return s.newToken(ctx, ws, role)
}

// NewLink makes a one-time link to the pages; only its hash is kept.
func (s *Store) NewLink(ctx context.Context, ws ID) (string, error) { return s.newToken(ctx, ws, link) }

func (s *Store) newToken(ctx context.Context, ws ID, role Role) (string, error) {
	if err := s.Exists(ctx, ws); err != nil {
		return "", err
	}
	token := Secret()
	h := hashOf(token)
	return token, s.db.Tx(ctx, func(tx *sql.Tx) error { return s.addToken(ctx, tx, h, ws.String(), role) })
}

func (s *Store) addToken(ctx context.Context, tx *sql.Tx, h [32]byte, ws string, role Role) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO tokens(hash, workspace, role, created_at) VALUES(?,?,?,?)`, h[:], ws, string(role), s.now().UnixMicro())
	return err
}

// Token finds what an API token of that hash opens; ErrNotFound when it is unknown.
func (s *Store) Token(ctx context.Context, h [32]byte) (ID, Role, error) {
	var name, role string
	err := s.db.QueryRowContext(ctx, `SELECT workspace, role FROM tokens WHERE hash = ? AND role NOT IN (?, ?)`, h[:], string(link), string(session)).Scan(&name, &role)
	if err != nil {
		return ID{}, "", missing(err)
	}
	ws, err := Parse(name)
	return ws, Role(role), err
}

// Session finds the workspace of a session that is younger than life.
func (s *Store) Session(ctx context.Context, h [32]byte, life time.Duration) (ID, error) {
	var name string
	err := s.db.QueryRowContext(ctx, `SELECT workspace FROM tokens WHERE hash = ? AND role = ? AND created_at > ?`,
		h[:], string(session), s.now().Add(-life).UnixMicro()).Scan(&name)
	if err != nil {
		return ID{}, missing(err)
	}
	return Parse(name)
}

// Redeem spends a one-time link that is younger than life and starts a session, in one step.
func (s *Store) Redeem(ctx context.Context, linkHash, sessionHash [32]byte, life time.Duration) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		var ws string
		err := tx.QueryRowContext(ctx, `DELETE FROM tokens WHERE hash = ? AND role = ? AND created_at > ? RETURNING workspace`,
			linkHash[:], string(link), s.now().Add(-life).UnixMicro()).Scan(&ws)
		if err != nil {
			return missing(err)
		}
		return s.addToken(ctx, tx, sessionHash, ws, session)
	})
}

// EndSession ends a session; an unknown one is no error.
func (s *Store) EndSession(ctx context.Context, h [32]byte) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE hash = ? AND role = ?`, h[:], string(session))
		return err
	})
}

// missing turns an empty result into ErrNotFound.
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
