// Package delighted reads Delighted's webhooks (https://app.delighted.com/docs/api/webhooks).
//
// Zone: RED. A response comes at once with its score, minutes later again with the comment: both are one answer, and the
// higher updated_at wins, whatever order they come in. The secret is the account's API key. Properties of the person that
// are read: phone_number, and murmur_call or murmur_message, the id that the survey is about.
//
// What it does not do: read the additional questions; their scales are not in the webhook.
package delighted

import (
	"net/http"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/signature"
	"murmur/internal/private/internal/source/strictjson"
	"murmur/internal/private/internal/source/survey"
)

// Source is the connector. The zero value is ready.
type Source struct{}

// Verify checks X-Delighted-Webhook-Signature. The delivery's id is the event_id.
func (Source) Verify(h http.Header, body []byte, secrets []string, _ time.Time) (source.Delivery, error) {
	if err := signature.Hex(h, "X-Delighted-Webhook-Signature", "sha256=", body, secrets); err != nil {
		return source.Delivery{}, err
	}
	return source.Delivery{ID: strictjson.TextIn(body, "event_id"), Body: body}, nil
}

// Decode gives the one event of a response.
func (Source) Decode(d source.Delivery) ([]event.Event, error) {
	doc, err := strictjson.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	switch doc.Text("event_type") {
	case "survey_response.created", "survey_response.updated":
	case "survey_response.deleted", "unsubscribe.created", "bounce.created":
		return nil, source.Ignore(fact.WhySilentType)
	default:
		return nil, source.Quarantine(fact.WhyUnknownType, "event_type")
	}
	o := doc.Object("event_data")
	person, properties := o.Object("person"), o.Object("person_properties")
	scale, _ := survey.Named(o.Text("survey_type"))
	r := survey.Response{
		ID: o.Label("id"), Survey: "delighted " + o.Text("survey_type"), At: o.Epoch("created_at"), UpdatedAt: o.Epoch("updated_at"),
		Addresses: []string{person.Text("phone_number"), properties.Label("phone_number"), person.Text("email")}, Name: person.Text("name"),
		Scale: scale, Comment: o.Text("comment"), Medium: fact.MediumEmail,
		Link:    strictjson.First(properties.Label("murmur_call"), properties.Label("murmur_message")),
		IDField: "id", TimeField: "created_at", ScoreField: "score", ScaleField: "survey_type",
	}
	r.Score, r.Scored = survey.Score(o, "score")
	return r.Event(doc)
}
