package quo

import (
	"slices"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source/strictjson"
)

// message decodes a text. Its states come in any order: the envelope's time orders them, and at the same
// time the final state has the higher rank.
func message(state fact.Delivered, rank uint8) func(hook) (event.Event, bool) {
	return func(h hook) (event.Event, bool) {
		o := h.object
		e := event.Event{
			ID: h.id, Rank: rank,
			At:        firstTime(o.Time("createdAt"), h.sent),
			UpdatedAt: firstTime(o.Time("updatedAt"), h.sent),
			Party:     h.contact(),
			Others:    h.others(),
			Message: &event.Message{
				Direction: h.direction(),
				Number:    h.number(),
				Status:    state,
				ErrorCode: errorCode(o),
				Media:     mediaCount(o),
				Body:      personal.New(strictjson.First(o.Text("text"), o.Text("body"))), // body: v3
			},
		}
		return e, true
	}
}

// mediaCount counts attachments: objects with an address, in older envelopes the address alone.
func mediaCount(o strictjson.Value) int { return len(o.List("media")) }

// transcript decodes the turns of a call, timed from the start of its segment.
func transcript(h hook) (event.Event, bool) {
	o := h.object
	lines := o.List("dialogue")
	if !finished(o) || len(lines) == 0 {
		return event.Event{}, false
	}
	e := h.talk("transcript", fact.VendorTranscript)
	e.Talk.Seconds, _ = o.Seconds("duration")
	people := h.context.Object("participants")
	heard := speakers{}
	for _, line := range lines {
		turn, ok := spoken(line, people, 0)
		if turn.Side == fact.SideContact {
			heard.meet(&e, line.Text("identifier"))
		}
		if ok {
			e.Talk.Turns = append(e.Talk.Turns, turn)
		}
	}
	return e, len(e.Talk.Turns) > 0
}

// side tells who spoke: a line with a user is a member's, else the address decides. Without participants
// (legacy) an address without a user is the contact's.
func side(line strictjson.Value, who string, own, external []string) fact.Side {
	switch {
	case strictjson.First(line.Text("userId"), line.Text("actorId")) != "":
		return fact.SideMember
	case who == "":
		return 0
	case slices.Contains(external, who):
		return fact.SideContact
	case slices.Contains(own, who):
		return fact.SideMember
	case len(external) == 0:
		return fact.SideContact
	}
	return 0
}

// summary decodes the vendor's summary and next steps, one turn a sentence, without a speaker. The
// fields that an AI agent's job extracted (names, addresses) are not taken.
func summary(h hook) (event.Event, bool) {
	o := h.object
	if !finished(o) {
		return event.Event{}, false
	}
	e := h.talk("summary", fact.VendorSummary)
	if e.Party.Address.Empty() {
		e.Party = party(o.Text("fromPhoneNumber"))
	}
	for _, sentence := range slices.Concat(o.Texts("summary"), o.Texts("nextSteps")) {
		if sentence != "" {
			e.Talk.Turns = append(e.Talk.Turns, event.Turn{Words: personal.New(sentence)})
		}
	}
	return e, len(e.Talk.Turns) > 0
}

// recorded says that there is a recording of a call. Its sound is fetched, if it may be, when it is time: the address
// in the webhook has then expired, and is not taken.
func recorded(h hook) (event.Event, bool) {
	o := h.object
	return event.Event{
		ID: h.id + "/recording", At: firstTime(o.Time("createdAt"), h.sent), UpdatedAt: firstTime(o.Time("updatedAt"), h.sent),
		Party: h.contact(), Others: h.others(), Recorded: &event.Recorded{Call: h.id},
	}, true
}

// voicemail decodes the words of a voicemail. That there is one is said by call.completed.
func voicemail(h hook) (event.Event, bool) {
	o := h.object
	words := personal.New(strictjson.First(o.Text("transcript")))
	call := o.Text("callId")
	h.id = strictjson.First(call, h.id)
	e := h.talk("voicemail", fact.VoicemailTranscript)
	e.Talk.Call = call
	e.Talk.Seconds, _ = o.Seconds("duration")
	e.Talk.Turns = []event.Turn{{Side: fact.SideContact, Words: words}}
	return e, !words.Empty()
}

func (h hook) talk(what string, origin fact.Origin) event.Event {
	o := h.object
	return event.Event{
		ID:        h.id + "/" + what,
		At:        firstTime(o.Time("createdAt"), h.sent),
		UpdatedAt: firstTime(o.Time("updatedAt"), h.sent),
		Party:     h.contact(),
		Others:    h.others(),
		Talk:      &event.Talk{Call: h.id, Number: h.number(), Origin: origin},
	}
}

// finished reports whether the vendor's own processing is done; legacy calls the field status.
func finished(o strictjson.Value) bool {
	state := strictjson.First(o.Text("processingStatus"), o.Text("status"))
	return state == "" || state == "completed"
}
