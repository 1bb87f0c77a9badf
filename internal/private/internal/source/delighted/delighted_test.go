package delighted

import (
	"fmt"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

func response(kind, scale, score, comment string, updated int) string {
	return fmt.Sprintf(`{"event_type":"survey_response.%s","event_id":"e%d","event_data":{"id":"1","person":{"name":"Ann","email":"ann@example.com","phone_number":"+12125550123"},
	"survey_type":%q,"score":%s,"comment":%s,"created_at":1772445600,"updated_at":%d,"person_properties":{"murmur_call":"AC7"}}}`, kind, updated, scale, score, comment, updated)
}

func decode(body string) (events []event.Event, state fact.State, why fact.Why) {
	events, err := Source{}.Decode(source.Delivery{Body: []byte(body)})
	state, why = sourcetest.Verdict(err)
	return events, state, why
}

func TestScoresOfEveryScale(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scale, score string
		kind         fact.Scale
		min, max     float64
	}{
		{"nps", "0", fact.NPS, 0, 10}, {"nps", `"10"`, fact.NPS, 0, 10}, {"csat", "5", fact.CSAT, 1, 5}, {"smileys", "3", fact.CSAT, 1, 5},
		{"ces", "7", fact.CES, 1, 7}, {"stars", "1", fact.Stars, 1, 5}, {"stars_five", "4", fact.Stars, 1, 5}, {"thumbs", "1", fact.Thumb, 0, 1}, {"enps", "9", fact.NPS, 0, 10}, {"pmf", "3", fact.CSAT, 1, 3},
	} {
		events, state, _ := decode(response("created", c.scale, c.score, "null", 1772445600))
		if state != fact.Published || len(events) != 1 {
			t.Errorf("%s: state %d", c.scale, state)
			continue
		}
		if a := events[0].Answer; a.Scale != c.kind || !a.Scored || a.Min != c.min || a.Max != c.max || a.Link != "AC7" {
			t.Errorf("%s: %+v", c.scale, a)
		}
	}
}

func TestWhatIsNoScore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body  string
		state fact.State
		why   fact.Why
	}{
		"beyond the scale":     {response("created", "nps", "11", "null", 1), fact.Quarantined, fact.WhyBadTime},
		"eleven of ten":        {response("created", "nps", "11", "null", 1772445600), fact.Quarantined, fact.WhyBadField},
		"a thumb of two":       {response("created", "thumbs", "2", "null", 1772445600), fact.Quarantined, fact.WhyBadField},
		"words":                {response("created", "nps", `"nine"`, "null", 1772445600), fact.Quarantined, fact.WhyBadField},
		"not a number":         {response("created", "nps", `"NaN"`, "null", 1772445600), fact.Quarantined, fact.WhyBadField},
		"another scale":        {response("created", "vibes", "3", "null", 1772445600), fact.Quarantined, fact.WhyUnknownType},
		"neither":              {response("created", "nps", "null", `"  "`, 1772445600), fact.Ignored, fact.WhyNoScore},
		"deleted":              {response("deleted", "nps", "1", "null", 1772445600), fact.Ignored, fact.WhySilentType},
		"an unknown event":     {response("dreamt", "nps", "1", "null", 1772445600), fact.Quarantined, fact.WhyUnknownType},
		"a comment, no score":  {response("created", "nps", "null", `"Fine."`, 1772445600), fact.Published, fact.WhyNone},
		"a score, no comment":  {response("created", "nps", "9", `""`, 1772445600), fact.Published, fact.WhyNone},
		"an empty text, words": {response("created", "nps", `""`, `"Fine."`, 1772445600), fact.Published, fact.WhyNone},
	} {
		if _, state, why := decode(c.body); state != c.state || why != c.why {
			t.Errorf("%s: state %d, why %d", name, state, why)
		}
	}
}

// TestTheCommentComesLater: two deliveries are one answer, and the later one wins.
func TestTheCommentComesLater(t *testing.T) {
	t.Parallel()
	first, _, _ := decode(response("created", "nps", "9", "null", 1772445600))
	later, _, _ := decode(response("updated", "nps", "9", `"Quick and kind."`, 1772446200))
	if first[0].ID != later[0].ID || !later[0].UpdatedAt.After(first[0].UpdatedAt) || !first[0].At.Equal(later[0].At) {
		t.Error("a revision is another answer, or an older one")
	}
	if !first[0].Answer.Comment.Empty() || later[0].Answer.Comment.Reveal() != "Quick and kind." {
		t.Error("the comment is not in the later one alone")
	}
	if p := first[0].Party; p.Address.Reveal() != "+12125550123" || len(p.Also) != 1 || p.Name.Reveal() != "Ann" {
		t.Error("another person")
	}
}

func TestTheSharedPayload(t *testing.T) {
	t.Parallel()
	body := sourcetest.Read(t, "Delighted's example", "sources", "surveys", "delighted.survey_response.updated.json")
	if events, state, _ := decode(string(body)); state != fact.Published || events[0].Answer.Score != 9 || events[0].Answer.Comment.Empty() {
		t.Errorf("state %d", state)
	}
}

func FuzzDecode(f *testing.F) {
	sourcetest.FuzzDecode(f, Source{}, response("created", "nps", "9", "null", 1772445600), response("updated", "ces", `"3"`, `"x"`, 1772446200))
}
