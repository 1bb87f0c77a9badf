package formbricks

import (
	"strings"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

func response(kind, answers string) string {
	return `{"webhookId":"w","event":"` + kind + `","data":{"id":"r1","surveyId":"s1","createdAt":"2026-03-02T10:00:00Z","updatedAt":"2026-03-02T10:01:00Z",
	"data":` + answers + `,"contactAttributes":{"email":"ann@example.com","userId":7}}}`
}

func decode(body string) (events []event.Event, state fact.State) {
	events, err := Source{}.Decode(source.Delivery{Body: []byte(body)})
	state, _ = sourcetest.Verdict(err)
	return events, state
}

func TestQuestionsNameTheirScale(t *testing.T) {
	t.Parallel()
	events, state := decode(response("responseFinished", `{"nps":9,"csat-agent":"4","ces_effort":7,"stars":5,"thumb":1,"why":"Quick.","more":"And kind.","age":44,"picked":["a","b"],"call":"AC7"}`))
	if state != fact.Published || len(events) != 5 {
		t.Fatalf("%d events, state %d", len(events), state)
	}
	want := map[string]fact.Scale{"r1/nps": fact.NPS, "r1/csat-agent": fact.CSAT, "r1/ces_effort": fact.CES, "r1/stars": fact.Stars, "r1/thumb": fact.Thumb}
	comments := 0
	for _, e := range events {
		if e.Answer.Scale != want[e.ID] || e.Answer.Link != "AC7" || e.Party.Address.Reveal() != "ann@example.com" {
			t.Errorf("%s: %+v", e.ID, e.Answer)
		}
		if !e.Answer.Comment.Empty() {
			comments++
			if !strings.Contains(e.Answer.Comment.Reveal(), "Quick.") || !strings.Contains(e.Answer.Comment.Reveal(), "And kind.") {
				t.Error("words are lost")
			}
		}
	}
	if comments != 1 {
		t.Errorf("the comment is counted %d times", comments)
	}
}

func TestStatesOfResponses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body  string
		state fact.State
	}{
		"words alone":       {response("responseCreated", `{"why":"Quick."}`), fact.Published},
		"numbers alone":     {response("responseCreated", `{"age":44}`), fact.Ignored},
		"nothing yet":       {response("responseCreated", `{}`), fact.Ignored},
		"beyond the scale":  {response("responseFinished", `{"nps":11}`), fact.Quarantined},
		"a list as a score": {response("responseFinished", `{"nps":[1]}`), fact.Quarantined},
		"a test":            {`{"event":"testEndpoint"}`, fact.Ignored},
		"unknown":           {response("responseDreamt", `{}`), fact.Quarantined},
	} {
		if _, state := decode(c.body); state != c.state {
			t.Errorf("%s: state %d, want %d", name, state, c.state)
		}
	}
}

func FuzzDecode(f *testing.F) {
	sourcetest.FuzzDecode(f, Source{}, response("responseFinished", `{"nps":9,"csat-agent":"4","why":"Quick."}`), response("responseCreated", `{"why":"Quick."}`))
}
