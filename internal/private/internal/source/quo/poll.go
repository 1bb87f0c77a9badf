package quo

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"murmur/internal/private/internal/source"
)

// The dated API (https://www.quo.com/docs/2026-03-30): a key as it stands in Authorization, a date in
// Quo-Api-Version, 10 requests a second a key, at most 50 objects a page, newest first, cursors that live shortly.
const (
	apiBase    = "https://api.quo.com"
	apiVersion = "2026-03-30"
	apiRate    = 10
	pageSize   = 50
)

// Polling implements source.Poller. Calls and texts come first; what was said, with the policy's leave; deliveries
// that did not arrive are looked for each hour, for what the lists do not hold.
func (Source) Polling() source.Polling {
	return source.Polling{
		Base: apiBase, Rate: apiRate,
		Authorize: func(key string) map[string]string {
			return map[string]string{"Authorization": key, "Quo-Api-Version": apiVersion}
		},
		Account: account,
		Lists: []source.List{
			{Name: "calls", Page: listCalls},
			{Name: "messages", Page: listMessages},
			{Name: "words", Words: true, Page: listWords},
			{Name: "deliveries", Rest: time.Hour, Page: listDeliveries},
		},
		Trials: []source.Trial{
			{Name: "transcripts", Ask: tryPath("/calls/ACnone/transcripts")}, // only some plans have them: 403
			{Name: "recordings", Ask: tryPath("/calls/ACnone/recordings")},
			{Name: "webhooks", Ask: tryPath("/webhooks")},
		},
	}
}

func tryPath(path string) func(context.Context, source.API) error {
	return func(ctx context.Context, api source.API) error {
		_, err := api.Ask(ctx, source.Request{Path: path})
		return err
	}
}

// account is the id of the organization; some keys may not ask.
func account(ctx context.Context, api source.API) (string, error) {
	b, err := api.Ask(ctx, source.Request{Path: "/organization"})
	if err != nil {
		return "", err
	}
	var answer struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(b, &answer) != nil {
		return "", nil
	}
	return answer.Data.ID, nil
}

// list asks for one page of objects.
func list(ctx context.Context, api source.API, path string, q source.Query, include string) (items []json.RawMessage, next string, err error) {
	v := url.Values{"limit": {strconv.Itoa(pageSize)}}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if include != "" {
		v.Set("include", include)
	}
	if !q.From.IsZero() {
		v.Set("createdAt[gte]", q.From.UTC().Format(time.RFC3339Nano))
	}
	if !q.To.IsZero() {
		v.Set("createdAt[lte]", q.To.UTC().Format(time.RFC3339Nano))
	}
	if q.Cursor != "" {
		v.Set("after", q.Cursor)
	}
	b, err := api.Ask(ctx, source.Request{Path: path, Query: v})
	if err != nil {
		return nil, "", err
	}
	var page struct {
		Data       []json.RawMessage `json:"data"`
		NextCursor string            `json:"nextCursor"`
	}
	if json.Unmarshal(b, &page) != nil {
		return nil, "", source.TroubleCut
	}
	return page.Data, page.NextCursor, nil
}

// live are the states of a call that goes on.
var live = map[string]bool{"queued": true, "initiated": true, "ringing": true, "in-progress": true}

// listCalls gives calls without their words: a call and its words are separate deliveries, each with its own
// state. The voicemail is asked for since the webhook of a call says whether there is one.
func listCalls(ctx context.Context, api source.API, q source.Query) (source.Page, error) {
	objects, next, err := list(ctx, api, "/calls", q, "voicemail")
	if err != nil {
		return source.Page{}, err
	}
	page := source.Page{Next: next}
	for _, raw := range objects {
		c := readCall(raw)
		i := source.Item{At: c.CreatedAt, Open: live[c.Status]}
		if !i.Open {
			i.Delivery = c.delivery(raw)
		}
		page.Items = append(page.Items, i)
	}
	return page, nil
}

