package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"murmur/internal/journal"
)

const (
	// recordMost is the most bytes that a record may have on its way: a payload, what is said of it, and its batch.
	recordMost = journal.MaxPayload + 64<<10
	// segment is how long a file of records grows: deleted records leave the disk together with their file.
	segment = time.Hour
)

// Check asks the servers for topics, makes those that are missing, and refuses (ErrUnfit) one that would lose messages or
// their order.
func (q *Queue) Check(ctx context.Context, topics ...journal.Topic) error {
	for _, t := range topics {
		if _, err := q.topic(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// topic gives the servers' identity of a topic, which was checked once.
func (q *Queue) topic(ctx context.Context, t journal.Topic) (kadm.TopicID, error) {
	q.mu.Lock()
	id, ok := q.topics[t]
	closed := q.closed
	q.mu.Unlock()
	if closed {
		return id, journal.ErrClosed
	}
	if ok {
		return id, nil
	}
	id, err := q.patiently(ctx, t)
	if err != nil {
		return id, fmt.Errorf("topic %s: %w", q.name(t), err)
	}
	q.mu.Lock()
	q.topics[t] = id
	q.mu.Unlock()
	return id, nil
}

// checkTime is how long servers that are away are asked for a topic.
const checkTime = 10 * time.Second

// patiently checks a topic, and asks servers that are away again for a while.
func (q *Queue) patiently(ctx context.Context, t journal.Topic) (kadm.TopicID, error) {
	bounded, cancel := context.WithTimeout(ctx, min(checkTime, q.config.Patience))
	defer cancel()
	var last error // that says more than that time is up
	for {
		id, err := q.check(bounded, t)
		if err == nil {
			return id, nil
		}
		if last == nil || bounded.Err() == nil {
			last = away(ctx, err)
		}
		if !errors.Is(last, journal.ErrAway) {
			return id, last
		}
		select {
		case <-bounded.Done():
			return id, last
		case <-time.After(fillPause):
		}
	}
}

func (q *Queue) check(ctx context.Context, t journal.Topic) (id kadm.TopicID, err error) {
	name := q.name(t)
	all, err := q.admin.ListTopics(ctx, name)
	if err == nil && errors.Is(all[name].Err, kerr.UnknownTopicOrPartition) {
		if err = q.create(ctx, t); err == nil {
			all, err = q.settled(ctx, name)
		}
	}
	if err == nil {
		err = all[name].Err
	}
	if err != nil {
		return id, err
	}
	if has := len(all[name].Partitions); has != int(q.config.Partitions) {
		return id, unfit("it has %d partitions, murmur is to use %d: a message's key chooses its partition, so the number may not change while messages wait", has, q.config.Partitions)
	}
	return all[name].ID, q.checkConfig(ctx, t)
}

// settled waits until every partition of a new topic has a leader.
func (q *Queue) settled(ctx context.Context, name string) (all kadm.TopicDetails, err error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		all, err = q.admin.ListTopics(ctx, name)
		ready := err == nil && all[name].Err == nil && len(all[name].Partitions) > 0
		for _, p := range all[name].Partitions {
			ready = ready && p.Err == nil && p.Leader >= 0
		}
		if ready {
			return all, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// create makes a topic. It keeps messages until they are deleted (trim), and of the topic States the last of each ID.
func (q *Queue) create(ctx context.Context, t journal.Topic) error {
	ask := kmsg.NewPtrMetadataRequest() // kadm would answer from memory
	ask.Topics = []kmsg.MetadataRequestTopic{}
	servers, err := ask.RequestWith(ctx, q.client)
	if err != nil {
		return err
	}
	replicas := q.config.Replicas
	if replicas == 0 {
		replicas = int16(min(3, len(servers.Brokers))) //nolint:gosec // 3 at most
	}
	insync := "1"
	if replicas >= 3 {
		insync = "2"
	}
	policy := "delete"
	if t == journal.States {
		policy = "compact"
	}
	settings := map[string]*string{
		"min.insync.replicas": &insync, "cleanup.policy": &policy,
		"unclean.leader.election.enable": new("false"), "retention.ms": new("-1"), "retention.bytes": new("-1"),
		"max.message.bytes": new(strconv.Itoa(recordMost)), "segment.ms": new(strconv.FormatInt(segment.Milliseconds(), 10)),
	}
	_, err = q.admin.CreateTopic(ctx, q.config.Partitions, replicas, settings, q.name(t))
	if errors.Is(err, kerr.TopicAlreadyExists) { // made by another process meanwhile
		return nil
	}
	return err
}

// checkConfig refuses settings under which a topic loses what it was given.
func (q *Queue) checkConfig(ctx context.Context, t journal.Topic) error {
	all, err := q.admin.DescribeTopicConfigs(ctx, q.name(t))
	if err != nil {
		return err
	}
	found, err := all.On(q.name(t), nil)
	if err == nil {
		err = found.Err
	}
	if err != nil {
		return err
	}
	has := map[string]string{}
	for _, c := range found.Configs {
		has[c.Key] = c.MaybeValue()
	}
	if largest, err := strconv.Atoi(has["max.message.bytes"]); err == nil && largest < recordMost {
		return unfit("it takes messages of %d bytes at most; set max.message.bytes to %d", largest, recordMost)
	}
	if t == journal.States {
		return nil
	}
	for key, want := range map[string]string{"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"} {
		if v, ok := has[key]; ok && v != want {
			return unfit("its %s is %s, so it would delete what nobody has read; set it to %s: murmur deletes what was read", key, v, want)
		}
	}
	return nil
}

func unfit(format string, args ...any) error {
	return fmt.Errorf("%w: %s", journal.ErrUnfit, fmt.Sprintf(format, args...))
}
