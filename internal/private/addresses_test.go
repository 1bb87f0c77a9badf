package private

import (
	"fmt"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/tour"
	"murmur/internal/workspace"
)

// both are deliveries of sources that name a person by two addresses.
var both = map[string]func(id, first, second, at string) string{
	"native": func(id, first, second, at string) string {
		return fmt.Sprintf(`{"schema":"murmur.v1","type":"transcript","source_id":%q,"occurred_at":%q,"call":%[1]q,"turns":[{"side":"contact","text":"the heater is broken"}],"party":{"phone":%[3]q,"email":%[4]q}}`, id, at, first, second)
	},
	"typeform": func(id, first, second, at string) string {
		return fmt.Sprintf(`{"event_id":%q,"event_type":"form_response","form_response":{"form_id":"F","token":%[1]q,"submitted_at":%q,"hidden":{"phone":%q,"email":%q},
			"answers":[{"type":"text","text":"the heater is broken","field":{"id":"c","type":"long_text"}}]}}`, id, at, first, second)
	},
	"vcon": func(id, first, second, at string) string {
		return fmt.Sprintf(`{"vcon":"0.0.1","uuid":%q,"created_at":%q,"parties":[{"tel":%q,"mailto":%q,"role":"customer"},{"tel":"+12125550100","role":"agent"}],
			"dialog":[{"type":"text","start":%[2]q,"parties":[0],"body":"the heater is broken"}]}`, id, at, first, second)
	},
}

func (h *callHouse) said(kind, id, first, second string) fact.Outcome {
	h.t.Helper()
	body := both[kind](id, first, second, tour.Now.Add(-time.Hour).Format(time.RFC3339))
	_, err := h.zone.append(h.t.Context(), workspace.Default, origin{name: kind, kind: kind, connection: kind}, []source.Delivery{{ID: kind + id, Body: []byte(body)}})
	must(h.t, err)
	return h.process(h.inbox[len(h.inbox)-1])
}

// TestASecondAddressRefusesToo: whoever refused by the address that stands second is heard through no source; and from then
// on nor by the first alone. Others are.
func TestASecondAddressRefusesToo(t *testing.T) {
	t.Parallel()
	for kind := range both {
		h := newCallHouse(t, "notice")
		if o := h.said(kind, "before", "+12125550142", "rosa@example.com"); o.State != fact.Published {
			t.Errorf("%s: %s %s before anybody refused", kind, o.State, o.Why)
		}
		_, err := h.zone.OptOutContact(t.Context(), workspace.Default, "Rosa <ROSA@example.com>", "web")
		must(t, err)
		if last := h.process(h.inbox[len(h.inbox)-2]); len(last.Facts) != 1 || last.Facts[0].(*fact.Consent).Act != fact.Followed {
			t.Errorf("%s: what was published under the first address is not taken out: %+v", kind, last)
		}
		if o := h.said(kind, "after", "+12125550142", "rosa@example.com"); o.State != fact.Refused {
			t.Errorf("%s: by both it is %s %s", kind, o.State, o.Why)
		}
		if heard, o := h.hears("native", "alone", "+1 212 555 0142"); heard || o.State != fact.Refused {
			t.Errorf("%s: by the first alone it is %s %s", kind, o.State, o.Why)
		}
		if o := h.said(kind, "other", "+12125550199", "ann@example.com"); o.State != fact.Published {
			t.Errorf("%s: somebody else is %s %s", kind, o.State, o.Why)
		}
	}
}

// TestAHiddenCallerIsNotLinked: who does not show their number refuses by what else is known, and is linked with nothing.
func TestAHiddenCallerIsNotLinked(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	_, err := h.zone.OptOutContact(t.Context(), workspace.Default, "rosa@example.com", "web")
	must(t, err)
	if o := h.said("native", "1", "anonymous", "rosa@example.com"); o.State != fact.Refused || o.Contact.Person() {
		t.Errorf("%s %s, of somebody: %t", o.State, o.Why, o.Contact.Person())
	}
	var n int
	must(t, h.db.QueryRowContext(t.Context(), `SELECT count(*) FROM addresses`).Scan(&n))
	if n != 0 {
		t.Errorf("%d addresses are linked", n)
	}
}

