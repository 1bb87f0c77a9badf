package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"murmur/internal/explain"
	"murmur/internal/rpc"
	"murmur/internal/server"
	"murmur/internal/synth"
)

// call is a native call event; its delivery is told by its bytes.
func call(id string, at time.Time, phone string) []byte {
	return line(`{"schema":"murmur.v1","type":"call","source_id":%q,"occurred_at":%q,"direction":"in","number":"PNmain","outcome":"members_did_not_answer","party":{"phone":%q}}`,
		id, at.UTC().Format(time.RFC3339), phone)
}

// transcript is a native transcript of a call.
func transcript(call string, at time.Time, phone, words string) []byte {
	return line(`{"schema":"murmur.v1","type":"transcript","source_id":"%[1]s/t","occurred_at":%[2]q,"call":%[1]q,"origin":"vendor","party":{"phone":%[3]q},"turns":[{"side":"contact","text":%[4]q}]}`,
		call, at.UTC().Format(time.RFC3339), phone, words)
}

// TestStatusOfBadInput: bad input is the sender's fault and is told so; it is never a 5xx, and nothing of it is lost
// when it is well signed.
func TestStatusOfBadInput(t *testing.T) {
	t.Parallel()
	h := open(t, newData(t))
	quo, typeform, native := h.connect("quo"), h.connect("typeform"), h.connect("native")
	var keyless rpc.Connected
	h.do("connect", rpc.ConnectArgs{Kind: "quo", Name: "keyless", Secret: "not base64!"}, &keyless)
	now := time.Now()
	good := call("AC1", now, "+12025550101")
	big := append(bytes.Repeat([]byte(" "), 1<<20-len(good)), good...)
	deep := []byte(strings.Repeat("[", 65) + strings.Repeat("]", 65))
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(good)
	_ = z.Close()
	typed := func(sign http.Header, contentType string) http.Header {
		s := sign.Clone()
		s.Set("Content-Type", contentType)
		return s
	}
	doubled := signStandard(quo.Secret, "m1", now, good)
	doubled["Webhook-Signature"] = append(doubled["Webhook-Signature"], doubled["Webhook-Signature"]...)
	noID := signStandard(quo.Secret, "m1", now, good)
	delete(noID, "Webhook-Id")
	encoded := bearer(native.Secret)
	encoded.Set("Content-Encoding", "gzip")
	for _, c := range []struct {
		what   string
		path   string
		body   []byte
		header http.Header
		want   int
	}{
		{"quo, well signed", quo.Path, good, signStandard(quo.Secret, "m0", now, good), 200},
		{"quo legacy, well signed", quo.Path, good, signOpenPhone(quo.Secret, now, good), 200},
		{"typeform, well signed", typeform.Path, good, signTypeform(typeform.Secret, good), 200},
		{"native, well signed", native.Path, good, bearer(native.Secret), 200},
		{"quo, key of another source", quo.Path, good, signStandard(native.Secret, "m1", now, good), 401},
		{"quo, other body", quo.Path, append([]byte(" "), good...), signStandard(quo.Secret, "m1", now, good), 401},
		{"quo, other id", quo.Path, good, merge(signStandard(quo.Secret, "m1", now, good), "Webhook-Id", "m2"), 401},
		{"quo, no signature", quo.Path, good, nil, 401},
		{"quo, no id", quo.Path, good, noID, 401},
		{"quo, doubled signature", quo.Path, good, doubled, 401},
		{"quo, bearer", quo.Path, good, bearer(quo.Secret), 401},
		{"quo, 310 s old", quo.Path, good, signStandard(quo.Secret, "m1", now.Add(-310*time.Second), good), 401},
		{"quo, 310 s ahead", quo.Path, good, signStandard(quo.Secret, "m1", now.Add(310*time.Second), good), 401},
		{"quo, 290 s old", quo.Path, good, signStandard(quo.Secret, "m3", now.Add(-290*time.Second), good), 200},
		{"quo, 290 s ahead", quo.Path, good, signStandard(quo.Secret, "m4", now.Add(290*time.Second), good), 200},
		{"quo legacy, 310 s old", quo.Path, good, signOpenPhone(quo.Secret, now.Add(-310*time.Second), good), 401},
		{"quo, time of the far future", quo.Path, good, merge(signStandard(quo.Secret, "m1", now, good), "Webhook-Timestamp", strings.Repeat("9", 40)), 401},
		{"typeform, upper-case hex", typeform.Path, good, http.Header{"Typeform-Signature": {"sha256=" + strings.Repeat("AB", 32)}}, 401},
		{"native, wrong secret", native.Path, good, bearer("x"), 401},
		{"native, wrong secret and broken body", native.Path, []byte("{"), bearer("x"), 401},
		{"no such token", "/in/quo/nothing", good, nil, 404},
		{"token of another kind", strings.Replace(quo.Path, "/quo/", "/native/", 1), good, bearer(quo.Secret), 404},
		{"unknown kind", strings.Replace(quo.Path, "/quo/", "/fax/", 1), good, nil, 404},
		{"hostile path", "/in/quo/..%2f..%2fetc", good, nil, 404},
		{"1 MiB", native.Path, big, bearer(native.Secret), 200},
		{"1 MiB and a byte", native.Path, append([]byte(" "), big...), bearer(native.Secret), 413},
		{"1 MiB and a byte, unsigned", native.Path, append([]byte(" "), big...), nil, 413},
		{"gzip", native.Path, zipped.Bytes(), encoded, 415},
		{"a form", native.Path, good, typed(bearer(native.Secret), "application/x-www-form-urlencoded"), 415},
		{"xml", native.Path, good, typed(bearer(native.Secret), "text/xml"), 415},
		{"a nonsense type", native.Path, good, typed(bearer(native.Secret), ";;;"), 200},
		{"JSON in capitals", native.Path, good, typed(bearer(native.Secret), "Application/JSON"), 200},
		{"a charset", native.Path, good, typed(bearer(native.Secret), "application/json; charset=utf-16"), 200},
		{"a space in the type", native.Path, good, typed(bearer(native.Secret), "application/json ; charset=utf-8"), 200},
		{"empty body", native.Path, nil, bearer(native.Secret), 200},
		{"not UTF-8", native.Path, []byte("{\"type\":\"\xff\xfe\"}"), bearer(native.Secret), 200},
		{"NUL bytes", native.Path, make([]byte, 64), bearer(native.Secret), 200},
		{"truncated JSON", native.Path, good[:len(good)-7], bearer(native.Secret), 200},
		{"nesting of 65", native.Path, deep, bearer(native.Secret), 200},
		{"nesting of 100,000", native.Path, bytes.Repeat([]byte("["), 100_000), bearer(native.Secret), 200},
		{"doubled keys", native.Path, append([]byte(`{"type":"call",`), good[1:]...), bearer(native.Secret), 200},
		{"a number where a text belongs", native.Path, bytes.Replace(good, []byte(`"AC1"`), []byte("7e99999"), 1), bearer(native.Secret), 200},
		{"null", native.Path, []byte("null"), bearer(native.Secret), 200},
		{"empty batch", native.Path, []byte("[]"), bearer(native.Secret), 200},
		{"10,001 events", native.Path, []byte("[" + strings.Repeat("{},", 10_000) + "{}]"), bearer(native.Secret), 400},
		{"quo truncated", quo.Path, good[:20], signStandard(quo.Secret, "m5", now, good[:20]), 200},
		{"quo nesting of 65", quo.Path, deep, signStandard(quo.Secret, "m6", now, deep), 200},
		{"typeform nesting of 65", typeform.Path, deep, signTypeform(typeform.Secret, deep), 200},
		{"a source without a usable key", keyless.Path, good, signStandard(quo.Secret, "m7", now, good), 503},
	} {
		a, err := h.send(http.MethodPost, c.path, c.body, c.header)
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.what, err)
			continue
		case a.status != c.want:
			t.Errorf("%s: answered %d, want %d: %s", c.what, a.status, c.want, a.body)
		case a.status == 503 && a.header.Get("Retry-After") == "":
			t.Errorf("%s: 503 without Retry-After", c.what)
		case a.status >= 400 && a.header.Get("Content-Type") != "application/problem+json":
			t.Errorf("%s: an error as %q", c.what, a.header.Get("Content-Type"))
		}
	}
	if a, err := h.send(http.MethodGet, quo.Path, nil, nil); err != nil || a.status != 404 && a.status != 405 {
		t.Errorf("GET of an inbound address: %d, %v", a.status, err)
	}
	h.cutOff(native.Path, native.Secret)
	h.drain()
	c := h.counts()
	if c.Pending != 0 || c.Quarantined < 10 || c.Published == 0 || c.Duplicate == 0 {
		t.Errorf("states after bad input: %+v", c)
	}
}

