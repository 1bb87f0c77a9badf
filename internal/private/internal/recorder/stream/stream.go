// Package stream turns the RTP packets of one leg into frames that may be kept, in order and with every pressed key
// masked, and reports each key at once.
//
// Zone: RED. Keys are card numbers and PINs, and also the opt-out; frames are a person's voice. Neither is ever in an
// error or a counter.
//
// Words: a *position* counts samples of 1/8000 s since the recording began; *lookback* is what is held in memory
// before it is given out, so that a key that is heard late is still masked from its beginning.
//
// It promises: a key by telephone event (RFC 4733) is told with its first packet that arrives, under whatever payload type, one in the sound when
// package dtmf is sure of it; no frame is given out twice, out of order, or before the lookback has passed; a frame
// that overlaps a key is silence there; memory is bounded whatever arrives.
//
// What it does not protect against: keys that package dtmf does not hear, and digits said aloud (masked later, when the
// recording is listened to).
package stream

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/rtp"
	"github.com/zaf/g711"

	"murmur/internal/audio/dtmf"
	"murmur/internal/private/internal/recorder/sdp"
)

// Rate is samples a second.
const Rate = 8000

const (
	lookback = Rate * 200 / 1000
	margin   = Rate * 40 / 1000  // masked before and after a key
	tail     = Rate * 80 / 1000  // at the end: too short for a key to be sure of, so not given out
	joined   = Rate * 60 / 1000  // a gap up to this does not end a tone
	stray    = 2 * Rate          // further from where its arrival puts it, a packet begins a new clock
	maxFrame = Rate * 120 / 1000 // samples of one packet
	patience = 3                 // packets that may overtake a missing one
	farAway  = 200               // sequence numbers that no reordering explains
	maxMasks = 16
)

// Config says what a leg sends.
type Config struct {
	Codec   sdp.Codec
	Payload uint8
	Events  uint8     // payload type of telephone events; 0: none
	Began   time.Time // position 0
	// Wanted reports whether what arrives now may be kept later: what was said before is not.
	Wanted func() bool
	// Keep takes a frame of G.711 bytes at a position. The bytes are its own from then on.
	Keep func(at int64, payload []byte)
	// Key takes a key: 0-9, *, #, A-D.
	Key func(key byte)
}

// Stats count what arrived.
type Stats struct {
	Packets uint64 // taken
	Strange uint64 // not RTP, another payload type, too long
	Late    uint64 // after its turn, or twice
	Sources uint64 // changes of SSRC
}

// Stream is one leg. It is not safe for concurrent use.
type Stream struct {
	c     Config
	stats Stats

	ssrc    uint32
	started bool
	next    uint16 // sequence number awaited
	waiting []packet

	base    int64  // position of timestamp base0
	base0   uint32 // RTP timestamp of base
	end     int64  // position after the last frame taken
	held    []frame
	masks   []region
	arrived time.Time // of the newest packet

	ear   *dtmf.Detector // tells keys
	fine  *dtmf.Detector // says what to mask: rather too much
	shift int64          // position minus the detectors' own count
	pcm   [maxFrame]int16
	down  bool // a key sounds

	event     uint32 // timestamp of the telephone event told last
	eventSeen bool
}

// packet is one that arrived.
type packet struct {
	rtp.Packet
	wanted bool // when it arrived
}

type frame struct {
	at      int64
	payload []byte
	wanted  bool
}

// region is positions [from, to).
type region struct{ from, to int64 }

// New makes a stream.
func New(c Config) *Stream { return &Stream{c: c, ear: dtmf.New(Rate), fine: dtmf.Sensitive(Rate)} }

// Use takes another way of sending for what comes: a new offer may change it.
func (s *Stream) Use(codec sdp.Codec, payload, events uint8) {
	if s.c.Codec == codec && s.c.Payload == payload && s.c.Events == events {
		return
	}
	s.drain()
	if s.c.Codec != codec { // what is held is in the old one
		s.give(s.end - tail)
		s.Drop()
	}
	s.c.Codec, s.c.Payload, s.c.Events = codec, payload, events
}

// Stats gives the counts so far.
func (s *Stream) Stats() Stats { return s.stats }