// TestNobodyAgreesByAnotherAddress: anybody can write an address beside somebody's, so it agrees to nothing.
func TestNobodyAgreesByAnotherAddress(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	h.policy("transcripts", "opt-in")
	mail, err := h.zone.who(t.Context(), workspace.Default, "rosa@example.com")
	must(t, err)
	must(t, h.zone.say(t.Context(), workspace.Default, consent.Subject{Contact: mail.Contact}, fact.OptedIn, consent.Everything, fact.ViaWeb))
	if o := h.said("native", "1", "+12125550142", "rosa@example.com"); o.State != fact.Held {
		t.Errorf("%s %s", o.State, o.Why)
	}
	if heard, o := h.hears("native", "2", "+12125550142"); heard || o.State != fact.Held {
		t.Errorf("%s %s", o.State, o.Why)
	}
}

// TestAddressesAreForgottenWithTheLinks: which addresses were one person's is kept as long as rows are linked, and ends with an
// erasure.
func TestAddressesAreForgottenWithTheLinks(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	now := tour.Now
	r := consent.NewRegister(h.db, h.zone.ledger, h.zone.ring.Slow, func() time.Time { return now })
	find := func(address string) identity.Person {
		p, err := h.zone.persons.Of(t.Context(), workspace.Default, personal.New(address))
		must(t, err)
		return p
	}
	rosa, mail := find("+12125550142"), find("rosa@example.com")
	rosa.Also = mail.All()
	linked := func(want int, when string) {
		t.Helper()
		all, err := r.Linked(t.Context(), workspace.Default, mail.Contact)
		if err != nil || len(all) != want {
			t.Errorf("%s: %d are linked, want %d (%v)", when, len(all), want, err)
		}
	}
	name := func() {
		t.Helper()
		must(t, r.Link(t.Context(), consent.Named{Workspace: workspace.Default, Who: rosa, At: now}))
		_, err := r.Lead(t.Context(), workspace.Default, rosa)
		must(t, err)
	}
	name()
	for _, days := range []int{30, 30} {
		now = now.AddDate(0, 0, days)
		must(t, r.Leave(t.Context(), workspace.Default, now.AddDate(0, 0, -60)))
		linked(1, "within link-days")
	}
	now = now.AddDate(0, 0, 1)
	must(t, r.Leave(t.Context(), workspace.Default, now.AddDate(0, 0, -60)))
	linked(0, "after link-days")
	_, err := r.Say(t.Context(), workspace.Default, consent.Subject{Contact: mail.Contact}, fact.OptedOut, consent.Everything, fact.ViaWeb)
	must(t, err)
	if k, err := r.Known(t.Context(), workspace.Default, fact.ID{}, rosa.Contact); err != nil || k.Contact.Out != 0 {
		t.Errorf("a link that has ended holds: %+v, %v", k, err)
	}
	name()
	if k, err := r.Known(t.Context(), workspace.Default, fact.ID{}, rosa.Contact); err != nil || k.Contact.Out != consent.Everything {
		t.Errorf("a new link does not hold: %+v, %v", k, err)
	}
	_, err = r.Erase(t.Context(), workspace.Default, mail.Contact)
	must(t, err)
	orders, err := r.Orders(t.Context(), workspace.Default)
	must(t, err)
	who := map[[16]byte]bool{}
	for _, o := range orders {
		for _, c := range o.Who {
			who[c] = true
		}
	}
	if !who[rosa.Contact.Bytes()] || !who[mail.Contact.Bytes()] || len(who) != 2 {
		t.Errorf("%d are ordered to be erased", len(who))
	}
	must(t, r.Fulfil(t.Context(), workspace.Default, orders))
	linked(0, "after an erasure")
	if gone, err := r.Erased(t.Context(), workspace.Default, rosa.Contact); err != nil || gone.IsZero() {
		t.Errorf("the tombstone is not that of the person: %v", err)
	}
}
