// Package typeform reads Typeform's form_response webhooks.
//
// Zone: RED. Each scored answer becomes an event of its own (token and field id), with the words written
// after it as its comment; words without any score become one comment. The contact is the hidden field
// phone or email, else the address the respondent typed. Optional hidden fields: name, medium (call,
// text, email, web) and call or message (the id the survey is about).
//
// What it does not do: read choices, yes/no and plain numbers as scores (they have no scale), and tell a
// name typed into a short text from a comment except by the question's title; the redactor masks both.
package typeform

import (
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

// Source is the connector. The zero value is ready.
type Source struct{}

// Verify checks Typeform-Signature. The delivery's id is the event_id.
func (Source) Verify(h http.Header, body []byte, secrets []string, _ time.Time) (source.Delivery, error) {
	if err := signature.Typeform(h, body, secrets); err != nil {
		return source.Delivery{}, err
	}
	return source.Delivery{ID: strictjson.TextIn(body, "event_id"), Body: body}, nil
}

// Decode gives one event for each scored answer, or one for the words of a response without scores.
func (Source) Decode(d source.Delivery) ([]event.Event, error) {
	doc, err := strictjson.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	switch doc.Text("event_type") {
	case "form_response":
	case "form_response_partial":
		return nil, source.Ignore(fact.WhySilentType)
	default:
		return nil, source.Quarantine(fact.WhyUnknownType, "event_type")
	}
	form := doc.Object("form_response")
	r := read(form)
	at := form.Time("submitted_at")
	switch {
	case doc.Fault() != nil:
		return nil, doc.Fault()
	case form.Text("token") == "":
		return nil, source.Quarantine(fact.WhyBadField, "token")
	case at.IsZero():
		return nil, source.Quarantine(fact.WhyBadTime, "submitted_at")
	case len(r.scores) == 0 && len(r.early) == 0:
		return nil, source.Ignore(fact.WhyNoScore)
	}
	hidden := form.Object("hidden")
	common := event.Answer{
		Survey: form.Text("form_id"),
		Medium: media[strings.ToLower(hidden.Text("medium"))],
		Asked:  form.Time("landed_at"),
		Link:   strictjson.First(hidden.Text("call"), hidden.Text("message")),
	}
	if common.Medium == 0 {
		common.Medium = fact.MediumWeb
	}
	events := r.events(form.Text("token"), common)
	for i := range events {
		events[i].At, events[i].Party = at, r.party(hidden)
	}
	if err := doc.Fault(); err != nil {
		return nil, err
	}
	return events, nil
}

var media = map[string]fact.Medium{
	"call": fact.MediumCall, "text": fact.MediumText, "sms": fact.MediumText,
	"email": fact.MediumEmail, "web": fact.MediumWeb,
}

// score is one scored answer and the words that follow it.
type score struct {
	field           string
	scale           fact.Scale
	value, min, max float64
	words           []string
}

// response is what was found in a form_response.
type response struct {
	scores             []score
	early              []string // words before the first score
	phone, email, name string
}

func read(form strictjson.Value) response {
	questions := map[string]strictjson.Value{}
	for _, q := range form.Object("definition").List("fields") {
		questions[q.Text("id")] = q
	}
	var r response
	for _, a := range form.List("answers") {
		field := a.Object("field")
		question := questions[field.Text("id")]
		switch a.Text("type") {
		case "number":
			if s, ok := scored(a, field, question); ok {
				r.scores = append(r.scores, s)
			}
		case "text":
			words := a.Text("text")
			if asksForName(question) && r.name == "" {
				r.name = words
			}
			r.say(words)
		case "phone_number":
			r.phone = strictjson.First(r.phone, a.Text("phone_number"))
		case "email":
			r.email = strictjson.First(r.email, a.Text("email"))
		}
	}
	return r
}

func (r *response) say(words string) {
	switch n := len(r.scores); {
	case strings.TrimSpace(words) == "":
	case n == 0:
		r.early = append(r.early, words)
	default:
		r.scores[n-1].words = append(r.scores[n-1].words, words)
	}
}

// scored reads the scale from the kind of field and, where the definition has them, its steps. A score
// outside its scale is a fault.
func scored(answer, field, question strictjson.Value) (score, bool) {
	s := score{field: field.Text("id")}
	properties := question.Object("properties")
	steps := float64(properties.Count("steps"))
	switch field.Text("type") {
	case "nps":
		s.scale, s.min, s.max = fact.NPS, 0, 10
	case "rating":
		s.scale, s.min, s.max = fact.CSAT, 1, or(steps, 5)
		if shape := properties.Text("shape"); shape == "star" || shape == "" {
			s.scale = fact.Stars
		}
	case "opinion_scale":
		s.scale, s.max = fact.CSAT, or(steps, 11)-1
		if properties.Bool("start_at_one") {
			s.min, s.max = 1, s.max+1
		}
		if s.min == 0 && s.max == 10 {
			s.scale = fact.NPS
		}
	default:
		return s, false
	}
	value, ok := answer.Number("number")
	if !ok || value < s.min || value > s.max || s.max <= s.min {
		answer.Reject("number")
	}
	s.value = value
	return s, true
}

func or(steps, usual float64) float64 {
	if steps > 0 {
		return steps
	}
	return usual
}

func (r response) events(token string, common event.Answer) []event.Event {
	if len(r.scores) == 0 {
		common.Scale, common.Comment = fact.Comment, comment(r.early)
		return []event.Event{{ID: token, Answer: &common}}
	}
	events := make([]event.Event, len(r.scores))
	for i, s := range r.scores {
		a := common
		a.Scale, a.Scored, a.Score, a.Min, a.Max = s.scale, true, s.value, s.min, s.max
		if i == 0 {
			s.words = append(r.early, s.words...)
		}
		a.Comment = comment(s.words)
		events[i] = event.Event{ID: token + "/" + s.field, Answer: &a}
	}
	return events
}

func comment(words []string) personal.Value { return personal.New(strings.Join(words, "\n")) }

func (r response) party(hidden strictjson.Value) event.Party {
	p := event.Party{Name: personal.New(strictjson.First(hidden.Text("name"), r.name))}
	for _, address := range []string{hidden.Text("phone"), hidden.Text("email"), r.phone, r.email} {
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

// asksForName reports a question for the respondent's name: its answer is a known subject to mask.
func asksForName(question strictjson.Value) bool {
	for w := range strings.FieldsSeq(strings.ToLower(question.Text("title"))) {
		if strings.Trim(w, "?!.,:*") == "name" {
			return true
		}
	}
	return false
}
