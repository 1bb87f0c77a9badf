package consent

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Statements of contacts hold for good, and an attacker with the keys can find the number behind a pseudonym by trying all
// numbers. So a statement is stored under the pseudonym only while rows of that time may be linked; afterwards only under a slow
// sum of it (table lasting; docs/adr/0017-lasting-refusals-are-slow-to-look-up.md). The register makes a slow sum for a contact
// when a decision about their words is due, once as long as the process remembers it (recall), and only in a workspace that
// stores any. The ledger uses slow sums from the start.

// Slow is the slow sum of a pseudonym in a workspace: keyring.Ring.Slow.
type Slow func(ws workspace.ID, message []byte) ([16]byte, error)

// lasting is what was said under one slow sum.
type lasting struct {
	Statement
	unrecorded bool
}

// maxAsked bounds for how many contacts it is remembered that their slow sum was looked up: 16 bytes each.
const maxAsked = 1 << 17

// slowly is the reference of a contact that outlives its link.
func (r *Register) slowly(ws workspace.ID, who []byte) ([]byte, error) {
	sum, err := r.slow(ws, who)
	if err != nil {
		return nil, fmt.Errorf("the lasting reference of a contact: %w", err)
	}
	return sum[:], nil
}

// ofContact reports a kind of row that is about a contact.
func ofContact(kind string) bool { return !strings.HasPrefix(kind, "call") }

// recall brings what was said for good under pseudonyms into the memory that is asked.
func (r *Register) recall(ws workspace.ID, s *said, who ...pseudonym) error {
	for _, c := range who {
		r.mu.RLock()
		known := len(s.lasting) == 0 || s.asked[c]
		r.mu.RUnlock()
		if known {
			continue
		}
		ref, err := r.slowly(ws, c[:])
		if err != nil {
			return err
		}
		r.mu.Lock()
		s.remember(c, pseudonym(ref))
		r.mu.Unlock()
	}
	return nil
}

// recallFormer is recall for pseudonyms of former rules of spelling, of which a person has dozens: only where something lasting was
// said under such rules.
func (r *Register) recallFormer(ctx context.Context, ws workspace.ID, s *said, former ...anon.Contact) error {
	var all []pseudonym
	r.mu.RLock()
	for _, c := range former {
		if b := pseudonym(c.Bytes()); len(s.lasting) > 0 && !s.asked[b] {
			all = append(all, b)
		}
	}
	oldest := s.oldest
	r.mu.RUnlock()
	if len(all) == 0 {
		return nil
	}
	var since int64 // when today's rules began
	err := r.db.QueryRowContext(ctx, `SELECT coalesce(max(since), 0) FROM identities WHERE workspace = ?`, ws.String()).Scan(&since)
	if err != nil || oldest >= since {
		return err
	}
	return r.recall(ws, s, all...)
}

// remember notes what was said under the slow sum of a pseudonym.
func (s *said) remember(c, slow pseudonym) {
	if len(s.asked) >= maxAsked {
		clear(s.asked)
	}
	s.asked[c] = true
	for _, linked := range []bool{false, true} {
		l, ok := s.lasting[name{slow, linked}]
		if !ok {
			continue
		}
		n := name{c, linked}
		s.contacts[n], s.unrecorded[n] = s.contacts[n].and(l.Statement), s.unrecorded[n] || l.unrecorded
		s.recalled[c] = true
	}
}

// keep adds what a row of the table lasting says.
func (s *said) keep(o statement, slow []byte) error {
	subject, out, of, ok := readKind(o.kind)
	if len(slow) != anon.ContactLen || !ok || !ofContact(o.kind) {
		return errDamaged
	}
	n := name{pseudonym(slow), strings.HasPrefix(subject, "linked")}
	l := s.lasting[n]
	switch {
	case strings.HasSuffix(subject, "-calls"):
		l.unrecorded = true
	case out:
		l.Out |= of
	default:
		l.In |= of
	}
	s.lasting[n] = l
	s.oldest = min(s.oldest, o.at)
	return nil
}

// Last moves statements of contacts from before a moment to their slow sums, because rows of that time are no longer
// linked. Each row takes long; what is done stays done when Last ends early.
func (r *Register) Last(ctx context.Context, ws workspace.ID, before time.Time) error {
	s, err := r.of(ctx, ws)
	if err != nil {
		return err
	}
	moved := 0
	for {
		rows, err := statements(ctx, r.db, `SELECT kind, ref, at, via FROM optouts WHERE workspace = ? AND at < ? AND kind NOT LIKE 'call%' LIMIT 100`, ws, before.UnixMicro())
		if err != nil {
			return fmt.Errorf("read what was said: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		if err := r.last(ctx, ws, s, rows); err != nil {
			return fmt.Errorf("keep what was said: %w", err)
		}
		moved += len(rows)
	}
	if moved == 0 {
		return nil
	}
	return r.db.Scrub(ctx)
}

func (r *Register) last(ctx context.Context, ws workspace.ID, s *said, rows []statement) error {
	refs := make([]pseudonym, len(rows))
	for i, o := range rows {
		ref, err := r.slowly(ws, o.ref)
		if err != nil {
			return err
		}
		refs[i] = pseudonym(ref)
	}
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		for i, o := range rows {
			if err := keepLasting(ctx, tx, ws, o, refs[i]); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM optouts WHERE workspace = ? AND kind = ? AND ref = ?`, ws.String(), o.kind, o.ref); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, o := range rows {
		if err := s.keep(o, refs[i][:]); err != nil {
			return err
		}
		s.remember(pseudonym(o.ref), refs[i])
	}
	return nil
}

func keepLasting(ctx context.Context, tx *sql.Tx, ws workspace.ID, o statement, slow pseudonym) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO lasting(workspace, kind, ref, at, via) VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING`, ws.String(), o.kind, slow[:], o.at, o.via)
	return err
}

func (r *Register) loadLasting(ctx context.Context, ws workspace.ID, s *said) error {
	rows, err := statements(ctx, r.db, `SELECT kind, ref, at, via FROM lasting WHERE workspace = ?`, ws)
	for _, o := range rows {
		if err == nil {
			err = s.keep(o, o.ref)
		}
	}
	return err
}

// RefusedAmong gives those of some contacts whose words may not be stored anywhere. It looks old statements up for each
// contact, which is slow.
func (r *Register) RefusedAmong(ctx context.Context, ws workspace.ID, all []anon.Contact) (refused []anon.Contact, err error) {
	for _, c := range all {
		k, err := r.Known(ctx, ws, [16]byte{}, c)
		if err != nil {
			return nil, err
		}
		if k.Contact.Out&Heard != 0 {
			refused = append(refused, c)
		}
	}
	return refused, nil
}
