package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// chunk is how many rows an upkeep transaction changes at most: Append waits a few milliseconds for it.
const chunk = 500

// needed are the states whose payload is still to be read; see journal.Settled.
var needed = stateList(fact.Pending, fact.Held, fact.Quarantined)

func stateList(states ...fact.State) string {
	s := make([]string, len(states))
	for i, v := range states {
		s[i] = fmt.Sprint(int64(v))
	}
	return strings.Join(s, ", ")
}

// chunks repeats a step that reports how many rows it changed, each time in a transaction of its own, until
// it changes none.
func (j *Journal) chunks(ctx context.Context, what string, step func(*tx) (int64, error)) (n int, err error) {
	for {
		var changed int64
		err := j.write(ctx, commitSize, func(t *tx) (err error) {
			changed, err = step(t)
			return err
		})
		if err != nil {
			return n, fmt.Errorf("%s: %w", what, err)
		}
		if n += int(changed); changed == 0 {
			return n, nil
		}
	}
}

// change runs an unprepared statement in the transaction.
func (t *tx) change(query string, args ...any) (int64, error) {
	r, err := t.w.conn.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (t *tx) find(query string, args ...any) ([]int64, error) {
	rows, err := t.w.conn.QueryContext(t.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return positions(rows)
}

// Replay implements journal.Accounts. Deliveries keep their order. A replayed one gets a new position, so the position
// at the beginning keeps one that ends where it was from being replayed again.
func (j *Journal) Replay(ctx context.Context, w workspace.ID, states []fact.State, why fact.Why) (int, error) {
	for _, s := range states {
		if s == fact.Pending || s == fact.Erased {
			return 0, errors.New("replay: pending and erased deliveries cannot be replayed")
		}
	}
	var end int64
	if err := j.reads.QueryRowContext(ctx, `select next from sequence`).Scan(&end); err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	query := fmt.Sprintf(`select pos from delivery join payload using (pos)
		where state in (%s) and ws = (select no from workspace where name = ?1) and (?2 = 0 or why = ?2) and pos < ?3
		order by pos limit %d`, stateList(states...), chunk)
	return j.chunks(ctx, "replay", func(t *tx) (int64, error) {
		found, err := t.find(query, w.String(), int64(why), end)
		if err != nil {
			return 0, err
		}
		return int64(len(found)), t.requeue(found)
	})
}

// DropPayloads implements journal.Accounts.
func (j *Journal) DropPayloads(ctx context.Context, below uint32) (int, error) {
	query := fmt.Sprintf(`delete from payload where pos in (select pos from payload join delivery using (pos)
		where epoch < ? and state not in (%s) limit %d)`, needed, chunk)
	return j.chunks(ctx, "drop payloads", func(t *tx) (int64, error) { return t.change(query, int64(below)) })
}

// MarkErased implements journal.Accounts.
func (j *Journal) MarkErased(ctx context.Context, w workspace.ID, contacts [][16]byte) (n int, err error) {
	query := fmt.Sprintf(`select pos from delivery
		where ws = (select no from workspace where name = ?) and contact = ? limit %d`, chunk)
	for _, contact := range contacts {
		if contact == ([16]byte{}) {
			continue
		}
		erased, err := j.thoroughly(ctx, "mark erased", func(t *tx) (int64, error) {
			found, err := t.find(query, w.String(), contact[:])
			if err != nil {
				return 0, err
			}
			for _, pos := range found {
				if _, err := t.change(`delete from payload where pos = ?`, pos); err != nil {
					return 0, err
				}
				if _, err := t.change(`update delivery set state = ?, why = ?, state_at = ?, contact = null where pos = ?`,
					int64(fact.Erased), int64(fact.WhyErasure), t.now, pos); err != nil {
					return 0, err
				}
			}
			return int64(len(found)), nil
		})
		n += erased
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Unlink implements journal.Accounts.
func (j *Journal) Unlink(ctx context.Context, before time.Time) (int, error) {
	query := fmt.Sprintf(`update delivery set contact = null where pos in
		(select pos from delivery where contact is not null and at < ? limit %d)`, chunk)
	return j.thoroughly(ctx, "unlink", func(t *tx) (int64, error) { return t.change(query, micros(before)) })
}

// thoroughly is chunks for what must not linger: pages given back are overwritten too, and afterwards the
// log is written into the file and cut.
func (j *Journal) thoroughly(ctx context.Context, what string, step func(*tx) (int64, error)) (int, error) {
	n, err := j.chunks(ctx, what, func(t *tx) (changed int64, err error) {
		if _, err := t.change(`pragma secure_delete = on`); err != nil {
			return 0, err
		}
		defer func() {
			_, after := t.change(`pragma secure_delete = fast`)
			err = errors.Join(err, after)
		}()
		return step(t)
	})
	if err == nil && n > 0 {
		// Best effort: while another process reads an old snapshot the log stays until the next time.
		_, _ = j.reads.ExecContext(ctx, `pragma wal_checkpoint(truncate)`)
	}
	return n, err
}

// Purge implements journal.Accounts.
func (j *Journal) Purge(ctx context.Context) (int, error) {
	before := micros(j.config.Now().Add(-purgeAge))
	query := fmt.Sprintf(`select pos from delivery where at < ? and state not in (%s) limit %d`, needed, chunk)
	return j.chunks(ctx, "purge", func(t *tx) (int64, error) {
		found, err := t.find(query, before)
		if err != nil {
			return 0, err
		}
		for _, pos := range found {
			if _, err := t.change(`insert into purged select ws, source, state, 1 from delivery where pos = ?
				on conflict do update set deliveries = deliveries + 1`, pos); err != nil {
				return 0, err
			}
			if _, err := t.change(`delete from payload where pos = ?`, pos); err != nil {
				return 0, err
			}
			if _, err := t.change(`delete from delivery where pos = ?`, pos); err != nil {
				return 0, err
			}
		}
		return int64(len(found)), nil
	})
}

// resealing reads what an old epoch still seals, past a position.
const resealing = `epoch < ?1 and pos > ?2 order by pos limit 64`

// Reseal implements journal.Accounts. f runs outside the writer; a payload that has changed meanwhile is
// left as it is.
func (j *Journal) Reseal(ctx context.Context, below uint32, f func(journal.Message) (journal.Message, error)) (n int, err error) {
	for _, source := range []struct {
		topic        journal.Topic
		read, update string
	}{
		{journal.Inbox, fmt.Sprintf(`select pos, name, id, source, key, at, epoch, body from payload join delivery using (pos)
			join workspace on no = ws where state in (%s) and `, needed) + resealing,
			`update payload set epoch = ?, body = ? where pos = ? and epoch = ?`},
		{journal.Facts, `select pos, name, id, source, key, at, epoch, body from message
			join workspace on no = ws where ` + resealing,
			`update message set epoch = ?, body = ? where pos = ? and epoch = ?`},
	} {
		for pos := int64(0); ; {
			rows, err := j.reads.QueryContext(ctx, source.read, int64(below), pos)
			if err != nil {
				return n, fmt.Errorf("reseal: %w", err)
			}
			batch, err := messages(rows, source.topic)
			if err != nil {
				return n, fmt.Errorf("reseal: %w", err)
			}
			if len(batch) == 0 {
				break
			}
			pos = batch[len(batch)-1].Position
			changed, err := j.resealBatch(ctx, source.update, batch, f)
			n += changed
			if err != nil {
				return n, fmt.Errorf("reseal: %w", err)
			}
		}
	}
	return n, nil
}

func (j *Journal) resealBatch(ctx context.Context, update string, batch []journal.Message,
	f func(journal.Message) (journal.Message, error)) (n int, err error) {
	sealed := make([]journal.Message, len(batch))
	for i := range batch {
		if sealed[i], err = f(batch[i]); err != nil {
			return 0, err
		}
	}
	if err := check(sealed); err != nil {
		return 0, err
	}
	err = j.write(ctx, commitSize, func(t *tx) error {
		n = 0
		for i, m := range sealed {
			changed, err := t.change(update, int64(m.Epoch), m.Payload, batch[i].Position, int64(batch[i].Epoch))
			if err != nil {
				return err
			}
			n += int(changed)
		}
		return nil
	})
	return n, err
}

func (j *Journal) backup(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // VACUUM INTO takes an empty file
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	db, err := sql.Open("sqlite", dsn(j.path, j.config)) // query_only forbids it
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, `vacuum into ?`, path); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	// SQLite does not sync the copy.
	return errors.Join(f.Sync(), syncDir(filepath.Dir(path)))
}

// DropOlder implements journal.Accounts.
func (j *Journal) DropOlder(ctx context.Context, w workspace.ID, before time.Time) (int, error) {
	query := fmt.Sprintf(`delete from payload where pos in (select pos from payload join delivery using (pos)
		where ws = (select no from workspace where name = ?) and at < ? and state not in (%s) limit %d)`, needed, chunk)
	return j.chunks(ctx, "drop old payloads", func(t *tx) (int64, error) { return t.change(query, w.String(), micros(before)) })
}

// Lapse implements journal.Accounts.
func (j *Journal) Lapse(ctx context.Context, held, quarantined time.Time) (n int, err error) {
	for _, end := range []struct {
		state, to fact.State
		before    time.Time
	}{{fact.Held, fact.Refused, held}, {fact.Quarantined, fact.Quarantined, quarantined}} {
		query := fmt.Sprintf(`select pos from payload join delivery using (pos) where state = ? and at < ? limit %d`, chunk)
		ended, err := j.chunks(ctx, "end what waited too long", func(t *tx) (int64, error) {
			found, err := t.find(query, int64(end.state), micros(end.before))
			if err != nil {
				return 0, err
			}
			for _, pos := range found {
				if _, err := t.change(`delete from payload where pos = ?`, pos); err != nil {
					return 0, err
				}
				if _, err := t.change(`update delivery set state = ?, state_at = ? where pos = ?`, int64(end.to), t.now, pos); err != nil {
					return 0, err
				}
			}
			return int64(len(found)), nil
		})
		n += ended
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
