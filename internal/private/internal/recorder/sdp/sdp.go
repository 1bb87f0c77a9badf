// Package sdp reads the part of a session description (RFC 8866) that a recorder needs, and writes its answer
// (RFC 3264): G.711 audio, telephone events, labels, and what RFC 7866 says about recording.
//
// Zone: RED. A description names hosts and may name people; nothing of it is kept but what Media holds, and errors
// carry no word of it. It reaches no network: names are not resolved.
//
// What it does not protect against: an offer that lies about where its sender is. The recorder checks addresses.
package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Limits of what is read. A real offer has a few dozen lines.
const (
	MaxBytes = 32 << 10
	maxLines = 512
	maxMedia = 32
)

// ErrFormat is returned for what is no session description.
var ErrFormat = errors.New("not a session description")

// Codec is how a stream codes speech: eight bits a sample, 8,000 samples a second.
type Codec uint8

const (
	None Codec = iota
	PCMU       // G.711 mu-law, RFC 3551 4.5.14
	PCMA       // G.711 A-law
)

var codecNames = [...]string{None: "", PCMU: "PCMU", PCMA: "PCMA"}

// Direction is who sends, as the writer of the description sees it (RFC 8866 6.7).
type Direction uint8

const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

var directionNames = [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}

func (d Direction) String() string { return directionNames[d] }

// reverse is the most that an answer to the direction may say (RFC 3264 6.1).
func (d Direction) reverse() Direction {
	return [...]Direction{SendRecv, RecvOnly, SendOnly, Inactive}[d]
}

// Recording is what a=record says (RFC 7866 9.1).
type Recording uint8

const (
	Unsaid Recording = iota
	Off
	On
	Paused
)

var recordingNames = [...]string{"", "off", "on", "paused"}

func (r Recording) String() string { return recordingNames[r] }

// Preference is what a=recordpref asks for (RFC 7866 9.2).
type Preference uint8

const (
	NoPreference Preference = iota
	WantsOff
	WantsOn
	WantsPause
)

var preferenceNames = [...]string{"nopreference", "off", "on", "pause"}

// Media is one m-line.
type Media struct {
	Addr       netip.Addr // where its writer wants RTP; not valid: a name, or nothing
	Port       uint16     // 0: the line is not used
	Codec      Codec      // the first G.711 of the line; None: it has none
	Payload    uint8      // its payload type
	Events     uint8      // payload type of telephone-event/8000 (RFC 4733); 0: none, for 0 is PCMU
	Direction  Direction
	Label      string // RFC 4574; in SIPREC it names the stream in the metadata
	Recording  Recording
	Preference Preference

	line string // "audio PORT RTP/AVP FORMAT..", for an answer that refuses
}

// Usable reports whether the recorder can take the line: plain RTP with G.711.
func (m *Media) Usable() bool {
	f := strings.Fields(m.line)
	return m.Port != 0 && m.Codec != None && len(f) > 3 && f[0] == "audio" && f[2] == "RTP/AVP"
}

// Description is an offer.
type Description struct {
	Media []Media
}

// reader holds what the session part says for every line.
type reader struct {
	d       Description
	session Media
	maps    map[string]string // of the current m-line: payload type to "NAME/RATE"
}

