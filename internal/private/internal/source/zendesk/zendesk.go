// Package zendesk reads satisfaction ratings that a Zendesk trigger sends to a webhook
// (https://developer.zendesk.com/documentation/webhooks).
//
// Zone: RED. Zendesk has no event of its own for a rating: the owner makes a trigger "satisfaction changed" whose JSON body
// is the satisfaction_rating of Zendesk's API, as docs/surveys.md shows it. good and bad are thumbs; a number is a rating
// from 1 to 5 (Zendesk's customisable CSAT). One ticket has one rating, which the customer may change: it is one answer,
// and the later updated_at wins. What was offered and not rated is ignored.
package zendesk

import (
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

// Source is the connector. The zero value is ready.
type Source struct{}

// Verify checks X-Zendesk-Webhook-Signature and its time. Bytes name the delivery: the ids in headers are not signed.
func (Source) Verify(h http.Header, body []byte, secrets []string, now time.Time) (source.Delivery, error) {
	return source.Delivery{Body: body}, signature.Zendesk(h, body, secrets, now)
}

// Decode gives the one event of a rating.
func (Source) Decode(d source.Delivery) ([]event.Event, error) {
	doc, err := strictjson.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	o := doc.Object("satisfaction_rating")
	if !o.Exists() {
		if doc.Fault() == nil && strings.HasPrefix(doc.Text("type"), "zen:event-type:") {
			return nil, source.Ignore(fact.WhySilentType) // an event of Zendesk's own: none of them is a rating
		}
		return nil, source.Quarantine(fact.WhyUnknownType, "satisfaction_rating")
	}
	requester := o.Object("requester")
	r := survey.Response{
		Survey: "zendesk", At: strictjson.FirstTime(o.Time("created_at"), o.Time("updated_at")), UpdatedAt: o.Time("updated_at"),
		Addresses: []string{requester.Text("phone"), requester.Text("email"), o.Label("requester_id")}, Name: requester.Text("name"),
		Comment: o.Text("comment"), Medium: fact.MediumEmail, Link: o.Label("external_id"),
		IDField: "ticket_id", TimeField: "updated_at", ScoreField: "score", ScaleField: "score",
	}
	if ticket := o.Label("ticket_id"); ticket != "" {
		r.ID = "ticket/" + ticket
	}
	switch word, _, _ := strings.Cut(strings.ToLower(o.Label("score")), "_with_comment"); {
	case word == "good", word == "bad":
		r.Scale, _ = survey.Named("thumb")
		r.Scored = true
		if word == "good" {
			r.Score = 1
		}
	case word == "offered", word == "unoffered", word == "received":
		r.Comment = ""
	default:
		r.Scale, _ = survey.Named("csat")
		r.Score, r.Scored = survey.Score(o, "score")
	}
	return r.Event(doc)
}
