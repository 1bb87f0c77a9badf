package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"murmur/internal/journal"
)

// Append implements journal.Queue. Callers at the same time share requests. Messages that exceed the buffer of those on
// their way are refused at once (ErrFull), so that they wait with the caller and not in memory.
func (q *Queue) Append(ctx context.Context, all ...journal.Message) error {
	if err := q.append(ctx, all); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	return nil
}

func (q *Queue) append(ctx context.Context, all []journal.Message) error {
	if err := ctx.Err(); err != nil || len(all) == 0 {
		return err
	}
	records := make([]*kgo.Record, len(all))
	var size int64
	for i := range all {
		m := &all[i]
		if len(m.Payload) > journal.MaxPayload {
			return fmt.Errorf("payload of %d bytes: %w", len(m.Payload), journal.ErrTooLarge)
		}
		if !m.Workspace.Valid() {
			return errors.New("no workspace")
		}
		if _, err := q.topic(ctx, m.Topic); err != nil {
			return err
		}
		records[i] = q.record(m)
		size += int64(len(m.Payload)) + headerSize
	}
	size = min(size, q.config.Buffer)
	if !q.room.TryAcquire(size) {
		return fmt.Errorf("%d bytes are on their way to the queue: %w", q.config.Buffer, journal.ErrFull)
	}
	defer q.room.Release(size)
	return q.produce(ctx, records)
}

// produce gives records to the servers and waits for all of them, Config.Patience at most.
func (q *Queue) produce(ctx context.Context, records []*kgo.Record) error {
	bounded, cancel := context.WithTimeout(ctx, q.config.Patience)
	defer cancel()
	err := q.client.ProduceSync(bounded, records...).FirstErr()
	if errors.Is(err, kerr.MessageTooLarge) {
		return fmt.Errorf("%w: the topic's max.message.bytes is too small: %w", journal.ErrUnfit, err)
	}
	return away(ctx, err)
}
