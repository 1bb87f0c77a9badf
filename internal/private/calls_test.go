package private

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/ledger"
	"murmur/internal/receipt"
	"murmur/internal/tour"
	"murmur/internal/workspace"
)

// callHouse is a zone whose policy for recordings is chosen, with a telephony that reports one event a second.
type callHouse struct {
	*tourHouse
	t  *testing.T
	at time.Time
}

func newCallHouse(t *testing.T, basis string) *callHouse {
	t.Helper()
	h := &callHouse{tourHouse: newTourHouse(t), t: t, at: tour.Now}
	_, err := h.zone.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "recordings", Value: basis}}, "a test", "a test")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// tell reports events, each as "name", "key 9" or "began +1212..", and gives the last answer.
func (h *callHouse) tell(call string, events ...string) (s CallState) {
	h.t.Helper()
	for _, e := range events {
		h.at = h.at.Add(time.Second)
		in := CallEvent{At: h.at}
		var with string
		in.Kind, with, _ = strings.Cut(e, " ")
		switch in.Kind {
		case "key":
			in.Key = with
		case "began":
			in.Contact = with
		case "notice_started":
			in.Notice = CallNotice{ID: "greeting", Language: "en", SHA256: strings.Repeat("c3", 32), Length: time.Second}
		}
		var err error
		if s, err = h.zone.CallEvent(h.t.Context(), workspace.Default, call, in); err != nil {
			h.t.Fatalf("%s: %v", e, err)
		}
	}
	return s
}

func (h *callHouse) receipt(call string) ([]byte, receipt.Call) {
	h.t.Helper()
	r, err := h.zone.Receipt(h.t.Context(), workspace.Default, call)
	if err != nil {
		h.t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		h.t.Fatal(err)
	}
	return b, r
}

// TestATelephonyIsTold: what a platform that records by itself reports, and what it must do.
func TestATelephonyIsTold(t *testing.T) {
	t.Parallel()
	notice := []string{"notice_started", "notice_ended"}
	for _, c := range []struct {
		basis  string
		events []string
		state  string
		must   string
	}{
		{"notice", []string{"began"}, "noticing", "play-notice"},
		{"notice", append([]string{"began"}, notice...), "holding", "record"},
		{"notice", notice, "holding", "record"}, // a telephony that says no more
		{"notice", append(slices.Clone(notice), "key 4"), "holding", "record"},
		{"notice", append(slices.Clone(notice), "suspended"), "paused", "pause"},
		{"notice", append(slices.Clone(notice), "suspended", "resumed", "hangup"), "released", "stop"},
		{"notice", append(slices.Clone(notice), "key 9"), "shredded", "stop delete"},
		{"notice", append(slices.Clone(notice), "hangup", "opted_out"), "shredded", "stop delete"},
		{"notice", append(slices.Clone(notice), "hangup", "hangup"), "released", "stop"},
		{"notice", []string{"notice_ended"}, "shredded", "stop delete"}, // never began
		{"notice", []string{"key 9"}, "shredded", "stop delete"},
		{"notice", []string{"hangup"}, "shredded", "stop delete"}, // nothing is known of it
		{"deny", append([]string{"began"}, notice...), "refused", "stop delete"},
		{"opt-in", append([]string{"began"}, notice...), "opt_in_wait", ""},
		{"opt-in", append(slices.Clone(notice), "key 1"), "holding", "record"},
		{"opt-in", append(slices.Clone(notice), "hangup"), "shredded", "stop delete"},
		{"one-party", []string{"began"}, "holding", "record"},
		{"one-party", []string{"began", "key 9"}, "shredded", "stop delete"},
	} {
		h := newCallHouse(t, c.basis)
		if s := h.tell("AC1", c.events...); s.State != c.state || strings.Join(s.Must, " ") != c.must {
			t.Errorf("%s, %s: %s %s, want %s %s", c.basis, c.events, s.State, s.Must, c.state, c.must)
		}
	}
	h := newCallHouse(t, "notice")
	h.tell("AC1", "began +12125550142", "notice_started", "notice_ended", "key 9")
	if s := h.tell("AC2", "began (212) 555-0142"); s.State != "refused" {
		t.Errorf("the next call of the same person is %s", s.State)
	}
	if _, r := h.receipt("AC2"); r.Verdict != "refuse" {
		t.Errorf("the receipt of the next call says %s", r.Verdict)
	}
	if _, err := h.zone.CallEvent(t.Context(), workspace.Default, "AC3", CallEvent{Kind: "laughed"}); !errors.Is(err, ErrCallEvent) {
		t.Errorf("an unknown event: %v", err)
	}
}

