package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// fillPause is how long a consumer that was handed too little waits for more.
const fillPause = time.Second

// batchBytes bounds the payloads of one batch: a reader's memory.
const batchBytes = 16 << 20

// Append implements journal.Queue. It is safe for any number of callers, who share transactions.
func (j *Journal) Append(ctx context.Context, m ...journal.Message) error {
	err := check(m)
	if err == nil && len(m) > 0 {
		err = j.write(ctx, len(m), func(t *tx) error { return t.store(m) })
	}
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	return ctx.Err()
}

// Transform implements journal.Queue. There is one partition, 0; a batch has at most about 16 MiB.
func (j *Journal) Transform(ctx context.Context, r journal.Reader, f journal.Stage) error {
	err := j.transform(ctx, r, f)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("transform %s for %s: %w", r.Topic, r.Group, err)
	}
	return nil
}

// A position is the decimal number of a row.
func position(pos int64) journal.Position { return journal.Position(strconv.FormatInt(pos, 10)) }

func rowOf(p journal.Position) (int64, error) { return strconv.ParseInt(string(p), 10, 64) }

func (j *Journal) transform(ctx context.Context, r journal.Reader, f journal.Stage) error {
	if r.Topic != journal.Inbox && r.Topic != journal.Facts {
		return errors.New("the topic has no messages")
	}
	if !groupName.MatchString(r.Group) {
		return errors.New("bad group name")
	}
	lock, err := lockFile(fmt.Sprintf("%s.%s.%s.lock", j.path, r.Topic, r.Group))
	if err != nil {
		return err
	}
	defer func() {
		// Closing alone would leave it with a child that is between its fork and its exec.
		_ = syscall.Flock(int(lock.Fd()), syscall.LOCK_UN)
		_ = lock.Close()
	}()
	c := &consumer{journal: j, topic: r.Topic, group: r.Group}
	if err := c.start(ctx, r.Resume); err != nil {
		return err
	}
	for {
		rung := j.bell.wait(r.Topic) // before reading, or a message between the two goes unheard
		batch, err := c.read(ctx, r.Most())
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			if err := pause(ctx, rung, j.config.Poll); err != nil {
				return err
			}
			continue
		}
		out, err := f(ctx, batch)
		if errors.Is(err, journal.ErrEarly) {
			if err := pause(ctx, nil, fillPause); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		last, err := rowOf(batch[len(batch)-1].Position)
		if err != nil {
			return err
		}
		if err := c.finish(ctx, last, out); err != nil {
			return err
		}
	}
}

// consumer is one group's reading of a topic.
type consumer struct {
	journal *Journal
	topic   journal.Topic
	group   string
	cursor  int64 // as stored
	pos     int64 // last position finished, by the cursor or by the consumer's own store
}

func (c *consumer) start(ctx context.Context, resume func(context.Context, int32) (journal.Position, error)) error {
	if err := c.journal.write(ctx, 1, func(t *tx) error {
		return t.exec(t.w.sql.addCursor, string(c.topic), c.group)
	}); err != nil {
		return err
	}
	if err := c.journal.reads.QueryRowContext(ctx, `select pos from cursor where topic = ? and grp = ?`,
		string(c.topic), c.group).Scan(&c.cursor); err != nil {
		return err
	}
	c.pos = c.cursor
	if resume == nil {
		return nil
	}
	stored, err := resume(ctx, 0)
	if err != nil || stored == "" {
		return err
	}
	pos, err := rowOf(stored)
	if err != nil {
		return fmt.Errorf("a position of another queue: %w", err)
	}
	var next int64
	if err := c.journal.reads.QueryRowContext(ctx, `select next from sequence`).Scan(&next); err != nil {
		return err
	}
	if pos >= next {
		return journal.ErrAhead
	}
	if pos <= c.cursor {
		c.pos = pos
		return nil
	}
	return c.finish(ctx, pos, nil) // the effect was stored, and the process died before the cursor followed
}

const (
	readSealed = `select pos, name, id, label, key, at, epoch, body from payload p join delivery using (pos)
		join workspace w on w.no = p.ws join source s on s.no = source where pos > ? and state <= ? order by pos limit ?`
	readFacts = `select pos, name, id, source, key, at, epoch, body from message
		join workspace on no = ws where pos > ? order by pos limit ?`
)

func (c *consumer) read(ctx context.Context, most int) ([]journal.Message, error) {
	query, args := readSealed, []any{c.pos, int64(fact.Pending), most}
	if c.topic == journal.Facts {
		query, args = readFacts, []any{c.pos, most}
	}
	rows, err := c.journal.reads.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return messages(rows, c.topic)
}

// messages reads rows of (pos, name, id, label, key, at, epoch, body) up to batchBytes and closes them.
func messages(rows *sql.Rows, topic journal.Topic) (batch []journal.Message, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for size := 0; size < batchBytes && rows.Next(); {
		m := journal.Message{Topic: topic}
		var name string
		var id []byte
		var pos, source, key, at int64
		if err := rows.Scan(&pos, &name, &id, &source, &key, &at, &m.Epoch, &m.Payload); err != nil {
			return nil, err
		}
		if m.Workspace, err = workspace.Parse(name); err != nil {
			return nil, err
		}
		copy(m.ID[:], id)
		m.Position, m.Source, m.Key, m.At = position(pos), fact.Label(source), uint64(key), timeOf(at)
		size += len(m.Payload)
		batch = append(batch, m)
	}
	return batch, rows.Err()
}

// finish commits a batch's outputs with the cursor. The cursor is compared first: should a second consumer
// have slipped past the lock, one of the two fails here and nothing is doubled.
func (c *consumer) finish(ctx context.Context, pos int64, out []journal.Message) error {
	if err := check(out); err != nil {
		return err
	}
	// The effect may be done already: the cursor follows even when ctx has ended.
	err := c.journal.write(context.WithoutCancel(ctx), len(out)+1, func(t *tx) error {
		n, err := t.affect(t.w.sql.setCursor, pos, string(c.topic), c.group, c.cursor)
		if err != nil {
			return err
		}
		if n == 0 {
			return journal.ErrTaken
		}
		if err := t.store(out); err != nil {
			return err
		}
		if c.topic == journal.Facts {
			return t.exec(t.w.sql.passed)
		}
		return nil
	})
	if err == nil {
		c.cursor, c.pos = pos, pos
	}
	return err
}

func pause(ctx context.Context, rung <-chan struct{}, poll time.Duration) error {
	timer := time.NewTimer(poll)
	defer timer.Stop()
	select {
	case <-rung:
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// bell wakes the waiting consumers of this process. The zero value is ready.
type bell struct {
	mu    sync.Mutex
	inbox chan struct{} // closed by the next ring; nil while nobody waits
	facts chan struct{}
}

func (b *bell) wait(topic journal.Topic) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &b.inbox
	if topic == journal.Facts {
		c = &b.facts
	}
	if *c == nil {
		*c = make(chan struct{})
	}
	return *c
}

func (b *bell) ring(inbox, facts bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if inbox && b.inbox != nil {
		close(b.inbox)
		b.inbox = nil
	}
	if facts && b.facts != nil {
		close(b.facts)
		b.facts = nil
	}
}

// lockFile takes the lock at path or fails with ErrTaken. The system lets go of it when the process dies.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, journal.ErrTaken
		}
		return nil, err
	}
	return f, nil
}
