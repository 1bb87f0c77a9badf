package sqlite

import (
	"context"
	"sync"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/journal/queuetest"
	"murmur/internal/workspace"
)

// TestAReplayEndsThoughNothingGetsBetter replays deliveries while the stage quarantines each of them again.
func TestAReplayEndsThoughNothingGetsBetter(t *testing.T) {
	t.Parallel()
	j := openIn(t, t.TempDir(), Config{})
	defer func() { _ = j.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan int, 1000)
	var stage sync.WaitGroup
	stage.Go(func() {
		err := j.Transform(ctx, journal.Reader{Topic: journal.Inbox, Group: "process"}, func(_ context.Context, in []journal.Message) ([]journal.Message, error) {
			var out []journal.Message
			for _, m := range in {
				m.Topic, m.State, m.Why = journal.States, fact.Quarantined, fact.WhyBadField
				out = append(out, m)
			}
			seen <- len(in)
			return out, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	const deliveries = 3
	for i := range deliveries {
		if _, err := j.Accept(ctx, queuetest.Delivery(1, i)); err != nil {
			t.Fatal(err)
		}
	}
	settled := func() {
		for got := 0; got < deliveries; got += <-seen {
		}
	}
	settled()
	// A transaction of the stage may still be under way: a replay is only of what is quarantined already.
	if n, err := j.Replay(ctx, workspace.Default, []fact.State{fact.Quarantined}, fact.WhyNone); err != nil || n > deliveries {
		t.Errorf("replayed %d of %d, %v", n, deliveries, err)
	}
	cancel()
	stage.Wait()
}
