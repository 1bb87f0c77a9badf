package recorder

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/private/internal/consent"
	"murmur/internal/workspace"
)

func TestStrangersAreNotHeard(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice, func(c *Config) { c.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")} })
	stranger := newPhone(t, "udp", h.Addr().String(), "default", 1)
	stranger.send(stranger.request("OPTIONS", "", ""))
	conn, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Error("a stranger's connection was not closed")
	}
	friend, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)})
	if err != nil {
		t.Fatal(err)
	}
	defer friend.Close()
	m := strings.ReplaceAll(stranger.request("OPTIONS", "", ""), stranger.sip.LocalAddr().String(), friend.LocalAddr().String())
	if _, err := friend.WriteToUDPAddrPort([]byte(m), h.Addr()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2048)
	if n, err := friend.Read(b); err != nil || !bytes.HasPrefix(b[:n], []byte("SIP/2.0 200")) {
		t.Errorf("the peer was answered %q", b[:n])
	}
	select { // the friend was answered, so the stranger, who came first, was passed over
	case a := <-stranger.answers:
		t.Errorf("a stranger was answered %d", a.code)
	default:
	}
}

// A route or a contact of somebody else's does not make the recorder write to them.
func TestRequestsGoToPeersAlone(t *testing.T) {
	t.Parallel()
	victim, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9)})
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	h := newHouse(t, workspace.Notice, func(c *Config) { c.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	at := victim.LocalAddr().String()
	for name, c := range map[string]struct {
		line string
		code int
	}{
		"a route":                 {"Record-Route: <sip:" + at + ";lr>", 403},
		"a name":                  {"Record-Route: <sip:localhost;lr>", 403},
		"two routes":              {"Record-Route: <sip:" + at + ";lr>, <sip:127.0.0.1;lr>", 403},
		"a bent route":            {"Record-Route: sip:<" + at, 403},
		"a quoted name":           {`Record-Route: "<sip:127.0.0.1>" <sip:` + at + ";lr>", 403},
		"a contact":               {"Contact: <sip:x@" + at + ">", 200},
		"a way back":              {"Via: SIP/2.0/UDP " + at + ";branch=z9hG4bKx", 200},
		"a description's address": {"X-Nothing: 1", 200},
	} {
		p := newPhone(t, "udp", h.Addr().String(), "default", 1)
		body := p.sdp()
		if strings.HasPrefix(name, "a desc") {
			body = strings.ReplaceAll(body, "IN IP4 127.0.0.1", "IN IP4 127.0.0.9")
			body = strings.ReplaceAll(body, fmt.Sprint("m=audio ", p.legs[0].conn.LocalAddr().(*net.UDPAddr).Port), fmt.Sprint("m=audio ", victim.LocalAddr().(*net.UDPAddr).Port))
		}
		m := p.request("INVITE", "application/sdp", body)
		if strings.HasPrefix(c.line, "Contact") {
			m = strings.Replace(m, "Contact: <sip:phone@"+p.sip.LocalAddr().String()+">", c.line, 1)
		} else { // below the Via of the phone
			m = strings.Replace(m, "From: ", c.line+"\r\nFrom: ", 1)
		}
		p.send(m)
		a := p.final()
		if a.code != c.code {
			t.Errorf("%s: answered %d, want %d", name, a.code, c.code)
		}
		if a.code == 200 {
			p.toLine = field(a.head, "To")
			p.send(p.request("ACK", "", ""))
			h.take(p.callID).until(t, consent.Holding)
			p.answered(a)
			p.legs[0].press('9') // the recorder says so, in a request of its own
			p.offered()
		}
	}
	h.stop()
	_ = victim.SetReadDeadline(time.Now().Add(time.Millisecond))
	if n, _, err := victim.ReadFromUDP(make([]byte, 2048)); err == nil {
		t.Errorf("somebody else was sent %d bytes", n)
	}
}

// A BYE and a CANCEL of somebody who does not know the call's tags end nothing.
func TestForgedEndsAreNotTaken(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p, w := h.call()
	p.legs[0].speak(20)
	forger := newPhone(t, "udp", h.Addr().String(), "default", 1)
	forger.callID, forger.number, forger.cseq = p.callID, p.number, 100
	for _, to := range []string{"", "<" + p.to + ">;tag=guessed", "<" + p.to + ">"} {
		forger.toLine = to
		if a := forger.ask("BYE", "", ""); a.code != 481 {
			t.Errorf("a forged BYE was answered %d", a.code)
		}
	}
	cancel := strings.Replace(forger.request("CANCEL", "", ""), forger.branch("CANCEL"), fmt.Sprintf("z9hG4bK-%s-INVITE-1", p.callID[:strings.IndexByte(p.callID, '@')]), 1)
	forger.send(cancel)
	forger.final()
	p.send(strings.Replace(cancel, forger.sip.LocalAddr().String(), p.sip.LocalAddr().String(), 1)) // and one that is late
	h.settled()
	if s := w.State(); s != consent.Holding {
		t.Errorf("the call is %s", s)
	}
	p.legs[0].speak(20)
	p.bye()
	w.until(t, consent.Released)
	if n := len(h.kept()[0]); n < 30 {
		t.Errorf("%d frames were kept", n)
	}
}

// Over TCP a message comes in any pieces, and several in one.
func TestMessagesInPieces(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	for _, size := range []int{1, 7, 100, 1 << 20} {
		p := newPhone(t, "tcp", h.Addr().String(), "default", 1)
		stream := "\r\n\r\n" + p.request("OPTIONS", "", "") + p.request("INVITE", "application/sdp", p.sdp())
		for b := range slices.Chunk([]byte(stream), size) {
			p.send(string(b))
		}
		a := p.final()
		if a.code != 200 {
			t.Fatalf("in pieces of %d: answered %d", size, a.code)
		}
		p.toLine = field(a.head, "To")
		p.send(p.request("ACK", "", ""))
		w := h.take(p.callID)
		w.until(t, consent.Holding)
		p.bye()
		w.until(t, consent.Released)
	}
	half := newPhone(t, "tcp", h.Addr().String(), "default", 1)
	m := half.request("INVITE", "application/sdp", half.sdp())
	half.send(m[:len(m)-10])
	_ = half.sip.Close()
	if len(h.files()) != 4 || len(h.takes) != 4 {
		t.Errorf("%d calls, %d files", len(h.takes), len(h.files()))
	}
}

func TestRTPFromAnotherAddressIsDropped(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p, w := h.call()
	thief, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 3)})
	if err != nil {
		t.Fatal(err)
	}
	defer thief.Close()
	neighbour, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer neighbour.Close()
	true1 := p.legs[0].conn
	for i, c := range []*net.UDPConn{thief, thief, neighbour} {
		if i == 1 {
			p.legs[0].conn = true1
			p.legs[0].speak(1) // locks the port
			h.settled()
		}
		p.legs[0].conn = c
		for range 20 {
			p.legs[0].frame(bytes.Repeat([]byte{0x11}, 160))
		}
		p.legs[0].press('9')
	}
	p.legs[0].conn = true1
	p.legs[0].speak(30)
	p.bye()
	w.until(t, consent.Released)
	if got := joined(h.kept()[0]); bytes.IndexByte(got, 0x11) >= 0 || len(got) == 0 {
		t.Errorf("%d bytes were kept, or a stranger's", len(got))
	}
}

