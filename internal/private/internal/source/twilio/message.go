package twilio

import (
	"strconv"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/strictjson"
)

// text is a text message in one state.
type text struct {
	id, status, direction, from, to, body, code string
	at, updated                                 time.Time
	media                                       int
	listed                                      bool // by the API, which has its words too
}

// message reads a webhook of a text: one that came in, or the state of one that went out, which lacks the words.
func message(f strictjson.Value, received time.Time) (event.Event, *source.Verdict) {
	t := text{
		id:     strictjson.First(f.Text("MessageSid"), f.Text("SmsSid")),
		status: strictjson.First(f.Text("MessageStatus"), f.Text("SmsStatus")),
		from:   f.Label("From"), to: f.Label("To"), body: f.Label("Body"), code: f.Label("ErrorCode"), at: received,
	}
	n, _ := f.NumberOrText("NumMedia")
	t.media = int(max(0, min(n, 100)))
	return t.event()
}

// polledMessage reads a text as the API lists it.
func polledMessage(v strictjson.Value) (event.Event, *source.Verdict) {
	n, _ := v.NumberOrText("num_media")
	t := text{
		id: v.Text("sid"), status: v.Text("status"), direction: v.Text("direction"), from: v.Label("from"), to: v.Label("to"),
		body: v.Text("body"), code: v.Label("error_code"), media: int(max(0, min(n, 100))), listed: true,
		at: strictjson.FirstTime(moment(v, "date_sent"), moment(v, "date_created")), updated: moment(v, "date_updated"),
	}
	return t.event()
}

var delivered = map[string]fact.Delivered{
	"received": fact.Received, "receiving": fact.Received, "sent": fact.Sent, "delivered": fact.Arrived, "read": fact.Arrived,
	"undelivered": fact.Undelivered, "failed": fact.Undelivered,
}

// event: a state that is final says more than one that is not, and the API's more than a webhook's, whatever came last.
func (t text) event() (event.Event, *source.Verdict) {
	state := delivered[t.status]
	switch {
	case t.status == "queued", t.status == "sending", t.status == "accepted", t.status == "scheduled", t.status == "canceled":
		return event.Event{}, source.Ignore(fact.WhySilentType)
	case state == 0:
		return event.Event{}, source.Quarantine(fact.WhyBadField, "MessageStatus")
	}
	says := 2
	if state == fact.Sent {
		says = 0
	}
	if t.listed {
		says++
	}
	if t.updated.IsZero() {
		t.updated = t.at
	}
	code, _ := strconv.ParseInt(t.code, 10, 64) // what is no number is no code
	m := &event.Message{Direction: fact.Out, Number: t.from, Status: state, ErrorCode: max(0, code), Media: t.media, Body: personal.New(t.body)}
	e := event.Event{ID: t.id, At: t.at, UpdatedAt: t.updated, Says: says, Party: party(t.to), Message: m}
	if state == fact.Received || strings.HasPrefix(t.direction, "inbound") {
		m.Direction, m.Number, m.Status, e.Party = fact.In, t.to, fact.Received, party(t.from)
	}
	return e, nil
}
