package connect

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/private/internal/source/delighted"
	"murmur/internal/private/internal/source/formbricks"
	"murmur/internal/private/internal/source/signature"
	"murmur/internal/private/internal/source/sourcetest"
	"murmur/internal/private/internal/source/twilio"
	"murmur/internal/private/internal/source/webhook"
	"murmur/internal/private/internal/source/zendesk"
	"murmur/internal/twiliotest"
)

// twilioURL is where a fake Twilio delivers to.
const twilioURL = "https://shop.example.com/in/twilio/synthetic"

// signTwilio signs a form as Twilio does: the URL, then each name with its value, by name.
func signTwilio(body []byte, _ time.Time) http.Header {
	params, _ := signature.Form(body)
	slices.SortFunc(params, func(a, b signature.Param) int { return strings.Compare(a.Name, b.Name) })
	m := hmac.New(sha1.New, []byte(twiliotest.Token))
	m.Write([]byte(twilioURL))
	for _, p := range params {
		m.Write([]byte(p.Name + p.Value))
	}
	h := http.Header{}
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	h.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))
	return h
}

func twilioSubject() sourcetest.Subject {
	form := twiliotest.Form(map[string]string{
		"CallSid": "CA1", "CallStatus": "completed", "CallDuration": "35", "Direction": "inbound", "From": "+12125550123", "To": "+18005550100",
		"Timestamp": "Mon, 02 Mar 2026 10:00:00 +0000", "CallerCity": "", "ForwardedFrom": "",
	})
	return sourcetest.Subject{
		Name: "twilio", Source: twilio.Source{}.At(twilioURL), Secret: twiliotest.Token, Sign: signTwilio, Signed: string(form),
		Bodies: []string{
			`{"CallSid":"CA1","CallStatus":"completed","CallDuration":"35","Direction":"inbound","From":"+12125550123","To":"+18005550100","Timestamp":"Mon, 02 Mar 2026 10:00:00 +0000"}`,
			`{"received":"2026-03-02T10:00:00Z","form":{"MessageSid":"SM1","SmsStatus":"received","From":"+12125550123","To":"+18005550100","Body":"Are you open?","NumMedia":"0"}}`,
			`{"specversion":"1.0","type":"com.twilio.messaging.message.delivered","id":"EZ1","data":{"messageSid":"SM2","timestamp":"2026-03-02T10:00:00Z","from":"+18005550100","to":"+12125550123","messageStatus":"DELIVERED"}}`,
			`{"specversion":"1.0","type":"com.twilio.studio.flow.step.ended","id":"EZ2","data":{"execution_sid":"FN1","step_sid":"FT1","flow_sid":"FW1","flow_revision":7,"started_by":"CA1","name":"match","transitioned_from":"split_1","transitioned_to":"connect_sales","date_created":"2026-03-02T10:00:00Z","date_updated":"2026-03-02T10:00:05Z","context":{"trigger":{"call":{"From":"+12125550123"}}}}}`,
		},
		Unknown: `{"specversion":"1.0","type":"com.twilio.seance.held","id":"EZ3","data":{}}`,
		Key:     twiliotest.Key,
		Vendor: func(now time.Time, faults []sourcetest.Fault) http.Handler {
			return sourcetest.NewTwilio(now, 120, faults...)
		},
	}
}

func hexMAC(key, body string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(body))
	return hex.EncodeToString(m.Sum(nil))
}

// mapping is of an invented tool that puts its answers into a list.
const mapping = `
signature: {kind: hmac-hex, header: X-Bellweather-Signature, prefix: "v1="}
only: {field: kind, is: answered}
id: answer.id
at: answer.at
updated: answer.changed
score: answer.values.0.score
comment: answer.values.1.words
phone: answer.phone
scale: csat
words: {Great: 5, Awful: 1}
`

func surveys(t *testing.T) []sourcetest.Subject {
	t.Helper()
	hook, err := webhook.Source{}.With([]byte(mapping))
	if err != nil {
		t.Fatal(err)
	}
	carried := func(body string) string {
		d, err := hook.Verify(http.Header{"X-Bellweather-Signature": {"v1=" + hexMAC("s", body)}}, []byte(body), []string{"s"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return string(d.Body)
	}
	return []sourcetest.Subject{
		{
			Name: "delighted", Source: delighted.Source{}, Secret: "delighted key",
			Sign: func(body []byte, _ time.Time) http.Header {
				return http.Header{"X-Delighted-Webhook-Signature": {"sha256=" + hexMAC("delighted key", string(body))}}
			},
			Bodies: []string{
				`{"event_type":"survey_response.created","event_id":"e1","event_data":{"id":"1","person":{"email":"ann@example.com"},"survey_type":"nps","score":"9","comment":null,"created_at":1772445600,"updated_at":1772445600}}`,
				`{"event_type":"survey_response.updated","event_id":"e2","event_data":{"id":"1","person":{"email":"ann@example.com"},"survey_type":"ces","score":7,"comment":"Easy.","created_at":1772445600,"updated_at":1772445900}}`,
			},
			Unknown: `{"event_type":"survey_response.dreamt","event_data":{"id":"1"}}`,
		},
		{
			Name: "formbricks", Source: formbricks.Source{}, Secret: secret, Sign: signStandard, Dated: true,
			Bodies: []string{
				`{"webhookId":"w","event":"responseFinished","data":{"id":"r1","surveyId":"s1","createdAt":"2026-03-02T10:00:00Z","updatedAt":"2026-03-02T10:01:00Z","finished":true,"data":{"nps":9,"csat-agent":"4","why":"Quick."},"contactAttributes":{"email":"ann@example.com"}}}`,
			},
			Unknown: `{"event":"responseDreamt","data":{"id":"r1"}}`,
		},
		{
			Name: "webhook", Source: hook, Secret: "webhook secret",
			Sign: func(body []byte, _ time.Time) http.Header {
				return http.Header{"X-Bellweather-Signature": {"v1=" + hexMAC("webhook secret", string(body))}}
			},
			Bodies: []string{
				carried(`{"kind":"answered","answer":{"id":7,"at":"2026-03-02T10:00:00Z","values":[{"score":"great"},{"words":"Thank you."}],"phone":"+12125550123"}}`),
				carried(`{"kind":"answered","answer":{"id":8,"at":1772445600,"values":[{"score":3}]}}`),
			},
			Unknown: carried(`{"answer":{"id":9}}`),
		},
		{
			Name: "zendesk", Source: zendesk.Source{}, Secret: "zendesk secret", Dated: true,
			Sign: func(body []byte, at time.Time) http.Header {
				stamp := at.UTC().Format(time.RFC3339)
				h := http.Header{}
				h.Set("X-Zendesk-Webhook-Signature", mac([]byte("zendesk secret"), stamp+string(body)))
				h.Set("X-Zendesk-Webhook-Signature-Timestamp", stamp)
				return h
			},
			Bodies: []string{
				`{"satisfaction_rating":{"ticket_id":"77","score":"Good","comment":"Quick.","updated_at":"2026-03-02T10:00:00Z","requester":{"email":"ann@example.com","name":"Ann"}}}`,
				`{"satisfaction_rating":{"ticket_id":78,"score":4,"comment":"","updated_at":"2026-03-02T10:00:00Z","requester_id":5}}`,
			},
			Unknown: `{"ticket":{"id":77}}`,
		},
	}
}
