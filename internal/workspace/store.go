package workspace

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"murmur/internal/ledger"
	"murmur/internal/meta"
)

var (
	// ErrNotFound is returned for a workspace, source or token that does not exist.
	ErrNotFound = errors.New("not found")
	// ErrExists is returned when a name is taken.
	ErrExists = errors.New("already exists")
)

// Sealer seals what the metadata must not hold in the clear (signing secrets, API keys).
type Sealer interface {
	SealLasting(ws ID, topic string, id [16]byte, plaintext []byte) ([]byte, error)
	OpenLasting(ws ID, topic string, id [16]byte, sealed []byte) ([]byte, error)
}

// Store keeps workspaces, their policy, sources and tokens in the metadata database. Policies and sources are
// cached, because every delivery asks for them: one process at a time owns the database.
type Store struct {
	db     *meta.DB
	ledger *ledger.Ledger
	seal   Sealer
	now    func() time.Time
	// Check refuses a policy for what this package cannot know; nil refuses nothing. Set it before the first use.
	Check func(Policy) error

	mu       sync.RWMutex
	changes  uint64 // how often what is cached was forgotten
	policies map[ID]Policy
	tenants  map[ID]Tenant
	sources  map[[32]byte]Source
	flows    flowCache
}

// NewStore opens the store; now is the clock of what it records.
func NewStore(db *meta.DB, l *ledger.Ledger, seal Sealer, now func() time.Time) *Store {
	return &Store{db: db, ledger: l, seal: seal, now: now, policies: map[ID]Policy{}, tenants: map[ID]Tenant{}, sources: map[[32]byte]Source{}}
}

// Create adds a workspace; it is no error when it exists already. The name may be that of one that is deleted: nothing of that
// one is in the new one. ErrDeleting while something may be left of it.
func (s *Store) Create(ctx context.Context, ws ID) error {
	if !ws.Valid() {
		return ErrBadID
	}
	defer s.forget()
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM deletions WHERE workspace = ? AND gone_at IS NOT NULL`, ws.String()); err != nil {
			return err
		}
		var left int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM deletions WHERE workspace = ?`, ws.String()).Scan(&left); err != nil {
			return err
		}
		if left > 0 {
			return ErrDeleting
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO workspaces(id, created_at) VALUES(?, ?) ON CONFLICT DO NOTHING`, ws.String(), s.now().UnixMicro())
		return err
	})
}

// List gives all workspaces in order of their names, also those that are suspended.
func (s *Store) List(ctx context.Context) ([]ID, error) {
	return s.names(ctx, `SELECT id FROM workspaces ORDER BY id`)
}

// Working is List without those that are suspended.
func (s *Store) Working(ctx context.Context) ([]ID, error) {
	return s.names(ctx, `SELECT id FROM workspaces WHERE coalesce(suspended_at, 0) = 0 ORDER BY id`)
}

// Exists returns ErrNotFound for an unknown workspace.
func (s *Store) Exists(ctx context.Context, ws ID) error {
	var n int
	err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM workspaces WHERE id = ?`, ws.String()).Scan(&n)
	if err == nil && n == 0 {
		err = fmt.Errorf("workspace %s: %w", ws, ErrNotFound)
	}
	return err
}

// Policy is what the workspace chose, on top of the defaults.
func (s *Store) Policy(ctx context.Context, ws ID) (Policy, error) {
	return cached(s, s.policies, ws, func() (Policy, error) { return s.readPolicy(ctx, ws) })
}

func (s *Store) readPolicy(ctx context.Context, ws ID) (Policy, error) {
	p := DefaultPolicy()
	rows, err := s.db.QueryContext(ctx, `SELECT key, value FROM policy WHERE workspace = ?`, ws.String())
	if err != nil {
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			return Policy{}, err
		}
		if slices.Contains(retired, k) {
			continue
		}
		if err := p.Set(k, v); err != nil {
			return Policy{}, fmt.Errorf("read policy: %w", err)
		}
	}
	return p, rows.Err()
}

// cached gives the cached value of a key, or reads it. A value that was read while something changed may be older
// than the change and is not cached.
func cached[K comparable, V any](s *Store, known map[K]V, key K, read func() (V, error)) (V, error) {
	s.mu.RLock()
	v, ok := known[key]
	changes := s.changes
	s.mu.RUnlock()
	if ok {
		return v, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes == changes {
		known[key] = v
	}
	return v, nil
}

// Change is one key of a policy and its new value.
type Change struct{ Key, Value string }

// SetPolicy applies all changes or none. Every change is an entry of the ledger with its reason and author;
// an empty reason is refused.
func (s *Store) SetPolicy(ctx context.Context, ws ID, changes []Change, reason, author string) (Policy, error) {
	p, err := s.Policy(ctx, ws)
	if err != nil {
		return Policy{}, err
	}
	if reason == "" {
		return Policy{}, fmt.Errorf("%w: a change needs a reason", ErrPolicy)
	}
	if !ledger.Prose(reason) || !ledger.Prose(author) || len(author) > ledger.MaxAuthor {
		return Policy{}, fmt.Errorf("%w: a reason is one line of at most %d bytes, and who gives it one of %d", ErrPolicy, ledger.MaxProse, ledger.MaxAuthor)
	}
	old := p
	for _, c := range changes {
		if err := p.Set(c.Key, c.Value); err != nil {
			return Policy{}, err
		}
	}
	if s.Check != nil {
		if err := s.Check(p); err != nil {
			return Policy{}, fmt.Errorf("%w: %w", ErrPolicy, err)
		}
	}
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, c := range changes {
			from, _ := old.Get(c.Key)
			to, _ := p.Get(c.Key)
			if _, err := tx.ExecContext(ctx, `INSERT INTO policy(workspace, key, value, set_at) VALUES(?,?,?,?)
				ON CONFLICT(workspace, key) DO UPDATE SET value = excluded.value, set_at = excluded.set_at`,
				ws.String(), c.Key, to, s.now().UnixMicro()); err != nil {
				return err
			}
			if _, err := s.ledger.Append(ctx, tx, ledger.Policy{Workspace: ws.String(), Key: c.Key, From: from, To: to, Reason: reason, Author: author}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Policy{}, fmt.Errorf("set policy: %w", err)
	}
	s.forget()
	return p, nil
}

// forget empties the cache; call it after a change was committed.
func (s *Store) forget() {
	s.mu.Lock()
	s.changes++
	clear(s.policies)
	clear(s.tenants)
	clear(s.sources)
	s.mu.Unlock()
}

// Changes counts the changes of policies and sources since the store was opened: a caller that sees the same number
// before and after a decision knows that the decision still holds.
func (s *Store) Changes() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changes
}

// Secret is 32 random bytes in URL-safe base64: a token, an API key, a link.
func Secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func hashOf(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }
