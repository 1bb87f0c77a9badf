package sdp

import (
	"net/netip"
	"strings"
	"testing"
)

const offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
	"m=audio 4000 RTP/AVP 18 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=label:1\r\na=sendonly\r\na=record:on\r\n" +
	"m=video 4002 RTP/AVP 31\r\n" +
	"m=audio 4004 RTP/AVP 110 0 101 102\r\nc=IN IP6 2001:db8::1\r\na=rtpmap:110 opus/48000/2\r\na=rtpmap:101 telephone-event/48000\r\n" +
	"a=rtpmap:102 telephone-event/8000\r\na=label:2\r\na=recordpref:off\r\n"

func TestOfferIsRead(t *testing.T) {
	t.Parallel()
	d, err := Parse([]byte(offer))
	if err != nil {
		t.Fatal(err)
	}
	want := []Media{
		{Addr: netip.MustParseAddr("192.0.2.1"), Port: 4000, Codec: PCMA, Payload: 8, Events: 96, Direction: SendOnly, Label: "1", Recording: On},
		{Addr: netip.MustParseAddr("192.0.2.1"), Port: 4002},
		{Addr: netip.MustParseAddr("2001:db8::1"), Port: 4004, Codec: PCMU, Events: 102, Label: "2", Preference: WantsOff},
	}
	for i, m := range d.Media {
		if m.line = ""; m != want[i] {
			t.Errorf("line %d: %+v, want %+v", i, m, want[i])
		}
	}
}

// The answer must repeat the offer's payload type of telephone events: with another one every key is lost.
func TestAnswerMirrorsTheOffer(t *testing.T) {
	t.Parallel()
	d, err := Parse([]byte(offer))
	if err != nil {
		t.Fatal(err)
	}
	got := string(d.Write(Answer{Addr: netip.MustParseAddr("192.0.2.9"), Session: 5, Version: 2, Ports: []uint16{5000, 0, 5002}, Copy: true, Recording: Off}))
	want := "v=0\r\no=murmur 5 2 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n" +
		"m=audio 5000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=ptime:20\r\na=label:1\r\na=record:off\r\na=recvonly\r\n" +
		"m=video 0 RTP/AVP 31\r\n" +
		"m=audio 5002 RTP/AVP 0 102\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:102 telephone-event/8000\r\na=fmtp:102 0-15\r\na=ptime:20\r\na=label:2\r\na=record:off\r\na=recvonly\r\n"
	if got != want {
		t.Errorf("the answer is\n%s\nwant\n%s", got, want)
	}
}

func TestUsable(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"audio 4000 RTP/AVP 0": true, "audio 4000 RTP/AVP 8 101": true, "audio 0 RTP/AVP 0": false, "audio 4000 RTP/SAVP 0": false,
		"audio 4000 RTP/AVP 18": false, "video 4000 RTP/AVP 0": false, "audio 4000 RTP/AVP 128": false,
	} {
		d, err := Parse([]byte("v=0\nm=" + line + "\n"))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if got := d.Media[0].Usable(); got != want {
			t.Errorf("%s: usable is %v", line, got)
		}
	}
}

func TestWhatIsNoOffer(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"nothing": "", "no version": "m=audio 1 RTP/AVP 0\n", "no line": "v=0\ns=-\n", "no equals sign": "v=0\nmaudio\n", "a short line": "v=0\nm=audio 1\n",
		"a port too high": "v=0\nm=audio 70000 RTP/AVP 0\n", "a bad address": "v=0\nc=IN IP4\nm=audio 1 RTP/AVP 0\n",
		"too many lines": "v=0\n" + strings.Repeat("a=x\n", maxLines) + "m=audio 1 RTP/AVP 0\n", "too many streams": "v=0\n" + strings.Repeat("m=audio 1 RTP/AVP 0\n", maxMedia+1),
		"too long": "v=0\nm=audio 1 RTP/AVP 0\na=" + strings.Repeat("x", MaxBytes),
	} {
		if _, err := Parse([]byte(s)); err == nil {
			t.Errorf("%s is taken for an offer", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(offer))
	f.Add([]byte("v=0\nm=audio 1 RTP/AVP 0\na=label:x y\na=record:maybe\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err != nil {
			return
		}
		a := Answer{Addr: netip.MustParseAddr("192.0.2.9"), Ports: make([]uint16, len(d.Media))}
		for i := range d.Media {
			if d.Media[i].Usable() {
				a.Ports[i] = 5000
			}
		}
		again, err := Parse(d.Write(a))
		if err != nil || len(again.Media) != len(d.Media) {
			t.Fatalf("the answer has %d lines for %d: %v", len(again.Media), len(d.Media), err)
		}
		for i := range d.Media {
			if m, n := d.Media[i], again.Media[i]; m.Usable() && (n.Payload != m.Payload || n.Events != m.Events || n.Label != m.Label) {
				t.Fatalf("line %d is not mirrored", i)
			}
		}
	})
}
