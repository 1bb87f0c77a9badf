package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
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
	var old []statement
	if err := from.QueryRowContext(ctx, `SELECT count(*) FROM pragma_table_info('lasting')`).Scan(&n); err != nil {
		return fmt.Errorf("read the other consent register: %w", err)
	} else if n > 0 {
		if old, err = statements(ctx, from, `SELECT kind, ref, at, via FROM lasting WHERE workspace = ?`, ws); err != nil {
			return fmt.Errorf("read the other consent register: %w", err)
		}
	}
	erased, err := statements(ctx, from, `SELECT `+kind+`, contact, at, 0 FROM erasures WHERE workspace = ?`, ws)
	if err != nil {
		return fmt.Errorf("read the other consent register: %w", err)
	}
	abouts, err := r.abouts(ws, refusals, erased)
	if err != nil {
		return err
	}
	err = r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, o := range refusals {
			if err := r.adoptSaid(ctx, tx, ws, "optouts", o, abouts); err != nil {
				return err
			}
		}
		for _, o := range old {
			if !ofContact(o.kind) {
				return errDamaged
			}
			if err := r.adoptSaid(ctx, tx, ws, "lasting", o, nil); err != nil {
				return err
			}
		}
		for _, e := range erased {
			if err := r.adoptErasure(ctx, tx, ws, e, abouts); err != nil {
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

// asked is a register, this one or another.
type asked interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// statement is a row of another register.
type statement struct {
	kind    string
	ref     []byte
	at, via int64
}

// abouts are the references by which the ledger names contacts.
func (r *Register) abouts(ws workspace.ID, all ...[]statement) (map[pseudonym][]byte, error) {
	abouts := map[pseudonym][]byte{}
	for _, o := range slices.Concat(all...) {
		if c := pseudonym(o.ref); ofContact(o.kind) && abouts[c] == nil {
			ref, err := r.slowly(ws, o.ref)
			if err != nil {
				return nil, err
			}
			abouts[c] = ref
		}
	}
	return abouts, nil
}

// about is the reference by which the ledger names whom a statement is about.
func (s statement) about(abouts map[pseudonym][]byte) []byte {
	if ref := abouts[pseudonym(s.ref)]; ref != nil && ofContact(s.kind) {
		return ref
	}
	return s.ref
}

func statements(ctx context.Context, from asked, query string, ws workspace.ID, args ...any) (all []statement, err error) {
	rows, err := from.QueryContext(ctx, query, append([]any{ws.String()}, args...)...)
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

func (r *Register) adoptSaid(ctx context.Context, tx *sql.Tx, ws workspace.ID, table string, s statement, abouts map[pseudonym][]byte) error {
	if _, _, _, ok := readKind(s.kind); !ok {
		return errDamaged
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO `+table+`(workspace, kind, ref, at, via) VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING`, ws.String(), s.kind, s.ref, s.at, s.via)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	kind, purpose, single := strings.Cut(s.kind, ":")
	entry := ledger.Consent{Workspace: ws.String(), Subject: kind, Ref: s.about(abouts), Act: actName(!strings.HasSuffix(kind, "-in")), Via: ViaName(fact.Via(s.via))}
	if single {
		entry.Act += ":" + purpose
	}
	_, err = r.ledger.Append(ctx, tx, entry)
	return err
}

func (r *Register) adoptErasure(ctx context.Context, tx *sql.Tx, ws workspace.ID, s statement, abouts map[pseudonym][]byte) error {
	var known int64
	err := tx.QueryRowContext(ctx, `SELECT at FROM erasures WHERE workspace = ? AND contact = ? AND linked = ?`, ws.String(), s.ref, s.kind == "linked").Scan(&known)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || err == nil && known >= s.at {
		return err
	}
	rec, err := r.ledger.Append(ctx, tx, ledger.Erasure{Workspace: ws.String(), Ref: s.about(abouts)})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO erasures(workspace, contact, linked, at, receipt) VALUES(?,?,?,?,?)
		ON CONFLICT(workspace, contact, linked) DO UPDATE SET at = excluded.at, receipt = excluded.receipt`, ws.String(), s.ref, s.kind == "linked", s.at, rec.String())
	return err
}
