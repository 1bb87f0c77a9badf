package twilio

import (
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/strictjson"
)

// How much information a report has about a call, from least to most.
const (
	saysEnded   = iota + 1 // it ended; who spoke is not known
	saysUnheard            // one of those dialled did not answer
	saysMissed             // it was never answered, not even by a program
	saysLeg                // one of those dialled answered
	saysDial               // the Dial ended, or a person of the business began the call
	saysAll                // the call with all its legs, as the API lists them
)

// goesOn are the states of a call that is not over.
var goesOn = map[string]bool{"": true, "queued": true, "initiated": true, "ringing": true, "in-progress": true, "answered": true}

// call reads the callback of a call's state or of the end of a Dial.
func call(f strictjson.Value, received time.Time) (event.Event, *source.Verdict) {
	ended := strictjson.FirstTime(moment(f, "Timestamp"), received)
	c := leg{
		id: f.Text("CallSid"), parent: f.Text("ParentCallSid"), status: f.Text("CallStatus"), direction: f.Text("Direction"),
		from: f.Label("From"), to: f.Label("To"), ended: ended, talked: length(f, "CallDuration"),
	}
	if dial := f.Text("DialCallStatus"); dial != "" {
		return c.dialled(dial, length(f, "DialCallDuration"))
	}
	if goesOn[c.status] {
		return event.Event{}, source.Ignore(fact.WhySilentType)
	}
	if c.parent != "" {
		return c.ofDial()
	}
	return c.event()
}

// leg is one of Twilio's calls: the one that began, or one that a Dial added to it.
type leg struct {
	id, parent, status, direction, from, to string
	began, ended                            time.Time // began: zero where it is not told
	talked                                  time.Duration
}

// result reads the final state of a leg.
func (l leg) result() (fact.Result, fact.Reason, *source.Verdict) {
	switch l.status {
	case "completed":
		return fact.Answered, 0, nil
	case "no-answer":
		return fact.Missed, fact.MembersDidNotAnswer, nil
	case "canceled":
		return fact.Missed, fact.Abandoned, nil
	case "busy", "failed":
		return fact.Missed, 0, nil
	}
	return 0, 0, source.Quarantine(fact.WhyBadField, "CallStatus")
}

// event is the call of a leg that began it.
func (l leg) event() (event.Event, *source.Verdict) {
	result, reason, bad := l.result()
	says := saysMissed
	if result == fact.Answered {
		says = saysEnded
	}
	e := l.base(says)
	c := e.Call
	switch {
	case l.outgoing():
		c.Direction, c.Number, e.Party = fact.Out, l.from, party(l.to)
		if inside(l.from) {
			e.Says = saysDial
		}
		if result == fact.Missed {
			result, reason = fact.Failed, 0
		}
	case result == fact.Answered:
		result = 0 // by a program; whether by a person as well, a leg says
	}
	c.Result, c.Reason = result, reason
	if result == fact.Answered {
		c.Answered = l.ended.Add(-l.talked)
	}
	return e, bad
}

// outgoing reports a call that the business began.
func (l leg) outgoing() bool {
	return strings.HasPrefix(l.direction, "outbound") || inside(l.from)
}

// ofDial is the call that a leg belongs to, as far as the leg knows it: who called is who the dialled person saw.
func (l leg) ofDial() (event.Event, *source.Verdict) {
	result, reason, bad := l.result()
	says := saysUnheard
	if result == fact.Answered {
		says = saysLeg
	}
	e := l.base(says)
	e.ID, e.Call.Result, e.Call.Reason = l.parent, result, reason
	e.Call.Number = "" // To is the person who was dialled
	if result == fact.Answered {
		e.Call.Answered = l.ended.Add(-l.talked)
	}
	return e, bad
}

// dialled is the call at the end of a Dial: the fields are of the call itself, the state of the Dial beside them.
func (l leg) dialled(state string, talked time.Duration) (event.Event, *source.Verdict) {
	answered := state == "completed" || state == "answered"
	says := saysUnheard
	l.talked = 0
	if answered {
		says, l.talked = saysDial, talked
	}
	e := l.base(says)
	c := e.Call
	if c.Result = fact.Missed; answered {
		c.Result, c.Answered = fact.Answered, l.ended.Add(-talked)
	} else if state == "canceled" {
		c.Reason = fact.Abandoned
	} else {
		c.Reason = fact.MembersDidNotAnswer
	}
	if l.outgoing() {
		c.Direction, c.Number, e.Party = fact.Out, l.from, party(l.to)
		if !answered {
			c.Result, c.Reason = fact.Failed, 0
		}
	}
	return e, nil
}

// base is an incoming call that a report is about.
func (l leg) base(says int) event.Event {
	at := l.began
	if at.IsZero() && !l.ended.IsZero() {
		at = l.ended.Add(-l.talked)
	}
	ring := -time.Second // from the times
	if l.began.IsZero() {
		ring = event.RingUnknown
	}
	return event.Event{
		ID: l.id, At: at, UpdatedAt: l.ended, Says: says, Party: party(l.from),
		Call: &event.Call{Direction: fact.In, Number: l.to, Completed: l.ended, Ring: ring},
	}
}

// polledCall reads {"call":..,"legs":[..]}, a call as the API lists it with the legs that it had.
func polledCall(doc strictjson.Value) (event.Event, *source.Verdict) {
	l := listedLeg(doc.Object("call"))
	if goesOn[l.status] {
		return event.Event{}, source.Ignore(fact.WhySilentType)
	}
	e, bad := l.event()
	e.Says = saysAll
	c := e.Call
	for i, v := range doc.List("legs") {
		other := listedLeg(v)
		answered := other.status == "completed" && other.talked > 0
		switch {
		case inside(l.from) && i == 0:
			c.Number, e.Party = other.from, party(other.to)
			c.Result = fact.Failed
		case i == 0 && c.Direction == fact.In:
			c.Result, c.Reason = fact.Missed, fact.MembersDidNotAnswer
		}
		if answered && (c.Direction == fact.In || inside(l.from)) {
			c.Result, c.Reason = fact.Answered, 0
			c.Answered, c.Completed = other.ended.Add(-other.talked), other.ended
			break
		}
	}
	if c.Result != fact.Answered {
		c.Answered = time.Time{}
	}
	return e, bad
}

// listedLeg reads a call of the API.
func listedLeg(v strictjson.Value) leg {
	l := leg{
		id: v.Text("sid"), parent: v.Text("parent_call_sid"), status: v.Text("status"), direction: v.Text("direction"),
		from: v.Label("from"), to: v.Label("to"), talked: length(v, "duration"),
		began: strictjson.FirstTime(moment(v, "start_time"), moment(v, "date_created")),
	}
	l.ended = strictjson.FirstTime(moment(v, "end_time"), moment(v, "date_updated"), l.began)
	return l
}
