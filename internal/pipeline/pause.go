package pipeline

import (
	"context"
	"sync"
)

// pause lets callers have the pipeline stand still, so that journal and lake can be copied or changed in one consistent state.
// Deliveries are accepted meanwhile.
type pause struct {
	mu     sync.Mutex
	moved  sync.Cond          // on mu: halted or stop changed
	halted int                // how many callers want it to stand still
	stop   context.CancelFunc // of the run under way; nil: none is
}

// Still carries out f while the pipeline stands still.
func (p *Pipeline) Still(f func() error) error {
	l := &p.pause
	l.mu.Lock()
	l.halted++
	for l.stop != nil {
		l.stop()
		l.wait()
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.halted--
		l.moved.Broadcast()
		l.mu.Unlock()
	}()
	return f()
}

// begin waits until no caller wants the pipeline to stand still. The context that it gives ends when one does; done must be
// called once the work has ended.
func (l *pause) begin(ctx context.Context) (_ context.Context, done func()) {
	ctx, stop := context.WithCancel(ctx)
	l.mu.Lock()
	for l.halted > 0 {
		l.wait()
	}
	l.stop = stop
	l.mu.Unlock()
	return ctx, func() {
		stop()
		l.mu.Lock()
		l.stop = nil
		l.moved.Broadcast()
		l.mu.Unlock()
	}
}

func (l *pause) wait() {
	l.moved.L = &l.mu
	l.moved.Wait()
}
