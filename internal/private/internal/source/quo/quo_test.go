package quo

import (
	"encoding/json"
	"fmt"
	"io/fs"
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
	business = "+15555550100"
	customer = "+15555550101"
)

// dated is a synthetic webhook of the 2026-03-30 API.
func dated(kind, resource string) string {
	return fmt.Sprintf(`{"id":"EV1","apiVersion":"2026-03-30","createdAt":"2026-04-13T12:10:00Z","type":%q,"data":{"resource":%s,
	"context":{"phoneNumberId":"PNmain","userId":"US1","participants":{"workspace":[%q],"external":[%q],"resolution":"available"},
	"senderIdentifier":%q,"recipientIdentifiers":[%q]}}}`, kind, resource, business, customer, customer, business)
}

// legacy is a synthetic v3 or v4 webhook.
func legacy(kind, object string) string {
	return fmt.Sprintf(`{"id":"EV2","object":"event","apiVersion":"v4","createdAt":"2026-04-13T12:10:00Z","type":%q,"data":{"object":%s}}`, kind, object)
}

func call(direction, status, answeredAt string, voicemail bool) string {
	return fmt.Sprintf(`{"id":"AC1","direction":%q,"status":%q,"createdAt":"2026-04-13T12:00:00Z","answeredAt":%s,
	"completedAt":"2026-04-13T12:01:00Z","updatedAt":"2026-04-13T12:01:01Z","duration":55,"hasVoicemail":%t}`, direction, status, answeredAt, voicemail)
}

func decodeOne(t *testing.T, body string) event.Event {
	t.Helper()
	events, err := Source{}.Decode(source.Delivery{Body: []byte(body)})
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	return events[0]
}

func TestOutcomeOfACompletedCall(t *testing.T) {
	t.Parallel()
	const at = `"2026-04-13T12:00:05Z"`
	for _, c := range []struct {
		direction, status, answeredAt string
		voicemail                     bool
		result                        fact.Result
		reason                        fact.Reason
	}{
		{"incoming", "answered", at, false, fact.Answered, 0},
		{"incoming", "unanswered", "null", false, fact.Missed, fact.MembersDidNotAnswer},
		{"incoming", "unanswered", "null", true, fact.Missed, fact.MembersDidNotAnswer},
		{"incoming", "abandoned", "null", false, fact.Missed, fact.Abandoned},
		{"incoming", "failed", "null", false, fact.Missed, 0},
		{"incoming", "forwarded", "null", false, fact.Forwarded, 0},
		{"incoming", "ai-handled", at, false, fact.AIHandled, 0},
		{"incoming", "ai-handled", at, true, fact.AIHandled, 0},
		{"incoming", "unknown", at, false, fact.Answered, 0},
		{"incoming", "unknown", "null", false, fact.Missed, 0},
		{"incoming", "answered", at, true, fact.Missed, fact.MembersDidNotAnswer},
		{"incoming", "a new word", at, false, fact.Answered, 0},
		{"outgoing", "answered", at, false, fact.Answered, 0},
		{"outgoing", "unanswered", "null", false, fact.Failed, 0},
		{"outgoing", "abandoned", "null", false, fact.Failed, 0},
		{"outgoing", "failed", "null", false, fact.Failed, 0},
		{"outgoing", "unknown", "null", false, fact.Failed, 0},
	} {
		e := decodeOne(t, dated("call.completed", call(c.direction, c.status, c.answeredAt, c.voicemail)))
		if e.Call.Result != c.result || e.Call.Reason != c.reason || e.Call.Voicemail != c.voicemail {
			t.Errorf("%s %s voicemail=%t: result %d reason %d", c.direction, c.status, c.voicemail, e.Call.Result, e.Call.Reason)
		}
		if answered := !e.Call.Answered.IsZero(); answered && (c.result == fact.Missed || c.result == fact.Failed) {
			t.Errorf("%s %s: a call nobody answered has a time of answer", c.direction, c.status)
		}
		if e.ID != "AC1" || e.Call.Number != "PNmain" || e.Party.Address.Reveal() != customer {
			t.Errorf("%s %s: wrong id, number or contact", c.direction, c.status)
		}
	}
}

