package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"murmur/internal/fact"
	"murmur/internal/journal"
)

// stripFile removes all sealed payloads from a copy, because a backup does not contain their keys: deliveries that were
// not processed are removed, so that a source can send them again, and the others keep their state without their bytes.
// Facts stay: their key lasts. Afterwards no page of the copy holds a sealed delivery.
func stripFile(ctx context.Context, path string) error {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: url.Values{"_txlock": {"immediate"}}.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	return errors.Join(strip(ctx, db), db.Close())
}

func strip(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect after Commit
	pending := int64(fact.Pending)
	for _, q := range []string{
		`delete from payload`,
		`delete from held`,
		`update accepted set deliveries = deliveries - (select count(*) from delivery d
			where d.ws = accepted.ws and d.source = accepted.source and d.state = ?)`,
		`delete from delivery where state = ?`,
		`delete from place where not exists (select 1 from delivery d where d.pos = place.pos)`,
	} {
		if _, err := tx.ExecContext(ctx, q, pending); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `vacuum`)
	return err
}

// PassOver gives out no position up to pos. A restored lake may hold the facts of positions that the journal beside it
// never gave out: backups of the first release took the journal first.
func (j *Journal) PassOver(ctx context.Context, pos journal.Position) error {
	last, err := rowOf(pos)
	if err == nil {
		err = j.write(ctx, 1, func(t *tx) error {
			err := t.sequence()
			t.next = max(t.next, last+1)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("pass over positions: %w", err)
	}
	return nil
}
