// Package private is the first door: everything that sees a person happens behind it, and only facts come out.
//
// Zone: RED. The exported functions of this package, and nothing else below internal/private, are what the rest
// of murmur may call: Accept and Import take deliveries in (verified, sealed, durable), Process opens one, asks
// for the consent verdict, masks, and gives facts; OptOut and Erase act on what people say; Redact masks a text
// for the command and the playground. No exported signature mentions a type from inside the zone (a test walks
// them), no error carries content, and what cannot be read is an Outcome, not an error: nothing can be forgotten.
//
// What it does not protect against: an operator who reads the process's memory, and personal data that the
// detector does not recognise (its leak rate is measured and published).
package private

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/detect"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/recording"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/connect"
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
	Models  string // directory of a second reader's weights; empty: there are none
	// Listener is the recogniser that hears recordings, a command; empty: the installed one, if there is one.
	Listener string
	// AllowHosts are HOST:PORT that the APIs and media of every workspace may be on, private and loopback ones too.
	AllowHosts []string
	Region     string           // ISO 3166 code in which national phone numbers are read; empty: US
	Now        func() time.Time // nil: time.Now
}

// Zone is the private zone. It is safe for concurrent use.
type Zone struct {
	ring     *keyring.Ring
	store    *workspace.Store
	register *consent.Register
	book     *recording.Book
	ledger   *ledger.Ledger
	journal  Intake
	detector *detect.Detector
	dial     string
	models   string
	allow    []string // Config.AllowHosts
	listener string
	carefuls sync.Map         // by recognizer: detectors for sentences that were not heard well
	loading  sync.Mutex       // one loads the second reader
	second   *detect.Detector // with the second reader, once a policy wanted it
	maskers  sync.Map         // by masking: detectors as policies want them
	region   string
	now      func() time.Time
	polling  pollers
	names    maskedNames
}

