package kafka

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"murmur/internal/journal"
	"murmur/internal/journal/queuetest"
)

// These tests run against a server in memory. What only real ones show (durability, elections, a process that is
// stopped) is in cluster_test.go.

// fake starts a server in memory.
func fake(t *testing.T) []string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

func open(t *testing.T, c Config) *Queue {
	t.Helper()
	if c.Prefix == "" {
		c.Prefix = prefixOf(t.Name())
	}
	if c.Patience == 0 {
		c.Patience = 20 * time.Second
	}
	q, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, q.Close()) })
	return q
}

// prefixOf makes a prefix of any text.
func prefixOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "t" + hex.EncodeToString(sum[:8])
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	servers := fake(t)
	queuetest.Run(t, func(t *testing.T, dir string) journal.Queue {
		return open(t, Config{Servers: servers, Prefix: prefixOf(dir)})
	})
}

// take reads want messages of a topic for a group, in one consumer.
func take(t *testing.T, q *Queue, r journal.Reader, want int) (seen []journal.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	must(t, q.Transform(ctx, r, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
		for _, m := range in {
			if m.Partition != in[0].Partition {
				t.Error("a batch of two partitions")
			}
		}
		if seen = append(seen, in...); len(seen) >= want {
			cancel()
		}
		return nil, nil
	}))
	if len(seen) != want {
		t.Fatalf("%d messages, want %d", len(seen), want)
	}
	return seen
}

// deliveries are each messages of so many keys, in order.
func deliveries(keys, each int) (all []journal.Message) {
	for n := range each {
		for k := range keys {
			all = append(all, queuetest.Delivery(uint64(k), n))
		}
	}
	return all
}

var inbox = journal.Reader{Topic: journal.Inbox, Group: "g"}

