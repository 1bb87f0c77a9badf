// Package pipeline moves data from the first door to the second. Read it first: it shows the whole way.
//
//	POST /in/quo/TOKEN   private.Zone.Accept: verify -> seal -> journal(inbox)           => 2xx, durable
//	Run                  journal(inbox) -> Zone.Process: open, decode, consent, redact   => facts and a state
//	                     facts -> Crowd.Enrich -> sealed -> journal(facts)
//	                     journal(facts) -> Crowd.Append: the lake, position with the rows => exactly once
//	server               Crowd.Release(query, period) -> tables -> insight.Finish         => figures
//
// Zone: between the doors. It knows each of them as a small interface and handles only sealed bytes and facts. It holds
// no state of its own: the journal stores what is done, and a failed step is repeated.
//
// There are two kinds of faults. A fault of the installation ("the house": a full disk, a broken journal) stops the
// pipeline until it is gone, and no delivery is given up. Any other fault concerns a delivery or a workspace: the
// pipeline sets the message aside with a reason, keeps and counts it (a delivery in quarantine, a batch of facts in the
// topic Parked), and processes all others.
//
// It does not protect against a private zone that breaks its promise: the pipeline does not check what Process returns
// for personal data.
package pipeline

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/safe"
	"murmur/internal/workspace"
)

// factsVersion is the version of a sealed batch of facts (docs/format/facts.md).
const factsVersion = 1

// Private is the first door: deliveries in, outcomes out.
type Private interface {
	Process(ctx context.Context, m journal.Message) (fact.Outcome, error)
	// Remember makes durable what Process learned about people besides outcomes. Run calls it before it commits
	// outcomes.
	Remember(ctx context.Context) error
}

// Crowd is the second door: facts in.
type Crowd interface {
	// Enrich adds what can be read from masked text.
	Enrich(facts []fact.Fact)
	// Append makes batches durable in the lake and moves the position of their partition from one to the next;
	// where the position is to already, nothing happens; where it is neither from nor to, the error is
	// journal.ErrTaken.
	Append(ctx context.Context, batches []fact.Batch, partition int32, from, to journal.Position) error
	// Position is the last position of a partition in the lake; "" before the first.
	Position(ctx context.Context, partition int32) (journal.Position, error)
}

// Sealer seals batches of facts under the workspace's lasting key.
type Sealer interface {
	Seal(ws workspace.ID, topic string, id [16]byte, version uint8, plaintext []byte) (epoch uint32, sealed []byte, err error)
	Open(ws workspace.ID, topic string, id [16]byte, version uint8, epoch uint32, sealed []byte) (keyring.Opened, error)
}

// Journal is the queue, and of the book of deliveries what a stage needs.
type Journal interface {
	journal.Queue
	deliveries.Intake
	ReplayHeld(ctx context.Context, ws workspace.ID, of []journal.Subject) (int, error)
}

// Pipeline moves deliveries to the lake.
type Pipeline struct {
	Journal Journal
	Private Private
	Crowd   Crowd
	Seal    Sealer
	Now     func() time.Time
	// Condition is how a workspace stands: of one that is suspended deliveries are set aside until it works again (held,
	// fact.WhySuspended), of one that is deleted nothing is kept. nil: all work.
	Condition func(context.Context, workspace.ID) (workspace.Condition, error)
	// House reports whether an error is one of the installation as a whole, besides those that the pipeline knows
	// (of the journal, of the disk). nil: there are no others.
	House func(error) bool
	// SetAside is called for each message that was set aside, with the reason; may be nil.
	SetAside func(m journal.Message, err error)

	pause    pause
	imports  imports
	places   places
	unsealed map[journal.ID]uint32 // by delivery: the epoch under which it could not be opened, until it was read once more
}

// Run processes deliveries until ctx ends, or until a caller of Still wants it to; it then returns nil. An error is one of the
// installation as a whole: nothing was lost or given up. Run can be called again, by one caller at a time.
func (p *Pipeline) Run(ctx context.Context) error {
	ctx, done := p.pause.begin(ctx)
	defer done()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.run(ctx, journal.Reader{Topic: journal.Inbox, Group: "process"}, p.process) })
	g.Go(func() error {
		return p.run(ctx, journal.Reader{Topic: journal.Facts, Group: "lake", Resume: p.resume}, p.store)
	})
	return g.Wait()
}

// process turns deliveries into facts and states. Deliveries are independent of each other (what consent needs is
// in the register, not in their order), so they are processed side by side; the results keep their order.
func (p *Pipeline) process(ctx context.Context, in []journal.Message, aside error) ([]journal.Message, error) {
	outcomes := make([]fact.Outcome, len(in))
	g, work := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	const stride = 16
	for lo := 0; lo < len(in); lo += stride {
		g.Go(func() (err error) {
			for i := lo; i < min(lo+stride, len(in)) && err == nil; i++ {
				if aside != nil {
					outcomes[i] = fact.Outcome{State: fact.Quarantined, Why: reason(aside)}
					continue
				}
				outcomes[i], err = p.outcome(work, in[i])
			}
			return err
		})
	}
	if err := errors.Join(g.Wait(), p.Private.Remember(ctx)); err != nil {
		return nil, err
	}
	if p.again(in, outcomes) {
		return nil, journal.ErrEarly
	}
	return p.made(in, outcomes)
}