func TestTheRicherDeliveryOfACallWins(t *testing.T) {
	t.Parallel()
	completed := decodeOne(t, dated("call.completed", call("incoming", "forwarded", "null", false)))
	forwarded := decodeOne(t, dated("call.forwarded", `{"id":"AC1","createdAt":"2026-04-13T12:00:00Z","updatedAt":"2026-04-13T13:00:00Z","forwardedFrom":"a","forwardedTo":"b"}`))
	missed := decodeOne(t, dated("call.missed", `{"id":"AC1","createdAt":"2026-04-13T12:00:00Z","updatedAt":"2026-04-13T14:00:00Z"}`))
	if forwarded.Call.Result != fact.Forwarded || missed.Call.Result != fact.Missed || missed.Call.Direction != fact.In {
		t.Error("forwarded or missed is not what it says")
	}
	wins := func(a, b event.Event) bool {
		return a.UpdatedAt.After(b.UpdatedAt) || a.UpdatedAt.Equal(b.UpdatedAt) && a.Rank > b.Rank
	}
	if !wins(completed, forwarded) || !wins(forwarded, missed) || !wins(completed, missed) {
		t.Error("order is not completed, forwarded, missed")
	}
	if completed.ID != forwarded.ID || forwarded.ID != missed.ID {
		t.Error("one call has several ids")
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]fact.Delivered{
		"message.received": fact.Received, "message.delivered": fact.Arrived,
		"message.failed": fact.Undelivered, "message.undelivered": fact.Undelivered,
	} {
		direction, contact := "outgoing", business // the far side of an outgoing text is its recipient
		if kind == "message.received" {
			direction, contact = "incoming", customer
		}
		body := strings.Replace(dated(kind, fmt.Sprintf(`{"id":"ACm","direction":%q,"text":"hello","media":[{"url":"https://example.com/a"}],"errorCode":30007,"createdAt":"2026-04-13T12:00:00Z"}`, direction)),
			`"participants"`, `"unused"`, 1)
		e := decodeOne(t, body)
		m := e.Message
		if e.ID != "ACm" || m.Status != want || m.Media != 1 || m.Body.Reveal() != "hello" || m.ErrorCode != 30007 || e.Party.Address.Reveal() != contact {
			t.Errorf("%s is not read right", kind)
		}
	}
}

func TestMenuSelection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		digit, reason string
		choice        string
		outcome       fact.StepOutcome
	}{
		{`"1"`, `"phone-menu-dial"`, "1", fact.StepMatched},
		{`"2"`, `"phone-menu-voicemail"`, "2", fact.StepMatched},
		{`null`, `"phone-menu"`, "none", fact.StepTimeout},
		{`null`, `null`, "none", fact.StepTimeout},
		{`null`, `"phone-menu-abandoned"`, "none", fact.StepHangup},
	} {
		e := decodeOne(t, dated("call.menu.selected", fmt.Sprintf(
			`{"id":"AC1","createdAt":"2026-04-13T12:00:00Z","updatedAt":null,"phoneMenuSelection":%s,"phoneMenuSelectionName":"Sales","statusReason":%s}`, c.digit, c.reason)))
		s := e.Step
		if s.Choice != c.choice || s.Outcome != c.outcome || s.Run != "AC1" || s.Node != "menu" || s.Flow != "PNmain" || s.Label != "Sales" {
			t.Errorf("digit %s, reason %s: choice %q outcome %d", c.digit, c.reason, s.Choice, s.Outcome)
		}
	}
}

