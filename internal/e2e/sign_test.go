package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// mac is HMAC-SHA256 in base64.
func mac(key []byte, parts ...string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(strings.Join(parts, "")))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// keyOf is the key behind a whsec_ secret.
func keyOf(secret string) []byte {
	s := strings.TrimRight(strings.TrimPrefix(secret, "whsec_"), "=")
	key, _ := base64.RawStdEncoding.DecodeString(s)
	return key
}

// signStandard signs as Quo's dated API does (Standard Webhooks).
func signStandard(secret, id string, at time.Time, body []byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp},
		"Webhook-Signature": {"v1," + mac(keyOf(secret), id, ".", stamp, ".", string(body))}}
}

// signOpenPhone signs as Quo did before.
func signOpenPhone(secret string, at time.Time, body []byte) http.Header {
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	return http.Header{"Openphone-Signature": {"hmac;1;" + stamp + ";" + mac(keyOf(secret), stamp, ".", string(body))}}
}

func signTypeform(secret string, body []byte) http.Header {
	return http.Header{"Typeform-Signature": {"sha256=" + mac([]byte(secret), string(body))}}
}

func bearer(secret string) http.Header { return http.Header{"Authorization": {"Bearer " + secret}} }
