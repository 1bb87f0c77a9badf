package twilio

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

const (
	customer = "+12125550123"
	number   = "+18005550100"
	member   = "+18005550111"
)

// form is a verified callback.
func form(fields ...string) string {
	f := map[string]string{"From": customer, "To": number, "Direction": "inbound", "Timestamp": "Mon, 02 Mar 2026 10:01:00 +0000"}
	for i := 0; i < len(fields); i += 2 {
		f[fields[i]] = fields[i+1]
	}
	b, _ := json.Marshal(map[string]any{"received": "2026-03-02T10:01:01Z", "form": f})
	return string(b)
}

func decodeOne(t *testing.T, body string) event.Event {
	t.Helper()
	events, err := Source{}.Decode(source.Delivery{Body: []byte(body)})
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v: %s", len(events), err, body)
	}
	return events[0]
}

func state(body string) fact.State {
	_, err := Source{}.Decode(source.Delivery{Body: []byte(body)})
	s, _ := sourcetest.Verdict(err)
	return s
}

// newest is what the lake keeps of events about one thing, whatever order they came in.
func newest(all ...event.Event) event.Event {
	best := all[0]
	for _, e := range all[1:] {
		if e.Says > best.Says || e.Says == best.Says && e.UpdatedAt.After(best.UpdatedAt) {
			best = e
		}
	}
	return best
}

func TestEverySharedPayloadIsUnderstood(t *testing.T) {
	t.Parallel()
	dir := sourcetest.Shared(t, "Twilio's payloads", "sources", "twilio")
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		if s := state(string(b)); s != fact.Ignored && s != fact.Published {
			t.Errorf("%s: state %d", filepath.Base(path), s)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files, %v", n, err)
	}
}

func TestACallWithItsLegsIsOneCall(t *testing.T) {
	t.Parallel()
	parent := decodeOne(t, form("CallSid", "CA1", "CallStatus", "completed", "CallDuration", "60"))
	busy := decodeOne(t, form("CallSid", "CA2", "ParentCallSid", "CA1", "CallStatus", "busy", "Direction", "outbound-dial", "To", member))
	answered := decodeOne(t, form("CallSid", "CA3", "ParentCallSid", "CA1", "CallStatus", "completed", "CallDuration", "40", "Direction", "outbound-dial", "To", member))
	dial := decodeOne(t, form("CallSid", "CA1", "CallStatus", "in-progress", "DialCallStatus", "completed", "DialCallDuration", "40"))
	noDial := decodeOne(t, form("CallSid", "CA1", "CallStatus", "in-progress", "DialCallStatus", "no-answer"))
	for _, e := range []event.Event{parent, busy, answered, dial, noDial} {
		if e.ID != "CA1" || e.Party.Address.Reveal() != customer || e.Call.Direction != fact.In {
			t.Errorf("a report is about call %s", e.ID)
		}
	}
	for name, c := range map[string]struct {
		all  []event.Event
		want fact.Result
	}{
		"a program answered":       {[]event.Event{parent}, 0},
		"one leg":                  {[]event.Event{parent, answered}, fact.Answered},
		"one leg, reordered":       {[]event.Event{answered, parent}, fact.Answered},
		"first busy then answered": {[]event.Event{answered, busy, parent}, fact.Answered},
		"nobody":                   {[]event.Event{busy, parent}, fact.Missed},
		"end of the dial":          {[]event.Event{dial, busy, parent}, fact.Answered},
		"two dials":                {[]event.Event{dial, noDial, parent}, fact.Answered},
		"a dial without answer":    {[]event.Event{noDial, parent}, fact.Missed},
	} {
		if got := newest(c.all...); got.Call.Result != c.want {
			t.Errorf("%s: result %d, want %d", name, got.Call.Result, c.want)
		}
	}
	if d := dial.Call.Completed.Sub(dial.Call.Answered); d != 40*time.Second || dial.Call.Ring != event.RingUnknown {
		t.Errorf("talked for %s, ring %d", d, dial.Call.Ring)
	}
}