func TestNoMediaEndsTheCall(t *testing.T) {
	t.Parallel()
	for _, frames := range []int{0, 20} {
		t.Run(fmt.Sprint(frames), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice, func(c *Config) { c.Silence = 600 * time.Millisecond })
			p, w := h.call()
			p.legs[0].speak(frames)
			h.gone(w)
			select {
			case <-p.byes:
			case <-time.After(20 * time.Second):
				t.Error("the peer was not told")
			}
		})
	}
}

func TestSilenceOnHoldIsNoSilence(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]func(*phone) string{
		"inactive":   func(p *phone) string { return p.sdp("inactive") },
		"no address": func(p *phone) string { return strings.Replace(p.sdp(), "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice, func(c *Config) { c.Silence = 300 * time.Millisecond })
			p, w := h.call()
			p.legs[0].speak(20)
			p.invite("application/sdp", hold(p))
			h.settled()
			h.settled()
			if s := w.State(); s != consent.Holding {
				t.Errorf("a call on hold is %s", s)
			}
			p.bye()
			w.until(t, consent.Released)
		})
	}
}

func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p := newPhone(t, "udp", h.Addr().String(), "default", 1)
	sdp := p.sdp()
	for name, c := range map[string]struct {
		kind, body string
		extra      []string
		want       int
	}{
		"no body":                 {"", "", nil, 415},
		"not SDP":                 {"application/sdp", "hello", nil, 400},
		"another type":            {"text/plain", sdp, nil, 415},
		"no G.711":                {"application/sdp", strings.Replace(sdp, "RTP/AVP 0", "RTP/AVP 18", 1), nil, 488},
		"SRTP":                    {"application/sdp", strings.Replace(sdp, "RTP/AVP", "RTP/SAVP", 1), nil, 488},
		"a port of 0":             {"application/sdp", "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n", nil, 488},
		"an unknown extension":    {"application/sdp", sdp, []string{"Require: 100rel, siprec"}, 420},
		"parts without metadata":  {"multipart/mixed;boundary=x", "--x\r\nContent-Type: application/sdp\r\n\r\n" + sdp + "\r\n--x--\r\n", nil, 400},
		"parts without an end":    {"multipart/mixed;boundary=x", "--x\r\nContent-Type: application/sdp\r\n\r\n" + sdp, nil, 400},
		"metadata that is no XML": {"multipart/mixed;boundary=x", "--x\r\nContent-Type: application/sdp\r\n\r\n" + sdp + "\r\n--x\r\nContent-Type: application/rs-metadata+xml\r\n\r\n<a\r\n--x--\r\n", nil, 400},
	} {
		if a := p.invite(c.kind, c.body, c.extra...); a.code != c.want {
			t.Errorf("%s: answered %d, want %d", name, a.code, c.want)
		}
	}
	for _, method := range []string{"BYE", "INFO", "UPDATE"} {
		p.toLine = "<" + p.to + ">;tag=nobody"
		if a := p.ask(method, "", ""); a.code != 481 {
			t.Errorf("%s outside a call was answered %d", method, a.code)
		}
	}
	if len(h.takes) > 0 {
		t.Errorf("%d calls were begun", len(h.takes))
	}
}

