package crowd

import (
	"context"
	"fmt"
	"sync"
	"time"

	"murmur/internal/workspace"
)

// retryAfter is when a workspace whose count failed is looked at again.
const retryAfter = time.Minute

// watch knows which workspaces must be looked at, so that the others cost nothing.
type watch struct {
	changes *changes

	mu   sync.Mutex
	seen int64                      // up to this sequence of the lake changes are in wake; -1: nothing was read
	wake map[workspace.ID]time.Time // when a workspace must be looked at next
	news map[workspace.ID]bool      // something beside the lake changed since the workspace was looked at
}

func newWatch(c *changes) *watch {
	return &watch{changes: c, seen: -1, wake: map[workspace.ID]time.Time{}, news: map[workspace.ID]bool{}}
}

// due gives the workspaces to look at. At first that is each one that has facts.
func (w *watch) due(ctx context.Context, sequence int64, now time.Time) (due []workspace.ID, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var news []workspace.ID
	switch {
	case w.seen < 0:
		news, err = workspaces(ctx, w.changes.db, `SELECT DISTINCT workspace FROM arrivals`)
	case sequence > w.seen:
		news, err = w.changes.since(ctx, w.seen, sequence)
	}
	if err != nil {
		return nil, fmt.Errorf("look for changes: %w", err)
	}
	for _, ws := range news {
		w.wake[ws] = now
	}
	w.seen = max(sequence, 0)
	for ws, at := range w.wake {
		if !at.After(now) {
			due = append(due, ws)
		}
	}
	return due, nil
}

// begin takes note that a workspace is looked at now.
func (w *watch) begin(ws workspace.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.news, ws)
}

// stir has a workspace looked at, again where it is being looked at now.
func (w *watch) stir(ws workspace.ID, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.news[ws], w.wake[ws] = true, now
}

// done takes note that a workspace was looked at; zero: it waits for changes alone.
func (w *watch) done(ws workspace.ID, next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.news[ws]: // it is looked at again
	case next.IsZero():
		delete(w.wake, ws)
	default:
		w.wake[ws] = next
	}
}
