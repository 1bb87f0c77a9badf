package workspace

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"murmur/internal/ledger"
	"murmur/internal/meta"
)

// Condition is how a workspace stands with whoever runs the server.
type Condition int

// The conditions. Deleting and Deleted: nothing opens it any more; once it is Deleted nothing of it is left.
const (
	Works Condition = iota
	Suspended
	Deleting
	Deleted
)

func (c Condition) String() string {
	return [...]string{"works", "suspended", "deleting", "deleted"}[c]
}

// Gone reports whether nothing may come of it any more.
func (c Condition) Gone() bool { return c == Deleting || c == Deleted }

// Limits are what a workspace may have at most; zero: as much as fits.
type Limits struct {
	Second int64 `json:"deliveries_a_second,omitempty" minimum:"0" doc:"by webhook; more is answered 429"`
	Day    int64 `json:"deliveries_a_day,omitempty" minimum:"0" doc:"however they come, in UTC days"`
	Open   int64 `json:"open_deliveries,omitempty" minimum:"0" doc:"that wait: not yet processed, held, in quarantine"`
}

// Tenant is a workspace as whoever runs the server sees it: nothing of what is in it.
type Tenant struct {
	Workspace ID         `json:"workspace"`
	Condition Condition  `json:"-"`
	State     string     `json:"state" enum:"works,suspended,deleting,deleted"`
	Created   *time.Time `json:"created,omitempty"`
	Suspended *time.Time `json:"suspended,omitempty"`
	Deleting  *time.Time `json:"deleting,omitempty" doc:"when its deletion was ordered"`
	Deleted   *time.Time `json:"deleted,omitempty" doc:"when nothing of it was left"`
	Receipt   string     `json:"receipt,omitempty" doc:"of the ledger's entry that says so"`
	Limits    Limits     `json:"limits"`
}

var (
	// ErrSuspended is returned for a workspace that is suspended.
	ErrSuspended = errors.New("this workspace is suspended")
	// ErrWorks is returned for a workspace that must be suspended first.
	ErrWorks = errors.New("the workspace is not suspended")
	// ErrDeleting is returned for a name whose workspace is still being deleted.
	ErrDeleting = errors.New("a workspace of this name is being deleted")
	// ErrLimit is returned where a workspace has as much as it may.
	ErrLimit = errors.New("the workspace has as much as its limits allow")
	// ErrLimits is returned for limits that are none.
	ErrLimits = errors.New("a limit is a whole number, 0 for none")
	// ErrDefault is returned for what cannot be done to the default workspace.
	ErrDefault = errors.New("the default workspace is that of whoever runs the server: it is neither suspended nor deleted")
)

// Tenant reads how a workspace stands. ErrNotFound for a name that no workspace has or had.
func (s *Store) Tenant(ctx context.Context, ws ID) (Tenant, error) {
	return cached(s, s.tenants, ws, func() (Tenant, error) { return s.readTenant(ctx, ws) })
}

// Condition is Works for a name that no workspace has.
func (s *Store) Condition(ctx context.Context, ws ID) (Condition, error) {
	t, err := s.Tenant(ctx, ws)
	if errors.Is(err, ErrNotFound) {
		return Works, nil
	}
	return t.Condition, err
}

// Conditions counts the workspaces that are there, by how they stand.
func (s *Store) Conditions(ctx context.Context) (map[Condition]int64, error) {
	var all, suspended, deleting int64
	err := s.db.QueryRowContext(ctx, `SELECT count(*), count(CASE WHEN suspended_at > 0 THEN 1 END), (SELECT count(*) FROM deletions WHERE gone_at IS NULL) FROM workspaces`).
		Scan(&all, &suspended, &deleting)
	if err != nil {
		return nil, fmt.Errorf("count workspaces: %w", err)
	}
	return map[Condition]int64{Works: all - suspended, Suspended: suspended, Deleting: deleting}, nil
}

