package server

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"murmur/internal/explain"
	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/twiliotest"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// shop is a business whose calls run through a fake of Twilio.
type shop struct {
	*Node
	t    testing.TB
	data string
	fake *twiliotest.Recordings
	at   string // where Twilio delivers to

	mu    sync.Mutex
	asked []string // what the fake was asked for: METHOD PATH
}

func newShop(t testing.TB, policy string) *shop {
	t.Helper()
	s := &shop{t: t, data: filepath.Join(t.TempDir(), "data"), fake: twiliotest.New()}
	s.fake.Seen = func(r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	}
	api := httptest.NewServer(s.fake)
	t.Cleanup(api.Close)
	s.open()
	_, err := s.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "recordings", Value: policy}}, "a test", "a test")
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.connect(t.Context(), rpc.ConnectArgs{Kind: "twilio", APIKey: twiliotest.Key, APIBase: api.URL, PublicURL: "https://shop.example.com", Then: "+18005550111"})
	if err != nil {
		t.Fatal(err)
	}
	s.at = "https://shop.example.com" + c.Path
	return s
}

func (s *shop) open() {
	s.t.Helper()
	n, err := Open(s.t.Context(), Config{Data: s.data})
	if err == nil {
		err = n.startUpkeep(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.Node = n
	s.t.Cleanup(func() { _ = n.Close() })
}

const caller = "+12125550123"

// callID is an id as Twilio makes them.
func callID(n int) string { return fmt.Sprintf("CA%032x", n) }

// twilio delivers a webhook and gives the answer.
func (s *shop) twilio(step, call string, more ...string) string {
	s.t.Helper()
	fields := map[string]string{"CallSid": call, "From": caller, "To": "+18005550100", "Direction": "inbound", "CallStatus": "in-progress"}
	for i := 0; i < len(more); i += 2 {
		fields[more[i]] = more[i+1]
	}
	w := httptest.NewRecorder()
	s.handler(http.NotFoundHandler()).ServeHTTP(w, twiliotest.Request(s.at+step, fields))
	if w.Code != http.StatusOK {
		s.t.Errorf("%s: %d", step, w.Code)
	}
	return w.Body.String()
}

// record brings a call to where it is recorded.
func (s *shop) talk(call string) {
	s.t.Helper()
	s.twilio("/voice", call)
	s.twilio("/heard", call)
	if s.fake.Left(call) == 0 {
		s.t.Error("the call is not recorded")
	}
}

// starts counts how often a recording of a call was begun.
func (s *shop) starts(call string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if strings.HasPrefix(a, "POST ") && strings.HasSuffix(a, "/Calls/"+call+"/Recordings.json") {
			n++
		}
	}
	return n
}

func (s *shop) guardOf(call string) guardArgs { return guardArgs{"default", "twilio", call} }

// settle runs a call's guard until it has nothing left to do, a minute of its time each.
func (s *shop) settle(call string) {
	s.t.Helper()
	age := 2 * time.Second
	for range 200 {
		again, err := s.guard(s.t.Context(), s.guardOf(call), age)
		if again == 0 && err == nil {
			return
		}
		age += again
	}
	s.t.Error("the guard did not come to an end")
}

func (s *shop) optOut(call string) {
	s.t.Helper()
	if err := (calls{s.Node}).OptOut(s.t.Context(), workspace.Default, call, "agent"); err != nil {
		s.t.Error(err)
	}
}

func TestACallIsRecordedAfterItsNotice(t *testing.T) {
	t.Parallel()
	s, call := newShop(t, "notice"), callID(1)
	twiml := s.twilio("/voice", call)
	if !strings.Contains(twiml, "<Gather") || !strings.Contains(twiml, "press 9") || strings.Contains(twiml, "<Dial") || strings.Contains(strings.ToLower(twiml), "record=") {
		t.Errorf("the notice: %s", twiml)
	}
	if again := s.twilio("/voice", call); again != twiml || s.starts(call) != 0 {
		t.Error("asked twice, another answer, or a recording before the notice ended")
	}
	if twiml = s.twilio("/heard", call); !strings.Contains(twiml, "<Number>+18005550111</Number>") {
		t.Errorf("after the notice: %s", twiml)
	}
	s.twilio("/heard", call)
	if n := s.starts(call); n != 1 {
		t.Errorf("%d recordings were begun", n)
	}
	if again, err := s.guard(t.Context(), s.guardOf(call), time.Hour); again != guardLive || err != nil {
		t.Errorf("the guard of a live call: %s, %v", again, err)
	}
	s.twilio("/done", call, "DialCallStatus", "completed", "DialCallDuration", "42")
	s.twilio("", call, "CallStatus", "completed", "CallDuration", "60")
	if stands, err := s.zone.Stands(t.Context(), workspace.Default, call); stands != private.MayStay || err != nil {
		t.Errorf("after the call: %d, %v", stands, err)
	}
	s.settle(call)
	if s.fake.Left(call) == 0 || s.fake.Media() != 0 {
		t.Error("a recording with consent was deleted, or fetched")
	}
}

func TestWhoPressesNineIsNotRecorded(t *testing.T) {
	t.Parallel()
	s := newShop(t, "notice")
	s.twilio("/voice", callID(1))
	if twiml := s.twilio("/heard", callID(1), "Digits", "9"); !strings.Contains(twiml, "<Dial") {
		t.Errorf("whoever refuses is not helped: %s", twiml)
	}
	if twiml := s.twilio("/voice", callID(2)); !strings.Contains(twiml, "<Dial") || strings.Contains(twiml, "<Gather") {
		t.Errorf("the next call of that person: %s", twiml)
	}
	s.twilio("/heard", callID(1)) // late
	if s.starts(callID(1))+s.starts(callID(2)) > 0 {
		t.Error("a recording was begun")
	}
}

func TestAskingForAYes(t *testing.T) {
	t.Parallel()
	s := newShop(t, "opt-in")
	if twiml := s.twilio("/voice", callID(1)); !strings.Contains(twiml, "Press 1 for yes") {
		t.Errorf("the question: %s", twiml)
	}
	if twiml := s.twilio("/heard", callID(1), "Digits", "1"); !strings.Contains(twiml, "This call is recorded") || s.starts(callID(1)) > 0 {
		t.Errorf("after the yes: %s", twiml)
	}
	s.twilio("/heard", callID(1))
	s.twilio("/voice", callID(2), "From", "+12125550124")
	s.twilio("/heard", callID(2), "From", "+12125550124") // silence
	if s.starts(callID(1)) != 1 || s.starts(callID(2)) != 0 {
		t.Error("a yes is not recorded, or silence is")
	}
}

func TestOtherKeysBeginTheNoticeAgainAndThenLetTheCallGo(t *testing.T) {
	t.Parallel()
	s, call := newShop(t, "notice"), callID(1)
	s.twilio("/voice", call)
	for i, want := range []string{"heard?again=1", "heard?again=2", "<Dial"} {
		step := "/heard"
		if i > 0 {
			step = fmt.Sprintf("/heard?again=%d", i)
		}
		if twiml := s.twilio(step, call, "Digits", "5"); !strings.Contains(twiml, want) {
			t.Errorf("key %d: %s", i, twiml)
		}
	}
	if s.starts(call) > 0 {
		t.Error("a notice that was interrupted counts as heard")
	}
}

func TestReorderedCallbacksRecordNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t, "notice")
	s.twilio("/heard", callID(1))
	s.twilio("/voice", callID(1))
	s.twilio("/voice", callID(2))
	s.twilio("", callID(2), "CallStatus", "completed")
	s.twilio("/heard", callID(2))
	if s.starts(callID(1))+s.starts(callID(2)) > 0 {
		t.Error("a recording was begun")
	}
}

