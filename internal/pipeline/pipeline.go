// Package pipeline is the page to read first: the way of the data from one door to the other.
//
//	POST /in/quo/TOKEN   private.Zone.Accept: verify -> seal -> journal(inbox)           => 2xx, durable
//	Run                  journal(inbox) -> Zone.Process: open, decode, consent, redact   => facts and a state
//	                     facts -> Crowd.Enrich -> sealed -> journal(facts)
//	                     journal(facts) -> Crowd.Append: the lake, position with the rows => exactly once
//	server               Crowd.Release(query, period) -> tables -> insight.Finish         => figures
//
// Zone: between the doors. It knows each of them as a small interface, and what passes is sealed, or a fact. It holds
// no state of its own: what it did is in the journal, and a step that failed is done again.
//
// It does not protect against a zone that breaks its promise: what Process gives is taken for clean.
package pipeline

import (
	"context"
	"crypto/sha256"
	"runtime"
	"slices"
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
}

// Crowd is the second door: facts in.
type Crowd interface {
	// Enrich adds what can be read from masked text.
	Enrich(facts []fact.Fact)
	// Append makes batches durable in the lake and moves the position of their partition from one to the next;
	// where it is there already, nothing happens.
	Append(ctx context.Context, batches []fact.Batch, partition int32, from, to journal.Position) error
	// Position is the last position of a partition in the lake; "" before the first.
	Position(ctx context.Context, partition int32) (journal.Position, error)
}

// Sealer seals batches of facts under the workspace's lasting key.
type Sealer interface {
	Seal(ws workspace.ID, topic string, id [16]byte, version uint8, plaintext []byte) (epoch uint32, sealed []byte, err error)
	Open(ws workspace.ID, topic string, id [16]byte, version uint8, epoch uint32, sealed []byte) (keyring.Opened, error)
}

// Journal is the queue. Replay puts deliveries that wait at its end again.
type Journal interface {
	journal.Queue
	deliveries.Intake
	Replay(ctx context.Context, ws workspace.ID, states []fact.State, why fact.Why) (int, error)
}

// Pipeline moves deliveries to the lake.
type Pipeline struct {
	Journal Journal
	Private Private
	Crowd   Crowd
	Seal    Sealer
	Now     func() time.Time

	imports imports
}

// Run moves everything until ctx ends; it then returns nil. An error means that murmur itself failed (disk, ledger):
// nothing was lost, and Run can be called again.
func (p *Pipeline) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return p.Journal.Transform(ctx, journal.Reader{Topic: journal.Inbox, Group: "process"}, p.process)
	})
	g.Go(func() error {
		return p.Journal.Transform(ctx, journal.Reader{Topic: journal.Facts, Group: "lake", Resume: p.Crowd.Position}, p.store)
	})
	return g.Wait()
}

// process turns deliveries into facts and states. Deliveries are independent of each other (what consent needs is
// in the register, not in their order), so they are processed side by side; the results keep their order.
func (p *Pipeline) process(ctx context.Context, in []journal.Message) ([]journal.Message, error) {
	outcomes := make([]fact.Outcome, len(in))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	const stride = 16
	for lo := 0; lo < len(in); lo += stride {
		g.Go(func() error {
			for i := lo; i < min(lo+stride, len(in)); i++ {
				o, err := p.Private.Process(ctx, in[i])
				if err != nil {
					return err
				}
				p.Crowd.Enrich(o.Facts)
				outcomes[i] = o
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out, err := p.seal(in, outcomes)
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		m := in[i] // a state that waits keeps what was sent
		m.Topic = journal.States
		out = append(out, decided(m, o))
	}
	return out, nil
}

// decided is a message with its outcome.
func decided(m journal.Message, o fact.Outcome) journal.Message {
	m.State, m.Why = o.State, o.Why
	if o.Contact.Valid() {
		m.Contact = o.Contact.Bytes()
	}
	return m
}

// seal puts the facts of a batch of deliveries into one message for each workspace.
func (p *Pipeline) seal(in []journal.Message, outcomes []fact.Outcome) ([]journal.Message, error) {
	var order []workspace.ID
	batches := map[workspace.ID]*fact.Batch{}
	ids := map[workspace.ID][]byte{}
	for i, o := range outcomes {
		if len(o.Facts) == 0 {
			continue
		}
		ws := in[i].Workspace
		b := batches[ws]
		if b == nil {
			b = &fact.Batch{Workspace: ws}
			batches[ws], order = b, append(order, ws)
		}
		b.Facts = append(b.Facts, o.Facts...)
		b.Labels = append(b.Labels, o.Labels...)
		ids[ws] = append(ids[ws], in[i].ID[:]...)
	}
	out := make([]journal.Message, 0, len(order)+len(in))
	for _, ws := range order {
		sum := sha256.Sum256(ids[ws])
		id := journal.ID(sum[:16])
		epoch, sealed, err := p.Seal.Seal(ws, keyring.TopicFacts, id, factsVersion, fact.Encode(nil, *batches[ws]))
		if err != nil {
			return nil, safe.Wrap("seal facts", err)
		}
		out = append(out, journal.Message{Topic: journal.Facts, ID: id, Workspace: ws, At: p.Now(), Epoch: epoch, Payload: sealed})
	}
	return out, nil
}

// store appends finished facts to the lake. The lake commits the position with the rows and the journal resumes
// behind it, so a batch that was stored before a crash changes nothing when it comes again.
func (p *Pipeline) store(ctx context.Context, in []journal.Message) ([]journal.Message, error) {
	if p.imports.early(in, p.Now()) {
		return nil, journal.ErrEarly
	}
	batches := make([]fact.Batch, 0, len(in))
	for _, m := range in {
		opened, err := p.Seal.Open(m.Workspace, keyring.TopicFacts, m.ID, factsVersion, m.Epoch, m.Payload)
		if err != nil {
			return nil, safe.At("open facts", m.Position, err)
		}
		b, err := fact.Decode(opened)
		if err != nil {
			return nil, safe.At("read facts", m.Position, err)
		}
		if agreed(b) {
			if _, err := p.Journal.Replay(ctx, m.Workspace, []fact.State{fact.Held}, fact.WhyNoConsentYet); err != nil {
				return nil, safe.Wrap("replay what was held", err)
			}
		}
		batches = append(batches, b)
	}
	last := in[len(in)-1]
	from, err := p.Crowd.Position(ctx, last.Partition)
	if err != nil {
		return nil, err
	}
	if err := p.Crowd.Append(ctx, batches, last.Partition, from, last.Position); err != nil {
		return nil, err
	}
	p.imports.stored(in)
	return nil, nil
}

// agreed reports whether somebody opted in: what was held for that is then looked at again. Here, and not where the
// opt-in is read, because a delivery of the same batch is held only when the batch has been committed.
func agreed(b fact.Batch) bool {
	return slices.ContainsFunc(b.Facts, func(f fact.Fact) bool {
		c, ok := f.(*fact.Consent)
		return ok && c.Act == fact.OptedIn
	})
}
