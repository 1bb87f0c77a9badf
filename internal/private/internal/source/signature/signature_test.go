package signature

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

var (
	now    = time.Unix(1_790_000_000, 0)
	key    = []byte("twenty-four synthetic by")
	secret = "whsec_" + base64.StdEncoding.EncodeToString(key)
	other  = "whsec_" + base64.StdEncoding.EncodeToString([]byte("another synthetic key...."))
	body   = []byte(`{"id":"EV1","text":"héllo"}`)
)

// scheme is one way to sign, with the check that belongs to it.
type scheme struct {
	name   string
	sign   func(key []byte, at time.Time, body []byte) http.Header
	verify func(http.Header, []byte, []string, time.Time) error
	secret func(key []byte) string
	timed  bool
	signed bool // covers the body
}

func plain(key []byte) string { return string(key) }

func encoded(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }

var schemes = []scheme{
	{"standard-webhooks", func(key []byte, at time.Time, body []byte) http.Header {
		ts := strconv.FormatInt(at.Unix(), 10)
		h := http.Header{}
		h.Set("webhook-id", "msg_1")
		h.Set("webhook-timestamp", ts)
		h.Set("webhook-signature", "v1,"+mac(key, "msg_1."+ts+".", body))
		return h
	}, func(h http.Header, b []byte, s []string, n time.Time) error {
		_, err := StandardWebhooks(h, b, s, n)
		return err
	}, encoded, true, true},
	{"openphone", func(key []byte, at time.Time, body []byte) http.Header {
		ts := strconv.FormatInt(at.UnixMilli(), 10)
		h := http.Header{}
		h.Set("openphone-signature", "hmac;1;"+ts+";"+mac(key, ts+".", body))
		return h
	}, OpenPhone, func(key []byte) string { return base64.StdEncoding.EncodeToString(key) }, true, true},
	{"typeform", func(key []byte, _ time.Time, body []byte) http.Header {
		h := http.Header{}
		h.Set("Typeform-Signature", "sha256="+mac(key, "", body))
		return h
	}, func(h http.Header, b []byte, s []string, _ time.Time) error { return Typeform(h, b, s) }, plain, false, true},
	{"bearer", func(key []byte, _ time.Time, _ []byte) http.Header {
		h := http.Header{}
		h.Set("Authorization", "Bearer "+string(key))
		return h
	}, func(h http.Header, _ []byte, s []string, _ time.Time) error { return Bearer(h, s) }, plain, false, false},
}

func TestOnlyTheRightSignatureIsAccepted(t *testing.T) {
	t.Parallel()
	for _, s := range schemes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			mine, foreign := []string{s.secret(key)}, []string{s.secret([]byte("some other synthetic key"))}
			good := s.sign(key, now, body)
			check := func(what string, want error, h http.Header, b []byte, secrets []string, at time.Time) {
				t.Helper()
				if err := s.verify(h, b, secrets, at); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", what, err, want)
				}
			}
			check("as signed", nil, good, body, mine, now)
			check("second live secret", nil, good, body, append(foreign, mine...), now)
			check("third secret", source.ErrSignature, good, body, []string{foreign[0], foreign[0], mine[0]}, now)
			check("wrong key", source.ErrSignature, good, body, foreign, now)
			check("no key", source.ErrNoKey, good, body, nil, now)
			check("empty key", source.ErrNoKey, s.sign(nil, now, body), body, []string{""}, now)
			check("no header", source.ErrSignature, http.Header{}, body, mine, now)
			for name := range good {
				doubled, missing := good.Clone(), good.Clone()
				doubled.Add(name, good.Get(name))
				missing.Del(name)
				check("doubled "+name, source.ErrSignature, doubled, body, mine, now)
				check("missing "+name, source.ErrSignature, missing, body, mine, now)
			}
			if s.signed {
				var v any
				_ = json.Unmarshal(body, &v)
				again, _ := json.MarshalIndent(v, "", " ")
				check("re-encoded body", source.ErrSignature, good, again, mine, now)
			}
			if s.timed {
				check("300 s old", nil, good, body, mine, now.Add(300*time.Second))
				check("300 s ahead", nil, good, body, mine, now.Add(-300*time.Second))
				check("301 s old", source.ErrSignature, good, body, mine, now.Add(301*time.Second))
				check("301 s ahead", source.ErrSignature, good, body, mine, now.Add(-301*time.Second))
			}
		})
	}
}

