package workspace

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Source is a connected source of a workspace.
type Source struct {
	Workspace ID
	Name      string
	Kind      string
	Secrets   []string // live signing secrets, newest first; at most two
	APIKey    string   // of the vendor's API; empty: the source is not polled
	Paused    bool     // it is not polled until somebody resumes it
	Config    SourceConfig

	hash [32]byte // of the path token: the identity of this very connection
}

// SourceConfig is what a source needs beyond its secret.
type SourceConfig struct {
	APIBase    string   `json:"api_base,omitempty"`
	MediaHosts []string `json:"media_hosts,omitempty"`
	Named      []string `json:"named,omitempty"`      // HOST:PORT of both that the operator named: they may be private or loopback
	PublicURL  string   `json:"public_url,omitempty"` // where the vendor reaches this server; empty: as the request says
	Mapping    string   `json:"mapping,omitempty"`    // how bodies are read, for kinds that need it
	Then       string   `json:"then,omitempty"`       // where a platform's calls go after the notice; empty: it is not asked
	Language   string   `json:"language,omitempty"`   // of the notice
	OwnIDs     bool     `json:"own_ids,omitempty"`    // false: connected before sources had ids of their own (Source.IDs)
}

// String never shows a secret.
func (s Source) String() string { return s.Kind + " source " + s.Name }

// IDs names the connection whose ids are the source's: what comes by webhook, by polling and in files of one connection is
// about the same calls, and another connection's call of the same id is another call. It is the source's name; empty, the
// space that all shared, for a source that is older than that.
func (s Source) IDs() string {
	if !s.Config.OwnIDs {
		return ""
	}
	return s.Name
}

// ValidSourceName reports whether a source can be called so.
func ValidSourceName(name string) bool {
	return sourceName.MatchString(name) && !slices.Contains(taken, name)
}

// taken are the names under which imports and other deliveries without a source are counted: a source of that
// name would be taken for them.
var taken = []string{"import", "control", "recorder"}

var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Connect adds a source. An empty secret is made up; the path token is new and shown only here.
func (s *Store) Connect(ctx context.Context, src Source) (Source, string, error) {
	if !ValidSourceName(src.Name) {
		return Source{}, "", fmt.Errorf("source name: %w", ErrBadID)
	}
	if err := s.Exists(ctx, src.Workspace); err != nil {
		return Source{}, "", err
	}
	if len(src.Secrets) == 0 {
		src.Secrets = []string{newSigningSecret()}
	}
	token := Secret()
	h := hashOf(token)
	src.hash, src.Config.OwnIDs = h, true
	sealed, err := s.sealSecrets(src.Workspace, h, src.Secrets)
	if err != nil {
		return Source{}, "", err
	}
	key, err := s.sealAPIKey(src)
	if err != nil {
		return Source{}, "", err
	}
	config, err := json.Marshal(src.Config)
	if err != nil {
		return Source{}, "", err
	}
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sources WHERE workspace = ? AND name = ? AND removed_at IS NULL`, src.Workspace.String(), src.Name).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("source %s: %w", src.Name, ErrExists)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sources(workspace, name, kind, token_hash, secrets, api_key, config, created_at) VALUES(?,?,?,?,?,?,?,?)`,
			src.Workspace.String(), src.Name, src.Kind, h[:], sealed, key, string(config), s.now().UnixMicro())
		return err
	})
	if err != nil {
		return Source{}, "", fmt.Errorf("connect: %w", err)
	}
	s.forget()
	return src, token, nil
}

// newSigningSecret is 32 random bytes in the Standard Webhooks notation.
func newSigningSecret() string {
	b, _ := base64.RawURLEncoding.DecodeString(Secret())
	return "whsec_" + base64.StdEncoding.EncodeToString(b)
}

// ByToken finds the source behind a path token. It returns ErrNotFound for an unknown or removed one.
func (s *Store) ByToken(ctx context.Context, token string) (Source, error) {
	h := hashOf(token)
	return cached(s, s.sources, h, func() (Source, error) {
		return s.scanSource(s.db.QueryRowContext(ctx, `SELECT `+sourceColumns+` FROM sources WHERE token_hash = ? AND removed_at IS NULL`, h[:]))
	})
}

// Sources lists the sources of a workspace by name.
func (s *Store) Sources(ctx context.Context, ws ID) ([]Source, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+sourceColumns+` FROM sources WHERE workspace = ? AND removed_at IS NULL ORDER BY name`, ws.String())
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	defer rows.Close()
	var out []Source
	for rows.Next() {
		src, err := s.scanSource(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, src)
	}
	return out, rows.Err()
}

