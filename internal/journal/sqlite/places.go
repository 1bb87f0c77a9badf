package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/bits-and-blooms/bloom/v3"

	"murmur/internal/journal"
)

// places holds in memory the positions of deliveries in the book, so that the process can tell a new delivery from a
// duplicate without reading the file, and can store it without updating an index of ids.
//
// A delivery below the position filed is in the table place, and its id in the filter once there is one. Every other is
// in tail. Transactions that give out positions exclude each other, so at its beginning each reads the rows that other
// processes have added since next, and then knows all of them.
type places struct {
	mu     sync.RWMutex
	filed  int64
	next   int64 // those below are in tail or filed; 0: nothing was read yet. Only the writer's goroutine changes it
	tail   map[name]int64
	filter *bloom.BloomFilter // of the ids that are filed; nil: ask the table
	room   int                // ids that may be added before the filter is too full

	most int           // deliveries in tail before it is filed
	full chan struct{} // capacity 1: the tail is to be filed
}

// name is what a delivery is known by.
type name struct {
	ws int64 // workspace.no
	id journal.ID
}

const (
	// tailMost is how many deliveries the tail has before it is filed: the more, the fewer pages of the table a
	// delivery costs. A process that opens the file reads as many rows before it writes.
	tailMost = 1 << 16
	// fileChunk is how many ids a transaction files, neighbours in the table.
	fileChunk = 512
	// filterTails is the least capacity of a filter, in full tails; filterMiss is how often it takes a new id for one
	// that it may know when it is full: then the table is asked.
	filterTails, filterMiss = 16, 0.01
)

func newPlaces(most int) *places {
	return &places{tail: map[name]int64{}, most: most, full: make(chan struct{}, 1)}
}

// look gives the position of a delivery of the tail, 0 for another; filed is false when that cannot be in the table.
func (p *places) look(n name) (pos int64, filed bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if pos := p.tail[n]; pos > 0 {
		return pos, false
	}
	return 0, p.filed > 1 && (p.filter == nil || p.filter.Test(n.id[:8]))
}

// begin starts with what the table has: all deliveries below a position.
func (p *places) begin(filed int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filed, p.next = filed, filed
}

// add notes the deliveries of a transaction that was committed, and the position after it.
func (p *places) add(placed map[name]int64, next int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n, pos := range placed {
		p.tail[n] = pos
	}
	p.next = next
	if len(p.tail) >= p.most {
		select {
		case p.full <- struct{}{}:
		default:
		}
	}
}

// sequence reads the next position, once a transaction, and the rows that other processes added.
func (t *tx) sequence() error {
	if t.next != 0 {
		return nil
	}
	var filed int64
	if err := t.w.sql.sequence.QueryRowContext(t.ctx).Scan(&t.next, &filed); err != nil {
		return err
	}
	t.first = t.next
	p := t.w.journal.places
	if p.next == 0 {
		p.begin(filed)
	}
	if p.next == t.next {
		return nil
	}
	rows, err := t.w.conn.QueryContext(t.ctx, `select pos, ws, id from delivery where pos >= ?`, p.next)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	read := map[name]int64{}
	for rows.Next() {
		var n name
		var pos int64
		var id []byte
		if err := rows.Scan(&pos, &n.ws, &id); err != nil {
			return err
		}
		copy(n.id[:], id)
		read[n] = pos
	}
	if err := rows.Err(); err != nil {
		return err
	}
	p.add(read, t.first)
	return nil
}

// file files the tail each time it is full, until ctx ends. It is a goroutine of the journal's. A failure is tried
// again; it has no effect except that the tail takes more memory.
func (j *Journal) file(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.places.full:
		}
		_ = j.fileTail(ctx)
	}
}