// Parse reads a description. Lines that it does not know are passed over.
func Parse(body []byte) (Description, error) {
	if len(body) > MaxBytes {
		return Description{}, fmt.Errorf("%w: %d bytes", ErrFormat, len(body))
	}
	lines := strings.Split(string(body), "\n")
	if len(lines) > maxLines || strings.TrimRight(lines[0], "\r") != "v=0" {
		return Description{}, ErrFormat
	}
	var r reader
	for i, l := range lines {
		l = strings.TrimRight(l, "\r")
		if l == "" {
			continue
		}
		if len(l) < 2 || l[1] != '=' {
			return Description{}, fmt.Errorf("%w: line %d", ErrFormat, i+1)
		}
		if err := r.read(l[0], l[2:]); err != nil {
			return Description{}, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	r.close()
	if len(r.d.Media) == 0 {
		return Description{}, fmt.Errorf("%w: no m-line", ErrFormat)
	}
	return r.d, nil
}

// current is the m-line being read, or the session part before the first.
func (r *reader) current() *Media {
	if len(r.d.Media) == 0 {
		return &r.session
	}
	return &r.d.Media[len(r.d.Media)-1]
}

func (r *reader) read(kind byte, value string) error {
	switch kind {
	case 'm':
		return r.media(value)
	case 'c':
		f := strings.Fields(value)
		if len(f) != 3 || f[0] != "IN" {
			return ErrFormat
		}
		host, _, _ := strings.Cut(f[2], "/") // a multicast address has a TTL
		r.current().Addr, _ = netip.ParseAddr(host)
	case 'a':
		r.attribute(value)
	}
	return nil
}

func (r *reader) media(value string) error {
	r.close()
	f := strings.Fields(value)
	if len(f) < 4 || len(r.d.Media) == maxMedia {
		return ErrFormat
	}
	number, _, _ := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return ErrFormat
	}
	m := r.session
	m.Port, m.line = uint16(port), value
	r.d.Media = append(r.d.Media, m)
	r.maps = map[string]string{"0": "PCMU/8000", "8": "PCMA/8000"} // static types, RFC 3551 6
	return nil
}

func (r *reader) attribute(value string) {
	m := r.current()
	name, value, _ := strings.Cut(value, ":")
	switch name {
	case "sendrecv", "sendonly", "recvonly", "inactive":
		m.Direction = Direction(position(directionNames[:], name))
	case "label":
		if token(value) {
			m.Label = value
		}
	case "record":
		m.Recording = Recording(position(recordingNames[:], value))
	case "recordpref":
		m.Preference = Preference(position(preferenceNames[:], value))
	case "rtpmap":
		if f := strings.Fields(value); len(f) == 2 && r.maps != nil {
			r.maps[f[0]] = strings.TrimSuffix(f[1], "/1")
		}
	}
}

// close settles the codecs of the m-line that was read last: rtpmap lines come after it.
func (r *reader) close() {
	if len(r.d.Media) == 0 {
		return
	}
	m := r.current()
	for _, format := range strings.Fields(m.line)[3:] {
		payload, err := strconv.ParseUint(format, 10, 7)
		if err != nil {
			continue
		}
		switch name := r.maps[format]; {
		case m.Codec == None && strings.EqualFold(name, "PCMU/8000"):
			m.Codec, m.Payload = PCMU, uint8(payload)
		case m.Codec == None && strings.EqualFold(name, "PCMA/8000"):
			m.Codec, m.Payload = PCMA, uint8(payload)
		case m.Events == 0 && strings.EqualFold(name, "telephone-event/8000"):
			m.Events = uint8(payload)
		}
	}
}

// position of a name; 0 when there is none such, which every list uses for the harmless value.
func position(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return 0
}

// token reports whether s may stand in an answer as it is (RFC 8866 9: token).
func token(s string) bool {
	return s != "" && len(s) <= 64 && strings.IndexFunc(s, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]`, c)
	}) < 0
}

// Answer is what the recorder says: where it listens for each line of the offer.
type Answer struct {
	Addr      netip.Addr
	Session   uint64 // the number of this session
	Version   uint64 // one more for every description that differs
	Ports     []uint16
	Recording Recording
	Copy      bool // SIPREC: only ever receives
	Held      bool // nothing is wanted at all
}

// Write gives the answer to an offer, or an offer of the same lines of our own. A line with port 0 is refused. The
// payload types are those of the offer, of telephone events too: another number there would lose every key.
func (d *Description) Write(a Answer) []byte {
	var b strings.Builder
	family := "IP4"
	if a.Addr.Is6() && !a.Addr.Is4In6() {
		family = "IP6"
	}
	fmt.Fprintf(&b, "v=0\r\no=murmur %d %d IN %s %s\r\ns=-\r\nc=IN %[3]s %[4]s\r\nt=0 0\r\n", a.Session, a.Version, family, a.Addr.Unmap())
	for i := range d.Media {
		m := &d.Media[i]
		if a.Ports[i] == 0 {
			m.refuse(&b)
			continue
		}
		m.accept(&b, a, a.Ports[i])
	}
	return []byte(b.String())
}

func (m *Media) refuse(b *strings.Builder) {
	f := strings.Fields(m.line)
	fmt.Fprintf(b, "m=%s 0 %s %s\r\n", f[0], f[2], f[3])
}

func (m *Media) accept(b *strings.Builder, a Answer, port uint16) {
	fmt.Fprintf(b, "m=audio %d RTP/AVP %d", port, m.Payload)
	if m.Events != 0 {
		fmt.Fprintf(b, " %d", m.Events)
	}
	fmt.Fprintf(b, "\r\na=rtpmap:%d %s/8000\r\n", m.Payload, codecNames[m.Codec])
	if m.Events != 0 {
		fmt.Fprintf(b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%[1]d 0-15\r\n", m.Events)
	}
	b.WriteString("a=ptime:20\r\n")
	if m.Label != "" {
		fmt.Fprintf(b, "a=label:%s\r\n", m.Label)
	}
	if a.Recording != Unsaid {
		fmt.Fprintf(b, "a=record:%s\r\n", a.Recording)
	}
	direction := m.Direction.reverse()
	switch {
	case a.Held || direction == Inactive:
		direction = Inactive
	case a.Copy:
		direction = RecvOnly
	}
	fmt.Fprintf(b, "a=%s\r\n", direction)
}
