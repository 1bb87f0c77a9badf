package stream

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/zaf/g711"

	"murmur/internal/audio/audiotest"
	"murmur/internal/audio/dtmf"
	"murmur/internal/private/internal/recorder/sdp"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// ear collects what a stream gives out.
type ear struct {
	frames []frame
	keys   []byte
}

func newStream(e *ear) *Stream {
	return New(Config{
		Codec: sdp.PCMU, Payload: 0, Events: 101, Began: noon, Wanted: func() bool { return true },
		Keep: func(at int64, payload []byte) {
			e.frames = append(e.frames, frame{at: at, payload: bytes.Clone(payload)})
		},
		Key: func(key byte) { e.keys = append(e.keys, key) },
	})
}

// at is a packet and when it arrives.
type at struct {
	raw  []byte
	time time.Time
}

// sender makes packets of 20 ms.
type sender struct {
	head rtp.Header
	now  time.Time
	out  []at
}

func newSender() *sender {
	return &sender{head: rtp.Header{Version: 2, SSRC: 7, SequenceNumber: 65500, Timestamp: 0xFFFFFF00}, now: noon}
}

func (s *sender) packet(kind uint8, payload []byte) {
	s.head.PayloadType = kind
	b, _ := (&rtp.Packet{Header: s.head, Payload: payload}).Marshal()
	s.out = append(s.out, at{b, s.now})
	s.head.SequenceNumber++
}

func (s *sender) pcm(pcm []int16) {
	for len(pcm) >= 160 {
		b := make([]byte, 160)
		for i := range b {
			b[i] = g711.EncodeUlawFrame(pcm[i])
		}
		s.packet(0, b)
		pcm = pcm[160:]
		s.head.Timestamp += 160
		s.now = s.now.Add(20 * time.Millisecond)
	}
}

func (s *sender) event(event byte, frames int) {
	for i := range frames + 2 {
		payload := []byte{event, 10, 0, 0}
		binary.BigEndian.PutUint16(payload[2:], uint16(min(i+1, frames)*160))
		if i >= frames-1 {
			payload[1] |= 0x80
		}
		s.packet(101, payload)
		if i < frames {
			s.now = s.now.Add(20 * time.Millisecond)
		}
	}
	s.head.Timestamp += uint32(frames) * 160
}

func (e *ear) hear(t *testing.T, packets []at) *Stream {
	t.Helper()
	s := newStream(e)
	for _, p := range packets {
		s.Packet(p.raw, p.time)
	}
	s.Close()
	end := int64(-1)
	for _, f := range e.frames {
		if f.at < end {
			t.Fatalf("a frame at %d comes after %d was reached", f.at, end)
		}
		end = f.at + int64(len(f.payload))
	}
	return s
}

// left hears the keys that a recording still has.
func (e *ear) left() (n int) {
	var pcm []int16
	for _, f := range e.frames {
		for _, b := range f.payload {
			pcm = append(pcm, g711.DecodeUlawFrame(b))
		}
	}
	d := dtmf.New(Rate)
	return len(dtmf.Ended(append(d.Write(pcm), d.Close()...)))
}

func TestFramesComeOnceInOrder(t *testing.T) {
	t.Parallel()
	s := newSender()
	s.pcm(audiotest.Tones(Rate, 160*100, 3000, 300))
	swapped := slices.Clone(s.out)
	for i := 10; i+1 < len(swapped); i += 10 {
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
	}
	for name, packets := range map[string][]at{
		"as sent": s.out, "swapped": swapped, "twice": slices.Concat(s.out[:50], s.out[40:]),
	} {
		var e ear
		e.hear(t, packets)
		if n := len(e.frames); n < 95 || n > 96 {
			t.Errorf("%s: %d frames of 100 came out, want all but the last moment", name, n)
		}
		for i, f := range e.frames {
			if f.at != int64(160*i) {
				t.Fatalf("%s: frame %d is at %d", name, i, f.at)
			}
		}
	}
}

