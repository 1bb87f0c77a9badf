package demo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// phone is a telephone that makes one call: SIP over UDP (RFC 3261), G.711 in RTP, keys as RFC 4733. It knows as much of
// them as a call to a recorder on this machine needs.
type phone struct {
	user, number, id string // whom it calls, who calls, the call
	sip, sound       *net.UDPConn
	answers          chan string
	seq              int
	to               string // with the tag of the other side
	media            *net.UDPAddr
	head             rtpHead
}

// rtpHead is what changes from packet to packet.
type rtpHead struct {
	seq uint16
	at  uint32
}

const (
	ulaw, event = 0, 101 // payload types
	frame       = 160    // bytes of 20 ms
	frameTime   = 20 * time.Millisecond
	patience    = 20 * time.Second
)

var errCall = errors.New("the recorder did not take the call")

// ring calls a recorder, waits for its notice to end, speaks, presses a key in the middle of it, if there is one, and
// hangs up.
func ring(ctx context.Context, recorder, user, number, id string, speech []byte, key byte) error {
	to, err := net.ResolveUDPAddr("udp", recorder)
	if err != nil {
		return errCall
	}
	p := &phone{user: user, number: number, id: id, answers: make(chan string, 16), to: fmt.Sprintf("<sip:%s@%s>", user, recorder)}
	if p.sip, err = net.DialUDP("udp", nil, to); err != nil {
		return fmt.Errorf("call the recorder: %w", err)
	}
	defer p.sip.Close()
	if p.sound, err = net.ListenUDP("udp", &net.UDPAddr{IP: p.sip.LocalAddr().(*net.UDPAddr).IP}); err != nil {
		return fmt.Errorf("call the recorder: %w", err)
	}
	defer p.sound.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.listen()
	}()
	defer func() { // after the sockets are closed, which ends it
		_ = p.sip.Close()
		<-ended
	}()
	stop := context.AfterFunc(ctx, func() { _, _ = p.sip.Close(), p.sound.Close() })
	defer stop()
	if err := p.invite(ctx); err != nil {
		return err
	}
	err = p.hearOut()
	if err == nil {
		err = p.speak(ctx, speech, key)
	}
	_, bye := p.ask(ctx, "BYE", "")
	return errors.Join(err, bye)
}

// listen takes answers, and answers the recorder's own requests, until the socket is closed.
func (p *phone) listen() {
	buf := make([]byte, 64<<10)
	for {
		n, err := p.sip.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		m := string(buf[:n])
		if strings.HasPrefix(m, "SIP/2.0 ") {
			select {
			case p.answers <- m:
			default: // one that nobody waits for
			}
			continue
		}
		method, _, _ := strings.Cut(m, " ")
		if method != "INVITE" && method != "BYE" {
			continue
		}
		var b strings.Builder
		b.WriteString("SIP/2.0 200 OK\r\n")
		for l := range strings.SplitSeq(m, "\r\n") {
			if name, _, _ := strings.Cut(l, ":"); strings.Contains(" via from to call-id cseq ", " "+strings.ToLower(name)+" ") {
				b.WriteString(l + "\r\n")
			}
		}
		body := ""
		if method == "INVITE" {
			body = p.description()
		}
		_, _ = io.WriteString(p.sip, b.String()+p.tail(body))
	}
}

func (p *phone) description() string {
	return fmt.Sprintf("v=0\r\no=demo 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP %d %d\r\na=rtpmap:%[3]d telephone-event/8000\r\n",
		p.sound.LocalAddr().(*net.UDPAddr).Port, ulaw, event)
}

