package typeform

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

// form is a synthetic response to a form whose fields are n (nps), o (opinion scale of the given
// properties), r (rating of 7 hearts), t (long text).
func form(properties, answers string) string {
	return fmt.Sprintf(`{"event_id":"E1","event_type":"form_response","form_response":{"form_id":"F1","token":"T1",
	"landed_at":"2026-04-13T12:00:00Z","submitted_at":"2026-04-13T12:01:00Z","hidden":{"phone":"+15555550101","name":"Ada Example","medium":"sms","call":"AC1"},
	"definition":{"id":"F1","title":"Survey","fields":[{"id":"n","type":"nps","properties":{}},{"id":"o","type":"opinion_scale","properties":%s},
	{"id":"r","type":"rating","properties":{"steps":7,"shape":"heart"}},{"id":"s","type":"rating"},{"id":"t","type":"long_text","title":"Your name?"}]},"answers":[%s]}}`, properties, answers)
}

func number(id, kind string, n float64) string {
	return fmt.Sprintf(`{"type":"number","number":%g,"field":{"id":%q,"type":%q}}`, n, id, kind)
}

const words = `{"type":"text","text":"Quick and kind","field":{"id":"t","type":"long_text"}}`

func decode(t *testing.T, body string) []event.Event {
	t.Helper()
	events, err := Source{}.Decode(source.Delivery{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestScales(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer, properties string
		scale              fact.Scale
		score, min, max    float64
	}{
		{number("n", "nps", 9), `{}`, fact.NPS, 9, 0, 10},
		{number("o", "opinion_scale", 0), `{}`, fact.NPS, 0, 0, 10},
		{number("o", "opinion_scale", 10), `{"steps":11,"start_at_one":false}`, fact.NPS, 10, 0, 10},
		{number("o", "opinion_scale", 11), `{"steps":11,"start_at_one":true}`, fact.CSAT, 11, 1, 11},
		{number("o", "opinion_scale", 10), `{"steps":10,"start_at_one":true}`, fact.CSAT, 10, 1, 10},
		{number("o", "opinion_scale", 5), `{"steps":5,"start_at_one":true}`, fact.CSAT, 5, 1, 5},
		{number("o", "opinion_scale", 0), `{"steps":7}`, fact.CSAT, 0, 0, 6},
		{number("r", "rating", 7), `{}`, fact.CSAT, 7, 1, 7},
		{number("s", "rating", 5), `{}`, fact.Stars, 5, 1, 5},
	} {
		events := decode(t, form(c.properties, c.answer))
		a := events[0].Answer
		if len(events) != 1 || a.Scale != c.scale || a.Score != c.score || a.Min != c.min || a.Max != c.max || !a.Scored {
			t.Errorf("%s %s: scale %d, %g of %g..%g", c.answer, c.properties, a.Scale, a.Score, a.Min, a.Max)
		}
	}
}

func TestScoresAndWordsOfOneResponse(t *testing.T) {
	t.Parallel()
	events := decode(t, form(`{}`, words+","+number("n", "nps", 9)+","+number("s", "rating", 4)+","+words))
	if len(events) != 2 || events[0].ID != "T1/n" || events[1].ID != "T1/s" {
		t.Fatal("each score is an event of its own")
	}
	for _, e := range events {
		if e.Answer.Comment.Reveal() != "Quick and kind" || e.Party.Address.Reveal() != "+15555550101" || e.Answer.Medium != fact.MediumText ||
			e.Answer.Link != "AC1" || e.Answer.Survey != "F1" || e.At.Format(time.TimeOnly) != "12:01:00" {
			t.Error("comment, contact, medium, link or time")
		}
	}
	alone := decode(t, form(`{}`, words))
	if len(alone) != 1 || alone[0].ID != "T1" || alone[0].Answer.Scale != fact.Comment || alone[0].Answer.Scored {
		t.Error("words alone are a comment")
	}
}

func TestWhatIsNotAnAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body  string
		state fact.State
		why   fact.Why
	}{
		"nothing to say":     {form(`{}`, `{"type":"choice","choice":{"label":"A"},"field":{"id":"c","type":"multiple_choice"}}`), fact.Ignored, fact.WhyNoScore},
		"no answers":         {form(`{}`, ``), fact.Ignored, fact.WhyNoScore},
		"a plain number":     {form(`{}`, number("x", "number", 3)), fact.Ignored, fact.WhyNoScore},
		"partial":            {`{"event_type":"form_response_partial"}`, fact.Ignored, fact.WhySilentType},
		"other type":         {`{"event_type":"form_deleted"}`, fact.Quarantined, fact.WhyUnknownType},
		"score off scale":    {form(`{}`, number("n", "nps", 11)), fact.Quarantined, fact.WhyBadField},
		"score below scale":  {form(`{}`, number("s", "rating", 0)), fact.Quarantined, fact.WhyBadField},
		"score not a number": {form(`{}`, `{"type":"number","number":"9","field":{"id":"n","type":"nps"}}`), fact.Quarantined, fact.WhyBadField},
		"no form":            {`{"event_type":"form_response"}`, fact.Quarantined, fact.WhyBadField},
	} {
		events, err := Source{}.Decode(source.Delivery{Body: []byte(c.body)})
		if state, why := sourcetest.Verdict(err); state != c.state || why != c.why || len(events) != 0 {
			t.Errorf("%s: state %d why %d, %d events", name, state, why, len(events))
		}
	}
}

func TestVerifyRefusesUnsigned(t *testing.T) {
	t.Parallel()
	if _, err := (Source{}).Verify(http.Header{}, []byte(`{}`), []string{"s"}, time.Time{}); !errors.Is(err, source.ErrSignature) {
		t.Error(err)
	}
}

func TestRealPayload(t *testing.T) {
	t.Parallel()
	body := sourcetest.Read(t, "Typeform's example payload", "sources", "surveys", "typeform.form_response.json")
	events := decode(t, string(body))
	if len(events) != 1 || events[0].ID != "20gh4opy9jh1jh6s0bd2n20gh4fy4rf4" || events[0].Answer.Survey != "mXYzPFAJ" ||
		events[0].Party.Name.Reveal() != "NAME NAME" {
		t.Error("the example says one text answer, the respondent's name")
	}
	for _, unknown := range []bool{false, true} {
		if !sourcetest.Same(events, decode(t, string(sourcetest.Rewritten(t, body, unknown)))) {
			t.Errorf("other order or unknown fields (%t) change the events", unknown)
		}
	}
}

func FuzzDecode(f *testing.F) {
	sourcetest.FuzzDecode(f, Source{}, form(`{"steps":3}`, words+","+number("n", "nps", 9)), form(`{}`, ``), `{"event_type":"form_response"}`)
}