func TestNothingComesBeforeTheLookback(t *testing.T) {
	t.Parallel()
	var e ear
	s := newSender()
	s.pcm(make([]int16, 160*30))
	stream := newStream(&e)
	for i, p := range s.out {
		stream.Packet(p.raw, p.time)
		for _, f := range e.frames {
			if held := int64(160*(i+1)) - f.at - int64(len(f.payload)); held < lookback {
				t.Fatalf("a frame came out %d samples after its end", held)
			}
		}
	}
	if len(e.frames) == 0 {
		t.Fatal("nothing came out at all")
	}
	stream.Drop()
	n := len(e.frames)
	if stream.Close(); len(e.frames) != n {
		t.Error("a frame came out after Drop")
	}
}

func TestUnwantedFramesAreNotKeptLater(t *testing.T) {
	t.Parallel()
	var e ear
	wanted := false
	s := newSender()
	s.pcm(make([]int16, 160*60))
	stream := newStream(&e)
	stream.c.Wanted = func() bool { return wanted }
	for i, p := range s.out {
		wanted = i >= 30
		stream.Packet(p.raw, p.time)
	}
	stream.Close()
	if len(e.frames) == 0 || e.frames[0].at != 30*160 {
		t.Errorf("%d frames came out, from before they were wanted", len(e.frames))
	}
}

// A key that is held for seconds is masked while it sounds: its end is known long after its first frames must be given out.
// And a little before and after a telephone event is masked too, for its sound may not begin with its packets.
func TestMasksReachFarEnough(t *testing.T) {
	t.Parallel()
	s := newSender()
	s.pcm(audiotest.Tones(Rate, 160*20, 3000, 300))
	s.pcm(audiotest.Press(Rate, '5', 160*150, 8000))
	s.pcm(audiotest.Tones(Rate, 160*20, 3000, 300))
	var e ear
	e.hear(t, s.out)
	if n := e.left(); n > 0 || len(e.frames) < 180 {
		t.Errorf("%d pieces of a held key are left in %d frames", n, len(e.frames))
	}

	s = newSender()
	s.pcm(audiotest.Tones(Rate, 160*20, 3000, 300))
	from := int64(160 * 20)
	s.event(5, 5)
	s.pcm(audiotest.Tones(Rate, 160*40, 3000, 300))
	var around ear
	around.hear(t, s.out)
	for _, f := range around.frames {
		for i, b := range f.payload {
			at := f.at + int64(i)
			if inside := at >= from-margin && at < from+5*160+margin; inside && b != 0xFF {
				t.Fatalf("the sound at %d is kept, %d from the key", at, at-from)
			}
		}
	}
	if len(around.frames) < 50 {
		t.Errorf("%d frames came out", len(around.frames))
	}
}

// What arrived before it was wanted may wait for a packet that is missing: it is not kept when that one comes later.
func TestUnwantedFramesAreNotKeptThoughTheyWait(t *testing.T) {
	t.Parallel()
	var e ear
	wanted := false
	s := newSender()
	s.pcm(make([]int16, 160*60))
	stream := newStream(&e)
	stream.c.Wanted = func() bool { return wanted }
	s.out[28], s.out[30] = s.out[30], s.out[28] // 28 comes late, 29 and 30 wait for it
	for i, p := range s.out {
		wanted = i >= 30
		stream.Packet(p.raw, p.time)
	}
	stream.Close()
	for _, f := range e.frames {
		if f.at == 29*160 || f.at == 30*160 {
			t.Errorf("a frame at %d is kept, which came before it was wanted", f.at)
		}
	}
	if len(e.frames) == 0 {
		t.Error("nothing was kept")
	}
}

// Legs whose clocks run apart, by far more than clocks do, stay where they were heard to within the tolerance, and lose
// nothing.
func TestClocksThatDrift(t *testing.T) {
	t.Parallel()
	const packets = 20 * 60 * 50 // 20 minutes
	for _, pace := range []time.Duration{19_960 * time.Microsecond, 20_040 * time.Microsecond} {
		kept, end, worst := 0, int64(-1), int64(0)
		now := noon
		var stream *Stream
		stream = New(Config{
			Codec: sdp.PCMU, Began: noon, Wanted: func() bool { return true }, Key: func(byte) {},
			Keep: func(at int64, payload []byte) {
				if at < end {
					t.Fatalf("a frame at %d comes after %d", at, end)
				}
				kept++
				end = at + int64(len(payload))
				worst = max(worst, end-stream.wall(), stream.wall()-end-lookback)
			},
		})
		s := newSender()
		for range packets {
			s.packet(0, bytes.Repeat([]byte{0xFF}, 160))
			s.head.Timestamp += 160
			stream.Packet(s.out[0].raw, now)
			s.out = s.out[:0]
			now = now.Add(pace)
		}
		stream.Close()
		if kept < packets-20 || worst > stray+2*lookback {
			t.Errorf("a packet every %v: %d of %d kept, up to %d samples from where they were heard", pace, kept, packets, worst)
		}
	}
}

