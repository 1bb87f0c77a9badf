package private

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/audio/audiotest"
	"murmur/internal/fact"
	"murmur/internal/private/internal/recording"
	"murmur/internal/private/internal/source"
	"murmur/internal/tour"
	"murmur/internal/workspace"
)

// platform is a vendor that has a recording of every call: an API, and another host for media. Both count.
type platform struct {
	api, media     *httptest.Server
	asked, fetched atomic.Int64
	keyed          atomic.Int64 // requests with a key
	fault          string
	status         string
	halfway        func()
}

// sound is a recording of two sides, as a WAV.
var sound = func() []byte {
	pcm := make([]int16, 2*20*8000)
	for _, l := range conversation {
		for i, s := range audiotest.Tones(8000, int((l.End-l.Start)*8000), 8000, 440, 950, 1710) {
			pcm[2*(int(l.Start*8000)+i)+l.Leg] = s
		}
	}
	head := []byte("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x40\x1f\x00\x00\x00\x7d\x00\x00\x04\x00\x10\x00data\xff\xff\xff\xff")
	var b bytes.Buffer
	b.Write(head)
	_ = binary.Write(&b, binary.LittleEndian, pcm)
	return b.Bytes()
}()

func newPlatform(t *testing.T) *platform {
	p := &platform{status: "completed"}
	p.media = httptest.NewServer(http.HandlerFunc(p.serveMedia))
	p.api = httptest.NewServer(http.HandlerFunc(p.serveAPI))
	t.Cleanup(p.media.Close)
	t.Cleanup(p.api.Close)
	return p
}

func (p *platform) serveAPI(w http.ResponseWriter, r *http.Request) {
	n := p.asked.Add(1)
	if r.Header.Get("Authorization") != "" {
		p.keyed.Add(1)
	}
	if p.status == "" {
		_, _ = io.WriteString(w, `{"data":[]}`)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": []any{map[string]any{
		"id": "CR1", "status": p.status, "startTime": "2026-03-02T15:00:06Z", "duration": 20, "type": "audio/wav", "url": fmt.Sprintf("http://%s/CR1.wav?signed=%d", host(p.media), n),
	}}})
}

func (p *platform) serveMedia(w http.ResponseWriter, r *http.Request) {
	n := p.fetched.Add(1)
	if r.Header.Get("Authorization") != "" {
		p.keyed.Add(1)
	}
	switch {
	case p.fault == "expired" && n == 1:
		w.WriteHeader(http.StatusForbidden)
	case p.fault == "html":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>log in</html>")
	case p.fault == "redirect":
		http.Redirect(w, r, "http://elsewhere.example/CR1.wav", http.StatusFound)
	case p.fault == "large":
		w.Header().Set("Content-Length", "600000000")
	case p.fault == "cut":
		w.Header().Set("Content-Length", fmt.Sprint(len(sound)))
		_, _ = w.Write(sound[:len(sound)/2])
	case p.halfway != nil:
		_, _ = w.Write(sound[:len(sound)/2])
		w.(http.Flusher).Flush()
		p.halfway()
		_, _ = w.Write(sound[len(sound)/2:])
	default:
		_, _ = w.Write(sound)
	}
}

// polled connects the platform as a source that is asked with a key, and processes the webhook of one recording.
func (h *callHouse) polled(p *platform, hosts ...string) fact.Outcome {
	h.t.Helper()
	src, _, err := h.zone.store.Connect(h.t.Context(), workspace.Source{
		Workspace: workspace.Default, Name: "quo", Kind: "quo", APIKey: "a key", Config: workspace.SourceConfig{APIBase: p.api.URL, Named: append(hosts, p.api.Listener.Addr().String())},
	})
	must(h.t, err)
	body := fmt.Sprintf(`{"id":"EV1","type":"call.recording.completed","createdAt":%[1]q,"data":{"resource":{"id":"CA1","direction":"incoming","createdAt":%[1]q},
		"context":{"participants":{"external":["+16465550187"],"workspace":["+12125550100"]},"phoneNumberId":"PN1"}}}`, tour.Now.Add(-2*time.Hour).Format(time.RFC3339))
	_, err = h.zone.append(h.t.Context(), src.Workspace, from(src), []source.Delivery{{ID: "EV1", Body: []byte(body)}})
	must(h.t, err)
	return h.process(h.inbox[len(h.inbox)-1])
}

