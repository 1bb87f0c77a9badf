package sourcetest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// TwilioKey is the API key of a fake, ACCOUNT:TOKEN.
const (
	TwilioAccount = "ACsynthetic"
	TwilioToken   = "synthetic-auth-token"
	TwilioKey     = TwilioAccount + ":" + TwilioToken
)

// Harm is what becomes of one request.
type Harm int

// The harms.
const (
	Unharmed Harm = iota
	Fails         // 500, and nothing was done
	Lost          // it was done, and the answer is a 500
)

// Twilio is a fake of Twilio's REST API: lists of calls and texts, and recordings that start, stop and are deleted.
type Twilio struct {
	Pager
	Calls, Messages []Object
	// Harm decides about each request of the recordings; nil: none is harmed.
	Harm func(*http.Request) Harm
	// Delay is waited before a request is carried out, and again before its answer: half a round trip.
	Delay time.Duration
	// Seen is told of each request as it arrives.
	Seen func(*http.Request)

	mu          sync.Mutex
	running     map[string]string   // of a call: its recording
	recordings  map[string][]string // of a call: all of them
	transcripts map[string][]string // of a recording
	ever        map[string][]string // of a call: all that there ever were
	made        int
	media       int
}

// twilioTime is Twilio's notation.
func twilioTime(t time.Time) string { return t.UTC().Format(time.RFC1123Z) }

// NewTwilio makes a fake with n calls, one in three with two legs, and as many texts, one each hour before now.
func NewTwilio(now time.Time, n int, faults ...Fault) *Twilio {
	t := &Twilio{Pager: Pager{Faults: faults}, running: map[string]string{}, recordings: map[string][]string{}, transcripts: map[string][]string{}, ever: map[string][]string{}}
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
			"num_media": "0", "error_code": nil, "date_sent": twilioTime(at), "date_created": twilioTime(at), "date_updated": twilioTime(at.Add(time.Second)),
		})})
	}
	if t.has(UnknownType) {
		t.Calls = append(t.Calls, Object{"CAalien", now, encoded(map[string]any{"sid": "CAalien", "status": "beamed", "direction": "sideways", "start_time": twilioTime(now)})}, Object{"", now, []byte(`"no object"`)})
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
		"date_created": twilioTime(at), "start_time": twilioTime(at), "end_time": twilioTime(end), "date_updated": twilioTime(end),
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

// Left counts the recordings and transcripts that the fake still has of a call, and those that run.
func (t *Twilio) Left(call string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.recordings[call])
	for _, r := range t.ever[call] {
		n += len(t.transcripts[r])
	}
	if t.running[call] != "" {
		n++
	}
	return n
}

// Media counts how often somebody asked for the audio of a recording.
func (t *Twilio) Media() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.media
}

func (t *Twilio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t.Seen != nil {
		t.Seen(r)
	}
	if user, secret, ok := r.BasicAuth(); !ok || user != TwilioAccount || secret != TwilioToken {
		failure(w, http.StatusUnauthorized)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/2010-04-01/Accounts/"+TwilioAccount+"/")
	if !ok {
		failure(w, http.StatusNotFound)
		return
	}
	switch path {
	case "Calls.json":
		t.list(w, r, "calls", "StartTime", t.Calls)
	case "Messages.json":
		t.list(w, r, "messages", "DateSent", t.Messages)
	case "Recordings.json":
		answer(w, map[string]any{"recordings": []any{}})
	default:
		t.recorded(w, r, strings.Split(path, "/"))
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

// recorded carries out what is asked of recordings, with its delays and harms.
func (t *Twilio) recorded(w http.ResponseWriter, r *http.Request, path []string) {
	time.Sleep(t.Delay / 2)
	harm := Unharmed
	if t.Harm != nil {
		harm = t.Harm(r)
	}
	if harm == Fails {
		failure(w, http.StatusInternalServerError)
		return
	}
	status, body := t.carryOut(r, path)
	time.Sleep(t.Delay / 2)
	switch {
	case harm == Lost:
		failure(w, http.StatusInternalServerError)
	case status >= 300:
		failure(w, status)
	case status == http.StatusNoContent:
		w.WriteHeader(status)
	default:
		answer(w, body)
	}
}

func (t *Twilio) carryOut(r *http.Request, path []string) (status int, body any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := path[len(path)-1]
	switch {
	case strings.HasSuffix(last, ".wav"), strings.HasSuffix(last, ".mp3"):
		t.media++
		return http.StatusOK, map[string]any{}
	case path[0] == "Calls" && len(path) == 3 && r.Method == http.MethodPost:
		return t.start(path[1])
	case path[0] == "Calls" && last == "Twilio.CURRENT.json":
		_ = r.ParseForm()
		if t.running[path[1]] == "" || r.PostForm.Get("Status") != "stopped" {
			return http.StatusNotFound, nil
		}
		delete(t.running, path[1])
		return http.StatusOK, map[string]any{"status": "stopped"}
	case path[0] == "Calls" && len(path) == 3:
		list := []any{}
		for _, id := range t.recordings[path[1]] {
			list = append(list, map[string]any{"sid": id, "status": "completed", "duration": "60", "start_time": twilioTime(time.Unix(1_790_000_000, 0)),
				"uri": "/2010-04-01/Accounts/" + TwilioAccount + "/Recordings/" + id + ".json"})
		}
		return http.StatusOK, map[string]any{"recordings": list}
	case path[0] == "Recordings" && len(path) == 3:
		list := []any{}
		for _, id := range t.transcripts[path[1]] {
			list = append(list, map[string]any{"sid": id})
		}
		return http.StatusOK, map[string]any{"transcriptions": list}
	}
	return t.remove(path[0], strings.TrimSuffix(last, ".json"))
}

// start begins a recording, of which Twilio makes a transcript.
func (t *Twilio) start(call string) (status int, body any) {
	t.made++
	id := "RE" + strconv.Itoa(t.made)
	t.running[call] = id
	t.recordings[call] = append(t.recordings[call], id)
	t.ever[call] = append(t.ever[call], id)
	t.transcripts[id] = []string{"TR" + strconv.Itoa(t.made)}
	return http.StatusCreated, map[string]any{"sid": id, "status": "in-progress"}
}

// remove deletes a recording or a transcript; one that runs cannot be deleted.
func (t *Twilio) remove(kind, id string) (status int, body any) {
	table := t.recordings
	if kind == "Transcriptions" {
		table = t.transcripts
	}
	for of, all := range table {
		if i := slices.Index(all, id); i >= 0 {
			if t.running[of] == id && kind == "Recordings" {
				return http.StatusBadRequest, nil
			}
			table[of] = slices.Delete(all, i, i+1)
			return http.StatusNoContent, nil
		}
	}
	return http.StatusNotFound, nil
}

// TwilioForm is the body of a callback, as Twilio writes it.
func TwilioForm(fields map[string]string) []byte {
	v := url.Values{}
	for name, value := range fields {
		v.Set(name, value)
	}
	return []byte(v.Encode())
}
