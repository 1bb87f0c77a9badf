// Package twiliotest lends the fake of Twilio to tests outside the private zone.
//
// Zone: RED, tests: its people are invented.
package twiliotest

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what Twilio signs with
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"murmur/internal/private/internal/source/sourcetest"
)

// Fake is Twilio's REST API.
type Fake = sourcetest.Twilio

// Harm is what becomes of one request.
type Harm = sourcetest.Harm

// The harms, and the key that opens the fake.
const (
	Unharmed = sourcetest.Unharmed
	Fails    = sourcetest.Fails
	Lost     = sourcetest.Lost
	Key      = sourcetest.TwilioKey
)

// New makes a fake without calls.
func New() *Fake { return sourcetest.NewTwilio(time.Time{}, 0) }

// Request is a webhook as Twilio sends it to a URL, signed.
func Request(to string, fields map[string]string) *http.Request {
	text := to
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		text += name + fields[name]
	}
	m := hmac.New(sha1.New, []byte(sourcetest.TwilioToken))
	m.Write([]byte(text))
	r := httptest.NewRequest(http.MethodPost, to, strings.NewReader(string(sourcetest.TwilioForm(fields))))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))
	return r
}
