package workspace

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

func markKey(ws ID, id string) string { return "mark/" + ws.String() + "/" + id }

// Mark remembers that the owner acted on a suggestion, or takes that back.
func (s *Store) Mark(ctx context.Context, ws ID, id string, applied bool) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		if !applied {
			_, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE key = ?`, markKey(ws, id))
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO settings(key, value) VALUES(?, ?) ON CONFLICT DO NOTHING`, markKey(ws, id), strconv.FormatInt(s.now().UnixMicro(), 10))
		return err
	})
}

// Marks gives the suggestions that the owner acted on, and when.
func (s *Store) Marks(ctx context.Context, ws ID) (map[string]time.Time, error) {
	prefix := markKey(ws, "")
	rows, err := s.db.QueryContext(ctx, `SELECT key, value FROM settings WHERE substr(key, 1, ?) = ?`, len(prefix), prefix)
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	defer rows.Close()
	out := map[string]time.Time{}
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		us, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read marks: %w", err)
		}
		out[strings.TrimPrefix(key, prefix)] = time.UnixMicro(us).UTC()
	}
	return out, rows.Err()
}
