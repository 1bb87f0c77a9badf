package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// chunk is how many rows an upkeep transaction changes at most: Accept waits a few milliseconds for it.
const chunk = 100

// stretch is how many rows of the book a reader looks through at a time; the writer goes on meanwhile.
const stretch = 20_000

// needed are the states whose payload is still to be read; see deliveries.Settled.
var needed = stateList(fact.Pending, fact.Held, fact.Quarantined)

func stateList(states ...fact.State) string {
	s := make([]string, len(states))
	for i, v := range states {
		s[i] = fmt.Sprint(int64(v))
	}
	return strings.Join(s, ", ")
}

// change runs an unprepared statement in the transaction.
func (t *tx) change(query string, args ...any) (int64, error) {
	if err := t.flush(); err != nil {
		return 0, err
	}
	r, err := t.w.conn.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// query runs an unprepared query in the transaction.
func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	return t.w.conn.QueryContext(t.ctx, query, args...)
}

// numbers reads rows of one number and closes them.
func numbers(rows *sql.Rows) (n []int64, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var i int64
		if err := rows.Scan(&i); err != nil {
			return nil, err
		}
		n = append(n, i)
	}
	return n, rows.Err()
}

// workspace gives a workspace's number; 0 if it has none.
func (j *Journal) workspace(ctx context.Context, w workspace.ID) (no int64, err error) {
	err = j.reads.QueryRowContext(ctx, `select coalesce((select no from workspace where name = ?), 0)`, w.String()).Scan(&no)
	return no, err
}

// step changes one row of the book, which is as r says, and reports whether it did.
type step func(t *tx, ws int64, r *row) (bool, error)

// sweep looks through the book outside the writer for the rows that where names, and takes step for each that still is
// such a row, in transactions of chunk rows. where may use ?1, ?2.
func (j *Journal) sweep(ctx context.Context, where string, args []any, thorough bool, step step) (n int, err error) {
	for from := int64(0); ; {
		var to int64
		if err := j.reads.QueryRowContext(ctx, fmt.Sprintf(`select coalesce(max(pos), 0) from
			(select pos from delivery where pos > ? order by pos limit %d)`, stretch), from).Scan(&to); err != nil || to == 0 {
			return n, err
		}
		rows, err := j.reads.QueryContext(ctx, `select pos from delivery where pos > ?3 and pos <= ?4 and `+where, append(args, from, to)...)
		if err != nil {
			return n, err
		}
		found, err := numbers(rows)
		if err != nil {
			return n, err
		}
		changed, err := j.steps(ctx, found, where, args, thorough, step)
		if n += changed; err != nil {
			return n, err
		}
		from = to
	}
}

func (j *Journal) steps(ctx context.Context, found []int64, where string, args []any, thorough bool, step step) (n int, err error) {
	for len(found) > 0 {
		part := found[:min(chunk, len(found))]
		found = found[len(part):]
		changed := 0
		err := j.write(ctx, commitSize, func(t *tx) error {
			changed = 0
			return t.overwriting(thorough, func() error {
				still, err := t.still(part, where, args)
				if err != nil {
					return err
				}
				for i := range still {
					did, err := step(t, still[i].ws, &still[i].row)
					if err != nil {
						return err
					}
					if did {
						changed++
					}
				}
				return nil
			})
		})
		if n += changed; err != nil {
			return n, err
		}
	}
	return n, nil
}

// overwriting carries out f; what it deletes leaves, if that is asked for, no trace in pages that become free either.
func (t *tx) overwriting(thorough bool, f func() error) (err error) {
	if !thorough {
		return f()
	}
	if _, err := t.change(`pragma secure_delete = on`); err != nil {
		return err
	}
	defer func() {
		_, after := t.change(`pragma secure_delete = fast`)
		err = errors.Join(err, after)
	}()
	return f()
}

// owned is a row and its workspace.
type owned struct {
	row
	ws int64
}

