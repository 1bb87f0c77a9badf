package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// Settle implements deliveries.Intake.
func (j *Journal) Settle(ctx context.Context, still func() bool, done, facts []journal.Message) (fresh []bool, err error) {
	if err = errors.Join(checkDone(done), check(facts)); err == nil {
		err = j.write(ctx, len(done)+len(facts), func(t *tx) (err error) {
			if !still() {
				return deliveries.ErrMoved
			}
			if fresh, err = t.settle(done); err != nil {
				return err
			}
			return t.store(facts)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("settle deliveries: %w", err)
	}
	return fresh, nil
}

func checkDone(done []journal.Message) error {
	for i := range done {
		m := &done[i]
		switch {
		case !m.Workspace.Valid():
			return errors.New("no workspace")
		case m.State <= fact.Pending || m.State > fact.Erased:
			return errors.New("not decided")
		case m.State == fact.Held && len(m.Payload) == 0:
			return errors.New("no payload of what waits")
		case len(m.Payload) > journal.MaxPayload:
			return fmt.Errorf("payload of %d bytes: %w", len(m.Payload), journal.ErrTooLarge)
		}
	}
	return nil
}

// settle stores decided deliveries unless their IDs are known, and says of each whether it was not.
func (t *tx) settle(done []journal.Message) ([]bool, error) {
	fresh := make([]bool, len(done))
	for i := range done {
		var err error
		if fresh[i], err = t.settleOne(&done[i]); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

func (t *tx) settleOne(m *journal.Message) (fresh bool, err error) {
	ws, err := t.workspace(m.Workspace)
	if err != nil {
		return false, err
	}
	source, err := t.source(m.Source)
	if err != nil {
		return false, err
	}
	known := m.State == fact.Duplicate
	if !known {
		if known, err = t.knows(ws, m.ID); err != nil {
			return false, err
		}
	}
	c := t.account(ws, source)
	c.deliveries++
	if known {
		c.duplicates++
		return false, nil
	}
	c.latest = max(c.latest, micros(m.At))
	pos, err := t.add(ws, source, m, m.State, m.Why, m.Contact)
	if err != nil {
		return false, err
	}
	if deliveries.Settled(m.State) {
		counts := t.settled[account{ws, source}]
		counts[m.State]++
		t.settled[account{ws, source}] = counts
		return true, nil
	}
	if m.State == fact.Held {
		if err := t.exec(t.w.sql.addHeld, pos, ws, anyOr(m.About.Call), anyOr(m.About.Contact)); err != nil {
			return false, err
		}
	}
	if len(m.Payload) == 0 { // quarantined for good
		return true, nil
	}
	return true, t.addPayload(pos, ws, m)
}

// knownChunk is how many ids are looked up in one transaction, which changes nothing.
const knownChunk = 256

// Known implements deliveries.Intake.
func (j *Journal) Known(ctx context.Context, w workspace.ID, ids []journal.ID) (map[journal.ID]fact.State, error) {
	known := map[journal.ID]fact.State{}
	ws, err := j.workspace(ctx, w)
	for chunk := range slices.Chunk(ids, knownChunk) {
		if err != nil || ws == 0 {
			break
		}
		err = j.write(ctx, len(chunk), func(t *tx) error {
			for _, id := range chunk {
				r, err := t.find(ws, id)
				if err != nil {
					return err
				}
				if r != nil {
					known[id] = r.state
				}
			}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("look deliveries up: %w", err)
	}
	return known, nil
}
