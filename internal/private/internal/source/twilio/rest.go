package twilio

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/strictjson"
)

// The REST API (https://www.twilio.com/docs/usage/api): basic authentication, an account in the path, lists newest first
// with a link to the next page. Twilio limits requests at once, not a second; this stays well below.
const (
	apiBase  = "https://api.twilio.com"
	apiRate  = 20
	pageSize = 200
)

// The kinds of polled objects: {"type":KIND,..}.
const (
	kindCall    = "rest.call"
	kindMessage = "rest.message"
)

// key is an API key as murmur takes it: ACCOUNT:TOKEN with the auth token, or ACCOUNT:KEY:SECRET with an API key.
type key struct{ account, user, secret string }

func readKey(s string) key {
	account, rest, _ := strings.Cut(s, ":")
	if user, secret, ok := strings.Cut(rest, ":"); ok {
		return key{account, user, secret}
	}
	return key{account, account, rest}
}

// SigningSecret implements source.Keyed: webhooks are signed with the auth token.
func (Source) SigningSecret(apiKey string) string {
	if k := readKey(apiKey); k.user == k.account {
		return k.secret
	}
	return ""
}

// Polling implements source.Poller. Words need no list of their own: a text was written to the business, and what was said
// in calls is not polled.
func (Source) Polling() source.Polling {
	return source.Polling{
		Base: apiBase, Rate: apiRate,
		Authorize: func(apiKey string) map[string]string {
			k := readKey(apiKey)
			return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(k.user+":"+k.secret))}
		},
		Within:  func(apiKey string) string { return "/2010-04-01/Accounts/" + url.PathEscape(readKey(apiKey).account) },
		Account: account,
		Lists:   []source.List{{Name: "calls", Page: listCalls}, {Name: "messages", Page: listMessages}},
		Trials: []source.Trial{{Name: "recordings", Ask: func(ctx context.Context, api source.API) error {
			_, err := api.Ask(ctx, source.Request{Path: "/Recordings.json", Query: url.Values{"PageSize": {"1"}}})
			return err
		}}},
	}
}

// account is read from the address of a list.
func account(ctx context.Context, api source.API) (string, error) {
	b, err := api.Ask(ctx, source.Request{Path: "/Calls.json", Query: url.Values{"PageSize": {"1"}}})
	if err != nil {
		return "", err
	}
	var answer struct {
		URI string `json:"uri"`
	}
	if json.Unmarshal(b, &answer) != nil {
		return "", nil
	}
	_, rest, _ := strings.Cut(answer.URI, "/Accounts/")
	sid, _, _ := strings.Cut(rest, "/")
	return sid, nil
}

// about is the query for the first page of what happened within a query's bounds; a cursor is the query of a further one.
func about(q source.Query, field string) (url.Values, error) {
	if q.Cursor != "" {
		v, err := url.ParseQuery(q.Cursor)
		if err != nil {
			return nil, source.TroubleCursor
		}
		return v, nil
	}
	v := url.Values{"PageSize": {strconv.Itoa(pageSize)}}
	if q.Limit > 0 {
		v.Set("PageSize", strconv.Itoa(q.Limit))
	}
	if !q.From.IsZero() {
		v.Set(field+">", q.From.UTC().Format(time.RFC3339))
	}
	if !q.To.IsZero() { // whole seconds are all that Twilio knows
		v.Set(field+"<", q.To.UTC().Add(time.Second-1).Format(time.RFC3339))
	}
	return v, nil
}

// list asks for one page of the objects in a field. next is the query of the page after it.
func list(ctx context.Context, api source.API, path, field string, v url.Values) (items []json.RawMessage, next string, err error) {
	b, err := api.Ask(ctx, source.Request{Path: path, Query: v})
	if err != nil {
		return nil, "", err
	}
	var page struct {
		Next string `json:"next_page_uri"`
	}
	var objects map[string]json.RawMessage
	if json.Unmarshal(b, &page) != nil || json.Unmarshal(b, &objects) != nil {
		return nil, "", source.TroubleCut
	}
	if raw, ok := objects[field]; !ok || json.Unmarshal(raw, &items) != nil {
		return nil, "", source.TroubleCut
	}
	if u, err := url.Parse(page.Next); err == nil {
		next = u.RawQuery
	}
	return items, next, nil
}

// listCalls gives calls with their legs. A leg is not an item of its own: whichever page it is on, its call asks for it.
func listCalls(ctx context.Context, api source.API, q source.Query) (source.Page, error) {
	v, err := about(q, "StartTime")
	if err != nil {
		return source.Page{}, err
	}
	objects, next, err := list(ctx, api, "/Calls.json", "calls", v)
	if err != nil {
		return source.Page{}, err
	}
	page := source.Page{Next: next}
	for _, raw := range objects {
		page.Items = append(page.Items, callItem(raw))
	}
	return page, nil
}