func listMessages(ctx context.Context, api source.API, q source.Query) (source.Page, error) {
	objects, next, err := list(ctx, api, "/messages", q, "")
	if err != nil {
		return source.Page{}, err
	}
	page := source.Page{Next: next}
	for _, raw := range objects {
		var m struct {
			ID        string    `json:"id"`
			Status    string    `json:"status"`
			Direction string    `json:"direction"`
			CreatedAt time.Time `json:"createdAt"`
			UpdatedAt time.Time `json:"updatedAt"`
		}
		ok := json.Unmarshal(raw, &m) == nil
		i := source.Item{
			At:       m.CreatedAt,
			Delivery: polled(kindMessage, version(m.ID, m.UpdatedAt, m.Status), raw, nil),
			Open:     ok && m.Direction == "outgoing" && (m.Status == "queued" || m.Status == "sent"),
		}
		page.Items = append(page.Items, i)
	}
	return page, nil
}

// version names an object in one state; an object without an id is named by its bytes.
func version(id string, updated time.Time, states ...string) string {
	if id == "" {
		return ""
	}
	return "rest/" + id + "@" + updated.UTC().Format(time.RFC3339Nano) + "/" + strings.Join(states, "/")
}

// polled wraps an object as a webhook would: what the object lacks of a webhook's context goes beside it.
func polled(kind, id string, resource json.RawMessage, about *people) source.Delivery {
	body, err := json.Marshal(map[string]any{"type": kind, "data": map[string]any{"resource": resource, "context": about}})
	if err != nil { // an object that cannot be wrapped goes to quarantine as it is
		body = resource
	}
	return source.Delivery{ID: id, Body: body}
}

