package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// aging is a started node in a directory of its own, whose clock a test moves; in seconds since 1970.
type aging struct {
	*Node
	now atomic.Int64
}

func newAging(t *testing.T) *aging {
	t.Helper()
	a := &aging{}
	a.now.Store(time.Date(2026, 11, 3, 1, 0, 0, 0, time.UTC).Unix())
	n, err := Open(t.Context(), Config{Data: filepath.Join(t.TempDir(), "data"), Now: func() time.Time { return time.Unix(a.now.Load(), 0).UTC() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, n) })
	n.Start(t.Context())
	a.Node = n
	return a
}

func (a *aging) do(t *testing.T, verb string, args any, in string) {
	t.Helper()
	if err := a.Do(t.Context(), verb, args, strings.NewReader(in), &bytes.Buffer{}); err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
}

// TestRawBytesEndInTime lets time pass: raw bytes go once a delivery is decided, one held for consent is refused after
// seven days, and the day's key dies with the day.
func TestRawBytesEndInTime(t *testing.T) {
	t.Parallel()
	n := newAging(t)
	kept := func(id string) (fact.State, bool) {
		t.Helper()
		key, err := n.zone.EventID(workspace.Default, "import", id)
		if err != nil {
			t.Fatal(err)
		}
		trace, err := n.journal.Trace(t.Context(), workspace.Default, key)
		if err != nil {
			t.Fatal(err)
		}
		return trace.State, trace.Size > 0
	}
	n.do(t, "policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "transcripts", Value: "opt-in"}}, Reason: "test", Author: "test"}, "")
	n.do(t, "import", rpc.ImportArgs{Kind: "native"}, strings.Replace(recorded, `"source_id"`, `"delivery_id":"held","source_id"`, 1))
	n.do(t, "import", rpc.ImportArgs{Kind: "native"}, `{"schema":"murmur.v1","type":"message","delivery_id":"text","source_id":"M1","direction":"in","occurred_at":"2026-11-03T00:30:00Z","party":{"phone":"+12125550123"},"body":"are you open"}`)
	if s, sealed := kept("text"); s != fact.Published || sealed {
		t.Fatalf("the text is %v, kept %v", s, sealed)
	}
	pass := func(d time.Duration) {
		t.Helper()
		n.now.Add(int64(d / time.Second))
		if err := n.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	pass(3 * time.Hour)
	if s, sealed := kept("held"); s != fact.Held || !sealed {
		t.Errorf("what waits for consent is %v, kept %v", s, sealed)
	}
	first, err := n.ring.Epochs(workspace.Default)
	if err != nil || len(first) != 1 {
		t.Fatalf("epochs %v, %v", first, err)
	}
	pass(24 * time.Hour)
	if left, err := n.ring.Epochs(workspace.Default); err != nil || len(left) != 1 || left[0] == first[0] {
		t.Errorf("a day later the epochs are %v, %v", left, err)
	}
	pass(8 * 24 * time.Hour)
	if err := n.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, sealed := kept("held"); s != fact.Refused || sealed {
		t.Errorf("after a week what waited is %v, kept %v", s, sealed)
	}
}

// TestRawBytesEndWithoutAServer: a file is imported and counted, and nobody starts a server. Three days later any verb ends
// the raw bytes of that day before it does anything else.
func TestRawBytesEndWithoutAServer(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 4, 10, 0, 0, 0, time.UTC)
	c := Config{Data: filepath.Join(t.TempDir(), "data"), Now: func() time.Time { return at }}
	verb := func(verb string, args any, in string) (epochs []uint32, sealed int) {
		t.Helper()
		control, err := attach(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := control.Do(t.Context(), verb, args, strings.NewReader(in), &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		n := control.(*Node)
		if epochs, err = n.ring.Epochs(workspace.Default); err != nil {
			t.Fatal(err)
		}
		if err := n.journal.Sealed(t.Context(), func(journal.Message) error { sealed++; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := control.Close(); err != nil {
			t.Fatal(err)
		}
		return epochs, sealed
	}
	verb("policy", rpc.PolicyArgs{Set: []rpc.KeyValue{{Key: "transcripts", Value: "opt-in"}}, Reason: "test", Author: "test"}, "")
	verb("import", rpc.ImportArgs{Kind: "native"}, someCalls(0, 40)+recorded)
	first := keyring.EpochOf(at)
	if epochs, _ := verb("figures", rpc.FiguresArgs{Refresh: true}, ""); len(epochs) != 1 || epochs[0] != first {
		t.Fatalf("epochs on the first day: %v", epochs)
	}
	at = at.AddDate(0, 0, 3)
	epochs, sealed := verb("status", nil, "")
	if len(epochs) != 1 || epochs[0] != keyring.EpochOf(at) || sealed != 1 {
		t.Errorf("three days later: epochs %v, %d sealed deliveries; want today's for the one that is held", epochs, sealed)
	}
	at = at.AddDate(0, 0, 8)
	if epochs, sealed := verb("status", nil, ""); len(epochs) > 1 || sealed != 0 {
		t.Errorf("after a week what was held is refused: epochs %v, %d sealed deliveries", epochs, sealed)
	}
}

// TestAClockThatWasAhead: days that a clock of the future ended do not keep the house shut once the clock is right.
func TestAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	n, err := Open(t.Context(), Config{Data: data, Now: func() time.Time { return time.Now().AddDate(0, 0, 400) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(n.Rotate(t.Context()), n.Close()); err != nil {
		t.Fatal(err)
	}
	h := open(t, data)
	defer stop(t, h.Node)
	var source rpc.Connected
	if err := json.Unmarshal([]byte(h.do("connect", rpc.ConnectArgs{Kind: "native"}, "")), &source); err != nil {
		t.Fatal(err)
	}
	if code, body := h.over().ask(source.Secret, "POST", source.Path, someCalls(0, 1)); code != 200 {
		t.Errorf("%d %s", code, body)
	}
}
