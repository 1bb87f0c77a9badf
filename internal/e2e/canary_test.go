package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf16"

	"murmur/internal/rpc"
)

// canary is one invented personal value.
type canary struct {
	kind, value string
	// said is the value where people say it, in words that a redactor must understand.
	said string
}

// canaries are 500 values that are nowhere else: a hundred of each kind.
func canaries() (all []canary) {
	first := []string{"Anna", "José", "Mary", "Peter", "Linda", "Robert", "Susan", "Miguel", "Karen", "Thomas"}
	last := []string{"Quillberry", "Vandersteyn", "Osterhagen", "Marrowgate", "Fenwickson", "Thistlewaite", "Brackenridge", "Dalrympleton", "Hollingbeck", "Wexcombe"}
	digits := []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
	areas := []int{202, 212, 303, 312, 404, 412, 503, 602, 617, 713}
	for i := range 100 {
		name := first[i%10] + " " + last[i/10]
		phone := fmt.Sprintf("+1%d55501%02d", areas[i/10], i)
		mail := fmt.Sprintf("canary.%s%d@example.org", strings.ToLower(last[i%10]), i)
		street := fmt.Sprintf("%d %s Street", 1411+37*i, last[i%10])
		var card []string
		for k, d := 0, 4_000_000_000_000_000+int64(i)*123_456_789_123; k < 15; k++ {
			card = append([]string{digits[d%10]}, card...)
			d /= 10
		}
		spoken := strings.Join(luhn(card, digits), " ")
		all = append(all,
			canary{"name", name, "hello my name is " + name + " and I need help"},
			canary{"phone", phone, fmt.Sprintf("call me back at %s-%s-%s please", phone[2:5], phone[5:8], phone[8:])},
			canary{"email", mail, "my email address is " + mail + " thank you"},
			canary{"address", street, "I live at " + street + " in Springfield"},
			canary{"card", spoken, "my credit card number is " + spoken + " expiring next year"})
	}
	return all
}

