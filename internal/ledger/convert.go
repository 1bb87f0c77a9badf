package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

// The first format was a chain: each entry's hash covered the hash before it. Its rows wait in table ledger_chain, where
// the migration of the database put them.

// link is the hash of the chain after one more entry.
func (r *row) link(prev []byte) []byte {
	leaf := sha256.Sum256(r.record())
	h := sha256.New()
	h.Write(prev)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(r.seq)))
	h.Write(leaf[:])
	return h.Sum(nil)
}

// convert builds the tree over the entries of a chain, in one transaction. An entry whose place in the chain is not
// intact is carried over without a MAC, and the number of a missing one stays free: Verify names both as it did
// before.
func (l *Ledger) convert(ctx context.Context) error {
	return l.db.Tx(ctx, func(tx *sql.Tx) error {
		var size int64 // what the head, or else the last entry, says
		err := tx.QueryRowContext(ctx, `SELECT max((SELECT coalesce(max(seq), 0) FROM ledger_chain), (SELECT coalesce(max(seq), 0) FROM ledger_chain_head))`).Scan(&size)
		if err != nil || size == 0 {
			return err
		}
		for seq := int64(1); seq <= size; seq++ {
			leaf, err := l.convertEntry(ctx, tx, seq)
			if err != nil {
				return err
			}
			if err := l.grow(ctx, tx, seq-1, leaf); err != nil {
				return err
			}
		}
		for _, table := range []string{"ledger_chain", "ledger_chain_head"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table); err != nil {
				return err
			}
		}
		if err := os.Remove(l.file); err != nil && !errors.Is(err, fs.ErrNotExist) { // its checkpoints are of the chain
			return err
		}
		return nil
	})
}

// convertEntry moves one entry and gives its leaf; the zero hash when it is missing.
func (l *Ledger) convertEntry(ctx context.Context, tx *sql.Tx, seq int64) (tlog.Hash, error) {
	r := row{seq: seq}
	var prev, hash, mac []byte
	err := tx.QueryRowContext(ctx, `SELECT at, workspace, kind, body, prev, hash, mac FROM ledger_chain WHERE seq = $1`, seq).
		Scan(&r.at, &r.workspace, &r.kind, &r.body, &prev, &hash, &mac)
	if errors.Is(err, sql.ErrNoRows) {
		return tlog.Hash{}, nil
	}
	if err != nil {
		return tlog.Hash{}, err
	}
	r.mac = []byte{}
	if len(hash) == tlog.HashSize && hmac.Equal(r.link(prev), hash) && hmac.Equal(mac, l.seal("entry", seq, tlog.Hash(hash))) {
		r.mac = l.seal("entry", seq, r.leaf())
	}
	return r.leaf(), insert(ctx, tx, &r)
}