func (p *phone) tail(body string) string {
	s := fmt.Sprintf("Contact: <sip:demo@%s>\r\n", p.sip.LocalAddr())
	if body != "" {
		s += "Content-Type: application/sdp\r\n"
	}
	return s + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

func (p *phone) request(method, body string) string {
	return fmt.Sprintf("%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%s-%s-%d;rport\r\nFrom: <sip:%s@127.0.0.1>;tag=demo\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\n",
		method, p.user, p.sip.RemoteAddr(), p.sip.LocalAddr(), p.id, method, p.seq, p.number, p.to, p.id, p.seq, method) + p.tail(body)
}

// ask sends a request, again where no answer comes, and gives the final answer.
func (p *phone) ask(ctx context.Context, method, body string) (string, error) {
	p.seq++
	again := time.NewTicker(500 * time.Millisecond) // T1 of RFC 3261
	defer again.Stop()
	limit := time.After(patience)
	for m := p.request(method, body); ; {
		if _, err := io.WriteString(p.sip, m); err != nil {
			return "", fmt.Errorf("call the recorder: %w", err)
		}
		for waiting := true; waiting; {
			select {
			case a := <-p.answers:
				if strings.Contains(a, fmt.Sprintf("CSeq: %d %s", p.seq, method)) && a[len("SIP/2.0 ")] != '1' {
					return a, nil
				}
			case <-again.C:
				waiting = false
			case <-limit:
				return "", errCall
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}
}

func (p *phone) invite(ctx context.Context) error {
	a, err := p.ask(ctx, "INVITE", p.description())
	if err != nil {
		return err
	}
	if !strings.HasPrefix(a, "SIP/2.0 200") {
		return errCall
	}
	for l := range strings.SplitSeq(a, "\r\n") {
		if to, ok := strings.CutPrefix(l, "To: "); ok {
			p.to = to
		}
		if m, ok := strings.CutPrefix(l, "m=audio "); ok {
			port, _, _ := strings.Cut(m, " ")
			n, err := strconv.Atoi(port)
			if err != nil {
				return errCall
			}
			p.media = &net.UDPAddr{IP: p.sip.RemoteAddr().(*net.UDPAddr).IP, Port: n}
		}
	}
	if p.media == nil {
		return errCall
	}
	_, err = io.WriteString(p.sip, p.request("ACK", ""))
	return err
}

// hearOut waits until the notice has ended: no more sound comes.
func (p *phone) hearOut() error {
	buf := make([]byte, 2048)
	for wait := patience; ; wait = 300 * time.Millisecond {
		if err := p.sound.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return err
		}
		_, _, err := p.sound.ReadFromUDP(buf)
		var late net.Error
		switch {
		case err == nil:
		case errors.As(err, &late) && late.Timeout() && wait < patience:
			return nil
		default:
			return errCall
		}
	}
}

// speak sends speech in real time.
func (p *phone) speak(ctx context.Context, speech []byte, key byte) error {
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	n := len(speech) / frame
	for i := range n {
		if err := p.packet(ulaw, speech[i*frame:(i+1)*frame]); err != nil {
			return err
		}
		p.head.at += frame
		if key != 0 && i == n/2 {
			if err := p.press(key); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// press sends a key of 100 ms: its beginning, and its end three times (RFC 4733 2.5.1.4).
func (p *phone) press(key byte) error {
	digit := byte(bytes.IndexByte([]byte("0123456789*#"), key))
	for i := range 6 {
		length, end := min(i+1, 4)*200, byte(0)
		if i >= 3 {
			end = 0x80
		}
		if err := p.packet(event, binary.BigEndian.AppendUint16([]byte{digit, 10 | end}, uint16(length))); err != nil {
			return err
		}
	}
	p.head.at += 800
	return nil
}

// packet sends RTP (RFC 3550 5.1).
func (p *phone) packet(kind byte, payload []byte) error {
	b := binary.BigEndian.AppendUint16([]byte{0x80, kind}, p.head.seq)
	b = binary.BigEndian.AppendUint32(b, p.head.at)
	b = binary.BigEndian.AppendUint32(b, 1)
	p.head.seq++
	_, err := p.sound.WriteToUDP(append(b, payload...), p.media)
	return err
}
