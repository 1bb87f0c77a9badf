package lake

import (
	"context"
	"slices"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Call gives the rows of one call: the facts that are it, by the ids in rows, or belong to it, and their words, as the files
// have them, superseded versions included.
func (l *Lake) Call(ctx context.Context, ws workspace.ID, call fact.ID, rows []fact.ID) (facts, texts []Stored, err error) {
	snap, release, err := l.Pin(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	all := func(fact.Table, dataFile) bool { return true }
	facts, err = l.fetch(ctx, snap, fact.Facts, search{
		ws: ws, cols: []fact.Column{fact.ColWorkspace, fact.ColID, fact.ColCallHi, fact.ColCallLo}, in: all,
		match: func(h *head, i int) bool { return slices.Contains(rows, fact.ID(h.id.Value(i))) || h.refers(i) == call },
	})
	if err != nil || len(facts) == 0 {
		return nil, nil, wrap("read a call", err)
	}
	ids := map[fact.ID]bool{}
	for _, r := range facts {
		ids[r.ID] = true
	}
	texts, err = l.fetch(ctx, snap, fact.Texts, search{
		ws: ws, cols: []fact.Column{fact.ColWorkspace, fact.ColID}, in: all,
		match: func(h *head, i int) bool { return ids[fact.ID(h.id.Value(i))] },
	})
	return facts, texts, wrap("read a call", err)
}

// fetch reads the rows that a search finds, whole.
func (l *Lake) fetch(ctx context.Context, snap *Snapshot, t fact.Table, s search) (out []Stored, err error) {
	for _, f := range snap.files[t] {
		found, err := l.find(ctx, t, f, s)
		if err != nil {
			return nil, err
		}
		if found == nil {
			continue
		}
		for r, err := range l.scan(ctx, t, f, nil) {
			if err != nil {
				return nil, err
			}
			if found[r.n] {
				out = append(out, r)
			}
		}
	}
	return out, nil
}