// TestARefusalIsCarriedOutWhateverThePlatformDoes: requests fail, or are carried out and their answers lost.
func TestARefusalIsCarriedOutWhateverThePlatformDoes(t *testing.T) {
	t.Parallel()
	s := newShop(t, "notice")
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range 40 {
		call := callID(i)
		s.twilio("/voice", call, "From", fmt.Sprintf("+1212555%04d", i))
		s.twilio("/heard", call)
		if i == 0 {
			s.fake.Harm = func(*http.Request) twiliotest.Harm {
				mu.Lock()
				defer mu.Unlock()
				return []twiliotest.Harm{twiliotest.Unharmed, twiliotest.Fails, twiliotest.Lost}[rng.IntN(3)]
			}
		}
		switch i % 3 {
		case 0:
			s.optOut(call)
		case 1:
			if _, err := (calls{s.Node}).Event(t.Context(), workspace.Default, call, web.CallEvent{Kind: "key", Key: "9"}); err != nil {
				t.Error(err)
			}
		default: // after the call
			s.twilio("", call, "CallStatus", "completed")
			s.optOut(call)
		}
		s.settle(call)
		if left := s.fake.Left(call); left > 0 {
			t.Errorf("call %d: %d things are left of it", i, left)
		}
	}
	if n := s.fake.Media(); n > 0 {
		t.Errorf("the audio was fetched %d times", n)
	}
}

