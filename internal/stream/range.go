package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Range is a part of a partition: the records from First to Last.
type Range struct {
	Topic, TopicID string
	Partition      int32
	First, Last    int64
}

// Again reads a range once more, outside of the group, and hands its records to take until one of its calls says that it is
// enough. gone: the servers no longer have all of it. whole: take has seen whatever is left of it.
func (c Config) Again(ctx context.Context, r Range, take func(context.Context, []Record) (enough bool, err error)) (gone, whole bool, err error) {
	client, err := kgo.NewClient(append(c.options(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.Topic: {r.Partition: kgo.NewOffset().At(r.First)}}))...)
	if err != nil {
		return false, false, fmt.Errorf("read the stream again: %w", err)
	}
	defer client.Close()
	known, err := c.topics(ctx, client)
	if err != nil {
		return false, false, err
	}
	starts, err := kadm.NewClient(client).ListStartOffsets(ctx, r.Topic)
	if err != nil {
		return false, false, fmt.Errorf("ask where topic %s begins: %w", r.Topic, away(ctx, err))
	}
	start, ok := starts.Lookup(r.Topic, r.Partition)
	if known.ids[r.Topic] != r.TopicID || !ok || start.Err == nil && start.Offset > r.Last {
		return true, true, nil
	}
	gone = start.Offset > r.First
	for {
		records, err := part(ctx, client, known, r)
		if err != nil || len(records) == 0 {
			return gone, false, err // the servers take their time: next time
		}
		last := records[len(records)-1].Offset
		for len(records) > 0 && records[len(records)-1].Offset > r.Last {
			records = records[:len(records)-1]
		}
		if enough, err := take(ctx, records); err != nil || enough {
			return gone, false, err
		}
		if last >= r.Last {
			return gone, true, nil
		}
	}
}

// partTime is how long a part of a range may take to come.
const partTime = 3 * time.Second

func part(ctx context.Context, client *kgo.Client, known topics, r Range) (records []Record, err error) {
	bounded, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	fetched := client.PollRecords(bounded, MostRecords)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, e := range fetched.Errors() {
		if lasting(e.Err) {
			return nil, fmt.Errorf("read topic %s again: %w", r.Topic, away(ctx, e.Err))
		}
	}
	fetched.EachRecord(func(k *kgo.Record) { records = append(records, known.record(k)) })
	return records, nil
}
