package recorder

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"murmur/internal/audio/audiotest"
	"murmur/internal/audio/wav"
	"murmur/internal/private/internal/consent"
	"murmur/internal/workspace"
)

// program finds a real SIP client. Without it the test is skipped, loudly; scripts/setup installs it.
func program(t *testing.T, name, what string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("NOT TESTED: %s, for %s is not installed (scripts/setup installs it)", what, name)
	}
	return path
}

// talk is a second of speech's loudness, then, when key is not 0, that key, then half a second more.
func talk(key byte) []int16 {
	out := audiotest.Tones(8000, 8000, 3000, 300)
	if key != 0 {
		out = append(out, audiotest.Press(8000, key, 1200, 8000)...)
	}
	return append(out, audiotest.Tones(8000, 4000, 3000, 300)...)
}

// freePort is a port that nobody has just now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestSIPp has sipp call: plain and as a session recording client, over UDP and TCP, with keys of both kinds. The
// scenarios themselves check the answers and wait for the re-INVITE.
func TestSIPp(t *testing.T) {
	t.Parallel()
	sipp := program(t, "sipp", "calls of sipp, plain and SIPREC")
	for i, c := range []struct {
		scenario, transport string
		released, root      bool
	}{
		{scenario: "plain", transport: "u1", released: true},
		{scenario: "key-in-sound", transport: "t1"},
		{scenario: "key-event", transport: "u1", root: true},
		{scenario: "copy", transport: "u1", released: true},
		{scenario: "copy-key", transport: "t1"},
	} {
		t.Run(c.scenario+" "+c.transport, func(t *testing.T) {
			t.Parallel()
			if c.root && os.Getuid() != 0 {
				t.Skip("NOT TESTED: telephone events of sipp, which needs root for its raw socket")
			}
			h := newHouse(t, workspace.Notice)
			dir := t.TempDir()
			for name, key := range map[string]byte{"speech.ulaw": 0, "key.ulaw": '9'} {
				if err := os.WriteFile(filepath.Join(dir, name), ulawOf(talk(key)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			scenario, err := filepath.Abs(filepath.Join("testdata", c.scenario+".xml"))
			if err != nil {
				t.Fatal(err)
			}
			media := fmt.Sprint(31000 + 100*i)
			cmd := exec.Command(sipp, h.Addr().String(), "-sf", scenario, "-s", "default", "-m", "1", "-t", c.transport, "-i", "127.0.0.1", "-mi", "127.0.0.1",
				"-mp", media, "-nostdin", "-trace_err", "-timeout", "30s", "-timeout_error", "-key", "caller", "+12125550142", "-key", "session", "copy-1")
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				logs, _ := filepath.Glob(filepath.Join(dir, "*errors.log"))
				for _, l := range logs {
					b, _ := os.ReadFile(l)
					out = append(out, b...)
				}
				t.Fatalf("sipp: %v\n%s", err, out)
			}
			w := h.only()
			if !c.released {
				h.gone(w)
				return
			}
			w.until(t, consent.Released)
			if n := len(h.kept()[0]); n < 50 {
				t.Errorf("%d frames were kept", n)
			}
		})
	}
}

// only is the one call there was.
func (h *house) only() *watched {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.takes {
		if len(h.takes) == 1 {
			return w
		}
	}
	h.t.Fatalf("there were %d calls, want 1", len(h.takes))
	return nil
}

// TestBaresip has a softphone call, hear the notice, talk, and press 9 or hang up.
func TestBaresip(t *testing.T) {
	t.Parallel()
	baresip := program(t, "baresip", "calls of the softphone baresip")
	for _, key := range []string{"", "9"} {
		t.Run("key "+key, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice)
			phone := startBaresip(t, baresip)
			phone.command("dial", "sip:default@"+h.Addr().String())
			w := h.begun()
			w.until(t, consent.Holding)
			h.frames(w, 25)
			if key == "" {
				phone.command("hangup", "")
				w.until(t, consent.Released)
				if n := len(h.kept()[0]); n < 25 {
					t.Errorf("%d frames were kept", n)
				}
				return
			}
			phone.command("sndcode", key)
			h.gone(w)
			phone.command("hangup", "")
		})
	}
}

// begun waits for the first call.
func (h *house) begun() *watched {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for {
		h.mu.Lock()
		for _, w := range h.takes {
			h.mu.Unlock()
			return w
		}
		h.mu.Unlock()
		select {
		case <-tick.C:
		case <-limit:
			h.t.Fatal("no call came")
		}
	}
}

// frames waits until a call has kept so many.
func (h *house) frames(w *watched, n int) {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for {
		if _, kept := w.lastKept(); kept >= n {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			h.t.Fatalf("%d frames are not kept", n)
		}
	}
}

// softphone is a running baresip, driven over its control port.
type softphone struct {
	t    *testing.T
	conn net.Conn
}

func startBaresip(t *testing.T, path string) *softphone {
	t.Helper()
	dir := t.TempDir()
	control, sip := freePort(t), freePort(t)
	var sound bytes.Buffer
	pcm := talk(0)
	w, err := wav.NewWriter(&sound, 8000, 1, len(pcm))
	if err == nil {
		err = w.Write(pcm)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"speech.wav": sound.String(), "contacts": "",
		"accounts": fmt.Sprintf("<sip:+12125550143@127.0.0.1:%d>;regint=0;audio_codecs=PCMU;dtmfmode=rtpevent\n", sip),
		"config": fmt.Sprintf("poll_method epoll\nsip_listen 127.0.0.1:%d\naudio_player aufile,%[2]s/heard.wav\naudio_alert aufile,%[2]s/alert.wav\n"+
			"audio_source aufile,%[2]s/speech.wav\nausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\nmodule_path %[4]s\n"+
			"module g711.so\nmodule aufile.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:%[3]d\n",
			sip, dir, control, modules(t)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "-f", dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("baresip said:\n%s", out.Bytes())
		}
	})
	p := &softphone{t: t}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		if p.conn, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", control)); err == nil {
			t.Cleanup(func() { _ = p.conn.Close() })
			return p
		}
		<-tick.C
	}
	t.Fatalf("baresip does not listen: %v", err)
	return nil
}

// modules is where the distribution keeps them.
func modules(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib*/baresip/modules")
	more, _ := filepath.Glob("/usr/lib/*/baresip/modules")
	if found = append(found, more...); len(found) == 0 {
		t.Skip("NOT TESTED: baresip has no modules")
	}
	return found[0]
}

// command sends a command as a netstring of JSON.
func (p *softphone) command(name, params string) {
	p.t.Helper()
	b, _ := json.Marshal(map[string]string{"command": name, "params": params})
	if _, err := fmt.Fprintf(p.conn, "%d:%s,", len(b), b); err != nil {
		p.t.Fatalf("baresip %s: %v", strings.TrimSpace(name), err)
	}
}