// TestReportsAtOnce: the first reports of a call may come together.
func TestReportsAtOnce(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	var reports sync.WaitGroup
	for range 8 {
		reports.Go(func() {
			s, err := h.zone.CallEvent(t.Context(), workspace.Default, "AC1", CallEvent{Kind: "began", At: h.at})
			if err != nil || s.State == "shredded" {
				t.Errorf("%s: %v", s.State, err)
			}
		})
	}
	reports.Wait()
	if s := h.tell("AC1", "notice_started", "notice_ended"); s.State != "holding" {
		t.Errorf("the call is %s", s.State)
	}
}

// TestAnOptOutReachesTheLiveCall: the refusal over the API, and the one of a person, stop a call that is under way.
func TestAnOptOutReachesTheLiveCall(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(*callHouse) error{
		"call": func(h *callHouse) error { return h.zone.OptOutCall(t.Context(), workspace.Default, "AC1", "agent") },
		"contact": func(h *callHouse) error {
			_, err := h.zone.OptOutContact(t.Context(), workspace.Default, "+12125550142", "record_pref")
			return err
		},
		"erasure": func(h *callHouse) error {
			return h.erase("+12125550142")
		},
	} {
		h := newCallHouse(t, "notice")
		h.tell("AC1", "began +12125550142", "notice_started", "notice_ended")
		if err := refuse(h); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s := h.tell("AC1", "key 4"); s.State != "shredded" {
			t.Errorf("%s: the call is %s", name, s.State)
		}
	}
}

