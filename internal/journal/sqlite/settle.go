package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	c := t.account(ws, source)
	c.deliveries++
	var pos, n int64
	at := micros(m.At)
	if m.State != fact.Duplicate {
		if pos, err = t.position(); err != nil {
			return false, err
		}
		n, err = t.affect(t.w.sql.addSettled, pos, ws, m.ID[:], source, at, int64(m.State), int64(m.Why), t.now-at, ownerOf(m.Contact))
		if err != nil {
			return false, err
		}
	}
	if n == 0 {
		c.duplicates++
		return false, nil
	}
	c.latest = max(c.latest, at)
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
	return true, t.keep(pos, ws, m)
}

// knownChunk is how many ids one statement asks for.
const knownChunk = 256

var readKnown = `select id, state from delivery where ws = (select no from workspace where name = ?)
	and substr(id, 1, 8) in (?` + strings.Repeat(", ?", knownChunk-1) + `)`

// Known implements deliveries.Intake.
func (j *Journal) Known(ctx context.Context, w workspace.ID, ids []journal.ID) (map[journal.ID]fact.State, error) {
	known := map[journal.ID]fact.State{}
	for lo := 0; lo < len(ids); lo += knownChunk {
		if err := j.addKnown(ctx, known, w, ids[lo:min(lo+knownChunk, len(ids))]); err != nil {
			return nil, fmt.Errorf("look deliveries up: %w", err)
		}
	}
	return known, nil
}

// addKnown looks up at most knownChunk ids.
func (j *Journal) addKnown(ctx context.Context, known map[journal.ID]fact.State, w workspace.ID, ids []journal.ID) (err error) {
	args := make([]any, 1, 1+knownChunk)
	args[0] = w.String()
	wanted := make(map[journal.ID]bool, len(ids))
	for i := range knownChunk {
		id := ids[min(i, len(ids)-1)] // the last one fills up
		wanted[id] = true
		args = append(args, id[:8])
	}
	rows, err := j.reads.QueryContext(ctx, readKnown, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var b []byte
		var state fact.State
		if err := rows.Scan(&b, &state); err != nil {
			return err
		}
		if id := journal.ID(b); wanted[id] {
			known[id] = state
		}
	}
	return rows.Err()
}
