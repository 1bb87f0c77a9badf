package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
)

// Append implements journal.Journal. It is safe for any number of callers, who share transactions.
func (j *Journal) Append(ctx context.Context, m ...journal.Message) (fresh int, err error) {
	if err := check(m); err != nil {
		return 0, fmt.Errorf("append: %w", err)
	}
	if len(m) == 0 {
		return 0, ctx.Err()
	}
	err = j.write(ctx, len(m), func(t *tx) (err error) {
		fresh, err = t.store(m)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("append: %w", err)
	}
	return fresh, nil
}

// check refuses what must not get into a transaction with others.
func check(m []journal.Message) error {
	for i := range m {
		switch {
		case m[i].Topic != journal.Inbox && m[i].Topic != journal.Facts && m[i].Topic != journal.States:
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

// store writes messages of any topic and reports how many are new ones.
func (t *tx) store(m []journal.Message) (fresh int, err error) {
	for i := range m {
		isNew := false
		switch m[i].Topic {
		case journal.Inbox:
			isNew, err = t.deliver(&m[i])
		case journal.Facts:
			isNew, err = true, t.addFacts(&m[i])
		case journal.States:
			err = t.setState(&m[i])
		}
		if err != nil {
			return 0, err
		}
		if isNew {
			fresh++
		}
	}
	return fresh, nil
}

// deliver stores a delivery unless its ID is known. (workspace, ID) is the idempotency key.
func (t *tx) deliver(m *journal.Message) (fresh bool, err error) {
	ws, err := t.number(m.Workspace)
	if err != nil {
		return false, err
	}
	pos, err := t.position()
	if err != nil {
		return false, err
	}
	s := &t.w.sql
	n, err := t.affect(s.addDelivery, pos, ws, m.ID[:], int64(m.Source), int64(m.Key), micros(m.At), len(m.Payload), t.now)
	if err != nil {
		return false, err
	}
	c := t.accepted[account{ws, int64(m.Source)}]
	if c == nil {
		c = new(count)
		t.accepted[account{ws, int64(m.Source)}] = c
	}
	c.deliveries++
	if n == 0 {
		c.duplicates++
		return false, nil
	}
	t.inbox = true
	return true, t.exec(s.addPayload, pos, int64(m.Epoch), m.Payload)
}

func (t *tx) addFacts(m *journal.Message) error {
	ws, err := t.number(m.Workspace)
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

// setState records what became of a delivery. Erased is final; Pending means once more.
func (t *tx) setState(m *journal.Message) error {
	ws, err := t.number(m.Workspace)
	if err != nil {
		return err
	}
	s := &t.w.sql
	switch m.State {
	case fact.Pending:
		return t.again(ws, m.ID)
	case fact.Erased, fact.Refused: // what must not be opened is not kept for later
		if err := t.exec(s.dropSealed, ws, m.ID[:]); err != nil {
			return err
		}
	}
	var contact any
	if m.Contact != ([16]byte{}) {
		contact = m.Contact[:]
	}
	return t.exec(s.setState, int64(m.State), int64(m.Why), t.now, contact, ws, m.ID[:])
}

// again puts a delivery whose payload is still kept at the end of the inbox.
func (t *tx) again(ws int64, id journal.ID) error {
	rows, err := t.w.sql.findSealed.QueryContext(t.ctx, ws, id[:])
	if err != nil {
		return err
	}
	found, err := positions(rows)
	if err != nil {
		return err
	}
	return t.requeue(found)
}

// requeue gives deliveries new positions, in the order given.
func (t *tx) requeue(found []int64) error {
	for _, old := range found {
		pos, err := t.position()
		if err != nil {
			return err
		}
		if err := t.exec(t.w.sql.moveDelivery, pos, t.now, old); err != nil {
			return err
		}
		if err := t.exec(t.w.sql.movePayload, pos, old); err != nil {
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