// TestAReceiptStandsAlone: it says what happened, holds no number, and every change of it is named.
func TestAReceiptStandsAlone(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	h.tell("AC9", "began +12125550177", "notice_started", "notice_ended", "hangup") // somebody else's, before
	h.tell("AC1", "began +12125550142", "notice_started", "notice_ended", "key 4", "key 9")
	h.tell("AC8", "began +12125550188", "notice_started", "notice_ended", "hangup")
	file, r := h.receipt("AC1")
	key, err := ledger.ParseKey(h.zone.ledger.Key())
	if err != nil {
		t.Fatal(err)
	}
	if found, err := CheckReceipt(file, key); err != nil || len(found) > 0 {
		t.Fatalf("found %s: %v", found, err)
	}
	if len(r.Takes) != 1 || len(r.Entries) != 2 || r.Takes[0].State != "shredded" || r.Takes[0].Key != "9" || r.Takes[0].Via != "dtmf" ||
		!r.Takes[0].KeyDestroyed || !r.Takes[0].Notice.Whole || r.Takes[0].Notice.Language != "en" || r.Verdict != "refuse" {
		t.Errorf("it says %s", file)
	}
	for _, s := range []string{"2125550142", "555", "AC9", "AC8", `"4"`} {
		if strings.Contains(string(file), `"`+s+`"`) || s == "2125550142" && strings.Contains(string(file), s) {
			t.Errorf("it holds %s", s)
		}
	}
	other, err := ledger.ParseKey(ledger.KeyOf(&[32]byte{}))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := CheckReceipt(file, other); err != nil || len(found) == 0 {
		t.Errorf("another ledger's key: found %s, %v", found, err)
	}
	for name, f := range map[string]struct {
		do   func(*receipt.Call)
		want string // beside the signature, which every change breaks; "": nothing
	}{
		"the call's name":     {func(r *receipt.Call) { r.Call = "AC2" }, ""},
		"the time":            {func(r *receipt.Call) { r.MadeAt = r.MadeAt.Add(time.Second) }, ""},
		"the state":           {func(r *receipt.Call) { r.Takes[0].State = "released" }, "does not say"},
		"the key destroyed":   {func(r *receipt.Call) { r.Takes[0].KeyDestroyed = false }, "does not say"},
		"a move taken out":    {func(r *receipt.Call) { r.Takes[0].Trace = r.Takes[0].Trace[:3] }, "does not say"},
		"an entry's summary":  {func(r *receipt.Call) { r.Entries = r.Entries[1:] }, "does not say"},
		"an entry edited":     {func(r *receipt.Call) { edit(r, "opted_out", "opted_in") }, "not in the ledger"},
		"an entry deleted":    {func(r *receipt.Call) { r.Proofs = r.Proofs[1:] }, "does not say"},
		"an entry's place":    {func(r *receipt.Call) { r.Proofs[0].Seq++ }, "not in the ledger"},
		"two entries in turn": {func(r *receipt.Call) { slices.Reverse(r.Proofs) }, "does not say"},
		"all of it but allow": {func(r *receipt.Call) { r.Proofs, r.Entries, r.Takes, r.Head, r.Verdict = nil, nil, nil, "", "allow" }, ""},
		"no checkpoint":       {func(r *receipt.Call) { r.Checkpoint = "" }, "not a checkpoint"},
		"the verdict":         {func(r *receipt.Call) { r.Verdict = "allow" }, "may be heard"},
		"another call":        {func(r *receipt.Call) { r.ID = strings.Repeat("00", 16) }, "of another call"},
		"the checkpoint":      {func(r *receipt.Call) { r.Checkpoint = strings.Replace(r.Checkpoint, "2026", "2027", 1) }, "not a checkpoint"},
	} {
		var bad receipt.Call
		if err := json.Unmarshal(file, &bad); err != nil {
			t.Fatal(err)
		}
		f.do(&bad)
		found, err := CheckReceipt(marshal(t, bad), key)
		if err != nil || !strings.Contains(strings.Join(found, "; "), "was changed") || !strings.Contains(strings.Join(found, "; "), f.want) {
			t.Errorf("%s: found %q, want %s: %v", name, found, f.want, err)
		}
	}
	doubled := strings.Replace(string(file), `"verdict":"refuse"`, `"verdict":"refuse","verdict":"allow"`, 1)
	for _, bad := range []string{"", "{}", `{"format":"murmur-receipt-2","laughed":true}`, "null", `{"format":"murmur-receipt-2","id":"zz"}`, doubled, string(file) + "{}"} {
		if _, err := CheckReceipt([]byte(bad), key); !errors.Is(err, ErrReceipt) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// edit replaces a word in the bodies that the receipt shows.
func edit(r *receipt.Call, from, to string) {
	for i := range r.Proofs {
		r.Proofs[i].Body = strings.ReplaceAll(r.Proofs[i].Body, from, to)
	}
}

func FuzzCheckReceipt(f *testing.F) {
	key := ledger.KeyOf(&[32]byte{1})
	f.Add([]byte(`{"format":"murmur-receipt-2","call":"AC1","id":"000102030405060708090a0b0c0d0e0f","verdict":"allow","takes":[],"entries":[],"ledger_head":"","proofs":[],"checkpoint":"","key":"` + key + `","signature":""}`))
	f.Add([]byte(`{"format":"murmur-receipt-2","id":"000102030405060708090a0b0c0d0e0f","proofs":[{"seq":1,"kind":"recording","body":"{}","path":[]}],"checkpoint":"","key":"` + key + `"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if found, err := CheckReceipt(b, nil); err == nil && len(found) == 0 {
			t.Error("made up")
		}
	})
}
