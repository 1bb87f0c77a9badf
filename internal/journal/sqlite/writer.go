package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// commitSize is the most messages in one transaction, unless one caller brings more.
const commitSize = 512

// writer owns the one connection that writes. Its goroutine is started by startWriter and ends in stop;
// everything below but queue, mu and closed belongs to that goroutine.
type writer struct {
	mu     sync.RWMutex // held for reading while handing in work
	closed bool
	queue  chan *work
	done   chan struct{}

	journal *Journal
	conn    *sql.Conn
	sql     statements
	crowd   int   // callers that share a transaction lately
	broken  error // why nothing more is accepted

	workspaces map[workspace.ID]int64 // numbers that are committed
	sources    map[fact.Label]int64

	deliveries, payloads inserter
	unwritten            int // messages since the log was last written into the file
}

// work is one caller's part of a transaction. do may be called twice: when a neighbour in the transaction
// fails, everyone is tried alone.
type work struct {
	ctx  context.Context
	size int // messages
	do   func(*tx) error
	// apart runs outside a transaction, and do is nil.
	apart func(*sql.Conn) error
	err   chan error // capacity 1
}

func startWriter(ctx context.Context, j *Journal) (*writer, error) {
	conn, err := j.writes.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{journal: j, conn: conn, queue: make(chan *work, commitSize), done: make(chan struct{}),
		workspaces: map[workspace.ID]int64{}, sources: map[fact.Label]int64{}}
	err = errors.Join(w.sql.prepare(ctx, conn), w.deliveries.prepare(ctx, conn, "delivery", 9), w.payloads.prepare(ctx, conn, "payload", 5))
	if err != nil {
		w.finalise()
		return nil, errors.Join(err, conn.Close())
	}
	go w.run()
	return w, nil
}

func (w *writer) stop() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.done
}

// write runs do in a transaction and returns when it is durable. When ctx ends before do has begun, do is
// not run; once do has begun, write waits for the result, so that an error never hides a commit.
func (j *Journal) write(ctx context.Context, size int, do func(*tx) error) error {
	return j.writer.hand(&work{ctx: ctx, size: size, do: do, err: make(chan error, 1)})
}

// hand gives work to the writer and waits for it.
func (w *writer) hand(k *work) error {
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return journal.ErrClosed
	}
	select {
	case w.queue <- k:
		w.mu.RUnlock()
		return <-k.err
	case <-k.ctx.Done():
		w.mu.RUnlock()
		return k.ctx.Err()
	}
}

func (w *writer) run() {
	defer close(w.done)
	defer func() {
		w.finalise()
		_ = w.conn.Close() // back to the pool, whose Close reports
	}()
	var ahead *work // did not fit in the last transaction
	for {
		first := ahead
		if first == nil {
			k, ok := <-w.queue
			if !ok {
				return
			}
			first = k
		}
		if first.apart != nil {
			ahead = nil
			first.err <- w.aside(first)
			continue
		}
		batch := []*work{first}
		batch, ahead = w.gather(batch)
		w.commit(batch)
	}
}

// finalise ends the statements: SQLite keeps a connection's files open until its last statement is gone.
func (w *writer) finalise() {
	w.sql.close()
	w.deliveries.close()
	w.payloads.close()
}

// gather adds what is waiting. When the last transactions were shared by many, it waits a moment for the callers that
// the last commit woke to come back: half a millisecond costs less than an fsync for a few. A lone caller is never
// held up.
func (w *writer) gather(batch []*work) (_ []*work, ahead *work) {
	size, waited := batch[0].size, false
	for size < commitSize {
		select {
		case k, ok := <-w.queue:
			if !ok {
				return batch, nil // run sees the end again
			}
			if size += k.size; size > commitSize || k.apart != nil {
				return batch, k
			}
			batch = append(batch, k)
			continue
		default:
		}
		if waited || len(batch) >= w.crowd {
			break
		}
		if waited = true; w.crowd < crowded {
			runtime.Gosched()
		} else {
			<-time.After(linger)
		}
	}
	w.crowd = (3*w.crowd + len(batch)) / 4
	return batch, nil
}

// linger is how long gather waits; crowded is how many callers must have shared the last transactions for it to
// wait.
const linger, crowded = 500 * time.Microsecond, 16

func (w *writer) commit(batch []*work) {
	live := batch[:0]
	for _, k := range batch {
		if err := k.ctx.Err(); err != nil {
			k.err <- err
		} else {
			live = append(live, k)
		}
	}
	err := w.transact(live)
	if err != nil && len(live) > 1 && !errors.Is(err, journal.ErrFull) && !errors.Is(err, journal.ErrBroken) {
		for _, k := range live {
			k.err <- w.transact([]*work{k})
		}
		return
	}
	for _, k := range live {
		k.err <- err
	}
}

