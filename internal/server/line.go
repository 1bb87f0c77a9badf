package server

import (
	"context"
	"sync"
)

// line is the running pipeline. It can be paused, so that journal and lake can be copied in one consistent state;
// deliveries are accepted meanwhile.
type line struct {
	mu     sync.Mutex
	moved  sync.Cond          // on mu: halted or done changed
	halted int                // how many callers want it paused
	stop   context.CancelFunc // of the run under way; nil: none is
}

func newLine() *line {
	l := &line{}
	l.moved.L = &l.mu
	return l
}

// run carries out f once no caller wants the pipeline paused. The context of f ends when one does.
func (l *line) run(ctx context.Context, f func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	l.mu.Lock()
	for l.halted > 0 {
		l.moved.Wait()
	}
	l.stop = stop
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.stop = nil
		l.moved.Broadcast()
		l.mu.Unlock()
	}()
	return f(ctx)
}

// still carries out f while the pipeline is paused.
func (l *line) still(f func() error) error {
	l.mu.Lock()
	l.halted++
	for l.stop != nil {
		l.stop()
		l.moved.Wait()
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