// Requests with lines left out, doubled, cut and bent: the recorder must go on answering, whatever it answers.
func TestBentRequests(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	r := rand.New(rand.NewPCG(5, 6))
	p := newPhone(t, "udp", h.Addr().String(), "default", 1)
	for range 2000 {
		method := []string{"INVITE", "BYE", "ACK", "CANCEL", "OPTIONS", "INFO", "UPDATE", "REGISTER"}[r.IntN(8)]
		lines := strings.SplitAfter(p.request(method, "application/sdp", p.sdp()), "\r\n")
		for range 1 + r.IntN(2) {
			i := r.IntN(len(lines))
			switch r.IntN(5) {
			case 0:
				lines[i] = ""
			case 1:
				lines[i] += lines[i]
			case 2:
				lines[i] = lines[i][:r.IntN(len(lines[i])+1)]
			case 3:
				b := []byte(lines[i])
				for range min(len(b), 3) {
					b[r.IntN(len(b))] = byte(r.IntN(256))
				}
				lines[i] = string(b)
			case 4:
				lines[i] = strings.Replace(lines[i], ":", ": "+strings.Repeat("x", r.IntN(3000))+",", 1)
			}
		}
		p.send(strings.Join(lines, ""))
		for len(p.answers) > 100 {
			<-p.answers
		}
	}
	well := newPhone(t, "tcp", h.Addr().String(), "default", 1)
	if a := well.ask("OPTIONS", "", ""); a.code != 200 {
		t.Errorf("after that, OPTIONS was answered %d", a.code)
	}
	if len(h.released) > 0 {
		t.Error("something was released")
	}
}

func TestGarbageOnTheWire(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	r := rand.New(rand.NewPCG(7, 8))
	for range 50 {
		c, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, r.IntN(4000))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		_, _ = io.WriteString(c, "INVITE sip:a@b SIP/2.0\r\nContent-Length: 999999999\r\n\r\n")
		_, _ = c.Write(b)
		_ = c.Close()
	}
	p, w := h.call()
	p.legs[0].to.IP = net.IPv4(127, 0, 0, 1)
	for range 500 {
		b := make([]byte, r.IntN(300))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		_, _ = p.legs[0].conn.WriteToUDP(b, p.legs[0].to)
	}
	h.settled()
	sent := p.legs[0].speak(30)
	p.bye()
	w.until(t, consent.Released)
	if got := joined(h.kept()[0]); !bytes.Contains(sent, got[len(got)/2:]) {
		t.Error("what was said after the garbage is not what was kept")
	}
}

