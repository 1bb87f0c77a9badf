package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"murmur/internal/journal"
)

// fillPause is how long a consumer that was handed too little waits for more.
const fillPause = time.Second

// partingTime is how long a consumer that ends may take to commit its work and to leave its group.
const partingTime = 3 * time.Second

// Transform implements journal.Queue. Every process may have one consumer of a group; they share the partitions, and one
// that has none waits until another leaves. While no server answers it waits too.
func (q *Queue) Transform(ctx context.Context, r journal.Reader, f journal.Stage) error {
	err := q.transform(ctx, r, f)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("transform %s for %s: %w", r.Topic, r.Group, err)
	}
	return nil
}

func (q *Queue) transform(ctx context.Context, r journal.Reader, f journal.Stage) error {
	if !groupName.MatchString(r.Group) {
		return errors.New("bad group name")
	}
	group := q.groupOf(r.Topic, r.Group)
	if !q.take(group) {
		return journal.ErrTaken
	}
	defer q.release(group)
	id, err := q.topic(ctx, r.Topic)
	if err != nil {
		return err
	}
	c := &consumer{queue: q, reader: r, id: id, name: q.name(r.Topic), held: map[int32][]*kgo.Record{}, trimmed: time.Now()}
	c.ctx, c.stop = context.WithCancelCause(ctx)
	defer c.stop(nil)
	if c.client, err = kgo.NewClient(append(common(q.config), c.options(group)...)...); err != nil {
		return err
	}
	defer c.leave()
	return c.run(f)
}

func (q *Queue) take(group string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	free := !q.taken[group]
	q.taken[group] = true
	return free
}

func (q *Queue) release(group string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.taken, group)
}

// consumer is one member of a group.
type consumer struct {
	queue   *Queue
	reader  journal.Reader
	client  *kgo.Client
	id      kadm.TopicID
	name    string                  // of the topic
	ctx     context.Context         //nolint:containedctx // it ends with this Transform, or with what resume found
	stop    context.CancelCauseFunc // of ctx
	trimmed time.Time

	mu   sync.Mutex
	held map[int32][]*kgo.Record // fetched and not finished, of the partitions that are this consumer's
}

func (c *consumer) options(group string) []kgo.Opt {
	session := c.queue.config.Session
	return []kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(c.name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(session), kgo.HeartbeatInterval(session / 6), kgo.RebalanceTimeout(2 * time.Minute),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), kgo.FetchMaxPartitionBytes(16 << 20), kgo.FetchMaxBytes(32 << 20),
		kgo.AdjustFetchOffsetsFn(c.resume),
		kgo.OnPartitionsRevoked(c.lost), kgo.OnPartitionsLost(c.lost),
	}
}

// lost drops records of partitions that go to another consumer.
func (c *consumer) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range gone[c.name] {
		delete(c.held, p)
	}
}

// resume says where to read partitions from that have become this consumer's.
func (c *consumer) resume(ctx context.Context, from map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	if c.reader.Resume == nil {
		return from, nil
	}
	ends, err := c.queue.admin.ListEndOffsets(ctx, c.name)
	if err != nil {
		return from, err // the group is joined again
	}
	for p := range from[c.name] {
		stored, err := c.reader.Resume(ctx, p)
		if err == nil && stored != "" {
			var at int64
			if at, err = offsetOf(c.id, stored); err == nil {
				end, ok := ends.Lookup(c.name, p)
				if ok && end.Err == nil && at >= end.Offset {
					err = journal.ErrAhead
				}
				from[c.name][p] = kgo.NewOffset().At(at + 1)
			}
		}
		if err != nil {
			c.stop(err)
			return from, err
		}
	}
	return from, nil
}

// run hands batches to f until ctx ends or something fails.
func (c *consumer) run(f journal.Stage) error {
	for {
		if err := c.poll(); err != nil {
			return err
		}
		err := c.step(f)
		c.client.AllowRebalance()
		if err != nil {
			return err
		}
		c.trim()
	}
}

// poll fetches records beside those that are held. With none held it waits for some.
func (c *consumer) poll() error {
	ctx, most := c.ctx, c.reader.Most()
	c.mu.Lock()
	for _, held := range c.held {
		most -= len(held)
	}
	waiting := len(c.held) > 0
	c.mu.Unlock()
	if waiting {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, fillPause)
		defer cancel()
	}
	if most <= 0 {
		<-ctx.Done()
		return context.Cause(c.ctx)
	}
	fetches := c.client.PollRecords(ctx, most)
	if err := context.Cause(c.ctx); err != nil {
		return err
	}
	for _, e := range fetches.Errors() {
		if final(e.Err) {
			return away(c.ctx, e.Err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) > 0 {
			c.held[p.Partition] = append(c.held[p.Partition], p.Records...)
		}
	})
	return nil
}