// still reads those of the rows that where still names.
func (t *tx) still(part []int64, where string, args []any) (found []owned, err error) {
	list, err := json.Marshal(part)
	if err != nil {
		return nil, err
	}
	rows, err := t.query(`select pos, ws, source, state, why, at from delivery where pos in (select value from json_each(?3)) and `+where, append(args, string(list))...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r owned
		if err := rows.Scan(&r.pos, &r.ws, &r.source, &r.state, &r.why, &r.at); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

// Replay implements deliveries.Store. Deliveries keep their order. A replayed one gets a new position, so the position
// at the beginning keeps one that ends where it was from being replayed again.
func (j *Journal) Replay(ctx context.Context, w workspace.ID, states []fact.State, why fact.Why) (n int, err error) {
	for _, s := range states {
		if s != fact.Held && s != fact.Quarantined {
			return 0, errors.New("replay: only held and quarantined deliveries can be replayed")
		}
	}
	return j.replay(ctx, w, fmt.Sprintf(`select pos from delivery join payload using (pos) where state in (%s) and delivery.ws = ?1
		and (?2 = 0 or why = ?2)`, stateList(states...)), int64(why))
}

// ReplayHeld implements deliveries.Store.
func (j *Journal) ReplayHeld(ctx context.Context, w workspace.ID, of []journal.Subject) (n int, err error) {
	for _, s := range of {
		for column, ref := range map[string][16]byte{"call": s.Call, "contact": s.Contact} {
			if ref == ([16]byte{}) {
				continue
			}
			k, err := j.replay(ctx, w, `select pos from held where ws = ?1 and `+column+` in (?2, x'')`, ref[:])
			if n += k; err != nil {
				return n, err
			}
		}
		if s.Contact == ([16]byte{}) {
			continue
		}
		k, err := j.replay(ctx, w, fmt.Sprintf(`select pos from delivery join payload using (pos) where state in (%s) and delivery.ws = ?1
			and contact = ?2`, stateList(fact.Quarantined)), s.Contact[:])
		if n += k; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (j *Journal) replay(ctx context.Context, w workspace.ID, query string, arg any) (n int, err error) {
	var end, from int64
	ws, err := j.workspace(ctx, w)
	if err == nil {
		err = j.reads.QueryRowContext(ctx, `select next from sequence`).Scan(&end)
	}
	for err == nil {
		var found []int64
		err = j.write(ctx, commitSize, func(t *tx) error {
			rows, err := t.query(query+fmt.Sprintf(` and pos > ?3 and pos < ?4 order by pos limit %d`, chunk), ws, arg, from, end)
			if err != nil {
				return err
			}
			if found, err = numbers(rows); err != nil {
				return err
			}
			return t.requeue(found)
		})
		if err == nil && len(found) == 0 {
			return n, nil
		}
		if err == nil {
			n, from = n+len(found), found[len(found)-1]
		}
	}
	return n, fmt.Errorf("replay: %w", err)
}

// MarkErased implements deliveries.Store.
func (j *Journal) MarkErased(ctx context.Context, w workspace.ID, contacts [][16]byte) (n int, err error) {
	ws, err := j.workspace(ctx, w)
	for _, contact := range contacts {
		if err != nil {
			break
		}
		if contact == ([16]byte{}) {
			continue
		}
		var erased int
		erased, err = j.sweep(ctx, `ws = ?1 and contact = ?2`, []any{ws, contact[:]}, true, func(t *tx, ws int64, r *row) (bool, error) {
			return true, t.become(ws, r, fact.Erased, fact.WhyErasure, [16]byte{})
		})
		n += erased
	}
	return n, j.thoroughly(ctx, "mark erased", n, err)
}

// Unlink implements deliveries.Store.
func (j *Journal) Unlink(ctx context.Context, w workspace.ID, before time.Time) (int, error) {
	ws, err := j.workspace(ctx, w)
	n := 0
	if err == nil {
		n, err = j.sweep(ctx, `ws = ?1 and at < ?2 and contact is not null`, []any{ws, micros(before)}, true, func(t *tx, _ int64, r *row) (bool, error) {
			_, err := t.change(`update delivery set contact = null where pos = ?`, r.pos)
			return true, err
		})
	}
	return n, j.thoroughly(ctx, "unlink", n, err)
}

// thoroughly makes deleted data unreadable on the disk: their pages were overwritten, and it writes the log into the
// file and cuts it. The first checkpoint does not block others; it leaves little for the second, which waits for
// writers.
func (j *Journal) thoroughly(ctx context.Context, what string, n int, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if n > 0 {
		_ = j.scrub(ctx) // best effort: while another process reads an old snapshot the log stays until the next time
	}
	return nil
}

// Purge implements deliveries.Store.
func (j *Journal) Purge(ctx context.Context) (n int, err error) {
	before := micros(j.config.Now().Add(-purgeAge))
	n, err = j.sweep(ctx, fmt.Sprintf(`at < ?1 and ?2 is null and state not in (%s)`, needed), []any{before, nil}, false, func(t *tx, ws int64, r *row) (bool, error) {
		if err := t.exec(t.w.sql.purged, ws, r.source, int64(r.state)); err != nil {
			return false, err
		}
		return true, t.exec(t.w.sql.dropDelivery, r.pos)
	})
	if err == nil && n > 0 {
		err = j.unfile(ctx, false)
	}
	if err != nil {
		return n, fmt.Errorf("purge: %w", err)
	}
	return n, nil
}

// purgeAge is the least age of a delivery that may be forgotten.
const purgeAge = deliveries.Window + time.Hour

// Lapse implements deliveries.Store.
func (j *Journal) Lapse(ctx context.Context, w workspace.ID, held, quarantined time.Time) (n int, err error) {
	ws, err := j.workspace(ctx, w)
	for _, end := range []struct {
		state  fact.State
		before time.Time
		step   step
	}{
		{fact.Held, held, func(t *tx, ws int64, r *row) (bool, error) {
			return true, t.become(ws, r, fact.Refused, r.why, [16]byte{})
		}},
		{fact.Quarantined, quarantined, func(t *tx, _ int64, r *row) (bool, error) {
			dropped, err := t.affect(t.w.sql.dropPayload, r.pos)
			return dropped > 0, err
		}},
	} {
		if err != nil {
			break
		}
		where := fmt.Sprintf(`ws = ?1 and at < ?2 and state = %d`, end.state)
		var rows *sql.Rows
		// The index of what is not settled has few rows; the payload tells what lapsed before.
		if rows, err = j.reads.QueryContext(ctx, `select pos from delivery where `+where+
			` and exists (select 1 from payload where payload.pos = delivery.pos)`, ws, micros(end.before)); err != nil {
			break
		}
		var found []int64
		if found, err = numbers(rows); err != nil {
			break
		}
		var ended int
		ended, err = j.steps(ctx, found, where, []any{ws, micros(end.before)}, false, end.step)
		n += ended
	}
	if err != nil {
		return n, fmt.Errorf("end what waited too long: %w", err)
	}
	return n, nil
}

// slack is how many free pages stay in the file for what comes next, beside an eighth of it.
const slack = 1024

// Shrink implements deliveries.Store.
func (j *Journal) Shrink(ctx context.Context) (freed int64, err error) {
	for {
		var free, pages, size int64
		if err := j.reads.QueryRowContext(ctx, `select freelist_count, page_count, page_size
			from pragma_freelist_count, pragma_page_count, pragma_page_size`).Scan(&free, &pages, &size); err != nil {
			return freed, fmt.Errorf("shrink the journal: %w", err)
		}
		if free < slack+pages/8 {
			return freed, nil
		}
		err := j.write(ctx, commitSize, func(t *tx) error {
			rows, err := t.query(fmt.Sprintf(`pragma incremental_vacuum(%d)`, chunk))
			if err != nil {
				return err
			}
			for rows.Next() { // a step frees a page
			}
			return errors.Join(rows.Err(), rows.Close())
		})
		if err != nil {
			return freed, fmt.Errorf("shrink the journal: %w", err)
		}
		freed += chunk * size
	}
}