// What is held when the codec changes is given out in the old one, but for the last moment.
func TestAnotherCodec(t *testing.T) {
	t.Parallel()
	s := newSender()
	s.pcm(audiotest.Tones(Rate, 160*20, 3000, 300))
	s.pcm(audiotest.Press(Rate, '4', 160*2, 8000)) // 40 ms: too short for anybody to be sure of
	var e ear
	stream := newStream(&e)
	for _, p := range s.out {
		stream.Packet(p.raw, p.time)
	}
	before := len(e.frames)
	stream.Use(sdp.PCMA, 8, 101)
	if len(e.frames) <= before || e.frames[len(e.frames)-1].at > 22*160-tail-160 {
		t.Errorf("%d frames came out, then %d, the last at %d", before, len(e.frames), e.frames[len(e.frames)-1].at)
	}
}

func TestKeysAreToldAndMasked(t *testing.T) {
	t.Parallel()
	s := newSender()
	s.pcm(audiotest.Tones(Rate, 160*20, 3000, 300))
	for _, k := range []byte("159#") {
		s.pcm(append(audiotest.Press(Rate, k, 160*6, 8000), make([]int16, 160*4)...))
	}
	for _, event := range []byte{4, 11, 15} {
		s.event(event, 5)
		s.pcm(audiotest.Tones(Rate, 160*5, 3000, 300))
	}
	s.pcm(audiotest.Tones(Rate, 160*20, 3000, 300))
	var e ear
	e.hear(t, s.out)
	if string(e.keys) != "159#4#D" {
		t.Errorf("%d keys were told, or others", len(e.keys))
	}
	if n := e.left(); n > 0 {
		t.Errorf("%d keys are left", n)
	}
}

func TestKeyIsToldAtOnce(t *testing.T) {
	t.Parallel()
	s := newSender()
	s.pcm(make([]int16, 160*10))
	events := len(s.out)
	s.event(9, 5)
	var e ear
	stream := newStream(&e)
	for _, p := range s.out[:events+1] {
		stream.Packet(p.raw, p.time)
	}
	if string(e.keys) != "9" {
		t.Error("the first packet of an event tells no key")
	}
	for _, p := range s.out[events+1:] {
		stream.Packet(p.raw, p.time)
	}
	if string(e.keys) != "9" {
		t.Errorf("one press was told %d times", len(e.keys))
	}

	e = ear{}
	s = newSender()
	s.pcm(make([]int16, 160*10))
	began := len(s.out)
	s.pcm(audiotest.Press(Rate, '9', 160*6, 8000))
	stream = newStream(&e)
	told := 0
	for i, p := range s.out {
		if stream.Packet(p.raw, p.time); len(e.keys) > 0 {
			told = i - began + 1
			break
		}
	}
	if told == 0 || told > 4 {
		t.Errorf("a key in the sound was told with its packet %d, want 4 at the latest (80 ms sent, 60 ms after the first)", told)
	}
}

