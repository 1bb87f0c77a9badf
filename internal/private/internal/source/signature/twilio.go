package signature

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the scheme's own; HMAC-SHA1 is not broken by collisions of SHA-1
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"murmur/internal/private/internal/source"
)

// Twilio checks X-Twilio-Signature (https://www.twilio.com/docs/usage/security): base64 HMAC-SHA1 over the URL that Twilio
// called and, for a form, its parameters by name, each name with its value. A body that is no form is signed by the URL's
// own parameter bodySHA256. urls are the addresses that may have been called; one must fit.
//
// The scheme does not sign where a name ends and its value begins; Form therefore reads a form in one way only.
func Twilio(h http.Header, urls []string, body []byte, secrets []string) error {
	keys := live(secrets)
	if len(keys) == 0 {
		return source.ErrNoKey
	}
	sent := one(h, "X-Twilio-Signature")
	ok := 0
	for _, u := range urls {
		text, signed := twilioText(h, u, body)
		if !signed {
			continue
		}
		for _, key := range keys {
			m := hmac.New(sha1.New, []byte(key))
			m.Write([]byte(text))
			ok |= same(sent, base64.StdEncoding.EncodeToString(m.Sum(nil)))
		}
	}
	return verdict(ok)
}

// twilioText is what a request's signature covers.
func twilioText(h http.Header, called string, body []byte) (string, bool) {
	u, err := url.Parse(called)
	if err != nil {
		return "", false
	}
	if q, err := url.ParseQuery(u.RawQuery); err == nil && len(q["bodySHA256"]) == 1 {
		sum := sha256.Sum256(body)
		return called, same(q.Get("bodySHA256"), hex.EncodeToString(sum[:])) == 1
	}
	kind, _, _ := strings.Cut(one(h, "Content-Type"), ";")
	if strings.ToLower(strings.TrimSpace(kind)) != "application/x-www-form-urlencoded" {
		return "", false
	}
	form, ok := Form(body)
	if !ok {
		return "", false
	}
	slices.SortFunc(form, func(a, b Param) int { return strings.Compare(a.Name+"\x00"+a.Value, b.Name+"\x00"+b.Value) })
	var text strings.Builder
	text.WriteString(called)
	for _, p := range slices.Compact(form) {
		text.WriteString(p.Name)
		text.WriteString(p.Value)
	}
	return text.String(), true
}

// Param is one parameter of a form.
type Param struct{ Name, Value string }

// Form reads application/x-www-form-urlencoded in the one way that encoders write it: NAME=VALUE pairs without empty ones
// between them, escapes in capitals, no byte that needs escaping. Two bodies that Form accepts and that differ in one byte
// have different parameters.
func Form(body []byte) ([]Param, bool) {
	if len(body) == 0 {
		return nil, true
	}
	var out []Param
	for pair := range strings.SplitSeq(string(body), "&") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || strings.Contains(value, "=") || !escaped(pair) {
			return nil, false
		}
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil || name == "" {
			return nil, false
		}
		out = append(out, Param{name, value})
	}
	return out, true
}

// escaped reports whether a pair has only bytes that stand for themselves, and escapes in capitals.
func escaped(pair string) bool {
	for i := 0; i < len(pair); i++ {
		switch c := pair[i]; {
		case c <= ' ' || c >= 0x7f:
			return false
		case c == '%' && (i+2 >= len(pair) || !hexDigit(pair[i+1]) || !hexDigit(pair[i+2])):
			return false
		}
	}
	return true
}

func hexDigit(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }
