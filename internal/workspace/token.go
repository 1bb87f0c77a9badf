package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Role is what an API token may do: a viewer reads figures, privacy also reads evidence and erases, an owner
// does everything.
type Role string

const (
	Owner   Role = "owner"
	Viewer  Role = "viewer"
	Privacy Role = "privacy"
	// link is a one-time link to the pages, not a token.
	link Role = "link"
)

// linkLife is how long a one-time link can be opened.
const linkLife = 30 * time.Minute

// NewToken makes an API token of 256 random bits; only its hash is kept.
func (s *Store) NewToken(ctx context.Context, ws ID, role Role) (string, error) {
	if !slices.Contains([]Role{Owner, Viewer, Privacy}, role) {
		return "", fmt.Errorf("role: %w; use owner, viewer or privacy", ErrNotFound)
	}
	return s.newToken(ctx, ws, role)
}

func (s *Store) newToken(ctx context.Context, ws ID, role Role) (string, error) {
	if err := s.Exists(ctx, ws); err != nil {
		return "", err
	}
	token := Secret()
	h := hashOf(token)
	return token, s.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO tokens(hash, workspace, role, created_at) VALUES(?,?,?,?)`, h[:], ws.String(), string(role), s.now().UnixMicro())
		return err
	})
}

// Authorise finds the workspace and role of a token; ErrNotFound when it is unknown.
func (s *Store) Authorise(ctx context.Context, token string) (ID, Role, error) {
	h := hashOf(token)
	var name, role string
	err := s.db.QueryRowContext(ctx, `SELECT workspace, role FROM tokens WHERE hash = ? AND role <> ?`, h[:], string(link)).Scan(&name, &role)
	if errors.Is(err, sql.ErrNoRows) {
		return ID{}, "", ErrNotFound
	}
	if err != nil {
		return ID{}, "", fmt.Errorf("read token: %w", err)
	}
	ws, err := Parse(name)
	return ws, Role(role), err
}

// NewLink makes a one-time link token of 256 random bits that lives for 30 minutes; only its hash is kept.
func (s *Store) NewLink(ctx context.Context, ws ID) (string, error) {
	return s.newToken(ctx, ws, link)
}

// OpenLink spends a one-time link and gives an owner token for the session. ErrNotFound when the link is
// unknown, spent or too old.
func (s *Store) OpenLink(ctx context.Context, token string) (session string, err error) {
	h := hashOf(token)
	session = Secret()
	sh := hashOf(session)
	now := s.now()
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		var ws string
		err := tx.QueryRowContext(ctx, `DELETE FROM tokens WHERE hash = ? AND role = ? AND created_at > ? RETURNING workspace`,
			h[:], string(link), now.Add(-linkLife).UnixMicro()).Scan(&ws)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO tokens(hash, workspace, role, created_at) VALUES(?,?,?,?)`, sh[:], ws, string(Owner), now.UnixMicro())
		return err
	})
	return session, err
}
