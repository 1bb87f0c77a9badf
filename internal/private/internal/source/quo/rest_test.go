package quo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

// answers is an API that has one answer for each path.
type answers map[string]string

func (a answers) Ask(_ context.Context, r source.Request) ([]byte, error) {
	if body, ok := a[r.Path]; ok {
		return []byte(body), nil
	}
	return nil, source.TroubleMissing
}

// listedObject is a call as the API lists it.
func listedObject(direction, status, answeredAt, more string) string {
	return fmt.Sprintf(`{"id":"AC1","phoneNumberId":"PNmain","actorId":"US1","direction":%q,"status":%q,"createdAt":"2026-04-13T12:00:00Z","answeredAt":%s,
	"completedAt":"2026-04-13T12:01:00Z","updatedAt":"2026-04-13T12:01:01Z","duration":55,
	"participants":[{"phoneNumber":%q,"actorId":"US1"},{"phoneNumber":%q,"actorId":null}]%s}`, direction, status, answeredAt, business, customer, more)
}

// pollOne lists one object and decodes what comes of it.
func pollOne(t *testing.T, name, path, object string) (source.Item, []event.Event) {
	t.Helper()
	for _, l := range (Source{}).Polling().Lists {
		if l.Name != name {
			continue
		}
		page, err := l.Page(t.Context(), answers{path: `{"data":[` + object + `],"nextCursor":null}`}, source.Query{})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%d items, %v", len(page.Items), err)
		}
		events, err := Source{}.Decode(page.Items[0].Delivery)
		if err != nil && len(page.Items[0].Delivery.Body) > 0 {
			t.Fatalf("decode: %v", err)
		}
		return page.Items[0], events
	}
	t.Fatalf("no list %s", name)
	return source.Item{}, nil
}

// TestAListedCallIsItsWebhook: each of the API's terminal states says what the webhook of the same call says.
func TestAListedCallIsItsWebhook(t *testing.T) {
	t.Parallel()
	const at = `"2026-04-13T12:00:05Z"`
	for _, c := range []struct{ direction, rest, answeredAt, more, hook string }{
		{"incoming", "completed", at, "", "answered"},
		{"incoming", "answered", at, "", "answered"},
		{"incoming", "completed", at, `,"aiHandled":"ai-agent"`, "ai-handled"},
		{"incoming", "missed", "null", "", "unanswered"},
		{"incoming", "no-answer", "null", "", "unanswered"},
		{"incoming", "no-answer", "null", `,"voicemail":{"id":"VM1","status":"completed"}`, "unanswered"},
		{"incoming", "forwarded", "null", `,"forwardedTo":"US2"`, "forwarded"},
		{"incoming", "completed", "null", `,"forwardedTo":"US2"`, "forwarded"},
		{"incoming", "abandoned", "null", "", "abandoned"},
		{"incoming", "failed", "null", "", "failed"},
		{"incoming", "busy", "null", "", "failed"},
		{"incoming", "canceled", "null", "", "failed"},
		{"outgoing", "completed", at, "", "answered"},
		{"outgoing", "no-answer", "null", "", "unanswered"},
		{"outgoing", "busy", "null", "", "failed"},
	} {
		_, events := pollOne(t, "calls", "/calls", listedObject(c.direction, c.rest, c.answeredAt, c.more))
		hook := decodeOne(t, dated("call.completed", call(c.direction, c.hook, c.answeredAt, strings.Contains(c.more, "voicemail"))))
		got := events[0]
		if got.Rank <= hook.Rank {
			t.Errorf("%s: rank %d", c.rest, got.Rank)
		}
		got.Rank = hook.Rank
		if !sourcetest.Same([]event.Event{got}, []event.Event{hook}) {
			t.Errorf("%s %s is not the webhook's %s: %+v, %+v", c.direction, c.rest, c.hook, got.Call, hook.Call)
		}
	}
}

