package private

import (
	"context"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/keyring"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/personal"
	"murmur/internal/redact"
	"murmur/internal/workspace"
)

// builder makes the outcome of one delivery. All events of a delivery get the same state: one that must wait or is
// refused prevents the others from being published. The exception is a delivery that has both a call and its words (a
// vCon): the call is the business's own record and is published, and the words are left out or wait.
type builder struct {
	zone       *Zone
	ws         workspace.ID
	policy     workspace.Policy
	key        keyring.Pseudonym
	detector   *redact.Detector // as the policy wants it
	source     fact.Label
	kind, name string // of the source
	connection string // whose ids the delivery uses
	receivedAt time.Time
	version    int64 // of the event in hand

	memo *memo // what the register is to be told

	facts  []fact.Fact
	labels []fact.Named
	owner  anon.Contact
	worst  fact.State
	why    fact.Why
	mixed  bool     // calls or messages are among the events
	waits  fact.Why // why words are held although the other facts are published
	holds  bool     // something is held
	about  fact.Waiting
	unread bool // a contact cannot be read
}

// add takes one event through erasure, consent and masking.
func (b *builder) add(ctx context.Context, e *event.Event) error {
	people, err := b.people(ctx, e)
	if err != nil {
		return err
	}
	call, began := b.callOf(e), b.zone.now()
	people, missing, err := b.present(ctx, e, call, people)
	if err != nil {
		return err
	}
	who := people[0].Contact
	b.unread = b.unread || people[0].Unreadable
	if b.owner == (anon.Contact{}) && who.Person() {
		b.owner = who
	}
	if !plausible(e.At, b.receivedAt) {
		b.stop(fact.Quarantined, fact.WhyBadTime)
		return nil
	}
	if missing == erasedCall {
		b.stop(fact.Erased, fact.WhyErasure)
		return nil
	}
	gone, err := b.erased(ctx, e, people)
	if err != nil {
		return err
	}
	if err := b.link(ctx, e, people); err != nil {
		return err
	}
	if !e.At.After(gone) {
		b.spoke(e, call, identity.Person{}) // words that name the call go too
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
	if e.Talk != nil && call == (fact.ID{}) {
		if call, err = b.placed(ctx, e, people[0]); err != nil {
			return err
		}
	}
	if said, ok := refusal(e, b.policy); ok {
		if err := b.say(ctx, e, call, people[0], said); err != nil {
			return err
		}
	}
	if call != (fact.ID{}) { // before the verdict, so that either a refusal finds the call, or the verdict finds the refusal
		if err := b.zone.register.Join(ctx, b.ws, call, e.At, others(people)); err != nil {
			return err
		}
	}
	if e.Recorded != nil {
		return b.recorded(ctx, e, call, people)
	}
	if err := b.listed(ctx, e, call, people); err != nil {
		return err
	}
	use := consent.UseOf(e.Kind())
	if use == consent.Writing && people[0].Unreadable {
		unsaid(e)
	}
	verdict, why, err := b.verdict(ctx, use, call, people)
	if err != nil {
		return err
	}
	b.spoke(e, call, people[0])
	if use == consent.Transcript && missing == unknownCall && consent.Stricter(consent.Unknown, verdict) {
		verdict, why = consent.Unknown, fact.WhyNoCall // it may be the call of somebody who refused
		b.memo.add(consent.Told{Waiting: []consent.Waiting{{Workspace: b.ws, Call: call, Since: began}}})
	}
	if use == consent.Transcript && call == (fact.ID{}) && consent.Stricter(consent.Unknown, verdict) {
		verdict, why = consent.Unknown, fact.WhyNoCall // somebody may have refused the call
		if who.Person() {
			b.memo.add(consent.Told{Waiting: []consent.Waiting{{Workspace: b.ws, Contact: who, Since: began}}})
		}
	}
	b.act(e, call, who, verdict, why)
	return nil
}

// placed finds the call of words that do not name it: by the contact, the number and the time.
func (b *builder) placed(ctx context.Context, e *event.Event, who identity.Person) (fact.ID, error) {
	if !who.Known() || e.Talk.Number == "" {
		return fact.ID{}, nil
	}
	return b.zone.register.CallAt(ctx, b.ws, b.label(fact.DimNumber, 0, e.Talk.Number), e.At, b.memo.spoken(), who.All()...)
}

// callFault is what keeps words from being those of the call that they name.
type callFault int

const (
	noFault     callFault = iota
	unknownCall           // it has not come in, and the words say of nobody whose they are
	erasedCall            // somebody who took part was erased
)

// present adds everybody who took part in a call to the people that its words, its recording or an answer about it name: sources
// leave them out, or name somebody else. What names nobody belongs to the call's contact.
func (b *builder) present(ctx context.Context, e *event.Event, call fact.ID, people []identity.Person) ([]identity.Person, callFault, error) {
	if e.Talk == nil && e.Recorded == nil && e.Answer == nil || call == (fact.ID{}) {
		return people, noFault, nil
	}
	c, err := b.zone.register.WhoseCall(ctx, b.ws, call, b.memo.spoken())
	if err != nil || c.Erased {
		return people, erasedCall, err
	}
	nobody := !people[0].Known() && !people[0].Unreadable
	for _, w := range c.Who {
		p := identity.Stranger(anon.Stored(b.key, w.Contact), w.Country)
		switch {
		case !p.Known() || slices.ContainsFunc(people, func(o identity.Person) bool { return slices.Contains(append(o.All(), o.Also...), p.Contact) }):
		case !people[0].Known() && !people[0].Unreadable:
			people[0] = p
		default:
			people = append(people, p)
		}
	}
	if nobody && !c.Known && e.Talk != nil && e.Talk.Heard == nil {
		return people, unknownCall, nil
	}
	return people, noFault, nil
}

// spoke remembers whose a call is, where words of it may come in; where somebody spoke, over which number too. Nobody's, the zero
// Person, is the call of somebody who was erased.
func (b *builder) spoke(e *event.Event, call fact.ID, who identity.Person) {
	c := e.Call
	if c == nil || who.Unreadable || b.policy.Transcripts == workspace.Deny {
		return
	}
	s := consent.Spoken{Workspace: b.ws, Call: call, Contact: who.Contact, Country: consent.CountryOf(b.policy, who), Began: e.At, Ended: e.At}
	if c.Number != "" && (!c.Answered.IsZero() || c.Voicemail) {
		s.Number = b.label(fact.DimNumber, 0, c.Number)
	}
	if c.Completed.After(e.At) {
		s.Ended = c.Completed
	}
	b.memo.add(consent.Told{Spoken: []consent.Spoken{s}})
}

// act carries out the verdict on an event.
func (b *builder) act(e *event.Event, call fact.ID, who anon.Contact, verdict consent.Verdict, why fact.Why) {
	words := b.mixed && e.Talk != nil
	if verdict == consent.Unknown {
		b.hold(call, who)
	}
	switch {
	case verdict == consent.Allow:
		b.build(e, call, who)
	case verdict == consent.Refuse && !words:
		b.stop(fact.Refused, why)
	case verdict == consent.Unknown && words:
		b.waits = why
	case verdict == consent.Unknown:
		b.stop(fact.Held, why)
	}
}

// people are the persons outside the business in an event: first the one that its rows belong to, then
// the others.
func (b *builder) people(ctx context.Context, e *event.Event) ([]identity.Person, error) {
	first, err := b.person(ctx, e.Party)
	if err != nil {
		return nil, err
	}
	all := []identity.Person{first}
	for _, p := range e.Others {
		other, err := b.person(ctx, p)
		if err != nil {
			return nil, err
		}
		same := slices.ContainsFunc(all, func(p identity.Person) bool { return p.Contact == other.Contact && p.Unreadable == other.Unreadable })
		if !same && (other.Known() || other.Unreadable) {
			all = append(all, other)
		}
	}
	for _, p := range all {
		if len(p.Former) > 0 {
			if err := b.zone.register.Carry(ctx, b.ws, p.Contact, p.Former); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func (b *builder) person(ctx context.Context, p event.Party) (identity.Person, error) {
	if p.Known != [16]byte{} {
		return identity.Stranger(anon.Stored(b.key, p.Known), p.Country), nil
	}
	return b.zone.persons.First(ctx, b.ws, p.Own, append([]personal.Value{p.Address}, p.Also...)...)
}

// link stores which addresses a source named as one person's, and removes published content of people who refused by
// another address.
func (b *builder) link(ctx context.Context, e *event.Event, people []identity.Person) error {
	for _, p := range people {
		if len(p.Also) == 0 {
			continue
		}
		gone, err := b.zone.register.Gone(ctx, b.ws, p)
		if err != nil {
			return err
		}
		if named := (consent.Named{Workspace: b.ws, Who: p, At: e.At}); e.At.After(gone) { // nothing about erased events is stored
			if b.memo.addresses {
				b.memo.add(consent.Told{Named: []consent.Named{named}})
			} else if err := b.zone.register.Link(ctx, named); err != nil {
				return err
			}
		}
		refused, err := b.zone.register.Lead(ctx, b.ws, p)
		if err != nil {
			return err
		}
		for _, c := range refused {
			if err := b.zone.follow(ctx, b.ws, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// others are the pseudonyms of all people except the one that rows belong to; for a withheld caller, those of other
// addresses that the event names.
func others(people []identity.Person) (all []anon.Contact) {
	if !people[0].Known() {
		all = append(all, people[0].Also...)
	}
	for _, p := range people[1:] {
		all = append(all, p.All()...)
	}
	return all
}

// erased gives the moment up to which an event is erased: an event goes with the erasure of its person, words with the
// erasure of anybody who took part.
func (b *builder) erased(ctx context.Context, e *event.Event, people []identity.Person) (last time.Time, err error) {
	if e.Talk == nil && e.Message == nil && e.Recorded == nil {
		people = people[:1]
	}
	for _, p := range people {
		gone, err := b.zone.register.Gone(ctx, b.ws, p)
		if err != nil {
			return last, err
		}
		if gone.After(last) {
			last = gone
		}
	}
	return last, nil
}

func (b *builder) verdict(ctx context.Context, use consent.Use, call fact.ID, people []identity.Person) (consent.Verdict, fact.Why, error) {
	return b.zone.register.Ask(ctx, b.ws, b.policy, use, call, people...)
}

// unsaid removes the words of a text whose sender is not known and may be a person who refused.
func unsaid(e *event.Event) {
	if e.Message != nil {
		e.Message.Body = personal.Value{}
	}
	if e.Answer != nil {
		e.Answer.Comment = personal.Value{}
	}
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

// say records a refusal or an agreement, and the fact about it, before the rest of the event is
// processed.
func (b *builder) say(ctx context.Context, e *event.Event, call fact.ID, who identity.Person, c event.Consent) error {
	about, of := consent.Subject{Call: call}, consent.For(c.Purpose)
	if e.Consent == nil {
		of = consent.Everything // a key of a menu
	}
	if call == (fact.ID{}) {
		if !who.Known() {
			return nil // nobody in particular
		}
		about = consent.Subject{Contact: who.Contact}
	}
	if err := b.zone.say(ctx, b.ws, about, c.Act, of, c.Via); err != nil {
		return err
	}
	key := c.Via == fact.ViaDTMF || c.Via == fact.ViaMenu
	if about.Call != (fact.ID{}) && who.Known() && c.Act == fact.OptedOut && key { // later calls too
		later := consent.Subject{Contact: who.Contact, Calls: true}
		if _, err := b.zone.register.Say(ctx, b.ws, later, c.Act, consent.Everything, c.Via); err != nil {
			return err
		}
	}
	if e.Consent == nil {
		id := b.id(fact.KindConsent, "menu\x00"+c.Call)
		b.facts = append(b.facts, &fact.Consent{Head: b.head(e, id, who.Contact), Call: call, Purpose: c.Purpose, Act: c.Act, Via: c.Via})
	}
	return nil
}

// hold stores whose agreement the delivery waits for; where several people have to agree, the
// agreement of any of them wakes it.
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

// stop stores a state other than published; the strictest of a delivery's events wins.
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
	o.Unread = b.unread
	return o
}

// callOf is the call or message an event is about, by its id alone: what people say about a call by its id holds for the
// call of that id of every connection.
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
	case e.Consent != nil && e.Consent.Ref != (fact.ID{}):
		return e.Consent.Ref
	case e.Consent != nil:
		id = e.Consent.Call
	case e.Recorded != nil:
		id = e.Recorded.Call
	}
	if id == "" {
		return fact.ID{}
	}
	return identity.Ref(b.key, fact.KindCall, id)
}

// id is the keyed id of a fact of the delivery's connection.
func (b *builder) id(kind fact.Kind, id string) fact.ID {
	return identity.In(b.key, identity.Ref(b.key, kind, id), b.connection)
}

// plausible refuses times that would never be counted: outside the bound of facts, or more than two days after receipt.
func plausible(at, received time.Time) bool {
	return fact.Possible(at) && at.Before(received.Add(48*time.Hour))
}

// subjects lists what is known of the people in a conversation, for the redactor.
func subjects(e *event.Event) []string {
	var out []string
	for _, p := range append([]event.Party{e.Party, e.Member}, e.Others...) {
		for _, v := range append([]personal.Value{p.Address, p.Name, p.Own}, p.Also...) {
			if !v.Empty() {
				out = append(out, v.Reveal())
			}
		}
	}
	return out
}
