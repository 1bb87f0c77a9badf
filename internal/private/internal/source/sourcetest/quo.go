package sourcetest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"murmur/internal/synth"
)

// Quo is a fake of Quo's dated API: the requests that package quo makes, answered as the vendor's documentation says.
type Quo struct {
	Pager
	Key string
	Org string
	// Calls hold their summary and voicemail; both are given only when they are asked for.
	Calls, Messages []Object
	Transcripts     map[string]json.RawMessage // of a call: the list of its segments
	NoTranscripts   bool                       // the plan has none: 403
	Webhook         string                     // URL of the one that is registered
	Lost            []LostDelivery

	signed atomic.Int64 // addresses of recordings given so far
	hook   sync.Mutex   // of Webhook
}

// LostDelivery is a webhook that did not arrive.
type LostDelivery struct {
	ID, EventID, Type string
	At                time.Time
	Body              json.RawMessage // its data: resource and context
}

// QuoKey is the API key of a fake.
const QuoKey = "synthetic-quo-key"

// NewQuo makes a fake that lists what a synthetic business did.
func NewQuo(l synth.Listed, faults ...Fault) *Quo {
	q := &Quo{Pager: Pager{Faults: faults}, Key: QuoKey, Org: "ORsynthetic", Transcripts: map[string]json.RawMessage{}}
	for _, c := range l.Calls {
		q.Calls = append(q.Calls, Object{c.ID, c.At, c.Body})
	}
	for _, t := range l.Texts {
		q.Messages = append(q.Messages, Object{t.ID, t.At, t.Body})
	}
	for call, segments := range l.Transcripts {
		q.Transcripts[call] = segments
	}
	now := time.Now()
	if q.has(UnknownType) {
		q.Calls = append(q.Calls, Object{"ACalien", now, []byte(`{"id":"ACalien","direction":"sideways","status":"beamed","createdAt":` + quoted(now) + `}`)}, Object{"", now, []byte(`"no object"`)})
	}
	if q.has(Future) {
		for _, at := range []time.Time{now.AddDate(80, 0, 0), now.Add(72 * time.Hour)} {
			q.Calls = append(q.Calls, Object{"ACfuture" + at.Format("2006"), at, []byte(`{"id":"ACfuture` + at.Format("2006") + `","direction":"incoming","status":"missed","createdAt":` + quoted(at) + `}`)})
		}
	}
	return q
}

func quoted(t time.Time) string { return strconv.Quote(t.UTC().Format(time.RFC3339)) }

func (q *Quo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Authorization") != q.Key:
		failure(w, http.StatusUnauthorized)
		return
	case r.Header.Get("Quo-Api-Version") != "2026-03-30":
		failure(w, http.StatusBadRequest)
		return
	}
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/webhooks":
		q.register(w, r)
	case r.URL.Path == "/organization":
		answer(w, map[string]any{"data": map[string]any{"id": q.Org}})
	case r.URL.Path == "/calls":
		q.list(w, r.URL.Query(), q.Calls, asked(r.URL.Query().Get("include")))
	case r.URL.Path == "/messages":
		q.list(w, r.URL.Query(), q.Messages, nil)
	case r.URL.Path == "/webhooks":
		answer(w, map[string]any{"data": q.webhooks()})
	case len(path) == 3 && path[0] == "calls" && path[2] == "transcripts":
		q.transcripts(w, path[1])
	case len(path) == 3 && path[0] == "calls" && path[2] == "recordings":
		answer(w, map[string]any{"data": q.recordings(path[1]), "nextCursor": nil})
	case len(path) >= 3 && path[0] == "webhooks" && path[2] == "events":
		q.deliveries(w, path[3:])
	default:
		failure(w, http.StatusNotFound)
	}
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// list answers a list. Its limit is 10 without one and 50 at most.
func (q *Quo) list(w http.ResponseWriter, v url.Values, all []Object, drop []string) {
	limit, err := strconv.Atoi(v.Get("limit"))
	if err != nil {
		limit = 10
	}
	from, _ := time.Parse(time.RFC3339Nano, v.Get("createdAt[gte]"))
	to, _ := time.Parse(time.RFC3339Nano, v.Get("createdAt[lte]"))
	page, next, ok := q.Page(all, from, to, v.Get("after"), min(max(limit, 1), 50))
	if !ok {
		failure(w, http.StatusBadRequest)
		return
	}
	data := []json.RawMessage{}
	for _, o := range page {
		data = append(data, without(o.Body, drop, q.has(UnknownField)))
	}
	out := map[string]any{"data": data, "nextCursor": nil}
	if next != "" {
		out["nextCursor"] = next
	}
	answer(w, out)
}

