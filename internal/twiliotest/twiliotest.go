// Package twiliotest is a fake of how Twilio records: recordings that start, stop and are deleted over its REST API, and
// webhooks as Twilio signs them. It can be told to fail, to lose answers and to be far away.
//
// Zone: none, tests. It keeps ids alone.
package twiliotest

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what Twilio signs with
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The account of the fake, its API key and the path below which it answers.
const (
	Account = "ACsynthetic"
	Token   = "synthetic-auth-token"
	Key     = Account + ":" + Token
	Below   = "/2010-04-01/Accounts/" + Account + "/"
)

// Harm is what becomes of one request.
type Harm int

// The harms.
const (
	Unharmed Harm = iota
	Fails         // 500, and nothing was done
	Lost          // it was done, and the answer is a 500
)

// Recordings are those of all calls. Nothing can be asked about a call that is not recorded.
type Recordings struct {
	// Harm decides about each request; nil: none is harmed.
	Harm func(*http.Request) Harm
	// Delay is a round trip: one half of it passes before a request is carried out, the other before its answer.
	Delay time.Duration
	// Seen is told of each request as it arrives.
	Seen func(*http.Request)

	mu          sync.Mutex
	running     map[string]string   // of a call: its recording
	recordings  map[string][]string // of a call: those there are
	ever        map[string][]string // of a call: all that there ever were
	transcripts map[string][]string // of a recording
	made, media int
}

// New makes a fake without recordings.
func New() *Recordings {
	return &Recordings{running: map[string]string{}, recordings: map[string][]string{}, ever: map[string][]string{}, transcripts: map[string][]string{}}
}

// Time is Twilio's notation (RFC 2822).
func Time(t time.Time) string { return t.UTC().Format(time.RFC1123Z) }

// Left counts the recordings and transcripts that the fake still has of a call, and those that run.
func (t *Recordings) Left(call string) int {
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
func (t *Recordings) Media() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.media
}

func (t *Recordings) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t.Seen != nil {
		t.Seen(r)
	}
	path, ok := strings.CutPrefix(r.URL.Path, Below)
	if user, secret, auth := r.BasicAuth(); !auth || user != Account || secret != Token {
		failure(w, http.StatusUnauthorized)
		return
	}
	switch {
	case !ok:
		failure(w, http.StatusNotFound)
	case path == "Calls.json", path == "Messages.json":
		answer(w, map[string]any{strings.ToLower(strings.TrimSuffix(path, ".json")): []any{}, "uri": r.URL.RequestURI()})
	case path == "Recordings.json":
		answer(w, map[string]any{"recordings": []any{}})
	default:
		t.recorded(w, r, strings.Split(path, "/"))
	}
}

func failure(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"status":` + strconv.Itoa(status) + `}`))
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// wait passes a time, or until nobody waits for the answer any more.
func wait(r *http.Request, d time.Duration) {
	select {
	case <-r.Context().Done():
	case <-time.After(d):
	}
}

// recorded carries out what is asked of recordings, with its delays and harms.
func (t *Recordings) recorded(w http.ResponseWriter, r *http.Request, path []string) {
	wait(r, t.Delay/2)
	harm := Unharmed
	if t.Harm != nil {
		harm = t.Harm(r)
	}
	if harm == Fails {
		failure(w, http.StatusInternalServerError)
		return
	}
	status, body := t.carryOut(r, path)
	wait(r, t.Delay/2)
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

func (t *Recordings) carryOut(r *http.Request, path []string) (status int, body any) {
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
			list = append(list, map[string]any{"sid": id, "status": "completed", "duration": "60", "start_time": Time(time.Unix(1_790_000_000, 0)),
				"uri": "/2010-04-01/Accounts/" + Account + "/Recordings/" + id + ".json"})
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
func (t *Recordings) start(call string) (status int, body any) {
	t.made++
	id := "RE" + strconv.Itoa(t.made)
	t.running[call] = id
	t.recordings[call] = append(t.recordings[call], id)
	t.ever[call] = append(t.ever[call], id)
	t.transcripts[id] = []string{"TR" + strconv.Itoa(t.made)}
	return http.StatusCreated, map[string]any{"sid": id, "status": "in-progress"}
}

// remove deletes a recording or a transcript; one that runs cannot be deleted.
func (t *Recordings) remove(kind, id string) (status int, body any) {
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

// Form is the body of a callback.
func Form(fields map[string]string) []byte {
	v := url.Values{}
	for name, value := range fields {
		v.Set(name, value)
	}
	return []byte(v.Encode())
}

// Request is a webhook as Twilio sends it to a URL, signed.
func Request(to string, fields map[string]string) *http.Request {
	text := to
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		text += name + fields[name]
	}
	m := hmac.New(sha1.New, []byte(Token))
	m.Write([]byte(text))
	r := httptest.NewRequest(http.MethodPost, to, strings.NewReader(string(Form(fields))))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))
	return r
}
