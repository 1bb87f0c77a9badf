package lake

import (
	"context"
	"errors"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// ErrRead is returned by Vacate while somebody reads an older state: files with the rows are still on the disk.
var ErrRead = errors.New("lake: an older state is being read")

// Vacate drops every row of a workspace, in all days, and removes the files that had them. Nothing may be appended for it
// meanwhile. A file that cannot be read stays, and its error is given; the others go. ErrRead: do it again.
func (l *Lake) Vacate(ctx context.Context, ws workspace.ID) error {
	groups, err := l.owned(ctx, ws)
	if err = errors.Join(err, l.rewriteAll(ctx, groups)); err != nil {
		return wrap("vacate", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	left, err := l.expire(ctx)
	if err == nil && left > 0 {
		err = ErrRead
	}
	return wrap("vacate", err)
}

// owned gives the files that have rows of a workspace.
func (l *Lake) owned(ctx context.Context, ws workspace.ID) (groups []group, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(ctx); err != nil {
		return nil, err
	}
	judge := func(_ dataFile, r Stored) verdict {
		if r.Workspace == ws {
			return drop
		}
		return stay
	}
	for _, t := range tables {
		for _, f := range l.state[t].files {
			if !f.holds(ws) {
				continue
			}
			mine := false
			bad := l.heads(ctx, t, f, []fact.Column{fact.ColWorkspace}, func(h *head, _ int) bool {
				for i := 0; !mine && i < int(h.rec.NumRows()); i++ {
					mine = h.ws(i) == ws
				}
				return !mine
			})
			if bad != nil && !isDamage(bad) {
				return nil, bad
			}
			if err = errors.Join(err, bad); mine {
				groups = append(groups, group{table: t, files: []dataFile{f}, judge: judge})
			}
		}
	}
	return groups, errors.Join(err, ctx.Err())
}
