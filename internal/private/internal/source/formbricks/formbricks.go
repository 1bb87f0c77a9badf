// Package formbricks reads Formbricks' webhooks (https://formbricks.com/docs), signed as Standard Webhooks.
//
// Zone: RED. A response is a set of answers by question id; the scale of a question is not in the webhook. So the id, which
// Formbricks lets its owner choose, says it: nps, csat, ces, stars, thumb, alone or followed by - or _ and more (csat-agent).
// Each such answer is an event of its own; the words of all other questions are the comment of the first. contactAttributes
// phone, email and userId say who it is, name what they are called; hidden fields call or message say what it is about.
// A response that goes on is revised by the next webhook.
//
// What it does not do: read choices and rankings, and numbers of questions whose id names no scale.
package formbricks

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

// Verify checks the headers of Standard Webhooks.
func (Source) Verify(h http.Header, body []byte, secrets []string, now time.Time) (source.Delivery, error) {
	id, err := signature.StandardWebhooks(h, body, secrets, now)
	return source.Delivery{ID: id, Body: body}, err
}

// Decode gives one event for each answer with a scale, or one for the words of a response without any.
func (Source) Decode(d source.Delivery) ([]event.Event, error) {
	doc, err := strictjson.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	switch doc.Text("event") {
	case "responseCreated", "responseUpdated", "responseFinished":
	case "testEndpoint":
		return nil, source.Ignore(fact.WhyVendorTest)
	default:
		return nil, source.Quarantine(fact.WhyUnknownType, "event")
	}
	o := doc.Object("data")
	answers, who := o.Object("data"), o.Object("contactAttributes")
	base := survey.Response{
		ID: o.Text("id"), Survey: o.Text("surveyId"), At: o.Time("createdAt"), UpdatedAt: o.Time("updatedAt"),
		Addresses: []string{who.Label("phone"), who.Label("email"), who.Label("userId")}, Name: who.Label("name"), Medium: fact.MediumWeb,
		IDField: "id", TimeField: "createdAt", ScoreField: "data", ScaleField: "data",
	}
	if base.ID == "" {
		return base.Event(doc)
	}
	var scored []survey.Response
	var words []string
	for _, question := range answers.Names() {
		scale, ok := scaleOf(question)
		said, _ := answers.Get(question).AsText()
		switch {
		case question == "call" || question == "message":
			base.Link = strictjson.First(base.Link, answers.Label(question))
		case ok:
			r := base
			r.ID, r.Scale = r.ID+"/"+question, scale
			if r.Score, r.Scored = survey.Score(answers, question); r.Scored {
				scored = append(scored, r)
			}
		case strings.TrimSpace(said) != "":
			words = append(words, said)
		}
	}
	return join(doc, base, scored, strings.Join(words, "\n"))
}

// join gives the comment to the first score, or lets it stand alone.
func join(doc strictjson.Value, base survey.Response, scored []survey.Response, words string) ([]event.Event, error) {
	if len(scored) == 0 {
		scored = append(scored, base)
	}
	scored[0].Comment = words
	var all []event.Event
	for _, r := range scored {
		r.Link = base.Link
		events, err := r.Event(doc)
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	return all, nil
}

// scaleOf reads the scale from a question's id.
func scaleOf(question string) (survey.Scale, bool) {
	name, _, _ := strings.Cut(strings.ReplaceAll(question, "_", "-"), "-")
	return survey.Named(name)
}
