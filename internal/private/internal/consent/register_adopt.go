package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"murmur/internal/fact"
	"murmur/internal/ledger"
	"murmur/internal/workspace"
)

// Adopt takes over what the register of another directory says, whose pseudonyms have the same key: opt-outs, opt-ins and
// tombstones that this one does not know. Each is an entry of the ledger.
func (r *Register) Adopt(ctx context.Context, ws workspace.ID, from *sql.DB) error {
	refusals, err := statements(ctx, from, `SELECT kind, ref, at, via FROM optouts WHERE workspace = ?`, ws)
	if err != nil {
		return fmt.Errorf("read the other consent register: %w", err)
	}
	kind, n := `'contact'`, 0 // in a register older than links
	if err := from.QueryRowContext(ctx, `SELECT count(*) FROM pragma_table_info('erasures') WHERE name = 'linked'`).Scan(&n); err != nil {
		return fmt.Errorf("read the other consent register: %w", err)
	} else if n > 0 {
		kind = `iif(linked, 'linked', 'contact')`
	}
	erased, err := statements(ctx, from, `SELECT `+kind+`, contact, at, 0 FROM erasures WHERE workspace = ?`, ws)
	if err != nil {
		return fmt.Errorf("read the other consent register: %w", err)
	}
	err = r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, o := range refusals {
			if err := r.adoptSaid(ctx, tx, ws, o); err != nil {
				return err
			}
		}
		for _, e := range erased {
			if err := r.adoptErasure(ctx, tx, ws, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take over a consent register: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.loaded, ws) // it is read again
	return nil
}

// statement is a row of another register.
type statement struct {
	kind    string
	ref     []byte
	at, via int64
}

func statements(ctx context.Context, from *sql.DB, query string, ws workspace.ID) (all []statement, err error) {
	rows, err := from.QueryContext(ctx, query, ws.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s statement
		if err := rows.Scan(&s.kind, &s.ref, &s.at, &s.via); err != nil {
			return nil, err
		}
		if len(s.ref) != 16 {
			return nil, errDamaged
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

func (r *Register) adoptSaid(ctx context.Context, tx *sql.Tx, ws workspace.ID, s statement) error {
	if _, _, _, ok := readKind(s.kind); !ok {
		return errDamaged
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO optouts(workspace, kind, ref, at, via) VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING`, ws.String(), s.kind, s.ref, s.at, s.via)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	kind, purpose, single := strings.Cut(s.kind, ":")
	entry := ledger.Consent{Workspace: ws.String(), Subject: kind, Ref: s.ref, Act: actName(!strings.HasSuffix(kind, "-in")), Via: ViaName(fact.Via(s.via))}
	if single {
		entry.Act += ":" + purpose
	}
	_, err = r.ledger.Append(ctx, tx, entry)
	return err
}

func (r *Register) adoptErasure(ctx context.Context, tx *sql.Tx, ws workspace.ID, s statement) error {
	var known int64
	err := tx.QueryRowContext(ctx, `SELECT at FROM erasures WHERE workspace = ? AND contact = ? AND linked = ?`, ws.String(), s.ref, s.kind == "linked").Scan(&known)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || err == nil && known >= s.at {
		return err
	}
	rec, err := r.ledger.Append(ctx, tx, ledger.Erasure{Workspace: ws.String(), Ref: s.ref})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO erasures(workspace, contact, linked, at, receipt) VALUES(?,?,?,?,?)
		ON CONFLICT(workspace, contact, linked) DO UPDATE SET at = excluded.at, receipt = excluded.receipt`, ws.String(), s.ref, s.kind == "linked", s.at, rec.String())
	return err
}
