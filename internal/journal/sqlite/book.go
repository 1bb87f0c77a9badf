package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
)

// Accept implements deliveries.Intake. It is safe for any number of callers, who share transactions.
func (j *Journal) Accept(ctx context.Context, m ...journal.Message) (fresh int, err error) {
	err = check(m)
	for i := range m {
		if err == nil && m[i].Topic != journal.Inbox {
			err = errors.New("not a delivery")
		}
	}
	if err == nil && len(m) > 0 {
		err = j.write(ctx, len(m), func(t *tx) (err error) {
			fresh, err = t.accept(m)
			return err
		})
	}
	if err != nil {
		return 0, fmt.Errorf("accept deliveries: %w", err)
	}
	return fresh, ctx.Err()
}

// check refuses messages that must not be in one transaction with others.
func check(m []journal.Message) error {
	for i := range m {
		switch {
		case m[i].Topic != journal.Inbox && m[i].Topic != journal.Facts && m[i].Topic != journal.States && m[i].Topic != journal.Parked:
			return errors.New("unknown topic")
		case !m[i].Workspace.Valid():
			return errors.New("no workspace")
		case m[i].Topic != journal.States && len(m[i].Payload) == 0:
			return errors.New("no payload")
		case len(m[i].Payload) > journal.MaxPayload:
			return fmt.Errorf("payload of %d bytes: %w", len(m[i].Payload), journal.ErrTooLarge)
		case m[i].Topic == journal.States && (m[i].State < fact.Pending || m[i].State > fact.Erased):
			return errors.New("unknown state")
		}
	}
	return nil
}

// accept stores deliveries unless their IDs are known, and reports how many were not. (workspace, ID) is the
// idempotency key.
func (t *tx) accept(m []journal.Message) (fresh int, err error) {
	for i := range m {
		isNew, err := t.deliver(&m[i])
		if err != nil {
			return 0, err
		}
		if isNew {
			fresh++
		}
	}
	return fresh, nil
}

func (t *tx) deliver(m *journal.Message) (fresh bool, err error) {
	ws, err := t.workspace(m.Workspace)
	if err != nil {
		return false, err
	}
	source, err := t.source(m.Source)
	if err != nil {
		return false, err
	}
	known, err := t.knows(ws, m.ID)
	if err != nil {
		return false, err
	}
	c := t.account(ws, source)
	c.deliveries++
	if known {
		c.duplicates++
		return false, nil
	}
	c.latest = max(c.latest, micros(m.At))
	pos, err := t.add(ws, source, m, fact.Pending, fact.WhyNone, [16]byte{})
	if err != nil {
		return false, err
	}
	t.inbox = true
	return true, t.addPayload(pos, ws, m)
}

// add stores a new delivery.
func (t *tx) add(ws, source int64, m *journal.Message, s fact.State, why fact.Why, contact [16]byte) (pos int64, err error) {
	if pos, err = t.position(); err != nil {
		return 0, err
	}
	t.placed[name{ws, m.ID}] = pos
	at := micros(m.At)
	return pos, t.w.deliveries.add(t.ctx, 0, pos, ws, m.ID[:], source, at, int64(s), int64(why), t.now-at, ownerOf(contact))
}

// account counts what comes in of a source.
func (t *tx) account(ws, source int64) *count {
	c := t.accepted[account{ws, source}]
	if c == nil {
		c = new(count)
		t.accepted[account{ws, source}] = c
	}
	return c
}

// addPayload stores the payload of a new delivery.
func (t *tx) addPayload(pos, ws int64, m *journal.Message) error {
	if err := t.current(ws, m.Epoch); err != nil {
		return err
	}
	return t.w.payloads.add(t.ctx, len(m.Payload), pos, ws, int64(m.Key), int64(m.Epoch), m.Payload)
}

// keep stores a payload unless there is one already, which may have been carried over to a younger epoch.
func (t *tx) keep(pos, ws int64, m *journal.Message) error {
	n, err := t.affect(t.w.sql.addPayload, pos, ws, int64(m.Key), int64(m.Epoch), m.Payload)
	if err != nil || n == 0 {
		return err
	}
	return t.current(ws, m.Epoch)
}

// current refuses what was sealed under an epoch that has ended.
func (t *tx) current(ws int64, epoch uint32) error {
	below, ok := t.retired[ws]
	if !ok {
		if err := t.w.sql.retired.QueryRowContext(t.ctx, ws).Scan(&below); err != nil {
			return err
		}
		t.retired[ws] = below
	}
	if epoch < below {
		return journal.ErrStale
	}
	return nil
}

// row is a delivery as it stands.
type row struct {
	pos, source, at int64
	state           fact.State
	why             fact.Why
}