// TestARefusalWhileARecordingStarts: the start was under way when the person refused.
func TestARefusalWhileARecordingStarts(t *testing.T) {
	t.Parallel()
	s, call := newShop(t, "notice"), callID(1)
	s.twilio("/voice", call)
	var once sync.Once
	s.fake.Harm = func(r *http.Request) twiliotest.Harm {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "Recordings.json") {
			once.Do(func() { s.optOut(call) })
			return twiliotest.Lost
		}
		return twiliotest.Unharmed
	}
	s.twilio("/heard", call)
	s.settle(call)
	if s.fake.Left(call) > 0 {
		t.Error("the recording is still there")
	}
}

// TestACrashLeavesNoRecording: the guard is stored before the recording begins, and the next process ends it.
func TestACrashLeavesNoRecording(t *testing.T) {
	t.Parallel()
	s, call := newShop(t, "notice"), callID(1)
	s.talk(call)
	s.fake.Harm = func(*http.Request) twiliotest.Harm { return twiliotest.Fails } // nothing gets through any more
	if err := s.Node.Close(); err != nil {
		t.Fatal(err)
	}
	s.fake.Harm = nil
	s.open()
	if n := stored(t, s.Node); n != 1 {
		t.Fatalf("%d guards are stored", n)
	}
	s.settle(call)
	if s.fake.Left(call) > 0 {
		t.Error("the recording is still there")
	}
}

// TestTheQueueEndsWhatFailedAtFirst: the first requests fail, nobody asks again, and the recording is deleted all the same.
func TestTheQueueEndsWhatFailedAtFirst(t *testing.T) {
	t.Parallel()
	s, call := newShop(t, "notice"), callID(1)
	src, err := s.store.Source(t.Context(), workspace.Default, "twilio")
	if err == nil {
		err = s.zone.StartRecording(t.Context(), src, call)
	}
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	failing := 6
	s.fake.Harm = func(*http.Request) twiliotest.Harm {
		mu.Lock()
		defer mu.Unlock()
		if failing--; failing >= 0 {
			return twiliotest.Fails
		}
		return twiliotest.Unharmed
	}
	s.optOut(call)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for s.fake.Left(call) > 0 {
		select {
		case <-t.Context().Done():
			t.Fatal("the recording is still there")
		case <-tick.C:
		}
	}
}

// TestARefusalOfAPersonReachesTheRunningCall.
func TestARefusalOfAPersonReachesTheRunningCall(t *testing.T) {
	t.Parallel()
	s, call := newShop(t, "notice"), callID(1)
	s.talk(call)
	if err := (contacts{s.Node}).OptOut(t.Context(), workspace.Default, caller, "agent"); err != nil {
		t.Fatal(err)
	}
	s.settle(call)
	if s.fake.Left(call) > 0 {
		t.Error("the recording is still there")
	}
}

// stored counts the guards in the queue.
func stored(t *testing.T, n *Node) int {
	t.Helper()
	list, err := n.jobs.River.JobList(t.Context(), river.NewJobListParams().Kinds(guardArgs{}.Kind()))
	if err != nil {
		t.Fatal(err)
	}
	return len(list.Jobs)
}

// TestOnlyTwilioIsAnswered: a request without the right signature, for another address, or with forwarded headers.
func TestOnlyTwilioIsAnswered(t *testing.T) {
	t.Parallel()
	s := newShop(t, "notice")
	fields := map[string]string{"CallSid": callID(1), "CallStatus": "in-progress", "From": caller}
	u, err := url.Parse(s.at)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		signed string
		want   int
	}{
		"as sent":                 {func(*http.Request) {}, s.at + "/voice", 200},
		"behind a proxy":          {func(r *http.Request) { r.Host = "10.0.0.7:8377" }, s.at + "/voice", 200},
		"no signature":            {func(r *http.Request) { r.Header.Del("X-Twilio-Signature") }, s.at + "/voice", 401},
		"signed for another step": {func(r *http.Request) { r.URL.Path, r.RequestURI = u.Path+"/heard", u.Path+"/heard" }, s.at + "/voice", 401},
		"signed for a host that is forged": {func(r *http.Request) {
			r.Host = "evil.example.com"
			r.Header.Set("X-Forwarded-Host", "evil.example.com")
		}, "https://evil.example.com" + u.Path + "/voice", 401},
		"an unknown step": {func(*http.Request) {}, s.at + "/elsewhere", 404},
		"JSON":            {func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, s.at + "/voice", 401},
	} {
		r := twiliotest.Request(c.signed, fields)
		c.change(r)
		w := httptest.NewRecorder()
		s.handler(http.NotFoundHandler()).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
}