// SourceNames lists every source a workspace ever had.
func (s *Store) SourceNames(ctx context.Context, ws ID) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT DISTINCT name FROM sources WHERE workspace = ? ORDER BY name`, ws.String())
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, rows.Err()
}

// Remove ends a source: its path answers 404 from now on, its secrets and its API key are overwritten. What it delivered
// stays.
func (s *Store) Remove(ctx context.Context, ws ID, name string) error {
	return s.change(ctx, ws, name, func(tx *sql.Tx, _ Source, h [32]byte) error {
		_, err := tx.ExecContext(ctx, `UPDATE sources SET removed_at = ?, secrets = x'', api_key = NULL WHERE token_hash = ?`, s.now().UnixMicro(), h[:])
		return err
	})
}

// Rotate adds a secret beside the last one: both are live until the next rotation. An empty secret is made up.
func (s *Store) Rotate(ctx context.Context, ws ID, name, secret string) (string, error) {
	if secret == "" {
		secret = newSigningSecret()
	}
	err := s.change(ctx, ws, name, func(tx *sql.Tx, src Source, h [32]byte) error {
		live := slices.Insert(src.Secrets[:1:1], 0, secret)
		sealed, err := s.sealSecrets(ws, h, live)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE sources SET secrets = ? WHERE token_hash = ?`, sealed, h[:])
		return err
	})
	return secret, err
}

func (s *Store) change(ctx context.Context, ws ID, name string, f func(*sql.Tx, Source, [32]byte) error) error {
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		var b []byte
		row := tx.QueryRowContext(ctx, `SELECT `+sourceColumns+` FROM sources WHERE workspace = ? AND name = ? AND removed_at IS NULL`, ws.String(), name)
		src, err := s.scanSource(row, &b)
		if err != nil {
			return fmt.Errorf("source %s: %w", name, err)
		}
		return f(tx, src, [32]byte(b))
	})
	s.forget()
	return err
}

type scanner interface{ Scan(...any) error }

const sourceColumns = "workspace, name, kind, token_hash, secrets, api_key, paused, config"

// scanSource reads one row; hash, when given, receives the token's hash.
func (s *Store) scanSource(row scanner, hash ...*[]byte) (Source, error) {
	var (
		ws, config string
		h, sealed  []byte
		key        []byte
		src        Source
	)
	if err := row.Scan(&ws, &src.Name, &src.Kind, &h, &sealed, &key, &src.Paused, &config); err != nil {
		return Source{}, missing(err)
	}
	if len(h) != 32 {
		return Source{}, errors.New("source: damaged token hash")
	}
	id, err := Parse(ws)
	if err != nil {
		return Source{}, err
	}
	src.Workspace, src.hash = id, [32]byte(h)
	if len(key) > 0 {
		plain, err := s.seal.OpenLasting(id, topicAPIKey, [16]byte(h[:16]), key)
		if err != nil {
			return Source{}, fmt.Errorf("open the API key of source %s: %w", src.Name, err)
		}
		src.APIKey = string(plain)
	}
	plain, err := s.seal.OpenLasting(id, topicSecret, [16]byte(h[:16]), sealed)
	if err != nil {
		return Source{}, fmt.Errorf("open the secrets of source %s: %w", src.Name, err)
	}
	if err := json.Unmarshal(plain, &src.Secrets); err != nil {
		return Source{}, errors.New("source: damaged secrets")
	}
	if err := json.Unmarshal([]byte(config), &src.Config); err != nil {
		return Source{}, errors.New("source: damaged configuration")
	}
	for _, p := range hash {
		*p = h
	}
	return src, nil
}

const topicSecret, topicAPIKey = "secret", "api-key"

func (s *Store) sealSecrets(ws ID, h [32]byte, secrets []string) ([]byte, error) {
	plain, err := json.Marshal(secrets)
	if err != nil {
		return nil, err
	}
	return s.seal.SealLasting(ws, topicSecret, [16]byte(h[:16]), plain)
}

// sealAPIKey gives nothing for a source without a key.
func (s *Store) sealAPIKey(src Source) ([]byte, error) {
	if src.APIKey == "" {
		return nil, nil
	}
	return s.seal.SealLasting(src.Workspace, topicAPIKey, [16]byte(src.hash[:16]), []byte(src.APIKey))
}
