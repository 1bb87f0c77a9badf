// Package survey makes events of what survey tools say: scores of every scale become an Answer with its scale.
//
// Zone: RED. A connector fills a Response with the fields of its vendor; Event holds it to what every answer promises: an
// id, a time, and a score on its scale or words. Scores are numbers or texts that are numbers; a score without a comment, a
// comment without a score, and a later revision with the other half are all answers.
//
// What it does not do: read scores out of words, or guess the scale of a bare number.
package survey

import (
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/strictjson"
)

// Scale is a kind of scale and its ends.
type Scale struct {
	Kind     fact.Scale
	Min, Max float64
}

// scales are what survey tools call theirs, in lower case.
var scales = map[string]Scale{
	"nps": {fact.NPS, 0, 10}, "enps": {fact.NPS, 0, 10},
	"csat": {fact.CSAT, 1, 5}, "smileys": {fact.CSAT, 1, 5}, "rating": {fact.CSAT, 1, 5}, "pmf": {fact.CSAT, 1, 3}, "csat3": {fact.CSAT, 1, 3},
	"ces": {fact.CES, 1, 7}, "ces5": {fact.CES, 1, 5},
	"stars": {fact.Stars, 1, 5}, "star": {fact.Stars, 1, 5}, "stars_five": {fact.Stars, 1, 5},
	"thumbs": {fact.Thumb, 0, 1}, "thumb": {fact.Thumb, 0, 1},
}

// Named finds a scale by what survey tools call it.
func Named(name string) (Scale, bool) {
	s, ok := scales[strings.ToLower(name)]
	return s, ok
}

// Media are the ways in which a survey is asked.
var Media = map[string]fact.Medium{
	"call": fact.MediumCall, "phone": fact.MediumCall, "voice": fact.MediumCall, "text": fact.MediumText, "sms": fact.MediumText,
	"email": fact.MediumEmail, "web": fact.MediumWeb, "link": fact.MediumWeb,
}

// Response is one answer as a survey tool tells it.
type Response struct {
	ID, Survey             string
	At, UpdatedAt, Asked   time.Time // UpdatedAt orders revisions
	Addresses              []string  // of the respondent, the one to know them by first; blank ones are left out
	Name                   string
	Scale                  Scale
	Score                  float64
	Scored                 bool
	Comment                string
	Medium                 fact.Medium
	Link                   string // id of the call or text it is about
	IDField, TimeField     string // what the vendor calls them: named by a verdict
	ScoreField, ScaleField string
}

// Score reads a number, or a text that is one. Blank text and nothing are no score.
func Score(v strictjson.Value, field string) (score float64, scored bool) {
	if words, isText := v.Get(field).AsText(); !v.Has(field) || isText && strings.TrimSpace(words) == "" {
		return 0, false
	}
	return v.NumberOrText(field)
}

// Event is the answer's event. doc is the body that it was read from: the first field of it that had the wrong type is the
// verdict, before anything else.
func (r Response) Event(doc strictjson.Value) ([]event.Event, error) {
	comment := strings.TrimSpace(r.Comment)
	switch {
	case doc.Fault() != nil:
		return nil, doc.Fault()
	case r.ID == "":
		return nil, source.Quarantine(fact.WhyBadField, r.IDField)
	case r.At.IsZero():
		return nil, source.Quarantine(fact.WhyBadTime, r.TimeField)
	case !r.Scored && comment == "":
		return nil, source.Ignore(fact.WhyNoScore)
	case r.Scored && r.Scale.Kind == 0:
		return nil, source.Quarantine(fact.WhyUnknownType, r.ScaleField)
	case r.Scored && !(r.Scale.Min <= r.Score && r.Score <= r.Scale.Max && r.Scale.Min < r.Scale.Max):
		return nil, source.Quarantine(fact.WhyBadField, r.ScoreField)
	}
	a := event.Answer{Survey: r.Survey, Scale: fact.Comment, Medium: r.Medium, Comment: personal.New(comment), Asked: r.Asked, Link: r.Link}
	if r.Scored {
		a.Scale, a.Scored, a.Score, a.Min, a.Max = r.Scale.Kind, true, r.Score, r.Scale.Min, r.Scale.Max
	}
	e := event.Event{ID: r.ID, At: r.At, UpdatedAt: r.UpdatedAt, Party: event.Party{Name: personal.New(r.Name)}, Answer: &a}
	for _, address := range r.Addresses {
		switch {
		case strings.TrimSpace(address) == "":
		case e.Party.Address.Empty():
			e.Party.Address = personal.New(address)
		default:
			e.Party.Also = append(e.Party.Also, personal.New(address))
		}
	}
	return []event.Event{e}, nil
}