// fileTail adds the tail to the table place, in the order of the table and in transactions of fileChunk ids.
func (j *Journal) fileTail(ctx context.Context) error {
	// First it is settled where the tail begins: what others file from then on is in the tail, not in the filter.
	if err := j.write(ctx, 1, (*tx).sequence); err != nil {
		return err
	}
	if err := j.buildFilter(ctx); err != nil {
		return err
	}
	p := j.places
	p.mu.RLock()
	upto := p.next
	all := make([]name, 0, len(p.tail))
	for n := range p.tail {
		all = append(all, n)
	}
	positions := make(map[name]int64, len(all))
	for _, n := range all {
		positions[n] = p.tail[n]
	}
	p.mu.RUnlock()
	slices.SortFunc(all, func(a, b name) int { return bytes.Compare(a.id[:], b.id[:]) })
	for chunk := range slices.Chunk(all, fileChunk) {
		at := make([]int64, len(chunk))
		for i, n := range chunk {
			at[i] = positions[n]
		}
		list, err := json.Marshal(at)
		if err != nil {
			return err
		}
		if err := j.write(ctx, commitSize, func(t *tx) error { return t.exec(t.w.sql.file, string(list)) }); err != nil {
			return err
		}
	}
	if err := j.write(ctx, 1, func(t *tx) error { return t.exec(t.w.sql.setFiled, upto) }); err != nil {
		return err
	}
	for chunk := range slices.Chunk(all, fileChunk) {
		p.filedNow(chunk, upto)
	}
	return nil
}

// filedNow drops deliveries from the tail, now that the table has those below upto. A few at a time: the writer waits.
func (p *places) filedNow(some []name, upto int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filed = upto
	for _, n := range some {
		if p.tail[n] < upto { // else it was replayed meanwhile
			p.filter.Add(n.id[:8])
			p.room--
			delete(p.tail, n)
		}
	}
}

// filing is an entry of the table place.
type filing struct {
	id  []byte
	pos int64
}

// unfile takes the entries of deliveries that are gone out of the table, in its order: a page is changed once for all that it
// has of them. Until then they do no harm.
func (j *Journal) unfile(ctx context.Context, thorough bool) error {
	last := filing{id: []byte{}}
	for {
		gone, next, err := j.gone(ctx, last)
		if err != nil {
			return fmt.Errorf("look for filed ids: %w", err)
		}
		for some := range slices.Chunk(gone, fileChunk) {
			err := j.write(ctx, commitSize, func(t *tx) error {
				return t.overwriting(thorough, func() error {
					for _, f := range some {
						if err := t.exec(t.w.sql.unfile, f.id, f.pos); err != nil {
							return err
						}
					}
					return nil
				})
			})
			if err != nil {
				return err
			}
		}
		if next.id == nil {
			return nil
		}
		last = next
	}
}

// gone reads a stretch of the table after an entry and gives those of its entries whose row is gone, and the last one; the
// zero one at the end.
func (j *Journal) gone(ctx context.Context, after filing) (gone []filing, last filing, err error) {
	rows, err := j.reads.QueryContext(ctx, fmt.Sprintf(`select p.id, p.pos, d.pos is null from place p left join delivery d on d.pos = p.pos
		where (p.id, p.pos) > (?, ?) order by p.id, p.pos limit %d`, stretch), after.id, after.pos)
	if err != nil {
		return nil, last, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var f filing
		var isGone bool
		if err := rows.Scan(&f.id, &f.pos, &isGone); err != nil {
			return nil, last, err
		}
		if last = f; isGone {
			gone = append(gone, f)
		}
	}
	return gone, last, rows.Err()
}

// buildFilter makes a filter of the ids that are filed, when there is none or it is full.
func (j *Journal) buildFilter(ctx context.Context) error {
	p := j.places
	if p.filter != nil && p.room > 0 {
		return nil
	}
	var filed uint
	if err := j.reads.QueryRowContext(ctx, `select count(*) from place`).Scan(&filed); err != nil {
		return fmt.Errorf("count ids: %w", err)
	}
	capacity := max(2*filed, uint(filterTails*p.most))
	filter := bloom.NewWithEstimates(capacity, filterMiss)
	rows, err := j.reads.QueryContext(ctx, `select id from place`)
	if err != nil {
		return fmt.Errorf("read ids: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var id []byte
	for rows.Next() {
		if err := rows.Scan(&id); err != nil {
			return fmt.Errorf("read ids: %w", err)
		}
		filter.Add(id)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read ids: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filter, p.room = filter, int(capacity-filed)
	return nil
}
