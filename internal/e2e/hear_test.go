package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/insight"
	"murmur/internal/rpc"
	"murmur/internal/web"
)

// transcriber writes a transcriber that hears the same sentence in everything, and gives its path.
func transcriber(t *testing.T, sentence string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("#!/bin/sh\ncat >/dev/null\n")
	words := strings.Fields(sentence)
	each := 1.2 / float64(len(words))
	for i, w := range words {
		fmt.Fprintf(&b, "echo '{\"w\":%q,\"start\":%.3f,\"end\":%.3f,\"conf\":0.99}'\n", w, 0.1+float64(i)*each, 0.1+float64(i+1)*each)
	}
	b.WriteString("echo '{\"speech\":[0.1,1.3]}'\n")
	path := filepath.Join(t.TempDir(), "listen")
	if err := os.WriteFile(path, []byte(b.String()), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	said   = "Hello this is Ann Quillberry I want to cancel my appointment on Thursday please"
	secret = "Quillberry"
)

// recorded waits until it stands so with the recordings.
func (h *house) recorded(heard, waiting int64) web.Recorded {
	h.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(2 * time.Minute)
	for {
		var s rpc.Status
		h.do("status", nil, &s)
		r := s.Workspaces["default"].Recordings
		if r != nil && r.Heard == heard && r.Waiting == waiting {
			return *r
		}
		select {
		case <-tick.C:
		case <-limit:
			h.t.Fatalf("%+v; want %d heard, %d waiting\n%s", r, heard, waiting, h.log.Bytes())
		}
	}
}

// callsOf are calls an hour ago of the people whom sipp rings as.
func callsOf(people int) io.Reader {
	var b strings.Builder
	for i := range people {
		fmt.Fprintf(&b, `{"schema":"murmur.v1","type":"call","source_id":"known-%d","occurred_at":%q,"direction":"in","outcome":"answered","party":{"phone":"+493012345%d"}}`+"\n",
			i, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), i+1)
	}
	return strings.NewReader(b.String())
}

// TestACallBecomesAFigure: a dozen callers ring the recorder; what a transcriber hears in their calls is masked and
// counted.
func TestACallBecomesAFigure(t *testing.T) {
	t.Parallel()
	sipp, err := exec.LookPath("sipp")
	if err != nil {
		skip(t, "calls that become a figure", "sipp is not installed; scripts/setup installs it")
	}
	h := spawn(t, newData(t), "--role", "recorder", "--sip", "127.0.0.1:0", "--rtp-ports", "43000-43999", "--listener", transcriber(t, said))
	h.policy("recordings", "notice", "transcripts", "notice", "noise", "0")
	h.notice()
	const calls = 12
	h.importFile("native", callsOf(calls)) // a SIP address alone verifies nobody
	call := h.sipp(sipp, calls, 1500*time.Millisecond, noise(12000))
	if err := call.Wait(); err != nil {
		t.Fatalf("sipp: %v", err)
	}
	h.recorded(calls, 0)
	h.drain()
	var s rpc.Status
	h.do("status", nil, &s)
	if c := s.Workspaces["default"].BySource["recorder"]; c.Published != calls || c.In != calls {
		t.Errorf("of the recorder: %+v", c)
	}
	found := false
	for d := json.NewDecoder(bytes.NewReader(h.figures())); d.More(); {
		var f insight.Figure
		if err := d.Decode(&f); err != nil {
			t.Fatal(err)
		}
		found = found || f.Insight == "contact-reasons" && f.Value != nil && f.Base == calls
	}
	if !found {
		t.Errorf("no reason for contact is shown of %d calls", calls)
	}
	h.sound()
}

// TestARefusedCallIsNeverHeard: a call is recorded while nobody can listen; then its person opts out, and a transcriber
// comes. Not a word of it may be anywhere.
func TestARefusedCallIsNeverHeard(t *testing.T) {
	t.Parallel()
	sipp, err := exec.LookPath("sipp")
	if err != nil {
		skip(t, "a refused call that is never heard", "sipp is not installed; scripts/setup installs it")
	}
	data, command := newData(t), transcriber(t, said)
	h := spawn(t, data, "--role", "recorder", "--sip", "127.0.0.1:0", "--rtp-ports", "44000-44999", "--listener", filepath.Join(t.TempDir(), "none"))
	h.policy("recordings", "notice", "transcripts", "notice", "noise", "0")
	h.notice()
	call := h.sipp(sipp, 2, 1500*time.Millisecond, noise(12000))
	if err := call.Wait(); err != nil {
		t.Fatalf("sipp: %v", err)
	}
	if r := h.recorded(0, 2); !strings.Contains(r.Said, "no transcriber") {
		t.Errorf("without a transcriber: %+v", r)
	}
	var d rpc.Diagnosis
	h.do("doctor", rpc.DoctorArgs{}, &d)
	hint := ""
	for _, c := range d.Checks {
		if c.Name == "recordings of default" && !c.OK {
			hint = c.Hint
		}
	}
	if !strings.Contains(hint, "make voice") {
		t.Errorf("doctor's hint is %q", hint)
	}
	h.post("/v1/contacts/opt-out", []byte(`{"contact":"+4930123451","via":"agent"}`), bearer(h.token()), 204)
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	h = spawn(t, data, "--listener", command)
	h.recorded(1, 0)
	h.drain()
	if n := strings.Count(h.lakeWords(), "cancel my appointment"); n != 1 {
		t.Errorf("%d of 2 calls were heard, one of them was refused", n)
	}
	if words := h.lakeWords(); strings.Contains(words, secret) {
		t.Error("the name is in the lake")
	}
	if left := len(files(t, filepath.Join(data, "recordings"))); left != 1 {
		t.Errorf("%d recordings are left", left)
	}
	h.sound()
}