// asked are the sections that were not asked for.
func asked(include string) (drop []string) {
	for _, section := range []string{"summary", "voicemail"} {
		if !slices.Contains(strings.Split(include, ","), section) {
			drop = append(drop, section)
		}
	}
	return drop
}

// without leaves sections out of an object, and adds a field that nobody knows.
func without(body []byte, drop []string, extra bool) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return body
	}
	for _, name := range drop {
		delete(fields, name)
	}
	if extra {
		fields["zz_unknown"] = json.RawMessage(`{"id":7,"type":[]}`)
	}
	b, _ := json.Marshal(fields) // cannot fail: it was JSON
	return b
}

func (q *Quo) transcripts(w http.ResponseWriter, call string) {
	segments, ok := q.Transcripts[call]
	switch {
	case q.NoTranscripts:
		failure(w, http.StatusForbidden)
	case q.has(Deleted):
		failure(w, http.StatusNotFound)
	case !ok:
		answer(w, map[string]any{"data": []any{}, "nextCursor": nil})
	default:
		answer(w, map[string]any{"data": segments, "nextCursor": nil})
	}
}

// recordings gives one for each call with a transcript. The address holds for this answer alone.
func (q *Quo) recordings(call string) []any {
	if q.Transcripts[call] == nil {
		return []any{}
	}
	return []any{map[string]any{
		"id": "CR" + call, "status": "completed", "startTime": "2026-03-02T15:00:06Z", "duration": 60, "type": "audio/mpeg",
		"url": "https://media.example.com/" + call + ".mp3?signed=" + strconv.FormatInt(q.signed.Add(1), 10),
	}}
}

func (q *Quo) register(w http.ResponseWriter, r *http.Request) {
	var asked struct{ URL string }
	if json.NewDecoder(r.Body).Decode(&asked) != nil || asked.URL == "" {
		failure(w, http.StatusBadRequest)
		return
	}
	q.hook.Lock()
	q.Webhook = asked.URL
	q.hook.Unlock()
	answer(w, map[string]any{"data": map[string]any{"id": "1", "key": "whsec_c3ludGhldGljIHNlY3JldA=="}})
}

func (q *Quo) webhooks() []any {
	q.hook.Lock()
	defer q.hook.Unlock()
	if q.Webhook == "" {
		return []any{}
	}
	return []any{map[string]any{"id": "1", "orgId": q.Org, "url": q.Webhook, "status": "enabled"}}
}

func (q *Quo) deliveries(w http.ResponseWriter, id []string) {
	if len(id) == 0 {
		list := []any{}
		for _, d := range q.Lost {
			list = append(list, map[string]any{"id": d.ID, "eventId": d.EventID, "eventType": d.Type, "status": "failed", "createdAt": d.At})
		}
		answer(w, map[string]any{"data": list, "nextCursor": nil})
		return
	}
	for _, d := range q.Lost {
		if d.ID == id[0] {
			answer(w, map[string]any{"data": map[string]any{"id": d.ID, "eventType": d.Type, "createdAt": d.At, "requestBody": d.Body}})
			return
		}
	}
	failure(w, http.StatusNotFound)
}
