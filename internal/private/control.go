package private

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/workspace"
)

// ControlSource is the name under which opt-outs over the API are counted.
const ControlSource = "control"

var (
	// ErrNobody is returned for a contact that is empty or withheld.
	ErrNobody = errors.New("the contact is missing: give a phone number or an e-mail address")
	// ErrContact is returned for a contact that cannot be read: nothing was refused or erased.
	ErrContact = errors.New("the contact's address cannot be read")
)

// vias are the ways an opt-out may be reported, as the API spells them.
var vias = map[string]fact.Via{
	"dtmf": fact.ViaDTMF, "speech": fact.ViaSpeech, "menu": fact.ViaMenu, "agent": fact.ViaAgent, "sms": fact.ViaSMS,
	"web": fact.ViaWeb, "import": fact.ViaImport, "recordpref": fact.ViaRecordPref, "record_pref": fact.ViaRecordPref,
	"": fact.ViaAPI, "api": fact.ViaAPI,
}

// ErrVia is returned for an unknown way.
var ErrVia = errors.New("via must be dtmf, speech, menu, agent, sms, web, import, record_pref or api")

// OptOutCall records that somebody opted out during, or about, a call of the platform's own id. It is durable when
// it returns, wins over every consent, and holds for a call that was not seen yet. Content of the call that was
// published before is retracted by the pipeline.
func (z *Zone) OptOutCall(ctx context.Context, ws workspace.ID, call, via string) error {
	if call == "" {
		return errors.New("a call needs its id")
	}
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return err
	}
	id := identity.Ref(key, fact.KindCall, call)
	return z.optOut(ctx, ws, consent.Subject{Call: id}, via, consentLine{Call: call})
}

// OptOutContact records that a person opted out of recording and analysis everywhere. It gives the pseudonyms under which
// earlier versions may have kept words of theirs, which the pipeline does not know of. ErrNobody, ErrContact.
func (z *Zone) OptOutContact(ctx context.Context, ws workspace.ID, contact, via string) (former []anon.Contact, err error) {
	who, err := z.who(ctx, ws, contact)
	if err != nil {
		return nil, err
	}
	line := consentLine{}
	line.Party.ID = contact
	if err := z.optOut(ctx, ws, consent.Subject{Contact: who.Contact}, via, line); err != nil {
		return nil, err
	}
	for _, c := range who.Former { // what is live, or stored, under an older pseudonym
		err = errors.Join(err, z.book.Refuse(ctx, ws, consent.Subject{Contact: c}, vias[via]))
	}
	return who.Former, err
}

// consentLine is the native event of an opt-out: it takes the ordinary way to become a fact.
type consentLine struct {
	Schema     string `json:"schema"`
	Type       string `json:"type"`
	SourceID   string `json:"source_id"`
	OccurredAt string `json:"occurred_at"`
	Call       string `json:"call,omitempty"`
	Purpose    string `json:"purpose"`
	Act        string `json:"act"`
	Via        string `json:"via"`
	Party      struct {
		ID string `json:"id,omitempty"`
	} `json:"party"`
}

// optOut destroys what was recorded and writes the register first, so that nothing opens from now on; then the journal, so
// that what is already in the lake is retracted in order and the opt-out is counted.
func (z *Zone) optOut(ctx context.Context, ws workspace.ID, about consent.Subject, via string, line consentLine) error {
	v, ok := vias[via]
	if !ok {
		return ErrVia
	}
	gone := z.book.Refuse(ctx, ws, about, v)
	if err := z.say(ctx, ws, about, fact.OptedOut, consent.Everything, v); err != nil {
		return errors.Join(gone, err)
	}
	line.Act, line.Via = "opted_out", consent.ViaName(v)
	return errors.Join(gone, z.line(ctx, ws, "opt-out\x00"+line.Call+line.Party.ID, line))
}

// say records what somebody said. A refusal of more than sharing then destroys what there is of the call, or of every call
// with the contact, those they took part in beside another too.
func (z *Zone) say(ctx context.Context, ws workspace.ID, about consent.Subject, act fact.Act, of consent.Purposes, via fact.Via) error {
	if _, err := z.register.Say(ctx, ws, about, act, of, via); err != nil {
		return err
	}
	if act != fact.OptedOut && act != fact.Withdrawn || of&consent.Heard == 0 {
		return nil
	}
	gone := z.book.Refuse(ctx, ws, about, via)
	if about.Call != (fact.ID{}) {
		return gone
	}
	calls, err := z.register.Joined(ctx, ws, about.Contact)
	for _, call := range calls {
		gone = errors.Join(gone, z.silence(ctx, ws, call, of, via))
	}
	linked, also := z.linked(ctx, ws, about.Contact)
	for _, c := range linked {
		gone = errors.Join(gone, z.follow(ctx, ws, c))
	}
	return errors.Join(gone, err, also)
}

// linked are the pseudonyms of other addresses by which a source named the same person.
func (z *Zone) linked(ctx context.Context, ws workspace.ID, who anon.Contact) ([]anon.Contact, error) {
	all, err := z.register.Linked(ctx, ws, who)
	if err != nil {
		return nil, err
	}
	return z.stored(ws, all)
}

