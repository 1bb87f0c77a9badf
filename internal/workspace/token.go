package workspace

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Role is what an API token may do: outside reads differentially private figures alone, a viewer all figures, privacy also
// reads evidence and erases, an owner does everything.
type Role string

const (
	Owner   Role = "owner"
	Viewer  Role = "viewer"
	Privacy Role = "privacy"
	Outside Role = "outside"

	// Share opens one page of differentially private figures to whoever has the link, and nothing else.
	Share Role = "share"

	link        Role = "link"    // opens the pages once
	SessionRole Role = "session" // the pages, opened
)

// apiRoles are the roles of API tokens; links and sessions, which are stored in the same table, give no access to
// the API.
var apiRoles = []Role{Owner, Viewer, Privacy, Outside}

// TokenLife is how long an API token opens something, unless it is made for another time; MaxTokenLife bounds that.
const (
	TokenLife    = 90 * 24 * time.Hour
	MaxTokenLife = 366 * 24 * time.Hour
)

// NewToken makes an API token of 256 random bits that ends after life; only its hash is kept.
func (s *Store) NewToken(ctx context.Context, ws ID, role Role, life time.Duration) (string, error) {
	if !slices.Contains(apiRoles, role) {
		return "", fmt.Errorf("role: %w; use owner, viewer, privacy or outside", ErrNotFound)
	}
	if life <= 0 || life > MaxTokenLife {
		return "", ErrTokenLife
	}
	return s.newToken(ctx, ws, role, life)
}

// ErrTokenLife is returned for a token that would end at once, or after more than MaxTokenLife.
var ErrTokenLife = errors.New("a token ends after 1 to 366 days")

// NewShare makes a link to one page of figures that left, of 256 random bits, that ends after life; only its hash is kept.
func (s *Store) NewShare(ctx context.Context, ws ID, page string, life time.Duration) (string, error) {
	if life <= 0 || life > MaxTokenLife {
		return "", ErrTokenLife
	}
	if err := s.Exists(ctx, ws); err != nil {
		return "", err
	}
	token := Secret()
	h := hashOf(token)
	return token, s.db.Tx(ctx, func(tx *sql.Tx) error {
		if err := s.addToken(ctx, tx, h, ws.String(), Share, life); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE tokens SET page = ? WHERE hash = ?`, page, h[:])
		return err
	})
}

// Shared finds the page that a link of that hash opens; ErrNotFound when it is unknown or has ended.
func (s *Store) Shared(ctx context.Context, h [32]byte) (ws ID, page string, err error) {
	var name string
	err = s.db.QueryRowContext(ctx, `SELECT workspace, page FROM tokens WHERE hash = ? AND role = ? AND expires_at > ?`,
		h[:], string(Share), s.now().UnixMicro()).Scan(&name, &page)
	if err != nil {
		return ID{}, "", missing(err)
	}
	ws, err = Parse(name)
	return ws, page, err
}

// NewLink makes a one-time link to the pages; only its hash is kept.
func (s *Store) NewLink(ctx context.Context, ws ID) (string, error) {
	return s.newToken(ctx, ws, link, 0)
}

func (s *Store) newToken(ctx context.Context, ws ID, role Role, life time.Duration) (string, error) {
	if err := s.Exists(ctx, ws); err != nil {
		return "", err
	}
	token := Secret()
	h := hashOf(token)
	return token, s.db.Tx(ctx, func(tx *sql.Tx) error { return s.addToken(ctx, tx, h, ws.String(), role, life) })
}

// addToken stores a hash; a life of 0 is one that is judged by its age.
func (s *Store) addToken(ctx context.Context, tx *sql.Tx, h [32]byte, ws string, role Role, life time.Duration) error {
	var ends sql.NullInt64
	if life > 0 {
		ends = sql.NullInt64{Int64: s.now().Add(life).UnixMicro(), Valid: true}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO tokens(hash, workspace, role, created_at, expires_at) VALUES(?,?,?,?,?)`, h[:], ws, string(role), s.now().UnixMicro(), ends)
	return err
}

// Pass is an API token, a shared link or a session as it is listed, without its secret.
type Pass struct {
	ID      string    `json:"id"`             // the first 12 hexadecimal digits of its hash
	Role    Role      `json:"role"`           // of a session: session; of a link to a page: share
	Page    string    `json:"page,omitempty"` // that a link opens
	Created time.Time `json:"created"`
	Ends    time.Time `json:"ends"`
}

// PassIDLen is the length of Pass.ID.
const PassIDLen = 12

// IDOf is the name of a token, link or session in lists: the first PassIDLen hexadecimal digits of its hash.
func IDOf(hash []byte) string { return hex.EncodeToString(hash)[:PassIDLen] }

// passID is how a token is named to revoke it.
const passID = `lower(substr(hex(hash), 1, 12))`

// Passes lists the API tokens of a workspace and the sessions younger than life that still open something, oldest first.
func (s *Store) Passes(ctx context.Context, ws ID, life time.Duration) (all []Pass, err error) {
	now := s.now()
	rows, err := s.db.QueryContext(ctx, `SELECT `+passID+`, role, page, created_at, coalesce(expires_at, created_at + ?) FROM tokens
		WHERE workspace = ? AND role <> ? AND coalesce(expires_at, created_at + ?) > ? ORDER BY created_at, hash`,
		life.Microseconds(), ws.String(), string(link), life.Microseconds(), now.UnixMicro())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Pass
		var created, ends int64
		if err := rows.Scan(&p.ID, &p.Role, &p.Page, &created, &ends); err != nil {
			return nil, err
		}
		p.Created, p.Ends = time.UnixMicro(created).UTC(), time.UnixMicro(ends).UTC()
		all = append(all, p)
	}
	return all, rows.Err()
}

// Revoke ends a token or a session of a workspace at once. ErrNotFound where it has none of that id.
func (s *Store) Revoke(ctx context.Context, ws ID, id string) error {
	return s.affect(ctx, `DELETE FROM tokens WHERE workspace = ? AND `+passID+` = ?`, ws.String(), id)
}

// Token finds what an API token of that hash opens; ErrNotFound when it is unknown or has ended.
func (s *Store) Token(ctx context.Context, h [32]byte) (ID, Role, error) {
	var name, role string
	err := s.db.QueryRowContext(ctx, `SELECT workspace, role FROM tokens WHERE hash = ? AND expires_at > ?`, h[:], s.now().UnixMicro()).Scan(&name, &role)
	if err == nil && !slices.Contains(apiRoles, Role(role)) {
		err = ErrNotFound
	}
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
		h[:], string(SessionRole), s.now().Add(-life).UnixMicro()).Scan(&name)
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
		return s.addToken(ctx, tx, sessionHash, ws, SessionRole, 0)
	})
}

// StartSession starts a session of a workspace that exists.
func (s *Store) StartSession(ctx context.Context, ws ID, h [32]byte) error {
	if err := s.Exists(ctx, ws); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *sql.Tx) error { return s.addToken(ctx, tx, h, ws.String(), SessionRole, 0) })
}

// EndSession ends a session; an unknown one is no error.
func (s *Store) EndSession(ctx context.Context, h [32]byte) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE hash = ? AND role = ?`, h[:], string(SessionRole))
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
