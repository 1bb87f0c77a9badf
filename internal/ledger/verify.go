package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// What says how the ledger was tampered with.
type What string

const (
	Edited    What = "edited"    // the entry is not the one that was hashed
	Deleted   What = "deleted"   // the entry is missing
	Reordered What = "reordered" // the entry belongs at another place
	Truncated What = "truncated" // entries after this one are missing
	Rebuilt   What = "rebuilt"   // the chain fits, but was not written by this ledger
	Head      What = "head"      // the record of the last entry is missing or forged
	// A checkpoint in the database that is forged, or not in the file.
	BadCheckpoint  What = "checkpoint forged"
	LostCheckpoint What = "checkpoint missing from the file"
	// A line of the checkpoint file that is damaged or forged; Seq is the line.
	BadLine What = "checkpoint line damaged"
	// A checkpoint that was handed to Verify and is not of this ledger; Seq counts them from 1.
	BadHeld What = "kept checkpoint not of this ledger"
)

// Breach is one finding.
type Breach struct {
	What What
	Seq  int64 // the entry, except where What says otherwise
}

func (b Breach) String() string { return fmt.Sprintf("entry %d: %s", b.Seq, b.What) }

// verifier goes once over the chain.
type verifier struct {
	l     *Ledger
	found []Breach
	at    map[int64][]Checkpoint // what checkpoints say
	head  int64                  // what the head says
	prev  *row
	wrong bool  // prev does not hold by itself
	bad   []row // whose hash is not that of what they hold at their place
}

// Verify replays the ledger and names everything that does not hold. kept are lines of checkpoints that were
// kept outside the directory: they alone show that all of it was set back.
func (l *Ledger) Verify(ctx context.Context, kept ...string) ([]Breach, error) {
	v := &verifier{l: l, at: map[int64][]Checkpoint{}}
	// Head and checkpoints first: what is appended meanwhile only makes the chain longer than they say.
	if err := v.readHead(ctx); err != nil {
		return nil, fmt.Errorf("verify ledger: %w", err)
	}
	if err := v.readCheckpoints(ctx); err != nil {
		return nil, fmt.Errorf("verify ledger: %w", err)
	}
	for i, line := range kept {
		v.take(line, Breach{BadHeld, int64(i + 1)})
	}
	if err := v.replay(ctx); err != nil {
		return nil, fmt.Errorf("verify ledger: %w", err)
	}
	return v.found, nil
}

func (v *verifier) breach(w What, seq int64) {
	b := Breach{w, seq}
	if slices.Contains(v.found, b) {
		return
	}
	v.found = append(v.found, b)
}

func (v *verifier) readHead(ctx context.Context) error {
	var hash, mac []byte
	err := v.l.db.QueryRowContext(ctx, `SELECT seq, hash, mac FROM ledger_head`).Scan(&v.head, &hash, &mac)
	if errors.Is(err, sql.ErrNoRows) {
		var n int64
		err = v.l.db.QueryRowContext(ctx, `SELECT count(*) FROM ledger`).Scan(&n)
		if n > 0 {
			v.breach(Head, 0)
		}
		return err
	}
	if err != nil {
		return err
	}
	if !hmac.Equal(mac, v.l.seal("head", v.head, hash)) {
		v.breach(Head, v.head)
		v.head = 0
	}
	return nil
}

func (v *verifier) readCheckpoints(ctx context.Context) error {
	rows, err := v.l.db.QueryContext(ctx, `SELECT seq, at, hash, sig FROM checkpoints ORDER BY seq`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var kept []Checkpoint
	for rows.Next() {
		var c Checkpoint
		var at int64
		var hash []byte
		if err := rows.Scan(&c.Seq, &at, &hash, &c.Sig); err != nil {
			return err
		}
		c.At = time.UnixMicro(at)
		copy(c.Hash[:], hash)
		if len(hash) != sha256.Size || !ed25519.Verify(v.l.PublicKey(), c.signed(), c.Sig) {
			v.breach(BadCheckpoint, c.Seq)
			continue
		}
		v.at[c.Seq] = append(v.at[c.Seq], c)
		kept = append(kept, c)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	lines, err := v.l.readLines() // after the database: the file is written first
	if err != nil {
		return err
	}
	inFile := map[string]bool{}
	for i, line := range lines {
		inFile[line] = true
		v.take(line, Breach{BadLine, int64(i + 1)})
	}
	for _, c := range kept {
		if !inFile[c.String()] {
			v.breach(LostCheckpoint, c.Seq)
		}
	}
	return nil
}

// take believes a line with the right signature and reports any other.
func (v *verifier) take(line string, otherwise Breach) {
	c, err := ParseCheckpoint(line, v.l.PublicKey())
	if err != nil {
		v.breach(otherwise.What, otherwise.Seq)
		return
	}
	v.at[c.Seq] = append(v.at[c.Seq], c)
}

func (v *verifier) replay(ctx context.Context) error {
	rows, err := v.l.db.QueryContext(ctx, `SELECT `+columns+` FROM ledger ORDER BY seq`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := r.scan(rows); err != nil {
			return err
		}
		v.step(&r)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	v.judgeBad()
	var last int64
	if v.prev != nil {
		last = v.prev.seq
	}
	short := v.head > last
	for seq := range v.at {
		short = short || seq > last
	}
	if short {
		v.breach(Truncated, last)
	}
	return nil
}

// step looks at one entry and its link to the one before.
func (v *verifier) step(r *row) {
	prev := &row{hash: make([]byte, sha256.Size)} // before the first
	if v.prev != nil {
		prev = v.prev
	}
	// A link says nothing after a gap or after an entry that is wrong itself; the MAC still does.
	linked := r.seq == prev.seq+1 && !v.wrong
	for s := prev.seq + 1; s < r.seq && s < prev.seq+1000; s++ {
		v.breach(Deleted, s)
	}
	what := v.l.whole(r)
	switch {
	case what == Edited && !bytes.Equal(r.sum(r.seq), r.hash):
		v.bad = append(v.bad, *r)
	case what != "":
		v.breach(what, r.seq)
	case linked && !bytes.Equal(r.prev, prev.hash):
		v.breach(Rebuilt, r.seq)
	}
	for _, c := range v.at[r.seq] {
		if !bytes.Equal(c.Hash[:], r.hash) && what == "" {
			v.breach(Rebuilt, r.seq)
		}
	}
	v.prev, v.wrong = r, what != ""
}

// whole says what is wrong with an entry by itself; "" for nothing.
func (l *Ledger) whole(r *row) What {
	if !bytes.Equal(r.sum(r.seq), r.hash) {
		return Edited
	}
	if !hmac.Equal(r.mac, l.seal("entry", r.seq, r.hash)) {
		return Rebuilt
	}
	if e, err := decode(r.kind, r.body); err != nil || e.workspace() != r.workspace {
		return Edited // the copy of the workspace beside the body
	}
	return ""
}

// judgeBad tells moved entries from edited ones: a moved one fits at the place of another bad entry, or just
// after the end.
func (v *verifier) judgeBad() {
	const most = 1000 // the search is quadratic; beyond that everything is called edited
	for _, r := range v.bad {
		what := Edited
		for _, other := range v.bad[:min(len(v.bad), most)] {
			if bytes.Equal(r.sum(other.seq), r.hash) || bytes.Equal(r.sum(other.seq+1), r.hash) {
				what = Reordered
				break
			}
		}
		v.breach(what, r.seq)
	}
}