// listed is what polling reads of a call; everything else passes unread.
type listed struct {
	ID           string    `json:"id"`
	Status       string    `json:"status"`
	Direction    string    `json:"direction"`
	NumberID     string    `json:"phoneNumberId"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
	AnsweredAt   time.Time `json:"answeredAt"`
	CompletedAt  time.Time `json:"completedAt"`
	Duration     float64   `json:"duration"`
	Participants []struct {
		PhoneNumber string  `json:"phoneNumber"`
		ActorID     *string `json:"actorId"`
	} `json:"participants"`
	Summary   json.RawMessage `json:"summary"`
	Voicemail json.RawMessage `json:"voicemail"`

	broken bool // it could not be read: it goes to quarantine as it is
}

func readCall(raw json.RawMessage) (c listed) {
	if json.Unmarshal(raw, &c) != nil {
		return listed{broken: true}
	}
	return c
}

// people is the part of a webhook's context that says who spoke with whom.
type people struct {
	NumberID     string `json:"phoneNumberId,omitempty"`
	Participants struct {
		Workspace []string `json:"workspace"`
		External  []string `json:"external"`
	} `json:"participants"`
}

// people tells the sides apart: who belongs to the workspace has an actor.
func (c listed) people() *people {
	p := &people{NumberID: c.NumberID}
	for _, who := range c.Participants {
		if who.ActorID == nil {
			p.Participants.External = append(p.Participants.External, who.PhoneNumber)
		} else {
			p.Participants.Workspace = append(p.Participants.Workspace, who.PhoneNumber)
		}
	}
	return p
}

// delivery is the call alone: who took part goes into the context, what was said is left out.
func (c listed) delivery(raw json.RawMessage) source.Delivery {
	var fields map[string]json.RawMessage
	if c.broken || json.Unmarshal(raw, &fields) != nil || fields == nil {
		return polled(kindCall, "", raw, nil)
	}
	for _, name := range []string{"participants", "summary", "voicemail"} {
		delete(fields, name)
	}
	fields["hasVoicemail"] = json.RawMessage("false")
	voicemail := ""
	if given(c.Voicemail) {
		fields["hasVoicemail"], voicemail = json.RawMessage("true"), "voicemail"
	}
	resource, err := json.Marshal(fields)
	if err != nil {
		resource = raw
	}
	return polled(kindCall, version(c.ID, c.UpdatedAt, c.Status, voicemail), resource, c.people())
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// listDeliveries looks for webhooks that did not arrive. The lists hold the same calls and texts; choices in a phone
// menu are in webhooks alone, so those are fetched.
func listDeliveries(ctx context.Context, api source.API, q source.Query) (source.Page, error) {
	hook, err := ownWebhook(ctx, api, q.Mine)
	if err != nil || hook == "" {
		return source.Page{}, err
	}
	path := "/webhooks/" + url.PathEscape(hook) + "/events"
	objects, next, err := list(ctx, api, path, source.Query{Cursor: q.Cursor, Limit: q.Limit}, "")
	if err != nil {
		return source.Page{}, err
	}
	page := source.Page{Next: next}
	for _, raw := range objects {
		var d struct {
			ID, EventID, EventType, Status string
			CreatedAt                      time.Time
		}
		if json.Unmarshal(raw, &d) != nil || d.ID == "" {
			continue
		}
		i := source.Item{At: d.CreatedAt, Delivery: source.Delivery{ID: d.ID + "/" + d.Status}}
		if d.EventType == "call.menu.selected" && d.Status != "success" {
			i.More = func(ctx context.Context, api source.API) ([]source.Delivery, bool, error) {
				return fetchDelivery(ctx, api, path+"/"+url.PathEscape(d.ID), d.ID, d.EventID)
			}
		}
		page.Items = append(page.Items, i)
	}
	return page, nil
}

// ownWebhook is the id of the webhook that points here; empty when there is none.
func ownWebhook(ctx context.Context, api source.API, mine func(string) bool) (string, error) {
	if mine == nil {
		return "", nil
	}
	b, err := api.Ask(ctx, source.Request{Path: "/webhooks"})
	if err != nil {
		return "", err
	}
	var answer struct {
		Data []struct{ ID, URL string }
	}
	if json.Unmarshal(b, &answer) != nil {
		return "", nil
	}
	for _, w := range answer.Data {
		if mine(w.URL) {
			return w.ID, nil
		}
	}
	return "", nil
}

// fetchDelivery makes the body of a webhook again from its log. Its id is the one the webhook carries: whichever
// comes second is a duplicate.
func fetchDelivery(ctx context.Context, api source.API, path, id, eventID string) ([]source.Delivery, bool, error) {
	b, err := api.Ask(ctx, source.Request{Path: path})
	if err != nil {
		return nil, false, err
	}
	var answer struct {
		Data struct {
			EventType   string          `json:"eventType"`
			CreatedAt   string          `json:"createdAt"`
			RequestBody json.RawMessage `json:"requestBody"`
		} `json:"data"`
	}
	if json.Unmarshal(b, &answer) != nil || !given(answer.Data.RequestBody) {
		return nil, false, nil
	}
	body, err := json.Marshal(map[string]any{
		"id": eventID, "type": answer.Data.EventType, "createdAt": answer.Data.CreatedAt, "data": answer.Data.RequestBody,
	})
	if err != nil {
		return nil, false, nil
	}
	return []source.Delivery{{ID: id, Body: body}}, false, nil
}

// Register implements source.Registrar: one webhook for all numbers, with every type that says something.
func (Source) Register(ctx context.Context, api source.API, to string) (string, error) {
	body, err := json.Marshal(map[string]any{"url": to, "label": "murmur", "resourceIds": []string{"*"}, "events": []string{
		"call.completed", "call.missed", "call.forwarded", "call.menu.selected", "call.recording.completed", "call.transcript.completed",
		"call.summary.completed", "call.voicemail.completed", "message.received", "message.delivered", "message.failed", "message.undelivered",
	}})
	if err != nil {
		return "", err
	}
	b, err := api.Ask(ctx, source.Request{Method: "POST", Path: "/webhooks", Body: body})
	if err != nil {
		return "", err
	}
	var answer struct {
		Data struct{ Key string }
	}
	if json.Unmarshal(b, &answer) != nil || answer.Data.Key == "" {
		return "", source.TroubleCut
	}
	return answer.Data.Key, nil
}