// New opens the zone.
func New(c Config) (*Zone, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Region == "" {
		c.Region = "US"
	}
	if c.Dial == "" {
		c.Dial = detect.Strict.String()
	}
	d, err := newDetector(c.Dial)
	if err != nil {
		return nil, err
	}
	z := &Zone{
		ring: c.Ring, store: c.Store, register: consent.NewRegister(c.DB, c.Ledger, c.Now), ledger: c.Ledger, journal: c.Journal,
		detector: d, dial: c.Dial, models: c.Models, allow: c.AllowHosts, listener: c.Listener, region: c.Region, now: c.Now,
	}
	z.book, err = recording.Open(recording.Config{
		Dir: c.Audio, Ring: c.Ring, DB: c.DB, Ledger: c.Ledger, Store: c.Store, Register: z.register, Report: z.report, Region: c.Region, Now: c.Now,
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
	o, _, err := z.judge(ctx, m, env)
	return o, err
}

// judge says what becomes of an opened delivery and, of one that was not understood, why.
func (z *Zone) judge(ctx context.Context, m journal.Message, env envelope) (o fact.Outcome, bad, err error) {
	if env.kind == kindUnreadable {
		return unreadable(env.delivery.Body), nil, nil
	}
	events, bad := decode(env, m.At)
	if bad != nil || len(events) == 0 {
		return unusable(bad), bad, nil
	}
	o, err = z.decide(ctx, m, env, events)
	return o, nil, err
}

// decide takes the events of a delivery through consent and masking.
func (z *Zone) decide(ctx context.Context, m journal.Message, env envelope, events []event.Event) (fact.Outcome, error) {
	policy, err := z.store.Policy(ctx, m.Workspace)
	if err != nil {
		return fact.Outcome{}, err
	}
	key, err := z.ring.Pseudonym(m.Workspace)
	if err != nil {
		return fact.Outcome{}, err
	}
	d, err := z.masker(policy)
	if err != nil && !errors.Is(err, ErrNoModel) {
		return fact.Outcome{}, err
	}
	b := builder{zone: z, ws: m.Workspace, policy: policy, key: key, detector: d, receivedAt: m.At, kind: env.kind, name: env.source}
	b.source = b.label(fact.DimSource, 0, env.source)
	b.mixed = slices.ContainsFunc(events, func(e event.Event) bool { return e.Call != nil || e.Message != nil })
	for i := range events {
		if err := b.add(ctx, &events[i]); err != nil {
			return fact.Outcome{}, err
		}
	}
	return b.outcome(), nil
}

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

// builder makes the outcome of one delivery. All events of a delivery share its fate: one that must wait or is
// refused keeps the others from being published. The exception are the words of a call in a delivery that tells of the
// call as well (a vCon): that it took place is the business's own record, and its words are left out, or wait alone.
type builder struct {
	zone       *Zone
	ws         workspace.ID
	policy     workspace.Policy
	key        keyring.Pseudonym
	detector   *detect.Detector // as the policy wants it; nil if its recognizer is missing
	source     fact.Label
	kind, name string // of the source
	receivedAt time.Time
	version    int64 // of the event in hand

	facts  []fact.Fact
	labels []fact.Named
	owner  anon.Contact
	worst  fact.State
	why    fact.Why
	mixed  bool     // calls or messages are among the events
	waits  fact.Why // why words are held that the facts do without
	holds  bool     // something is held
	about  fact.Waiting
}

// add takes one event through erasure, consent and masking.
func (b *builder) add(ctx context.Context, e *event.Event) error {
	who := b.contact(e.Party)
	if b.owner == (anon.Contact{}) && who != anon.Withheld(b.key) {
		b.owner = who
	}
	if !plausible(e.At, b.receivedAt) {
		b.stop(fact.Quarantined, fact.WhyBadTime)
		return nil
	}
	gone, err := b.zone.register.Erased(ctx, b.ws, who)
	if err != nil {
		return err
	}
	if !e.At.After(gone) {
		b.stop(fact.Erased, fact.WhyErasure)
		return nil
	}
	if e.Step != nil {
		flows, err := b.zone.store.Flows(ctx, b.ws)
		if err != nil {
			return err
		}
		locate(flows, e.Step, e.At)
	}
	call := b.callOf(e)
	if said, ok := refusal(e, b.policy); ok {
		if err := b.say(ctx, e, call, who, said); err != nil {
			return err
		}
	}
	known, err := b.zone.register.Known(ctx, b.ws, call, who)
	if err != nil {
		return err
	}
	if e.Recorded != nil {
		return b.recorded(ctx, e, call, who, known)
	}
	if err := b.listed(ctx, e, call, who, known); err != nil {
		return err
	}
	switch verdict, why := consent.Decide(b.policy.In(b.country(e.Party)), e.Kind(), known); verdict {
	case consent.Allow:
		b.build(e, call, who)
	case consent.Refuse:
		if !b.mixed || e.Talk == nil {
			b.stop(fact.Refused, why)
		}
	default:
		b.hold(call, who)
		if b.mixed && e.Talk != nil {
			b.waits = why
		} else {
			b.stop(fact.Held, why)
		}
	}
	return nil
}

// refusal reads what an event says about consent: a consent event as it is, a menu choice that the policy names
// as an opt-out from the recording.
func refusal(e *event.Event, p workspace.Policy) (event.Consent, bool) {
	switch {
	case e.Consent != nil:
		return *e.Consent, true
	case e.Step != nil && (e.Step.Outcome == fact.StepOptOut || p.OptOutChoice != "" && e.Step.Choice == p.OptOutChoice):
		return event.Consent{Call: e.Step.Run, Purpose: fact.Record, Act: fact.OptedOut, Via: fact.ViaMenu}, true
	}
	return event.Consent{}, false
}

// say records a refusal or an agreement before anything else happens, and the fact about it.
func (b *builder) say(ctx context.Context, e *event.Event, call fact.ID, who anon.Contact, c event.Consent) error {
	known := who != anon.Withheld(b.key)
	about := consent.Subject{Call: call}
	if c.Call == "" {
		if !known {
			return nil // nobody in particular
		}
		about = consent.Subject{Contact: who}
	}
	if _, err := b.zone.register.Say(ctx, b.ws, about, c.Act, c.Via); err != nil {
		return err
	}
	if c.Call != "" && known && c.Act == fact.OptedOut && (c.Via == fact.ViaDTMF || c.Via == fact.ViaMenu) { // a key: later calls too
		if _, err := b.zone.register.Say(ctx, b.ws, consent.Subject{Contact: who, Calls: true}, c.Act, c.Via); err != nil {
			return err
		}
	}
	if c.Act == fact.OptedOut || c.Act == fact.Withdrawn {
		if err := b.zone.book.Refuse(ctx, b.ws, about, c.Via); err != nil {
			return err
		}
	}
	if e.Consent == nil {
		id := identity.FactID(b.key, fact.KindConsent, "menu\x00"+c.Call)
		b.facts = append(b.facts, &fact.Consent{Head: b.head(e, id, who), Call: call, Purpose: c.Purpose, Act: c.Act, Via: c.Via})
	}
	return nil
}

// hold notes whose yes is waited for; where it is more than one's, that of any.
func (b *builder) hold(call fact.ID, who anon.Contact) {
	if !b.holds {
		b.holds, b.about = true, fact.Waiting{Call: call, Contact: who}
	}
	if b.about.Call != call {
		b.about.Call = fact.ID{}
	}
	if b.about.Contact != who {
		b.about.Contact = anon.Contact{}
	}
}

// stop notes a fate other than publication; the strictest of a delivery's events wins.
func (b *builder) stop(s fact.State, why fact.Why) {
	rank := map[fact.State]int{fact.Held: 1, fact.Refused: 2, fact.Quarantined: 3, fact.Erased: 4}
	if rank[s] > rank[b.worst] {
		b.worst, b.why = s, why
	}
}

func (b *builder) outcome() fact.Outcome {
	o := fact.Outcome{State: fact.Published, Facts: b.facts, Labels: b.labels, Contact: b.owner}
	if b.waits != fact.WhyNone {
		o.State, o.Why = fact.Held, b.waits // published but for the words; a replay repeats the facts, which changes nothing
	}
	if b.worst != fact.Pending {
		o = fact.Outcome{State: b.worst, Why: b.why, Contact: b.owner}
	}
	if o.State == fact.Held {
		o.Waits = b.about
	}
	for _, f := range o.Facts {
		if fact.Check(f) != nil { // an impossible value that decoding let through
			return fact.Outcome{State: fact.Quarantined, Why: fact.WhyBadField, Contact: b.owner}
		}
	}
	if o.State == fact.Published && len(o.Facts) == 0 {
		o.State, o.Why = fact.Ignored, fact.WhySilentType
	}
	return o
}

// contact is the pseudonym of a party; a withheld caller has the workspace's one shared pseudonym.
func (b *builder) contact(p event.Party) anon.Contact {
	if p.Known != [16]byte{} {
		return anon.Stored(b.key, p.Known)
	}
	c := anon.Pseudonym(b.key, identity.Canonical(p.Address, b.zone.region))
	if !c.Valid() {
		return anon.Withheld(b.key)
	}
	return c
}

// country is where a party is from, "" where that is not known, or where no policy asks.
func (b *builder) country(p event.Party) string {
	if p.Country != "" || b.policy.OptInCountries == "" {
		return p.Country
	}
	return identity.Country(p.Address, b.zone.region)
}

// callOf is the call or message an event is about.
func (b *builder) callOf(e *event.Event) fact.ID {
	id := e.ID
	switch {
	case e.Talk != nil && e.Talk.Heard != nil:
		return e.Talk.Heard.Call
	case e.Talk != nil:
		id = e.Talk.Call
	case e.Step != nil:
		id = e.Step.Run
	case e.Answer != nil:
		id = e.Answer.Link
	case e.Consent != nil:
		id = e.Consent.Call
	case e.Recorded != nil:
		id = e.Recorded.Call
	}
	if id == "" {
		return fact.ID{}
	}
	return identity.FactID(b.key, fact.KindCall, id)
}

// plausible refuses times that would never be counted: before 1990 or more than two days after receipt.
func plausible(at, received time.Time) bool {
	return at.Year() >= 1990 && at.Before(received.Add(48*time.Hour))
}

// subjects lists what is known of the people in a conversation, for the redactor.
func subjects(e *event.Event) []personal.Value {
	var out []personal.Value
	for _, p := range []event.Party{e.Party, e.Member} {
		for _, v := range append([]personal.Value{p.Address, p.Name}, p.Also...) {
			if !v.Empty() {
				out = append(out, v)
			}
		}
	}
	return out
}