// announced gives the calls whose recordings are to be fetched; with one call, it is fetched.
func (h *callHouse) fetch() (stored []RecordingID, err error) {
	h.t.Helper()
	calls, err := h.zone.Announced(h.t.Context(), workspace.Default)
	must(h.t, err)
	for _, c := range calls {
		s, err := h.zone.Fetch(h.t.Context(), workspace.Default, c)
		if err != nil {
			return stored, err
		}
		stored = append(stored, s...)
	}
	return stored, nil
}

func (h *callHouse) kept() int {
	h.t.Helper()
	r, err := h.zone.Recordings(h.t.Context(), workspace.Default)
	must(h.t, err)
	entries, err := os.ReadDir(h.audio)
	must(h.t, err)
	if len(entries) != r.Stored {
		h.t.Errorf("%d files, %d keys", len(entries), r.Stored)
	}
	return r.Stored
}

// host is the name of a server, another one than the API's.
func host(s *httptest.Server) string {
	return strings.Replace(s.URL, "http://127.0.0.1", "localhost", 1)
}

// TestARecordingIsFetchedAndHeard: after the verdict, once, without the key off the API's host; and its words go on.
func TestARecordingIsFetchedAndHeard(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", "expired"} {
		h, p := newCallHouse(t, "notice"), newPlatform(t)
		p.fault = fault
		h.zone.listener = listener(t, conversation)
		if o := h.polled(p, host(p.media)); o.State != fact.Ignored {
			t.Errorf("the announcement is %s %s", o.State, o.Why)
		}
		stored, err := h.fetch()
		if err != nil || len(stored) != 1 || h.kept() != 1 {
			t.Fatalf("%q: %d fetched, %d kept, %v", fault, len(stored), h.kept(), err)
		}
		asked := map[string]int64{"": 1, "expired": 2}[fault]
		if p.asked.Load() != asked || p.keyed.Load() != asked || p.fetched.Load() != asked {
			t.Errorf("%q: the API was asked %d times, media %d times, with a key %d times", fault, p.asked.Load(), p.fetched.Load(), p.keyed.Load())
		}
		a, err := h.zone.book.Open(t.Context(), workspace.Default, recording.ID(stored[0]))
		must(t, err)
		got, err := io.ReadAll(a)
		if err != nil || a.Kind != recording.Media || !bytes.Equal(got, sound) {
			t.Errorf("stored are %d bytes of %d, %v", len(got), len(sound), err)
		}
		must(t, a.Close())
		if again, err := h.fetch(); err != nil || len(again) != 0 || p.fetched.Load() != asked {
			t.Errorf("fetched twice: %d, %v", len(again), err)
		}
		all := h.hear(stored[0], false)
		if len(all) != 1 {
			t.Fatalf("%d deliveries of what was heard", len(all))
		}
		o := h.process(all[0])
		if o.State != fact.Published {
			t.Fatalf("%s %s", o.State, o.Why)
		}
		talk := o.Facts[0].(*fact.Talk)
		if b := h.builder(); talk.Call != b.call("CA1") || talk.Contact != b.who("+16465550187") || talk.MemberShare < 40 || talk.MemberShare > 47 {
			t.Errorf("%+v", talk)
		}
		if !strings.Contains(talk.Body.String(), "[PHONE]") || strings.Contains(talk.Body.String(), canary) {
			t.Error("the number is not masked")
		}
	}
}

