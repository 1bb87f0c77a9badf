package recording

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
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
	_, err = tx.ExecContext(ctx, `INSERT INTO recordings(workspace, id, call, contact, at, epoch, key) VALUES(?,?,?,?,?,?,?)`,
		k.ws.String(), k.id[:], t.call[:], who[:], b.c.Now().UnixMicro(), epoch, sealed)
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
}

// rows reads stored recordings; where is a condition over the table's columns.
func (b *Book) rows(ctx context.Context, where string, args ...any) ([]row, error) {
	found, err := b.c.DB.QueryContext(ctx, `SELECT workspace, id, call, contact, at, epoch, key FROM recordings WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read recordings: %w", err)
	}
	defer found.Close()
	var out []row
	for found.Next() {
		var r row
		var ws string
		var id, call, who []byte
		var at int64
		if err := found.Scan(&ws, &id, &call, &who, &at, &r.epoch, &r.sealed); err != nil {
			return nil, fmt.Errorf("read recordings: %w", err)
		}
		if r.ws, err = workspace.Parse(ws); err != nil || len(id) != len(r.id) || len(call) != len(r.call) || len(who) != len(r.who) {
			return nil, errors.New("read recordings: a damaged row")
		}
		r.id, r.call, r.who, r.at = ID(id), fact.ID(call), [anon.ContactLen]byte(who), time.UnixMicro(at)
		out = append(out, r)
	}
	return out, found.Err()
}

// forget deletes a stored key, so that it is in no file any more, and removes the recording's file.
func (b *Book) forget(ctx context.Context, ws workspace.ID, id ID) error {
	err := b.c.DB.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM recordings WHERE workspace = ? AND id = ?`, ws.String(), id[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("destroy the key of a recording: %w", err)
	}
	return errors.Join(b.c.DB.Scrub(ctx), shredFile(b.path(id)))
}

func (b *Book) path(id ID) string { return filepath.Join(b.c.Dir, id.String()) }

// verdict asks the register and the policy, as they stand now, about a call.
func (b *Book) verdict(ctx context.Context, ws workspace.ID, call fact.ID, who anon.Contact) (workspace.Policy, consent.Verdict, error) {
	policy, err := b.c.Store.Policy(ctx, ws)
	if err != nil {
		return policy, consent.Unknown, err
	}
	known, err := b.c.Register.Known(ctx, ws, call, who)
	if err != nil {
		return policy, consent.Unknown, err
	}
	v, _ := consent.Record(policy, known)
	return policy, v, nil
}

// Audio is a recording opened for listening. Close it.
type Audio struct {
	io.Reader
	Kind Kind
	f    *os.File
}

// Close closes the file.
func (a *Audio) Close() error { return a.f.Close() }

// Open opens a stored recording, after asking for the verdict once more. ErrGone, ErrRefused.
func (b *Book) Open(ctx context.Context, ws workspace.ID, id ID) (*Audio, error) {
	a, err := b.open(ctx, ws, id)
	if err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	return a, nil
}

func (b *Book) open(ctx context.Context, ws workspace.ID, id ID) (*Audio, error) {
	all, err := b.rows(ctx, `workspace = ? AND id = ?`, ws.String(), id[:])
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, ErrGone
	}
	r := all[0]
	pseudonym, err := b.c.Ring.Pseudonym(ws)
	if err != nil {
		return nil, err
	}
	_, v, err := b.verdict(ctx, ws, r.call, anon.Stored(pseudonym, r.who))
	if err != nil {
		return nil, err
	}
	if v == consent.Refuse {
		return nil, ErrRefused
	}
	opened, err := b.c.Ring.Open(ws, keyring.TopicRecordings, id, keyVersion, r.epoch, r.sealed)
	if errors.Is(err, keyring.ErrDead) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, err
	}
	k := &callKey{ws: ws, id: id, key: [32]byte(opened.Bytes())}
	defer k.zero()
	f, err := os.Open(b.path(id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, err
	}
	var kind [1]byte
	plain, err := age.Decrypt(f, k)
	if err == nil {
		_, err = io.ReadFull(plain, kind[:])
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Audio{Reader: plain, Kind: Kind(kind[0]), f: f}, nil
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

func (t *Take) store(ctx context.Context, media io.Reader) (ID, error) {
	at := t.book.c.Now()
	if t.State() == consent.Noticing {
		t.mu.Lock()
		if t.basis == string(workspace.Notice) {
			t.basis = basisStated
		}
		t.mu.Unlock()
		if _, err := t.Step(ctx, consent.Event{Kind: consent.Attested, At: at}); err != nil {
			return ID{}, err
		}
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

// Sweep removes what a crash left behind: every file whose key is not stored. Call it before the first Begin.
func (b *Book) Sweep(ctx context.Context) (removed int, err error) {
	entries, err := os.ReadDir(b.c.Dir)
	if err != nil {
		return 0, fmt.Errorf("sweep recordings: %w", err)
	}
	all, err := b.rows(ctx, `1 = 1`)
	if err != nil {
		return 0, err
	}
	stored := map[ID]bool{}
	for _, r := range all {
		stored[r.id] = true
	}
	for _, t := range b.takes(func(*Take) bool { return true }) {
		stored[t.ID()] = true
	}
	for _, e := range entries {
		if id, ok := ParseID(e.Name()); ok && stored[id] {
			continue
		}
		if err := shredFile(filepath.Join(b.c.Dir, e.Name())); err != nil {
			return removed, fmt.Errorf("sweep recordings: %w", err)
		}
		removed++
	}
	return removed, nil
}

// Refuse destroys every stored recording of a call, or of a contact when call is zero, and tells the live ones.
func (b *Book) Refuse(ctx context.Context, ws workspace.ID, s consent.Subject, via fact.Via) error {
	e := consent.Event{Kind: consent.SaidNo, At: b.c.Now(), Via: via}
	var errs []error
	for _, t := range b.takes(func(t *Take) bool {
		return t.head.Workspace == ws && (t.call == s.Call || s.Contact.Valid() && t.who == s.Contact)
	}) {
		_, err := t.Step(ctx, e)
		errs = append(errs, err)
	}
	who := s.Contact.Bytes()
	all, err := b.rows(ctx, `workspace = ? AND (call = ? OR contact = ? AND ?)`, ws.String(), s.Call[:], who[:], s.Contact.Valid())
	errs = append(errs, err)
	for _, r := range all {
		errs = append(errs, b.end(ctx, r, e))
	}
	return errors.Join(errs...)
}

// end takes a stored recording through its last moves: the key goes, then the ledger says so.
func (b *Book) end(ctx context.Context, r row, e consent.Event) error {
	m := consent.Ended(consent.Released, r.at)
	m.Step(e)
	if err := b.forget(ctx, r.ws, r.id); err != nil {
		return err
	}
	m.Step(consent.Event{Kind: consent.Destroyed, At: b.c.Now()})
	ev := m.Evidence()
	entry := ledger.Recording{
		Workspace: r.ws.String(), Ref: r.call[:], ID: r.id.String(), State: m.State().String(), Rule: consent.Rule, Trace: moves(ev.Trace),
	}
	if ev.Via != 0 {
		entry.Via = consent.ViaName(ev.Via)
	}
	err := b.c.DB.Tx(ctx, func(tx *sql.Tx) error {
		_, err := b.c.Ledger.Append(ctx, tx, entry)
		return err
	})
	if err != nil {
		return fmt.Errorf("account for a recording: %w", err)
	}
	return nil
}

// Rotate ends recordings older than raw-hours, and seals the keys of younger ones under today's epoch. Call it before the
// older epochs are destroyed; what it could not carry over dies with them.
func (b *Book) Rotate(ctx context.Context) error {
	today := b.c.Ring.Today()
	all, err := b.rows(ctx, `1 = 1`)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range all {
		p, err := b.c.Store.Policy(ctx, r.ws)
		if err != nil {
			return err
		}
		switch old := b.c.Now().Sub(r.at) >= time.Duration(p.RawHours)*time.Hour; {
		case old:
			errs = append(errs, b.end(ctx, r, consent.Event{Kind: consent.Expired, At: b.c.Now()}))
		case r.epoch < today:
			errs = append(errs, b.carry(ctx, r))
		}
	}
	return errors.Join(errs...)
}

// carry seals a key under today's epoch; one that is dead already ends.
func (b *Book) carry(ctx context.Context, r row) error {
	opened, err := b.c.Ring.Open(r.ws, keyring.TopicRecordings, r.id, keyVersion, r.epoch, r.sealed)
	if errors.Is(err, keyring.ErrDead) || errors.Is(err, keyring.ErrSeal) {
		return b.end(ctx, r, consent.Event{Kind: consent.Expired, At: b.c.Now()})
	}
	if err != nil {
		return fmt.Errorf("carry a recording over: %w", err)
	}
	epoch, sealed, err := b.c.Ring.Reseal(opened)
	if err != nil {
		return fmt.Errorf("carry a recording over: %w", err)
	}
	return b.c.DB.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE recordings SET epoch = ?, key = ? WHERE workspace = ? AND id = ?`, epoch, sealed, r.ws.String(), r.id[:])
		return err
	})
}

// Expire ends the calls that have been in a state for too long, tries again what could not be done, and lets go of calls
// that are over. Call it every few seconds.
func (b *Book) Expire(ctx context.Context) error {
	now := b.c.Now()
	var errs []error
	for _, t := range b.takes(func(*Take) bool { return true }) {
		t.mu.Lock()
		late, over := t.m.Overdue(now), t.m.State().Over()
		t.mu.Unlock()
		switch {
		case late:
			_, err := t.Step(ctx, consent.Event{Kind: consent.TimedOut, At: now})
			errs = append(errs, err)
		case over:
			errs = append(errs, t.Close(ctx))
		}
	}
	return errors.Join(errs...)
}

// Close aborts every live call.
func (b *Book) Close(ctx context.Context) error {
	var errs []error
	for _, t := range b.takes(func(*Take) bool { return true }) {
		errs = append(errs, t.Close(ctx))
	}
	return errors.Join(errs...)
}