// follow destroys recordings of a person who refused by another address, and orders the removal of their words: once per
// process; repeating it does no harm.
func (z *Zone) follow(ctx context.Context, ws workspace.ID, who anon.Contact) error {
	if _, done := z.followed.Load(followed{ws, who}); done {
		return nil
	}
	gone := z.book.Refuse(ctx, ws, consent.Subject{Contact: who}, fact.ViaPolicy)
	calls, err := z.register.Joined(ctx, ws, who)
	for _, call := range calls {
		gone = errors.Join(gone, z.silence(ctx, ws, call, consent.Heard, fact.ViaPolicy))
	}
	l := ownLine{At: z.now(), Followed: true}
	l.about(who, "")
	l.ID = "followed\x00" + l.Contact
	if err := errors.Join(gone, err, z.own(ctx, ws, ControlSource, l)); err != nil {
		return err
	}
	z.followed.Store(followed{ws, who}, true)
	return nil
}

// followed is a person whose words were removed because of a refusal by another address.
type followed struct {
	ws  workspace.ID
	who anon.Contact
}

// silence refuses a call for somebody who took part in it, and orders the removal of its words. It is idempotent.
func (z *Zone) silence(ctx context.Context, ws workspace.ID, call fact.ID, of consent.Purposes, via fact.Via) error {
	if err := z.say(ctx, ws, consent.Subject{Call: call}, fact.OptedOut, of, via); err != nil {
		return err
	}
	id := hex.EncodeToString(call[:])
	return z.own(ctx, ws, ControlSource, ownLine{ID: "refused\x00" + id, At: z.now(), Refused: id, Via: via})
}

// who is the person behind an address that somebody typed. It refuses an unreadable address: if it were taken for a new
// person, the refusal or erasure would do nothing.
func (z *Zone) who(ctx context.Context, ws workspace.ID, contact string) (identity.Person, error) {
	who, err := z.persons.Named(ctx, ws, personal.New(contact))
	switch {
	case err != nil:
		return who, err
	case who.Unreadable:
		return who, ErrContact
	case !who.Known():
		return who, ErrNobody
	}
	return who, nil
}

// LetGo deletes who took part in calls of others before a moment, and moves what contacts said before it to the table that
// can only be searched slowly; call it where rows are de-linked.
func (z *Zone) LetGo(ctx context.Context, ws workspace.ID, before time.Time) error {
	return errors.Join(z.register.Leave(ctx, ws, before), z.register.Last(ctx, ws, before))
}

// Shred is an order to destroy the key in use of a workspace: somebody refused, first and last at these times since it began.
type Shred struct {
	Workspace   workspace.ID
	First, Last time.Time
}

// Shreds lists the orders.
func (z *Zone) Shreds(ctx context.Context) (all []Shred, err error) {
	orders, err := z.register.Shreds(ctx)
	for _, s := range orders {
		all = append(all, Shred(s))
	}
	return all, err
}

// Shredded ends an order that was carried out at a moment.
func (z *Zone) Shredded(ctx context.Context, s Shred, at time.Time) error {
	return z.register.Shredded(ctx, consent.Shred(s), at)
}

// Placeable gives, by workspace, the words that wait for the call that they are of, which came since: their deliveries are to be
// decided again, and Placed told when.
func (z *Zone) Placeable(ctx context.Context) (map[workspace.ID][]journal.Subject, error) {
	return z.register.Placeable(ctx)
}

// Placed ends what Placeable asked for.
func (z *Zone) Placed(ctx context.Context, ws workspace.ID, words []journal.Subject, at time.Time) error {
	return z.register.Placed(ctx, ws, words, at)
}

// Refused lists the calls and contacts that opted out before a moment: no content of theirs may be stored.
func (z *Zone) Refused(ctx context.Context, ws workspace.ID, before time.Time) (calls []fact.ID, contacts []anon.Contact, err error) {
	calls, all, err := z.register.Refused(ctx, ws, before)
	if err != nil {
		return nil, nil, err
	}
	contacts, err = z.stored(ws, all)
	return calls, contacts, err
}

// RefusedAmong gives those of some contacts that opted out, however long ago.
func (z *Zone) RefusedAmong(ctx context.Context, ws workspace.ID, all [][anon.ContactLen]byte) ([]anon.Contact, error) {
	contacts, err := z.stored(ws, all)
	if err != nil {
		return nil, err
	}
	return z.register.RefusedAmong(ctx, ws, contacts)
}

// stored are contacts of the register. A workspace that has none needs no key for it.
func (z *Zone) stored(ws workspace.ID, all [][anon.ContactLen]byte) ([]anon.Contact, error) {
	if len(all) == 0 {
		return nil, nil
	}
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return nil, err
	}
	out := make([]anon.Contact, len(all))
	for i, b := range all {
		out[i] = anon.Stored(key, b)
	}
	return out, nil
}

// kindViolation marks the record of content that was found although somebody had refused it. No source can send it.
const kindViolation = "violation"

// Violated records that content was found although somebody had refused it; the figure recording-consent counts it.
func (z *Zone) Violated(ctx context.Context, ws workspace.ID, found int) error {
	at := z.now().UTC().Format(time.RFC3339Nano)
	all := make([]source.Delivery, found)
	for i := range all {
		all[i] = source.Delivery{ID: fmt.Sprintf("violation/%s/%d", at, i)}
	}
	_, err := z.append(ctx, ws, origin{name: ControlSource, kind: kindViolation}, all)
	return err
}

// violation is the event of such a record.
func violation(d source.Delivery, at time.Time) []event.Event {
	return []event.Event{{ID: d.ID, At: at, Consent: &event.Consent{Purpose: fact.Transcribe, Act: fact.Violation, Via: fact.ViaAPI}}}
}
