// Package quo reads what Quo (formerly OpenPhone) sends and keeps: webhooks of its dated API (2026-03-30) and of
// the older v3 and v4 envelopes, and the objects that the dated API lists. A webhook (EV..) and the object (AC..) of
// one call are one call.
//
// Zone: RED. One call comes as three to eight deliveries. Only terminal ones become events, keyed by the
// call's or message's own id, so that order and repetition do not matter: call.completed says most about
// a call, call.forwarded less, call.missed least, and the version of an event is ordered by that.
//
// *Missed* is: inbound, answered neither by a member nor by an AI agent, and not forwarded; a call that
// left a voicemail is missed.
//
// What it cannot see: flow definitions, automatic replies and rule ids, because Quo does not give them; choices in a
// phone menu where no webhook is set up, because the lists do not hold them. Calls are read-only over the API: a
// refusal keeps a recording from being fetched, it cannot stop it.
package quo

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/signature"
	"murmur/internal/private/internal/source/strictjson"
)

// Source is the connector. The zero value is ready.
type Source struct{}

// Verify accepts the standard-webhooks headers of the dated API or the legacy openphone-signature.
// The id of a legacy delivery is the envelope's.
func (Source) Verify(h http.Header, body []byte, secrets []string, now time.Time) (source.Delivery, error) {
	if len(h.Values("Openphone-Signature")) == 0 {
		id, err := signature.StandardWebhooks(h, body, secrets, now)
		if err != nil {
			return source.Delivery{}, err
		}
		return source.Delivery{ID: id, Body: body}, nil
	}
	if err := signature.OpenPhone(h, body, secrets, now); err != nil {
		return source.Delivery{}, err
	}
	return source.Delivery{ID: strictjson.TextIn(body, "id"), Body: body}, nil
}

// Decode gives the one event of a webhook.
func (Source) Decode(d source.Delivery) ([]event.Event, error) {
	doc, err := strictjson.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	h := envelope(doc, d.Body)
	kind := doc.Text("type")
	switch {
	case doc.Fault() != nil:
		return nil, doc.Fault()
	case kind == "":
		return nil, source.Quarantine(fact.WhyBadField, "type")
	case h.isSample():
		return nil, source.Ignore(fact.WhyVendorTest)
	case strings.HasPrefix(kind, "contact."), strings.HasPrefix(kind, "task."), silent[kind]:
		return nil, source.Ignore(fact.WhySilentType)
	case decoders[kind] == nil:
		return nil, source.Quarantine(fact.WhyUnknownType, "type")
	case !h.object.IsObject():
		return nil, source.Quarantine(fact.WhyBadField, "data")
	}
	e, ok := decoders[kind](h)
	switch {
	case doc.Fault() != nil:
		return nil, doc.Fault()
	case !ok:
		return nil, source.Ignore(fact.WhySilentType)
	case e.At.IsZero():
		return nil, source.Quarantine(fact.WhyBadTime, "createdAt")
	}
	return []event.Event{e}, nil
}

// silent are the known types that say nothing a terminal delivery does not say better.
var silent = map[string]bool{
	"call.ringing":  true,
	"call.answered": true,
}

// decoders gives each type its reading. One that reports false has nothing to say (a transcript that is
// still being made).
var decoders = map[string]func(hook) (event.Event, bool){
	"call.completed":            completed,
	"call.forwarded":            forwarded,
	"call.missed":               missed,
	"call.menu.selected":        menuSelected,
	"call.recording.completed":  recorded,
	"call.transcript.completed": transcript,
	"callTranscript":            transcript,
	"call.summary.completed":    summary,
	"callSummary":               summary,
	"call.voicemail.completed":  voicemail,
	"message.received":          message(fact.Received, 1),
	"message.delivered":         message(fact.Arrived, 3),
	"message.failed":            message(fact.Undelivered, 2),
	"message.undelivered":       message(fact.Undelivered, 2),
	kindCall:                    polledCall,
	kindMessage:                 polledMessage,
	kindTranscript:              polledTranscript,
	kindSummary:                 polledSummary,
	kindVoicemail:               polledVoicemail,
}