func TestTalks(t *testing.T) {
	t.Parallel()
	transcript := decodeOne(t, dated("call.transcript.completed", fmt.Sprintf(`{"callId":"AC1","createdAt":"2026-04-13T12:02:00Z","duration":12.5,"processingStatus":"completed","dialogue":[
		{"userId":"US1","identifier":%q,"content":"Hello","start":0.5,"end":1},{"userId":null,"identifier":%q,"content":"Hi","start":2,"end":3},
		{"userId":null,"identifier":null,"content":"?","start":4,"end":5}]}`, business, customer)))
	turns := transcript.Talk.Turns
	if len(turns) != 3 || turns[0].Side != fact.SideMember || turns[1].Side != fact.SideContact || turns[2].Side != 0 {
		t.Error("sides of a transcript")
	}
	if turns[1].Start != 2 || turns[1].Words.Reveal() != "Hi" || transcript.Talk.Call != "AC1" || transcript.Talk.Seconds != 12.5 {
		t.Error("turns of a transcript")
	}
	summary := decodeOne(t, dated("call.summary.completed", `{"callId":"AC1","processingStatus":"completed","summary":["A.","B."],"nextSteps":["C."],"jobs":[{"name":"x"}]}`))
	if len(summary.Talk.Turns) != 3 || summary.Talk.Origin != fact.VendorSummary {
		t.Error("summary")
	}
	voicemail := decodeOne(t, dated("call.voicemail.completed", `{"id":"VM1","callId":"AC1","direction":"incoming","duration":9,"transcript":"Please call back","createdAt":"2026-04-13T12:02:00Z"}`))
	if voicemail.Talk.Origin != fact.VoicemailTranscript || voicemail.Talk.Call != "AC1" || voicemail.Talk.Turns[0].Side != fact.SideContact {
		t.Error("voicemail")
	}
	if transcript.ID == summary.ID || summary.ID == voicemail.ID {
		t.Error("talks of one call share an id")
	}
}

func TestWhatIsNotAnEvent(t *testing.T) {
	t.Parallel()
	ok := call("incoming", "answered", "null", false)
	for name, c := range map[string]struct {
		body  string
		state fact.State
		why   fact.Why
	}{
		"ringing":                {dated("call.ringing", ok), fact.Ignored, fact.WhySilentType},
		"answered":               {dated("call.answered", ok), fact.Ignored, fact.WhySilentType},
		"contact":                {dated("contact.updated", `{"id":"CT1"}`), fact.Ignored, fact.WhySilentType},
		"task":                   {`{"type":"task.assigned","data":{"resource":{"id":"TK1"}}}`, fact.Ignored, fact.WhySilentType},
		"transcript in progress": {dated("call.transcript.completed", `{"callId":"AC1","processingStatus":"in-progress","dialogue":null}`), fact.Ignored, fact.WhySilentType},
		"summary failed":         {dated("call.summary.completed", `{"callId":"AC1","processingStatus":"failed","summary":["x"]}`), fact.Ignored, fact.WhySilentType},
		"voicemail without text": {dated("call.voicemail.completed", `{"id":"VM1","direction":"incoming","transcript":null}`), fact.Ignored, fact.WhySilentType},
		"vendor test":            {dated("call.completed", strings.Replace(ok, "AC1", "ACsampleactivity0000000000000000", 1)), fact.Ignored, fact.WhyVendorTest},
		"unknown type":           {dated("call.teleported", ok), fact.Quarantined, fact.WhyUnknownType},
		"no type":                {`{"data":{}}`, fact.Quarantined, fact.WhyBadField},
		"no data":                {`{"type":"call.completed"}`, fact.Quarantined, fact.WhyBadField},
		"a list":                 {`[]`, fact.Quarantined, fact.WhyBadField},
		"bad direction":          {dated("call.completed", strings.Replace(ok, "incoming", "sideways", 1)), fact.Quarantined, fact.WhyBadField},
		"no direction":           {dated("call.completed", strings.Replace(ok, `"direction"`, `"x"`, 1)), fact.Quarantined, fact.WhyBadField},
		"bad time":               {dated("call.completed", strings.Replace(ok, "2026-04-13T12:00:00Z", "today", 1)), fact.Quarantined, fact.WhyBadTime},
		"absurd time":            {dated("call.completed", strings.Replace(ok, "2026-04-13T12:00:00Z", "0001-01-01T00:00:00Z", 1)), fact.Quarantined, fact.WhyBadTime},
		"a number for a text":    {dated("message.received", `{"id":"ACm","direction":"incoming","text":7,"createdAt":"2026-04-13T12:00:00Z"}`), fact.Quarantined, fact.WhyBadField},
		"not JSON":               {`type=call.completed`, fact.Quarantined, fact.WhyNotJSON},
	} {
		events, err := Source{}.Decode(source.Delivery{Body: []byte(c.body)})
		if state, why := sourcetest.Verdict(err); state != c.state || why != c.why || len(events) != 0 {
			t.Errorf("%s: state %d why %d, %d events", name, state, why, len(events))
		}
	}
}

