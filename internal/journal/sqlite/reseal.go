package sqlite

import (
	"context"
	"fmt"

	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// Retire implements deliveries.Store.
func (j *Journal) Retire(ctx context.Context, w workspace.ID, below uint32) error {
	err := j.write(ctx, 1, func(t *tx) error {
		ws, err := t.workspace(w)
		if err != nil {
			return err
		}
		_, err = t.change(`insert into retired values (?, ?) on conflict do update set below = max(below, excluded.below)`, ws, int64(below))
		return err
	})
	if err != nil {
		return fmt.Errorf("retire an epoch: %w", err)
	}
	return nil
}

// Unretire implements deliveries.Store.
func (j *Journal) Unretire(ctx context.Context, today, tomorrow uint32) error {
	err := j.write(ctx, 1, func(t *tx) error {
		_, err := t.change(`update retired set below = ? where below >= ?`, int64(today), int64(tomorrow))
		return err
	})
	if err != nil {
		return fmt.Errorf("take epochs of the future back: %w", err)
	}
	return nil
}

// Epoch implements deliveries.Store.
func (j *Journal) Epoch(ctx context.Context, w workspace.ID) (epoch uint32, err error) {
	err = j.reads.QueryRowContext(ctx, `select coalesce((select min(epoch) from payload where ws = (select no from workspace where name = ?)), 0)`,
		w.String()).Scan(&epoch)
	if err != nil {
		return 0, fmt.Errorf("find the oldest epoch: %w", err)
	}
	return epoch, nil
}

// Reseal implements deliveries.Store. f runs outside the writer; a payload that has changed meanwhile is left as it is.
func (j *Journal) Reseal(ctx context.Context, w workspace.ID, below uint32, f func(journal.Message) (journal.Message, error)) (n int, err error) {
	ws, err := j.workspace(ctx, w)
	for pos := int64(0); err == nil; {
		var batch []journal.Message
		if batch, err = j.sealedBelow(ctx, ws, below, pos); err != nil || len(batch) == 0 {
			break
		}
		if pos, err = rowOf(batch[len(batch)-1].Position); err != nil {
			break
		}
		var changed int
		changed, err = j.resealBatch(ctx, batch, f)
		n += changed
	}
	if err != nil {
		return n, fmt.Errorf("reseal: %w", err)
	}
	return n, nil
}

// sealedBelow reads the next payloads past a position that an older epoch seals. The index gives their positions first:
// what is read in the order of the table would be all of it, each time.
func (j *Journal) sealedBelow(ctx context.Context, ws int64, below uint32, pos int64) ([]journal.Message, error) {
	rows, err := j.reads.QueryContext(ctx, `select pos, name, id, label, key, at, epoch, body from payload p join delivery using (pos)
		join workspace w on w.no = p.ws join source s on s.no = source
		where pos in (select pos from payload indexed by payload_epoch where ws = ?1 and epoch < ?2 and pos > ?3 order by pos limit 64)
		order by pos`, ws, int64(below), pos)
	if err != nil {
		return nil, err
	}
	return messages(rows, journal.Inbox)
}

func (j *Journal) resealBatch(ctx context.Context, batch []journal.Message, f func(journal.Message) (journal.Message, error)) (n int, err error) {
	sealed := make([]journal.Message, len(batch))
	for i := range batch {
		if sealed[i], err = f(batch[i]); err != nil {
			return 0, err
		}
	}
	if err := check(sealed); err != nil {
		return 0, err
	}
	err = j.write(ctx, commitSize, func(t *tx) error {
		n = 0
		for i, m := range sealed {
			pos, err := rowOf(batch[i].Position)
			if err != nil {
				return err
			}
			changed, err := t.change(`update payload set epoch = ?, body = ? where pos = ? and epoch = ?`,
				int64(m.Epoch), m.Payload, pos, int64(batch[i].Epoch))
			if err != nil {
				return err
			}
			n += int(changed)
		}
		return nil
	})
	return n, err
}
