package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"murmur/internal/journal"
)

// Lag is how many messages of a topic a group has not finished.
func (q *Queue) Lag(ctx context.Context, topic journal.Topic, group string) (n int64, err error) {
	if _, err := q.topic(ctx, topic); err != nil {
		return 0, err
	}
	name := q.name(topic)
	starts, err := q.admin.ListStartOffsets(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("ask for the lag of %s: %w", name, away(ctx, err))
	}
	ends, err := q.admin.ListEndOffsets(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("ask for the lag of %s: %w", name, away(ctx, err))
	}
	cursors, err := q.cursors(ctx, q.groupOf(topic, group))
	if err != nil {
		return 0, fmt.Errorf("ask for the lag of %s: %w", name, away(ctx, err))
	}
	for p := range q.config.Partitions {
		start, _ := starts.Lookup(name, p)
		end, ok := ends.Lookup(name, p)
		if !ok || end.Err != nil || start.Err != nil {
			return 0, fmt.Errorf("ask for the lag of %s: %w: %w", name, journal.ErrAway, errors.Join(end.Err, start.Err))
		}
		at := start.Offset
		if c, ok := cursors.Lookup(name, p); ok {
			at = max(at, c.At)
		}
		n += max(end.Offset-at, 0)
	}
	return n, nil
}

// cursors are where a group is; none of a group that never committed.
func (q *Queue) cursors(ctx context.Context, group string) (kadm.OffsetResponses, error) {
	found, err := q.admin.FetchOffsets(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	if err == nil {
		err = found.Error()
	}
	return found, err
}

// trim deletes messages that every group has read, every Config.Trim. It repeats a failed deletion
// the next time.
func (c *consumer) trim() {
	if time.Since(c.trimmed) < c.queue.config.Trim {
		return
	}
	c.trimmed = time.Now()
	ctx, cancel := context.WithTimeout(c.ctx, partingTime)
	defer cancel()
	_ = c.queue.trim(ctx, c.reader.Topic)
}

func (q *Queue) trim(ctx context.Context, topic journal.Topic) error {
	groups, err := q.admin.ListGroups(ctx)
	if err != nil {
		return err
	}
	name, first := q.name(topic), map[int32]int64{}
	behind := map[int32]bool{} // a group has read nothing of it yet
	for _, group := range groups.Groups() {
		if !strings.HasPrefix(group, name+".") {
			continue
		}
		cursors, err := q.cursors(ctx, group)
		if err != nil {
			return err
		}
		for p := range q.config.Partitions {
			c, ok := cursors.Lookup(name, p)
			if !ok || c.At < 0 {
				behind[p] = true
				continue
			}
			if at, ok := first[p]; !ok || c.At < at {
				first[p] = c.At
			}
		}
	}
	var delete kadm.Offsets
	for p, at := range first {
		if !behind[p] {
			delete.Add(kadm.Offset{Topic: name, Partition: p, At: at, LeaderEpoch: -1})
		}
	}
	if len(delete) == 0 {
		return nil
	}
	gone, err := q.admin.DeleteRecords(ctx, delete)
	if err == nil {
		err = gone.Error()
	}
	return err
}
