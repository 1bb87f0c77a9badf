// Package twilio reads what Twilio sends and keeps, and controls the recording of calls that run through it.
//
// Zone: RED. It reads status callbacks of calls, texts in and out with their states, the end of a Dial, recording states,
// batches of Event Streams (CloudEvents) and Studio's steps, and polls the REST lists (rest.go). What a live call is told and
// how its recording is stopped and deleted is in control.go.
//
// A call and the legs that Dial adds to it are one call, the first one's. Its reports come in any order and without a common
// clock, so what says more counts (weigh). *Missed* is as everywhere: inbound, answered by nobody who was dialled. Where no
// leg and no end of a Dial was reported, a completed call was answered by a program: its result is unknown.
//
// A signature covers the address that Twilio called and no time: see At, and signature.Twilio. An old delivery that is sent
// again is the same fact, however late, because facts are keyed by Twilio's ids.
//
// What it cannot see: who was called where callerId hides it and no Dial reported its end to us; keys pressed in Studio,
// which are in the step's context. That context holds what people said and is never asked for and never read.
package twilio

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/signature"
	"murmur/internal/private/internal/source/strictjson"
)

// Source is the connector. The zero value decodes and polls; At makes one that verifies.
type Source struct{ urls []string }

// At implements source.Addressed.
func (Source) At(urls ...string) source.Source { return Source{urls} }

// Verify checks X-Twilio-Signature at any of the URLs. The delivery is {"received":TIME,"form":{..}} for a form: many
// callbacks do not say when they were made. Its bytes name it; JSON stays as it is.
func (s Source) Verify(h http.Header, body []byte, secrets []string, now time.Time) (source.Delivery, error) {
	if err := signature.Twilio(h, s.urls, body, secrets); err != nil {
		return source.Delivery{}, err
	}
	fields, ok := signature.Form(body)
	if isJSON(body) || !ok {
		return source.Delivery{Body: body}, nil
	}
	form := map[string]string{}
	for _, p := range fields {
		form[p.Name] = p.Value
	}
	wrapped, err := json.Marshal(map[string]any{"received": now.UTC().Format(time.RFC3339Nano), "form": form})
	if err != nil {
		return source.Delivery{}, source.ErrSignature
	}
	sum := sha256.Sum256(body)
	return source.Delivery{ID: "form/" + hex.EncodeToString(sum[:]), Body: wrapped}, nil
}