// TestARecordingIsAnnounced: its call and its person, and not its address.
func TestARecordingIsAnnounced(t *testing.T) {
	t.Parallel()
	e := decodeOne(t, dated("call.recording.completed", `{"id":"AC1","direction":"incoming","createdAt":"2026-04-13T12:00:00Z","from":"+15555550101","to":"+15555550100","recordings":[{"url":"https://example.com/r"}]}`))
	if e.Recorded == nil || e.Recorded.Call != "AC1" || e.Party.Address.Reveal() != customer || e.Kind() != fact.KindUnknown {
		t.Error("the recording of a call is not announced")
	}
}

func TestLegacyEnvelopes(t *testing.T) {
	t.Parallel()
	missed := decodeOne(t, legacy("call.completed", `{"id":"AC9","direction":"incoming","from":"+15555550101","to":"+15555550100","status":"completed","createdAt":"2026-04-13T12:00:00Z","answeredAt":null,"completedAt":"2026-04-13T12:00:20Z","phoneNumberId":"PN9","voicemail":{"url":"https://example.com/v","duration":7}}`))
	if missed.Call.Result != fact.Missed || !missed.Call.Voicemail || missed.Party.Address.Reveal() != customer || missed.Call.Number != "PN9" {
		t.Error("v3 call with a voicemail")
	}
	out := decodeOne(t, legacy("call.completed", `{"id":"AC9","direction":"outgoing","participants":["+15555550101"],"status":"completed","createdAt":"2026-04-13T12:00:00Z","answeredAt":"2026-04-13T12:00:05Z","completedAt":"2026-04-13T12:00:20Z","phoneNumberId":"PN9"}`))
	if out.Call.Result != fact.Answered || out.Party.Address.Reveal() != customer {
		t.Error("v4 outgoing call")
	}
	text := decodeOne(t, legacy("message.received", `{"id":"AC8","direction":"incoming","from":"+15555550101","to":"+15555550100","body":"hello","media":["https://example.com/1"],"createdAt":"2026-04-13T12:00:00Z"}`))
	if text.Message.Body.Reveal() != "hello" || text.Message.Number != business || text.Message.Media != 1 {
		t.Error("v3 message, number without an id")
	}
	nameless := decodeOne(t, legacy("call.completed", `{"direction":"incoming","status":"completed","createdAt":"2026-04-13T12:00:00Z"}`))
	if nameless.ID != "EV2" {
		t.Error("an object without an id is keyed by its envelope")
	}
}

