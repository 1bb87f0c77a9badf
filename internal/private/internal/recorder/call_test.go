package recorder

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zaf/g711"

	"murmur/internal/audio/dtmf"
	"murmur/internal/fact"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/recording"
	"murmur/internal/workspace"
)

func joined(frames []recording.Frame) []byte {
	var b bytes.Buffer
	for _, f := range frames {
		b.Write(f.Payload)
	}
	return b.Bytes()
}

// keysIn hears the keys that are left in a leg.
func keysIn(frames []recording.Frame) []dtmf.Key {
	b := joined(frames)
	pcm := make([]int16, len(b))
	for i := range b {
		pcm[i] = g711.DecodeUlawFrame(b[i])
	}
	d := dtmf.New(8000)
	return dtmf.Ended(append(d.Write(pcm), d.Close()...))
}

// gone checks that a call left nothing: no release, no file.
func (h *house) gone(w *watched) {
	h.t.Helper()
	w.until(h.t, consent.Shredded)
	if len(h.released) > 0 {
		h.t.Error("a recording was released")
	}
	if f := h.files(); len(f) > 0 {
		h.t.Errorf("%d files are left", len(f))
	}
}

// offered waits for a re-INVITE and gives its description.
func (p *phone) offered() string {
	p.t.Helper()
	select {
	case body := <-p.offers:
		return body
	case <-time.After(20 * time.Second):
		p.t.Fatal("no re-INVITE came")
		return ""
	}
}

func TestCallIsKeptAfterTheNotice(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice)
			p := newPhone(t, network, h.Addr().String(), "default", 1)
			if a := p.dial(); a.code != 200 || !strings.Contains(a.body, " 101\r\n") {
				t.Fatalf("answered %d, without the offer's payload type of events", a.code)
			}
			p.legs[0].speak(3) // before the notice ended: not kept
			w := h.take(p.callID)
			w.until(t, consent.Holding)
			sent := p.legs[0].speak(50)
			p.bye()
			w.until(t, consent.Released)
			got := joined(h.kept()[0])
			if len(got) < len(sent)-640 || !bytes.HasPrefix(sent, got) {
				t.Errorf("kept %d bytes of %d, or others", len(got), len(sent))
			}
			if n := p.legs[0].heard.Load(); n != 5 {
				t.Errorf("the notice came in %d packets, want 5", n)
			}
		})
	}
}

func TestKeyEndsTheRecording(t *testing.T) {
	t.Parallel()
	ways := map[string]func(p *phone){
		"event, payload type 101": func(p *phone) { p.legs[0].press('9') },
		"event, payload type 96":  func(p *phone) { p.legs[0].press('9') },
		"event, offered as 101 and sent as 96": func(p *phone) {
			p.legs[0].sends = 96
			p.legs[0].press('9')
		},
		"event, none offered": func(p *phone) {
			p.legs[0].sends = 101
			p.legs[0].press('9')
		},
		"in the sound": func(p *phone) { p.legs[0].tone('9') },
		"INFO, relay": func(p *phone) {
			if a := p.ask("INFO", "application/dtmf-relay", "Signal=9\r\nDuration=160\r\n"); a.code != 200 {
				p.t.Errorf("INFO was answered %d", a.code)
			}
		},
		"INFO":              func(p *phone) { p.ask("INFO", "application/dtmf", "9") },
		"INFO, lines":       func(p *phone) { p.ask("INFO", "application/dtmf", "Signal= 9\r\nDuration= 160\r\n") },
		"INFO, bare, relay": func(p *phone) { p.ask("INFO", "application/dtmf-relay", "9\r\n") },
	}
	for name, press := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice)
			p, w := h.call(func(p *phone) {
				switch name {
				case "event, payload type 96":
					p.legs[0].event = 96
				case "event, none offered":
					p.legs[0].event = 0
				}
			})
			p.legs[0].speak(25)
			press(p)
			p.legs[0].speak(25)
			h.gone(w)
			if body := p.offered(); !strings.Contains(body, "a=record:off") {
				t.Errorf("the re-INVITE does not say that recording is off:\n%s", body)
			}
			p.bye()
			h.gone(w)
			again := newPhone(t, "udp", h.Addr().String(), "default", 1)
			again.number = p.number
			if a := again.dial(); a.code != 603 {
				t.Errorf("the next call of the person was answered %d, want 603", a.code)
			}
		})
	}
}

func TestKeyDuringTheNoticeEndsIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice, func(c *Config) {
		c.Notice = func(ws workspace.ID, question bool) (*Notice, error) { return NoticeOf(noFolder, ws, question) }
	})
	p := newPhone(t, "udp", h.Addr().String(), "default", 1)
	p.dial()
	w := h.take(p.callID)
	for p.legs[0].heard.Load() == 0 {
		h.settled()
	}
	p.legs[0].press('9')
	h.gone(w)
	p.offered()
	heard := p.legs[0].heard.Load()
	h.settled()
	if n := p.legs[0].heard.Load() - heard; n > 2 { // those on their way
		t.Errorf("the notice went on for %d packets", n)
	}
	p.bye()
}

func TestHangUpBeforeTheNoticeEndedLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice, func(c *Config) {
		c.Notice = func(ws workspace.ID, question bool) (*Notice, error) { return NoticeOf(noFolder, ws, question) }
	})
	p := newPhone(t, "udp", h.Addr().String(), "default", 1)
	p.dial()
	p.legs[0].speak(10)
	p.bye()
	h.gone(h.take(p.callID))
}

func TestQuestionWantsAYes(t *testing.T) {
	t.Parallel()
	for _, key := range []byte{'1', '9', '5'} {
		t.Run(string(key), func(t *testing.T) {
			t.Parallel()
			asked := make(chan bool, 1)
			h := newHouse(t, workspace.OptIn, func(c *Config) {
				c.Notice = func(_ workspace.ID, question bool) (*Notice, error) { asked <- question; return short(t), nil }
			})
			p := newPhone(t, "udp", h.Addr().String(), "default", 1)
			p.dial()
			if !<-asked {
				t.Error("a notice was played, not the question")
			}
			w := h.take(p.callID)
			w.until(t, consent.OptInWait)
			p.legs[0].speak(20)
			p.legs[0].press(key)
			if key == '1' {
				w.until(t, consent.Holding)
				p.legs[0].speak(20)
			}
			p.bye()
			if key != '1' {
				h.gone(w)
				return
			}
			w.until(t, consent.Released)
			if n := len(h.kept()[0]); n < 15 || n > 25 {
				t.Errorf("%d frames were kept, want those after the yes", n)
			}
		})
	}
}

func TestKeysAreMasked(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p, w := h.call()
	leg := p.legs[0]
	leg.speak(20)
	for _, k := range []byte("4111*#") {
		leg.tone(k)
	}
	leg.speak(20)
	quiet := leg.head.Timestamp
	leg.press('4')
	leg.head.Timestamp = quiet // and the same time as sound, as some senders have it
	for range 5 {
		leg.frame(bytes.Repeat([]byte{0x11}, 160))
	}
	leg.speak(20)
	w.keeps(t, 100)
	p.bye()
	w.until(t, consent.Released)
	frames := h.kept()[0]
	if keys := keysIn(frames); len(keys) > 0 {
		t.Errorf("%d keys can still be heard", len(keys))
	}
	if bytes.IndexByte(joined(frames), 0x11) >= 0 {
		t.Error("the sound beneath a telephone event was kept")
	}
	if got := joined(frames); len(got) < 100*160 || bytes.Count(got, []byte{0xFF}) > 80*160 {
		t.Errorf("%d bytes were kept, %d of them silence", len(got), bytes.Count(got, []byte{0xFF}))
	}
}

func TestCopyOfACall(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p := newPhone(t, "udp", h.Addr().String(), "default", 2)
	kind, body := p.siprec("session-1", [2]string{"sip:204@pbx", "sip:+12125550199@carrier"})
	a := p.invite(kind, body, "Require: siprec")
	if a.code != 200 || strings.Count(a.body, "a=recvonly") != 2 || !strings.Contains(a.body, "a=label:1") || !strings.Contains(a.body, "a=label:2") {
		t.Fatalf("answered %d:\n%s", a.code, a.body)
	}
	if !strings.Contains(field(a.head, "Contact"), "+sip.srs") {
		t.Errorf("the Contact does not say that this is a recording server: %s", field(a.head, "Contact"))
	}
	w := h.take("session-1")
	w.until(t, consent.Holding)
	member, contact := p.legs[0].speak(30), p.legs[1].speak(40)
	p.bye()
	w.until(t, consent.Released)
	got := h.kept()
	for side, sent := range [][]byte{contact, member} {
		if b := joined(got[uint8(side)]); len(b) < len(sent)-640 || !bytes.HasPrefix(sent, b) {
			t.Errorf("leg %d: kept %d bytes of %d, or others", side, len(b), len(sent))
		}
	}
	if p.legs[0].heard.Load()+p.legs[1].heard.Load() > 0 {
		t.Error("a copy was sent sound")
	}
}

