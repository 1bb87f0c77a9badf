package private

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/tour"
	"murmur/internal/workspace"
)

// spelt are the ways in which addresses are written in the golden table of package identity, by their one spelling, of
// numbers and mail addresses that are read in the United States.
func spelt(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("internal/identity/testdata/spellings.txt")
	must(t, err)
	all := map[string][]string{}
	for line := range strings.SplitSeq(string(b), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 3 || f[0] != "US" || !strings.ContainsAny(f[2], "+@:") {
			continue
		}
		text, err := strconv.Unquote(f[1])
		must(t, err)
		all[f[2]] = append(all[f[2]], text)
	}
	return all
}

// deliveriesOf are deliveries of every kind of source in which a person at an address says something.
var deliveriesOf = map[string]func(id, address, at string) string{
	"native": func(id, address, at string) string {
		return fmt.Sprintf(`{"schema":"murmur.v1","type":"transcript","source_id":%q,"occurred_at":%q,"call":%[1]q,"turns":[{"side":"contact","text":"the heater is broken"}],"party":{"phone":%[3]s}}`, id, at, quoted(address))
	},
	"native id": func(id, address, at string) string {
		return fmt.Sprintf(`{"schema":"murmur.v1","type":"message","source_id":%q,"occurred_at":%q,"direction":"in","body":"the heater is broken","party":{"id":%s}}`, id, at, quoted(address))
	},
	"quo": func(id, address, at string) string {
		return fmt.Sprintf(`{"id":%q,"type":"call.voicemail.completed","createdAt":%[2]q,"data":{"resource":{"id":%[1]q,"callId":%[1]q,"direction":"incoming","createdAt":%[2]q,"transcript":"the heater is broken"},
			"context":{"participants":{"external":["+12125550177",%s],"workspace":["+12125550100"]},"phoneNumberId":"PN1"}}}`, id, at, quoted(address))
	},
	"twilio": func(id, address, _ string) string {
		return fmt.Sprintf(`{"type":"rest.message","resource":{"sid":%q,"status":"received","direction":"inbound","from":%s,"to":"+12125550100","body":"the heater is broken","num_media":"0","date_sent":"Mon, 09 Nov 2026 08:00:00 +0000"}}`, id, quoted(address))
	},
	"typeform": func(id, address, at string) string {
		return fmt.Sprintf(`{"event_id":%q,"event_type":"form_response","form_response":{"form_id":"F","token":%[1]q,"submitted_at":%q,"hidden":{"phone":%s},
			"answers":[{"type":"text","text":"the heater is broken","field":{"id":"c","type":"long_text"}}]}}`, id, at, quoted(address))
	},
	"vcon": func(id, address, at string) string {
		return fmt.Sprintf(`{"vcon":"0.0.1","uuid":%q,"created_at":%q,"parties":[{"tel":"+12125550177","role":"customer"},{"tel":%s,"role":"customer"},{"tel":"+12125550100","role":"agent"}],
			"dialog":[{"type":"text","start":%[2]q,"parties":[0],"body":"the heater is broken"}]}`, id, at, quoted(address))
	},
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// hears reports whether any words of a delivery come out, and its state.
func (h *callHouse) hears(kind, id, address string) (bool, fact.Outcome) {
	h.t.Helper()
	body := deliveriesOf[kind](id, address, tour.Now.Add(-time.Hour).Format(time.RFC3339))
	o := origin{name: strings.Fields(kind)[0], kind: strings.Fields(kind)[0], connection: kind}
	_, err := h.zone.append(h.t.Context(), workspace.Default, o, []source.Delivery{{ID: kind + id, Body: []byte(body)}})
	must(h.t, err)
	out := h.process(h.inbox[len(h.inbox)-1])
	for _, f := range out.Facts {
		if w := f.Words(); w != nil && w.Valid() && w.String() != "" {
			return true, out
		}
	}
	return false, out
}

// TestAnOptedOutPersonIsHeardInNoSpelling: whoever refused is heard through no source, first or second in the conversation,
// however the source writes them, and the refusal may be written in any way too. Before the refusal each is heard: the test
// could fail.
func TestAnOptedOutPersonIsHeardInNoSpelling(t *testing.T) {
	t.Parallel()
	tried, all := 0, spelt(t)
	for one, spellings := range all {
		if strings.HasPrefix(one, "short:") || strings.HasPrefix(one, "id:") {
			continue
		}
		h := newCallHouse(t, "notice")
		h.policy("transcripts", "notice")
		for kind := range deliveriesOf {
			if heard, o := h.hears(kind, "before", one); !heard {
				t.Errorf("%s: %s is %s %s before anybody refused", one, kind, o.State, o.Why)
			}
		}
		_, err := h.zone.OptOutContact(t.Context(), workspace.Default, spellings[len(spellings)-1], "agent")
		must(t, err)
		for i, s := range spellings {
			for kind := range deliveriesOf {
				tried++
				if heard, o := h.hears(kind, fmt.Sprint("after", i), s); heard || o.State != fact.Refused {
					t.Errorf("%s: %s by %+q is %s %s", one, kind, s, o.State, o.Why)
				}
			}
		}
	}
	if tried < 150*len(deliveriesOf) {
		t.Errorf("only %d were tried", tried)
	}
}

// TestEverySpellingErasesItsPerson: a refusal and an erasure reach the person in whatever spelling; what nobody can read is
// refused, and nobody is taken for a new person.
func TestEverySpellingErasesItsPerson(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	for one, spellings := range spelt(t) {
		want, err := h.zone.who(t.Context(), workspace.Default, one)
		must(t, err)
		for _, s := range spellings {
			if strings.HasPrefix(one, "id:") && !strings.HasPrefix(s, "id:") {
				continue // by hand an id says that it is one
			}
			_, err := h.zone.Erase(t.Context(), workspace.Default, s)
			must(t, err)
			o, err := h.zone.Orders(t.Context(), workspace.Default)
			if err != nil || len(o.Contacts) != 1 || o.Contacts[0] != want.Contact {
				t.Errorf("%+q erases somebody else than %s: %v", s, one, err)
			}
			must(t, h.zone.Fulfilled(t.Context(), workspace.Default, o, false))
		}
	}
	for s, want := range map[string]error{
		"hello": ErrContact, "CUST-9": ErrContact, "rosa.example.com": ErrContact, "+1 212 555": ErrContact, "1234567": ErrContact, "Rosa Delgado": ErrContact, "anonymous": ErrNobody, "": ErrNobody, "+266696687": ErrNobody,
	} {
		if _, err := h.zone.Erase(t.Context(), workspace.Default, s); !errors.Is(err, want) {
			t.Errorf("erase %q: %v", s, err)
		}
		if _, err := h.zone.OptOutContact(t.Context(), workspace.Default, s, "agent"); !errors.Is(err, want) {
			t.Errorf("opt out %q: %v", s, err)
		}
	}
}

// TestNobodyCanReadIt: a delivery whose party cannot be read is not lost and is nobody's: what happened counts, what was said
// waits or is left out.
func TestNobodyCanReadIt(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	h.policy("transcripts", "notice")
	for kind, want := range map[string]fact.State{"native": fact.Held, "quo": fact.Held, "typeform": fact.Published, "twilio": fact.Published, "vcon": fact.Published} {
		heard, o := h.hears(kind, "x", "+1 212 555")
		if (heard && kind != "vcon") || o.State != want || want == fact.Held && o.Why != fact.WhyContact || o.Contact.Person() && kind != "quo" && kind != "vcon" {
			t.Errorf("%s: %s %s", kind, o.State, o.Why)
		}
	}
}

// TestFormerRulesStillRefuse: what was refused under the rules of version 1, in a spelling they did not know, holds.
func TestFormerRulesStillRefuse(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	h.policy("transcripts", "notice")
	key, err := h.zone.ring.Pseudonym(workspace.Default)
	must(t, err)
	must(t, h.db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO identities(workspace, version, region, since) VALUES('default', 1, 'US', 0)`)
		if err != nil {
			return err
		}
		for _, text := range []string{"+44\u00a020\u00a07946\u00a00958", "Rosa Delgado"} { // version 1 took what it did not know for an id
			c := anon.Pseudonym(key, personal.New("id:"+text)).Bytes()
			_, err = tx.ExecContext(t.Context(), `INSERT INTO optouts(workspace, kind, ref, at, via) VALUES('default', 'contact', ?, 0, 1)`, c[:])
		}
		return err
	}))
	h.zone.register = consent.NewRegister(h.db, h.zone.ledger, h.zone.ring.Slow, h.zone.now)
	must(t, h.zone.LetGo(t.Context(), workspace.Default, time.UnixMicro(1))) // it is old
	for i, s := range []string{"+442079460958", "sip:+442079460958@carrier.example", "0044 20 7946 0958"} {
		if heard, o := h.hears("native", fmt.Sprint(i), s); heard || o.State != fact.Refused {
			t.Errorf("%q: %s %s", s, o.State, o.Why)
		}
	}
}
