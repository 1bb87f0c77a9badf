// Package vcon reads vCons, the IETF's container of a conversation (draft-ietf-vcon-vcon-core, syntax 0.0.1 to 0.4.0),
// and writes the redacted vCon of a call.
//
// Zone: RED. One vCon is one delivery. Open takes off what is around it: a JWS must verify, a JWE needs the key. What
// is inside is checked as a whole before anything of it is used, and what is wrong is refused with the path of the
// field and a reason, never a value. Then a recording becomes a call, a text dialog a message, a transcript a talk that
// the policy decides about, a lawful_basis attachment what the person said about it.
//
// Nothing is fetched: a body behind an address stays there, and no audio is taken from a file. Analyses that are no
// transcript and attachments that are no lawful basis are raw personal data without a use: Lean leaves them out before
// anything is stored.
//
// What it does not protect against: a signature says that nobody changed the vCon since the holder of the certificate
// that it carries signed it; the person who imports it must decide whether to trust that holder. Where no party has a
// role, the party that began the conversation is taken for the contact.
package vcon

import (
	"net/http"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/signature"
	"murmur/internal/private/internal/source/strictjson"
)

// Source is the connector: a recorder posts its vCons, one a body. The zero value is ready.
type Source struct{}

// Verify accepts `Authorization: Bearer SECRET`, or the standard-webhooks headers when there is no Authorization. The
// bytes of a vCon name its delivery.
func (Source) Verify(h http.Header, body []byte, secrets []string, now time.Time) (source.Delivery, error) {
	id, err := signature.BearerOrStandardWebhooks(h, body, secrets, now)
	return source.Delivery{ID: id, Body: body}, err
}

// Decode gives the events of a vCon; the error is a *Refusal, or a verdict that there is nothing to say.
func (Source) Decode(d source.Delivery) ([]event.Event, error) {
	plain, err := Open(d.Body, nil)
	if err != nil {
		return nil, err
	}
	c, err := read(plain)
	if err != nil {
		return nil, err
	}
	events := c.events()
	if len(events) == 0 {
		return nil, source.Ignore(fact.WhySilentType)
	}
	return events, nil
}

// Refusal says why a vCon is not taken.
type Refusal struct {
	Where string // a path of field names and positions, "dialog[0].duration"; empty: the whole
	What  string // in words
	why   fact.Why
}

func (r *Refusal) Error() string {
	if r.Where == "" {
		return "vcon: " + r.What
	}
	return "vcon: " + r.Where + ": " + r.What
}

// Unwrap is the verdict: quarantine.
func (r *Refusal) Unwrap() error {
	field, _, _ := strings.Cut(r.Where, "[")
	return source.Quarantine(r.why, field)
}

func refuse(why fact.Why, where, what string) *Refusal { return &Refusal{where, what, why} }

// Looks reports whether a file that begins so holds a vCon, bare, signed or encrypted.
func Looks(start []byte) bool {
	s := string(start)
	if !strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), "{") || strings.Contains(s, `"murmur.v1"`) {
		return false
	}
	for _, field := range []string{`"vcon"`, `"parties"`, `"dialog"`, `"payload"`, `"signatures"`, `"ciphertext"`, `"protected"`} {
		if strings.Contains(s, field) {
			return true
		}
	}
	return false
}

// fields are those of a vCon by which an object is one. No writer sets all of them, and old ones are optional now.
var fields = []string{"vcon", "uuid", "parties", "dialog", "analysis", "attachments", "subject", "group", "redacted", "created_at"}

func isVCon(doc strictjson.Value) bool {
	for _, f := range fields {
		if doc.Has(f) || doc.IsNull(f) {
			return true
		}
	}
	return false
}

var _ source.Source = Source{}
