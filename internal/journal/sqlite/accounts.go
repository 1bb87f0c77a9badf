package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

func label(n int64) fact.Label { return fact.Label(n) }

// Counts implements journal.Accounts. In comes from the counter that Append keeps, the states from the rows
// themselves and from what Purge has removed: two ways to one number. One read transaction, about 0.2 s a
// million deliveries.
func (j *Journal) Counts(ctx context.Context) (map[workspace.ID]map[fact.Label]journal.Tally, error) {
	counts := map[workspace.ID]map[fact.Label]journal.Tally{}
	rows, err := j.reads.QueryContext(ctx, fmt.Sprintf(`
		select name, source, %d, deliveries, duplicates from accepted join workspace on no = ws union all
		select name, source, state, n, 0 from
			(select state, ws, source, count(*) as n from delivery group by state, ws, source) join workspace on no = ws union all
		select name, source, state, deliveries, 0 from purged join workspace on no = ws`, counted))
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		var source, state, n, duplicates int64
		if err := rows.Scan(&name, &source, &state, &n, &duplicates); err != nil {
			return nil, fmt.Errorf("count deliveries: %w", err)
		}
		ws, err := workspace.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("count deliveries: %w", err)
		}
		if counts[ws] == nil {
			counts[ws] = map[fact.Label]journal.Tally{}
		}
		t := counts[ws][label(source)]
		switch {
		case state == counted:
			t.In += n
			t.States[fact.Duplicate] += duplicates
		case state >= 0 && state < int64(len(t.States)):
			t.States[state] += n
		}
		counts[ws][label(source)] = t
	}
	return counts, rows.Err()
}

// counted stands in a state's place in the rows of the counter. No state has it.
const counted = -1

// Latest implements journal.Accounts. It reads the rows of the workspace: some 30 days of deliveries.
func (j *Journal) Latest(ctx context.Context, w workspace.ID) (map[fact.Label]time.Time, error) {
	rows, err := j.reads.QueryContext(ctx, `select source, max(at) from delivery where ws = (select no from workspace where name = ?) group by source`, w.String())
	if err != nil {
		return nil, fmt.Errorf("find the last deliveries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	last := map[fact.Label]time.Time{}
	for rows.Next() {
		var source, at int64
		if err := rows.Scan(&source, &at); err != nil {
			return nil, fmt.Errorf("find the last deliveries: %w", err)
		}
		last[label(source)] = time.UnixMicro(at).UTC()
	}
	return last, rows.Err()
}

// Trace implements journal.Accounts.
func (j *Journal) Trace(ctx context.Context, w workspace.ID, id journal.ID) (journal.Trace, error) {
	t := journal.Trace{Message: journal.Message{Topic: journal.Inbox, Workspace: w, ID: id}}
	var source, key, at, since int64
	var contact []byte
	var epoch sql.NullInt64
	err := j.reads.QueryRowContext(ctx, `select pos, source, key, at, size, state, why, state_at, contact, epoch
		from delivery left join payload using (pos)
		where ws = (select no from workspace where name = ?) and id = ?`, w.String(), id[:]).
		Scan(&t.Position, &source, &key, &at, &t.Size, &t.State, &t.Why, &since, &contact, &epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return journal.Trace{}, journal.ErrUnknown
	}
	if err != nil {
		return journal.Trace{}, fmt.Errorf("trace delivery: %w", err)
	}
	copy(t.Contact[:], contact)
	t.Source, t.Key, t.At, t.Since = label(source), uint64(key), timeOf(at), timeOf(since)
	t.Sealed, t.Epoch = epoch.Valid, uint32(epoch.Int64)
	return t, nil
}

// Backlog implements journal.Accounts.
func (j *Journal) Backlog(ctx context.Context) (journal.Backlog, error) {
	var b journal.Backlog
	var oldest int64
	err := j.reads.QueryRowContext(ctx, `select
		(select count(*) from delivery where state = 0),
		coalesce((select at from delivery where pos = (select min(pos) from delivery where state = 0)), 0),
		(select count(*) from message),
		coalesce(min((select coalesce(min(epoch), 4294967296) from payload),
			(select coalesce(min(epoch), 4294967296) from message)) % 4294967296, 0)`).
		Scan(&b.Pending, &oldest, &b.Facts, &b.Epoch)
	if err != nil {
		return journal.Backlog{}, fmt.Errorf("measure backlog: %w", err)
	}
	b.Oldest = timeOf(oldest)
	return b, nil
}

// positions reads rows of one number and closes them.
func positions(rows *sql.Rows) (p []int64, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var pos int64
		if err := rows.Scan(&pos); err != nil {
			return nil, err
		}
		p = append(p, pos)
	}
	return p, rows.Err()
}

// Backup implements journal.Accounts: VACUUM INTO, which reads one snapshot while others write.
func (j *Journal) Backup(ctx context.Context, path string) error {
	if err := j.backup(ctx, path); err != nil {
		return fmt.Errorf("back up journal: %w", classify(err))
	}
	return nil
}

// purgeAge is the least age of a delivery that may be forgotten.
const purgeAge = journal.Window + time.Hour