func (s *Store) readTenant(ctx context.Context, ws ID) (t Tenant, err error) {
	t.Workspace = ws
	var created int64
	var suspended, ordered, gone sql.NullInt64
	var limits string
	err = s.db.QueryRowContext(ctx, `SELECT created_at, suspended_at, limits FROM workspaces WHERE id = ?`, ws.String()).Scan(&created, &suspended, &limits)
	if errors.Is(err, sql.ErrNoRows) {
		err = s.db.QueryRowContext(ctx, `SELECT at, gone_at, receipt FROM deletions WHERE workspace = ?`, ws.String()).Scan(&ordered, &gone, &t.Receipt)
	} else if err == nil {
		err = json.Unmarshal([]byte(limits), &t.Limits)
	}
	if err != nil {
		return Tenant{}, fmt.Errorf("workspace %s: %w", ws, missing(err))
	}
	at := func(us int64) *time.Time { m := moment(us); return &m }
	switch {
	case gone.Valid:
		t.Condition, t.Deleting, t.Deleted = Deleted, at(ordered.Int64), at(gone.Int64)
	case ordered.Valid:
		t.Condition, t.Deleting = Deleting, at(ordered.Int64)
	case suspended.Int64 > 0:
		t.Condition, t.Created, t.Suspended = Suspended, at(created), at(suspended.Int64)
	default:
		t.Created = at(created)
	}
	t.State = t.Condition.String()
	return t, nil
}

// SetLimits sets all limits of a workspace at once. ErrLimits, ErrNotFound.
func (s *Store) SetLimits(ctx context.Context, ws ID, l Limits) error {
	if l.Second < 0 || l.Day < 0 || l.Open < 0 {
		return ErrLimits
	}
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return s.tenancy(ctx, ws, "limited", `UPDATE workspaces SET limits = ?2 WHERE id = ?1`, string(b))
}

// Suspend keeps a workspace from being worked on. Once more changes nothing. ErrDefault, ErrNotFound.
func (s *Store) Suspend(ctx context.Context, ws ID) error {
	if ws == Default {
		return ErrDefault
	}
	if t, err := s.Tenant(ctx, ws); err != nil || t.Condition == Suspended {
		return err
	}
	return s.tenancy(ctx, ws, "suspended", `UPDATE workspaces SET suspended_at = ?2 WHERE id = ?1`, s.now().UnixMicro())
}

// Resume ends that. Until Resumed, Resuming names the workspace. ErrNotFound.
func (s *Store) Resume(ctx context.Context, ws ID) error {
	if t, err := s.Tenant(ctx, ws); err != nil || t.Condition == Works {
		return err
	}
	return s.tenancy(ctx, ws, "resumed", `UPDATE workspaces SET suspended_at = 0 WHERE id = ?1 AND suspended_at > 0`)
}

// Resuming lists the workspaces of which what was set aside is still to be decided.
func (s *Store) Resuming(ctx context.Context) ([]ID, error) {
	return s.names(ctx, `SELECT id FROM workspaces WHERE suspended_at = 0`)
}

