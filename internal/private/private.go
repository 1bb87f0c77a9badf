// Package private is the first door: all code that sees personal data lies behind it, and only facts come out.
//
// Zone: RED. The exported functions of this package, and nothing else below internal/private, are what the rest
// of murmur may call: Accept and Import take deliveries in (verified, sealed, durable), Process opens one, asks
// for the consent verdict, masks, and gives facts; OptOut and Erase act on what people say; Redact masks a text
// for the command and the playground. No exported signature mentions a type from inside the zone (a test walks
// them), no error carries content, and an unreadable delivery gives an Outcome, not an error, so that every
// delivery gets a state.
//
// What it does not protect against: an operator who reads the process's memory, and personal data that the
// detector does not recognise (its leak rate is measured and published).
package private

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/person"
	"murmur/internal/private/internal/recording"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/connect"
	"murmur/internal/redact"
	"murmur/internal/redact/command"
	"murmur/internal/safe"
	"murmur/internal/workspace"
)

// sealVersion is the version of the sealed envelope (docs/format/journal.md).
const sealVersion = 1

// Intake is the part of the book of deliveries that takes them in.
type Intake interface {
	Accept(ctx context.Context, m ...journal.Message) (fresh int, err error)
}

// Config wires the zone.
type Config struct {
	Ring    *keyring.Ring
	Store   *workspace.Store
	DB      *meta.DB
	Ledger  *ledger.Ledger
	Journal Intake
	Audio   string // folder of sealed recordings
	Dial    string // balanced, strict or paranoid; empty: strict
	// Listener is the transcriber that hears recordings, a command; empty: the installed one, if there is one.
	Listener string
	// AllowHosts are HOST:PORT that the APIs and media of every workspace may be on, private and loopback ones too.
	AllowHosts []string
	// Admit is asked before so many deliveries of a workspace are taken in, in whatever way; an error refuses them. nil: all are
	// taken. What murmur itself writes down (a refusal, a notice that was heard) is never asked for.
	Admit func(ctx context.Context, ws workspace.ID, deliveries int) error
	Now   func() time.Time // nil: time.Now
}

// Zone is the private zone. It is safe for concurrent use.
type Zone struct {
	ring     *keyring.Ring
	store    *workspace.Store
	register *consent.Register
	persons  *person.Finder
	book     *recording.Book
	ledger   *ledger.Ledger
	journal  Intake
	detector *redact.Detector
	careful  *redact.Detector // for sentences that were not heard well
	allow    []string         // Config.AllowHosts
	admit    func(context.Context, workspace.ID, int) error
	listener string
	maskers  sync.Map // by masking: detectors as policies want them
	now      func() time.Time
	polling  pollers
	names    maskedNames
	memo     memo     // of Process
	followed sync.Map // followed
	unread   atomic.Int64
}

// New opens the zone.
func New(c Config) (*Zone, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Dial == "" {
		c.Dial = redact.Strict.String()
	}
	if c.Admit == nil {
		c.Admit = func(context.Context, workspace.ID, int) error { return nil }
	}
	d, err := command.Config{Dial: c.Dial}.Detector()
	if err != nil {
		return nil, err
	}
	careful, err := command.Config{Dial: redact.Paranoid.String()}.Detector()
	if err != nil {
		return nil, err
	}
	z := &Zone{
		ring: c.Ring, store: c.Store, register: consent.NewRegister(c.DB, c.Ledger, c.Ring.Slow, c.Now), ledger: c.Ledger, journal: c.Journal,
		detector: d, careful: careful, allow: c.AllowHosts, admit: c.Admit, listener: c.Listener, now: c.Now,
		persons: person.NewFinder(c.DB, c.Ring, c.Store, c.Now),
	}
	z.book, err = recording.Open(recording.Config{
		Dir: c.Audio, Ring: c.Ring, DB: c.DB, Ledger: c.Ledger, Store: c.Store, Register: z.register, Report: z.report, Persons: z.persons, Now: c.Now,
	})
	if err != nil {
		return nil, err
	}
	return z, nil
}

