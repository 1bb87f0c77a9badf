package sqlite

import (
	"context"
	"fmt"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// Reasons implements journal.Accounts.
func (j *Journal) Reasons(ctx context.Context, w workspace.ID, s fact.State) ([]journal.Reason, error) {
	rows, err := j.reads.QueryContext(ctx, `select why, count(*), min(at) from delivery
		where ws = (select no from workspace where name = ?) and state = ? group by why order by why`, w.String(), int64(s))
	if err != nil {
		return nil, fmt.Errorf("count reasons: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []journal.Reason
	for rows.Next() {
		var r journal.Reason
		var oldest int64
		if err := rows.Scan(&r.Why, &r.Deliveries, &oldest); err != nil {
			return nil, fmt.Errorf("count reasons: %w", err)
		}
		r.Oldest = timeOf(oldest)
		out = append(out, r)
	}
	return out, rows.Err()
}

// Sealed implements journal.Accounts.
func (j *Journal) Sealed(ctx context.Context, f func(journal.Message) error) error {
	for pos := int64(0); ; {
		rows, err := j.reads.QueryContext(ctx, `select pos, name, id, source, key, at, epoch, body from payload join delivery using (pos)
			join workspace on no = ws where pos > ? order by pos limit 512`, pos)
		if err != nil {
			return fmt.Errorf("read sealed deliveries: %w", err)
		}
		batch, err := messages(rows, journal.Inbox)
		if err != nil {
			return fmt.Errorf("read sealed deliveries: %w", err)
		}
		if len(batch) == 0 {
			return nil
		}
		pos = batch[len(batch)-1].Position
		for _, m := range batch {
			if err := f(m); err != nil {
				return err
			}
		}
	}
}

// Check asks SQLite whether the file is whole; it gives one line a fault.
func (j *Journal) Check(ctx context.Context) ([]string, error) {
	rows, err := j.reads.QueryContext(ctx, `pragma integrity_check(20)`)
	if err != nil {
		return nil, fmt.Errorf("check the journal: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, fmt.Errorf("check the journal: %w", err)
		}
		if line != "ok" {
			out = append(out, line)
		}
	}
	return out, rows.Err()
}
