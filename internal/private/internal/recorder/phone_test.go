package recorder

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/zaf/g711"

	"murmur/internal/audio/audiotest"
)

// phone is a telephone of its own making: SIP as text over UDP or TCP, RTP from a socket for each leg. It shares no code
// with the recorder, so that the two cannot be wrong together.
type phone struct {
	t      testing.TB
	to     string // sip:USER@HOST:PORT
	sip    net.Conn
	callID string
	number string // of the From
	cseq   int
	toLine string // To of the 200, with the recorder's tag

	legs    []*handset
	offers  chan string // what the recorder says in re-INVITEs
	byes    chan struct{}
	answers chan answer
	done    chan struct{}
	wait    sync.WaitGroup
	write   sync.Mutex
	deaf    atomic.Bool // answers nothing
}

type answer struct {
	code, cseq int
	method     string
	head, body string
}

// handset is the RTP of one leg.
type handset struct {
	conn  *net.UDPConn
	to    *net.UDPAddr
	head  rtp.Header
	codec uint8        // payload type of G.711 mu-law
	event uint8        // payload type of telephone events, as offered; 0: none
	sends uint8        // as sent; 0: as offered; 0: none
	heard atomic.Int64 // packets from the recorder
}

var calls atomic.Int64

func newPhone(t testing.TB, network, server, user string, legs int) *phone {
	t.Helper()
	conn, err := net.Dial(network, server)
	if err != nil {
		t.Fatal(err)
	}
	n := calls.Add(1)
	p := &phone{
		t: t, to: fmt.Sprintf("sip:%s@%s", user, server), sip: conn, callID: fmt.Sprintf("call-%d@phone", n), number: fmt.Sprintf("+1212555%04d", n),
		offers: make(chan string, 64), byes: make(chan struct{}, 1), answers: make(chan answer, 256), done: make(chan struct{}),
	}
	for i := range legs {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		h := &handset{conn: c, event: 101, head: rtp.Header{Version: 2, SSRC: uint32(n)<<4 + uint32(i), SequenceNumber: 65530, Timestamp: 1 << 31}}
		p.legs = append(p.legs, h)
		p.wait.Go(func() { h.listen(c) })
	}
	p.wait.Go(p.listen)
	t.Cleanup(p.close)
	return p
}

func (p *phone) close() {
	_ = p.sip.Close()
	for _, h := range p.legs {
		_ = h.conn.Close()
	}
	p.wait.Wait()
}

func (h *handset) listen(conn *net.UDPConn) {
	buf := make([]byte, 2048)
	for {
		if _, _, err := conn.ReadFromUDP(buf); err != nil {
			return
		}
		h.heard.Add(1)
	}
}

// listen reads what the recorder says and answers its requests.
func (p *phone) listen() {
	defer close(p.done)
	r := bufio.NewReaderSize(p.sip, 64<<10)
	for {
		m, err := p.next(r)
		if err != nil {
			return
		}
		head, body, _ := strings.Cut(m, "\r\n\r\n")
		first, _, _ := strings.Cut(head, "\r\n")
		seq, method, _ := strings.Cut(field(head, "CSeq"), " ")
		n, _ := strconv.Atoi(seq)
		if code, ok := strings.CutPrefix(first, "SIP/2.0 "); ok {
			c, _ := strconv.Atoi(code[:3])
			select {
			case p.answers <- answer{c, n, method, head, body}:
			default: // nobody reads any more
			}
			continue
		}
		if p.deaf.Load() {
			continue
		}
		switch method {
		case "INVITE":
			select {
			case p.offers <- body:
			default:
			}
			p.send(p.response(head, 200, p.sdp()))
		case "BYE":
			p.send(p.response(head, 200, ""))
			select {
			case p.byes <- struct{}{}:
			default:
			}
		}
	}
}

