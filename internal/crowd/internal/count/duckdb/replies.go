package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Replies says which replies count as repeated, and where they are looked for.
type Replies struct {
	Workspace    workspace.ID
	Facts, Texts release.Snapshot
	Span         release.Span
	Contacts     int // that a reply, and each word of its name, has at least
	Length       int // of a text that can be a name, at most; in characters
}

// Repeated names the replies that enough contacts got within a span, by label. The name is the masked text that most contacts
// got; a word of it that too few of them got is left out, so that no name tells what one person was written. Names depend on
// the rows alone, not on their order.
func (c *Counter) Repeated(ctx context.Context, q Replies) (names []release.Name, err error) {
	texts := inside(q.Texts.Files, q.Span)
	if len(q.Facts.Files) == 0 || len(texts) == 0 {
		return nil, nil
	}
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	n := &counts{conn: conn}
	defer func() { err = errors.Join(err, n.Close()) }()
	prefix := fmt.Sprintf("s%d", c.next.Add(1))
	if names, err = n.repeated(ctx, q, texts, prefix+"_reply", prefix+"_text"); err != nil {
		return nil, fmt.Errorf("engine: repeated replies: %w", err)
	}
	return names, nil
}

func (n *counts) repeated(ctx context.Context, q Replies, texts []release.File, replies, said string) (names []release.Name, err error) {
	if err := n.create(ctx, replies, q.rowsSQL()); err != nil {
		return nil, err
	}
	some := false
	if err := n.conn.QueryRowContext(ctx, "SELECT count(*) > 0 FROM "+replies).Scan(&some); err != nil || !some {
		return nil, err
	}
	err = n.create(ctx, said, fmt.Sprintf("SELECT reply, contact, trim(text) AS text FROM (%s) JOIN %s USING (id, version) WHERE length(text) <= %d",
		tableSQL(fact.Texts, q.Workspace, "id, version, text", texts, "kind = 2 AND "+between(q.Span)), replies, q.Length))
	if err != nil {
		return nil, err
	}
	shared := map[int64]map[string]bool{}
	words := fmt.Sprintf(`SELECT reply, word FROM (SELECT reply, contact, unnest(regexp_split_to_array(text, '\s+')) AS word FROM %s)
GROUP BY reply, word HAVING count(DISTINCT contact) >= %d`, said, q.Contacts)
	if err := n.labelled(ctx, words, func(label int64, word string) {
		if shared[label] == nil {
			shared[label] = map[string]bool{}
		}
		shared[label][word] = true
	}); err != nil {
		return nil, err
	}
	most := fmt.Sprintf(`SELECT reply, text FROM (SELECT reply, text, count(DISTINCT contact) AS contacts FROM %s GROUP BY reply, text)
QUALIFY row_number() OVER (PARTITION BY reply ORDER BY contacts DESC, md5(text)) = 1 ORDER BY reply`, said)
	taken := map[string]bool{"": true}
	err = n.labelled(ctx, most, func(label int64, text string) {
		if name := shownWords(text, shared[label]); !taken[name] {
			taken[name] = true
			names = append(names, release.Name{Key: label, Name: name})
		}
	})
	return names, err
}

// labelled calls f with every row of a query of a label and a string.
func (n *counts) labelled(ctx context.Context, query string, f func(label int64, s string)) error {
	return n.scan(ctx, query, func(row []driver.Value) {
		label, _ := row[0].(int64)
		s, _ := row[1].(string)
		f(label, s)
	})
}

// shownWords writes an ellipsis for words of a text that are not shared; "" when none is.
func shownWords(text string, shared map[string]bool) string {
	const gap = "…"
	var words []string
	for _, w := range strings.Fields(text) {
		if !shared[w] {
			w = gap
		}
		if w != gap || len(words) == 0 || words[len(words)-1] != gap {
			words = append(words, w)
		}
	}
	if !slices.ContainsFunc(words, func(w string) bool { return w != gap }) {
		return ""
	}
	return strings.Join(words, " ")
}

// rowsSQL gives the texts that are repeated replies. What any version repeats is a candidate; of each candidate the newest
// version counts, as in wonSQL.
func (q Replies) rowsSQL() string {
	rows := func(cols, where string) string {
		return tableSQL(fact.Facts, q.Workspace, cols, q.Facts.Files, "kind = 2 AND "+where)
	}
	enough := func(from string) string {
		return fmt.Sprintf("SELECT reply FROM %s WHERE reply <> 0 AND %s GROUP BY reply HAVING count(DISTINCT %s) >= %d", from, between(q.Span), person, q.Contacts)
	}
	return fmt.Sprintf(`WITH candidate AS MATERIALIZED (%s),
ids AS MATERIALIZED (SELECT DISTINCT id FROM (%s) SEMI JOIN candidate USING (reply)),
won AS MATERIALIZED (SELECT * FROM (%s) SEMI JOIN ids USING (id)
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY version DESC, CASE WHEN contact IS NULL THEN 0 ELSE 1 END, "at" DESC) = 1),
repeated AS MATERIALIZED (%s)
SELECT id, version, reply, %s AS contact FROM won SEMI JOIN repeated USING (reply) WHERE %s`,
		enough("("+rows(`contact, "at", reply`, "reply <> 0")+")"), rows("id, reply", "reply <> 0"),
		rows(`id, version, contact, "at", reply`, "true"), enough("won"), person, between(q.Span))
}