func TestStatesOfCalls(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]fact.Result{"no-answer": fact.Missed, "busy": fact.Missed, "failed": fact.Missed, "canceled": fact.Missed} {
		if e := decodeOne(t, form("CallSid", "CA1", "CallStatus", status)); e.Call.Result != want || e.Call.Number != number {
			t.Errorf("%s: %d", status, e.Call.Result)
		}
		if e := decodeOne(t, form("CallSid", "CA1", "CallStatus", status, "Direction", "outbound-api", "From", number, "To", customer)); e.Call.Result != fact.Failed || e.Call.Direction != fact.Out || e.Party.Address.Reveal() != customer {
			t.Errorf("outgoing %s: %d", status, e.Call.Result)
		}
	}
	for _, status := range []string{"queued", "initiated", "ringing", "in-progress"} {
		if s := state(form("CallSid", "CA1", "CallStatus", status)); s != fact.Ignored {
			t.Errorf("%s: state %d", status, s)
		}
	}
	for name, body := range map[string]string{
		"an unknown state":      form("CallSid", "CA1", "CallStatus", "beamed"),
		"a bad time":            form("CallSid", "CA1", "CallStatus", "busy", "Timestamp", "yesterday"),
		"a bad duration":        form("CallSid", "CA1", "CallStatus", "completed", "CallDuration", "-7"),
		"no time at all":        `{"CallSid":"CA1","CallStatus":"busy"}`,
		"neither call nor text": form("Foo", "bar"),
		"an unknown event":      `{"specversion":"1.0","type":"com.twilio.seance","data":{}}`,
		"no JSON":               "CallSid=CA1",
	} {
		if s := state(body); s != fact.Quarantined {
			t.Errorf("%s: state %d", name, s)
		}
	}
	if e := decodeOne(t, form("RecordingSid", "RE1", "CallSid", "CA1", "CallStatus", "completed", "RecordingStatus", "completed")); e.Recorded == nil || e.Recorded.Call != "CA1" || e.Call != nil {
		t.Error("a recording is not announced")
	}
	if s := state(form("RecordingSid", "RE1", "CallSid", "CA1", "RecordingStatus", "in-progress")); s != fact.Ignored {
		t.Errorf("a recording that goes on: %d", s)
	}
}

