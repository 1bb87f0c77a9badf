// Package signature checks that a body was sent by someone who holds a secret.
//
// Zone: RED, before anything is kept. Each function is one scheme. All of them: compare in constant time
// and compare the *encoded* form, so that base64 with other trailing bits, line breaks or letter case is
// not the same signature; require each header exactly once; accept any of at most two live secrets (one
// more than two is never tried); return source.ErrNoKey when no usable secret is configured and
// source.ErrSignature for everything else.
//
// What they do not protect against: a replay inside the window (deliveries are deduplicated by id), and
// schemes that sign no time (Typeform, Delighted, Twilio) or no body (a bearer token, a token in the body), where replays are
// only deduplicated: facts are keyed by the vendor's ids, so that a replay changes no figure however late it comes.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"murmur/internal/private/internal/source"
)

// Window is how far a signed time may be from now, either way.
const Window = 300 * time.Second

const maxSecrets, maxSignatures = 2, 8

// StandardWebhooks checks webhook-id, webhook-timestamp and webhook-signature (standardwebhooks.com):
// HMAC-SHA256 over "id.timestamp.body", the key base64 behind "whsec_", any of the space-separated v1
// signatures. It returns the id.
func StandardWebhooks(h http.Header, body []byte, secrets []string, now time.Time) (string, error) {
	keys := base64Keys(secrets)
	if len(keys) == 0 {
		return "", source.ErrNoKey
	}
	id, stamp, sent := one(h, "Webhook-Id"), one(h, "Webhook-Timestamp"), one(h, "Webhook-Signature")
	if id == "" || sent == "" || !fresh(stamp, time.Second, now) {
		return "", source.ErrSignature
	}
	signatures := strings.Split(sent, " ")
	if len(signatures) > maxSignatures {
		return "", source.ErrSignature
	}
	ok := 0
	for _, key := range keys {
		want := "v1," + mac(key, id+"."+stamp+".", body)
		for _, s := range signatures {
			ok |= same(s, want)
		}
	}
	return id, verdict(ok)
}

// OpenPhone checks the legacy header `openphone-signature: hmac;1;TIMESTAMP;BASE64`: HMAC-SHA256 over
// "timestamp.body", the key base64, the time in milliseconds.
func OpenPhone(h http.Header, body []byte, secrets []string, now time.Time) error {
	keys := base64Keys(secrets)
	if len(keys) == 0 {
		return source.ErrNoKey
	}
	part := strings.Split(one(h, "Openphone-Signature"), ";")
	if len(part) != 4 || part[0] != "hmac" || part[1] != "1" || !fresh(part[2], time.Millisecond, now) {
		return source.ErrSignature
	}
	ok := 0
	for _, key := range keys {
		ok |= same(part[3], mac(key, part[2]+".", body))
	}
	return verdict(ok)
}

// Typeform checks `Typeform-Signature: sha256=BASE64`: HMAC-SHA256 over the body, the secret as it is.
func Typeform(h http.Header, body []byte, secrets []string) error {
	return Base64(h, "Typeform-Signature", "sha256=", body, secrets)
}

// Base64 checks `HEADER: PREFIX BASE64` (without the space): HMAC-SHA256 over the body, the secret as it is.
func Base64(h http.Header, header, prefix string, body []byte, secrets []string) error {
	return bare(one(h, header), secrets, func(key string) string { return prefix + mac([]byte(key), "", body) })
}

// Hex is Base64 with lower-case hexadecimal digits instead.
func Hex(h http.Header, header, prefix string, body []byte, secrets []string) error {
	return bare(one(h, header), secrets, func(key string) string {
		m := hmac.New(sha256.New, []byte(key))
		m.Write(body)
		return prefix + hex.EncodeToString(m.Sum(nil))
	})
}

// Zendesk checks X-Zendesk-Webhook-Signature: base64 HMAC-SHA256 over the time in
// X-Zendesk-Webhook-Signature-Timestamp (RFC 3339) and the body, the secret as it is.
func Zendesk(h http.Header, body []byte, secrets []string, now time.Time) error {
	stamp := one(h, "X-Zendesk-Webhook-Signature-Timestamp")
	at, err := time.Parse(time.RFC3339, stamp)
	age := now.Sub(at)
	if fresh := err == nil && -Window <= age && age <= Window; !fresh && len(live(secrets)) > 0 {
		return source.ErrSignature
	}
	return bare(one(h, "X-Zendesk-Webhook-Signature"), secrets, func(key string) string { return mac([]byte(key), stamp, body) })
}

// Token checks a token in the body itself or in a header. It signs nothing: anybody who has seen one body can forge
// others.
func Token(sent string, secrets []string) error {
	return bare(sent, secrets, func(key string) string { return key })
}

// Bearer checks `Authorization: Bearer SECRET`. The scheme is spelled exactly so.
func Bearer(h http.Header, secrets []string) error {
	return bare(one(h, "Authorization"), secrets, func(key string) string { return "Bearer " + key })
}

// BearerOrStandardWebhooks checks the Authorization header where there is one, and the headers of Standard Webhooks
// where there is none. The id is theirs; with a bearer token it is empty.
func BearerOrStandardWebhooks(h http.Header, body []byte, secrets []string, now time.Time) (id string, err error) {
	if len(h.Values("Authorization")) > 0 {
		return "", Bearer(h, secrets)
	}
	return StandardWebhooks(h, body, secrets, now)
}

// bare compares what was sent with what each secret, taken as it is, would have sent.
func bare(sent string, secrets []string, want func(key string) string) error {
	keys := live(secrets)
	if len(keys) == 0 {
		return source.ErrNoKey
	}
	ok := 0
	for _, key := range keys {
		ok |= same(sent, want(key))
	}
	return verdict(ok)
}

// one is the value of a header that is there exactly once, else empty.
func one(h http.Header, name string) string {
	if v := h.Values(name); len(v) == 1 {
		return v[0]
	}
	return ""
}

// fresh reports whether a decimal time in the given unit is within the window.
func fresh(stamp string, unit time.Duration, now time.Time) bool {
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || n < 0 || n > 1<<62/int64(unit) {
		return false
	}
	age := now.Sub(time.Unix(0, n*int64(unit)))
	return -Window <= age && age <= Window
}

// live is the secrets that may be tried.
func live(secrets []string) []string {
	var some []string
	for _, s := range secrets {
		if s != "" && len(some) < maxSecrets {
			some = append(some, s)
		}
	}
	return some
}

// base64Keys decodes the live secrets. A secret that is not base64, or empty, is not a key: an empty
// HMAC key would let anyone sign.
func base64Keys(secrets []string) [][]byte {
	var keys [][]byte
	for _, s := range live(secrets) {
		s = strings.TrimRight(strings.TrimPrefix(s, "whsec_"), "=")
		if key, err := base64.RawStdEncoding.DecodeString(s); err == nil && len(key) > 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

func mac(key []byte, before string, body []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(before))
	m.Write(body)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func same(a, b string) int { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) }

func verdict(ok int) error {
	if ok != 1 {
		return source.ErrSignature
	}
	return nil
}