// again reports whether a batch must be read once more, because the key of one of its deliveries was destroyed after the batch
// was read: the journal has that delivery sealed under another key by now.
func (p *Pipeline) again(in []journal.Message, outcomes []fact.Outcome) (again bool) {
	for i, o := range outcomes {
		if o.Why != fact.WhyUnsealed {
			continue
		}
		if epoch, ok := p.unsealed[in[i].ID]; ok && epoch == in[i].Epoch {
			continue
		}
		if p.unsealed == nil {
			p.unsealed = map[journal.ID]uint32{}
		}
		p.unsealed[in[i].ID], again = in[i].Epoch, true
	}
	if !again {
		p.unsealed = nil
	}
	return again
}

// outcome is what becomes of one delivery. An error is one of the installation as a whole; any other failure, a panic
// included, is an outcome.
func (p *Pipeline) outcome(ctx context.Context, m journal.Message) (o fact.Outcome, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errPanic
		}
		if err == nil || p.stops(ctx, err) {
			return
		}
		p.setAside(m, err)
		o, err = fact.Outcome{State: fact.Quarantined, Why: reason(err)}, nil
	}()
	switch c, err := p.condition(ctx, m.Workspace); {
	case err != nil:
		return o, err
	case c.Gone():
		return fact.Outcome{State: fact.Erased, Why: fact.WhyErasure}, nil
	case c == workspace.Suspended:
		return fact.Outcome{State: fact.Held, Why: fact.WhySuspended}, nil
	}
	o, err = p.Private.Process(ctx, m)
	if err == nil {
		p.Crowd.Enrich(o.Facts)
	}
	return o, err
}

func (p *Pipeline) condition(ctx context.Context, ws workspace.ID) (workspace.Condition, error) {
	if p.Condition == nil {
		return workspace.Works, nil
	}
	return p.Condition(ctx, ws)
}

// errPanic replaces the value of a parser's panic, which may quote what the parser read.
var errPanic = errors.New("processing panicked")

// reason is why a delivery is set aside for an error.
func reason(err error) fact.Why {
	if errors.Is(err, keyring.ErrDamaged) || errors.Is(err, keyring.ErrUnknown) {
		return fact.WhyKeys
	}
	return fact.WhyFailed
}

// store appends finished facts to the lake. The lake commits the position with the rows and the journal resumes
// behind it, so a batch that was stored before a crash changes nothing when it comes again. A batch that cannot be
// stored is parked before the position moves past it, so that it is kept.
func (p *Pipeline) store(ctx context.Context, in []journal.Message, aside error) ([]journal.Message, error) {
	if aside == nil && p.imports.early(in, p.Now()) {
		return nil, journal.ErrEarly
	}
	batches := make([]fact.Batch, 0, len(in))
	for _, m := range in {
		c, err := p.condition(ctx, m.Workspace)
		if err != nil {
			return nil, err
		}
		if c.Gone() {
			continue
		}
		b, err := fact.Batch{}, aside
		if err == nil {
			b, err = p.open(m)
		}
		if err == nil {
			err = p.free(ctx, b)
		}
		if err == nil {
			batches = append(batches, b)
			continue
		}
		if p.stops(ctx, err) {
			return nil, err
		}
		p.setAside(m, err)
		m.Topic, m.Why = journal.Parked, reason(err)
		if err := p.Journal.Append(ctx, m); err != nil {
			return nil, safe.Wrap("park facts", err)
		}
	}
	last := in[len(in)-1]
	if err := p.Crowd.Append(ctx, batches, last.Partition, p.places.at(last.Partition), last.Position); err != nil {
		return nil, err
	}
	p.places.move(last.Partition, last.Position)
	p.imports.stored(in)
	return nil, nil
}

// resume gives the lake's position in a partition that this process has just begun to read.
func (p *Pipeline) resume(ctx context.Context, partition int32) (journal.Position, error) {
	at, err := p.Crowd.Position(ctx, partition)
	if err == nil {
		p.places.move(partition, at)
	}
	return at, err
}

// places are the positions of the lake in each partition, as this process knows them. When this process was paused and
// another took a partition over, its position is out of date and its Append is refused; if it asked the lake anew, it
// would store rows twice. The zero value is ready.
type places struct {
	mu  sync.Mutex
	all map[int32]journal.Position
}

func (s *places) at(partition int32) journal.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[partition]
}

func (s *places) move(partition int32, to journal.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[int32]journal.Position{}
	}
	s.all[partition] = to
}

func (p *Pipeline) open(m journal.Message) (fact.Batch, error) {
	opened, err := p.Seal.Open(m.Workspace, keyring.TopicFacts, m.ID, factsVersion, m.Epoch, m.Payload)
	if err != nil {
		return fact.Batch{}, safe.At("open facts", m.Position, err)
	}
	b, err := fact.Decode(opened)
	if err != nil {
		return fact.Batch{}, safe.At("read facts", m.Position, err)
	}
	return b, nil
}

// free replays deliveries that were held for people who have opted in or out, and those of theirs in quarantine, because
// murmur must not keep the deliveries of people who refused. It runs after the commit, because deliveries of the same batch
// are held only once the batch is committed.
func (p *Pipeline) free(ctx context.Context, b fact.Batch) error {
	var spoke []journal.Subject
	for _, f := range b.Facts {
		c, ok := f.(*fact.Consent)
		if !ok || c.Act != fact.OptedIn && c.Act != fact.OptedOut && c.Act != fact.Withdrawn {
			continue
		}
		s := journal.Subject{Call: c.Call}
		if c.Call == (fact.ID{}) {
			s.Contact = c.Contact.Bytes()
		}
		spoke = append(spoke, s)
	}
	if len(spoke) == 0 {
		return nil
	}
	_, err := p.Journal.ReplayHeld(ctx, b.Workspace, spoke)
	return err
}

func (p *Pipeline) setAside(m journal.Message, err error) {
	if p.SetAside != nil {
		p.SetAside(m, err)
	}
}
