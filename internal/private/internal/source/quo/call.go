package quo

import (
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source/strictjson"
)

// Ranks of what is said about one call: the richer delivery wins.
const (
	rankMissed    = 1
	rankForwarded = 2
	rankCompleted = 3
)

// computeRing leaves the ring time to be computed from the times.
const computeRing = -time.Second

func completed(h hook) (event.Event, bool) {
	o := h.object
	e := h.call(rankCompleted)
	e.UpdatedAt = firstTime(o.Time("updatedAt"), o.Time("completedAt"))
	c := e.Call
	c.Direction = h.direction()
	c.Completed = o.Time("completedAt")
	answered := o.Time("answeredAt")
	// v3 has the voicemail itself in place of a flag.
	c.Voicemail = o.Bool("hasVoicemail") || o.Object("voicemail").Exists()
	c.Result, c.Reason = outcome(o, c.Direction, !answered.IsZero(), c.Voicemail)
	if c.Result != fact.Missed && c.Result != fact.Failed {
		c.Answered = answered
	}
	return e, true
}

// outcome reads the status of a finished call. Legacy calls say only "completed": there the time of
// answer decides, as it does for a status that is unknown here.
func outcome(o strictjson.Value, d fact.Direction, answered, voicemail bool) (fact.Result, fact.Reason) {
	var result fact.Result
	var reason fact.Reason
	switch o.Text("status") {
	case "ai-handled":
		return fact.AIHandled, 0
	case "forwarded":
		return fact.Forwarded, 0
	case "answered":
		result = fact.Answered
	case "unanswered", "no-answer", "missed":
		result, reason = fact.Missed, fact.MembersDidNotAnswer
	case "abandoned":
		result, reason = fact.Missed, fact.Abandoned
	case "failed", "busy", "canceled":
		result = fact.Missed
	default:
		switch {
		case answered:
			result = fact.Answered
		case o.Text("forwardedTo") != "":
			return fact.Forwarded, 0
		default:
			result = fact.Missed
		}
	}
	if voicemail && d == fact.In && result == fact.Answered {
		return fact.Missed, fact.MembersDidNotAnswer
	}
	if d == fact.Out && result == fact.Missed {
		return fact.Failed, 0
	}
	return result, reason
}

// forwarded and missed have less information than the call.completed of the same call, whenever
// they come: their version is that of the call's beginning.
func forwarded(h hook) (event.Event, bool) {
	e := h.call(rankForwarded)
	e.Call.Result = fact.Forwarded
	return e, true
}

func missed(h hook) (event.Event, bool) {
	e := h.call(rankMissed)
	e.Call.Result = fact.Missed
	return e, true
}

func (h hook) call(rank uint8) event.Event {
	at := firstTime(h.object.Time("createdAt"), h.sent)
	return event.Event{
		ID: h.id, At: at, UpdatedAt: at, Rank: rank,
		Party: h.contact(), Others: h.others(),
		Call: &event.Call{Direction: fact.In, Number: h.number(), Ring: computeRing},
	}
}

// menuSelected is one choice in the number's phone menu. A call may choose more than once; a choice is
// told from the next by its time.
func menuSelected(h hook) (event.Event, bool) {
	o := h.object
	at := firstTime(o.Time("updatedAt"), h.sent, o.Time("createdAt"))
	s := &event.Step{
		Run: h.id, Number: h.number(), Flow: h.number(),
		Node: "menu", NodeKind: fact.NodeMenu,
		Choice: o.Label("phoneMenuSelection"), Label: o.Text("phoneMenuSelectionName"),
		Outcome: fact.StepMatched, Out: at,
	}
	switch {
	case o.Text("statusReason") == "phone-menu-abandoned":
		s.Outcome = fact.StepHangup
	case s.Choice == "":
		s.Outcome = fact.StepTimeout
	}
	if s.Choice == "" {
		s.Choice = "none"
	}
	return event.Event{
		ID: h.id + "/menu/" + at.Format(time.RFC3339Nano), At: at, UpdatedAt: at, Party: h.contact(), Others: h.others(), Step: s,
	}, true
}
