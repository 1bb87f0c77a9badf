// Package admission shares a server among those who send to it when more comes in than it can carry: Turns shares the way into
// the journal among workspaces, and Connections the descriptors of the process among addresses.
//
// Zone: outside of all zones. It sees sizes and names of workspaces, and no body.
//
// It does not protect against many addresses together: when all connections are being answered, newcomers are told 503.
package admission

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"murmur/internal/workspace"
)

const (
	// admitted is how many bodies may be on their way into the journal. More of them hardly make its transactions
	// cheaper, and the next one has to wait for all of them.
	admitted = 128
	// waitingEach is how many deliveries of one workspace may wait; one more is answered 429.
	waitingEach = 256
	// waitingTime is how long a delivery waits; then it is answered 503.
	waitingTime = 2 * time.Second
	// refusalTime is how long a delivery of a busy workspace waits for its 429. A sender that is refused at once and
	// tries again at once would cost more than the deliveries that are stored.
	refusalTime = 500 * time.Millisecond
	// A large body is one over LargeBody bytes, or of unknown length. So many may be in memory, and so many of one
	// workspace.
	LargeBody            = 64 << 10
	largeAll, largeOfOne = 64, 16
)

var (
	// ErrWorkspaceBusy: this workspace sends more than its share (429).
	ErrWorkspaceBusy = errors.New("this workspace sends more than its share")
	// ErrBusy: all workspaces together send more than this machine stores (503).
	ErrBusy = errors.New("more comes in than this machine can store")
)

// Turns shares the way into the journal among workspaces. While there is room, everybody enters at once. Once
// there is none, the workspaces that wait enter in turn, one delivery each, so that the wait of one does not depend
// on how much another sends.
type Turns struct {
	// Refused counts what was refused: with ErrWorkspaceBusy, with ErrBusy.
	Refused [2]atomic.Int64

	mu    sync.Mutex
	taken int
	waits map[workspace.ID]*waitingRoom
	turn  []*waitingRoom // those that are not empty, the next one first
	large map[workspace.ID]int
	sum   int // of large
}

// waitingRoom is one workspace's deliveries that wait, the oldest first.
type waitingRoom struct {
	ws  workspace.ID
	all []waiter
}

// waiter is closed when it may enter.
type waiter chan struct{}

// Enter waits until a body may go on. leave must be called once it is stored.
func (a *Turns) Enter(ctx context.Context, ws workspace.ID) (leave func(), err error) {
	a.mu.Lock()
	if len(a.turn) == 0 && a.taken < admitted {
		a.taken++
		a.mu.Unlock()
		return a.leave, nil
	}
	w := make(waiter)
	ok := a.queue(ws, w)
	a.mu.Unlock()
	if !ok {
		a.Refused[0].Add(1)
		select {
		case <-time.After(refusalTime):
		case <-ctx.Done():
		}
		return nil, ErrWorkspaceBusy
	}
	late := time.NewTimer(waitingTime)
	defer late.Stop()
	select {
	case <-w:
		return a.leave, nil
	case <-late.C:
		err = ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	if !a.forget(ws, w) { // it was let in at this moment
		return a.leave, nil
	}
	if errors.Is(err, ErrBusy) {
		a.Refused[1].Add(1)
	}
	return nil, err
}

// queue puts a waiter at the end of its workspace's room; false when that is full.
func (a *Turns) queue(ws workspace.ID, w waiter) bool {
	r := a.waits[ws]
	if r == nil {
		r = &waitingRoom{ws: ws}
		if a.waits == nil {
			a.waits = map[workspace.ID]*waitingRoom{}
		}
		a.waits[ws], a.turn = r, append(a.turn, r)
	}
	if len(r.all) >= waitingEach {
		return false
	}
	r.all = append(r.all, w)
	return true
}

// leave gives the place to the workspace whose turn it is.
func (a *Turns) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.turn) == 0 {
		a.taken--
		return
	}
	r := a.turn[0]
	close(r.all[0])
	a.turn, r.all = a.turn[1:], r.all[1:]
	if len(r.all) > 0 {
		a.turn = append(a.turn, r)
	} else {
		delete(a.waits, r.ws)
	}
}

// forget takes a waiter out; false when it was let in before.
func (a *Turns) forget(ws workspace.ID, w waiter) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.waits[ws]
	if r == nil {
		return false
	}
	i := slices.Index(r.all, w)
	if i < 0 {
		return false
	}
	r.all = slices.Delete(r.all, i, i+1)
	if len(r.all) == 0 {
		delete(a.waits, ws)
		a.turn = slices.DeleteFunc(a.turn, func(o *waitingRoom) bool { return o == r })
	}
	return true
}

// Read lets a body of so many bytes into memory, -1 for one of unknown length; done must be called once it is stored.
func (a *Turns) Read(ws workspace.ID, bytes int64) (done func(), err error) {
	if bytes >= 0 && bytes <= LargeBody {
		return func() {}, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.large[ws] >= largeOfOne:
		a.Refused[0].Add(1)
		return nil, ErrWorkspaceBusy
	case a.sum >= largeAll:
		a.Refused[1].Add(1)
		return nil, ErrBusy
	}
	if a.large == nil {
		a.large = map[workspace.ID]int{}
	}
	a.sum++
	a.large[ws]++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.sum--
		if a.large[ws]--; a.large[ws] == 0 {
			delete(a.large, ws)
		}
	}, nil
}
