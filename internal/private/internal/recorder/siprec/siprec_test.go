package siprec

import (
	"errors"
	"strings"
	"testing"
)

const example = `<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns='urn:ietf:params:xml:ns:recording:1'>
 <datamode>complete</datamode>
 <group group_id="g"><associate-time>2026-11-24T12:00:00Z</associate-time></group>
 <session session_id="hVpd7YQgRW2nD22h7q60JQ=="><sipSessionID>ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2</sipSessionID><group-ref>g</group-ref></session>
 <participant participant_id="p1"><nameID aor="sip:agent@example.com"><name xml:lang="en">Agent</name></nameID></participant>
 <participant participant_id="p2"><nameID aor="tel:+1-212-555-0142;ext=1"/></participant>
 <stream stream_id="s1" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>96</label></stream>
 <stream stream_id="s2" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>97</label></stream>
 <participantstreamassoc participant_id="p1"><send>s1</send><recv>s2</recv></participantstreamassoc>
 <participantstreamassoc participant_id="p2"><send>s2</send><recv>s1</recv></participantstreamassoc>
</recording>`

func TestMetadata(t *testing.T) {
	t.Parallel()
	m, err := Read([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if m.Session != "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2" || len(m.Parties) != 2 {
		t.Fatalf("session of %d bytes, %d parties", len(m.Session), len(m.Parties))
	}
	agent, contact := m.Parties[0], m.Parties[1]
	if agent.Number || agent.Address.Empty() || agent.Labels[0] != "96" || !contact.Number || contact.Labels[0] != "97" {
		t.Errorf("the parties are %+v and %+v", agent, contact)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	body := "--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x\r\nContent-Type: application/rs-metadata+xml\r\n\r\n<a/>\r\n--x--\r\n"
	sdp, xml, err := Split(`multipart/mixed; boundary=x`, []byte(body))
	if err != nil || string(sdp) != "v=0" || string(xml) != "<a/>" {
		t.Errorf("%d and %d bytes, %v", len(sdp), len(xml), err)
	}
	if sdp, xml, err = Split("application/sdp", []byte("v=0")); err != nil || string(sdp) != "v=0" || xml != nil {
		t.Errorf("a plain description: %v", err)
	}
	for kind, b := range map[string]string{
		"": "v=0", "text/plain": "v=0", "multipart/mixed": body, "multipart/mixed;boundary=y": body,
		"multipart/mixed;boundary=x": strings.Replace(body, "rs-metadata", "other", 1), "multipart/mixed; boundary=x": body[:60],
	} {
		if _, _, err := Split(kind, []byte(b)); err == nil {
			t.Errorf("%q with %d bytes is taken", kind, len(b))
		}
	}
	if _, _, err := Split("text/plain", nil); !errors.Is(err, ErrType) {
		t.Errorf("a wrong type gives %v", err)
	}
}

func TestUser(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"sip:+12125550142@carrier.example;user=phone": "+12125550142", "tel:+1-212-555-0142;ext=1": "+1-212-555-0142", "SIPS:bob@example.com?x=y": "bob",
		"sip:anonymous@anonymous.invalid": "anonymous", "sip:204@pbx": "204", "+12125550142": "+12125550142", "mailto:a@b": "mailto:a@b", "": "",
	} {
		if got := user(uri); got != want {
			t.Errorf("the user of %q is %q, want %q", uri, got, want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("multipart/mixed;boundary=x", []byte("--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x--\r\n"))
	f.Add("application/sdp", []byte("v=0\r\n"))
	f.Fuzz(func(_ *testing.T, kind string, body []byte) { _, _, _ = Split(kind, body) })
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`<recording><participant participant_id="a"><nameID aor="sip:"/></participant></recording>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(b)
		if err == nil && len(m.Parties) > len(b) {
			t.Fatal("more parties than bytes")
		}
	})
}