// TestACallThatGoesOnIsNotTaken but asked for again.
func TestACallThatGoesOnIsNotTaken(t *testing.T) {
	t.Parallel()
	for status := range live {
		if item, _ := pollOne(t, "calls", "/calls", listedObject("incoming", status, "null", "")); !item.Open || len(item.Delivery.Body) > 0 {
			t.Errorf("%s: open %t, %d bytes", status, item.Open, len(item.Delivery.Body))
		}
	}
}

func TestAListedTextIsItsWebhook(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		direction, status string
		want              fact.Delivered
		open              bool
	}{
		{"incoming", "received", fact.Received, false}, {"incoming", "sent", fact.Received, false}, {"outgoing", "delivered", fact.Arrived, false},
		{"outgoing", "undelivered", fact.Undelivered, false}, {"outgoing", "failed", fact.Undelivered, false}, {"outgoing", "sent", fact.Sent, true},
	} {
		from, to := customer, business
		if c.direction == "outgoing" {
			from, to = to, from
		}
		item, events := pollOne(t, "messages", "/messages", fmt.Sprintf(`{"id":"ACm","from":%q,"to":[%q],"text":"hello","direction":%q,"status":%q,
			"createdAt":"2026-04-13T12:00:00Z","updatedAt":"2026-04-13T12:00:02Z","media":[{"url":"https://example.com/a"}],"phoneNumberId":"PNmain"}`, from, to, c.direction, c.status))
		m := events[0].Message
		if m.Status != c.want || item.Open != c.open || events[0].ID != "ACm" || events[0].Party.Address.Reveal() != customer || m.Number != "PNmain" || m.Media != 1 || m.Body.Reveal() != "hello" {
			t.Errorf("%s %s is not read right", c.direction, c.status)
		}
	}
}

// TestWordsOfACall: summary, voicemail and the segments of a transcript, whose times count from their own start, under
// the ids of their webhooks; and what the vendor still works on is asked for again.
func TestWordsOfACall(t *testing.T) {
	t.Parallel()
	item, _ := pollOne(t, "words", "/calls", listedObject("incoming", "completed", `"2026-04-13T12:00:05Z"`,
		`,"summary":{"status":"completed","summary":["A.","B."],"nextSteps":["C."]},"voicemail":{"id":"VM1","status":"completed","duration":9,"transcript":"Please call back"}`))
	segment := func(start, status string) string {
		return fmt.Sprintf(`{"recordingId":"CR%s","status":%q,"startTime":"2026-04-13T12:00:%sZ","createdAt":"2026-04-13T12:05:00Z","duration":10,"dialogue":[
			{"content":"one","start":1,"end":2,"identifier":%q,"actorId":"US1"},{"content":"two","start":3,"end":4.5,"identifier":%q,"actorId":null}]}`, start, status, start, business, customer)
	}
	api := answers{"/calls/AC1/transcripts": `{"data":[` + segment("05", "completed") + `,` + segment("30", "completed") + `]}`}
	all, open, err := item.More(t.Context(), api)
	if err != nil || open || len(all) != 3 {
		t.Fatalf("%d parts, open %t, %v", len(all), open, err)
	}
	said := map[string]event.Event{}
	for _, d := range all {
		events, err := Source{}.Decode(d)
		if err != nil {
			t.Fatal(err)
		}
		said[events[0].ID] = events[0]
	}
	transcript := said["AC1/transcript"].Talk
	if transcript == nil || len(transcript.Turns) != 4 || transcript.Turns[2].Start != 26 || transcript.Turns[3].End != 29.5 || transcript.Seconds != 35 ||
		transcript.Turns[0].Side != fact.SideMember || transcript.Turns[1].Side != fact.SideContact {
		t.Error("the transcript is not read right")
	}
	if s := said["AC1/summary"].Talk; s == nil || len(s.Turns) != 3 || s.Origin != fact.VendorSummary {
		t.Error("the summary is not read right")
	}
	if v := said["AC1/voicemail"].Talk; v == nil || v.Turns[0].Words.Reveal() != "Please call back" || v.Seconds != 9 {
		t.Error("the voicemail is not read right")
	}
	hook := decodeOne(t, dated("call.transcript.completed", `{"callId":"AC1","createdAt":"2026-04-13T12:05:00Z","processingStatus":"completed","dialogue":[{"content":"x"}]}`))
	if e := said["AC1/transcript"]; e.ID != hook.ID || e.Kind() != hook.Kind() || !e.UpdatedAt.Before(hook.UpdatedAt) {
		t.Error("the transcript's webhook is another fact, or does not win")
	}
	api["/calls/AC1/transcripts"] = `{"data":[` + segment("05", "in-progress") + `]}`
	if _, open, err = item.More(t.Context(), api); !open || err != nil {
		t.Errorf("a transcript under way: open %t, %v", open, err)
	}
	api["/calls/AC1/transcripts"] = `{"data":[` + segment("05", "absent") + `]}`
	if all, open, err = item.More(t.Context(), api); open || err != nil || len(all) != 2 {
		t.Errorf("a plan without transcripts: %d parts, open %t, %v", len(all), open, err)
	}
}

