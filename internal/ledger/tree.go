package ledger

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// The tree over the entries lies in table ledger_tree under the numbers of tlog.StoredHashIndex: entry SEQ is record
// SEQ-1. ledger_head has its size and root under a MAC, so that a cut end shows at once.

// tree reads hashes of the tree. ErrBroken for one that is missing.
func tree(ctx context.Context, q querier) tlog.HashReader {
	return tlog.HashReaderFunc(func(ids []int64) ([]tlog.Hash, error) {
		if len(ids) == 0 {
			return nil, nil
		}
		args := make([]any, len(ids))
		place := make(map[int64][]int, len(ids))
		for i, id := range ids {
			args[i], place[id] = id, append(place[id], i)
		}
		rows, err := q.QueryContext(ctx, `SELECT id, hash FROM ledger_tree WHERE id IN (?`+strings.Repeat(",?", len(ids)-1)+`)`, args...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		hashes, found := make([]tlog.Hash, len(ids)), 0
		for rows.Next() {
			var id int64
			var hash []byte
			if err := rows.Scan(&id, &hash); err != nil {
				return nil, err
			}
			if len(hash) != tlog.HashSize {
				return nil, ErrBroken
			}
			for _, i := range place[id] {
				hashes[i] = tlog.Hash(hash)
				found++
			}
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		if found < len(ids) {
			return nil, ErrBroken
		}
		return hashes, nil
	})
}

// grow adds a leaf to a tree of that size, and signs the new head.
func (l *Ledger) grow(ctx context.Context, tx *sql.Tx, size int64, leaf tlog.Hash) error {
	hashes, err := tlog.StoredHashesForRecordHash(size, leaf, tree(ctx, tx))
	if err != nil {
		return err
	}
	for i, h := range hashes {
		if _, err := tx.ExecContext(ctx, `INSERT INTO ledger_tree(id, hash) VALUES($1, $2)`, tlog.StoredHashIndex(0, size)+int64(i), h[:]); err != nil {
			return err
		}
	}
	root, err := tlog.TreeHash(size+1, tree(ctx, tx))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO ledger_head(one, size, root, mac) VALUES(1, $1, $2, $3)
		ON CONFLICT(one) DO UPDATE SET size = excluded.size, root = excluded.root, mac = excluded.mac`,
		size+1, root[:], l.seal("head", size+1, root))
	return err
}

// head gives the number of entries and the root of the tree. ErrBroken when they are not what this ledger wrote last.
func (l *Ledger) head(ctx context.Context, q querier) (int64, tlog.Hash, error) {
	var last int64
	if err := q.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM ledger`).Scan(&last); err != nil {
		return 0, tlog.Hash{}, err
	}
	size, root, err := l.readHead(ctx, q)
	switch {
	case errors.Is(err, sql.ErrNoRows) && last == 0:
		return 0, tlog.Hash{}, nil
	case errors.Is(err, sql.ErrNoRows):
		return 0, tlog.Hash{}, ErrBroken
	case err != nil:
		return 0, tlog.Hash{}, err
	}
	stored, err := tlog.TreeHash(size, tree(ctx, q))
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	var r row
	if err := r.scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM ledger WHERE seq = $1`, last)); err != nil {
		return 0, tlog.Hash{}, err
	}
	if size != last || stored != root || !hmac.Equal(r.mac, l.seal("entry", last, r.leaf())) {
		return 0, tlog.Hash{}, ErrBroken
	}
	return size, root, nil
}

// readHead gives what ledger_head says. sql.ErrNoRows when there is none, ErrBroken when its MAC is wrong.
func (l *Ledger) readHead(ctx context.Context, q querier) (size int64, root tlog.Hash, err error) {
	var hash, mac []byte
	if err := q.QueryRowContext(ctx, `SELECT size, root, mac FROM ledger_head`).Scan(&size, &hash, &mac); err != nil {
		return 0, tlog.Hash{}, err
	}
	if len(hash) != tlog.HashSize || size < 1 || !hmac.Equal(mac, l.seal("head", size, tlog.Hash(hash))) {
		return size, tlog.Hash{}, ErrBroken
	}
	return size, tlog.Hash(hash), nil
}

// Proof shows one entry, and that it is in the ledger (RFC 6962 2.1.1).
type Proof struct {
	Seq  int64            `json:"seq"`
	At   int64            `json:"at"` // microseconds since 1970 UTC
	Kind string           `json:"kind"`
	Body string           `json:"body"` // byte for byte: a JSON text in a string, so that nobody indents it
	Path tlog.RecordProof `json:"path"`
}

// Prove proves the entries with the given numbers against one checkpoint, which it signs. ErrNotFound.
func (l *Ledger) Prove(ctx context.Context, seqs []int64) (Checkpoint, []Proof, error) {
	c, err := l.Checkpoint(ctx)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	proofs := make([]Proof, 0, len(seqs))
	for _, seq := range seqs {
		p, err := l.prove(ctx, c.Size, seq)
		if err != nil {
			return Checkpoint{}, nil, fmt.Errorf("prove entry %d: %w", seq, err)
		}
		proofs = append(proofs, p)
	}
	return c, proofs, nil
}

func (l *Ledger) prove(ctx context.Context, size, seq int64) (Proof, error) {
	var r row
	err := r.scan(l.db.QueryRowContext(ctx, `SELECT `+columns+` FROM ledger WHERE seq = $1`, seq))
	if errors.Is(err, sql.ErrNoRows) || err == nil && seq > size {
		return Proof{}, ErrNotFound
	}
	if err != nil {
		return Proof{}, err
	}
	path, err := tlog.ProveRecord(size, seq-1, tree(ctx, l.db))
	return Proof{Seq: seq, At: r.at, Kind: r.kind, Body: string(r.body), Path: path}, err
}

// Holds reports whether the tree of the checkpoint has the entry at its place.
func (p Proof) Holds(c Checkpoint) bool {
	r := row{at: p.At, kind: p.Kind, body: []byte(p.Body)}
	return p.Seq >= 1 && p.Seq <= c.Size && tlog.CheckRecord(p.Path, c.Size, c.Root, p.Seq-1, r.leaf()) == nil
}

// Record gives the entry. ErrEntry for one that is not well formed.
func (p Proof) Record() (Record, error) {
	e, err := decode(p.Kind, []byte(p.Body))
	if err != nil {
		return Record{}, fmt.Errorf("entry %d: %w", p.Seq, err)
	}
	r := row{seq: p.Seq, at: p.At, kind: p.Kind, body: []byte(p.Body)}
	return Record{Receipt: r.receipt(), Kind: p.Kind, Entry: e}, nil
}
