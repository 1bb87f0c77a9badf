package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// counted stands in a state's place in the rows of a counter. No state has it.
const counted = -1

// Counts implements deliveries.Store. In comes from the counter of what was accepted; the states from the rows that are
// not settled, and from the counter of what was settled: two ways to one number. It reads what waits, not what is done.
func (j *Journal) Counts(ctx context.Context) (map[workspace.ID]map[fact.Label]deliveries.Tally, error) {
	rows, err := j.reads.QueryContext(ctx, fmt.Sprintf(`
		select name, label, state, n, duplicates from (
			select ws, source, %d as state, deliveries as n, duplicates from accepted union all
			select ws, source, state, count(*), 0 from delivery where state in (%s) group by state, ws, source union all
			select ws, source, state, deliveries, 0 from settled)
		join workspace w on w.no = ws join source s on s.no = source`, counted, needed))
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[workspace.ID]map[fact.Label]deliveries.Tally{}
	for rows.Next() {
		var name string
		var label, state, n, duplicates int64
		if err := rows.Scan(&name, &label, &state, &n, &duplicates); err != nil {
			return nil, fmt.Errorf("count deliveries: %w", err)
		}
		ws, err := workspace.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("count deliveries: %w", err)
		}
		if counts[ws] == nil {
			counts[ws] = map[fact.Label]deliveries.Tally{}
		}
		t := counts[ws][fact.Label(label)]
		switch {
		case state == counted:
			t.In += n
			t.States[fact.Duplicate] += duplicates
		case state >= 0 && state < int64(len(t.States)):
			t.States[state] += n
		}
		counts[ws][fact.Label(label)] = t
	}
	return counts, rows.Err()
}

// Latest implements deliveries.Store.
func (j *Journal) Latest(ctx context.Context, w workspace.ID) (map[fact.Label]time.Time, error) {
	rows, err := j.reads.QueryContext(ctx, `select label, latest from accepted join source on no = source
		where ws = (select no from workspace where name = ?) and latest > 0`, w.String())
	if err != nil {
		return nil, fmt.Errorf("find the last deliveries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	last := map[fact.Label]time.Time{}
	for rows.Next() {
		var label, at int64
		if err := rows.Scan(&label, &at); err != nil {
			return nil, fmt.Errorf("find the last deliveries: %w", err)
		}
		last[fact.Label(label)] = timeOf(at)
	}
	return last, rows.Err()
}

// Trace implements deliveries.Store.
func (j *Journal) Trace(ctx context.Context, w workspace.ID, id journal.ID) (deliveries.Trace, error) {
	t := deliveries.Trace{Message: journal.Message{Topic: journal.Inbox, Workspace: w, ID: id}}
	var pos, label, at, since int64
	var contact []byte
	var epoch, size sql.NullInt64
	err := j.reads.QueryRowContext(ctx, `select pos, label, at, state, why, since, contact, epoch, length(body)
		from delivery d join source on no = source left join payload using (pos)
		where pos in (select pos from place where id = substr(?1, 1, 8) union all
			select pos from delivery where pos >= (select filed from sequence) and id = ?1)
		and id = ?1 and d.ws = (select no from workspace where name = ?2)`, id[:], w.String()).
		Scan(&pos, &label, &at, &t.State, &t.Why, &since, &contact, &epoch, &size)
	if errors.Is(err, sql.ErrNoRows) {
		return deliveries.Trace{}, deliveries.ErrUnknown
	}
	if err != nil {
		return deliveries.Trace{}, fmt.Errorf("trace delivery: %w", err)
	}
	copy(t.Contact[:], contact)
	t.Position, t.Source, t.At, t.Since = position(pos), fact.Label(label), timeOf(at), timeOf(at+since)
	t.Size, t.Epoch = int(size.Int64), uint32(epoch.Int64)
	return t, nil
}

// Reasons implements deliveries.Store.
func (j *Journal) Reasons(ctx context.Context, w workspace.ID, s fact.State) ([]deliveries.Reason, error) {
	if deliveries.Settled(s) {
		return nil, errors.New("count reasons: the state is settled")
	}
	rows, err := j.reads.QueryContext(ctx, fmt.Sprintf(`select why, count(*), min(at) from delivery where state in (%s)
		and ws = (select no from workspace where name = ?) and state = ? group by why order by why`, needed), w.String(), int64(s))
	if err != nil {
		return nil, fmt.Errorf("count reasons: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []deliveries.Reason
	for rows.Next() {
		var r deliveries.Reason
		var oldest int64
		if err := rows.Scan(&r.Why, &r.Deliveries, &oldest); err != nil {
			return nil, fmt.Errorf("count reasons: %w", err)
		}
		r.Oldest = timeOf(oldest)
		out = append(out, r)
	}
	return out, rows.Err()
}

// Backlog implements deliveries.Store.
func (j *Journal) Backlog(ctx context.Context) (deliveries.Backlog, error) {
	var b deliveries.Backlog
	var oldest int64
	err := j.reads.QueryRowContext(ctx, `select
		(select count(*) from delivery where state = 0),
		coalesce((select min(at) from delivery where state = 0), 0),
		(select count(*) from message)`).Scan(&b.Pending, &oldest, &b.Facts)
	if err != nil {
		return deliveries.Backlog{}, fmt.Errorf("measure backlog: %w", err)
	}
	b.Oldest = timeOf(oldest)
	return b, nil
}

// Sealed implements deliveries.Store.
func (j *Journal) Sealed(ctx context.Context, f func(journal.Message) error) error {
	for pos := int64(0); ; {
		rows, err := j.reads.QueryContext(ctx, readSealed, pos, int64(fact.Erased), journal.MaxBatch)
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
		if pos, err = rowOf(batch[len(batch)-1].Position); err != nil {
			return err
		}
		for _, m := range batch {
			if err := f(m); err != nil {
				return err
			}
		}
	}
}

// Check asks SQLite whether the file is whole, compares the counter of what was settled with the rows, and looks each row
// up by its id; it gives one line a fault.
func (j *Journal) Check(ctx context.Context) (faults []string, err error) {
	for _, query := range []string{`pragma integrity_check(20)`, fmt.Sprintf(`
		select 'workspace ' || name || ': ' || sum(n) || ' settled deliveries have no row' from (
			select ws, deliveries - purged as n from settled union all
			select ws, -count(*) from delivery where state not in (%s) group by ws) join workspace on no = ws
		group by ws having sum(n) <> 0`, needed), `
		select 'workspace ' || name || ': ' || count(*) || ' deliveries are not found by their id' from delivery d
		join workspace on no = ws where pos < (select filed from sequence)
		and not exists (select 1 from place p where p.id = substr(d.id, 1, 8) and p.pos = d.pos) group by ws`} {
		found, err := j.lines(ctx, query)
		if err != nil {
			return faults, fmt.Errorf("check the journal: %w", err)
		}
		faults = append(faults, found...)
	}
	return slices.DeleteFunc(faults, func(line string) bool { return line == "ok" }), nil
}

func (j *Journal) lines(ctx context.Context, query string) (out []string, err error) {
	rows, err := j.reads.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, rows.Err()
}