// Packet takes a datagram that arrived at a moment.
func (s *Stream) Packet(raw []byte, arrived time.Time) {
	var p rtp.Packet
	if p.Unmarshal(raw) != nil || p.Version != 2 || len(p.Payload) == 0 || len(p.Payload) > maxFrame {
		s.stats.Strange++
		return
	}
	isEvent := s.c.Events != 0 && p.PayloadType == s.c.Events
	if !isEvent && p.PayloadType != s.c.Payload {
		if isEvent = eventLike(&p); !isEvent {
			s.stats.Strange++
			return
		}
	}
	s.stats.Packets++
	s.arrived = arrived
	if isEvent && p.PayloadType != s.c.Events && s.started && p.SSRC != s.ssrc {
		s.telephone(&p) // beside the sound: it is no new source of it
		return
	}
	if !s.started || p.SSRC != s.ssrc {
		s.begin(&p)
	}
	if isEvent {
		s.telephone(&p) // at once, whatever is missing before it
	}
	s.order(packet{p, !isEvent && s.c.Wanted()})
}

// eventLike reports whether a packet of a type that nobody agreed on is a telephone event by its shape (RFC 4733 2.3): four
// bytes, the event of a key, the reserved bit 0. Telephony offers one type and sends another, and a refusal must not be lost by
// that. Comfort noise (RFC 3389) has a type of its own.
func eventLike(p *rtp.Packet) bool {
	const comfortNoise, oldComfortNoise = 13, 19
	return len(p.Payload) == 4 && p.Payload[0] <= 15 && p.Payload[1]&0x40 == 0 && p.PayloadType != comfortNoise && p.PayloadType != oldComfortNoise
}

// begin takes a new source: packets of the old one that still wait are handed on first.
func (s *Stream) begin(p *rtp.Packet) {
	if s.started {
		s.stats.Sources++
	}
	s.drain()
	s.ssrc, s.started, s.next = p.SSRC, true, p.SequenceNumber
	s.eventSeen = false
	s.clock(p.Timestamp)
}

// clock ties a timestamp to the moment of arrival.
func (s *Stream) clock(timestamp uint32) {
	s.base, s.base0 = s.wall(), timestamp
}

// wall is the position that the newest arrival stands for.
func (s *Stream) wall() int64 {
	return max(s.end, int64(s.arrived.Sub(s.c.Began).Seconds()*Rate))
}

func (s *Stream) position(timestamp uint32) int64 {
	return s.base + int64(int32(timestamp-s.base0))
}

// order hands packets on by sequence number (RFC 3550 6.4.1); one that is missing is waited for until a few have
// overtaken it.
func (s *Stream) order(p packet) {
	switch ahead := int16(p.SequenceNumber - s.next); {
	case ahead < -farAway || ahead > farAway:
		s.drain()
		s.next = p.SequenceNumber
		s.clock(p.Timestamp)
	case ahead < 0:
		s.stats.Late++
		return
	}
	i, twice := slices.BinarySearchFunc(s.waiting, p, func(a, b packet) int { return int(int16(a.SequenceNumber - b.SequenceNumber)) })
	if twice {
		s.stats.Late++
		return
	}
	if p.SequenceNumber != s.next {
		p.Payload = slices.Clone(p.Payload) // the datagram's buffer is used again
	}
	s.waiting = slices.Insert(s.waiting, i, p)
	for len(s.waiting) > 0 && (s.waiting[0].SequenceNumber == s.next || len(s.waiting) > patience) {
		s.hand()
	}
}

// hand takes the first packet that waits.
func (s *Stream) hand() {
	p := s.waiting[0]
	s.waiting = slices.Delete(s.waiting, 0, 1)
	s.next = p.SequenceNumber + 1
	if p.PayloadType == s.c.Payload {
		s.sound(&p)
	}
}

func (s *Stream) drain() {
	for len(s.waiting) > 0 {
		s.hand()
	}
}

