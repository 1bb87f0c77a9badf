package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	duck "github.com/duckdb/duckdb-go/v2"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Texts calls f with the masked words of every version of every message and talk of a workspace that the files of texts have.
func (c *Counter) Texts(ctx context.Context, ws workspace.ID, texts release.Snapshot, f func(v release.Version, words string)) (err error) {
	if len(texts.Files) == 0 {
		return nil
	}
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	n := &counts{conn: conn}
	defer func() { err = errors.Join(err, n.Close()) }()
	query := tableSQL(fact.Texts, ws, "kind, id, version, text", texts.Files,
		fmt.Sprintf("kind IN (%d, %d) AND text IS NOT NULL", fact.KindMessage, fact.KindTalk))
	err = n.scan(ctx, query, func(row []driver.Value) {
		v := release.Version{ID: keyOf(row[1])}
		kind, _ := row[0].(int64)
		v.Kind = fact.Kind(kind)
		v.Version, _ = row[2].(int64)
		words, _ := row[3].(string)
		f(v, words)
	})
	if err != nil {
		return fmt.Errorf("engine: texts: %w", err)
	}
	return nil
}

// tellOwn makes the table of the facts that the workspace's own topics are about, when a question is split by topic.
func (n *counts) tellOwn(ctx context.Context, r *reader, own []release.Own) error {
	if len(own) == 0 || !slices.ContainsFunc(n.plan.splits, func(s split) bool { return s.by == release.ByTopic }) {
		return nil
	}
	table := r.table("own")
	if _, err := n.conn.ExecContext(ctx, "CREATE TEMP TABLE "+table+" (own_kind BIGINT, own_id BLOB, own_version BIGINT, own_topic BIGINT)"); err != nil {
		return err
	}
	n.tables, r.own = append(n.tables, table), table
	return n.conn.Raw(func(c any) (err error) {
		a, err := duck.NewAppender(c.(driver.Conn), "temp", "main", table)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		told := map[release.Version]bool{} // twice would double a row
		for _, o := range own {
			if told[o.Version] {
				continue
			}
			told[o.Version] = true
			if err := a.AppendRow(int64(o.Kind), o.ID[:], o.Version.Version, o.Topic); err != nil {
				return err
			}
		}
		return nil
	})
}

// withOwn joins the workspace's own topics to rows.
func (r *reader) withOwn(from string) string {
	if r.own == "" {
		return from
	}
	return fmt.Sprintf("SELECT f.*, o.own_topic FROM (%s) f LEFT JOIN %s o ON f.kind = o.own_kind AND f.id = o.own_id AND f.version = o.own_version", from, r.own)
}