// golden are the vendor's own examples and what they say.
var golden = map[string]func(event.Event) bool{
	"2026-03-30/call.completed.json": func(e event.Event) bool {
		return e.ID == "AC-call" && e.Call.Result == fact.Answered && e.Call.Number == "PN123" &&
			e.Call.Answered.Sub(e.At) == 5*time.Second && e.Party.Address.Reveal() == "+15550000002"
	},
	"2026-03-30/message.received.json": func(e event.Event) bool {
		return e.ID == "AC-message" && e.Message.Direction == fact.In && e.Message.Status == fact.Received &&
			e.Party.Address.Reveal() == "+15550001111"
	},
	"legacy/message.received.v4.json": func(e event.Event) bool {
		return e.ID == "AC24a8b8321c4f4cf2be110f4250793d51" && e.Party.Address.Reveal() == "+19876543210" && e.Message.Number == "PNtoDbDhuz"
	},
	"legacy/call.transcript.v4.json": func(e event.Event) bool {
		return e.Talk.Call == "AC16558bc5f73445598a2627f5a94fe014" && len(e.Talk.Turns) == 1 && e.Talk.Turns[0].Side == fact.SideMember
	},
	"legacy/call.summary.v4.json": func(e event.Event) bool { return len(e.Talk.Turns) == 2 && e.Talk.Origin == fact.VendorSummary },
}

func TestRealPayloads(t *testing.T) {
	t.Parallel()
	root := sourcetest.Shared(t, "Quo's example payloads", "sources", "quo")
	ignored := map[string]fact.Why{
		"2026-03-30/call.completed.spec-test-event.json": fact.WhyVendorTest,
		"2026-03-30/task.assigned.json":                  fact.WhySilentType,
		"legacy/call.ringing.v4.json":                    fact.WhySilentType,
	}
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		if err != nil || d.IsDir() || strings.Contains(name, "rest.") || strings.HasSuffix(name, "EVENT_FIELDS.json") {
			return err
		}
		seen++
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		events, err := Source{}.Decode(source.Delivery{Body: body})
		if want, silent := ignored[name]; silent {
			if state, why := sourcetest.Verdict(err); state != fact.Ignored || why != want {
				t.Errorf("%s: state %d why %d", name, state, why)
			}
			return nil
		}
		if check := golden[name]; err != nil || len(events) != 1 || check == nil || !check(events[0]) {
			t.Errorf("%s: %d events, %v", name, len(events), err)
		}
		for _, unknown := range []bool{false, true} {
			again, err := Source{}.Decode(source.Delivery{Body: sourcetest.Rewritten(t, body, unknown)})
			if err != nil || !sourcetest.Same(events, again) {
				t.Errorf("%s: other order or unknown fields (%t) change the events", name, unknown)
			}
		}
		return nil
	})
	if err != nil || seen < len(golden)+len(ignored) {
		t.Errorf("%d payloads, %v", seen, err)
	}
}

// Every type of the vendor's list is either decoded or known to be silent.
func TestEveryListedTypeIsKnown(t *testing.T) {
	t.Parallel()
	var types map[string]any
	if err := json.Unmarshal(sourcetest.Read(t, "Quo's list of event types", "sources", "quo", "2026-03-30", "EVENT_FIELDS.json"), &types); err != nil {
		t.Fatal(err)
	}
	for name := range types {
		if name == "_note" || strings.HasPrefix(name, "context.") {
			continue
		}
		for _, kind := range []string{strings.Split(strings.Replace(name, "*", "assigned", 1), "|")[0]} {
			_, err := Source{}.Decode(source.Delivery{Body: []byte(dated(kind, `{"id":"AC1","callId":"AC1","direction":"incoming","createdAt":"2026-04-13T12:00:00Z"}`))})
			if _, why := sourcetest.Verdict(err); why != fact.WhyNone && why != fact.WhySilentType {
				t.Errorf("%s: why %d", kind, why)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	sourcetest.FuzzDecode(f, Source{},
		dated("call.completed", call("incoming", "answered", "null", true)),
		dated("call.menu.selected", `{"id":"AC1","phoneMenuSelection":"1"}`),
		dated("call.transcript.completed", `{"callId":"AC1","dialogue":[{"content":"a","start":1}]}`),
		dated("message.failed", `{"id":"AC1","direction":"outgoing","errorCode":"x"}`),
		legacy("call.completed", `{"participants":["a","b"],"direction":"outgoing","createdAt":"2026-04-13T12:00:00Z"}`))
}
