package ledger

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// What says how the ledger was tampered with.
type What string

const (
	Edited    What = "edited"    // the entry is not the one that was hashed
	Deleted   What = "deleted"   // the entry is missing
	Reordered What = "reordered" // the entry belongs at another place
	Truncated What = "truncated" // entries after this one are missing
	Rebuilt   What = "rebuilt"   // the tree fits, but was not written by this ledger
	Tree      What = "tree"      // a hash of the tree that is not that of the entries
	Head      What = "head"      // the record of the root is missing or forged
	// A checkpoint in the database that is forged, or not in the file.
	BadCheckpoint  What = "checkpoint forged"
	LostCheckpoint What = "checkpoint missing from the file"
	// A note of the checkpoint file that is damaged or forged; Seq is its place, from 1.
	BadNote What = "checkpoint damaged"
	// A checkpoint that was handed to Verify and is not of this ledger; Seq counts them from 1.
	BadHeld What = "kept checkpoint not of this ledger"
)

// Breach is one finding.
type Breach struct {
	What What
	Seq  int64 // the entry, except where What says otherwise
}

func (b Breach) String() string { return fmt.Sprintf("entry %d: %s", b.Seq, b.What) }

// verifier reads the entries once, and builds the tree anew to compare it with the stored one.
type verifier struct {
	l      *Ledger
	found  []Breach
	at     map[int64][]Checkpoint // what checkpoints say, by size
	size   int64                  // what the head says
	root   tlog.Hash
	edge   edge
	last   int64               // the number of the entry before
	leaves map[tlog.Hash]bool  // of the tree, where entries are missing or wrong
	wrong  map[int64]tlog.Hash // entries that are not those of their leaves
}

// Verify replays the ledger and names everything that does not hold. kept are checkpoints that were
// kept outside the directory: they alone show that all of it was set back.
func (l *Ledger) Verify(ctx context.Context, kept ...string) ([]Breach, error) {
	v := &verifier{l: l, at: map[int64][]Checkpoint{}, leaves: map[tlog.Hash]bool{}, wrong: map[int64]tlog.Hash{}}
	// Head and checkpoints first: what is appended meanwhile only makes the ledger longer than they say.
	if err := v.readHead(ctx); err != nil {
		return nil, fmt.Errorf("verify ledger: %w", err)
	}
	if err := v.readCheckpoints(ctx); err != nil {
		return nil, fmt.Errorf("verify ledger: %w", err)
	}
	for i, text := range kept {
		v.take(text, Breach{BadHeld, int64(i + 1)})
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
	size, root, err := v.l.readHead(ctx, v.l.db)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		var n int64
		err = v.l.db.QueryRowContext(ctx, `SELECT count(*) FROM ledger`).Scan(&n)
		if n > 0 {
			v.breach(Head, 0)
		}
		return err
	case errors.Is(err, ErrBroken):
		v.breach(Head, size)
		return nil
	}
	v.size, v.root = size, root
	return err
}

