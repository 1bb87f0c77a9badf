package server

import (
	"context"
	"sync"
	"time"

	"murmur/internal/workspace"
)

// pace stores how far each history was when this process began to ask for it, to estimate the time that is left.
// It is an estimate, kept in memory alone.
type pace struct {
	mu    sync.Mutex
	began map[[32]byte]stand // by connection
}

// stand is how much of a history was there at a moment.
type stand struct {
	at   time.Time
	done float64
}

func (p *pace) from(connection [32]byte, s stand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.began == nil {
		p.began = map[[32]byte]stand{}
	}
	p.began[connection] = s
}

// left is how long the rest takes at the pace so far; false while that says too little.
func (p *pace) left(connection [32]byte, now stand) (time.Duration, bool) {
	p.mu.Lock()
	began, ok := p.began[connection]
	p.mu.Unlock()
	took, part := now.at.Sub(began.at), now.done-began.done
	if !ok || took < time.Second || part <= 0 || now.done >= 1 {
		return 0, false
	}
	return time.Duration(float64(took) / part * (1 - now.done)), true
}

// paceFrom notes that a source is asked from now on.
func (n *Node) paceFrom(ctx context.Context, src workspace.Source) error {
	st, err := n.store.State(ctx, src)
	if err != nil {
		return err
	}
	n.pace.from(src.Connection(), stand{n.now(), st.Done})
	return nil
}