func TestCopyIsRefusedByKeyPreferenceAndAPI(t *testing.T) {
	t.Parallel()
	ways := map[string]func(h *house, p *phone){
		"key": func(_ *house, p *phone) { p.legs[1].press('9') },
		"recordpref": func(_ *house, p *phone) {
			if a := p.invite("application/sdp", p.sdp("recordpref:off")); a.code != 200 || !strings.Contains(a.body, "a=record:off") {
				p.t.Errorf("answered %d:\n%s", a.code, a.body)
			}
		},
		"API": func(h *house, p *phone) {
			take := h.book.Find(workspace.Default, "session-2")
			_, err := take.Step(context.Background(), consent.Event{Kind: consent.SaidNo, At: time.Now(), Via: fact.ViaAPI})
			if err != nil {
				h.t.Error(err)
			}
		},
	}
	for name, refuse := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice)
			p := newPhone(t, "udp", h.Addr().String(), "default", 2)
			p.invite(p.siprec2("session-2"))
			w := h.take("session-2")
			w.until(t, consent.Holding)
			p.legs[0].speak(20)
			refuse(h, p)
			p.legs[0].speak(20)
			h.gone(w)
			if body := p.offered(); strings.Count(body, "a=record:off") != 2 || strings.Count(body, "a=inactive") != 2 {
				t.Errorf("the re-INVITE does not end both streams:\n%s", body)
			}
			p.bye()
		})
	}
}

// A key of the contact's leg refuses later calls too, one of the member's leg this call alone.
func TestWhoseKeyItWas(t *testing.T) {
	t.Parallel()
	for leg, want := range []int{200, 603} { // member, contact
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice)
			p := newPhone(t, "udp", h.Addr().String(), "default", 2)
			p.invite(p.siprec2("session-5"))
			w := h.take("session-5")
			w.until(t, consent.Holding)
			p.legs[0].speak(20)
			p.legs[leg].press('9')
			h.gone(w)
			p.bye()
			next := newPhone(t, "udp", h.Addr().String(), "default", 2)
			next.number = p.number
			if a := next.invite(next.siprec2("session-6")); a.code != want {
				t.Errorf("the next call was answered %d", a.code)
			}
		})
	}
}

func (p *phone) siprec2(session string, attributes ...string) (string, string) {
	return p.siprec(session, [2]string{"sip:204@pbx", "sip:" + p.number + "@carrier"}, attributes...)
}

func TestCopyWithoutAStatementIsNeverReleased(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		basis     workspace.Basis
		attribute string
		state     consent.State
	}{
		"opt-in policy":                {workspace.OptIn, "", consent.Asking},
		"the telephony says off":       {workspace.Notice, "record:off", consent.Noticing},
		"somebody prefers to wait":     {workspace.Notice, "recordpref:pause", consent.Noticing},
		"somebody prefers not at all":  {workspace.Notice, "recordpref:off", consent.Shredded},
		"the policy denies recordings": {workspace.Deny, "", consent.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, c.basis)
			p := newPhone(t, "udp", h.Addr().String(), "default", 2)
			kind, body := p.siprec2("session-3")
			if c.attribute != "" {
				kind, body = p.siprec2("session-3", c.attribute)
			}
			a := p.invite(kind, body)
			w := h.take("session-3")
			if w.State() != c.state {
				t.Errorf("the call stands in %s, want %s", w.State(), c.state)
			}
			if c.state.Over() {
				if a.code != 603 {
					t.Errorf("answered %d, want 603", a.code)
				}
				return
			}
			p.legs[0].speak(20)
			p.bye()
			h.gone(w)
		})
	}
}

func TestPauseKeepsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p := newPhone(t, "udp", h.Addr().String(), "default", 2)
	kind, body := p.siprec2("session-4")
	p.invite(kind, body, "Supported: record-aware")
	w := h.take("session-4")
	w.until(t, consent.Holding)
	if !strings.Contains(p.offered(), "a=record:on") {
		t.Error("an aware peer is not told that recording is on")
	}
	p.legs[0].speak(10)
	h.settled()
	p.invite("application/sdp", p.sdp("recordpref:pause"))
	w.until(t, consent.Paused)
	if !strings.Contains(p.offered(), "a=record:paused") {
		t.Error("an aware peer is not told of the pause")
	}
	for range 10 {
		p.legs[0].frame(bytes.Repeat([]byte{0x11}, 160)) // a card number
	}
	h.settled()
	p.invite("application/sdp", p.sdp()) // a refresh resumes nothing
	if s := w.State(); s != consent.Paused {
		t.Errorf("a refresh made the call %s", s)
	}
	p.invite("application/sdp", p.sdp("recordpref:on"))
	w.until(t, consent.Holding)
	p.legs[0].speak(10)
	p.bye()
	w.until(t, consent.Released)
	if got := joined(h.kept()[1]); bytes.IndexByte(got, 0x11) >= 0 || len(got) < 15*160-640-1600 {
		t.Errorf("%d bytes were kept, or some of the pause", len(got))
	}
}

// A re-INVITE may change the codec: each frame says which it is in.
func TestCodecOfEachFrame(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p, w := h.call()
	sound := map[recording.Codec]byte{recording.PCMU: 0x33, recording.PCMA: 0x44}
	for range 20 {
		p.legs[0].frame(bytes.Repeat([]byte{sound[recording.PCMU]}, 160))
	}
	h.settled()
	p.legs[0].codec = 8
	p.invite("application/sdp", p.sdp())
	for range 20 {
		p.legs[0].frame(bytes.Repeat([]byte{sound[recording.PCMA]}, 160))
	}
	p.bye()
	w.until(t, consent.Released)
	seen := map[recording.Codec]int{}
	for _, f := range h.kept()[0] {
		if seen[f.Codec]++; f.Payload[0] != sound[f.Codec] {
			t.Errorf("a frame at %d is said to be in codec %d", f.At, f.Codec)
		}
	}
	if seen[recording.PCMU] < 10 || seen[recording.PCMA] < 10 {
		t.Errorf("kept %v", seen)
	}
}

// settled waits until the recorder has looked at its calls twice: what was sent before has been taken.
func (h *house) settled() {
	tick := time.NewTicker(2 * lookEvery)
	defer tick.Stop()
	<-tick.C
}

func TestTwoWorkspacesAndStrangers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	if a := newPhone(t, "udp", h.Addr().String(), "nobody", 1).dial(); a.code != 404 {
		t.Errorf("a workspace that does not exist was answered %d", a.code)
	}
	p := newPhone(t, "udp", h.Addr().String(), "default", 1)
	if a := p.ask("OPTIONS", "", ""); a.code != 200 || !strings.Contains(field(a.head, "Accept"), "rs-metadata+xml") {
		t.Errorf("OPTIONS was answered %d", a.code)
	}
	if a := p.ask("REGISTER", "", ""); a.code != 405 {
		t.Errorf("REGISTER was answered %d", a.code)
	}
}

func TestStopDestroysWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p, w := h.call()
	p.legs[0].speak(50)
	h.stop()
	h.gone(w)
	select {
	case <-p.byes:
	case <-time.After(20 * time.Second):
		t.Error("the peer was not told")
	}
}

func TestNothingPersonalIsLogged(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice, func(c *Config) {
		c.Notice = func(workspace.ID, bool) (*Notice, error) { return nil, ErrNotice }
	})
	p := newPhone(t, "udp", h.Addr().String(), "default", 1)
	p.dial()
	h.gone(h.take(p.callID))
	p.bye()
	h.stop()
	h.logged.mu.Lock()
	defer h.logged.mu.Unlock()
	if len(h.logged.b) == 0 {
		t.Error("a notice that cannot be played is not logged")
	}
	for _, word := range []string{p.number, p.callID, "127.0.0.1"} {
		if bytes.Contains(h.logged.b, []byte(word)) {
			t.Errorf("the log names somebody: %s", h.logged.b)
		}
	}
	if slices.Contains(h.files(), p.callID) {
		t.Error("a file is named by the call")
	}
}
