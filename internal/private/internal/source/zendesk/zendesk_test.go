package zendesk

import (
	"testing"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

func rating(fields string) string {
	return `{"satisfaction_rating":{"ticket_id":"77","updated_at":"2026-03-02T10:00:00Z","requester":{"email":"ann@example.com","name":"Ann"},` + fields + `}}`
}

func TestRatings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body  string
		state fact.State
		scale fact.Scale
		score float64
	}{
		"good":               {rating(`"score":"good"`), fact.Published, fact.Thumb, 1},
		"Good, with words":   {rating(`"score":"Good","comment":"Quick."`), fact.Published, fact.Thumb, 1},
		"bad_with_comment":   {rating(`"score":"bad_with_comment","comment":"Slow."`), fact.Published, fact.Thumb, 0},
		"of five":            {rating(`"score":"4"`), fact.Published, fact.CSAT, 4},
		"of five, a number":  {rating(`"score":2`), fact.Published, fact.CSAT, 2},
		"words alone":        {rating(`"score":"","comment":"Hm."`), fact.Published, fact.Comment, 0},
		"offered":            {rating(`"score":"offered"`), fact.Ignored, 0, 0},
		"six of five":        {rating(`"score":6`), fact.Quarantined, 0, 0},
		"another word":       {rating(`"score":"meh"`), fact.Quarantined, 0, 0},
		"no ticket":          {`{"satisfaction_rating":{"score":"good","updated_at":"2026-03-02T10:00:00Z"}}`, fact.Quarantined, 0, 0},
		"no time":            {`{"satisfaction_rating":{"score":"good","ticket_id":1}}`, fact.Quarantined, 0, 0},
		"Zendesk's own kind": {`{"type":"zen:event-type:ticket.created","detail":{}}`, fact.Ignored, 0, 0},
		"something else":     {`{"ticket":{}}`, fact.Quarantined, 0, 0},
	} {
		events, err := Source{}.Decode(source.Delivery{Body: []byte(c.body)})
		if state, _ := sourcetest.Verdict(err); state != c.state {
			t.Errorf("%s: state %d", name, state)
			continue
		}
		if c.state == fact.Published {
			if a := events[0].Answer; a.Scale != c.scale || a.Score != c.score || events[0].ID != "ticket/77" {
				t.Errorf("%s: %+v", name, a)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	sourcetest.FuzzDecode(f, Source{}, rating(`"score":"good"`), rating(`"score":4,"comment":"x"`), `{"type":"zen:event-type:x"}`)
}