// final reports whether an error is lasting. The client recovers by itself from others: a server that is away, a group
// that it joins again. Resume finds out about records that are gone.
func final(err error) bool {
	if _, lost := errors.AsType[*kgo.ErrDataLoss](err); lost {
		return true
	}
	said, ok := errors.AsType[*kerr.Error](err)
	return ok && !said.Retriable && !isAny(err, lostGroup)
}

// step hands what is held to f, a partition at a time, and commits it.
func (c *consumer) step(f journal.Stage) error {
	c.mu.Lock()
	all := maps.Clone(c.held)
	c.mu.Unlock()
	for p, records := range all {
		err := c.batch(f, records)
		if errors.Is(err, journal.ErrEarly) {
			continue
		}
		if err != nil {
			return err
		}
		c.mu.Lock()
		delete(c.held, p)
		c.mu.Unlock()
		if err := context.Cause(c.ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *consumer) batch(f journal.Stage, records []*kgo.Record) error {
	batch := make([]journal.Message, 0, len(records))
	for _, r := range records {
		m, err := message(c.reader.Topic, c.id, r)
		if err != nil {
			if err := c.putAside(r); err != nil {
				return err
			}
			continue
		}
		batch = append(batch, m)
	}
	var out []journal.Message
	if len(batch) > 0 {
		var err error
		c.queue.config.fault("before the effect")
		if out, err = f(c.ctx, batch); err != nil {
			return err
		}
		c.queue.config.fault("between effect and commit")
	}
	return c.finish(records[len(records)-1], out)
}

// finish makes a batch's outputs durable and moves the cursor behind it. The effect is done already, so both are tried
// even when ctx has ended.
func (c *consumer) finish(last *kgo.Record, out []journal.Message) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.ctx))
	defer cancel()
	stop := context.AfterFunc(c.ctx, func() { time.AfterFunc(partingTime, cancel) })
	defer stop()
	if err := c.queue.append(ctx, out); err != nil {
		return err
	}
	return c.commit(ctx, map[int32]int64{last.Partition: last.Offset + 1})
}

// lostGroup are the answers to a consumer whose partitions went to another, which repeats what was not committed.
var lostGroup = []error{kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.RebalanceInProgress, kerr.FencedInstanceID, kerr.StaleMemberEpoch}

func (c *consumer) commit(ctx context.Context, next map[int32]int64) error {
	ctx, cancel := context.WithTimeout(ctx, c.queue.config.Patience)
	defer cancel()
	offsets := map[int32]kgo.EpochOffset{}
	for p, offset := range next {
		offsets[p] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	var failed error
	c.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{c.name: offsets}, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, res *kmsg.OffsetCommitResponse, err error) {
		failed = err
		for _, t := range res.Topics {
			for _, p := range t.Partitions {
				if failed == nil {
					failed = kerr.ErrorForCode(p.ErrorCode)
				}
			}
		}
	})
	if isAny(failed, lostGroup) {
		return nil
	}
	return away(c.ctx, failed)
}

func isAny(err error, of []error) bool {
	return slices.ContainsFunc(of, func(e error) bool { return errors.Is(err, e) })
}

// putAside keeps a record that is not a message in the topic Parked, as it came, so that it does not stop the partition.
func (c *consumer) putAside(r *kgo.Record) error {
	if _, err := c.queue.topic(c.ctx, journal.Parked); err != nil {
		return err
	}
	aside := &kgo.Record{Topic: c.queue.name(journal.Parked), Key: r.Key, Value: r.Value, Headers: r.Headers}
	if err := c.queue.produce(c.ctx, []*kgo.Record{aside}); err != nil {
		return fmt.Errorf("put a record aside: %w", err)
	}
	c.queue.config.Unreadable(c.reader.Topic)
	return nil
}

// leave gives the partitions to others at once. Without servers the group finds out by itself.
func (c *consumer) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), partingTime)
	defer cancel()
	c.client.AllowRebalance()
	_ = c.client.LeaveGroupContext(ctx)
	c.client.CloseAllowingRebalance()
}