func callItem(raw json.RawMessage) source.Item {
	doc, bad := strictjson.Parse(raw)
	l := listedLeg(doc)
	i := source.Item{At: l.began}
	switch {
	case bad != nil || doc.Fault() != nil || l.id == "": // it goes to quarantine as it is
		i.Delivery = source.Delivery{Body: wrapped(kindCall, map[string]json.RawMessage{"call": raw})}
	case l.parent != "":
	case goesOn[l.status]:
		i.Open = true
	default:
		id := version(l.id, l.status, doc.Label("date_updated"))
		i.Delivery.ID = id
		i.More = func(ctx context.Context, api source.API) ([]source.Delivery, bool, error) {
			return withLegs(ctx, api, id, l, raw)
		}
	}
	return i
}

// withLegs is a finished call with the legs that its Dials added. Only a call that was answered, if by a program, has some.
func withLegs(ctx context.Context, api source.API, id string, l leg, raw json.RawMessage) ([]source.Delivery, bool, error) {
	legs := []json.RawMessage{}
	if l.status == "completed" {
		var err error
		if legs, _, err = list(ctx, api, "/Calls.json", "calls", url.Values{"ParentCallSid": {l.id}, "PageSize": {strconv.Itoa(pageSize)}}); err != nil {
			return nil, false, err
		}
	}
	for _, leg := range legs {
		if doc, bad := strictjson.Parse(leg); bad == nil && goesOn[doc.Text("status")] {
			return nil, true, nil
		}
	}
	all, err := json.Marshal(legs)
	if err != nil {
		return nil, false, nil // cannot be: they were JSON
	}
	return []source.Delivery{{ID: id, Body: wrapped(kindCall, map[string]json.RawMessage{"call": raw, "legs": all})}}, false, nil
}

func listMessages(ctx context.Context, api source.API, q source.Query) (source.Page, error) {
	v, err := about(q, "DateSent")
	if err != nil {
		return source.Page{}, err
	}
	objects, next, err := list(ctx, api, "/Messages.json", "messages", v)
	if err != nil {
		return source.Page{}, err
	}
	page := source.Page{Next: next}
	for _, raw := range objects {
		i := source.Item{Delivery: source.Delivery{Body: wrapped(kindMessage, map[string]json.RawMessage{"resource": raw})}}
		if doc, bad := strictjson.Parse(raw); bad == nil && doc.Text("sid") != "" {
			status := doc.Text("status")
			i.At = strictjson.FirstTime(moment(doc, "date_sent"), moment(doc, "date_created"))
			i.Delivery.ID = version(doc.Text("sid"), status, doc.Label("date_updated"))
			i.Open = status == "queued" || status == "sending" || status == "sent" || status == "accepted" || status == "scheduled"
		}
		page.Items = append(page.Items, i)
	}
	return page, nil
}

// version names an object in one state.
func version(sid, status, updated string) string { return "rest/" + sid + "@" + updated + "/" + status }

// wrapped is {"type":kind, parts..}; a part that is no JSON makes a body that goes to quarantine.
func wrapped(kind string, parts map[string]json.RawMessage) []byte {
	parts["type"] = json.RawMessage(strconv.Quote(kind))
	b, err := json.Marshal(parts)
	if err != nil {
		return []byte(kind)
	}
	return b
}

// Media implements source.Fetcher. Twilio's addresses do not expire, and they take the key.
func (Source) Media(ctx context.Context, api source.API, call string) ([]source.Media, error) {
	recordings, err := recordingsOf(ctx, api, call)
	var out []source.Media
	for _, r := range recordings {
		m := source.Media{ID: r.SID, Type: "audio/x-wav"}
		m.Seconds, _ = strconv.ParseFloat(r.Duration, 64)
		m.Start, _ = time.Parse(time.RFC1123Z, r.Start)
		if r.Status == "completed" {
			m.URL = cmp.Or(r.MediaURL, apiBase+strings.TrimSuffix(r.URI, ".json")) + ".wav"
		}
		out = append(out, m)
	}
	return out, err
}

type recorded struct {
	SID      string `json:"sid"`
	Status   string `json:"status"`
	Duration string `json:"duration"`
	Start    string `json:"start_time"`
	URI      string `json:"uri"`
	MediaURL string `json:"media_url"`
}

// recordingsOf lists the recordings of a call that Twilio still has. A call that it does not know has none.
func recordingsOf(ctx context.Context, api source.API, call string) ([]recorded, error) {
	var out []recorded
	var v url.Values
	for {
		objects, next, err := list(ctx, api, recordings(call)+".json", "recordings", v)
		if errors.Is(err, source.TroubleMissing) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for _, raw := range objects {
			var r recorded
			if json.Unmarshal(raw, &r) != nil || r.SID == "" {
				return nil, source.TroubleCut
			}
			if r.Status != "deleted" && r.Status != "absent" {
				out = append(out, r)
			}
		}
		if next == "" {
			return out, nil
		}
		if v, err = about(source.Query{Cursor: next}, ""); err != nil {
			return nil, err
		}
	}
}
