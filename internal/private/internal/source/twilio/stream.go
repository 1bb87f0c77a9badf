package twilio

import (
	"strings"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/strictjson"
)

// silent are the families of events that say nothing which another does not say better.
var silent = []string{
	"com.twilio.voice.status-callback.", "com.twilio.voice.webhook.", "com.twilio.voice.twiml.", "com.twilio.voice.insights.",
	"com.twilio.voice.api-request.", "com.twilio.voice.recording.", "com.twilio.messaging.", "com.twilio.studio.flow.",
}

// cloudEvent reads one event of Event Streams (https://www.twilio.com/docs/events/event-types).
func cloudEvent(doc strictjson.Value) (event.Event, *source.Verdict) {
	data := doc.Object("data")
	switch kind := doc.Text("type"); {
	case strings.Contains(kind, ".status-callback.call."):
		fields := data.Object("request").Object("parameters")
		if !fields.Has("CallSid") {
			return event.Event{}, source.Ignore(fact.WhySilentType)
		}
		return callback(fields, moment(data, "timestamp"))
	case strings.HasPrefix(kind, "com.twilio.messaging.message."), kind == "com.twilio.messaging.inbound-message.received":
		return streamedMessage(data, kind)
	case kind == "com.twilio.studio.flow.step.ended":
		return step(data)
	default:
		for _, family := range silent {
			if strings.HasPrefix(kind, family) {
				return event.Event{}, source.Ignore(fact.WhySilentType)
			}
		}
		return event.Event{}, source.Quarantine(fact.WhyUnknownType, "type")
	}
}

func streamedMessage(data strictjson.Value, kind string) (event.Event, *source.Verdict) {
	n, _ := data.NumberOrText("numMedia")
	t := text{
		id: data.Text("messageSid"), status: strings.ToLower(data.Text("messageStatus")), from: data.Label("from"), to: data.Label("to"),
		body: data.Text("body"), code: data.Label("errorCode"), media: int(max(0, min(n, 100))), at: moment(data, "timestamp"),
	}
	if t.status == "" {
		t.status = kind[strings.LastIndex(kind, ".")+1:]
	}
	return t.event()
}

// outcomes are the names of Studio's transitions; others are choices that matched.
var outcomes = map[string]fact.StepOutcome{
	"timeout": fact.StepTimeout, "noMatch": fact.StepNotMatched, "noInput": fact.StepTimeout, "hangup": fact.StepHangup, "callEnded": fact.StepHangup,
	"noAnswer": fact.StepTimeout, "answered": fact.StepAnswered, "connected": fact.StepAnswered,
}

// step reads one pass through a widget of a Studio flow. The choice is the widget that came next: the key itself is only in
// the context. Nothing else of the event is looked at.
func step(data strictjson.Value) (event.Event, *source.Verdict) {
	ended := strictjson.FirstTime(moment(data, "date_updated"), moment(data, "date_created"))
	name := strictjson.First(data.Text("name"), data.Text("transition"))
	s := &event.Step{
		Run: strictjson.First(data.Text("started_by"), data.Text("execution_sid")), Flow: data.Text("flow_sid"), FlowVersion: data.Label("flow_revision"),
		Node: data.Text("transitioned_from"), Choice: strictjson.First(data.Text("transitioned_to"), name), Outcome: outcomes[name],
		In: moment(data, "date_created"), Out: moment(data, "date_updated"),
	}
	if s.Outcome == 0 {
		s.Outcome = fact.StepMatched
	}
	if s.Outcome != fact.StepMatched || s.Choice == "" {
		s.Choice = "none"
	}
	if s.Flow == "" || s.Node == "" {
		return event.Event{}, source.Quarantine(fact.WhyBadField, "transitioned_from")
	}
	return event.Event{ID: data.Text("step_sid"), At: ended, Party: party(data.Label("contact_channel_address")), Step: s}, nil
}