func TestReINVITEStorm(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p, w := h.call()
	p.legs[0].speak(20)
	taken, turned := 0, 0
	for range 50 {
		switch a := p.invite("application/sdp", p.sdp()); a.code {
		case 200:
			taken++
		case 500:
			turned++
		default:
			t.Errorf("a re-INVITE was answered %d", a.code)
		}
	}
	if taken > stormSize || turned == 0 {
		t.Errorf("%d of 50 re-INVITEs were taken", taken)
	}
	p.legs[0].speak(20)
	p.bye()
	w.until(t, consent.Released)
	if n := len(h.kept()[0]); n < 30 {
		t.Errorf("%d frames were kept", n)
	}
}

func TestTooManyCalls(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice, func(c *Config) { c.Calls = 3 })
	var all []*phone
	for i := range 5 {
		p := newPhone(t, "udp", h.Addr().String(), "default", 1)
		a := p.dial()
		if want := map[bool]int{true: 200, false: 503}[i < 3]; a.code != want {
			t.Errorf("call %d was answered %d, want %d", i+1, a.code, want)
		}
		if a.code == 200 {
			all = append(all, p)
		}
	}
	for _, p := range all {
		p.bye()
	}
}

func TestSameCallTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p, w := h.call()
	again := newPhone(t, "udp", h.Addr().String(), "default", 1)
	again.callID = p.callID
	if a := again.dial(); a.code != 482 {
		t.Errorf("the same call again was answered %d, want 482", a.code)
	}
	p.bye()
	w.until(t, consent.Released)
}

func TestLossReorderingAndANewSource(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p, w := h.call()
	leg := p.legs[0]
	r := rand.New(rand.NewPCG(9, 10))
	sent := 0
	to := leg.to
	pace := time.NewTicker(2 * time.Millisecond) // so that no socket loses more
	defer pace.Stop()
	for i := range 200 {
		<-pace.C
		if leg.to = to; r.Float64() < 0.2 {
			leg.to = p.legs[0].conn.LocalAddr().(*net.UDPAddr) // to itself: lost
		} else {
			sent++
		}
		if i == 100 {
			leg.head.SSRC++
			leg.head.Timestamp, leg.head.SequenceNumber = 17, 3
		}
		leg.frame(bytes.Repeat([]byte{0x33}, 160))
	}
	leg.to = to
	p.bye()
	w.until(t, consent.Released)
	if n := len(h.kept()[0]); n < sent*8/10 || n > sent {
		t.Errorf("%d frames were kept of %d that arrived", n, sent)
	}
}

// A disk that is full in the middle of a call, or at its end, leaves nothing of it.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]bool{"during the call": true, "at its end": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, workspace.Notice)
			p, w := h.call()
			p.legs[0].speak(100)
			h.frames(w, 50)
			h.full.Store(true)
			if during {
				every(t.Context(), 40, func(int) { p.legs[0].speak(20) }) // so that the cipher writes a block
				w.until(t, consent.Shredded)
			}
			p.bye()
			h.gone(w)
		})
	}
}

// TestMemoryOfCalls is not parallel: others would be measured too. A thousand calls must fit into half a gigabyte.
func TestMemoryOfCalls(t *testing.T) {
	const n, each = 50, 512 << 10
	h := newHouse(t, workspace.Notice)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := int64(heap())
	phones, takes := make([]*phone, n), make([]*watched, n)
	var wg sync.WaitGroup
	for i := range phones {
		wg.Go(func() { phones[i], takes[i] = h.call() })
	}
	wg.Wait()
	for i, p := range phones {
		p.legs[0].speak(60)
		h.frames(takes[i], 45)
	}
	if used := (int64(heap()) - before) / n; used > each { // telephones and all
		t.Errorf("a call takes %d KiB, want %d at most", used>>10, each>>10)
	} else {
		t.Logf("a call takes %d KiB with its telephone", used>>10)
	}
	for _, p := range phones {
		p.bye()
	}
}

// A peer that answers nothing to our BYE and re-INVITE must not keep the recorder from stopping.
func TestDeafPeer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, workspace.Notice)
	p, w := h.call()
	p.deaf.Store(true)
	p.legs[0].speak(20)
	p.legs[0].press('9')
	h.gone(w)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() { h.stop(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		t.Error("the recorder does not stop")
	}
}
