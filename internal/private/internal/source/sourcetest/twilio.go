package sourcetest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"murmur/internal/twiliotest"
)

// Twilio is a fake of Twilio's REST API: lists of calls and texts, beside the recordings of package twiliotest.
type Twilio struct {
	*twiliotest.Recordings
	Pager
	Calls, Messages []Object
}

// NewTwilio makes a fake with n calls, one in three with two legs, and as many texts, one each hour before now.
func NewTwilio(now time.Time, n int, faults ...Fault) *Twilio {
	t := &Twilio{Recordings: twiliotest.New(), Pager: Pager{Faults: faults}}
	for i := range n {
		at := now.Add(-time.Duration(i) * time.Hour).Truncate(time.Second)
		id := strconv.Itoa(i)
		status := []string{"completed", "no-answer", "busy"}[i%3]
		t.addCall("CA"+id, "", status, "inbound", "+12125550"+strconv.Itoa(100+i%800), "+18005550100", at, 90)
		if status == "completed" {
			t.addCall("CA"+id+"a", "CA"+id, "no-answer", "outbound-dial", "+12125550"+strconv.Itoa(100+i%800), "+18005550111", at.Add(5*time.Second), 0)
			t.addCall("CA"+id+"b", "CA"+id, "completed", "outbound-dial", "+12125550"+strconv.Itoa(100+i%800), "+18005550112", at.Add(20*time.Second), 60)
		}
		t.Messages = append(t.Messages, Object{"SM" + id, at, encoded(map[string]any{
			"sid": "SM" + id, "status": "delivered", "direction": "outbound-api", "from": "+18005550100", "to": "+12125550" + strconv.Itoa(100+i%800), "body": "We are open until six.",
			"num_media": "0", "error_code": nil, "date_sent": twiliotest.Time(at), "date_created": twiliotest.Time(at), "date_updated": twiliotest.Time(at.Add(time.Second)),
		})})
	}
	if t.has(UnknownType) {
		t.Calls = append(t.Calls, Object{"CAalien", now, encoded(map[string]any{"sid": "CAalien", "status": "beamed", "direction": "sideways", "start_time": twiliotest.Time(now)})}, Object{"", now, []byte(`"no object"`)})
	}
	if t.has(Future) {
		at := now.AddDate(70, 0, 0)
		t.addCall("CAfuture", "", "busy", "inbound", "+12125550100", "+18005550100", at, 0)
	}
	return t
}

func (t *Twilio) addCall(sid, parent, status, direction, from, to string, at time.Time, seconds int) {
	end := at.Add(time.Duration(seconds+10) * time.Second)
	t.Calls = append(t.Calls, Object{sid, at, encoded(map[string]any{
		"sid": sid, "parent_call_sid": text(parent), "status": status, "direction": direction, "from": from, "to": to, "duration": strconv.Itoa(seconds),
		"date_created": twiliotest.Time(at), "start_time": twiliotest.Time(at), "end_time": twiliotest.Time(end), "date_updated": twiliotest.Time(end),
	})})
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func encoded(v any) []byte {
	b, _ := json.Marshal(v) // cannot fail: texts and numbers
	return b
}

func (t *Twilio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, secret, ok := r.BasicAuth(); !ok || user != twiliotest.Account || secret != twiliotest.Token {
		failure(w, http.StatusUnauthorized)
		return
	}
	switch strings.TrimPrefix(r.URL.Path, twiliotest.Below) {
	case "Calls.json":
		t.list(w, r, "calls", "StartTime", t.Calls)
	case "Messages.json":
		t.list(w, r, "messages", "DateSent", t.Messages)
	case "Recordings.json":
		answer(w, map[string]any{"recordings": []any{}})
	default:
		t.Recordings.ServeHTTP(w, r)
	}
}

// list answers a page of calls or texts, or all the legs of a call.
func (t *Twilio) list(w http.ResponseWriter, r *http.Request, field, by string, all []Object) {
	q := r.URL.Query()
	if parent := q.Get("ParentCallSid"); parent != "" {
		legs := []json.RawMessage{}
		for _, o := range all {
			if strings.Contains(string(o.Body), `"parent_call_sid":"`+parent+`"`) {
				legs = append(legs, without(o.Body, nil, t.has(UnknownField)))
			}
		}
		answer(w, map[string]any{field: legs})
		return
	}
	from, _ := time.Parse(time.RFC3339, q.Get(by+">"))
	to, _ := time.Parse(time.RFC3339, q.Get(by+"<"))
	limit, err := strconv.Atoi(q.Get("PageSize"))
	if err != nil {
		limit = 50
	}
	page, next, ok := t.Page(all, from, to, q.Get("PageToken"), min(limit, 40))
	if !ok {
		failure(w, http.StatusBadRequest)
		return
	}
	items := []json.RawMessage{}
	for _, o := range page {
		items = append(items, without(o.Body, nil, t.has(UnknownField)))
	}
	body := map[string]any{field: items, "uri": r.URL.RequestURI(), "next_page_uri": nil}
	if next != "" {
		q.Set("PageToken", next)
		body["next_page_uri"] = r.URL.Path + "?" + q.Encode()
	}
	answer(w, body)
}
