package journaltest

import (
	"context"
	"slices"
	"sync"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// Memory is a journal without a disk, the fake for the tests of other packages: the contract, less the
// durability. Use NewMemory.
type Memory struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever a message is added
	next    int64
	topics  map[journal.Topic][]journal.Message
	known   map[delivery]*journal.Message // state and payload of each delivery
	cursors map[consumer]int64
	taken   map[consumer]bool
}

type delivery struct {
	ws workspace.ID
	id journal.ID
}

type consumer struct {
	topic journal.Topic
	group string
}

// NewMemory gives an empty journal.
func NewMemory() *Memory {
	return &Memory{changed: make(chan struct{}), topics: map[journal.Topic][]journal.Message{},
		known: map[delivery]*journal.Message{}, cursors: map[consumer]int64{}, taken: map[consumer]bool{}}
}

// Append implements journal.Journal.
func (j *Memory) Append(ctx context.Context, m ...journal.Message) (fresh int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	for i := range m {
		if len(m[i].Payload) > journal.MaxPayload {
			return 0, journal.ErrTooLarge
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.store(m), nil
}

func (j *Memory) store(m []journal.Message) (fresh int) {
	for _, m := range m {
		at := delivery{m.Workspace, m.ID}
		switch m.Topic {
		case journal.Inbox:
			if j.known[at] != nil {
				continue
			}
			kept := m
			j.known[at] = &kept
		case journal.States:
			j.setState(at, m)
			continue
		}
		j.add(m)
		fresh++
	}
	return fresh
}

func (j *Memory) add(m journal.Message) {
	j.next++
	m.Position, m.Payload = j.next, slices.Clone(m.Payload)
	j.topics[m.Topic] = append(j.topics[m.Topic], m)
	close(j.changed)
	j.changed = make(chan struct{})
}

func (j *Memory) setState(at delivery, m journal.Message) {
	kept := j.known[at]
	if kept == nil || kept.State == fact.Erased {
		return
	}
	kept.State, kept.Why = m.State, m.Why
	if m.State == fact.Pending {
		j.add(*kept)
	}
}

// State gives a delivery's state; ok is false when it was never appended.
func (j *Memory) State(w workspace.ID, id journal.ID) (s fact.State, why fact.Why, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	m := j.known[delivery{w, id}]
	if m == nil {
		return 0, 0, false
	}
	return m.State, m.Why, true
}

// Messages gives a copy of everything ever appended to Inbox or Facts.
func (j *Memory) Messages(t journal.Topic) []journal.Message {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.topics[t])
}

// Transform implements journal.Journal.
func (j *Memory) Transform(ctx context.Context, from journal.Topic, group string,
	f func(context.Context, []journal.Message) ([]journal.Message, error)) error {
	return j.TransformFrom(ctx, from, group, nil, f)
}

// TransformFrom implements journal.Resumable.
func (j *Memory) TransformFrom(ctx context.Context, from journal.Topic, group string,
	resume func(context.Context) (int64, bool, error),
	f func(context.Context, []journal.Message) ([]journal.Message, error)) error {
	c := consumer{from, group}
	if !j.take(c) {
		return journal.ErrTaken
	}
	defer j.release(c)
	if resume != nil {
		pos, ok, err := resume(ctx)
		if err != nil {
			return err
		}
		if ok {
			j.finish(c, pos, nil)
		}
	}
	for {
		batch, changed := j.read(c)
		if len(batch) == 0 {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		out, err := f(ctx, batch)
		if ctx.Err() != nil && err != nil {
			return nil
		}
		if err != nil {
			return err
		}
		j.finish(c, batch[len(batch)-1].Position, out)
		if ctx.Err() != nil {
			return nil
		}
	}
}

func (j *Memory) take(c consumer) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	free := !j.taken[c]
	j.taken[c] = true
	return free
}

func (j *Memory) release(c consumer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.taken, c)
}

func (j *Memory) finish(c consumer, pos int64, out []journal.Message) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.store(out)
	j.cursors[c] = pos
}

func (j *Memory) read(c consumer) (batch []journal.Message, changed <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, m := range j.topics[c.topic] {
		if m.Position > j.cursors[c] && len(batch) < 512 {
			m.Payload = slices.Clone(m.Payload)
			batch = append(batch, m)
		}
	}
	return batch, j.changed
}