func isJSON(body []byte) bool {
	s := strings.TrimLeft(string(body[:min(len(body), 64)]), " \t\r\n")
	return strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[")
}

// Split cuts a batch of Event Streams. The id of a part is the CloudEvent's own.
func (Source) Split(d source.Delivery) ([]source.Delivery, error) {
	var parts []json.RawMessage
	if !strings.HasPrefix(strings.TrimLeft(string(d.Body[:min(len(d.Body), 64)]), " \t\r\n"), "[") {
		return []source.Delivery{d}, nil
	}
	if err := json.Unmarshal(d.Body, &parts); err != nil {
		return nil, err
	}
	all := make([]source.Delivery, len(parts))
	for i, p := range parts {
		all[i].Body = p
		if doc, bad := strictjson.Parse(p); bad == nil && doc.Text("specversion") != "" {
			all[i].ID = doc.Text("id")
		}
	}
	return all, nil
}

// Decode gives the event of a callback, a CloudEvent or a polled object.
func (Source) Decode(d source.Delivery) ([]event.Event, error) {
	doc, err := strictjson.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	var e event.Event
	var verdict *source.Verdict
	switch {
	case doc.Text("specversion") != "":
		e, verdict = cloudEvent(doc)
	case doc.Text("type") == kindCall:
		e, verdict = polledCall(doc)
	case doc.Text("type") == kindMessage:
		e, verdict = polledMessage(doc.Object("resource"))
	case doc.Get("form").IsObject():
		if e, verdict = callback(doc.Object("form"), doc.Time("received")); verdict == nil {
			verdict = bordered(doc.Object("form"))
		}
	default:
		e, verdict = callback(doc, time.Time{})
	}
	switch {
	case doc.Fault() != nil:
		return nil, doc.Fault()
	case verdict != nil:
		return nil, verdict
	case e.ID == "":
		return nil, source.Quarantine(fact.WhyBadField, "sid")
	case e.At.IsZero():
		return nil, source.Quarantine(fact.WhyBadTime, "timestamp")
	}
	return []event.Event{e}, nil
}

// fieldName is how Twilio names fields of a form.
var fieldName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// bordered refuses a form whose borders were moved. Twilio's signature covers names and values in one string, without what parts
// them, so Fro=m%2B1.. has the signature of From=%2B1..: a text without its sender. Twilio sends both addresses of every call and
// text, but the sender of a text that goes out, which may be drawn later.
func bordered(form strictjson.Value) *source.Verdict {
	for _, name := range form.Names() {
		if !fieldName.MatchString(name) {
			return source.Quarantine(fact.WhyBadField, "name")
		}
	}
	sends := form.Has("MessageSid") && form.Has("MessageStatus")
	switch {
	case !form.Has("To"):
		return source.Quarantine(fact.WhyBadField, "To")
	case !form.Has("From") && !sends:
		return source.Quarantine(fact.WhyBadField, "From")
	}
	return nil
}

// callback reads the fields of a webhook.
func callback(f strictjson.Value, received time.Time) (event.Event, *source.Verdict) {
	switch {
	case f.Has("TranscriptionSid"):
		return event.Event{}, source.Ignore(fact.WhySilentType) // its words are not taken
	case f.Has("RecordingSid"):
		return recordedCall(f, received)
	case f.Has("MessageSid"), f.Has("SmsSid"):
		return message(f, received)
	case f.Has("CallSid"):
		return call(f, received)
	}
	return event.Event{}, source.Quarantine(fact.WhyUnknownType, "CallSid")
}

// recordedCall reads that a recording has ended. Its audio is fetched after a verdict about the person: without one, the
// call that the API lists announces it.
func recordedCall(f strictjson.Value, received time.Time) (event.Event, *source.Verdict) {
	at := strictjson.FirstTime(moment(f, "RecordingStartTime"), received)
	if f.Text("RecordingStatus") != "completed" || f.Text("CallSid") == "" || f.Label("From") == "" || at.IsZero() {
		return event.Event{}, source.Ignore(fact.WhySilentType)
	}
	return event.Event{ID: f.Text("RecordingSid"), At: at, Party: party(f.Label("From")), Recorded: &event.Recorded{Call: f.Text("CallSid")}}, nil
}

// moment is the named time in either of Twilio's notations (RFC 2822, RFC 3339).
func moment(v strictjson.Value, name string) time.Time {
	s := v.Label(name)
	if s == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC1123Z, time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil && fact.Possible(t) {
			return t.UTC()
		}
	}
	v.Reject(name)
	return time.Time{}
}

// length is the named number of seconds, a number or a text.
func length(v strictjson.Value, name string) time.Duration {
	if s, isText := v.Get(name).AsText(); isText && s == "" {
		return 0
	}
	n, _ := v.NumberOrText(name)
	if n < 0 || n > 366*24*3600 {
		v.Reject(name)
		return 0
	}
	return time.Duration(n * float64(time.Second))
}

// withheld are the numbers that Twilio puts in place of one that the caller hides: words on a telephone's keys.
var withheld = map[string]bool{
	"+266696687": true, "+7378742833": true, "+2562533": true, "+86282452253": true, "+464": true, // ANONYMOUS, RESTRICTED, BLOCKED, UNAVAILABLE
}

// party is whoever an address belongs to. Channels are left out: whatsapp:+1.. is the same person as +1...
func party(address string) event.Party {
	if withheld[address] {
		return event.Party{Address: personal.New("anonymous")}
	}
	if channel, number, ok := strings.Cut(address, ":"); ok && (channel == "whatsapp" || channel == "rcs") {
		address = number
	}
	return event.Party{Address: personal.New(address)}
}

// inside reports an address of the business's own programs and desks.
func inside(address string) bool {
	return strings.HasPrefix(address, "client:") || strings.HasPrefix(address, "sip:") || strings.HasPrefix(address, "sips:")
}
