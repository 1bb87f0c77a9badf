package private

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zaf/g711"

	"murmur/internal/audio"
	"murmur/internal/audio/audiotest"
	"murmur/internal/audio/wav"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/recording"
	"murmur/internal/tour"
	"murmur/internal/workspace"
)

// The transcriber of these tests is this test binary, run as `private.test recite SCRIPT`.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "recite" {
		if err := recite(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// line is what one side says in a script: its words are spread over its time.
type line struct {
	Leg        int
	Start, End float64 // seconds
	Words      string
}

// recite says the words of the lines in whose time there is sound. An empty script is a transcriber that fails.
func recite(script string) error {
	var lines []line
	b, err := os.ReadFile(script)
	if err != nil || json.Unmarshal(b, &lines) != nil || len(lines) == 0 {
		return errors.New("no script")
	}
	r, err := wav.NewReader(os.Stdin)
	if err != nil {
		return err
	}
	m := audio.NewMeter(r.Rate)
	for pcm := make([]int16, r.Rate); ; {
		n, err := r.Read(pcm)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		m.Write(pcm[:n])
	}
	m.Close()
	out := bufio.NewWriter(os.Stdout)
	for _, l := range lines {
		words := strings.Fields(l.Words)
		each := (l.End - l.Start) / float64(len(words))
		for i, w := range words {
			start := l.Start + float64(i)*each
			if at := int((start + each/2) * 100); at < len(m.Levels) && m.Levels[at] > 40 {
				fmt.Fprintf(out, `{"w":%q,"start":%f,"end":%f,"conf":0.99}`+"\n", w, start, start+each)
			}
		}
	}
	return out.Flush()
}

// conversation is what the calls of these tests say. The number is the canary: it must be nowhere.
var conversation = []line{
	{1, 0.5, 3.5, "Harbor Dental, how can I help you today?"},
	{0, 4, 9, "I would like to change my appointment to Thursday morning please."},
	{1, 9.5, 12, "Sure, which number can we reach you at?"},
	{0, 12.5, 17, "It is 646 555 0187 in the evening."},
	{1, 17.5, 20, "Thank you, see you on Thursday."},
}

const canary = "0187"

// listener writes a transcriber that knows a script, and gives its path.
func listener(t *testing.T, script []line) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(script)
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(dir, "listen")
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "script"), b, 0o600),
		os.WriteFile(filepath.Join(dir, "reads"), []byte(filepath.Dir(self)+"\n"), 0o600),
		os.WriteFile(command, fmt.Appendf(nil, "#!/bin/sh\nexec %q recite %q\n", self, filepath.Join(dir, "script")), 0o700),
	)
	if err != nil {
		t.Fatal(err)
	}
	return command
}