// TestWhatConnectRefuses: what would not work later is refused before anything is stored.
func TestWhatConnectRefuses(t *testing.T) {
	t.Parallel()
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	const mapping = "signature: {kind: hmac-hex, header: X-S}\nid: id\nat: at\nscore: s\nscale: nps\n"
	for name, a := range map[string]rpc.ConnectArgs{
		"twilio without a token":     {Kind: "twilio"},
		"a key of another vendor":    {Kind: "twilio", APIKey: "synthetic"},
		"calls go nowhere":           {Kind: "twilio", APIKey: twiliotest.Key, Then: "javascript:x"},
		"control without a key":      {Kind: "twilio", Secret: "s", Then: "+12125550100"},
		"control of another kind":    {Kind: "typeform", Then: "+12125550100"},
		"delighted without its key":  {Kind: "delighted"},
		"webhook without a mapping":  {Kind: "webhook", Secret: "s"},
		"a mapping for another kind": {Kind: "typeform", Mapping: mapping},
		"a mapping with a mistake":   {Kind: "webhook", Secret: "s", Mapping: strings.Replace(mapping, "scale", "skale", 1)},
		"a mapping without a scale":  {Kind: "webhook", Secret: "s", Mapping: strings.Replace(mapping, "scale: nps\n", "", 1)},
	} {
		if _, err := n.connect(t.Context(), a); err == nil || explain.Of(err).Exit != 2 || explain.Of(err).Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c, err := n.connect(t.Context(), rpc.ConnectArgs{Kind: "webhook", Secret: "s", Mapping: mapping}); err != nil || !strings.Contains(c.Paste, c.Path) {
		t.Errorf("a good mapping: %v", err)
	}
}

// BenchmarkOptOutAtThePlatform: fifty calls at once, a platform a hundred milliseconds away. The figure that counts is from
// the opt-out to the request that stops the recording.
func BenchmarkOptOutAtThePlatform(b *testing.B) {
	s := newShop(b, "notice")
	const at = 50
	for i := range at * max(1, b.N) {
		s.twilio("/voice", callID(i), "From", fmt.Sprintf("+1212%07d", i))
		s.twilio("/heard", callID(i))
	}
	stopped := map[string]time.Time{}
	seen := s.fake.Seen
	s.fake.Seen = func(r *http.Request) {
		now := time.Now()
		seen(r)
		if call, ok := strings.CutSuffix(r.URL.Path, "/Recordings/Twilio.CURRENT.json"); ok {
			s.mu.Lock()
			defer s.mu.Unlock()
			if id := call[strings.LastIndex(call, "/")+1:]; stopped[id].IsZero() {
				stopped[id] = now
			}
		}
	}
	s.fake.Delay = 100 * time.Millisecond
	var waits []time.Duration
	for n := range b.N {
		var all sync.WaitGroup
		began := make([]time.Time, at)
		for i := range at {
			all.Go(func() {
				began[i] = time.Now()
				s.optOut(callID(n*at + i))
			})
		}
		all.Wait()
		s.untilStopped(n*at, at, stopped)
		for i := range at {
			s.mu.Lock()
			waits = append(waits, stopped[callID(n*at+i)].Sub(began[i]))
			s.mu.Unlock()
		}
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2])/1e6, "p50-ms")
	b.ReportMetric(float64(waits[len(waits)*99/100])/1e6, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// untilStopped waits until the fake was told to stop the recordings of calls.
func (s *shop) untilStopped(from, n int, stopped map[string]time.Time) {
	s.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 10_000 {
		<-tick.C
		missing := 0
		s.mu.Lock()
		for i := range n {
			if stopped[callID(from+i)].IsZero() {
				missing++
			}
		}
		s.mu.Unlock()
		if missing == 0 {
			return
		}
	}
	s.t.Fatal("a recording was not stopped")
}
