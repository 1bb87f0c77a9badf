package e2e

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite" // reads the keys that a killed server left

	"murmur/internal/faulttest"
	"murmur/internal/rpc"
)

// scenario is sipp's plain call of the recorder's own tests.
const scenario = "../private/internal/recorder/testdata/plain.xml"

// TestKilledInTheMiddleOfCalls kills a server with 50 calls under way: nothing of them may be readable, by anybody.
func TestKilledInTheMiddleOfCalls(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "kill -9 in the middle of 50 recorded calls")
	sipp, err := exec.LookPath("sipp")
	if err != nil {
		row.Skip("sipp is not installed; scripts/setup installs it")
	}
	const calls = 50
	long := faulttest.Asked() // long enough for sealed audio to reach the files: a chunk is 64 KiB, eight seconds
	data := newData(t)
	speech := noise(12000)
	for range faulttest.Rounds(1, 2, 10) {
		h := spawn(t, data, "--role", "recorder", "--sip", "127.0.0.1:0", "--rtp-ports", "41000-41999")
		h.policy("recordings", "notice")
		h.notice()
		talk := 4 * time.Second
		if long {
			talk = 20 * time.Second
		}
		call := h.sipp(sipp, calls, talk, speech)
		h.recording(calls, map[bool]int64{false: 1, true: 64 << 10}[long])
		h.kill()
		_ = call.Process.Kill()
		_ = call.Wait()

		if n := keys(t, data); n != 0 {
			t.Errorf("%d keys of calls that nobody ended are stored", n)
		}
		if found := search(t, data, speech); len(found) > 0 {
			t.Errorf("audio can be read in %d files", len(found))
		}
		row.Planted(len(search(t, data, shortNotice())) == 1) // the notice is stored in the clear: the search finds it
		row.Rounds++
	}
	h := spawn(t, data)
	left, err := os.ReadDir(filepath.Join(data, "recordings"))
	if err != nil || len(left) > 0 {
		t.Errorf("%d files of recordings are left after the next start (%v)", len(left), err)
	}
	h.sound()
}

// TestEveryRecordedCallHasAReceipt lets calls end and verifies what they left.
func TestEveryRecordedCallHasAReceipt(t *testing.T) {
	t.Parallel()
	sipp, err := exec.LookPath("sipp")
	if err != nil {
		skip(t, "receipts of recorded calls", "sipp is not installed; scripts/setup installs it")
	}
	data := newData(t)
	h := spawn(t, data, "--role", "recorder", "--sip", "127.0.0.1:0", "--rtp-ports", "42000-42999")
	h.policy("recordings", "notice")
	h.notice()
	const calls = 10
	speech := noise(8000)
	call := h.sipp(sipp, calls, 1500*time.Millisecond, speech)
	if err := call.Wait(); err != nil {
		t.Fatalf("sipp: %v", err)
	}
	tick := time.NewTicker(20 * time.Millisecond) // BYE is answered before the recording is closed
	defer tick.Stop()
	for range 500 {
		if keys(t, data) == calls {
			break
		}
		<-tick.C
	}
	h.sound()
	if n := keys(t, data); n != calls {
		t.Errorf("%d of %d calls are kept\n%s", n, calls, h.log.Bytes())
	}
	if found := search(t, data, speech); len(found) > 0 {
		t.Errorf("audio can be read in %d files", len(found))
	}
	file := filepath.Join(data, "recordings", first(t, filepath.Join(data, "recordings")))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	var v rpc.Verified
	h.do("verify", rpc.VerifyArgs{}, &v)
	if len(v.Breaches) != 1 {
		t.Errorf("a recording that was removed makes %d breaches", len(v.Breaches))
	}
}

// sound checks that verify finds nothing.
func (h *house) sound() {
	h.t.Helper()
	var v rpc.Verified
	h.do("verify", rpc.VerifyArgs{}, &v)
	for _, b := range v.Breaches {
		h.t.Errorf("%s: %s", b.File, b.What)
	}
}

// noise is G.711 that occurs nowhere by chance.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(11, 12))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(128)) // loud and quiet, one sign: no key in it
	}
	return b
}

// shortNotice is the sound of a notice of 100 ms.
func shortNotice() []byte { return bytes.Repeat([]byte{0x12, 0x34, 0x56, 0x78}, 200) }

// notice gives the workspace a short notice.
func (h *house) notice() {
	h.t.Helper()
	sound := shortNotice()
	head := []byte("RIFF\x44\x03\x00\x00WAVEfmt \x10\x00\x00\x00\x07\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x20\x03\x00\x00")
	dir := filepath.Join(h.data, "notices")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "default.en.wav"), append(head, sound...), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// telephones counts the runs of sipp: each has media ports of its own.
var telephones atomic.Int64

// sipp starts calls that talk for a while.
func (h *house) sipp(path string, calls int, talk time.Duration, speech []byte) *exec.Cmd {
	h.t.Helper()
	at := ""
	for l := range strings.Lines(string(h.out.Bytes())) {
		if a, ok := strings.CutPrefix(strings.TrimSpace(l), "sip on "); ok {
			at = a
		}
	}
	text, err := os.ReadFile(scenario)
	if err != nil || at == "" {
		h.t.Fatalf("no scenario, or no recorder (%v):\n%s", err, h.out.Bytes())
	}
	b := bytes.Replace(text, []byte(`milliseconds="1700"`), fmt.Appendf(nil, `milliseconds="%d"`, talk.Milliseconds()), 1)
	b = bytes.Replace(b, []byte("speech.ulaw,1,0"), []byte("speech.ulaw,-1,0"), 1)
	b = bytes.ReplaceAll(b, []byte("[caller]@"), []byte("[caller][call_number]@")) // each call is another person's
	if bytes.Equal(b, text) {
		h.t.Fatal("the scenario is another one")
	}
	dir := h.t.TempDir()
	for name, content := range map[string][]byte{"plain.xml": b, "speech.ulaw": speech} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	cmd := exec.Command(path, at, "-sf", "plain.xml", "-s", "default", "-m", fmt.Sprint(calls), "-l", fmt.Sprint(calls), "-r", "100", "-i", "127.0.0.1",
		"-mi", "127.0.0.1", "-mp", fmt.Sprint(33000+500*telephones.Add(1)), "-nostdin", "-timeout", "60s", "-key", "caller", "+493012345")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	return cmd
}

// recording waits until so many calls are being recorded, each with a file of a size.
func (h *house) recording(calls int, size int64) {
	h.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for {
		n := 0
		entries, _ := os.ReadDir(filepath.Join(h.data, "recordings"))
		for _, e := range entries {
			if i, err := e.Info(); err == nil && i.Size() >= size {
				n++
			}
		}
		if n >= calls {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			h.t.Fatalf("%d of %d calls are recorded", n, calls)
		}
	}
}

// keys counts the stored keys of recordings.
func keys(t *testing.T, data string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "murmur.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM recordings").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// search lists the files that hold any 32 bytes of a sound, at its frames' boundaries.
func search(t *testing.T, data string, sound []byte) (found []string) {
	t.Helper()
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i := 0; i+32 <= len(sound); i += 160 {
			if bytes.Contains(b, sound[i:i+32]) {
				found = append(found, path)
				return nil
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func first(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatalf("nothing in the folder (%v)", err)
	}
	return entries[0].Name()
}