// luhn appends the check digit of a spoken number (ISO/IEC 7812-1 annex B).
func luhn(spoken, digits []string) []string {
	sum := 0
	for i := range spoken {
		d := 0
		for ; digits[d] != spoken[len(spoken)-1-i]; d++ {
		}
		if i%2 == 0 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return append(spoken, digits[(10-sum%10)%10])
}

// scanner finds many needles in one pass: they are told apart by their first eight bytes.
type scanner struct {
	needles map[uint64][]needle
	found   map[string]int // "kind where" -> hits
	samples []string
}

type needle struct {
	bytes []byte
	of    canary
}

func newScanner(all []canary) *scanner {
	s := &scanner{needles: map[uint64][]needle{}, found: map[string]int{}}
	for _, c := range all {
		forms := []string{c.value, strings.ToLower(c.value), plain(c.value)}
		switch c.kind {
		case "phone":
			forms = append(forms, c.value[2:], fmt.Sprintf("(%s) %s-%s", c.value[2:5], c.value[5:8], c.value[8:]), fmt.Sprintf("%s-%s-%s", c.value[2:5], c.value[5:8], c.value[8:]))
		case "name":
			_, surname, _ := strings.Cut(c.value, " ")
			forms = append(forms, surname, strings.ToLower(surname))
		}
		for _, f := range forms {
			quoted, _ := json.Marshal(f)
			ascii := fmt.Sprintf("%+q", f)
			s.add(c, []byte(f), quoted[1:len(quoted)-1], []byte(ascii[1:len(ascii)-1]), []byte(hex.EncodeToString([]byte(f))), []byte(strings.ToUpper(hex.EncodeToString([]byte(f)))))
			for pad := range 3 { // base64 at any offset: the characters that depend on f alone
				code := base64.StdEncoding.EncodeToString(append(make([]byte, pad), f...))
				s.add(c, []byte(code[(pad*8+5)/6:(pad+len(f))*8/6]))
			}
			wide := utf16.Encode([]rune(f))
			little, big := []byte{}, []byte{}
			for _, u := range wide {
				little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
			}
			s.add(c, little, big)
		}
	}
	return s
}

func (s *scanner) add(c canary, forms ...[]byte) {
	for _, f := range forms {
		if len(f) >= 9 {
			key := binary.LittleEndian.Uint64(f)
			s.needles[key] = append(s.needles[key], needle{f, c})
		}
	}
}

// plain is a text without what people put between: digits and letters only, small.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// scan looks through bytes as they are.
func (s *scanner) scan(where string, b []byte) {
	for i := 0; i+8 <= len(b); i++ {
		for _, n := range s.needles[binary.LittleEndian.Uint64(b[i:])] {
			if bytes.HasPrefix(b[i:], n.bytes) {
				s.found[n.of.kind+" in "+where]++
				if len(s.samples) < 12 {
					s.samples = append(s.samples, fmt.Sprintf("%s in %s: ..%q..", n.of.kind, where, b[max(0, i-24):min(len(b), i+len(n.bytes)+8)]))
				}
			}
		}
	}
}

// text looks through a text as it is and without separators.
func (s *scanner) text(where string, b []byte) {
	s.scan(where, b)
	s.scan(where+" (without separators)", []byte(plain(string(b))))
}

// TestScannerSees shows that the search below can fail: every canary is found in every form it may take.
func TestScannerSees(t *testing.T) {
	t.Parallel()
	all := canaries()
	if len(all) != 500 {
		t.Fatalf("%d canaries", len(all))
	}
	for _, c := range all {
		for form, b := range map[string]string{
			"plain": c.value, "json": fmt.Sprintf("%+q", c.value), "hex": hex.EncodeToString([]byte("x" + c.value)),
			"base64 0": base64.StdEncoding.EncodeToString([]byte(c.value + "...")), "base64 1": base64.StdEncoding.EncodeToString([]byte("x" + c.value)),
			"base64 2": base64.RawURLEncoding.EncodeToString([]byte("xx" + c.value + "...")), "spaced": strings.Join(strings.Split(c.value, ""), " "),
		} {
			s := newScanner([]canary{c})
			s.text(form, []byte("...."+b+"...."))
			if len(s.found) == 0 {
				t.Fatalf("%s %q is not found as %s", c.kind, c.value, form)
			}
		}
	}
}

// TestNoCanaryGetsOut: 500 personal values go through every source, field and failure; none is in any file of the data
// directory, in the log, the metrics, the figures or an error. The words of texts, transcripts and comments were said
// in ways that the redactor must understand.
func TestNoCanaryGetsOut(t *testing.T) {
	t.Parallel()
	all := canaries()
	h := open(t, newData(t))
	h.policy("transcripts", "notice")
	var out bytes.Buffer // everything that the house answered
	h.sing(all, &out)
	h.fail(all, &out)
	h.drain()
	out.Write(h.figures())
	for _, path := range []string{"/readyz", "/livez", "/openapi.json"} {
		out.Write(h.get(path).body)
	}
	token := h.token()
	for _, path := range []string{"/metrics", "/v1/status", "/v1/figures", "/v1/sources", "/v1/policy", "/v1/quarantine"} {
		out.Write(h.send2(http.MethodGet, path, token).body)
	}
	c := h.counts()
	if c.Published < 2000 || c.Quarantined < 100 || c.Refused == 0 || c.Held == 0 {
		t.Errorf("the canaries did not go everywhere: %+v", c)
	}
	s := newScanner(all)
	s.files(t, h.data, "running")
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	s.files(t, h.data, "stopped")
	s.text("answers", out.Bytes())
	s.text("log", h.log.Bytes())
	s.text("output", h.out.Bytes())
	for what, n := range s.found {
		t.Errorf("%d canaries: %s", n, what)
	}
	for _, sample := range s.samples {
		t.Log(sample)
	}
}

func (s *scanner) files(t *testing.T, dir, when string) {
	values := 0
	for _, path := range files(t, dir) {
		b, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		s.scan("files, "+when, b)
		if strings.HasSuffix(path, ".parquet") {
			for _, v := range parquetValues(t, path) {
				values++
				s.text("lake, "+when, v)
			}
		}
	}
	if values == 0 {
		t.Error("no value was read from the lake")
	}
}

// sing sends every canary as the contact, as a known name and in words, through every source.
func (h *house) sing(all []canary, out io.Writer) {
	quo, typeform, native := h.connect("quo"), h.connect("typeform"), h.connect("native")
	now := time.Now().Add(-time.Hour).Truncate(time.Second)
	at := now.UTC().Format(time.RFC3339)
	var hooks []hook
	say := func(path string, body []byte, header http.Header) {
		hooks = append(hooks, hook{path, body, func() http.Header { return header }})
	}
	var lines, calls, texts, surveys bytes.Buffer
	calls.WriteString("Call ID,Date,Direction,Phone number,Contact,Contact name,Status\n")
	texts.WriteString("Message ID,Date,Direction,Phone number,Contact,Status,Body\n")
	surveys.WriteString("Response ID,Date,Survey,Scale,Score,Comment,Email,Name\n")
	for i := 0; i < len(all); i += 5 {
		name, phone, mail := all[i].value, all[i+1].value, all[i+2].value
		_, surname, _ := strings.Cut(name, " ") // said without a sign that it is a name: the contact's own is known
		party := string(line(`{"name":%q,"phone":%q,"email":%q}`, name, phone, mail))
		for k, c := range all[i : i+5] {
			id := fmt.Sprint(i, "-", k)
			body := line(`{"schema":"murmur.v1","type":"message","source_id":"m%s","occurred_at":%q,"direction":"in","number":"PNmain","status":"received","body":%q,"party":%s}`, id, at, c.said, party)
			say(native.Path, body, bearer(native.Secret))
			lines.Write(line(`{"schema":"murmur.v1","type":"transcript","source_id":"t%s","occurred_at":%q,"call":"AC%s","origin":"vendor","party":%s,"turns":[{"side":"member","text":%q},{"side":"contact","text":%q}]}`+"\n", id, at, id, party, "so "+strings.ToLower(surname)+" it was", c.said))
			q := line(`{"id":"EV%s","apiVersion":"2026-03-30","type":"message.received","createdAt":%q,"data":{"resource":{"id":"QM%[1]s","direction":"incoming","text":%[3]q,"status":"received","createdAt":%[2]q},"context":{"phoneNumberId":"PN1","senderIdentifier":%[4]q,"recipientIdentifiers":["+12025550190"]}}}`, id, at, c.said, phone)
			say(quo.Path, q, signStandard(quo.Secret, "EV"+id, time.Now(), q))
			old := line(`{"id":"OL%s","type":"call.transcript.completed","createdAt":%q,"data":{"object":{"callId":"QC%[1]s","createdAt":%[2]q,"status":"completed","duration":9,"dialogue":[{"content":%[3]q,"start":0,"end":9,"identifier":%[4]q}]}}}`, id, at, c.said, phone)
			say(quo.Path, old, signOpenPhone(quo.Secret, time.Now(), old))
			form := line(`{"event_id":"TF%s","event_type":"form_response","form_response":{"form_id":"f1","token":"tk%[1]s","submitted_at":%[2]q,"hidden":{"phone":%[3]q,"email":%[4]q,"name":%[5]q},"definition":{"fields":[{"id":"a","type":"nps"},{"id":"b","type":"long_text","title":"Why?"}]},"answers":[{"type":"number","number":9,"field":{"id":"a","type":"nps"}},{"type":"text","text":%[6]q,"field":{"id":"b","type":"long_text"}}]}}`, id, at, phone, mail, name, c.said)
			say(typeform.Path, form, signTypeform(typeform.Secret, form))
			fmt.Fprintf(&texts, "ct%s,%s,inbound,PNmain,%s,received,%q\n", id, now.UTC().Format(time.DateTime), phone, c.said)
			fmt.Fprintf(&surveys, "cs%s,%s,f2,csat,4,%q,%s,%s\n", id, now.UTC().Format(time.DateTime), c.said, mail, name)
		}
		fmt.Fprintf(&calls, "cc%d,%s,inbound,PNmain,%s,%s,missed\n", i, now.UTC().Format(time.DateTime), phone, name)
		step := line(`{"schema":"murmur.v1","type":"step","source_id":"s%d","occurred_at":%q,"run":"AC%[1]d","flow":%[3]q,"node":%[4]q,"node_kind":"menu","key":"1","label":%[5]q,"party":%[6]s}`, i, at, "flow of "+name, "node "+mail, all[i+3].value, party)
		say(native.Path, step, bearer(native.Secret))
	}
	for _, b := range h.sendAll(hooks) {
		_, _ = out.Write(b)
	}
	for kind, file := range map[string]*bytes.Buffer{"native": &lines, "calls": &calls, "messages": &texts, "surveys": &surveys} {
		var preview, got []byte
		if err := h.try("import", rpc.ImportArgs{Kind: kind, DryRun: true}, bytes.NewReader(file.Bytes()), &preview); err != nil {
			h.t.Errorf("dry run of %s: %v", kind, err)
		}
		if err := h.try("import", rpc.ImportArgs{Kind: kind}, file, &got); err != nil {
			h.t.Errorf("import of %s: %v", kind, err)
		}
		_, _ = out.Write(append(preview, got...))
	}
}

// fail sends every canary on the ways on which it must be refused, kept aside, held or answered with an error.
func (h *house) fail(all []canary, out io.Writer) {
	var native, quo rpc.Connected
	h.do("connect", rpc.ConnectArgs{Kind: "native", Name: "failing"}, &native)
	h.do("connect", rpc.ConnectArgs{Kind: "quo", Name: "failing-quo"}, &quo)
	token := h.token()
	now := time.Now()
	try := func(path string, body []byte, header http.Header) {
		a, err := h.send(http.MethodPost, path, body, header)
		if err != nil {
			h.t.Errorf("send: %v", err)
		}
		if a.status >= 500 {
			h.t.Errorf("answered %d", a.status)
		}
		for k, v := range a.header {
			fmt.Fprintln(out, k, v)
		}
		_, _ = out.Write(a.body)
	}
	verb := func(name string, args any, in string) {
		var b []byte
		if err := h.try(name, args, strings.NewReader(in), &b); err != nil {
			fmt.Fprintln(out, err)
			if p := problemOf(err); p != nil {
				fmt.Fprintln(out, p.Hint)
			}
		}
		_, _ = out.Write(b)
	}
	for i, c := range all {
		v := string(bytes.Trim(line("%q", c.value), `"`))
		b := bearer(native.Secret)
		switch i % 10 {
		case 0:
			try(native.Path, []byte(`{"schema":"murmur.v1","type":"`+v), b) // cut off
		case 1:
			try(native.Path, []byte(`{"schema":"murmur.v1","type":"`+v+`"}`), b) // unknown type
		case 2:
			try(native.Path, []byte(`{"`+v+`":1,"`+v+`":2}`), b) // doubled key
		case 3:
			try(native.Path, []byte(`{"schema":"murmur.v1","type":"call","source_id":"`+v+`","occurred_at":"`+v+`"}`), b) // no time
		case 4:
			try(native.Path, []byte(v), bearer(v)) // no signature
		case 5:
			try("/in/quo/"+strings.ReplaceAll(v, " ", "%20"), []byte(v), nil) // no such address
		case 6:
			body := []byte(`{"type":"` + v + `","id":"` + v + `"}`)
			try(quo.Path, body, signStandard(quo.Secret, v, now, body))
		case 7:
			h := bearer(token)
			try("/v1/contacts/opt-out", []byte(`{"contact":"`+v+`","via":"`+v+`"}`), h)
			try("/v1/calls/"+strings.ReplaceAll(v, " ", "%20")+"/opt-out", []byte(`{"via":"agent"}`), h)
			if i%100 == 7 {
				try("/v1/erasures", []byte(`{"contact":"`+v+`x"}`), h)
			}
		case 8:
			if i%100 == 8 {
				verb("erase", rpc.EraseArgs{Contact: c.value + " "}, "")
			}
			verb("doctor", rpc.DoctorArgs{Event: c.value}, "")
			verb("import", rpc.ImportArgs{Kind: "calls"}, c.value+"\n"+c.value+"\n")
			verb("import", rpc.ImportArgs{Kind: "calls"}, "Call ID,Date,Direction,Status\n"+c.value+","+c.value+",sideways,lost\n")
		case 9:
			try(native.Path, transcript("H"+v, now, c.value, "line with "+c.said), b)
			try(native.Path, call("F"+v, now.AddDate(80, 0, 0), c.value), b)
		}
	}
	h.policy("transcripts", "deny")
	for i, c := range all[:50] {
		try(native.Path, transcript(fmt.Sprint("R", i), now, "+12025550101", c.said), bearer(native.Secret))
	}
	h.drain()
	h.policy("transcripts", "opt-in")
	for i, c := range all[:50] {
		try(native.Path, transcript(fmt.Sprint("W", i), now, "+12025550102", c.said), bearer(native.Secret))
	}
	h.drain()
}
