package pipeline

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/workspace"
)

// Import is a file being read: its rows come with their outcomes, and the lake is given larger batches meanwhile.
type Import struct{ p *Pipeline }

// Import begins one; End it.
func (p *Pipeline) Import() *Import {
	i := &Import{p}
	p.imports.begin(i)
	return i
}

// Settle takes deliveries in whose outcomes are known already: delivery, state and facts are durable together when it
// returns nil. still is asked inside the transaction whether the outcomes hold; deliveries.ErrMoved when they do not. fresh
// says of each delivery in order whether it was new.
func (i *Import) Settle(ctx context.Context, still func() bool, in []journal.Message, outcomes []fact.Outcome) (fresh []bool, err error) {
	for _, o := range outcomes {
		i.p.Crowd.Enrich(o.Facts)
	}
	facts, err := i.p.seal(in, outcomes)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(outcomes, func(o fact.Outcome) bool { return o.Why == fact.WhyKeys }) {
		return nil, keyring.ErrDamaged // nothing of the file is lost: it can be read again
	}
	done := make([]journal.Message, len(in))
	for k, o := range outcomes {
		done[k] = decided(in[k], o)
	}
	i.p.imports.await(i, facts)
	fresh, err = i.p.Journal.Settle(ctx, still, done, facts)
	if err != nil {
		i.p.imports.stored(facts) // there is nothing to wait for
	}
	return fresh, err
}

// Known gives the states of deliveries that were accepted before.
func (i *Import) Known(ctx context.Context, ws workspace.ID, ids []journal.ID) (map[journal.ID]fact.State, error) {
	return i.p.Journal.Known(ctx, ws, ids)
}

// Read says that no more rows come: what is left goes into the lake at once.
func (i *Import) Read() { i.p.imports.read(i) }

// Stored reports whether the facts of all rows are in the lake.
func (i *Import) Stored() bool { return i.p.imports.waiting(i) == 0 }

// End forgets the import.
func (i *Import) End() { i.p.imports.end(i) }

// imports knows the files being read, and waits for larger batches while there are any, because every append to
// the lake writes a file for each day that it has rows of, however few. The zero value is ready.
type imports struct {
	mu      sync.Mutex
	reading map[*Import]bool       // true: the file is still being read; false: the import waits for the lake
	facts   map[journal.ID]*Import // on their way to the lake
	since   time.Time              // when the first facts of the batch that grows were seen; zero: none grows
}

const (
	fillBytes    = 12 << 20         // of sealed facts, about 150,000 calls
	fillMessages = 480              // a consumer is handed 512 at most
	fillTime     = 15 * time.Second // other deliveries must not wait longer than this
)

// early reports whether a larger batch is worth waiting for.
func (s *imports) early(in []journal.Message, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes := 0
	for _, m := range in {
		bytes += len(m.Payload)
	}
	if s.since.IsZero() {
		s.since = now
	}
	if s.growing() && bytes < fillBytes && len(in) < fillMessages && now.Sub(s.since) < fillTime {
		return true
	}
	s.since = time.Time{}
	return false
}

// growing reports whether more rows will come and no import waits for those that are there.
func (s *imports) growing() bool {
	for _, more := range s.reading {
		if !more {
			return false
		}
	}
	return len(s.reading) > 0
}

func (s *imports) begin(i *Import) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reading == nil {
		s.reading, s.facts = map[*Import]bool{}, map[journal.ID]*Import{}
	}
	s.reading[i] = true
}

func (s *imports) read(i *Import) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading[i] = false
}

func (s *imports) end(i *Import) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.reading, i)
	maps.DeleteFunc(s.facts, func(_ journal.ID, of *Import) bool { return of == i })
}

func (s *imports) await(i *Import, facts []journal.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range facts {
		s.facts[m.ID] = i
	}
}

func (s *imports) stored(facts []journal.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range facts {
		delete(s.facts, m.ID)
	}
}

func (s *imports) waiting(i *Import) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.facts {
		if of == i {
			n++
		}
	}
	return n
}
