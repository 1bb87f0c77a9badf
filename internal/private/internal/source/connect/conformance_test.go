package connect

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"testing"
	"time"

	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/native"
	"murmur/internal/private/internal/source/quo"
	"murmur/internal/private/internal/source/sourcetest"
	"murmur/internal/private/internal/source/typeform"
	"murmur/internal/private/internal/source/vcon"
	"murmur/internal/synth"
)

const secret = "whsec_c3ludGhldGljIHNlY3JldCBvZiAzMiBieXRlcyBsb25nISE="

func mac(key []byte, s string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(s))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func signStandard(body []byte, at time.Time) http.Header {
	key, _ := base64.StdEncoding.DecodeString(secret[len("whsec_"):])
	stamp := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set("Webhook-Id", "msg_1")
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", "v1,"+mac(key, "msg_1."+stamp+"."+string(body)))
	return h
}

// week is a synthetic business that has just had a week.
func week(now time.Time) (*synth.Business, []synth.Day) {
	start := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC).AddDate(0, 0, -7)
	return synth.Days(synth.Config{Seed: 5, Start: start, Zone: time.UTC, Contacts: 400}, 7)
}

func subjects(t *testing.T) []sourcetest.Subject {
	t.Helper()
	b, days := week(time.Date(2000, 1, 31, 0, 0, 0, 0, time.UTC)) // where the polling of the suite begins
	var form []byte
	for _, d := range days {
		for _, a := range b.Typeform(d) {
			form = a.Body
		}
	}
	hooks := b.Quo(days[2])
	var bodies []string
	kinds := map[string]bool{}
	for _, h := range hooks {
		events, err := quo.Source{}.Decode(delivery(h.Body))
		if err == nil && !kinds[events[0].Kind().String()] {
			kinds[events[0].Kind().String()] = true
			bodies = append(bodies, string(h.Body))
		}
	}
	recorded := ""
	for call := range b.QuoListed(days).Transcripts {
		recorded = call
	}
	return []sourcetest.Subject{
		{
			Name: "native", Source: native.Source{}, Secret: secret, Sign: signStandard, Dated: true,
			Bodies:  []string{`{"schema":"murmur.v1","type":"call","source_id":"c1","occurred_at":"2026-03-02T10:00:00Z","party":{"address":"+12125550123"},"direction":"in","outcome":"answered"}`},
			Unknown: `{"schema":"murmur.v1","type":"seance","source_id":"c1","occurred_at":"2026-03-02T10:00:00Z"}`,
		},
		{
			Name: "quo", Source: quo.Source{}, Secret: secret, Sign: signStandard, Dated: true, Bodies: bodies,
			Unknown: `{"id":"EV1","type":"call.teleported","createdAt":"2026-03-02T10:00:00Z","data":{"resource":{"id":"AC1"}}}`,
			Key:     sourcetest.QuoKey, Recorded: recorded,
			Vendor: func(_ time.Time, faults []sourcetest.Fault) http.Handler {
				return sourcetest.NewQuo(b.QuoListed(days), faults...)
			},
		},
		{
			Name: "typeform", Source: typeform.Source{}, Secret: "typeform secret",
			Sign: func(body []byte, _ time.Time) http.Header {
				return http.Header{"Typeform-Signature": {"sha256=" + mac([]byte("typeform secret"), string(body))}}
			},
			Bodies:  []string{string(form)},
			Unknown: `{"event_id":"e1","event_type":"form_seance","form_response":{}}`,
		},
		{
			Name: "vcon", Source: vcon.Source{}, Secret: secret, Sign: signStandard, Dated: true,
			Bodies: []string{
				`{"uuid":"u1","parties":[{"tel":"+12125550123","role":"customer"},{"tel":"+12125550100","role":"agent"}],"dialog":[{"type":"recording","start":"2026-03-02T10:00:00Z","duration":60,"parties":[0,1]}],"analysis":[{"type":"transcript","dialog":0,"body":[{"speaker":"Agent","message":"Hello"}]}]}`,
				`{"uuid":"u2","parties":[{"tel":"+12125550123","role":"customer"}],"dialog":[{"type":"text","start":"2026-03-02T10:00:00Z","parties":0,"body":"Hello"}]}`,
			},
			Unknown: `{"uuid":"u3","critical":["seance"],"parties":[]}`,
		},
		twilioSubject(),
	}
}

// TestConformance holds every connector to what all promise: go test ./... -run Conformance -v lists them.
func TestConformance(t *testing.T) {
	t.Parallel()
	all := append(subjects(t), surveys(t)...)
	if len(all) != len(Kinds()) {
		t.Errorf("%d connectors are held to the suite, there are %d", len(all), len(Kinds()))
	}
	sourcetest.Conformance(t, all)
}

func delivery(body []byte) source.Delivery { return source.Delivery{Body: body} }