func TestStandardWebhooksTakesAnyOfSeveralSignatures(t *testing.T) {
	t.Parallel()
	h := schemes[0].sign(key, now, body)
	right := h.Get("webhook-signature")
	for sent, want := range map[string]error{
		"v1,AAAA " + right:                                 nil,
		right + " v1a,ZZZZ":                                nil,
		strings.Replace(right, "v1,", "v2,", 1):            source.ErrSignature,
		strings.TrimPrefix(right, "v1,"):                   source.ErrSignature,
		strings.ReplaceAll(right, "v1,", "v1, "):           source.ErrSignature,
		strings.Repeat("v1,AAAA ", 8) + right:              source.ErrSignature,
		strings.Replace(right, "=", "", 1):                 source.ErrSignature,
		right[:len(right)-4] + "\n" + right[len(right)-4:]: source.ErrSignature,
	} {
		h.Set("webhook-signature", sent)
		if _, err := StandardWebhooks(h, body, []string{other, secret}, now); !errors.Is(err, want) {
			t.Errorf("signatures of %d bytes: %v, want %v", len(sent), err, want)
		}
	}
}

func TestAnEmptyBase64KeyIsNoKey(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"whsec_", "whsec_====", "whsec_not base64!"} {
		h := schemes[0].sign(nil, now, body)
		if _, err := StandardWebhooks(h, body, []string{s}, now); !errors.Is(err, source.ErrNoKey) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// A hundred thousand deliveries with one byte changed in the body or a header: none is accepted.
func TestNoMutationIsAccepted(t *testing.T) {
	t.Parallel()
	rounds := 100_000
	if n, err := strconv.Atoi(os.Getenv("MURMUR_TEST_ROUNDS")); err == nil {
		rounds = n
	}
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for i := range rounds {
		s := schemes[i%3] // a bearer token does not sign the body
		h, b := s.sign(key, now, body), append([]byte(nil), body...)
		flip := byte(1 + random.IntN(255))
		names := make([]string, 0, 3)
		for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Openphone-Signature", "Typeform-Signature"} {
			if h.Get(name) != "" {
				names = append(names, name)
			}
		}
		if pick := random.IntN(len(names) + 1); pick == len(names) {
			b[random.IntN(len(b))] ^= flip
		} else {
			v := []byte(h.Get(names[pick]))
			v[random.IntN(len(v))] ^= flip
			h.Set(names[pick], string(v))
		}
		if s.verify(h, b, []string{s.secret(key)}, now) == nil {
			accepted++
		}
	}
	if accepted != 0 {
		t.Errorf("%d of %d mutations accepted", accepted, rounds)
	}
}

// TestVectors checks the published standard-webhooks vector.
func TestVectors(t *testing.T) {
	t.Parallel()
	b := sourcetest.Read(t, "the published signature vectors", "sources", "signature_vectors.json")
	var vectors struct {
		Standard map[string]string `json:"standard_webhooks"`
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	v := vectors.Standard
	h := http.Header{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		h.Set(name, v[name])
	}
	id, err := StandardWebhooks(h, []byte(v["body"]), []string{v["secret"]}, time.Unix(1614265330, 0))
	if err != nil || id != v["webhook-id"] {
		t.Errorf("vector: %v", err)
	}
	if _, err := StandardWebhooks(h, []byte(v["body"]), []string{v["secret"]}, now); err == nil {
		t.Error("the vector is accepted years later")
	}
}
