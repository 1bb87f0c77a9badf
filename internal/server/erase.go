package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"murmur/internal/crowd"
	"murmur/internal/explain"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// erasing is who carries out erasures that were promised.
type erasing struct {
	one     sync.Mutex    // carries them out
	kick    chan struct{} // something waits
	running bool          // a server does it by itself; set before anything asks
}

const (
	// eraseEvery is how often a server looks for erasures that an earlier process left.
	eraseEvery = 2 * time.Second
	// eraseRetry is when one that failed is tried again.
	eraseRetry = 10 * time.Second
	// eraseWithin is how long the rows of somebody erased may stay.
	eraseWithin = 5 * time.Minute
)

// erase promises an erasure: from then on nothing of the person is opened, taken in or counted. A server carries it out
// behind the answer, so that the time of the answer tells nothing; the command line, and a caller who says so, wait for it.
func (n *Node) erase(ctx context.Context, a rpc.EraseArgs) (rpc.Erased, error) {
	ws, receipt, err := n.promiseErasure(ctx, a)
	if err != nil {
		return rpc.Erased{}, err
	}
	if n.erasing.running && !a.Wait {
		return rpc.Erased{Receipt: receipt, State: "erased"}, nil
	}
	if err := n.eraseOf(ctx, ws); err != nil {
		return rpc.Erased{}, &rpc.Problem{Message: "the erasure is recorded, receipt " + receipt + ", but not everything could be taken out yet: " + explain.Describe(err),
			Hint: "the next command or a server tries again; murmur doctor shows what waits", Exit: 1, Status: 503}
	}
	return rpc.Erased{Receipt: receipt, State: "erased"}, nil
}

// promiseErasure is all that happens before the answer. It is the same work for a contact that nobody knows.
func (n *Node) promiseErasure(ctx context.Context, a rpc.EraseArgs) (ws workspace.ID, receipt string, err error) {
	if ws, err = n.known(ctx, a.Workspace); err != nil {
		return ws, "", err
	}
	err = n.evenIfFull(func() (err error) {
		receipt, err = n.zone.Erase(ctx, ws, a.Contact)
		return err
	})
	if err != nil {
		return ws, "", err
	}
	select {
	case n.erasing.kick <- struct{}{}:
	default: // the worker has been woken already
	}
	return ws, receipt, nil
}

// keepErasing carries out what was promised, also by a process that was killed, until it is done.
func (n *Node) keepErasing(ctx context.Context) {
	tick := time.NewTicker(eraseEvery)
	defer tick.Stop()
	var rest time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.erasing.kick:
		case <-tick.C:
		}
		if time.Now().Before(rest) {
			continue
		}
		if err := n.eraseDue(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("an erasure could not be carried out, and is tried again", "error", err)
			rest = time.Now().Add(eraseRetry)
		}
	}
}

// eraseDue carries out what waits in every workspace.
func (n *Node) eraseDue(ctx context.Context) error {
	waiting, _, err := n.zone.WaitingOrders(ctx)
	if err != nil || len(waiting) == 0 {
		return err
	}
	due := make([]workspace.ID, 0, len(waiting))
	for ws := range waiting {
		due = append(due, ws)
	}
	return n.each(ctx, "erase", due, func(ws workspace.ID) error { return n.eraseOf(ctx, ws) })
}

// eraseOf carries out the erasures of a workspace: recordings, deliveries, rows. Each step can be repeated; the orders end
// after the last. The pipeline stops while deliveries are marked; then it judges the deliveries that it had in hand again,
// and finds the tombstone.
func (n *Node) eraseOf(ctx context.Context, ws workspace.ID) error {
	n.erasing.one.Lock()
	defer n.erasing.one.Unlock()
	orders, err := n.zone.Orders(ctx, ws)
	if err != nil || len(orders.Contacts) == 0 {
		return err
	}
	if err := n.zone.Destroy(ctx, ws, orders); err != nil {
		return err
	}
	refs := make([][16]byte, len(orders.Contacts))
	for i, c := range orders.Contacts {
		refs[i] = c.Bytes()
	}
	err = n.way.Still(func() error {
		_, err := n.journal.MarkErased(ctx, ws, refs)
		return err
	})
	if err != nil {
		return err
	}
	unreadable, err := n.crowd.Forget(ctx, ws, orders.Contacts)
	if err != nil && !unreadable {
		return err
	}
	return errors.Join(err, n.zone.Fulfilled(ctx, ws, orders, unreadable))
}

// withoutErased makes figures without erased people: it carries out waiting erasures first, and repeats a count when
// somebody in it was erased meanwhile.
func (n *Node) withoutErased(ctx context.Context, ws workspace.ID, release func() error) error {
	for try := 1; ; try++ {
		err := release()
		if !errors.Is(err, crowd.ErrErasing) || try == eraseTries {
			return err
		}
		if err := n.eraseOf(ctx, ws); err != nil && ctx.Err() == nil {
			n.stalls.note(n.now(), stalledJob{ws, "erase"}, err)
		}
	}
}

// eraseTries is how often a count is repeated because somebody was erased while it ran; after that the next release counts
// again.
const eraseTries = 3

// erasures tells doctor what waits.
func (n *Node) erasures(ctx context.Context, say func(name string, ok bool, hint, format string, args ...any)) error {
	waiting, oldest, err := n.zone.WaitingOrders(ctx)
	if err != nil {
		return err
	}
	all, age := 0, time.Duration(0)
	for _, k := range waiting {
		all += k
	}
	if all > 0 {
		age = n.now().Sub(oldest).Round(time.Second)
	}
	say("erasures", age < eraseWithin, "docs/runbook/workspace-stalled.md: nothing of the erased is read or counted, but their rows are still there",
		"%d wait to be carried out, the oldest for %s", all, age)
	return nil
}