// Kinds lists the kinds of sources that can be connected.
func Kinds() []string { return connect.Kinds() }

// Process opens one delivery of the inbox and says what became of it. It is deterministic for a given state of
// policy and consent, so redelivery is harmless. An error means that a part of murmur failed (the ledger, the
// metadata): the delivery was not consumed and comes again.
func (z *Zone) Process(ctx context.Context, m journal.Message) (fact.Outcome, error) {
	opened, err := z.ring.Open(m.Workspace, keyring.TopicInbox, m.ID, sealVersion, m.Epoch, m.Payload)
	if errors.Is(err, keyring.ErrDead) || errors.Is(err, keyring.ErrSeal) {
		return fact.Outcome{State: fact.Quarantined, Why: fact.WhyUnsealed}, nil
	}
	if err != nil {
		return fact.Outcome{}, safe.Wrap("open delivery", err)
	}
	env, ok := readEnvelope(opened.Bytes())
	if !ok {
		return fact.Outcome{State: fact.Quarantined, Why: fact.WhyUnsealed}, nil
	}
	o, _, err := z.judge(ctx, m, env, &z.memo)
	return o, err
}

// judge gives the outcome of an opened delivery and, for an unreadable one, the reason.
func (z *Zone) judge(ctx context.Context, m journal.Message, env envelope, memo *memo) (o fact.Outcome, bad, err error) {
	if env.kind == kindUnreadable {
		return unreadable(env.delivery.Body), nil, nil
	}
	events, bad := decode(env, m.At)
	if bad != nil || len(events) == 0 {
		return unusable(bad), bad, nil
	}
	o, err = z.decide(ctx, m, env, events, memo)
	return o, nil, err
}

// decide takes the events of a delivery through consent and masking.
func (z *Zone) decide(ctx context.Context, m journal.Message, env envelope, events []event.Event, memo *memo) (fact.Outcome, error) {
	policy, err := z.store.Policy(ctx, m.Workspace)
	if err != nil {
		return fact.Outcome{}, err
	}
	key, err := z.ring.Pseudonym(m.Workspace)
	if err != nil {
		return fact.Outcome{}, err
	}
	d, err := z.masker(policy)
	if err != nil {
		return fact.Outcome{}, err
	}
	b := builder{zone: z, ws: m.Workspace, policy: policy, key: key, detector: d, receivedAt: m.At, kind: env.kind, name: env.name, connection: env.connection, memo: memo}
	b.source = b.label(fact.DimSource, 0, env.name)
	b.mixed = slices.ContainsFunc(events, func(e event.Event) bool { return e.Call != nil || e.Message != nil })
	for i := range events {
		if err := b.add(ctx, &events[i]); err != nil {
			return fact.Outcome{}, err
		}
	}
	o := b.outcome()
	if o.Unread {
		z.unread.Add(1)
	}
	return o, nil
}

// Unread counts the deliveries read since the zone was opened that name a contact whose address cannot be read.
func (z *Zone) Unread() int64 { return z.unread.Load() }

// decode gives the events of a delivery.
func decode(env envelope, received time.Time) ([]event.Event, error) {
	switch env.kind {
	case kindViolation:
		return violation(env.delivery, received), nil
	case kindOwn:
		return ownEvents(env.delivery)
	}
	src, ok := connect.For(env.kind)
	if !ok {
		return nil, source.Quarantine(fact.WhyUnknownType, "type")
	}
	return src.Decode(env.delivery)
}

// unusable is the outcome of a delivery without events.
func unusable(err error) fact.Outcome {
	var v *source.Verdict
	switch {
	case errors.As(err, &v):
		return fact.Outcome{State: v.State, Why: v.Why}
	case err != nil:
		return fact.Outcome{State: fact.Quarantined, Why: fact.WhyBadField}
	default:
		return fact.Outcome{State: fact.Ignored, Why: fact.WhySilentType}
	}
}
