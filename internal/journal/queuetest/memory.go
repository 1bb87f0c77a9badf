package queuetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	"murmur/internal/journal"
)

// Memory is a queue without a disk, the fake for the tests of other packages: the contract, less the durability. Use
// NewMemory.
type Memory struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever a message is added
	topics  map[journal.Topic][]journal.Message
	cursors map[consumer]int // number of messages that the group is done with
	taken   map[consumer]bool
}

type consumer struct {
	topic journal.Topic
	group string
}

// NewMemory gives an empty queue.
func NewMemory() *Memory {
	return &Memory{changed: make(chan struct{}), topics: map[journal.Topic][]journal.Message{}, cursors: map[consumer]int{}, taken: map[consumer]bool{}}
}

// Append implements journal.Queue.
func (j *Memory) Append(ctx context.Context, m ...journal.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range m {
		if len(m[i].Payload) > journal.MaxPayload {
			return journal.ErrTooLarge
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.store(m)
	return nil
}

func (j *Memory) store(all []journal.Message) {
	for _, m := range all {
		topic := j.topics[m.Topic]
		m.Position, m.Payload = journal.Position(strconv.Itoa(len(topic)+1)), slices.Clone(m.Payload)
		j.topics[m.Topic] = append(topic, m)
	}
	close(j.changed)
	j.changed = make(chan struct{})
}

// Messages gives a copy of everything ever appended to a topic.
func (j *Memory) Messages(t journal.Topic) []journal.Message {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.topics[t])
}

// Transform implements journal.Queue.
func (j *Memory) Transform(ctx context.Context, r journal.Reader, f journal.Stage) error {
	c := consumer{r.Topic, r.Group}
	if !j.take(c) {
		return journal.ErrTaken
	}
	defer j.release(c)
	if r.Resume != nil {
		if err := j.resume(ctx, c, r.Resume); err != nil {
			return err
		}
	}
	for {
		batch, changed := j.read(c, r.Most())
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
		if errors.Is(err, journal.ErrEarly) {
			select {
			case <-changed:
			case <-ctx.Done():
				return nil
			}
			continue
		}
		if err != nil {
			return err
		}
		j.finish(c, len(batch), out)
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

func (j *Memory) resume(ctx context.Context, c consumer, resume func(context.Context, int32) (journal.Position, error)) error {
	pos, err := resume(ctx, 0)
	if err != nil || pos == "" {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	at := slices.IndexFunc(j.topics[c.topic], func(m journal.Message) bool { return m.Position == pos })
	if at < 0 {
		return journal.ErrAhead
	}
	j.cursors[c] = at + 1
	return nil
}

func (j *Memory) finish(c consumer, n int, out []journal.Message) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.store(out)
	j.cursors[c] += n
}

func (j *Memory) read(c consumer, most int) (batch []journal.Message, changed <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	rest := j.topics[c.topic][j.cursors[c]:]
	for _, m := range rest[:min(len(rest), most)] {
		m.Payload = slices.Clone(m.Payload)
		batch = append(batch, m)
	}
	return batch, j.changed
}