// next reads one message: a datagram, or what Content-Length says.
func (p *phone) next(r *bufio.Reader) (string, error) {
	if p.sip.LocalAddr().Network() == "udp" {
		buf := make([]byte, 64<<10)
		n, err := p.sip.Read(buf)
		var refused net.Error
		if errors.As(err, &refused) && !errors.Is(err, net.ErrClosed) {
			return "", nil // an ICMP message
		}
		return string(buf[:n]), err
	}
	var b strings.Builder
	length := 0
	for {
		l, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		b.WriteString(l)
		if name, v, _ := strings.Cut(l, ":"); strings.EqualFold(name, "Content-Length") {
			length, _ = strconv.Atoi(strings.TrimSpace(v))
		}
		if l == "\r\n" {
			break
		}
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return b.String() + string(body), err
}

func field(head, name string) string {
	for l := range strings.SplitSeq(head, "\r\n") {
		if n, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(n, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func (p *phone) send(m string) {
	p.write.Lock()
	defer p.write.Unlock()
	_, _ = io.WriteString(p.sip, m)
}

func (p *phone) response(head string, code int, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d OK\r\n", code)
	for l := range strings.SplitSeq(head, "\r\n") {
		if n, _, _ := strings.Cut(l, ":"); strings.Contains(" via from to call-id cseq ", " "+strings.ToLower(n)+" ") {
			b.WriteString(l + "\r\n")
		}
	}
	return b.String() + p.tail(body, "application/sdp")
}

func (p *phone) tail(body, kind string) string {
	s := fmt.Sprintf("Contact: <sip:phone@%s>\r\n", p.sip.LocalAddr())
	if body != "" {
		s += "Content-Type: " + kind + "\r\n"
	}
	return s + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// request is a request as text; extra are header lines.
func (p *phone) request(method, kind, body string, extra ...string) string {
	network := strings.ToUpper(p.sip.LocalAddr().Network())
	to := cmp.Or(p.toLine, "<"+p.to+">")
	if method != "ACK" {
		p.cseq++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=%s;rport\r\n", method, p.to, network, p.sip.LocalAddr(), p.branch(method))
	fmt.Fprintf(&b, "From: <sip:%s@127.0.0.1>;tag=phone\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\n", p.number, to, p.callID, p.cseq, method)
	for _, l := range extra {
		b.WriteString(l + "\r\n")
	}
	return b.String() + p.tail(body, kind)
}

// branch names a transaction.
func (p *phone) branch(method string) string {
	return fmt.Sprintf("z9hG4bK-%s-%s-%d", p.callID[:strings.IndexByte(p.callID, '@')], method, p.cseq)
}

// ask sends a request and waits for the final answer.
func (p *phone) ask(method, kind, body string, extra ...string) answer {
	p.t.Helper()
	p.send(p.request(method, kind, body, extra...))
	return p.final()
}

// final waits for the final answer to the last request.
func (p *phone) final() answer {
	p.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case a := <-p.answers:
			if a.cseq == p.cseq && a.code >= 200 {
				return a
			}
		case <-limit:
			p.t.Fatal("no answer came")
		}
	}
}

// sdp describes the legs. attributes are added to every line; those of a SIPREC leg say sendonly.
func (p *phone) sdp(attributes ...string) string {
	var b strings.Builder
	b.WriteString("v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n")
	for i, h := range p.legs {
		fmt.Fprintf(&b, "m=audio %d RTP/AVP %d", h.conn.LocalAddr().(*net.UDPAddr).Port, h.codec)
		if h.event != 0 {
			fmt.Fprintf(&b, " %d\r\na=rtpmap:%[1]d telephone-event/8000", h.event)
		}
		b.WriteString("\r\n")
		if len(p.legs) > 1 {
			fmt.Fprintf(&b, "a=label:%d\r\na=sendonly\r\n", i+1)
		}
		for _, a := range attributes {
			b.WriteString("a=" + a + "\r\n")
		}
	}
	return b.String()
}

// dial calls, and acknowledges; it gives the answer.
func (p *phone) dial(attributes ...string) answer {
	p.t.Helper()
	return p.invite("application/sdp", p.sdp(attributes...))
}

// invite sends an INVITE with a body and takes the answer in.
func (p *phone) invite(kind, body string, extra ...string) answer {
	p.t.Helper()
	a := p.ask("INVITE", kind, body, extra...)
	before := p.toLine
	p.toLine = field(a.head, "To")
	if ack := p.request("ACK", "", ""); a.code == 200 {
		p.send(ack)
	} else { // of the same transaction: RFC 3261 17.1.1.3
		p.send(strings.Replace(ack, p.branch("ACK"), p.branch("INVITE"), 1))
		p.toLine = before
		return a
	}
	p.answered(a)
	return a
}

// answered takes the recorder's ports from its description.
func (p *phone) answered(a answer) {
	i := 0
	for l := range strings.SplitSeq(a.body, "\r\n") {
		if m, ok := strings.CutPrefix(l, "m=audio "); ok {
			f := strings.Fields(m)
			port, _ := strconv.Atoi(f[0])
			p.legs[i].to = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
			i++
		}
	}
}

func (p *phone) bye() {
	p.t.Helper()
	if a := p.ask("BYE", "", ""); a.code != 200 {
		p.t.Errorf("BYE was answered %d", a.code)
	}
}

// siprec is the body of a copy: what each leg's party is called, and the session's id.
func (p *phone) siprec(session string, parties [2]string, attributes ...string) (kind, body string) {
	xml := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>
<session session_id="s"><sipSessionID>%s</sipSessionID></session>
<participant participant_id="a"><nameID aor="%s"><name xml:lang="en">A</name></nameID></participant>
<participant participant_id="b"><nameID aor="%s"/></participant>
<stream stream_id="x" session_id="s"><label>1</label></stream><stream stream_id="y" session_id="s"><label>2</label></stream>
<participantstreamassoc participant_id="a"><send>x</send><recv>y</recv></participantstreamassoc>
<participantstreamassoc participant_id="b"><send>y</send><recv>x</recv></participantstreamassoc>
</recording>`, session, parties[0], parties[1])
	return `multipart/mixed;boundary="b"`, "--b\r\nContent-Type: application/sdp\r\n\r\n" + p.sdp(attributes...) +
		"\r\n--b\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n" + xml + "\r\n--b--\r\n"
}

// frame sends 20 ms of sound.
func (h *handset) frame(payload []byte) {
	h.head.PayloadType = h.codec
	h.packet(payload)
	h.head.Timestamp += uint32(len(payload))
}

func (h *handset) packet(payload []byte) {
	b, _ := (&rtp.Packet{Header: h.head, Payload: payload}).Marshal()
	_, _ = h.conn.WriteToUDP(b, h.to)
	h.head.SequenceNumber++
}

// speak sends n frames of a sound that is no key, and gives what it sent.
func (h *handset) speak(n int) []byte {
	var sent bytes.Buffer
	for i := range n {
		b := bytes.Repeat([]byte{byte(0x20 + i%64)}, 160)
		h.frame(b)
		sent.Write(b)
	}
	return sent.Bytes()
}

// press sends a key as a telephone event of 100 ms: begin, updates, and the end three times (RFC 4733 2.5.1.4).
func (h *handset) press(key byte) {
	event := byte(strings.IndexByte("0123456789*#ABCD", key))
	h.head.PayloadType = cmp.Or(h.sends, h.event)
	for i := range 8 {
		payload := []byte{event, 10, 0, 0}
		binary.BigEndian.PutUint16(payload[2:], uint16(min(i+1, 5)*160))
		if i >= 5 {
			payload[1] |= 0x80
		}
		h.packet(payload)
	}
	h.head.Timestamp += 800
}

// press is the sound of a key, so many frames long.
func press(key byte, frames int) []int16 { return audiotest.Press(8000, key, 160*frames, 8000) }

func ulawOf(pcm []int16) []byte {
	b := make([]byte, len(pcm))
	for i := range b {
		b[i] = g711.EncodeUlawFrame(pcm[i])
	}
	return b
}

// tone sends a key in the sound, 120 ms, and the pause after it.
func (h *handset) tone(key byte) {
	for b := range slices.Chunk(ulawOf(append(press(key, 6), make([]int16, 640)...)), 160) {
		h.frame(b)
	}
}

// every does something n times, 20 ms apart: real time, for what is measured.
func every(ctx context.Context, n int, do func(i int)) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := range n {
		do(i)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