// telephone reads an event (RFC 4733 2.3): event, end bit and volume, duration so far. The timestamp names the press.
func (s *Stream) telephone(p *rtp.Packet) {
	if len(p.Payload) < 4 || p.Payload[0] > 15 {
		s.stats.Strange++
		return
	}
	from := s.position(p.Timestamp)
	if d := from - s.wall(); d > stray || d < -10*stray {
		from = s.wall() // a clock that is off must not lose a refusal
	}
	s.mask(from, from+int64(binary.BigEndian.Uint16(p.Payload[2:])))
	if s.eventSeen && s.event == p.Timestamp {
		return
	}
	s.event, s.eventSeen = p.Timestamp, true
	s.c.Key("0123456789*#ABCD"[p.Payload[0]])
}

// sound takes a frame in its turn.
func (s *Stream) sound(p *packet) {
	at := s.position(p.Timestamp)
	if d := at - s.wall(); d > stray || d < -stray {
		s.clock(p.Timestamp)
		at = s.base
	}
	if at < s.end {
		s.stats.Late++
		return
	}
	s.hear(at, p.Payload)
	s.held = append(s.held, frame{at, slices.Clone(p.Payload), p.wanted})
	s.end = at + int64(len(p.Payload))
	s.give(s.end - lookback)
}

// hear listens for keys. A short gap is closed up: a lost packet does not end a tone.
func (s *Stream) hear(at int64, payload []byte) {
	if gap := at - s.end; gap > joined {
		s.endOfSound()
		s.shift = at
	} else {
		s.shift += gap
	}
	decode := g711.DecodeUlawFrame
	if s.c.Codec == sdp.PCMA {
		decode = g711.DecodeAlawFrame
	}
	pcm := s.pcm[:len(payload)]
	for i, b := range payload {
		pcm[i] = decode(b)
	}
	s.cover(s.fine.Write(pcm))
	for _, k := range s.ear.Write(pcm) {
		if k.Down {
			s.c.Key(k.Symbol)
		}
	}
	if s.down {
		s.mask(at, at+int64(len(payload)))
	}
}

// endOfSound makes the detectors ready for another sound; they then count from zero.
func (s *Stream) endOfSound() {
	s.cover(s.fine.Close())
	s.ear.Close() // keys that it reported stay reported
}

// cover masks keys.
func (s *Stream) cover(keys []dtmf.Key) {
	for _, k := range keys {
		s.mask(s.shift+int64(k.Start), s.shift+int64(k.End))
		s.down = k.Down
	}
}

// mask notes a region that must be silent. When there are too many, the last one grows: more is masked, never less.
func (s *Stream) mask(from, to int64) {
	from, to = from-margin, to+margin
	for i := range s.masks {
		if m := &s.masks[i]; from <= m.to && m.from <= to {
			m.from, m.to = min(m.from, from), max(m.to, to)
			return
		}
	}
	if len(s.masks) == maxMasks {
		m := &s.masks[maxMasks-1]
		m.from, m.to = min(m.from, from), max(m.to, to)
		return
	}
	s.masks = append(s.masks, region{from, to})
}

// give hands out the frames that end before a position.
func (s *Stream) give(before int64) {
	given := 0
	for _, f := range s.held {
		if f.at+int64(len(f.payload)) > before {
			break
		}
		if f.wanted {
			s.silence(f)
			s.c.Keep(f.at, f.payload)
		}
		given++
	}
	s.held = slices.Delete(s.held, 0, given)
	s.masks = slices.DeleteFunc(s.masks, func(m region) bool { return m.to < before-lookback })
}

// silence zeroes what a mask covers: 0xFF and 0xD5 are the codecs' quietest values.
func (s *Stream) silence(f frame) {
	quiet := byte(0xFF)
	if s.c.Codec == sdp.PCMA {
		quiet = 0xD5
	}
	for _, m := range s.masks {
		from, to := max(m.from, f.at), min(m.to, f.at+int64(len(f.payload)))
		for i := from; i < to; i++ {
			f.payload[i-f.at] = quiet
		}
	}
}

// Close gives out what is still held, but for the last moment: a key may have begun in it.
func (s *Stream) Close() {
	s.drain()
	s.endOfSound()
	s.give(s.end - tail)
	s.Drop()
}

// Drop forgets everything that was not given out.
func (s *Stream) Drop() {
	for _, f := range s.held {
		clear(f.payload)
	}
	s.held, s.waiting = nil, nil
}