func merge(h http.Header, key, value string) http.Header {
	h = h.Clone()
	h.Set(key, value)
	return h
}

// cutOff sends half of the body that it announced; the server must not take it for a delivery.
func (h *house) cutOff(path, secret string) {
	h.t.Helper()
	before := h.counts().In
	c, err := net.Dial("tcp", strings.TrimPrefix(h.base, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{}", path, secret)
	_ = c.(*net.TCPConn).CloseWrite()
	b := make([]byte, 64)
	n, _ := c.Read(b)
	_ = c.Close()
	if got := string(b[:n]); !strings.Contains(got, " 400 ") {
		h.t.Errorf("a body that ends early: %q", got)
	}
	if in := h.counts().In; in != before {
		h.t.Errorf("a body that ended early was taken in")
	}
}

// TestRotation: after a rotation the old secret and the new one are live, after a second the oldest is dead.
func TestRotation(t *testing.T) {
	t.Parallel()
	h := open(t, newData(t))
	for _, kind := range []string{"quo", "typeform", "native"} {
		c := h.connect(kind)
		secrets := []string{c.Secret}
		for range 2 {
			var r rpc.Connected
			h.do("connect-rotate", rpc.SourceArgs{Name: kind}, &r)
			secrets = append(secrets, r.Secret)
			for i, s := range secrets {
				want := 200
				if len(secrets)-i > 2 {
					want = 401
				}
				body := call(fmt.Sprint(kind, len(secrets), i), time.Now(), "+12025550101")
				header := bearer(s)
				switch kind {
				case "quo":
					header = signStandard(s, string(body[:60]), time.Now(), body)
				case "typeform":
					header = signTypeform(s, body)
				}
				h.post(c.Path, body, header, want)
			}
		}
		h.do("connect-remove", rpc.SourceArgs{Name: kind}, nil)
		h.post(c.Path, nil, nil, 404)
	}
}

// TestTimesOutOfReason: an event of 1970 or 2099 would be counted nowhere or for ever: it is kept aside.
func TestTimesOutOfReason(t *testing.T) {
	t.Parallel()
	h := open(t, newData(t))
	native, quo := h.connect("native"), h.connect("quo")
	n := int64(0)
	for _, at := range []time.Time{time.Unix(0, 0), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), time.Now().Add(72 * time.Hour), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)} {
		h.post(native.Path, call("AC"+at.String(), at, "+12025550101"), bearer(native.Secret), 200)
		body := line(`{"id":"EV%d","type":"call.completed","createdAt":%[2]q,"data":{"resource":{"id":"AC%[1]d","direction":"incoming","status":"answered","createdAt":%[2]q,"completedAt":%[2]q},"context":{"phoneNumberId":"PN1","participants":{"external":["+12025550101"]}}}}`,
			n, at.UTC().Format(time.RFC3339))
		h.post(quo.Path, body, signStandard(quo.Secret, fmt.Sprint("EV", n), time.Now(), body), 200)
		n += 2
	}
	h.post(native.Path, call("now", time.Now(), "+12025550101"), bearer(native.Secret), 200)
	h.drain()
	if c := h.counts(); c.Quarantined != n || c.Published != 1 {
		t.Errorf("%d events out of reason: %+v", n, c)
	}
}

