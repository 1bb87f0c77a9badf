package recorder

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/recorder/sdp"
	"murmur/internal/private/internal/recorder/stream"
	"murmur/internal/private/internal/recording"
)

// leg is the RTP of one side: a socket, and who may send to it.
type leg struct {
	call *call
	side uint8 // of recording.Frame: 0 the contact, 1 the member
	conn *net.UDPConn
	last atomic.Int64         // when a packet was taken, Unix nanoseconds
	due  chan recording.Frame // what is to be kept; closed by finish

	mu     sync.Mutex
	stream *stream.Stream
	codec  sdp.Codec
	media  sdp.Media
	host   netip.Addr     // where packets must come from
	from   netip.AddrPort // where the first one came from; not valid: none yet
}

func (c *call) newLeg(m sdp.Media, host netip.Addr, side uint8) (*leg, error) {
	conn, err := c.recorder.ports.listen(c.local)
	if err != nil {
		return nil, err
	}
	l := &leg{call: c, side: side, conn: conn, codec: m.Codec, media: m, host: host, due: make(chan recording.Frame, maxDue)}
	l.stream = stream.New(stream.Config{
		Codec: m.Codec, Payload: m.Payload, Events: m.Events, Began: c.began, Wanted: l.wanted, Keep: l.keep, Key: func(k byte) { c.key(k, c.who(side)) },
	})
	return l, nil
}

func (l *leg) port() uint16 { return uint16(l.conn.LocalAddr().(*net.UDPAddr).Port) }

// use takes a new description: the sender may have moved.
func (l *leg) use(m sdp.Media, host netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if host != l.host || m.Port != l.media.Port {
		l.from = netip.AddrPort{}
	}
	l.stream.Use(m.Codec, m.Payload, m.Events) // gives out what is left in the old codec
	l.media, l.host, l.codec = m, host, m.Codec
}

// run takes packets until the socket's deadline passes or the call is over.
func (l *leg) run() {
	buf := make([]byte, 2048)
	for !l.call.over.Load() {
		n, from, err := l.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				l.call.step(consent.Event{Kind: consent.Failed})
			}
			break
		}
		l.take(buf[:n], from)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.call.over.Load() {
		l.stream.Drop()
	}
}

func (l *leg) take(packet []byte, from netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if from.Addr() != l.host || l.from.IsValid() && from != l.from {
		return // a stranger
	}
	now := l.call.recorder.c.Now()
	before := l.stream.Stats().Packets
	l.stream.Packet(packet, now)
	if l.stream.Stats().Packets == before {
		return // no packet of this call: it locks nothing
	}
	l.from = from
	l.last.Store(now.UnixNano())
}

// wanted reports whether a packet that arrives now may be kept. One that arrives before the notice ended, or in a
// pause, may not, even where it waits in memory past that time.
func (l *leg) wanted() bool { return l.call.take.State() == consent.Holding }

// maxDue is how many frames may wait for the disk: five seconds.
const maxDue = 250

// keep queues a frame for the disk, so that the detection of keys does not wait for the disk. It is
// called with l.mu held.
func (l *leg) keep(at int64, payload []byte) {
	codec := recording.PCMU
	if l.codec == sdp.PCMA {
		codec = recording.PCMA
	}
	select {
	case l.due <- recording.Frame{Leg: l.side, Codec: codec, At: uint32(at), Payload: payload}:
	default:
		l.call.step(consent.Event{Kind: consent.Failed}) // the disk does not keep up
	}
}

// write gives frames to the store, until finish closes the queue.
func (l *leg) write() {
	for f := range l.due {
		if l.call.over.Load() {
			continue
		}
		err := l.call.take.Write(l.call.ctx, f)
		if err != nil && !errors.Is(err, recording.ErrStopped) {
			l.call.log("a frame could not be kept; the recording is destroyed", err)
			l.call.wake()
		}
	}
}

// linger is how long a leg goes on after a hang-up: a key that was on its way still counts.
const linger = 200 * time.Millisecond

// finish gives out what is held, once run has ended; write then ends.
func (l *leg) finish(hungUp bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if hungUp && !l.call.over.Load() {
		l.stream.Close()
	} else {
		l.stream.Drop()
	}
	close(l.due)
}

// sends says in which codec we send, and how our RTP begins.
func (l *leg) sends() (sdp.Codec, rtp.Header) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.codec, rtp.Header{Version: 2, PayloadType: l.media.Payload, SSRC: rand.Uint32(), SequenceNumber: uint16(rand.Uint32()), Timestamp: rand.Uint32()}
}

// send sends RTP to where the peer sends from, or said that it listens.
func (l *leg) send(packet []byte) error {
	l.mu.Lock()
	to := l.from
	if !to.IsValid() {
		to = netip.AddrPortFrom(l.host, l.media.Port)
	}
	l.mu.Unlock()
	_, err := l.conn.WriteToUDPAddrPort(packet, to)
	return err
}