// TestRealLists: the vendor's own examples of its lists become events.
func TestRealLists(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"calls": "rest.list-calls.json", "messages": "rest.list-messages.json", "words": "rest.list-calls.json"} {
		body := sourcetest.Read(t, "Quo's example lists", "sources", "quo", "2026-03-30", file)
		transcripts := sourcetest.Read(t, "Quo's example transcripts", "sources", "quo", "2026-03-30", "rest.transcripts.json")
		for _, l := range (Source{}).Polling().Lists {
			if l.Name != name {
				continue
			}
			api := answers{"/calls": string(body), "/messages": string(body), "/calls/AC123abc/transcripts": string(transcripts)}
			page, err := l.Page(t.Context(), api, source.Query{})
			if err != nil || len(page.Items) != 1 || page.Next == "" || page.Items[0].At.IsZero() {
				t.Fatalf("%s: %d items, %v", name, len(page.Items), err)
			}
			all := []source.Delivery{page.Items[0].Delivery}
			if l.Words {
				if all, _, err = page.Items[0].More(t.Context(), api); err != nil || len(all) != 2 {
					t.Fatalf("%d parts, %v", len(all), err)
				}
			}
			for _, d := range all {
				if events, err := (Source{}).Decode(d); err != nil || len(events) != 1 || events[0].ID[:8] != "AC123abc" {
					t.Errorf("%s: %d events, %v", name, len(events), err)
				}
			}
		}
	}
}

// FuzzList: whatever a page holds, listing ends, and each delivery of it has events or a verdict.
func FuzzList(f *testing.F) {
	f.Add([]byte(`{"data":[` + listedObject("incoming", "completed", "null", `,"summary":{"status":"completed","summary":["A"]}`) + `],"nextCursor":"x"}`))
	f.Add([]byte(`{"data":[{"id":7},null,"x",[]],"nextCursor":null}`))
	f.Add([]byte(`{"data":[{"id":"ACm","direction":"outgoing","to":["a"],"createdAt":"yesterday"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) {
			return // the client does not let it through
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		api := answers{"/calls": string(body), "/messages": string(body), "/calls/AC1/transcripts": string(body)}
		for _, l := range (Source{}).Polling().Lists {
			page, err := l.Page(ctx, api, source.Query{})
			if err != nil {
				continue
			}
			for _, i := range page.Items {
				all := []source.Delivery{i.Delivery}
				if i.More != nil {
					more, _, _ := i.More(ctx, api) // an error is as good as nothing
					all = append(all, more...)
				}
				for _, d := range all {
					if events, err := (Source{}).Decode(d); (err == nil) != (len(events) > 0) {
						t.Fatalf("%d events and %v", len(events), err)
					}
				}
			}
		}
	})
}
