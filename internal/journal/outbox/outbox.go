// Package outbox sends facts from one machine to a queue on servers: facts are written to the machine's journal in one
// transaction with the states of their deliveries, then carried to the servers, and the lake reads them there.
//
// Words: the *file* is the journal of this machine, the *servers* are the queue elsewhere.
//
// Nothing that is accepted waits for the servers: while they do not answer, deliveries are taken in and processed, and
// their facts wait in the file. A message of facts leaves the file when every in-sync replica of the servers has it; after a
// crash between the two it is carried twice, and the lake counts it once (the last version of an id wins).
//
// It does not protect against two installations that use one topic: package server gives each its own.
package outbox

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"murmur/internal/journal"
)

// Servers are a queue elsewhere that can say what waits in it.
type Servers interface {
	journal.Queue
	Lag(ctx context.Context, topic journal.Topic, group string) (int64, error)
}

// Outbox is a journal.Queue whose topic Facts goes through servers.
type Outbox struct {
	File    journal.Queue
	Servers Servers
	// Partition is the number that the lake knows the servers' partition 0 by; 0 is the file's own. A topic of facts has
	// one partition: the lake has one writer.
	Partition int32

	once sync.Once
	gate chan struct{} // capacity 1: held while a batch is carried, and by Hold

	mu     sync.Mutex
	failed error // of the last question, for a moment
	asked  time.Time
}

// askTime is how long the servers may take to say what waits, forget how long they are not asked again after they did not.
const askTime, forget = 2 * time.Second, 5 * time.Second

var _ journal.Queue = (*Outbox)(nil)

// Append implements journal.Queue: into the file.
func (o *Outbox) Append(ctx context.Context, m ...journal.Message) error {
	return o.File.Append(ctx, m...)
}

// Transform implements journal.Queue. Reading the facts carries them too.
func (o *Outbox) Transform(ctx context.Context, r journal.Reader, f journal.Stage) error {
	if r.Topic != journal.Facts {
		return o.File.Transform(ctx, r, f)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return o.carry(ctx, r) })
	g.Go(func() error { return o.read(ctx, r, f) })
	return g.Wait()
}

// carry moves facts from the file to the servers. In the file it is the group that the lake would be.
func (o *Outbox) carry(ctx context.Context, r journal.Reader) error {
	return o.File.Transform(ctx, journal.Reader{Topic: r.Topic, Group: r.Group}, func(ctx context.Context, in []journal.Message) ([]journal.Message, error) {
		release, err := o.Hold(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
		return nil, o.Servers.Append(ctx, in...)
	})
}

// read hands the servers' facts to f.
func (o *Outbox) read(ctx context.Context, r journal.Reader, f journal.Stage) error {
	if resume := r.Resume; resume != nil {
		r.Resume = func(ctx context.Context, p int32) (journal.Position, error) { return resume(ctx, o.Partition+p) }
	}
	return o.Servers.Transform(ctx, r, func(ctx context.Context, in []journal.Message) ([]journal.Message, error) {
		in = slices.Clone(in)
		for i := range in {
			in[i].Partition += o.Partition
		}
		return f(ctx, in)
	})
}

// Waiting is how many messages of facts the servers have that a group has not finished. After they did not answer they are
// not asked for a moment.
func (o *Outbox) Waiting(ctx context.Context, group string) (int64, error) {
	o.mu.Lock()
	failed, asked := o.failed, o.asked
	o.mu.Unlock()
	if failed != nil && time.Since(asked) < forget {
		return 0, failed
	}
	bounded, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	n, err := o.Servers.Lag(bounded, journal.Facts, group)
	if ctx.Err() != nil {
		return n, ctx.Err()
	}
	o.mu.Lock()
	o.failed, o.asked = err, time.Now()
	o.mu.Unlock()
	return n, err
}

// Hold carries nothing more until it is released; what is under way is carried first. An error is that of ctx.
func (o *Outbox) Hold(ctx context.Context) (release func(), err error) {
	o.once.Do(func() { o.gate = make(chan struct{}, 1) })
	select {
	case o.gate <- struct{}{}:
		return func() { <-o.gate }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
