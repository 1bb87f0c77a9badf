// Package vendor asks the APIs of vendors.
//
// Zone: RED: answers hold calls and texts of people. A Client belongs to one key of one vendor and is shared by all
// who use that key. It promises: never more requests a second than the vendor allows, fewer after a 429 and slowly
// more again; a 429, a 5xx, a broken connection and JSON that ends early are tried again, with jitter; an answer
// beyond the limit is never held in memory; nothing is asked of a private or loopback address that the operator did not
// name, nor ever of a link-local one, whatever a name resolves to; no proxy; a redirect to another host is refused, and so the key goes to its own host
// alone. Errors are of a closed set (source.Trouble) and hold neither key nor answer.
//
// What it does not protect against: a vendor that gives false answers, and a base that the operator named wrongly.
package vendor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"murmur/internal/outbound"
	"murmur/internal/private/internal/source"
)

// Config makes a Client.
type Config struct {
	Base   string            // such as https://api.example.com
	Named  []string          // HOST:PORT that the operator named: they may be private or loopback
	Header map[string]string // goes with every request
	// Rate is how many requests a second the vendor allows; the client stays 5 % below. 0: no limit.
	Rate float64
	// MaxBody is the largest answer in bytes; 0: 8 MiB.
	MaxBody int64
	// Tries is how often a request is made before it is given up; 0: 6.
	Tries int
	// Transport carries requests; nil: the guarded one.
	Transport http.RoundTripper
	// Jitter gives 0 <= x < 1; nil: math/rand.
	Jitter func() float64
}

// Client asks one vendor with one key. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	header  map[string]string
	http    http.Client
	limiter *rate.Limiter
	limit   rate.Limit
	maxBody int64
	tries   int
	jitter  func() float64
	named   []string
}

// ErrBase is returned for a base that is not an http or https address of a host.
var ErrBase = errors.New("vendor: the base must be an https://HOST address")

// New makes a client.
func New(c Config) (*Client, error) {
	base, err := url.Parse(c.Base)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.User != nil {
		return nil, ErrBase
	}
	if base.Scheme == "http" && !outbound.Named(c.Named, outbound.HostPort(base)) {
		return nil, ErrBase // a key in the clear goes only where the owner says so
	}
	if c.MaxBody == 0 {
		c.MaxBody = 8 << 20
	}
	if c.Tries == 0 {
		c.Tries = 6
	}
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	if c.Transport == nil {
		c.Transport = outbound.Transport(c.Named)
	}
	limit := rate.Inf
	if c.Rate > 0 {
		limit = rate.Limit(0.95 * c.Rate)
	}
	return &Client{
		base: base, header: c.Header, limit: limit, limiter: rate.NewLimiter(limit, 1), maxBody: c.MaxBody, tries: c.Tries, jitter: c.Jitter, named: c.Named,
		http: http.Client{Transport: c.Transport, Timeout: 60 * time.Second, CheckRedirect: sameHost},
	}, nil
}

// sameHost lets a vendor redirect within its own host.
func sameHost(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if r.URL.Host != first.Host || r.URL.Scheme != first.Scheme || len(via) > 3 {
		return source.TroubleRedirect
	}
	return nil
}

// Ask implements source.API. A request with a body is made again only after a 429: the vendor may have carried it out.
func (c *Client) Ask(ctx context.Context, r source.Request) ([]byte, error) {
	for try := 1; ; try++ {
		if err := c.limiter.Wait(ctx); err != nil { // at once when the time of ctx would not suffice
			return nil, interrupted(ctx, context.DeadlineExceeded)
		}
		body, wait, err := c.once(ctx, r)
		if err == nil {
			c.limiter.SetLimit(min(c.limit, c.limiter.Limit()+c.limit/10))
			return body, nil
		}
		busy := errors.Is(err, source.TroubleBusy)
		if busy {
			c.limiter.SetLimit(max(c.limit/20, c.limiter.Limit()*3/4))
		}
		again := busy || len(r.Body)+len(r.Form) == 0 && (errors.Is(err, source.TroubleDown) || errors.Is(err, source.TroubleCut))
		if !again || try == c.tries || ctx.Err() != nil {
			return nil, interrupted(ctx, err)
		}
		if wait == 0 {
			wait = c.backoff(try)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// backoff doubles from a fifth of a second to ten seconds, half of it by chance.
func (c *Client) backoff(try int) time.Duration {
	d := min(200*time.Millisecond<<(try-1), 10*time.Second)
	return d/2 + time.Duration(c.jitter()*float64(d/2))
}

// interrupted prefers the reason for which ctx ended.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// once makes one request. wait is how long the vendor asks to wait.
func (c *Client) once(ctx context.Context, r source.Request) (body []byte, wait time.Duration, err error) {
	u := *c.base.JoinPath(r.Path)
	u.RawQuery = r.Query.Encode()
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	send, kind := r.Body, "application/json"
	if len(r.Form) > 0 {
		send, kind = []byte(r.Form.Encode()), "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(send))
	if err != nil {
		return nil, 0, source.TroubleRequest
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Accept", "application/json")
	if len(send) > 0 {
		req.Header.Set("Content-Type", kind)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, 0, unreached(err)
	}
	defer res.Body.Close()
	if t := judge(res.StatusCode); t != "" {
		return nil, retryAfter(res.Header.Get("Retry-After"), time.Now()), t
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, c.maxBody+1))
	switch {
	case int64(len(body)) > c.maxBody:
		return nil, 0, source.TroubleLarge
	case err != nil:
		return nil, 0, source.TroubleCut
	case isHTML(res.Header.Get("Content-Type"), body):
		return nil, 0, source.TroubleHTML
	case len(bytes.TrimSpace(body)) > 0 && !json.Valid(body):
		return nil, 0, source.TroubleCut
	}
	return body, 0, nil
}

// judge reads a status; "" for success.
func judge(status int) source.Trouble {
	switch {
	case status >= 200 && status < 300:
		return ""
	case status == http.StatusUnauthorized:
		return source.TroubleKey
	case status == http.StatusForbidden, status == http.StatusPaymentRequired:
		return source.TroubleForbidden
	case status == http.StatusNotFound, status == http.StatusGone:
		return source.TroubleMissing
	case status == http.StatusTooManyRequests:
		return source.TroubleBusy
	case status >= 500, status == http.StatusRequestTimeout:
		return source.TroubleDown
	case status >= 300 && status < 400:
		return source.TroubleRedirect
	}
	return source.TroubleRequest
}

// unreached tells the refusals of this client from a vendor that cannot be reached.
func unreached(err error) error {
	var t source.Trouble
	switch {
	case errors.As(err, &t):
		return t
	case outbound.Refused(err):
		return source.TroubleHost
	}
	return source.TroubleDown
}

// retryAfter reads the header (RFC 9110 10.2.3), seconds or a date, at most two minutes; 0: none.
func retryAfter(s string, now time.Time) time.Duration {
	const most = 2 * time.Minute
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
		return time.Duration(min(max(0, n), int(most/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(0, at.Sub(now)), most)
	}
	return 0
}

// isHTML recognises a page for people: a log-in, an error of a proxy.
func isHTML(contentType string, body []byte) bool {
	return strings.HasPrefix(strings.ToLower(contentType), "text/html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// String never shows the key.
func (c *Client) String() string { return fmt.Sprintf("client of %s", c.base.Host) }

var _ source.API = (*Client)(nil)