// hook is an opened envelope: the resource a webhook is about and, since 2026-03-30, its context.
type hook struct {
	object  strictjson.Value
	context strictjson.Value
	sent    time.Time // when the envelope was made
	id      string    // of the resource; else of the envelope; else a hash of the body
}

func envelope(doc strictjson.Value, body []byte) hook {
	data := doc.Object("data")
	h := hook{object: data.Object("resource"), context: data.Object("context"), sent: doc.Time("createdAt")}
	if !h.object.Exists() {
		h.object = data.Object("object")
	}
	h.id = strictjson.First(h.object.Text("id"), h.object.Text("callId"), doc.Text("id"))
	if h.id == "" {
		sum := sha256.Sum256(body)
		h.id = hex.EncodeToString(sum[:16])
	}
	return h
}

// isSample reports a delivery of Quo's "send test event": the examples of its specification, whose ids
// read ACsample.., PNsample..
func (h hook) isSample() bool {
	for _, id := range []string{h.object.Text("id"), h.object.Text("callId"), h.context.Text("phoneNumberId")} {
		if len(id) > 2 && strings.HasPrefix(id[2:], "sample") {
			return true
		}
	}
	return false
}

// number is the business number's own id; a number that has none is named by itself.
func (h hook) number() string {
	own := h.context.Object("participants").Texts("workspace")
	if len(own) == 0 {
		own = []string{h.businessAddress()}
	}
	return strictjson.First(h.context.Text("phoneNumberId"), h.object.Text("phoneNumberId"), own[0])
}

// contact is the person outside the business: the external participant, else whoever is on the far side
// of from and to.
func (h hook) contact() event.Party {
	if ext := h.context.Object("participants").Texts("external"); len(ext) > 0 {
		return party(ext[0])
	}
	from, to := h.ends()
	if h.object.Text("direction") == "outgoing" {
		return party(to)
	}
	return party(from)
}

// others are the external participants beside the contact: of a conference, of a text to several.
func (h hook) others() (all []event.Party) {
	beside := h.context.Object("participants").Texts("external")
	if len(beside) == 0 && h.object.Text("direction") == "outgoing" {
		beside = slices.Concat(h.context.Texts("recipientIdentifiers"), h.object.Texts("to"))
	}
	for _, address := range beside[min(1, len(beside)):] {
		all = append(all, party(address))
	}
	return all
}

func (h hook) businessAddress() string {
	from, to := h.ends()
	if h.object.Text("direction") == "outgoing" {
		return from
	}
	return to
}

// ends are the two addresses of a call or message. The v4 call lists participants only: one alone is the
// contact, of more the caller is the first.
func (h hook) ends() (from, to string) {
	from = strictjson.First(h.context.Text("senderIdentifier"), h.object.Text("from"))
	for _, list := range [][]string{h.context.Texts("recipientIdentifiers"), h.object.Texts("to")} {
		if to == "" && len(list) > 0 {
			to = list[0]
		}
	}
	people := h.object.Texts("participants")
	if from != "" || to != "" || len(people) == 0 {
		return from, to
	}
	if len(people) > 1 {
		return people[0], people[1]
	}
	if h.object.Text("direction") == "outgoing" {
		return "", people[0]
	}
	return people[0], ""
}

// direction is required where the call's outcome depends on it.
func (h hook) direction() fact.Direction {
	if !h.object.Has("direction") {
		h.object.Reject("direction")
	}
	return strictjson.Word(h.object, "direction", map[string]fact.Direction{"incoming": fact.In, "outgoing": fact.Out})
}

func party(address string) event.Party { return event.Party{Address: personal.New(address)} }

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
