package signature

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
	"murmur/internal/twiliotest"
)

// vectors are the signatures that vendors publish.
type vectors struct {
	Standard struct {
		Secret    string
		ID        string `json:"webhook-id"`
		Stamp     string `json:"webhook-timestamp"`
		Body      string
		Signature string `json:"webhook-signature"`
	} `json:"standard_webhooks"`
	Twilio struct {
		Token         string `json:"auth_token"`
		URL           string
		Params        map[string]string
		Signature     string `json:"X-Twilio-Signature"`
		HTTP          string `json:"http_variant_signature"`
		WrongSort     string `json:"wrong_sort_order_signature_must_fail"`
		JSON          string `json:"json_body"`
		JSONSuffix    string `json:"json_url_suffix"`
		JSONSignature string `json:"json_signature"`
		Form          string `json:"form_body"`
		FormSignature string `json:"form_body_signature"`
	}
}

func published(t *testing.T) (v vectors) {
	t.Helper()
	b, err := os.ReadFile(sourcetest.Shared(t, "signatures as vendors publish them", "sources", "signature_vectors.json"))
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const formType = "application/x-www-form-urlencoded"

// sent is a delivery with everything that its signature is about, in parts that can be changed byte by byte.
type sent struct {
	url, body, kind string
	header          map[string]string
	secrets         []string
	at              time.Time
}

func (s sent) headers() http.Header {
	h := http.Header{}
	for name, value := range s.header {
		h.Set(name, value)
	}
	if s.kind != "" {
		h.Set("Content-Type", s.kind)
	}
	return h
}

func twilioSent(url, body, kind, signature, token string) sent {
	return sent{url: url, body: body, kind: kind, header: map[string]string{"X-Twilio-Signature": signature}, secrets: []string{token}}
}

func (s sent) twilio() error { return Twilio(s.headers(), []string{s.url}, []byte(s.body), s.secrets) }

func TestTwiliosOwnVectors(t *testing.T) {
	t.Parallel()
	v := published(t).Twilio
	form := string(twiliotest.Form(v.Params))
	for name, c := range map[string]struct {
		sent sent
		want error
	}{
		"a form":           {twilioSent(v.URL, form, formType, v.Signature, v.Token), nil},
		"over http":        {twilioSent("http"+strings.TrimPrefix(v.URL, "https"), form, formType, v.HTTP, v.Token), nil},
		"sorted otherwise": {twilioSent(v.URL, form, formType, v.WrongSort, v.Token), source.ErrSignature},
		"JSON":             {twilioSent(v.URL+v.JSONSuffix, v.JSON, "application/json", v.JSONSignature, v.Token), nil},
		"another form":     {twilioSent(v.URL, v.Form, formType+"; charset=UTF-8", v.FormSignature, v.Token), nil},
		"JSON without sum": {twilioSent(v.URL, v.JSON, "application/json", v.JSONSignature, v.Token), source.ErrSignature},
		"another token":    {twilioSent(v.URL, form, formType, v.Signature, "12346"), source.ErrSignature},
		"no token":         {twilioSent(v.URL, form, formType, v.Signature, ""), source.ErrNoKey},
	} {
		if err := c.sent.twilio(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestNoChangedByteIsAccepted changes one byte of what was signed, wherever it stands, 100,000 times over all kinds.
// MURMUR_MUTATIONS sets another number.
func TestNoChangedByteIsAccepted(t *testing.T) {
	t.Parallel()
	total := 100_000
	if n, err := strconv.Atoi(os.Getenv("MURMUR_MUTATIONS")); err == nil {
		total = n
	}
	v := published(t)
	w := v.Twilio
	stamp, err := strconv.ParseInt(v.Standard.Stamp, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	const secret, text = "synthetic secret", `{"id":"1","score":"9","comment":"héllo"}`
	now := time.Unix(1_790_000_000, 0).UTC()
	z := now.Format(time.RFC3339)
	kinds := map[string]struct {
		sent   sent
		verify func(sent) error
	}{
		"standard-webhooks": {sent{body: v.Standard.Body, secrets: []string{v.Standard.Secret}, header: map[string]string{
			"Webhook-Id": v.Standard.ID, "Webhook-Timestamp": v.Standard.Stamp, "Webhook-Signature": v.Standard.Signature,
		}}, func(s sent) error {
			_, err := StandardWebhooks(s.headers(), []byte(s.body), s.secrets, time.Unix(stamp, 0))
			return err
		}},
		"hmac-hex": {sent{body: text, secrets: []string{secret}, header: map[string]string{"X-S": "sha256=" + hexOf(secret, text)}}, func(s sent) error {
			return Hex(s.headers(), "X-S", "sha256=", []byte(s.body), s.secrets)
		}},
		"hmac-b64": {sent{body: text, secrets: []string{secret}, header: map[string]string{"X-S": "sha256=" + mac([]byte(secret), "", []byte(text))}}, func(s sent) error {
			return Base64(s.headers(), "X-S", "sha256=", []byte(s.body), s.secrets)
		}},
		"zendesk": {sent{body: text, secrets: []string{secret}, header: map[string]string{
			"X-Zendesk-Webhook-Signature": mac([]byte(secret), z, []byte(text)), "X-Zendesk-Webhook-Signature-Timestamp": z,
		}}, func(s sent) error { return Zendesk(s.headers(), []byte(s.body), s.secrets, now) }},
		"url-form-sha1": {twilioSent(w.URL, string(twiliotest.Form(w.Params))+"&CallerCity=&Empty=", formType, "", w.Token), sent.twilio},
		"url-json-sha1": {twilioSent(w.URL+w.JSONSuffix, w.JSON, "", w.JSONSignature, w.Token), sent.twilio},
		"body-token":    {sent{header: map[string]string{"X-S": secret}, secrets: []string{secret}}, func(s sent) error { return Token(s.header["X-S"], s.secrets) }},
		"bearer":        {sent{header: map[string]string{"Authorization": "Bearer " + secret}, secrets: []string{secret}}, func(s sent) error { return Bearer(s.headers(), s.secrets) }},
	}
	form := kinds["url-form-sha1"]
	form.sent.header["X-Twilio-Signature"] = twilioSignature(t, form.sent)
	rng := rand.New(rand.NewPCG(11, 12))
	for name, k := range kinds {
		if err := k.verify(k.sent); err != nil {
			t.Fatalf("%s, unchanged: %v", name, err)
		}
		for range total / len(kinds) {
			changed, what := mutate(rng, k.sent)
			if k.verify(changed) == nil {
				t.Fatalf("%s: accepted with a changed byte in %s", name, what)
			}
		}
	}
}

// mutate changes one byte of the URL, the body, a header or the secret.
func mutate(rng *rand.Rand, s sent) (sent, string) {
	parts := []string{"secret"}
	for name := range s.header {
		parts = append(parts, name)
	}
	if s.body != "" {
		parts = append(parts, "body", "body", "body")
	}
	if s.url != "" {
		parts = append(parts, "url")
	}
	flip := func(text string) string {
		b := []byte(text)
		i := rng.IntN(len(b))
		b[i] ^= byte(1 + rng.IntN(255))
		return string(b)
	}
	what := parts[rng.IntN(len(parts))]
	switch what {
	case "secret":
		s.secrets = []string{flip(s.secrets[0])}
	case "body":
		s.body = flip(s.body)
	case "url":
		s.url = flip(s.url)
	default:
		header := map[string]string{}
		for name, value := range s.header {
			header[name] = value
		}
		header[what] = flip(header[what])
		s.header = header
	}
	return s, what
}

// TestEveryByteOfAFormCounts: of a form with empty values, escapes and spaces no byte can be any other.
func TestEveryByteOfAFormCounts(t *testing.T) {
	t.Parallel()
	s := twilioSent("https://shop.example.com/in/twilio/x", "Body=a+b%2Bc%3D&CallerCity=&From=%2B12125550123&Plus=a%2bb", formType, "", "token")
	if _, ok := Form([]byte(s.body)); ok {
		t.Error("an escape in small letters is read: two forms of one meaning")
	}
	s.body = strings.Replace(s.body, "%2b", "%2B", 1)
	s.header["X-Twilio-Signature"] = twilioSignature(t, s)
	for i := range len(s.body) {
		for c := range 256 {
			if byte(c) == s.body[i] {
				continue
			}
			m := s
			m.body = s.body[:i] + string([]byte{byte(c)}) + s.body[i+1:]
			if m.twilio() == nil {
				t.Fatalf("byte %d may be %d", i, c)
			}
		}
	}
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=b&c=", "a=%2B", "a", "a=b=c", "%", "a=%zz", "=", "a=b&&c=d"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		params, ok := Form(body)
		if !ok {
			return
		}
		again, _ := Form(body)
		if len(params) != len(again) || len(body) > 0 && len(params) != strings.Count(string(body), "&")+1 {
			t.Error("a form has other parameters than pairs")
		}
	})
}

func hexOf(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// twilioSignature signs a form as Twilio says it does.
func twilioSignature(t *testing.T, s sent) string {
	t.Helper()
	params, ok := Form([]byte(s.body))
	if !ok {
		t.Fatal("that is no form")
	}
	slices.SortFunc(params, func(a, b Param) int { return strings.Compare(a.Name, b.Name) })
	m := hmac.New(sha1.New, []byte(s.secrets[0]))
	m.Write([]byte(s.url))
	for _, p := range params {
		m.Write([]byte(p.Name + p.Value))
	}
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}