func TestAHiddenNumberIsNobody(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"+266696687", "anonymous"} {
		if e := decodeOne(t, form("CallSid", "CA1", "CallStatus", "busy", "From", from)); e.Party.Address.Reveal() != "anonymous" {
			t.Errorf("%d digits are a person", len(from))
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	in := decodeOne(t, form("MessageSid", "SM1", "SmsStatus", "received", "Body", "Are you open?", "NumMedia", "1"))
	if m := in.Message; m.Direction != fact.In || m.Status != fact.Received || m.Body.Reveal() != "Are you open?" || m.Media != 1 || m.Number != number || in.Party.Address.Reveal() != customer {
		t.Errorf("a text that came in: %+v", m)
	}
	sent := decodeOne(t, form("MessageSid", "SM2", "MessageStatus", "sent", "From", number, "To", "whatsapp:"+customer))
	arrived := decodeOne(t, form("MessageSid", "SM2", "MessageStatus", "delivered", "From", number, "To", "whatsapp:"+customer))
	failed := decodeOne(t, form("MessageSid", "SM2", "MessageStatus", "undelivered", "ErrorCode", "30007", "From", number, "To", customer))
	listed := decodeOne(t, `{"type":"rest.message","resource":{"sid":"SM2","status":"delivered","direction":"outbound-api","from":"`+number+`","to":"`+customer+`","body":"Until six.","num_media":"0","date_sent":"Mon, 02 Mar 2026 10:00:00 +0000","date_updated":"Mon, 02 Mar 2026 10:00:01 +0000"}}`)
	if newest(arrived, sent).Message.Status != fact.Arrived || newest(sent, arrived).Message.Status != fact.Arrived || sent.Party.Address.Reveal() != customer {
		t.Error("an earlier state wins, or a channel is part of the address")
	}
	if failed.Message.ErrorCode != 30007 || failed.Message.Status != fact.Undelivered {
		t.Errorf("a failed text: %+v", failed.Message)
	}
	if newest(listed, arrived, sent).Message.Body.Reveal() != "Until six." {
		t.Error("the words of a text are lost")
	}
	if s := state(form("MessageSid", "SM2", "MessageStatus", "queued")); s != fact.Ignored {
		t.Errorf("queued: %d", s)
	}
}

// TestAListedCallKnowsAll: the API's call with its legs wins over every webhook.
func TestAListedCallKnowsAll(t *testing.T) {
	t.Parallel()
	call := func(sid, parent, status, direction, from, to, duration string) string {
		b, _ := json.Marshal(map[string]any{"sid": sid, "parent_call_sid": parent, "status": status, "direction": direction, "from": from, "to": to, "duration": duration,
			"date_created": "Mon, 02 Mar 2026 10:00:00 +0000", "start_time": "Mon, 02 Mar 2026 10:00:00 +0000", "end_time": "Mon, 02 Mar 2026 10:01:00 +0000"})
		return string(b)
	}
	with := func(call string, legs ...string) string {
		return `{"type":"rest.call","call":` + call + `,"legs":[` + strings.Join(legs, ",") + `]}`
	}
	parent := call("CA1", "", "completed", "inbound", customer, number, "60")
	dialled := func(status, duration string) string {
		return call("CA2", "CA1", status, "outbound-dial", customer, member, duration)
	}
	for name, c := range map[string]struct {
		body      string
		result    fact.Result
		direction fact.Direction
		contact   string
	}{
		"answered":            {with(parent, dialled("no-answer", "0"), dialled("completed", "40")), fact.Answered, fact.In, customer},
		"nobody":              {with(parent, dialled("no-answer", "0")), fact.Missed, fact.In, customer},
		"a program":           {with(parent), 0, fact.In, customer},
		"canceled":            {with(call("CA1", "", "canceled", "inbound", customer, number, "0")), fact.Missed, fact.In, customer},
		"outgoing":            {with(call("CA1", "", "completed", "outbound-api", number, customer, "30")), fact.Answered, fact.Out, customer},
		"from a browser":      {with(call("CA1", "", "completed", "inbound", "client:ann", "", "60"), call("CA2", "CA1", "completed", "outbound-dial", number, customer, "40")), fact.Answered, fact.Out, customer},
		"from a browser, not": {with(call("CA1", "", "completed", "inbound", "client:ann", "", "60"), call("CA2", "CA1", "busy", "outbound-dial", number, customer, "0")), fact.Failed, fact.Out, customer},
	} {
		e := decodeOne(t, c.body)
		if e.ID != "CA1" || e.Call.Result != c.result || e.Call.Direction != c.direction || e.Party.Address.Reveal() != c.contact || e.Call.Answered.IsZero() == (c.result == fact.Answered) {
			t.Errorf("%s: %s, result %d, direction %d", name, e.ID, e.Call.Result, e.Call.Direction)
		}
		if hook := decodeOne(t, form("CallSid", "CA1", "CallStatus", "in-progress", "DialCallStatus", "completed")); newest(e, hook).Call != e.Call {
			t.Errorf("%s: a webhook wins", name)
		}
	}
}

func TestStudioStepsWithoutTheirContext(t *testing.T) {
	t.Parallel()
	body := `{"specversion":"1.0","type":"com.twilio.studio.flow.step.ended","id":"EZ1","data":{"step_sid":"FT1","execution_sid":"FN1","flow_sid":"FW1","flow_revision":7,
	"started_by":"CA1","name":NAME,"transitioned_from":"menu","transitioned_to":"sales","date_created":"2026-03-02T10:00:00Z","date_updated":"2026-03-02T10:00:05Z","context":CONTEXT}}`
	with := func(name, context string) string {
		return strings.NewReplacer("NAME", `"`+name+`"`, "CONTEXT", context).Replace(body)
	}
	matched := decodeOne(t, with("match", `{}`))
	if s := matched.Step; s.Run != "CA1" || s.Flow != "FW1" || s.FlowVersion != "7" || s.Node != "menu" || s.Choice != "sales" || s.Outcome != fact.StepMatched || s.Out.Sub(s.In) != 5*time.Second {
		t.Errorf("a choice: %+v", s)
	}
	if s := decodeOne(t, with("timeout", `{}`)).Step; s.Outcome != fact.StepTimeout || s.Choice != "none" {
		t.Errorf("a time-out: %+v", s)
	}
	if other := decodeOne(t, with("match", `{"widgets":{"menu":{"Digits":"4111111111111111"}},"trigger":{"call":{"From":"+12125550199"}}}`)); !sourcetest.Same([]event.Event{matched}, []event.Event{other}) {
		t.Error("the context makes a difference")
	}
}

func TestBatchesOfEventStreams(t *testing.T) {
	t.Parallel()
	one := `{"specversion":"1.0","type":"com.twilio.messaging.inbound-message.received","id":"EZ1","data":{"messageSid":"SM1","timestamp":"2026-03-02T10:00:00Z","from":"` + customer + `","to":"` + number + `","body":"Hi","numMedia":0}}`
	called := `{"specversion":"1.0","type":"com.twilio.voice.status-callback.call.completed","id":"EZ2","data":{"timestamp":"2026-03-02T10:00:00Z","request":{"parameters":{"CallSid":"CA1","CallStatus":"busy","From":"` + customer + `","To":"` + number + `"}}}}`
	all, err := Source{}.Split(source.Delivery{Body: []byte("[" + one + "," + called + `,"junk"]`)})
	if err != nil || len(all) != 3 || all[0].ID != "EZ1" || all[1].ID != "EZ2" || all[2].ID != "" {
		t.Fatalf("%d deliveries, %v", len(all), err)
	}
	if e := decodeOne(t, string(all[0].Body)); e.Message == nil || e.Message.Direction != fact.In {
		t.Error("a text that came in is none")
	}
	if e := decodeOne(t, string(all[1].Body)); e.Call == nil || e.Call.Result != fact.Missed {
		t.Error("a busy call is none")
	}
	if s := state(string(all[2].Body)); s != fact.Quarantined {
		t.Errorf("junk in a batch: %d", s)
	}
	if _, err := (Source{}).Split(source.Delivery{Body: []byte(`[{"a":1},`)}); err == nil {
		t.Error("a batch that is cut is split")
	}
	if all, err := (Source{}).Split(source.Delivery{Body: []byte(one)}); err != nil || len(all) != 1 {
		t.Error("one event is no delivery")
	}
}

// TestADeliveryIsKnownByItsBytes, whenever it comes again: Twilio signs no time.
func TestADeliveryIsKnownByItsBytes(t *testing.T) {
	t.Parallel()
	s := Source{}.At("https://shop.example.com/in/twilio/x")
	if _, err := s.Verify(http.Header{"X-Twilio-Signature": {"AAAA"}}, []byte("a=b"), []string{"t"}, time.Now()); err == nil {
		t.Error("any signature is accepted")
	}
	if _, err := (Source{}).Verify(http.Header{}, []byte("a=b"), []string{"t"}, time.Now()); err == nil {
		t.Error("without an address a delivery is accepted")
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	p := Source{}.Polling()
	if got := p.Within("AC1:token"); got != "/2010-04-01/Accounts/AC1" {
		t.Error(got)
	}
	if p.Authorize("AC1:token")["Authorization"] != "Basic QUMxOnRva2Vu" || p.Authorize("AC1:SK1:secret")["Authorization"] != "Basic U0sxOnNlY3JldA==" {
		t.Error("a key is sent otherwise")
	}
	if (Source{}).SigningSecret("AC1:token") != "token" || (Source{}).SigningSecret("AC1:SK1:secret") != "" {
		t.Error("webhooks are signed with the auth token alone")
	}
	for id, want := range map[string]bool{"CA" + strings.Repeat("0", 32): true, "CA" + strings.Repeat("g", 32): false, "AC1": false, "": false} {
		if (Source{}).Owns(id) != want {
			t.Errorf("%d letters are a call: %t", len(id), !want)
		}
	}
}

func TestScripts(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"de", "en", "es", "fr"} {
		s := Script{Language: language, Then: "+12125550100"}
		if s.Speaks() != language || !strings.Contains(string(s.Notice("heard")), "9") || !strings.Contains(string(s.Question("heard")), "1") {
			t.Errorf("%s: no notice", language)
		}
	}
	for then, want := range map[string]string{
		"+12125550100": "<Number>+12125550100</Number>", "client:ann": "<Client>ann</Client>", "sip:a@b.example": "<Sip>sip:a@b.example</Sip>",
		"https://x.example/?a=1&b=<2>": "<Redirect method=\"POST\">https://x.example/?a=1&amp;b=&lt;2&gt;</Redirect>",
	} {
		if got := string(Script{Then: then}.Connect("done")); !strings.Contains(got, want) || strings.Contains(strings.ToLower(got), "record") {
			t.Errorf("%s: %s", then, got)
		}
	}
	if (Script{Language: "xx"}).Speaks() != "en" {
		t.Error("an unknown language is spoken")
	}
}

func FuzzDecode(f *testing.F) {
	sourcetest.FuzzDecode(f, Source{}, form("CallSid", "CA1", "CallStatus", "completed", "CallDuration", "60"),
		form("CallSid", "CA1", "DialCallStatus", "completed", "DialCallDuration", "4"), form("MessageSid", "SM1", "MessageStatus", "sent"),
		`{"specversion":"1.0","type":"com.twilio.studio.flow.step.ended","data":{"step_sid":"FT1","flow_sid":"F","transitioned_from":"a","date_updated":"2026-03-02T10:00:00Z"}}`,
		`{"type":"rest.call","call":{"sid":"CA1","status":"busy","date_created":"Mon, 02 Mar 2026 10:00:00 +0000"},"legs":[{}]}`,
		`{"type":"rest.message","resource":{"sid":"SM1","status":"delivered","date_sent":"Mon, 02 Mar 2026 10:00:00 +0000"}}`)
}

// TestAMovedBorderIsNoText: a form whose border between a name and a value was moved has the same signature, and is no text and no
// call of nobody.
func TestAMovedBorderIsNoText(t *testing.T) {
	t.Parallel()
	moved := func(fields ...string) string {
		f := map[string]string{}
		for i := 0; i < len(fields); i += 2 {
			f[fields[i]] = fields[i+1]
		}
		b, _ := json.Marshal(map[string]any{"received": "2026-03-02T10:01:01Z", "form": f})
		return string(b)
	}
	for what, body := range map[string]string{
		"the sender in a shorter name":   moved("Body", "hello", "Fro", "m"+customer, "MessageSid", "SM1", "SmsStatus", "received", "To", number),
		"the sender in the words":        moved("Body", "helloFrom"+customer, "MessageSid", "SM1", "SmsStatus", "received", "To", number),
		"the line in the state":          moved("Body", "hello", "From", customer, "MessageSid", "SM1", "SmsStatus", "receivedTo"+number),
		"another sender, from the words": moved("Body", "hello", "From", "+19995550100", "From+1", customer[2:], "MessageSid", "SM1", "SmsStatus", "received", "To", number),
		"a call":                         moved("CallSid", "CA1", "CallStatus", "completed", "CallDuration", "6", "Fro", "m"+customer, "Timestamp", "Mon, 02 Mar 2026 10:01:00 +0000", "To", number),
	} {
		if s := state(body); s != fact.Quarantined {
			t.Errorf("%s: %v", what, s)
		}
	}
	if e := decodeOne(t, moved("MessageSid", "SM2", "MessageStatus", "failed", "To", customer)); e.Party.Address.Reveal() != customer {
		t.Error("a text whose sender was never drawn is not read")
	}
}
