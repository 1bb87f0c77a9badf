package private

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
	"murmur/internal/synth"
	"murmur/internal/tour"
	"murmur/internal/workspace"
)

// quoHouse is a zone that is connected to a fake of Quo with two recorded calls at least.
type quoHouse struct {
	*tourHouse
	fake  *sourcetest.Quo
	src   workspace.Source
	token string

	mu    sync.Mutex
	asked []string
}

func newQuoHouse(t *testing.T, transcripts string) *quoHouse {
	t.Helper()
	_, days := synth.Days(synth.Config{Seed: 3, Start: tour.Now.AddDate(0, 0, -3).Truncate(24 * time.Hour), Zone: time.UTC, Contacts: 100}, 3)
	b := synth.New(synth.Config{Seed: 3, Start: days[0].Date, Zone: time.UTC, Contacts: 100})
	h := &quoHouse{tourHouse: newTourHouse(t), fake: sourcetest.NewQuo(b.QuoListed(days))}
	if len(h.fake.Transcripts) < 2 {
		t.Fatalf("%d recorded calls", len(h.fake.Transcripts))
	}
	if _, err := h.zone.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "transcripts", Value: transcripts}}, "a test", "a test"); err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.asked = append(h.asked, r.URL.RequestURI())
		h.mu.Unlock()
		h.fake.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	var err error
	h.src, h.token, err = h.zone.store.Connect(t.Context(), workspace.Source{
		Workspace: workspace.Default, Name: "quo", Kind: "quo", APIKey: sourcetest.QuoKey, Config: workspace.SourceConfig{APIBase: api.URL, Named: []string{api.Listener.Addr().String()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// wordsAsked are the calls whose words were asked for.
func (h *quoHouse) wordsAsked() (calls []string, summaries bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, uri := range h.asked {
		if call, ok := strings.CutSuffix(strings.TrimPrefix(uri, "/calls/"), "/transcripts?limit=50"); ok {
			calls = append(calls, call)
		}
		summaries = summaries || strings.Contains(uri, "summary")
	}
	return calls, summaries
}

// TestNoWordsAreAskedForWithoutALeave: under a policy that denies words nothing that was said is asked for, and under one
// that allows them nothing of a call that opted out.
func TestNoWordsAreAskedForWithoutALeave(t *testing.T) {
	t.Parallel()
	deny := newQuoHouse(t, "deny")
	if err := deny.zone.Poll(t.Context(), deny.src); err != nil {
		t.Fatal(err)
	}
	if calls, summaries := deny.wordsAsked(); len(calls) > 0 || summaries {
		t.Errorf("the words of %d calls were asked for, summaries %t", len(calls), summaries)
	}
	if n := len(deny.fake.Calls) + len(deny.fake.Messages); len(deny.inbox) != n {
		t.Errorf("%d deliveries, want %d", len(deny.inbox), n)
	}

	notice := newQuoHouse(t, "notice")
	var refused string
	for refused = range notice.fake.Transcripts {
		break
	}
	if err := notice.zone.OptOutCall(t.Context(), workspace.Default, refused, ""); err != nil {
		t.Fatal(err)
	}
	if err := notice.zone.Poll(t.Context(), notice.src); err != nil {
		t.Fatal(err)
	}
	calls, _ := notice.wordsAsked()
	if slices.Contains(calls, refused) || len(calls) == 0 {
		t.Errorf("%d transcripts were asked for, the refused one among them: %t", len(calls), slices.Contains(calls, refused))
	}
}

// TestPolledObjectsBecomeFacts of the same kinds as webhooks do, and no delivery of them goes wrong.
func TestPolledObjectsBecomeFacts(t *testing.T) {
	t.Parallel()
	h := newQuoHouse(t, "notice")
	if err := h.zone.Poll(t.Context(), h.src); err != nil {
		t.Fatal(err)
	}
	kinds := map[fact.Kind]int{}
	for _, m := range h.inbox {
		o, err := h.zone.Process(t.Context(), m)
		if err != nil || o.State != fact.Published {
			t.Fatalf("state %s, why %s, %v", o.State, o.Why, err)
		}
		for _, f := range o.Facts {
			kinds[f.Kind()]++
		}
	}
	for _, k := range []fact.Kind{fact.KindCall, fact.KindMessage, fact.KindTalk} {
		if kinds[k] == 0 {
			t.Errorf("no fact of kind %s", k)
		}
	}
	st, err := h.zone.store.State(t.Context(), h.src)
	if err != nil || st.Done != 1 || st.PolledAt.IsZero() || st.Items != int64(len(h.inbox)) || st.Account != h.fake.Org {
		t.Errorf("state %+v, %v", st, err)
	}
	before := len(h.inbox)
	if err := h.zone.Poll(t.Context(), h.src); err != nil || len(h.inbox) != before {
		t.Errorf("polled again: %d more, %v", len(h.inbox)-before, err)
	}
}

// TestAWebhookThatDidNotArrive is made again from the vendor's log under the id that the webhook has.
func TestAWebhookThatDidNotArrive(t *testing.T) {
	t.Parallel()
	h := newQuoHouse(t, "deny")
	call := h.fake.Calls[0]
	h.fake.Webhook = "https://shop.example.com/in/quo/" + h.token
	h.fake.Lost = []sourcetest.LostDelivery{
		{ID: "msg_1", EventID: "EV1", Type: "call.menu.selected", At: call.At, Body: json.RawMessage(
			`{"resource":{"id":"` + call.ID + `","createdAt":"` + call.At.Format(time.RFC3339) + `","phoneMenuSelection":"1","statusReason":"phone-menu-dial"},"context":{"phoneNumberId":"PN1"}}`)},
		{ID: "msg_2", EventID: "EV2", Type: "call.completed", At: call.At, Body: json.RawMessage(`{}`)}, // the lists hold it
	}
	if err := h.zone.Poll(t.Context(), h.src); err != nil {
		t.Fatal(err)
	}
	want, err := h.zone.EventID(workspace.Default, "quo", "msg_1")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range h.inbox {
		if m.ID != want {
			continue
		}
		found++
		o, err := h.zone.Process(t.Context(), m)
		if err != nil || o.State != fact.Published || len(o.Facts) != 1 || o.Facts[0].Kind() != fact.KindStep {
			t.Errorf("state %s, %d facts, %v", o.State, len(o.Facts), err)
		}
	}
	if n := len(h.fake.Calls) + len(h.fake.Messages); found != 1 || len(h.inbox) != n+1 {
		t.Errorf("found %d times, %d deliveries of %d", found, len(h.inbox), n+1)
	}
}

// TestAKeyOfAnotherAccount is refused before anything is listed.
func TestAKeyOfAnotherAccount(t *testing.T) {
	t.Parallel()
	h := newQuoHouse(t, "deny")
	if err := h.zone.store.SetState(t.Context(), h.src, workspace.SourceState{Account: "ORanother"}); err != nil {
		t.Fatal(err)
	}
	if err := h.zone.Poll(t.Context(), h.src); !errors.Is(err, workspace.Trouble(source.TroubleAccount)) || len(h.inbox) > 0 {
		t.Errorf("%v, %d deliveries", err, len(h.inbox))
	}
	st, err := h.zone.store.State(t.Context(), h.src)
	if err != nil || st.Trouble != "account" {
		t.Errorf("state %+v, %v", st, err)
	}
}
