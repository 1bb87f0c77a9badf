package recording

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/workspace"
)

// Sweep removes what a crash left behind: every file whose key is not stored, and every key whose file is missing. What
// no crash leaves (a released recording without its key or its file) is remembered for Check. Call it before the first
// Begin.
func (b *Book) Sweep(ctx context.Context) (removed int, err error) {
	entries, err := os.ReadDir(b.c.Dir)
	if err != nil {
		return 0, fmt.Errorf("sweep recordings: %w", err)
	}
	all, err := b.rows(ctx, `1 = 1`)
	if err != nil {
		return 0, err
	}
	told, err := b.stories(ctx)
	if err != nil {
		return 0, err
	}
	keys := map[ID]row{}
	for _, r := range all {
		keys[r.id] = r
	}
	for _, e := range entries {
		id, ok := ParseID(e.Name())
		if _, kept := keys[id]; ok && kept {
			delete(keys, id)
			continue
		}
		if s := told[e.Name()]; s.released() {
			b.lost = append(b.lost, damage{"murmur.db", fmt.Sprintf("recording %s: released, and its key was missing at the start", e.Name())})
		}
		if err := b.orphan(ctx, e.Name(), ok); err != nil {
			return removed, fmt.Errorf("sweep recordings: %w", err)
		}
		removed++
	}
	for _, r := range keys {
		b.lost = append(b.lost, damage{"recordings/" + r.id.String(), "missing at the start"})
		if err := b.end(ctx, r, consent.Event{Kind: consent.Failed, At: b.c.Now()}); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// orphan removes a file that no key opens. Its call is not known; the ledger has the recording's id.
func (b *Book) orphan(ctx context.Context, name string, recording bool) error {
	if err := shredFile(filepath.Join(b.c.Dir, name)); err != nil || !recording {
		return err
	}
	var m consent.Call
	m.Step(consent.Event{Kind: consent.Failed, At: b.c.Now()})
	m.Step(consent.Event{Kind: consent.Destroyed, At: b.c.Now()})
	b.ends.add(&m, 0)
	return b.append(ctx, ledger.Recording{
		Workspace: workspace.Default.String(), ID: name, State: m.State().String(), Rule: consent.Rule, Trace: moves(m.Evidence().Trace),
	})
}

func (b *Book) append(ctx context.Context, e ledger.Recording) error {
	return b.c.DB.Tx(ctx, func(tx *sql.Tx) error {
		_, err := b.c.Ledger.Append(ctx, tx, e)
		return err
	})
}

// Refuse destroys what there is of a call, or of every call with a contact: live or stored.
func (b *Book) Refuse(ctx context.Context, ws workspace.ID, about consent.Subject, via fact.Via) error {
	return b.all(ctx, ws, about, consent.Event{Kind: consent.SaidNo, At: b.c.Now(), Via: via})
}

// Erase destroys what there is of a contact, without writing down that they refused anything.
func (b *Book) Erase(ctx context.Context, ws workspace.ID, who anon.Contact) error {
	return b.all(ctx, ws, consent.Subject{Contact: who}, consent.Event{Kind: consent.Expired, At: b.c.Now()})
}

// all applies an event to every recording of a call or a contact. One failure does not stop the others.
func (b *Book) all(ctx context.Context, ws workspace.ID, about consent.Subject, e consent.Event) error {
	var errs []error
	for _, t := range b.takes(func(t *Take) bool {
		return t.head.Workspace == ws && (t.call == about.Call || about.Contact.Valid() && t.who == about.Contact)
	}) {
		_, err := t.Step(ctx, e)
		errs = append(errs, err)
	}
	who := about.Contact.Bytes()
	rows, err := b.rows(ctx, `workspace = ? AND (call = ? OR ? AND contact = ?)`, ws.String(), about.Call[:], about.Contact.Valid(), who[:])
	errs = append(errs, err)
	for _, r := range rows {
		errs = append(errs, b.end(ctx, r, e))
	}
	errs = append(errs, b.unannounce(ctx, ws, `(call = ? OR ? AND contact = ?)`, about.Call[:], about.Contact.Valid(), who[:]))
	return errors.Join(errs...)
}

// end takes a stored recording through its last moves: the key goes, and the ledger says so.
func (b *Book) end(ctx context.Context, r row, e consent.Event) error {
	m := consent.Ended(consent.Released, r.at)
	m.Step(e)
	m.Step(consent.Event{Kind: consent.Destroyed, At: e.At})
	b.ends.add(m, 0)
	ev := m.Evidence()
	entry := ledger.Recording{
		Workspace: r.ws.String(), Ref: r.call[:], ID: r.id.String(), State: m.State().String(), Rule: consent.Rule, Trace: moves(ev.Trace),
	}
	if ev.Via != 0 {
		entry.Via = consent.ViaName(ev.Via)
	}
	return b.forget(ctx, r.ws, r.id, &entry)
}

// Rotate ends recordings older than raw-hours, and seals the keys of younger ones under today's epoch. Call it before the
// older epochs are destroyed; what it could not carry over dies with them.
func (b *Book) Rotate(ctx context.Context) error {
	all, err := b.rows(ctx, `1 = 1`)
	if err != nil {
		return err
	}
	workspaces, err := b.c.Store.List(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, ws := range workspaces {
		p, err := b.c.Store.Policy(ctx, ws)
		if err != nil {
			return err
		}
		errs = append(errs, b.unannounce(ctx, ws, `at <= ?`, b.c.Now().Add(-time.Duration(p.RawHours)*time.Hour).UnixMicro()))
	}
	for _, r := range all {
		p, err := b.c.Store.Policy(ctx, r.ws)
		if err != nil {
			return err
		}
		current, err := b.c.Ring.Current(r.ws)
		switch old := b.late(p, r.at); {
		case old:
			errs = append(errs, b.end(ctx, r, consent.Event{Kind: consent.Expired, At: b.c.Now()}))
		case err != nil:
			errs = append(errs, err)
		case r.epoch < current:
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

// linger is how long a call that is over is remembered, so that a report that comes late, or twice, finds it.
const linger = 10 * time.Minute

// Expire ends the calls that have been in a state for too long, tries again what could not be done, and lets go of calls
// that have been over for a while. Call it every few seconds.
func (b *Book) Expire(ctx context.Context) error {
	now := b.c.Now()
	var errs []error
	for _, t := range b.takes(func(*Take) bool { return true }) {
		t.mu.Lock()
		late, over := t.m.Overdue(now), t.m.State().Over() && now.Sub(t.m.Since()) > linger
		t.mu.Unlock()
		switch {
		case late:
			_, err := t.Step(ctx, consent.Event{Kind: consent.TimedOut, At: now})
			errs = append(errs, err)
		case over:
			errs = append(errs, t.Close(ctx))
		default:
			errs = append(errs, t.retry(ctx))
		}
	}
	return errors.Join(errs...)
}

// Vacate ends every call of a workspace whose keys are destroyed: what was kept goes, and what could only be written down with
// its keys is not.
func (b *Book) Vacate(ctx context.Context, ws workspace.ID) error {
	for _, t := range b.takes(func(t *Take) bool { return t.head.Workspace == ws }) {
		_ = t.Close(ctx)
		b.drop(t)
	}
	rows, err := b.rows(ctx, `workspace = ?`, ws.String())
	errs := []error{err}
	for _, r := range rows {
		errs = append(errs, b.end(ctx, r, consent.Event{Kind: consent.Expired, At: b.c.Now()}))
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