// TestConsumersShareThePartitions: two consumers of two processes get all of six partitions, each message once while both
// live, and each key in its order.
func TestConsumersShareThePartitions(t *testing.T) {
	t.Parallel()
	servers := fake(t)
	one, two := open(t, Config{Servers: servers, Partitions: 6}), open(t, Config{Servers: servers, Partitions: 6})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	var got [2][]journal.Message
	both := make(chan struct{})
	var all sync.WaitGroup
	for i, q := range []*Queue{one, two} {
		all.Go(func() {
			err := q.Transform(ctx, inbox, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
				mu.Lock()
				defer mu.Unlock()
				first := len(got[i]) == 0
				got[i] = append(got[i], in...)
				if first && len(got[1-i]) > 0 {
					close(both)
				}
				return nil, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	sent := 0
	for shared := false; !shared; { // until each of them has some
		must(t, one.Append(ctx, deliveries(12, 1)...))
		sent += 12
		select {
		case <-both:
			shared = true
		case <-time.After(10 * time.Millisecond):
		}
	}
	for lag := int64(1); lag > 0; {
		var err error
		lag, err = one.Lag(ctx, inbox.Topic, inbox.Group)
		must(t, err)
	}
	cancel()
	all.Wait()
	ids := map[journal.Position]bool{}
	for _, m := range slices.Concat(got[0], got[1]) {
		ids[m.Position+journal.Position(fmt.Sprint(m.Partition))] = true
	}
	if len(ids) != sent {
		t.Errorf("%d of %d messages came", len(ids), sent)
	}
}

// TestOrderOverPartitions: the order per key holds over partitions, and over restarts with as many.
func TestOrderOverPartitions(t *testing.T) {
	t.Parallel()
	servers := fake(t)
	const keys, each = 20, 50
	for _, some := range [][]journal.Message{deliveries(keys, each)} {
		must(t, open(t, Config{Servers: servers, Partitions: 6}).Append(t.Context(), some...))
	}
	next, partitions := map[uint64]int64{}, map[int32]bool{}
	for _, m := range take(t, open(t, Config{Servers: servers, Partitions: 6}), inbox, keys*each) {
		if n := m.At.UnixMicro(); n <= next[m.Key] {
			t.Fatalf("key %d: out of order", m.Key)
		} else {
			next[m.Key] = n
		}
		partitions[m.Partition] = true
	}
	if len(partitions) != 6 {
		t.Errorf("%d partitions have messages", len(partitions))
	}
}

// TestUnfitTopics: a topic that would lose messages or their order is refused, and the error says what to set.
func TestUnfitTopics(t *testing.T) {
	t.Parallel()
	servers := fake(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(servers...))
	must(t, err)
	t.Cleanup(client.Close)
	good := map[string]*string{"retention.ms": new("-1"), "retention.bytes": new("-1"), "max.message.bytes": new("2097152")}
	for name, c := range map[string]struct {
		partitions int32
		set        string
		to         string
	}{
		"partitions": {3, "", ""},
		"retention":  {1, "retention.ms", "604800000"},
		"size":       {1, "max.message.bytes", "1048588"},
		"compaction": {1, "cleanup.policy", "compact"},
		"good":       {1, "", ""},
	} {
		settings := map[string]*string{}
		for k, v := range good {
			settings[k] = v
		}
		if c.set != "" {
			settings[c.set] = &c.to
		}
		_, err := kadm.NewClient(client).CreateTopic(t.Context(), c.partitions, 1, settings, name+"."+string(journal.Facts))
		must(t, err)
		q := open(t, Config{Servers: servers, Prefix: name})
		err = q.Check(t.Context(), journal.Facts)
		if errors.Is(err, journal.ErrUnfit) != (name != "good") {
			t.Errorf("%s: %v", name, err)
		}
		t.Log(err)
	}
}

// TestUnreadableIsPutAside: a record of somebody else's making stops nothing and is kept.
func TestUnreadableIsPutAside(t *testing.T) {
	t.Parallel()
	servers := fake(t)
	told := 0
	q := open(t, Config{Servers: servers, Unreadable: func(journal.Topic) { told++ }})
	must(t, q.Append(t.Context(), queuetest.Delivery(1, 0)))
	foreign := &kgo.Record{Topic: q.name(journal.Inbox), Value: []byte("foreign")}
	must(t, q.client.ProduceSync(t.Context(), foreign).FirstErr())
	must(t, q.Append(t.Context(), queuetest.Delivery(1, 1)))
	take(t, q, inbox, 2)
	if lag, err := q.Lag(t.Context(), journal.Parked, "none"); err != nil || lag != 1 || told != 1 {
		t.Errorf("%d records are parked, told %d times, %v", lag, told, err)
	}
}

// TestResumeRefusesWhatWasNeverGivenOut: a position beyond the end, and one of a topic that was made anew.
func TestResumeRefusesWhatWasNeverGivenOut(t *testing.T) {
	t.Parallel()
	servers := fake(t)
	q := open(t, Config{Servers: servers})
	must(t, q.Append(t.Context(), queuetest.Delivery(1, 0)))
	id, err := q.topic(t.Context(), journal.Inbox)
	must(t, err)
	for name, p := range map[string]journal.Position{"ahead": position(id, 1), "another topic": position(kadm.TopicID{1}, 0), "another queue": "17"} {
		r := inbox
		r.Resume = func(context.Context, int32) (journal.Position, error) { return p, nil }
		err := q.Transform(t.Context(), r, func(context.Context, []journal.Message) ([]journal.Message, error) {
			t.Errorf("%s: it was read", name)
			return nil, errors.New("enough")
		})
		if !errors.Is(err, journal.ErrAhead) {
			t.Errorf("%s: %v, want ErrAhead", name, err)
		}
	}
	take(t, q, inbox, 1)
}

// TestTrim: what every group has read is deleted, and nothing else.
func TestTrim(t *testing.T) {
	t.Parallel()
	servers := fake(t)
	q := open(t, Config{Servers: servers})
	must(t, q.Append(t.Context(), deliveries(1, 10)...))
	first := func() int64 {
		starts, err := q.admin.ListStartOffsets(t.Context(), q.name(journal.Inbox))
		must(t, err)
		o, _ := starts.Lookup(q.name(journal.Inbox), 0)
		return o.Offset
	}
	take(t, q, inbox, 10)
	slow := journal.Reader{Topic: journal.Inbox, Group: "slow", Limit: func() int { return 4 }}
	errEnough := errors.New("enough")
	n := 0
	err := q.Transform(t.Context(), slow, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
		if n += len(in); n > 4 {
			return nil, errEnough
		}
		return nil, nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	must(t, q.trim(t.Context(), journal.Inbox))
	if got := first(); got != 4 {
		t.Errorf("the topic begins at %d, want 4: where the slower group is", got)
	}
	take(t, q, slow, 6)
	must(t, q.trim(t.Context(), journal.Inbox))
	if got := first(); got != 10 {
		t.Errorf("the topic begins at %d, want 10", got)
	}
	must(t, q.Append(t.Context(), queuetest.Delivery(1, 10)))
	take(t, q, inbox, 1)
}

// TestAway: without servers an Append fails in its time, and says so.
func TestAway(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	must(t, err)
	servers := c.ListenAddrs()
	q := open(t, Config{Servers: servers, Patience: time.Second})
	must(t, q.Append(t.Context(), queuetest.Delivery(1, 0)))
	c.Close()
	if err := q.Append(t.Context(), queuetest.Delivery(1, 1)); !errors.Is(err, journal.ErrAway) {
		t.Errorf("append: %v, want ErrAway", err)
	}
	if _, err := q.Lag(t.Context(), journal.Inbox, "g"); !errors.Is(err, journal.ErrAway) {
		t.Errorf("lag: %v, want ErrAway", err)
	}
	fresh := open(t, Config{Servers: servers, Prefix: "fresh", Patience: time.Second})
	if err := fresh.Check(t.Context(), journal.Facts); !errors.Is(err, journal.ErrAway) {
		t.Errorf("check: %v, want ErrAway", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := fresh.Append(ctx, queuetest.Delivery(1, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v, want Canceled", err)
	}
}

// TestFull: what does not fit beside what is on its way is refused at once, and accepted when there is room.
func TestFull(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	must(t, err)
	t.Cleanup(c.Close)
	q := open(t, Config{Servers: c.ListenAddrs(), Buffer: 1000})
	must(t, q.Check(t.Context(), journal.Inbox))
	m := queuetest.Delivery(1, 0)
	m.Payload = make([]byte, 600)
	arrived, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	c.ControlKey(0, hold(&once, arrived, answer)) // a produce
	done := make(chan error, 1)
	go func() { done <- q.Append(t.Context(), m) }()
	<-arrived
	if err := q.Append(t.Context(), m); !errors.Is(err, journal.ErrFull) {
		t.Errorf("append: %v, want ErrFull", err)
	}
	close(answer)
	must(t, <-done)
	m.Payload = make([]byte, 5000) // alone it may be larger than the room
	must(t, q.Append(t.Context(), m))
	take(t, q, inbox, 2)
}

// hold keeps the first request of a kind from its answer.
func hold(once *sync.Once, arrived, answer chan struct{}) func(kmsg.Request) (kmsg.Response, error, bool) {
	return func(kmsg.Request) (kmsg.Response, error, bool) {
		once.Do(func() {
			close(arrived)
			<-answer
		})
		return nil, nil, false
	}
}