func (w *writer) transact(batch []*work) error {
	if w.broken != nil || len(batch) == 0 {
		return w.broken
	}
	err := classify(w.attempt(batch))
	if errors.Is(err, journal.ErrBroken) {
		w.broken = err
	}
	return err
}

// aside runs a caller's work between two transactions.
func (w *writer) aside(k *work) error {
	if w.broken != nil {
		return w.broken
	}
	err := classify(k.apart(w.conn))
	if errors.Is(err, journal.ErrBroken) {
		w.broken = err
	}
	return err
}

func (w *writer) attempt(batch []*work) error {
	ctx := context.Background() // a transaction that was begun is finished
	if _, err := w.sql.begin.ExecContext(ctx); err != nil {
		return err
	}
	t := &tx{w: w, ctx: ctx, now: w.journal.config.Now().UnixMicro(), workspaces: map[workspace.ID]int64{}, sources: map[fact.Label]int64{},
		retired: map[int64]uint32{}, accepted: map[account]*count{}, settled: map[account][states]int64{}, placed: map[name]int64{}}
	w.deliveries.forget() // of a transaction that failed
	w.payloads.forget()
	err := t.run(batch)
	if err == nil {
		_, err = w.sql.commit.ExecContext(ctx)
	}
	if err != nil {
		_, _ = w.sql.rollback.ExecContext(ctx) // SQLite may have rolled back by itself
		return err
	}
	maps.Copy(w.workspaces, t.workspaces)
	maps.Copy(w.sources, t.sources)
	if t.next != 0 {
		w.journal.places.add(t.placed, t.next)
	}
	w.journal.bell.ring(t.inbox, t.facts)
	for _, k := range batch {
		w.unwritten += k.size
	}
	if w.unwritten >= checkpointAfter {
		w.unwritten = 0
		w.journal.checkpoints.want()
	}
	return nil
}

// tx is one transaction of the writer.
type tx struct {
	w            *writer
	ctx          context.Context
	now          int64          // microseconds
	next, first  int64          // position to give out next; 0: not read yet
	placed       map[name]int64 // where it puts deliveries
	workspaces   map[workspace.ID]int64
	sources      map[fact.Label]int64
	retired      map[int64]uint32 // by workspace
	accepted     map[account]*count
	settled      map[account][states]int64
	inbox, facts bool // got new messages
}

// states is how many states there are.
const states = int(fact.Erased) + 1

type account struct{ ws, source int64 }

type count struct{ deliveries, duplicates, latest int64 }