// find gives a delivery's row, nil if there is none.
func (t *tx) find(ws int64, id journal.ID) (*row, error) {
	if err := t.sequence(); err != nil {
		return nil, err
	}
	n := name{ws, id}
	pos, filed := t.placed[n], false
	if pos == 0 {
		pos, filed = t.w.journal.places.look(n)
	}
	if pos == 0 && !filed {
		return nil, nil
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	found := t.w.sql.find.QueryRowContext
	args := []any{id[:], ws}
	if pos != 0 {
		found, args = t.w.sql.at.QueryRowContext, append(args, pos)
	}
	var r row
	err := found(t.ctx, args...).Scan(&r.pos, &r.source, &r.state, &r.why, &r.at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &r, err
}

// knows reports whether a delivery is in the book.
func (t *tx) knows(ws int64, id journal.ID) (bool, error) {
	if t.placed[name{ws, id}] != 0 { // accepted a moment ago
		return true, nil
	}
	r, err := t.find(ws, id)
	return r != nil, err
}

// store writes what a stage made: facts and states.
func (t *tx) store(m []journal.Message) error {
	for i := range m {
		var err error
		switch m[i].Topic {
		case journal.Inbox:
			_, err = t.deliver(&m[i])
		case journal.Facts:
			err = t.addFacts(&m[i])
		case journal.Parked:
			err = t.park(&m[i])
		case journal.States:
			err = t.setState(&m[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) addFacts(m *journal.Message) error {
	ws, err := t.workspace(m.Workspace)
	if err != nil {
		return err
	}
	pos, err := t.position()
	if err != nil {
		return err
	}
	t.facts = true
	return t.exec(t.w.sql.addMessage, pos, ws, m.ID[:], int64(m.Source), int64(m.Key), micros(m.At), int64(m.Epoch), m.Payload)
}

// park keeps facts that the lake could not take. (workspace, ID) is the idempotency key: the last one stays.
func (t *tx) park(m *journal.Message) error {
	ws, err := t.workspace(m.Workspace)
	if err != nil {
		return err
	}
	pos, err := t.position()
	if err != nil {
		return err
	}
	_, err = t.change(`insert or replace into parked values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		pos, ws, m.ID[:], int64(m.Source), int64(m.Key), micros(m.At), int64(m.Epoch), m.Payload, int64(m.Why))
	return err
}

// setState records what became of a delivery. Erased is final; Pending means once more.
func (t *tx) setState(m *journal.Message) error {
	ws, err := t.workspace(m.Workspace)
	if err != nil {
		return err
	}
	r, err := t.find(ws, m.ID)
	if err != nil || r == nil || r.state == fact.Erased {
		return err
	}
	if m.State == fact.Pending {
		return t.requeue([]int64{r.pos})
	}
	if err := t.become(ws, r, m.State, m.Why, m.Contact); err != nil || deliveries.Settled(m.State) {
		return err
	}
	if m.State == fact.Held {
		if err := t.exec(t.w.sql.addHeld, r.pos, ws, anyOr(m.About.Call), anyOr(m.About.Contact)); err != nil {
			return err
		}
	}
	if len(m.Payload) == 0 {
		return nil
	}
	return t.keep(r.pos, ws, m)
}

// anyOr is how a subject is stored: zero-length stands for any.
func anyOr(ref [16]byte) []byte {
	if ref == ([16]byte{}) {
		return []byte{}
	}
	return ref[:]
}

// become gives a delivery its state. A settled delivery loses its payload.
func (t *tx) become(ws int64, r *row, to fact.State, why fact.Why, contact [16]byte) error {
	s := &t.w.sql
	if r.state == fact.Held {
		if err := t.exec(s.dropHeld, r.pos); err != nil {
			return err
		}
	}
	if deliveries.Settled(to) && !deliveries.Settled(r.state) {
		if err := t.exec(s.dropPayload, r.pos); err != nil {
			return err
		}
	}
	counts := t.settled[account{ws, r.source}]
	if deliveries.Settled(r.state) {
		counts[r.state]--
	}
	if deliveries.Settled(to) {
		counts[to]++
	}
	t.settled[account{ws, r.source}] = counts
	return t.exec(s.setState, int64(to), int64(why), t.now-r.at, ownerOf(contact), r.pos)
}

// ownerOf is how a contact is stored: null for none.
func ownerOf(contact [16]byte) any {
	if contact == ([16]byte{}) {
		return nil
	}
	return contact[:]
}

// requeue gives deliveries whose payload is kept new positions at the end of the inbox, in the order given.
func (t *tx) requeue(found []int64) error {
	for _, old := range found {
		pos, err := t.position()
		if err != nil {
			return err
		}
		n, err := t.affect(t.w.sql.movePayload, pos, old)
		if err != nil {
			return err
		}
		if n == 0 {
			continue // there is nothing left to process
		}
		var ws int64
		var id []byte
		err = t.w.sql.moveDelivery.QueryRowContext(t.ctx, pos, t.now, old).Scan(&ws, &id)
		if errors.Is(err, sql.ErrNoRows) {
			continue // a payload that lost its row: Check names it
		}
		if err != nil {
			return err
		}
		t.placed[name{ws, journal.ID(id)}] = pos
		if err := t.exec(t.w.sql.dropHeld, old); err != nil {
			return err
		}
		t.inbox = true
	}
	return nil
}

func micros(t time.Time) int64 { return int64(fact.MicrosOf(t)) }

// timeOf is the reverse of micros.
func timeOf(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
