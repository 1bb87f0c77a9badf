package vendor

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"murmur/internal/outbound"
	"murmur/internal/private/internal/source"
)

// What a recording may take: the time until it has come whole, and its size.
const (
	mediaTime  = 15 * time.Minute
	mediaBytes = 500 << 20
)

// Media fetches a recording from an address that the vendor gave: over https, from the API's own host, the hosts listed
// (a leading dot stands for every host below) and those that the operator named, each hop of a redirect too. The key goes to
// the API's own host alone. What it gives ends with TroubleLarge or TroubleDown where it is not whole. Every error is a
// Trouble, or that of ctx.
func (c *Client) Media(ctx context.Context, address string, hosts []string) (io.ReadCloser, error) {
	u, err := url.Parse(address)
	if err != nil || !c.keeps(u, hosts) {
		return nil, source.TroubleHost
	}
	ctx, cancel := context.WithTimeout(ctx, mediaTime)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel()
		return nil, source.TroubleRequest
	}
	c.authorize(req)
	client := http.Client{Transport: c.http.Transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > 3 || !c.keeps(r.URL, hosts) {
			return source.TroubleHost
		}
		c.authorize(r)
		return nil
	}}
	res, err := client.Do(req)
	if err != nil {
		err = interrupted(ctx, unreached(err))
		cancel()
		return nil, err
	}
	t := judge(res.StatusCode)
	if t == "" && res.ContentLength > mediaBytes {
		t = source.TroubleLarge
	}
	if t == "" && isHTML(res.Header.Get("Content-Type"), nil) {
		t = source.TroubleHTML
	}
	if t != "" {
		res.Body.Close()
		cancel()
		return nil, t
	}
	return &media{body: res.Body, left: mediaBytes, cancel: cancel}, nil
}

// keeps reports whether media may be fetched from an address.
func (c *Client) keeps(u *url.URL, hosts []string) bool {
	if u.Host == "" || u.User != nil {
		return false
	}
	at := outbound.HostPort(u)
	if outbound.Named(c.named, at) {
		return u.Scheme == "https" || u.Scheme == "http"
	}
	if u.Scheme != "https" || u.Port() != "" && u.Port() != "443" {
		return false
	}
	name := strings.ToLower(u.Hostname())
	for _, h := range hosts {
		if name == h || strings.HasPrefix(h, ".") && strings.HasSuffix(name, h) {
			return true
		}
	}
	return c.own(u)
}

// own reports whether an address is of the API's own host.
func (c *Client) own(u *url.URL) bool {
	return u.Scheme == c.base.Scheme && strings.EqualFold(outbound.HostPort(u), outbound.HostPort(c.base))
}

// authorize gives the key to the API's own host, and takes it from every other request.
func (c *Client) authorize(r *http.Request) {
	for name, value := range c.header {
		r.Header.Del(name)
		if c.own(r.URL) {
			r.Header.Set(name, value)
		}
	}
	r.Header.Del("Referer")
}

// media is a recording while it comes.
type media struct {
	body   io.ReadCloser
	left   int64
	cancel context.CancelFunc
}

func (m *media) Read(p []byte) (int, error) {
	n, err := m.body.Read(p)
	if m.left -= int64(n); m.left < 0 {
		return 0, source.TroubleLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = source.TroubleDown
	}
	return n, err
}

// Close ends it.
func (m *media) Close() error {
	defer m.cancel()
	return m.body.Close()
}
