package quo

import (
	"slices"
	"strconv"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source/strictjson"
)

// The kinds of polled objects (poll.go wraps them). They carry the ids of their webhooks, and so are the same facts.
const (
	kindCall       = "rest.call"
	kindMessage    = "rest.message"
	kindTranscript = "rest.transcript"
	kindSummary    = "rest.summary"
	kindVoicemail  = "rest.voicemail"
)

// rankPolled: of a webhook and a polled object of the same moment the object counts: it tells an AI agent and a
// forwarded call apart in more cases. They agree otherwise.
const rankPolled = 4

// polledCall decodes a call as the API lists it. Its 13 states are other words than a webhook's seven.
func polledCall(h hook) (event.Event, bool) {
	if live[h.object.Text("status")] {
		return event.Event{}, false
	}
	e, ok := completed(h)
	e.Rank = rankPolled
	if h.object.Text("aiHandled") != "" {
		e.Call.Result, e.Call.Reason, e.Call.Answered = fact.AIHandled, 0, h.object.Time("answeredAt")
	}
	return e, ok
}

// polledMessage decodes a text as the API lists it.
func polledMessage(h hook) (event.Event, bool) {
	status := fact.Sent
	switch word := h.object.Text("status"); {
	case h.object.Text("direction") == "incoming":
		status = fact.Received
	case word == "delivered":
		status = fact.Arrived
	case word == "failed" || word == "undelivered":
		status = fact.Undelivered
	case word == "queued":
		return event.Event{}, false
	}
	return message(status, rankPolled)(h)
}

// part is a part of a call, whose webhook says when it was made. The API does not: so the part counts where there is
// no webhook, and is dated by the end of the call.
func (h hook) part(what string, origin fact.Origin) event.Event {
	o := h.object
	return event.Event{
		ID: h.id + "/" + what, At: firstTime(o.Time("completedAt"), o.Time("createdAt")), UpdatedAt: o.Time("createdAt"), Party: h.contact(), Others: h.others(),
		Talk: &event.Talk{Call: h.id, Number: h.number(), Origin: origin},
	}
}

func polledSummary(h hook) (event.Event, bool) {
	e, said := h.part("summary", fact.VendorSummary), h.object.Object("part")
	for _, sentence := range slices.Concat(said.Texts("summary"), said.Texts("nextSteps")) {
		if sentence != "" {
			e.Talk.Turns = append(e.Talk.Turns, event.Turn{Words: personal.New(sentence)})
		}
	}
	return e, len(e.Talk.Turns) > 0
}

func polledVoicemail(h hook) (event.Event, bool) {
	e, said := h.part("voicemail", fact.VoicemailTranscript), h.object.Object("part")
	e.Talk.Seconds, _ = said.Seconds("duration")
	words := personal.New(strictjson.First(said.Text("transcript")))
	e.Talk.Turns = []event.Turn{{Side: fact.SideContact, Words: words}}
	return e, !words.Empty()
}

// polledTranscript joins the segments of a call to one conversation: a segment's times count from its own start.
func polledTranscript(h hook) (event.Event, bool) {
	e := h.part("transcript", fact.VendorTranscript)
	segments := slices.DeleteFunc(h.object.List("part"), func(s strictjson.Value) bool { return !finished(s) })
	people := h.context.Object("participants")
	heard := speakers{}
	for _, s := range segments {
		offset := 0.0
		if start, first := s.Time("startTime"), segments[0].Time("startTime"); start.After(first) && !first.IsZero() {
			offset = start.Sub(first).Seconds()
		}
		seconds, _ := s.Seconds("duration")
		e.Talk.Seconds = max(e.Talk.Seconds, offset+seconds)
		for _, line := range s.List("dialogue") {
			turn, ok := spoken(line, people, offset)
			if turn.Side == fact.SideContact {
				heard.meet(&e, line.Text("identifier"))
			}
			if ok {
				e.Talk.Turns = append(e.Talk.Turns, turn)
			}
		}
	}
	return e, len(e.Talk.Turns) > 0
}

// spoken is one line of a dialogue.
func spoken(line, people strictjson.Value, offset float64) (event.Turn, bool) {
	who := line.Text("identifier")
	turn := event.Turn{Side: side(line, who, people.Texts("workspace"), people.Texts("external")), Words: personal.New(line.Text("content"))}
	start, hasStart := line.Seconds("start")
	end, hasEnd := line.Seconds("end")
	if hasStart && hasEnd {
		turn.Start, turn.End = start+offset, end+offset
	}
	return turn, !turn.Words.Empty()
}

// speakers are the identifiers of people who were heard in a dialogue.
type speakers map[string]bool

// meet adds somebody who is heard to the people of an event: as the contact where there is none, else beside them.
func (s speakers) meet(e *event.Event, who string) {
	if who == "" || s[who] {
		return
	}
	s[who] = true
	if e.Party.Address.Empty() {
		e.Party = party(who)
		return
	}
	e.Others = append(e.Others, party(who))
}

// errorCode is the number of a failed text; 0 for codes that are words.
func errorCode(o strictjson.Value) int64 {
	code, _ := strconv.ParseInt(o.Label("errorCode"), 10, 64)
	return code
}
