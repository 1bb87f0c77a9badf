// Package native reads murmur.v1, murmur's own input format: how a phone platform feeds many workspaces,
// how every import comes in, and how anyone writes a connector in any language.
//
// Zone: RED. The format is docs/format/murmur.v1.md; its JSON Schema is Schema. One JSON object is one
// delivery. A body may hold one object, an array of them, {"events":[..]} or one object a line (JSONL);
// Split cuts it, so that one bad event does not take its batch with it.
//
// What it does not protect against: a sender that lies. Whoever holds the secret decides what happened.
package native

import (
	_ "embed"
	"net/http"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/signature"
	"murmur/internal/private/internal/source/strictjson"
)

// Version is what the field "schema" of every event says.
const Version = "murmur.v1"

// Schema is the JSON Schema (2020-12) of one event, as published in docs/format.
//
//go:embed murmur.v1.schema.json
var Schema []byte

// Source is the connector. The zero value is ready.
type Source struct{}

// Verify accepts `Authorization: Bearer SECRET`, or the standard-webhooks headers when there is no
// Authorization. With a bearer token a delivery is told by its event's delivery_id, else by its bytes.
func (Source) Verify(h http.Header, body []byte, secrets []string, now time.Time) (source.Delivery, error) {
	id, err := signature.BearerOrStandardWebhooks(h, body, secrets, now)
	return source.Delivery{ID: id, Body: body}, err
}

// Workspace is the workspace the event names; empty when it names none or cannot be read.
func (Source) Workspace(d source.Delivery) string {
	return strictjson.TextIn(d.Body, "workspace")
}

// Decode gives the one event of an object.
func (Source) Decode(d source.Delivery) ([]event.Event, error) {
	doc, err := strictjson.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	decode := decoders[doc.Text("type")]
	switch {
	case !doc.IsObject():
		return nil, source.Quarantine(fact.WhyNotJSON, "body")
	case doc.Fault() != nil:
		return nil, doc.Fault()
	case doc.Text("schema") != Version:
		return nil, source.Quarantine(fact.WhyUnknownType, "schema")
	case decode == nil:
		return nil, source.Quarantine(fact.WhyUnknownType, "type")
	case strings.TrimSpace(doc.Text("source_id")) == "":
		return nil, source.Quarantine(fact.WhyBadField, "source_id")
	}
	e := event.Event{
		ID:        doc.Text("source_id"),
		At:        required(doc, "occurred_at"),
		UpdatedAt: doc.Time("source_updated_at"),
		Party:     party(doc.Object("party")),
		Others:    parties(doc.List("others")),
		Member:    party(doc.Object("member")),
	}
	decode(&e, doc)
	if err := doc.Fault(); err != nil {
		return nil, err
	}
	return []event.Event{e}, nil
}

var decoders = map[string]func(*event.Event, strictjson.Value){
	"call":       call,
	"message":    message,
	"transcript": transcript,
	"step":       step,
	"answer":     answer,
	"consent":    consent,
}

// required is a time that must be there.
func required(doc strictjson.Value, name string) time.Time {
	if doc.Text(name) == "" {
		doc.Reject(name)
	}
	return doc.Time(name)
}

// party reads a person: the phone number is the address, else the e-mail address, else the sender's own
// id; the others are further addresses.
func party(v strictjson.Value) event.Party {
	p := event.Party{Name: personal.New(v.Text("name")), Own: personal.New(v.Text("id"))}
	for _, address := range []string{v.Text("phone"), v.Text("email")} {
		switch {
		case address == "":
		case p.Address.Empty():
			p.Address = personal.New(address)
		default:
			p.Also = append(p.Also, personal.New(address))
		}
	}
	return p
}

func parties(list []strictjson.Value) (all []event.Party) {
	for _, v := range list {
		all = append(all, party(v))
	}
	return all
}
