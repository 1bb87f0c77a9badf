package vcon

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

// vconOf is a vCon of syntax 0.4.0 between a customer and an agent, with further fields.
func vconOf(fields string) string {
	return `{"uuid":"018f0000-0000-8000-8000-00000000abcd","created_at":"2026-03-02T10:05:00Z",
		"parties":[{"tel":"+12125550101","name":"Rosa Delgado","role":"customer"},{"tel":"tel:+12125550100","mailto":"sam@example.com","name":"Sam","role":"agent"}]` + fields + `}`
}

const recorded = `{"type":"recording","start":"2026-03-02T10:00:00Z","duration":65.5,"parties":[0,1],"mediatype":"audio/x-wav","encoding":"base64url","body":"UklGRg"}`

func events(t *testing.T, body string) []event.Event {
	t.Helper()
	got, err := Source{}.Decode(source.Delivery{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestARecordingIsACallAndItsTranscriptATalk(t *testing.T) {
	t.Parallel()
	got := events(t, vconOf(`,"dialog":[`+recorded+`],"analysis":[{"type":"summary","dialog":0,"body":"It was about a heater."},
		{"type":"transcript","dialog":[0],"body":{"segments":[{"text":"Hello","start":1,"end":2.5,"speaker":1},{"text":"Hi","start":3,"end":4,"speaker":"Rosa Delgado"}]}},
		{"type":"transcript","dialog":0,"body":"another of the same"},{"type":"sentiment","dialog":0,"body":"happy"}]`))
	if len(got) != 3 {
		t.Fatalf("%d events", len(got))
	}
	call, summary, talk := got[0], got[1], got[2]
	k := call.Call
	if k == nil || call.ID != "018f0000-0000-8000-8000-00000000abcd" || k.Direction != fact.In || k.Result != fact.Answered || k.Number != "+12125550100" ||
		k.Completed.Sub(k.Answered) != 65500*time.Millisecond || k.Ring != event.RingUnknown || call.Party.Address.Reveal() != "+12125550101" || call.Member.Name.Reveal() != "Sam" {
		t.Error("the call is another")
	}
	if summary.Talk == nil || summary.Talk.Origin != fact.VendorSummary || talk.Talk == nil || talk.Talk.Origin != fact.VendorTranscript || talk.Talk.Call != call.ID || talk.ID == summary.ID {
		t.Fatal("the words are not of the call")
	}
	turns := talk.Talk.Turns
	if len(turns) != 2 || turns[0].Side != fact.SideMember || turns[1].Side != fact.SideContact || turns[0].End != 2.5 || turns[1].Words.Reveal() != "Hi" {
		t.Error("the turns are others")
	}
}

func TestShapesOfTranscripts(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"sentence":      `"Hello there"`,
		"messages":      `[{"speaker":"Agent","message":"Hello there"}]`,
		"parties":       `[{"parties":1,"start":"2026-03-02T10:00:01Z","duration":1,"text":"Hello there"}]`,
		"nested":        `{"transcript":{"text":"x","segments":[{"text":"Hello there","speaker":1}]}}`,
		"only words":    `{"transcript":"Hello there"}`,
		"deep":          `{"results":{"channels":[{"alternatives":[{"transcript":"Hello there","confidence":0.9}]}]}}`,
		"JSON in text":  `"[{\"speaker\":\"Agent\",\"message\":\"Hello there\"}]"`,
		"blank between": `[{"speaker":"Agent","message":""},{"speaker":"Agent","message":"Hello there"}]`,
	} {
		got := events(t, vconOf(`,"dialog":[`+recorded+`],"analysis":[{"type":"transcript","dialog":0,"body":`+body+`}]`))
		if len(got) != 2 || len(got[1].Talk.Turns) != 1 || got[1].Talk.Turns[0].Words.Reveal() != "Hello there" {
			t.Errorf("%s: %d events", name, len(got))
		}
	}
}

func TestTextsAreMessagesWithADirection(t *testing.T) {
	t.Parallel()
	text := func(by int, kind, more string) string {
		return fmt.Sprintf(`{"type":"text","start":"2026-03-02T10:00:00Z","parties":[%d,%d],%s%s}`, by, 1-by, kind, more)
	}
	sum := sha512.Sum512([]byte("Hi"))
	hash := base64.RawURLEncoding.EncodeToString(sum[:])
	mixed, _ := json.Marshal("--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nSGk=\r\n--c\r\nContent-Type: text/html\r\n\r\n<b>Hi</b>\r\n--c--\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--")
	for name, c := range map[string]struct {
		dialog, words string
		direction     fact.Direction
		media         int
	}{
		"old type":      {text(0, `"mimetype":"text/plain",`, `"body":"Hi"`), "Hi", fact.In, 0},
		"new type":      {text(1, `"mediatype":"text/plain; charset=utf-8",`, `"body":"Hi"`), "Hi", fact.Out, 0},
		"originator":    {text(0, `"originator":1,`, `"body":"Hi"`), "Hi", fact.Out, 0},
		"base64url":     {text(0, `"encoding":"base64url",`, `"body":"SGk","content_hash":"sha512-`+hash+`"`), "Hi", fact.In, 0},
		"hashes":        {text(0, `"encoding":"none",`, `"body":"Hi","content_hash":["sha512-`+hash+`","sha3-AAAA"]`), "Hi", fact.In, 0},
		"HTML":          {text(0, `"mediatype":"text/html",`, `"body":"<style>p{}</style><p>H&auml;llo<td>Rosa</td><td>Delgado</td>"`), "Hällo Rosa  Delgado", fact.In, 0},
		"mail":          {text(0, `"mediatype":"multipart/mixed; boundary=b",`, `"body":`+string(mixed)), "Hi", fact.In, 1},
		"JSON":          {text(0, `"mediatype":"application/json","encoding":"json",`, `"body":{"text":"Hi"}`), "Hi", fact.In, 0},
		"behind a link": {text(0, `"mediatype":"text/plain",`, `"url":"https://example.com/x","content_hash":"sha512-`+hash+`"`), "", fact.In, 1},
		"picture":       {text(0, `"mediatype":"image/png","encoding":"base64url",`, `"body":"SGk"`), "", fact.In, 1},
	} {
		got := events(t, vconOf(`,"dialog":[`+c.dialog+`]`))
		m := got[0].Message
		if len(got) != 1 || m == nil || m.Body.Reveal() != c.words || m.Direction != c.direction || m.Media != c.media || got[0].Party.Address.Reveal() != "+12125550101" {
			t.Errorf("%s: not so: %d characters, direction %d, media %d", name, len(m.Body.Reveal()), m.Direction, m.Media)
		}
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	for disposition, want := range map[string]event.Call{
		"no-answer": {Result: fact.Missed, Reason: fact.MembersDidNotAnswer}, "hung-up": {Result: fact.Missed, Reason: fact.Abandoned},
		"busy": {Result: fact.Missed}, "VOICEMAIL": {Result: fact.Missed, Voicemail: true},
	} {
		k := events(t, vconOf(`,"dialog":[{"type":"incomplete","start":"2026-03-02T10:00:00Z","parties":[0,1],"disposition":"`+disposition+`"}]`))[0].Call
		if k.Result != want.Result || k.Reason != want.Reason || k.Voicemail != want.Voicemail || !k.Answered.IsZero() {
			t.Errorf("%s: %d, %d", disposition, k.Result, k.Reason)
		}
	}
}

func TestLawfulBasis(t *testing.T) {
	t.Parallel()
	texts := `,"dialog":[{"type":"text","start":"2026-03-02T10:00:00Z","parties":[0],"body":"Hi"}]`
	basis := func(grants, more string) string {
		return `,"attachments":[{"type":"lawful_basis","encoding":"json","body":{"lawful_basis":"consent"` + more + `,"purpose_grants":[` + grants + `]}}]`
	}
	for name, c := range map[string]struct {
		attachments string
		act         fact.Act
		words       bool
	}{
		"granted":    {basis(`{"purpose":"transcription","granted":true}`, ""), fact.OptedIn, true},
		"refused":    {basis(`{"purpose":"transcription","granted":true},{"purpose":"analysis","granted":false}`, ""), fact.OptedOut, false},
		"shared":     {basis(`{"purpose":"sharing","granted":false}`, ""), fact.OptedOut, true},
		"ends":       {basis(`{"purpose":"analysis","granted":true}`, `,"expiration":"2027-01-01T00:00:00Z"`), 0, true},
		"other use":  {basis(`{"purpose":"training","granted":false}`, ""), 0, true},
		"other kind": {`,"attachments":[{"purpose":"receipt","body":"x"}]`, 0, true},
	} {
		got := events(t, vconOf(texts+c.attachments))
		last := got[len(got)-1].Message
		if (len(got) > 1) != (c.act != 0) || last == nil || last.Body.Empty() == c.words || c.act != 0 && (got[0].Consent == nil || got[0].Consent.Act != c.act) {
			t.Errorf("%s: %d events", name, len(got))
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for where, body := range map[string]string{
		"":                       `{"colour":"blue"}`,
		"critical[1]":            vconOf(`,"critical":["CC","seance"]`),
		"must_support[0]":        vconOf(`,"must_support":["seance"]`),
		"vcon":                   vconOf(`,"vcon":"1.0.0"`),
		"uuid":                   `{"uuid":"","parties":[]}`,
		"created_at":             `{"uuid":"u","created_at":"soon"}`,
		"parties":                `{"uuid":"u","parties":null}`,
		"parties[0].tel":         `{"uuid":"u","parties":[{"tel":{}}]}`,
		"dialog":                 vconOf(`,"dialog":{}`),
		"dialog[0].type":         vconOf(`,"dialog":[{"type":"seance","start":"2026-03-02T10:00:00Z"}]`),
		"dialog[0].start":        vconOf(`,"dialog":[{"type":"text"}]`),
		"dialog[1].duration":     vconOf(`,"dialog":[` + recorded + `,{"type":"recording","start":"2026-03-02T10:00:00Z","duration":-1}]`),
		"dialog[0].parties":      vconOf(`,"dialog":[{"type":"text","start":"2026-03-02T10:00:00Z","parties":[[0],[2]]}]`),
		"dialog[0].originator":   vconOf(`,"dialog":[{"type":"text","start":"2026-03-02T10:00:00Z","originator":2}]`),
		"dialog[0].encoding":     vconOf(`,"dialog":[{"type":"text","start":"2026-03-02T10:00:00Z","encoding":"rot13","body":"x"}]`),
		"dialog[0].body":         vconOf(`,"dialog":[{"type":"text","start":"2026-03-02T10:00:00Z","encoding":"base64url","body":"?"}]`),
		"dialog[0].content_hash": vconOf(`,"dialog":[{"type":"text","start":"2026-03-02T10:00:00Z","body":"x","content_hash":"sha512-AAAA"}]`),
		"analysis[0].dialog":     vconOf(`,"analysis":[{"type":"transcript","dialog":3,"body":"x"}]`),
		"attachments[0].dialog":  vconOf(`,"attachments":[{"type":"lawful_basis","dialog":3,"body":{}}]`),
		"signatures":             `{"payload":"e30","signatures":[]}`,
		"signatures.header":      `{"payload":"e30","signatures":[{"protected":"e30","header":{"alg":"none"},"signature":"AA"}]}`,
		"x5c":                    `{"payload":"e30","signatures":[{"protected":"e30","signature":"AA"}]}`,
		"payload":                `{"payload":"e31","signatures":[]}`,
		"attachments[0].body.purpose_grants[0].granted": vconOf(`,"attachments":[{"type":"lawful_basis","body":{"purpose_grants":[{"purpose":"analysis"}]}}]`),
	} {
		got, err := Source{}.Decode(source.Delivery{Body: []byte(body)})
		var r *Refusal
		if state, why := sourcetest.Verdict(err); len(got) > 0 || !errors.As(err, &r) || r.Where != where || state != fact.Quarantined || why == fact.WhyNone {
			t.Errorf("%s: %d events, %v", where, len(got), err)
		}
	}
}

// signed is a JWS with a certificate of its own; the chain stands where a writer puts it.
func signed(t *testing.T, payload string, protected bool) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	chain := []string{base64.StdEncoding.EncodeToString(der)}
	o := (&jose.SignerOptions{}).WithHeader("typ", "JWT")
	if protected {
		o = o.WithHeader("x5c", chain)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	compact, _ := made.CompactSerialize()
	parts := strings.Split(compact, ".")
	header := ""
	if !protected {
		c, _ := json.Marshal(chain)
		header = `,"header":{"x5c":` + string(c) + `}`
	}
	return fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q%s,"signature":%q}]}`, parts[1], parts[0], header, parts[2])
}

func TestSignedAndEncrypted(t *testing.T) {
	t.Parallel()
	plain := vconOf(`,"dialog":[` + recorded + `]`)
	want := events(t, plain)
	for _, protected := range []bool{true, false} {
		body := signed(t, plain, protected)
		if got := events(t, body); !sourcetest.Same(got, want) {
			t.Error("a signed vCon says something else")
		}
		for i := range body {
			mutated := []byte(body)
			mutated[i] ^= 1
			if _, err := Open(mutated, nil); err == nil {
				t.Fatalf("byte %d of %d may be changed (chain protected: %t)", i, len(body), protected)
			}
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	enc, err := jose.NewEncrypter(jose.A256CBC_HS512, jose.Recipient{Algorithm: jose.ECDH_ES_A256KW, Key: key.Public()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	box, err := enc.Encrypt([]byte(signed(t, plain, true)))
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(box.FullSerialize())
	if _, err := (Source{}).Decode(source.Delivery{Body: body}); !strings.Contains(err.Error(), "no key") {
		t.Error("encrypted without a key:", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Open(body, mine); err != nil || string(got) != plain {
		t.Error("with the key:", err)
	}
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if _, err := Open(body, &Key{other}); err == nil {
		t.Error("another key opens it")
	}
	if _, err := ParseKey([]byte("no key")); !errors.Is(err, ErrKey) {
		t.Error("no key:", err)
	}
	rows := 0
	err = NewFile(strings.NewReader(string(body)+"\n"+plain), mine).Rows(func(line int, got []byte, bad *source.Verdict) bool {
		if rows++; line != rows || bad != nil || strings.Contains(string(got), "UklGRg") || !sourcetest.Same(events(t, string(got)), want) {
			t.Errorf("row %d is another, or has its audio", line)
		}
		return true
	})
	if err != nil || rows != 2 {
		t.Error(rows, "rows", err)
	}
	if err := NewFile(strings.NewReader(string(body)), &Key{other}).Rows(nil); !errors.Is(err, ErrWrongKey) {
		t.Error("file with another key:", err)
	}
	if err := NewFile(strings.NewReader("a,b\n"), nil).Rows(nil); !errors.Is(err, ErrNotJSON) {
		t.Error("no JSON:", err)
	}
}

func TestNobodyHasARole(t *testing.T) {
	t.Parallel()
	got := events(t, `{"uuid":"u","parties":[{"tel":"+12125550100"},{"tel":"+12125550101"}],"dialog":[
		{"type":"text","start":"2026-03-02T10:00:00Z","parties":[1,0],"body":"Hi"},{"type":"text","start":"2026-03-02T10:01:00Z","parties":[0,1],"body":"Hello"},
		{"type":"recording","start":"2026-03-02T10:02:00Z","duration":5,"parties":[1,0]}]}`)
	if len(got) != 3 || got[0].Message.Direction != fact.In || got[1].Message.Direction != fact.Out || got[2].Call.Direction != 0 || got[0].Party.Address.Reveal() != "+12125550101" {
		t.Error("who began is not the contact, or a direction was made up")
	}
}

func FuzzDecode(f *testing.F) {
	sourcetest.FuzzDecode(f, Source{}, vconOf(`,"dialog":[`+recorded+`],"analysis":[{"type":"transcript","body":[{"speaker":"Agent","message":"Hello"}]}]`),
		vconOf(`,"dialog":[{"type":"text","start":"2026-03-02T10:00:00Z","parties":0,"mediatype":"multipart/mixed; boundary=b","body":"--b\r\n\r\nHi\r\n--b--"}]`),
		vconOf(`,"attachments":[{"type":"lawful_basis","body":{"lawful_basis":"consent","purpose_grants":[{"purpose":"analysis","granted":true}]}}]`),
		`{"payload":"e30","signatures":[{"protected":"e30","header":{"x5c":["AAAA"]},"signature":"AA"}]}`, `{"ciphertext":"AA","protected":"e30"}`)
}

func FuzzWords(f *testing.F) {
	f.Add("multipart/mixed; boundary=b", []byte("--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nH=69\r\n--b--"))
	f.Add("message/rfc822", []byte("Subject: x\r\nContent-Type: text/html\r\n\r\n<p>Hi"))
	f.Add("text/html", []byte("<script>x</script>a<br>b"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		text, others := words(kind, body)
		if others < 0 || others > maxParts || len(text) > 8*len(body)+16 {
			t.Fatal("more came out than went in")
		}
	})
}