// TestOperation: what an operator asks of a running server, through its socket and its pages.
func TestOperation(t *testing.T) {
	t.Parallel()
	data := newData(t)
	h := open(t, data)
	if h.get("/livez").status != 200 || h.get("/readyz").status != 200 {
		t.Error("a running server is neither live nor ready")
	}
	if err := server.Serve(t.Context(), server.ServeConfig{Data: data, Listen: "127.0.0.1:0", Out: newRecorder(), Err: newRecorder()}); err == nil || explain.Of(err).Exit != 4 {
		t.Errorf("a second server on the directory: %v", err)
	}
	quo := h.connect("quo")
	business, days := synth.Days(synth.Config{Seed: 5, Start: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}, 7)
	sent := int64(0)
	for _, d := range days {
		for _, w := range business.Quo(d) {
			h.post(quo.Path, w.Body, signStandard(quo.Secret, w.ID, time.Now(), w.Body), 200)
			sent++
		}
	}
	var file bytes.Buffer
	if err := business.CSVTexts(&file, days); err != nil {
		t.Fatal(err)
	}
	rows := int64(bytes.Count(file.Bytes(), []byte("\n")) - 1)
	if got := h.importFile("messages", &file); got.In != rows || got.Published != rows {
		t.Errorf("%d rows imported beside the server: %+v", rows, got.Counts)
	}
	if len(h.figures()) == 0 {
		t.Error("no figures")
	}
	c := h.counts()
	if c.In != sent+rows || c.Pending != 0 {
		t.Errorf("%d sent and %d imported: %+v", sent, rows, c)
	}
	if m := string(h.send2(http.MethodGet, "/metrics", h.token()).body); !strings.Contains(m, fmt.Sprintf("murmur_deliveries_accepted_total %d\n", c.In)) ||
		!strings.Contains(m, fmt.Sprintf("murmur_deliveries{state=\"published\"} %d\n", c.Published)) {
		t.Errorf("metrics and status differ:\n%s", m)
	}
	var known, unknown rpc.Erased
	h.do("erase", rpc.EraseArgs{Contact: days[0].Calls[0].Person.Phone}, &known)
	h.do("erase", rpc.EraseArgs{Contact: "+12025550199"}, &unknown)
	if known.State != "erased" || unknown.State != "erased" || len(known.Receipt) != len(unknown.Receipt) || known.Receipt == "" {
		t.Errorf("receipts of someone known and someone not: %+v, %+v", known, unknown)
	}
	h.erased()
	if h.counts().Erased == 0 {
		t.Error("nothing was erased")
	}
	h.restart(c, quo)
}

// restart stops the server within ten seconds, starts it again on the same directory, and finds everything there.
func (h *house) restart(before rpc.Counts, quo rpc.Connected) {
	t := h.t.(*testing.T)
	began := time.Now()
	if err := h.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if _, err := os.Stat(h.data); err != nil {
		t.Fatal(err)
	}
	again := open(t, h.data)
	if c := again.counts(); c.In != before.In {
		t.Errorf("%d deliveries before, %d after a restart", before.In, c.In)
	}
	body := call("after", time.Now(), "+12025550102")
	again.post(quo.Path, body, signStandard(quo.Secret, "after", time.Now(), body), 200)
	var s rpc.Status
	again.do("status", nil, &s)
	if s.Workspaces["default"].BySource["quo"].In == 0 {
		t.Errorf("sources after a restart: %v", s)
	}
	var log map[string]any
	for l := range bytes.SplitSeq(bytes.TrimSpace(h.log.Bytes()), []byte("\n")) {
		if bytes.HasPrefix(l, []byte("{")) && json.Unmarshal(l, &log) != nil {
			t.Errorf("a log line that is not JSON: %q", l)
		}
	}
}