// Every fifth packet is lost, as often as not the first of an event; keys must still be told, and nothing of them kept.
func TestLossAndReordering(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	lost, missed, keys, frames := 0, 0, 0, 0
	for range 100 {
		s := newSender()
		s.pcm(audiotest.Tones(Rate, 160*20, 3000, 300))
		s.event(9, 5)
		s.pcm(audiotest.Tones(Rate, 160*20, 3000, 300))
		s.event(1, 5)
		s.pcm(audiotest.Tones(Rate, 160*20, 3000, 300))
		var packets []at
		for _, p := range s.out {
			if r.Float64() < 0.2 {
				lost++
				continue
			}
			packets = append(packets, p)
		}
		for range 20 {
			i := r.IntN(len(packets) - 2)
			packets[i], packets[i+2] = packets[i+2], packets[i]
		}
		var e ear
		e.hear(t, packets)
		keys += 2
		if string(e.keys) != "91" {
			missed++
		}
		frames += len(e.frames)
	}
	if frames < 100*40 { // 60 sent, 48 arrive, 4 are the last moment
		t.Errorf("%d frames came out of 100 calls", frames)
	}
	if missed > 0 || lost == 0 {
		t.Errorf("%d of %d keys were missed with %d packets lost", missed, keys, lost)
	}
}

func TestToneWithLossIsHeard(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	missed, left := 0, 0
	for range 200 {
		s := newSender()
		s.pcm(audiotest.Tones(Rate, 160*20, 3000, 300))
		s.pcm(append(audiotest.Press(Rate, '9', 160*10, 8000), make([]int16, 160*20)...))
		var packets []at
		for _, p := range s.out {
			if r.Float64() >= 0.05 {
				packets = append(packets, p)
			}
		}
		var e ear
		e.hear(t, packets)
		if !bytes.Contains(e.keys, []byte("9")) {
			missed++
		}
		left += e.left()
	}
	if missed > 2 || left > 2 { // of 200; a loss in the middle of a tone makes two short ones of it
		t.Errorf("with 5 %% of the packets lost, %d of 200 keys of 200 ms were missed, %d left", missed, left)
	}
}

func TestNewSourceAndJumpOfTheClock(t *testing.T) {
	t.Parallel()
	s := newSender()
	s.pcm(make([]int16, 160*30))
	s.head.SSRC, s.head.Timestamp, s.head.SequenceNumber = 8, 5, 5
	s.pcm(make([]int16, 160*30))
	s.head.Timestamp += 1 << 30
	s.pcm(make([]int16, 160*30))
	s.head.SequenceNumber += 30000
	s.pcm(make([]int16, 160*30))
	var e ear
	stream := e.hear(t, s.out)
	if len(e.frames) < 110 || stream.Stats().Sources != 1 {
		t.Errorf("%d frames of 120 came out, %d changes of source", len(e.frames), stream.Stats().Sources)
	}
	if last := e.frames[len(e.frames)-1].at; last > 130*160 {
		t.Errorf("120 frames of 20 ms end at sample %d", last)
	}
}

func TestStrangePackets(t *testing.T) {
	t.Parallel()
	s := newSender()
	s.packet(96, make([]byte, 160))
	s.packet(0, make([]byte, maxFrame+1))
	s.packet(101, []byte{9})
	s.packet(101, []byte{200, 0, 0, 0})
	s.out = append(s.out, at{[]byte("not RTP at all"), noon}, at{nil, noon})
	var e ear
	if stream := e.hear(t, s.out); len(e.frames) > 0 || len(e.keys) > 0 || stream.Stats().Strange != 6 {
		t.Errorf("%d frames, %d keys, %d strange packets", len(e.frames), len(e.keys), stream.Stats().Strange)
	}
}

func FuzzPackets(f *testing.F) {
	s := newSender()
	s.pcm(audiotest.Press(Rate, '9', 160*6, 8000))
	s.event(9, 5)
	var all []byte
	for _, p := range s.out {
		all = append(append(all, byte(len(p.raw)>>1)), p.raw...)
	}
	f.Add(all)
	f.Add([]byte{6, 0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		e := &ear{}
		stream := newStream(e)
		end, now := int64(-1), noon
		for len(b) > 0 {
			n := min(len(b)-1, 2*int(b[0]))
			stream.Packet(b[1:1+n], now)
			b = b[1+n:]
			now = now.Add(20 * time.Millisecond)
			if len(stream.waiting) > patience || len(stream.masks) > maxMasks || len(stream.held) > lookback {
				t.Fatal("what is held in memory is not bounded")
			}
		}
		stream.Close()
		for _, f := range e.frames {
			if f.at < end {
				t.Fatal("out of order")
			}
			end = f.at + int64(len(f.payload))
		}
	})
}
