package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Repeated finds the replies that at least so many contacts got within a span. A version of a text that is superseded counts
// until the lake lets go of it.
func (c *Counter) Repeated(ctx context.Context, ws workspace.ID, snap release.Snapshot, span release.Span, least int) (map[fact.Label]bool, error) {
	repeated := map[fact.Label]bool{}
	files := inside(snap.Files, span)
	err := c.texts(ctx, ws, files, func(n *counts, r *reader) error {
		return n.each(ctx, fmt.Sprintf("SELECT reply FROM (%s) GROUP BY reply HAVING count(DISTINCT contact) >= %d",
			r.fromSQL("reply, contact", files, "kind = 2 AND reply <> 0 AND "+between(span)), least),
			func(row []int64) { repeated[fact.Label(row[0])] = true })
	})
	return repeated, err
}

// Texts gives the texts that have one of the labels.
func (c *Counter) Texts(ctx context.Context, ws workspace.ID, snap release.Snapshot, labels map[fact.Label]bool) (map[fact.ID]fact.Label, error) {
	keys := make([]int64, 0, len(labels))
	for l := range maps.Keys(labels) {
		keys = append(keys, int64(l))
	}
	slices.Sort(keys)
	ids := map[fact.ID]fact.Label{}
	err := c.texts(ctx, ws, snap.Files, func(n *counts, r *reader) error {
		return n.scan(ctx, r.fromSQL("id, reply", snap.Files, fmt.Sprintf("kind = 2 AND reply IN (%s)", list64(keys))), func(row []driver.Value) {
			id, _ := row[0].([]byte)
			reply, _ := row[1].(int64)
			if len(id) == len(fact.ID{}) {
				ids[fact.ID(id)] = fact.Label(reply)
			}
		})
	})
	return ids, err
}

// texts asks files of a workspace something about texts.
func (c *Counter) texts(ctx context.Context, ws workspace.ID, files []release.File, ask func(*counts, *reader) error) (err error) {
	if len(files) == 0 {
		return nil
	}
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	n := &counts{conn: conn}
	defer func() { err = errors.Join(err, n.Close()) }()
	if err := ask(n, &reader{plan: &plan{settings: release.Settings{Workspace: ws}}, files: files}); err != nil {
		return fmt.Errorf("engine: replies: %w", err)
	}
	return nil
}
