package server

import (
	"context"
	"errors"
	"time"

	"murmur/internal/private"
	"murmur/internal/receipt"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

func (c calls) OptOut(ctx context.Context, ws workspace.ID, call, via string) error {
	c.endAtPlatform(ctx, ws, call) // first: whatever else fails, nothing more is recorded
	return webErr(c.evenIfFull(func() error { return c.zone.OptOutCall(ctx, ws, call, via) }))
}

// Event tells the consent machine of a call what its telephony reports. A refusal gets through on a full disk too.
func (c calls) Event(ctx context.Context, ws workspace.ID, call string, e web.CallEvent) (web.CallState, error) {
	in := private.CallEvent{
		Kind: e.Kind, At: e.At, Key: e.Key, Via: e.Via, Contact: e.Contact,
		Notice: private.CallNotice{ID: e.Notice.ID, Language: e.Notice.Language, SHA256: e.Notice.SHA256, Length: time.Duration(e.Notice.Seconds * float64(time.Second))},
	}
	var s private.CallState
	err := c.evenIfFull(func() (err error) {
		s, err = c.zone.CallEvent(ctx, ws, call, in)
		return err
	})
	c.obey(ctx, ws, call, s)
	if errors.Is(err, private.ErrCallEvent) {
		err = unacceptable{private.ErrCallEvent}
	}
	if err != nil && s.State != "" {
		// The recording is being destroyed and the telephone system must be told; what could not be written is
		// tried again.
		c.log.Error("a call ended because something failed", "error", err)
		err = nil
	}
	return web.CallState{State: s.State, Must: s.Must}, webErr(err)
}

func (c calls) Receipt(ctx context.Context, ws workspace.ID, call string) (receipt.Call, error) {
	r, err := c.zone.Receipt(ctx, ws, call)
	if err != nil {
		return r, webErr(err)
	}
	if len(r.Entries) == 0 {
		return r, web.ErrNotFound
	}
	return r, c.accessed(ctx, ws, "evidence")
}

// keepCalls ends live calls of which no event has come for too long, until ctx ends.
func (n *Node) keepCalls(ctx context.Context) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := n.zone.ExpireCalls(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("the end of a call could not be written; it is tried again", "error", err)
		}
	}
}

// expireEvery is how often live calls are looked at: a state lasts a minute at least.
const expireEvery = 2 * time.Second
