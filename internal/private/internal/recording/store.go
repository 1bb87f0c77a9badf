package recording

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/workspace"
)

// Kind says what a recording's plaintext is.
type Kind uint8

const (
	Legs  Kind = 1 // frames of two legs: read them with Frames
	Media Kind = 2 // a file as the platform gave it
)

// keyVersion is the version of a sealed call key.
const keyVersion = 1

// keep stores the sealed key of a finished recording; the caller's transaction has written the ledger before.
func (b *Book) keep(ctx context.Context, tx *sql.Tx, t *Take, k *callKey) error {
	epoch, sealed, err := b.c.Ring.Seal(k.ws, keyring.TopicRecordings, k.id, keyVersion, k.key[:])
	if err != nil {
		return err
	}
	who := t.who.Bytes()
	var media any
	if t.head.Media != (MediaID{}) {
		media = t.head.Media[:]
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO recordings(workspace, id, call, contact, at, epoch, key, source, country, began, media) VALUES(?,?,?,?,?,?,?,?,?,?,?)`,
		k.ws.String(), k.id[:], t.call[:], who[:], b.c.Now().UnixMicro(), epoch, sealed, t.head.Source, t.country, t.head.At.UnixMicro(), media)
	return err
}

// row is a stored recording.
type row struct {
	ws     workspace.ID
	id     ID
	call   fact.ID
	who    [anon.ContactLen]byte
	at     time.Time
	epoch  uint32
	sealed []byte

	source, country string
	began           time.Time
	heard           bool
}

// rows reads stored recordings; where is a condition over the table's columns.
func (b *Book) rows(ctx context.Context, where string, args ...any) ([]row, error) {
	found, err := b.c.DB.QueryContext(ctx, `SELECT workspace, id, call, contact, at, epoch, key, source, country, began, heard FROM recordings WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read recordings: %w", err)
	}
	defer found.Close()
	var out []row
	for found.Next() {
		var r row
		var ws string
		var id, call, who []byte
		var at, began, heard int64
		if err := found.Scan(&ws, &id, &call, &who, &at, &r.epoch, &r.sealed, &r.source, &r.country, &began, &heard); err != nil {
			return nil, fmt.Errorf("read recordings: %w", err)
		}
		if r.ws, err = workspace.Parse(ws); err != nil || len(id) != len(r.id) || len(call) != len(r.call) || len(who) != len(r.who) {
			return nil, errors.New("read recordings: a damaged row")
		}
		r.id, r.call, r.who, r.at = ID(id), fact.ID(call), [anon.ContactLen]byte(who), time.UnixMicro(at)
		r.began, r.heard = time.UnixMicro(began), heard != 0
		out = append(out, r)
	}
	return out, found.Err()
}

// forget deletes a stored key, so that it is in no file any more, and removes the recording's file. With an entry, the
// ledger has it in the same transaction; when the ledger cannot be written, the key goes all the same.
func (b *Book) forget(ctx context.Context, ws workspace.ID, id ID, e *ledger.Recording) error {
	gone := func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM recordings WHERE workspace = ? AND id = ?`, ws.String(), id[:])
		return err
	}
	err := b.c.DB.Tx(ctx, func(tx *sql.Tx) error {
		if err := gone(tx); err != nil || e == nil {
			return err
		}
		_, err := b.c.Ledger.Append(ctx, tx, *e)
		return err
	})
	if err != nil && e != nil {
		err = errors.Join(err, b.c.DB.Tx(ctx, gone))
	}
	if err = errors.Join(err, b.c.DB.Scrub(ctx), shredFile(b.path(id))); err != nil {
		return fmt.Errorf("destroy a recording: %w", err)
	}
	return nil
}

func (b *Book) path(id ID) string { return filepath.Join(b.c.Dir, id.String()) }

// verdict asks the register and the policy, as they stand now, about the recording of a call of some people. The policy is
// the strictest that any of them has.
func (b *Book) verdict(ctx context.Context, ws workspace.ID, call fact.ID, people ...identity.Person) (workspace.Policy, consent.Verdict, error) {
	policy, err := b.c.Store.Policy(ctx, ws)
	if err != nil {
		return policy, consent.Unknown, err
	}
	v, _, err := b.c.Register.Ask(ctx, ws, policy, consent.Recording, call, people...)
	for _, p := range people {
		policy = policy.In(consent.CountryOf(policy, p))
	}
	return policy, v, err
}

// Store keeps media that a platform recorded and a job fetches: the policy must state that the platform plays the notice
// (or that one party suffices), or the person must have agreed. ErrRefused before a byte is read otherwise.
func (b *Book) Store(ctx context.Context, h Head, media io.Reader) (ID, error) {
	t, err := b.begin(ctx, h, Media)
	if err != nil {
		return ID{}, err
	}
	id, err := t.store(ctx, media)
	if err := errors.Join(err, t.Close(ctx)); err != nil {
		return ID{}, fmt.Errorf("store recording: %w", err)
	}
	return id, nil
}

// Attest takes the policy's word that the platform plays a notice on every call: a call whose notice is due is held from
// here on. In every other state it does nothing.
func (t *Take) Attest(ctx context.Context) (consent.State, error) {
	if s := t.State(); s != consent.Noticing {
		return s, nil
	}
	return t.Step(ctx, consent.Event{Kind: consent.Attested, At: t.book.c.Now()})
}

func (t *Take) store(ctx context.Context, media io.Reader) (ID, error) {
	if _, err := t.Attest(ctx); err != nil {
		return ID{}, err
	}
	if t.State() != consent.Holding {
		return ID{}, ErrRefused
	}
	if _, err := io.Copy(mediaWriter{t}, media); err != nil {
		_, failed := t.Step(ctx, consent.Event{Kind: consent.Failed, At: t.book.c.Now()})
		return ID{}, errors.Join(err, failed)
	}
	s, err := t.Step(ctx, consent.Event{Kind: consent.HungUp, At: t.book.c.Now()})
	if err == nil && s != consent.Released {
		err = ErrRefused
	}
	return t.ID(), err
}

// mediaWriter keeps bytes as they come; a refusal ends the copy.
type mediaWriter struct{ t *Take }

func (w mediaWriter) Write(b []byte) (int, error) {
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	if w.t.m.State() != consent.Holding || w.t.key == nil {
		return 0, ErrStopped
	}
	if err := w.t.tape.write(b); err != nil {
		return 0, err
	}
	return len(b), nil
}