func (t *tx) run(batch []*work) error {
	for _, k := range batch {
		if err := k.do(t); err != nil {
			return err
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	s := &t.w.sql
	for a, c := range t.accepted {
		if err := t.exec(s.accept, a.ws, a.source, c.deliveries, c.duplicates, c.latest); err != nil {
			return err
		}
	}
	for a, byState := range t.settled {
		for state, n := range byState {
			if n == 0 {
				continue
			}
			if err := t.exec(s.settle, a.ws, a.source, state, n); err != nil {
				return err
			}
		}
	}
	if t.next != t.first {
		return t.exec(s.setNext, t.next)
	}
	return nil
}

// flush stores the deliveries that were accepted so far. What reads or changes their tables comes after it.
func (t *tx) flush() error {
	if err := t.w.deliveries.flush(t.ctx); err != nil {
		return err
	}
	return t.w.payloads.flush(t.ctx)
}

func (t *tx) exec(s *sql.Stmt, args ...any) error {
	_, err := s.ExecContext(t.ctx, args...)
	return err
}

// affect is exec that reports how many rows changed.
func (t *tx) affect(s *sql.Stmt, args ...any) (int64, error) {
	r, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// position gives out the next one. Transactions exclude each other, so positions become visible in order.
func (t *tx) position() (int64, error) {
	if err := t.sequence(); err != nil {
		return 0, err
	}
	t.next++
	return t.next - 1, nil
}

// workspace gives a workspace's number, a new one if need be.
func (t *tx) workspace(id workspace.ID) (int64, error) {
	return numbered(t, id, id.String(), t.w.workspaces, t.workspaces, t.w.sql.addWorkspace, t.w.sql.workspace)
}

// source gives the number of a source's label, a new one if need be.
func (t *tx) source(l fact.Label) (int64, error) {
	return numbered(t, l, int64(l), t.w.sources, t.sources, t.w.sql.addSource, t.w.sql.source)
}

// numbered looks a number up among those that are committed, those of this transaction, and in the table.
func numbered[K comparable](t *tx, key K, value any, committed, fresh map[K]int64, add, find *sql.Stmt) (int64, error) {
	if no, ok := committed[key]; ok {
		return no, nil
	}
	if no, ok := fresh[key]; ok {
		return no, nil
	}
	if err := t.exec(add, value); err != nil {
		return 0, err
	}
	var no int64
	if err := find.QueryRowContext(t.ctx, value).Scan(&no); err != nil {
		return 0, err
	}
	fresh[key] = no
	return no, nil
}

// classify tells a full disk, after which the journal recovers, from broken storage, after which it
// does not.
func classify(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w (%w)", journal.ErrFull, err)
	case sqlite3.SQLITE_IOERR:
		// The log's index is a mapped file of which each block is written once before use: no room for
		// the next block is a full disk, and nothing was written for the transaction yet.
		if e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
			return fmt.Errorf("%w (%w)", journal.ErrFull, err)
		}
		return fmt.Errorf("%w (%w)", journal.ErrBroken, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%w (%w)", journal.ErrBroken, err)
	}
	return err
}

// statements are prepared once on the writer's connection.
type statements struct {
	begin, commit, rollback                  *sql.Stmt
	sequence, setNext                        *sql.Stmt
	file, setFiled, unfile                   *sql.Stmt
	purged, dropDelivery                     *sql.Stmt
	workspace, addWorkspace                  *sql.Stmt
	source, addSource                        *sql.Stmt
	retired                                  *sql.Stmt
	accept, settle                           *sql.Stmt
	find, at, setState                       *sql.Stmt
	addPayload, dropPayload                  *sql.Stmt
	addHeld, dropHeld                        *sql.Stmt
	moveDelivery, movePayload                *sql.Stmt
	addMessage, addCursor, setCursor, passed *sql.Stmt

	all []*sql.Stmt
}

func (s *statements) close() {
	for _, stmt := range s.all {
		_ = stmt.Close()
	}
}

func (s *statements) prepare(ctx context.Context, conn *sql.Conn) error {
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.begin, `begin immediate`},
		{&s.commit, `commit`},
		{&s.rollback, `rollback`},
		{&s.sequence, `select next, filed from sequence`},
		{&s.setNext, `update sequence set next = ?`},
		{&s.file, `insert or ignore into place select substr(id, 1, 8), pos from delivery where pos in (select value from json_each(?))`},
		{&s.unfile, `delete from place where id = ? and pos = ?`},
		{&s.purged, `update settled set purged = purged + 1 where ws = ? and source = ? and state = ?`},
		{&s.dropDelivery, `delete from delivery where pos = ?`},
		{&s.setFiled, `update sequence set filed = max(filed, ?)`},
		{&s.workspace, `select no from workspace where name = ?`},
		{&s.addWorkspace, `insert into workspace (name) values (?) on conflict do nothing`},
		{&s.source, `select no from source where label = ?`},
		{&s.addSource, `insert into source (label) values (?) on conflict do nothing`},
		{&s.retired, `select coalesce((select below from retired where ws = ?), 0)`},
		{&s.accept, `insert into accepted values (?, ?, ?, ?, ?) on conflict do update set deliveries = deliveries + excluded.deliveries,
			duplicates = duplicates + excluded.duplicates, latest = max(latest, excluded.latest)`},
		{&s.settle, `insert into settled values (?, ?, ?, ?, 0) on conflict do update set deliveries = deliveries + excluded.deliveries`},
		{&s.find, `select d.pos, source, state, why, at from place p cross join delivery d on d.pos = p.pos
			where p.id = substr(?1, 1, 8) and d.id = ?1 and ws = ?2`},
		{&s.at, `select pos, source, state, why, at from delivery where pos = ?3 and id = ?1 and ws = ?2`},
		{&s.setState, fmt.Sprintf(`update delivery set state = ?1, why = ?2, since = ?3,
			contact = iif(?1 = %d, null, coalesce(?4, contact)) where pos = ?5`, fact.Erased)},
		{&s.addPayload, `insert into payload values (?, ?, ?, ?, ?) on conflict do nothing`},
		{&s.dropPayload, `delete from payload where pos = ?`},
		{&s.addHeld, `insert or replace into held values (?, ?, ?, ?)`},
		{&s.dropHeld, `delete from held where pos = ?`},
		{&s.moveDelivery, `update delivery set pos = ?1, state = 0, why = 0, since = ?2 - at where pos = ?3 returning ws, id`},
		{&s.movePayload, `update payload set pos = ? where pos = ?`},
		{&s.addMessage, `insert into message values (?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.addCursor, `insert into cursor values (?, ?, 0) on conflict do nothing`},
		{&s.setCursor, `update cursor set pos = ?1 where topic = ?2 and grp = ?3 and pos = ?4`},
		{&s.passed, `delete from message where pos <= (select min(pos) from cursor where topic = 'facts')`},
	} {
		var err error
		if *p.stmt, err = conn.PrepareContext(ctx, p.text); err != nil {
			return fmt.Errorf("prepare %.40s: %w", p.text, err)
		}
		s.all = append(s.all, *p.stmt)
	}
	return nil
}
