package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Said says which texts are read, and where they are looked for.
type Said struct {
	Workspace    workspace.ID
	Facts, Texts release.Snapshot
	Span         release.Span
	Told         bool // those with a public reason; else those of which none is told
	Most         int  // so many at most, the first by their keyed ids, which are in no order of people or time
}

// longestSaid is how many characters of a text are read: a transcript may have thousands of lines.
const longestSaid = 2_000

// Said calls f with the masked words of what contacts wrote and said: of every text and talk the newest version, in the order of
// their ids. Who is not known any more, or only by the word of the sender, is left out.
func (c *Counter) Said(ctx context.Context, q Said, f func(contact [16]byte, words string)) (err error) {
	texts := inside(q.Texts.Files, q.Span)
	if len(q.Facts.Files) == 0 || len(texts) == 0 {
		return nil
	}
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	n := &counts{conn: conn}
	defer func() { err = errors.Join(err, n.Close()) }()
	topics := fmt.Sprintf("topic = %d", fact.TopicOther)
	if q.Told {
		topics = fmt.Sprintf("topic > 0 AND topic <> %d", fact.TopicOther)
	}
	kinds := fmt.Sprintf("kind IN (%d, %d)", fact.KindMessage, fact.KindTalk)
	query := fmt.Sprintf(`WITH won AS (SELECT * FROM (%s)
  QUALIFY row_number() OVER (PARTITION BY kind, id ORDER BY version DESC, CASE WHEN contact IS NULL THEN 0 ELSE 1 END, "at" DESC) = 1)
SELECT contact, text FROM (SELECT kind, id, version, %s AS contact FROM won WHERE %s AND coalesce(claimed, 0) = 0 AND %s) said
JOIN (%s) words USING (kind, id, version) WHERE contact IS NOT NULL ORDER BY id, kind LIMIT %d`,
		tableSQL(fact.Facts, q.Workspace, `kind, id, version, contact, "at", topic, claimed`, q.Facts.Files, kinds), person, topics, between(q.Span),
		tableSQL(fact.Texts, q.Workspace, fmt.Sprintf("DISTINCT kind, id, version, left(text, %d) AS text", longestSaid), texts, kinds+" AND text IS NOT NULL AND "+between(q.Span)), q.Most)
	err = n.scan(ctx, query, func(row []driver.Value) {
		words, _ := row[1].(string)
		f(keyOf(row[0]), words)
	})
	if err != nil {
		return fmt.Errorf("engine: what was said: %w", err)
	}
	return nil
}
