package workspace

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// KindStream is the kind of a source that is the operator's own stream: it is connected once, to Default, and feeds every
// workspace.
const KindStream = "kafka"

// Aside says how many records of one partition of a stream were put aside for one reason, and where. It holds nothing of what
// is in them.
type Aside struct {
	Topic, TopicID string
	Partition      int32
	Workspace      string // empty: none that is known here
	Why            string
	First, Last    int64 // offsets
	Records        int64
	At             time.Time // of the last
}

// Streams lists the connected streams.
func (s *Store) Streams(ctx context.Context) ([]Source, error) {
	all, err := s.Sources(ctx, Default)
	streams := all[:0]
	for _, src := range all {
		if src.Kind == KindStream {
			streams = append(streams, src)
		}
	}
	return streams, err
}

// StreamNames lists every stream that there ever was.
func (s *Store) StreamNames(ctx context.Context) ([]string, error) {
	return s.strings(ctx, `SELECT DISTINCT name FROM sources WHERE workspace = '`+Default.String()+`' AND kind = '`+KindStream+`' ORDER BY name`)
}

// Aside lists what a stream put aside, in the order of its places.
func (s *Store) Aside(ctx context.Context, src Source) (all []Aside, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT topic, topic_id, partition, workspace, why, first, last, records, at FROM aside
		WHERE source = ? ORDER BY topic, topic_id, partition, first, workspace, why`, src.hash[:])
	if err != nil {
		return nil, fmt.Errorf("list what a stream put aside: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Aside
		var at int64
		if err := rows.Scan(&a.Topic, &a.TopicID, &a.Partition, &a.Workspace, &a.Why, &a.First, &a.Last, &a.Records, &at); err != nil {
			return nil, err
		}
		a.At = moment(at)
		all = append(all, a)
	}
	return all, rows.Err()
}

// SetAside stores them; one without records is forgotten. All are durable, or none.
func (s *Store) SetAside(ctx context.Context, src Source, all ...Aside) error {
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, a := range all {
			key := []any{src.hash[:], a.Topic, a.TopicID, a.Partition, a.Workspace, a.Why}
			if a.Records == 0 {
				if _, err := tx.ExecContext(ctx, `DELETE FROM aside WHERE source = ? AND topic = ? AND topic_id = ? AND partition = ? AND workspace = ? AND why = ?`, key...); err != nil {
					return err
				}
				continue
			}
			_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO aside(source, topic, topic_id, partition, workspace, why, first, last, records, at) VALUES(?,?,?,?,?,?,?,?,?,?)`,
				append(key, a.First, a.Last, a.Records, a.At.UnixMicro())...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store what a stream put aside: %w", err)
	}
	return nil
}