// call records a call of two legs that ends with consent, and gives the recording's id.
func (h *callHouse) call(id string, lines []line) RecordingID {
	h.t.Helper()
	ctx := h.t.Context()
	take, err := h.zone.book.Begin(ctx, recording.Head{
		Workspace: workspace.Default, Source: RecorderSource, CallID: id, Contact: personal.New("+16465550187"), At: tour.Now.Add(-time.Minute),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	step := func(k consent.EventKind, want consent.State) {
		h.t.Helper()
		h.at = h.at.Add(time.Second)
		if s, err := take.Step(ctx, consent.Event{Kind: k, At: h.at}); err != nil || s != want {
			h.t.Fatalf("%s: %s, %v; want %s", k, s, err, want)
		}
	}
	step(consent.NoticeStarted, consent.Noticing)
	step(consent.NoticeEnded, consent.Holding)
	for _, l := range lines {
		sound := audiotest.Tones(8000, int((l.End-l.Start)*8000), 8000, 440, 950, 1710)
		for i := 0; i+160 <= len(sound); i += 160 {
			f := recording.Frame{Leg: uint8(l.Leg), At: uint32(l.Start*8000) + uint32(i), Payload: make([]byte, 160)}
			for k := range f.Payload {
				f.Payload[k] = g711.EncodeUlawFrame(sound[i+k])
			}
			if err := take.Write(ctx, f); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	step(consent.HungUp, consent.Released)
	return RecordingID(take.ID())
}

func (h *callHouse) hear(id RecordingID, last bool) []journal.Message {
	h.t.Helper()
	before := len(h.inbox)
	if err := h.zone.Hear(h.t.Context(), workspace.Default, id, last); err != nil {
		h.t.Fatal(err)
	}
	return h.inbox[before:]
}

func (h *callHouse) policy(key, value string) {
	h.t.Helper()
	_, err := h.zone.store.SetPolicy(h.t.Context(), workspace.Default, []workspace.Change{{Key: key, Value: value}}, "a test", "a test")
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *callHouse) process(m journal.Message) fact.Outcome {
	h.t.Helper()
	o, err := h.zone.Process(h.t.Context(), m)
	if err := cmp.Or(err, h.zone.Remember(h.t.Context())); err != nil {
		h.t.Fatal(err)
	}
	return o
}

// TestARecordingIsHeard: a released recording becomes one talk of masked words and numbers, under its call's own id.
func TestARecordingIsHeard(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	h.zone.listener = listener(t, conversation)
	id := h.call("CA1", conversation)
	all := h.hear(id, false)
	if len(all) != 1 {
		t.Fatalf("%d deliveries of a recording", len(all))
	}
	if e := h.open(t, all[0]); e.kind != kindOwn || e.name != RecorderSource || strings.Contains(string(e.delivery.Body), canary) {
		t.Errorf("the delivery is of kind %q and source %q, or holds the number", e.kind, e.name)
	}
	o := h.process(all[0])
	if o.State != fact.Published || len(o.Facts) != 1 {
		t.Fatalf("%s %s, %d facts", o.State, o.Why, len(o.Facts))
	}
	talk := o.Facts[0].(*fact.Talk)
	words := talk.Body.String()
	for _, want := range []string{"Customer: I would like to change my appointment", "Agent: Thank you", "[PHONE]"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not in %q", want, words)
		}
	}
	if strings.Contains(words, canary) {
		t.Errorf("the number is in %q", words)
	}
	if b := h.builder(); talk.Call != b.call("CA1") || talk.Contact != b.who("+16465550187") {
		t.Error("the talk is of another call or person")
	}
	if talk.Origin != fact.OwnTranscript || talk.TalkS < 16 || talk.TalkS > 18 || talk.MemberShare < 40 || talk.MemberShare > 47 ||
		talk.SilenceShare < 8 || talk.SilenceShare > 18 || talk.Interruptions != 0 {
		t.Errorf("%+v", talk)
	}
	if again := h.hear(id, false); len(again) != 0 {
		t.Errorf("heard twice: %d deliveries", len(again))
	}
}

// TestWhatIsNotHeard: no transcriber runs without a verdict, and what cannot be heard waits or is put aside.
func TestWhatIsNotHeard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(*callHouse)
		last   bool
		state  fact.State // of the one delivery; Pending: there is none
		left   int        // recordings that wait
	}{
		"no transcriber":     {before: func(h *callHouse) { h.zone.listener = filepath.Join(h.t.TempDir(), "none") }, left: 1},
		"transcripts denied": {before: func(h *callHouse) { h.policy("transcripts", "deny") }},
		"recordings denied":  {before: func(h *callHouse) { h.policy("recordings", "deny") }},
		"a yes is missing":   {before: func(h *callHouse) { h.policy("transcripts", "opt-in") }},
		"country unknown":    {before: func(h *callHouse) { h.policy("opt-in-countries", "DE") }, state: fact.Published}, // a number of the US
		"country asks":       {before: func(h *callHouse) { h.policy("opt-in-countries", "US") }},
		"the call opted out": {before: func(h *callHouse) { must(h.t, h.zone.OptOutCall(h.t.Context(), workspace.Default, "CA1", "dtmf")) }},
		"the person opted out": {before: func(h *callHouse) {
			refusePerson(h.t, h.zone)
		}},
		"the transcriber fails": {before: func(h *callHouse) { h.zone.listener = listener(h.t, []line{}) }, last: true, state: fact.Quarantined},
		"opted out in between":  {state: fact.Refused, before: func(h *callHouse) {}},
		"erased in between":     {state: fact.Erased, before: func(h *callHouse) {}},
		"erased, and not yet destroyed": {before: func(h *callHouse) {
			_, err := h.zone.Erase(h.t.Context(), workspace.Default, "+16465550187")
			must(h.t, err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newCallHouse(t, "notice")
			h.zone.listener = listener(t, conversation)
			id := h.call("CA1", conversation)
			c.before(h)
			r, err := h.zone.Recordings(t.Context(), workspace.Default)
			must(t, err)
			if want := c.left + map[bool]int{true: 1}[c.state != fact.Pending]; len(r.Waiting) != want {
				t.Errorf("%d recordings wait, want %d", len(r.Waiting), want)
			}
			all := h.hear(id, c.last)
			switch name {
			case "opted out in between":
				must(t, h.zone.OptOutCall(t.Context(), workspace.Default, "CA1", "dtmf"))
			case "erased in between":
				must(t, h.erase("+16465550187"))
			}
			if want := map[bool]int{true: 1}[c.state != fact.Pending]; len(all) != want {
				t.Fatalf("%d deliveries, want %d", len(all), want)
			}
			if len(all) == 1 {
				if o := h.process(all[0]); o.State != c.state {
					t.Errorf("%s %s, want %s", o.State, o.Why, c.state)
				}
			}
		})
	}
}

// TestAFailingTranscriberIsTriedAgain: but for the last time, an error says that it is worth it.
func TestAFailingTranscriberIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	h.zone.listener = listener(t, []line{})
	id := h.call("CA1", conversation)
	if err := h.zone.Hear(t.Context(), workspace.Default, id, false); err == nil {
		t.Error("a transcriber that fails is no error")
	}
	h.zone.listener = listener(t, conversation)
	if all := h.hear(id, false); len(all) != 1 {
		t.Errorf("%d deliveries at the next try", len(all))
	}
}

// TestNobodySpoke: a call of a person who hung up at once has nothing to say.
func TestNobodySpoke(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	h.zone.listener = listener(t, conversation)
	if all := h.hear(h.call("CA1", nil), true); len(all) != 0 {
		t.Errorf("%d deliveries of no sound", len(all))
	}
}

// keyed names people and calls as the zone does.
type keyed struct{ b builder }

func (k keyed) call(id string) fact.ID { return identity.Ref(k.b.key, fact.KindCall, id) }

func (k keyed) who(number string) anon.Contact {
	return anon.Pseudonym(k.b.key, identity.Parse(personal.New(number), "US").Value())
}

func (h *callHouse) builder() keyed {
	h.t.Helper()
	key, err := h.zone.ring.Pseudonym(workspace.Default)
	must(h.t, err)
	return keyed{builder{zone: h.zone, ws: workspace.Default, key: key}}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refusePerson is the refusal of the person of these tests.
func refusePerson(t testing.TB, z *Zone) {
	t.Helper()
	_, err := z.OptOutContact(t.Context(), workspace.Default, "+16465550187", "sms")
	must(t, err)
}
