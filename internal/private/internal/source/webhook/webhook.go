// Package webhook reads the signed webhook of any survey tool, after a mapping that the owner writes.
//
// Zone: RED. The mapping (Map) says how a body is signed and where in it each part of an answer stands; it is given once,
// to `murmur connect webhook --map FILE`, and travels with every delivery, so that decoding needs nothing but the delivery.
// One body is one answer. docs/surveys.md shows mappings of real tools.
//
// What it does not protect against: a mapping that names the wrong field; `murmur doctor` and the quarantine say which
// field a body lacks. A token in the body or in a header signs nothing: anybody who has seen one delivery can forge
// others.
package webhook

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/signature"
	"murmur/internal/private/internal/source/strictjson"
	"murmur/internal/private/internal/source/survey"
)

// Source is the connector. Without a map it accepts nothing.
type Source struct {
	m    Map
	text []byte // the map as it travels
}

// With implements source.Mapped.
func (Source) With(mapping []byte) (source.Source, error) {
	m, err := Read(mapping)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(m)
	return Source{m, text}, err
}

// Verify checks the signature that the map names. The delivery is {"map":..,"body":..}.
func (s Source) Verify(h http.Header, body []byte, secrets []string, now time.Time) (source.Delivery, error) {
	d := source.Delivery{Body: bytes.Join([][]byte{[]byte(`{"map":`), s.text, []byte(`,"body":`), body, []byte(`}`)}, nil)}
	var err error
	switch g := s.m.Signature; g.Kind {
	case "standard-webhooks":
		d.ID, err = signature.StandardWebhooks(h, body, secrets, now)
	case "hmac-hex":
		err = signature.Hex(h, g.Header, g.Prefix, body, secrets)
	case "hmac-b64":
		err = signature.Base64(h, g.Header, g.Prefix, body, secrets)
	case "token":
		sent := h.Values(g.Header)
		if len(sent) != 1 {
			sent = []string{""}
		}
		err = signature.Token(sent[0], secrets)
	case "body-token":
		sent := ""
		if doc, bad := strictjson.Parse(body); bad == nil {
			sent = label(doc, g.Field)
		}
		err = signature.Token(sent, secrets)
	default:
		err = signature.Token("", secrets)
	}
	if err != nil {
		return source.Delivery{}, err
	}
	return d, nil
}

// Decode gives the one event of an answer.
func (Source) Decode(d source.Delivery) ([]event.Event, error) {
	outer, err := strictjson.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	m, ok := carried(outer.Object("map"))
	doc := outer.Object("body")
	switch {
	case outer.Fault() != nil:
		return nil, outer.Fault()
	case !ok || !doc.Exists():
		return nil, source.Quarantine(fact.WhyUnknownType, "map")
	case m.Only.Field != "" && label(doc, m.Only.Field) == "":
		return nil, source.Quarantine(fact.WhyUnknownType, "only")
	case m.Only.Field != "" && label(doc, m.Only.Field) != m.Only.Is:
		return nil, source.Ignore(fact.WhySilentType)
	}
	scale, _ := survey.Named(m.Scale)
	if m.Max > m.Min {
		scale.Min, scale.Max = m.Min, m.Max
	}
	r := survey.Response{
		ID: label(doc, m.ID), Survey: strictjson.First(label(doc, m.Survey), "webhook"), At: moment(doc, m.At),
		UpdatedAt: moment(doc, m.Updated), Asked: moment(doc, m.Asked), Addresses: []string{label(doc, m.Phone), label(doc, m.Email), label(doc, m.Contact)},
		Name: label(doc, m.Name), Scale: scale, Comment: label(doc, m.Comment), Medium: survey.Media[m.Medium], Link: label(doc, m.Link),
		IDField: "id", TimeField: "at", ScoreField: "score", ScaleField: "scale",
	}
	r.Score, r.Scored = m.score(doc)
	return r.Event(outer)
}

// score reads the score: a word of the map first, then a number.
func (m Map) score(doc strictjson.Value) (float64, bool) {
	if m.Score == "" {
		return 0, false
	}
	if v, ok := m.Words[strings.ToLower(label(doc, m.Score))]; ok {
		return v, true
	}
	parent, name := walk(doc, m.Score)
	return survey.Score(parent, name)
}

// walk follows a path such as data.answers.0.value to the object that holds its last name. A number is a place in a list.
func walk(doc strictjson.Value, path string) (parent strictjson.Value, name string) {
	parts := strings.Split(path, ".")
	for _, p := range parts[:len(parts)-1] {
		doc = doc.Step(p)
	}
	return doc, parts[len(parts)-1]
}

// label reads a text or a number; empty without a path. What is of another type is a fault of the body.
func label(doc strictjson.Value, path string) string {
	if path == "" {
		return ""
	}
	parent, name := walk(doc, path)
	return parent.Label(name)
}

// moment reads a time: RFC 3339, or seconds since 1970 as a number.
func moment(doc strictjson.Value, path string) time.Time {
	if path == "" {
		return time.Time{}
	}
	parent, name := walk(doc, path)
	if _, number := parent.Get(name).AsNumber(); number {
		return parent.Epoch(name)
	}
	return parent.Time(name)
}
