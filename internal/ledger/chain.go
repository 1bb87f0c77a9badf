package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Chain proves that entries are in the ledger, unchanged and in their places, up to a signed checkpoint. It stands alone:
// whoever has the ledger's public key needs nothing else. Of entries that were not asked for it shows a hash.
type Chain struct {
	Key        ed25519.PublicKey `json:"key"`
	Prev       []byte            `json:"prev"` // the hash before the first link
	Links      []Link            `json:"links"`
	Checkpoint string            `json:"checkpoint"` // a line, as ParseCheckpoint reads it
}

// Link is one entry: in full, or its Leaf alone.
type Link struct {
	Seq  int64  `json:"seq"`
	Leaf []byte `json:"leaf,omitempty"`
	At   int64  `json:"at,omitempty"` // microseconds since 1970 UTC
	Kind string `json:"kind,omitempty"`
	Body string `json:"body,omitempty"` // byte for byte: a JSON text in a string, so that nobody indents it
	Hash []byte `json:"hash,omitempty"`
}

// Chains proves the entries with the given numbers: one chain for all that the same checkpoint covers, so that a chain
// is no longer than a day. It signs a checkpoint when there is none after the last entry.
func (l *Ledger) Chains(ctx context.Context, seqs []int64) ([]Chain, error) {
	seqs = slices.Compact(slices.Sorted(slices.Values(seqs)))
	var out []Chain
	for len(seqs) > 0 {
		c, at, err := l.chain(ctx, seqs)
		if err != nil {
			return nil, fmt.Errorf("prove entry %d: %w", seqs[0], err)
		}
		out = append(out, c)
		seqs = slices.DeleteFunc(seqs, func(s int64) bool { return s <= at })
	}
	return out, nil
}

// chain leads from the first of the entries to the next checkpoint, whose number it gives.
func (l *Ledger) chain(ctx context.Context, seqs []int64) (Chain, int64, error) {
	c := Chain{Key: l.PublicKey()}
	at, line, err := l.checkpointAfter(ctx, seqs[0])
	if err != nil {
		return Chain{}, 0, err
	}
	c.Checkpoint = line
	rows, err := l.db.QueryContext(ctx, `SELECT `+columns+` FROM ledger WHERE seq BETWEEN $1 AND $2 ORDER BY seq`, seqs[0], at)
	if err != nil {
		return Chain{}, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := r.scan(rows); err != nil {
			return Chain{}, 0, err
		}
		if c.Links == nil {
			c.Prev = r.prev
		}
		k := Link{Seq: r.seq, Leaf: r.leaf()}
		if slices.Contains(seqs, r.seq) {
			k = Link{Seq: r.seq, At: r.at, Kind: r.kind, Body: string(r.body), Hash: r.hash}
		}
		c.Links = append(c.Links, k)
	}
	if len(c.Links) == 0 {
		err = ErrNotFound
	}
	return c, at, errors.Join(err, rows.Err())
}

// checkpointAfter gives the first checkpoint that covers an entry.
func (l *Ledger) checkpointAfter(ctx context.Context, seq int64) (int64, string, error) {
	var c Checkpoint
	var at int64
	var hash []byte
	err := l.db.QueryRowContext(ctx, `SELECT seq, at, hash, sig FROM checkpoints WHERE seq >= $1 ORDER BY seq LIMIT 1`, seq).Scan(&c.Seq, &at, &hash, &c.Sig)
	if errors.Is(err, sql.ErrNoRows) {
		c, err = l.Checkpoint(ctx)
		if err == nil && c.Seq < seq {
			err = ErrNotFound
		}
		return c.Seq, c.String(), err
	}
	if err != nil {
		return 0, "", err
	}
	c.At = timeOf(at)
	copy(c.Hash[:], hash)
	return c.Seq, c.String(), nil
}

// Records gives the entries that the chain shows in full. ErrEntry for one that is not well formed.
func (c Chain) Records() ([]Record, error) {
	var out []Record
	for _, k := range c.Links {
		if k.Leaf != nil {
			continue
		}
		e, err := decode(k.Kind, []byte(k.Body))
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", k.Seq, err)
		}
		rec := Record{Receipt: Receipt{Seq: k.Seq, At: timeOf(k.At)}, Kind: k.Kind, Entry: e}
		copy(rec.Hash[:], k.Hash)
		out = append(out, rec)
	}
	return out, nil
}

// Verify names what does not hold; nothing: every entry that is shown in full was in the ledger of that key when the
// checkpoint was signed.
func (c Chain) Verify(key ed25519.PublicKey) (found []Breach) {
	breach := func(w What, seq int64) { found = append(found, Breach{w, seq}) }
	end, err := ParseCheckpoint(c.Checkpoint, key)
	if err != nil || !key.Equal(c.Key) {
		breach(BadCheckpoint, end.Seq)
	}
	hash, last := c.Prev, int64(0)
	for i, k := range c.Links {
		moved := true
		switch {
		case i > 0 && k.Seq <= last:
			breach(Reordered, k.Seq)
		case i > 0 && k.Seq > last+1:
			breach(Deleted, last+1)
		default:
			moved = false
		}
		leaf := k.Leaf
		if leaf == nil {
			r := row{at: k.At, kind: k.Kind, body: []byte(k.Body)}
			leaf = r.leaf()
		}
		hash, last = link(hash, k.Seq, leaf), k.Seq
		if k.Leaf == nil && !bytes.Equal(hash, k.Hash) {
			if !moved {
				breach(Edited, k.Seq)
			}
			hash = k.Hash // so that the next ones are judged by themselves
		}
	}
	switch {
	case err != nil:
	case last < end.Seq:
		breach(Truncated, last)
	case !bytes.Equal(hash, end.Hash[:]):
		breach(Rebuilt, last)
	}
	return found
}