func (v *verifier) readCheckpoints(ctx context.Context) error {
	rows, err := v.l.db.QueryContext(ctx, `SELECT size, note FROM checkpoints ORDER BY size`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var kept []Checkpoint
	for rows.Next() {
		var size int64
		var text string
		if err := rows.Scan(&size, &text); err != nil {
			return err
		}
		if c := v.take(text, Breach{BadCheckpoint, size}); c.Size > 0 {
			kept = append(kept, c)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	notes, err := v.l.readNotes() // after the database: the file is written first
	if err != nil {
		return err
	}
	inFile := map[string]bool{}
	for i, text := range notes {
		inFile[text] = true
		v.take(text, Breach{BadNote, int64(i + 1)})
	}
	for _, c := range kept {
		if !inFile[c.Note] {
			v.breach(LostCheckpoint, c.Size)
		}
	}
	return nil
}

// take accepts a note with the right signature and reports any other.
func (v *verifier) take(text string, otherwise Breach) Checkpoint {
	c, err := ParseCheckpoint(text, v.l.key)
	if err != nil {
		v.breach(otherwise.What, otherwise.Seq)
		return Checkpoint{}
	}
	v.at[c.Size] = append(v.at[c.Size], c)
	return c
}

func (v *verifier) replay(ctx context.Context) error {
	rows, err := v.l.db.QueryContext(ctx, `SELECT `+columns+` FROM ledger ORDER BY seq`)
	if err != nil {
		return err
	}
	defer rows.Close()
	stored, err := v.l.leaves(ctx)
	if err != nil {
		return err
	}
	defer stored.rows.Close()
	for rows.Next() {
		var r row
		if err := r.scan(rows); err != nil {
			return err
		}
		for v.last+1 < r.seq && stored.ok {
			v.breach(Deleted, v.last+1)
			if err := v.advance(stored, nil); err != nil {
				return err
			}
		}
		if err := v.advance(stored, &r); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	short := v.size > v.last
	for size := range v.at {
		short = short || size > v.last
	}
	if short {
		v.breach(Truncated, v.last)
	}
	for v.last < v.size && stored.ok { // what the cut entries left behind in the tree
		if err := v.advance(stored, nil); err != nil {
			return err
		}
	}
	v.judgeWrong()
	return nil
}

// advance looks at the next number of the ledger: the entry, nil when it is missing, beside what the tree has of it.
func (v *verifier) advance(stored *leaves, r *row) error {
	v.last++
	hashes, err := stored.next(v.last)
	if err != nil {
		return err
	}
	if r != nil && r.seq != v.last { // a number that no tree reaches
		v.breach(Rebuilt, r.seq)
		return nil
	}
	leaf := hashes[0]
	if r != nil {
		leaf = v.judge(r, hashes[0])
	} else {
		v.leaves[leaf] = true
	}
	for i, h := range v.edge.add(v.last-1, leaf) {
		if i >= len(hashes) || hashes[i] != h {
			v.breach(Tree, v.last)
		}
	}
	root := v.edge.root(v.last)
	if v.last == v.size && root != v.root {
		v.breach(Head, v.size)
	}
	for _, c := range v.at[v.last] {
		if c.Root != root {
			v.breach(Rebuilt, v.last)
		}
	}
	return nil
}

// judge compares an entry with its leaf and gives the one that holds.
func (v *verifier) judge(r *row, stored tlog.Hash) tlog.Hash {
	leaf := r.leaf()
	mine := hmac.Equal(r.mac, v.l.seal("entry", r.seq, leaf))
	switch e, err := decode(r.kind, r.body); {
	case mine && err == nil && e.workspace() == r.workspace:
		return leaf
	case mine: // the copy of the workspace beside the body
		v.breach(Edited, r.seq)
		return leaf
	case leaf == stored:
		v.breach(Rebuilt, r.seq)
	default:
		v.wrong[r.seq], v.leaves[stored] = leaf, true
	}
	return stored
}

// judgeWrong tells moved entries from edited ones: the leaf of another number matches a moved entry.
func (v *verifier) judgeWrong() {
	for seq, leaf := range v.wrong {
		if v.leaves[leaf] {
			v.breach(Reordered, seq)
		} else {
			v.breach(Edited, seq)
		}
	}
	slices.SortStableFunc(v.found, func(a, b Breach) int { return int(a.Seq - b.Seq) })
}

// leaves goes through the stored tree in the order in which it grew.
type leaves struct {
	rows *sql.Rows
	ok   bool // there is a hash that was not given yet
	id   int64
	hash tlog.Hash
}

func (l *Ledger) leaves(ctx context.Context) (*leaves, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT id, hash FROM ledger_tree ORDER BY id`)
	if err != nil {
		return nil, err
	}
	s := &leaves{rows: rows}
	return s, s.step()
}

func (s *leaves) step() error {
	if s.ok = s.rows.Next(); !s.ok {
		return s.rows.Err()
	}
	var hash []byte
	if err := s.rows.Scan(&s.id, &hash); err != nil {
		return err
	}
	s.hash = tlog.Hash{}
	copy(s.hash[:], hash)
	return nil
}

// next gives the hashes that were stored with an entry: its leaf, then the subtrees that it completed. The zero hash
// stands for one that is missing.
func (s *leaves) next(seq int64) ([]tlog.Hash, error) {
	from, to := tlog.StoredHashIndex(0, seq-1), tlog.StoredHashIndex(0, seq)
	hashes := make([]tlog.Hash, to-from)
	for s.ok && s.id < to {
		if s.id >= from {
			hashes[s.id-from] = s.hash
		}
		if err := s.step(); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// edge is the right edge of a tree: by level, the last complete subtree that its root needs.
type edge [63]tlog.Hash

// add appends record n and gives the hashes that tlog.StoredHashes gives.
func (e *edge) add(n int64, leaf tlog.Hash) []tlog.Hash {
	out := []tlog.Hash{leaf}
	level := 0
	for ; n>>level&1 == 1; level++ {
		leaf = tlog.NodeHash(e[level], leaf)
		out = append(out, leaf)
	}
	e[level] = leaf
	return out
}

// root is the hash of the tree of n records.
func (e *edge) root(n int64) (root tlog.Hash) {
	first := true
	for level := 0; n>>level > 0; level++ {
		switch {
		case n>>level&1 == 0:
		case first:
			root, first = e[level], false
		default:
			root = tlog.NodeHash(e[level], root)
		}
	}
	return root
}