// TestWhatIsNotAllowedIsNeverAskedFor: neither the API nor the media host sees a request.
func TestWhatIsNotAllowedIsNeverAskedFor(t *testing.T) {
	t.Parallel()
	optOut := func(h *callHouse) { must(h.t, h.zone.OptOutCall(h.t.Context(), workspace.Default, "CA1", "menu")) }
	for name, c := range map[string]struct {
		basis         string
		before, after func(*callHouse) // the announcement
		state         fact.State
	}{
		"denied":                  {basis: "deny", state: fact.Ignored},
		"no yes":                  {basis: "opt-in", state: fact.Held},
		"the call opted out":      {basis: "notice", before: optOut, state: fact.Refused},
		"opted out afterwards":    {basis: "notice", after: optOut, state: fact.Ignored},
		"denied afterwards":       {basis: "notice", after: func(h *callHouse) { h.policy("recordings", "deny") }, state: fact.Ignored},
		"the country asks":        {basis: "notice", before: func(h *callHouse) { h.policy("opt-in-countries", "US") }, state: fact.Held},
		"the country asks, later": {basis: "notice", after: func(h *callHouse) { h.policy("opt-in-countries", "US") }, state: fact.Ignored},
		"the person was erased": {basis: "notice", after: func(h *callHouse) {
			must(h.t, h.erase("+16465550187"))
		}, state: fact.Ignored},
		"the person opted out": {basis: "notice", before: func(h *callHouse) {
			refusePerson(h.t, h.zone)
		}, state: fact.Refused},
		"the source was removed":   {basis: "notice", after: func(h *callHouse) { must(h.t, h.zone.store.Remove(h.t.Context(), workspace.Default, "quo")) }, state: fact.Ignored},
		"it is older than the day": {basis: "notice", before: func(h *callHouse) { h.policy("raw-hours", "1") }, state: fact.Ignored},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, p := newCallHouse(t, c.basis), newPlatform(t)
			if c.before != nil {
				c.before(h)
			}
			if o := h.polled(p, host(p.media)); o.State != c.state {
				t.Errorf("the announcement is %s %s, want %s", o.State, o.Why, c.state)
			}
			if c.after != nil {
				c.after(h)
			}
			stored, err := h.fetch()
			if err != nil || len(stored) != 0 || h.kept() != 0 || p.asked.Load() != 0 || p.fetched.Load() != 0 {
				t.Errorf("%d stored, API %d, media %d, %v", len(stored), p.asked.Load(), p.fetched.Load(), err)
			}
		})
	}
}

// TestMediaOfStrangers: what is not of the vendor's hosts, or no recording, leaves nothing behind.
func TestMediaOfStrangers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault, status string
		unnamed       bool
		err           error
		fetched       int64
	}{
		"a host that nobody named":  {status: "completed", unnamed: true, err: workspace.Trouble("host")},
		"a redirect to a stranger":  {status: "completed", fault: "redirect", err: workspace.Trouble("host"), fetched: 1},
		"a page":                    {status: "completed", fault: "html", err: workspace.Trouble("html"), fetched: 1},
		"too large":                 {status: "completed", fault: "large", err: workspace.Trouble("too-large"), fetched: 1},
		"cut short":                 {status: "completed", fault: "cut", err: workspace.Trouble("unavailable"), fetched: 1},
		"not finished":              {status: "in-progress", err: ErrNotYet},
		"no recording, an old call": {status: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, p := newCallHouse(t, "notice"), newPlatform(t)
			p.fault, p.status = c.fault, c.status
			hosts := []string{host(p.media)}
			if c.unnamed {
				hosts = nil
			}
			h.polled(p, hosts...)
			if _, err := h.fetch(); !errors.Is(err, c.err) {
				t.Errorf("%v, want %v", err, c.err)
			}
			if h.kept() != 0 || p.fetched.Load() != c.fetched {
				t.Errorf("%d kept, media was asked %d times", h.kept(), p.fetched.Load())
			}
			calls, err := h.zone.Announced(t.Context(), workspace.Default)
			if want := map[bool]int{true: 1}[c.err != nil]; err != nil || len(calls) != want {
				t.Errorf("%d calls are left to fetch, want %d, %v", len(calls), want, err)
			}
		})
	}
}

// TestARefusalWhileItComes ends the copy: the half that came is gone.
func TestARefusalWhileItComes(t *testing.T) {
	t.Parallel()
	h, p := newCallHouse(t, "notice"), newPlatform(t)
	p.halfway = func() { must(t, h.zone.OptOutCall(t.Context(), workspace.Default, "CA1", "agent")) }
	h.polled(p, host(p.media))
	stored, err := h.fetch()
	if len(stored) != 0 || h.kept() != 0 || p.fetched.Load() != 1 {
		t.Errorf("%d stored, %d kept", len(stored), h.kept())
	}
	if err != nil && !errors.Is(err, recording.ErrStopped) {
		t.Error(err)
	}
	if again, err := h.fetch(); err != nil || len(again) != 0 || p.fetched.Load() != 1 {
		t.Errorf("the next try: %d, %v, media was asked %d times", len(again), err, p.fetched.Load())
	}
}