// Resumed notes that it is.
func (s *Store) Resumed(ctx context.Context, ws ID) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE workspaces SET suspended_at = NULL WHERE id = ? AND suspended_at = 0`, ws.String())
		return err
	})
}

// Exported notes in the ledger that a workspace was given away.
func (s *Store) Exported(ctx context.Context, ws ID) error {
	return s.tenancy(ctx, ws, "exported", `UPDATE workspaces SET id = id WHERE id = ?1`)
}

// tenancy carries out what is done with a workspace, and its entry in the ledger. ErrNotFound where there is none.
func (s *Store) tenancy(ctx context.Context, ws ID, act, statement string, args ...any) error {
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, statement, append([]any{ws.String()}, args...)...)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		_, err = s.ledger.Append(ctx, tx, ledger.Tenancy{Workspace: ws.String(), Act: act})
		return err
	})
	s.forget()
	if err != nil {
		return fmt.Errorf("workspace %s: %w", ws, err)
	}
	return nil
}

// OrderDeletion ends a workspace that is suspended: from then on nothing opens it, no list has it, and no row can be written
// for its name. What is left of it is for whoever carries the order out. ErrDefault, ErrWorks, ErrNotFound; none where it was
// ordered already.
func (s *Store) OrderDeletion(ctx context.Context, ws ID) error {
	t, err := s.Tenant(ctx, ws)
	switch {
	case err != nil || t.Condition.Gone():
		return err
	case ws == Default:
		return ErrDefault
	case t.Condition != Suspended:
		return ErrWorks
	}
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, statement := range []string{
			`INSERT INTO deletions(workspace, at) VALUES(?1, ?2)`,
			`DELETE FROM workspaces WHERE id = ?1`,
			`DELETE FROM tokens WHERE workspace = ?1`,
			`DELETE FROM source_state WHERE token_hash IN (SELECT token_hash FROM sources WHERE workspace = ?1)`,
			`DELETE FROM sources WHERE workspace = ?1`,
		} {
			args := []any{ws.String(), s.now().UnixMicro()}
			if _, err := tx.ExecContext(ctx, statement, args[:min(strings.Count(statement, "?"), len(args))]...); err != nil {
				return err
			}
		}
		_, err := s.ledger.Append(ctx, tx, ledger.Tenancy{Workspace: ws.String(), Act: "deleting"})
		return err
	})
	s.forget()
	if err != nil {
		return fmt.Errorf("order the deletion of workspace %s: %w", ws, err)
	}
	return nil
}

// Deletions lists the names of which something may be left.
func (s *Store) Deletions(ctx context.Context) ([]ID, error) {
	return s.names(ctx, `SELECT workspace FROM deletions WHERE gone_at IS NULL ORDER BY at, workspace`)
}

// kept are the tables that keep their rows of a deleted workspace: the ledger, which can prove nothing once entries are taken
// out, and what months have told already, so that a workspace of the same name does not tell it again.
const kept = `('ledger', 'ledger_chain', 'budgets', 'deletions')`

// Purge deletes every row of a workspace whose deletion was ordered, from all tables, so that it is in no file.
// meta.ErrRead while an older state is still being read; do it again.
func (s *Store) Purge(ctx context.Context, ws ID) error {
	tables, err := s.strings(ctx, `SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'workspace'
		AND m.name NOT IN `+kept)
	if err != nil {
		return fmt.Errorf("list the tables: %w", err)
	}
	for _, table := range tables { // one transaction each: others wait no longer than that
		err := s.db.Tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM "`+table+`" WHERE workspace = ?`, ws.String())
			return err
		})
		if err != nil {
			return fmt.Errorf("empty table %s: %w", table, err)
		}
	}
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		prefix := markKey(ws, "")
		_, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE substr(key, 1, ?) = ?`, len(prefix), prefix)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete settings: %w", err)
	}
	s.forget()
	return s.db.Scrubbed(ctx)
}

// Deleted notes that nothing is left, and gives the receipt.
func (s *Store) Deleted(ctx context.Context, ws ID) (receipt string, err error) {
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		r, err := s.ledger.Append(ctx, tx, ledger.Tenancy{Workspace: ws.String(), Act: ledger.GoneAct})
		if err != nil {
			return err
		}
		receipt = r.String()
		_, err = tx.ExecContext(ctx, `UPDATE deletions SET gone_at = ?, receipt = ? WHERE workspace = ?`, s.now().UnixMicro(), receipt, ws.String())
		return err
	})
	s.forget()
	if err != nil {
		return "", fmt.Errorf("note that workspace %s is deleted: %w", ws, err)
	}
	return receipt, nil
}

// DeletedSince lists the workspaces that another directory of this installation had and has deleted, whose database is at path:
// its names that are deleted, and those that are another workspace's by now.
func (s *Store) DeletedSince(ctx context.Context, path string) (gone []ID, err error) {
	db, err := meta.Peek(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if v, err := meta.Version(ctx, db); err != nil || v < tenancyVersion {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, created_at FROM workspaces ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var made, there int64
		if err := rows.Scan(&name, &made); err != nil {
			return nil, err
		}
		err := db.QueryRowContext(ctx, `SELECT max(n) FROM (SELECT 2 AS n FROM deletions WHERE workspace = ?1
			UNION ALL SELECT 1 FROM workspaces WHERE id = ?1 AND created_at > ?2 UNION ALL SELECT 0)`, name, made).Scan(&there)
		if err != nil {
			return nil, fmt.Errorf("look for deletions in the other directory: %w", err)
		}
		if ws, err := Parse(name); err != nil {
			return nil, err
		} else if there > 0 && ws != Default {
			gone = append(gone, ws)
		}
	}
	return gone, rows.Err()
}

// tenancyVersion is the schema that has deletions.
const tenancyVersion = 44

func (s *Store) names(ctx context.Context, query string) ([]ID, error) {
	all, err := s.strings(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	out := make([]ID, len(all))
	for i, name := range all {
		if out[i], err = Parse(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) strings(ctx context.Context, query string) (all []string, err error) {
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
