// Package outbound holds the rules for every request that leaves the machine: it connects to public hosts, and to private
// ones only where the operator named them.
//
// Zone: open. It promises: no connection to a private, loopback or other special address, nor to a port other than 443,
// except to a HOST:PORT that the operator named; no connection to a link-local address (the metadata service of a cloud)
// even then. It checks the address after the name was resolved, for the very address that it connects to. It uses no proxy.
//
// What it does not protect against: a host that the operator named wrongly; a public host that passes requests on.
package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// Transport sends requests under these rules; named are HOST:PORT that the operator named.
func Transport(named []string) *http.Transport {
	guard := ssrf.New(ssrf.WithPorts(443))
	careful := &net.Dialer{Timeout: 10 * time.Second, Control: guard.Safe}
	plain := &net.Dialer{Timeout: 10 * time.Second, Control: notLinkLocal}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if Named(named, address) {
				return plain.DialContext(ctx, network, address)
			}
			return careful.DialContext(ctx, network, address)
		},
		ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
		IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 4, MaxResponseHeaderBytes: 64 << 10,
	}
}

// Refused reports whether an error of a request came from these rules.
func Refused(err error) bool {
	return errors.Is(err, ssrf.ErrProhibitedIP) || errors.Is(err, ssrf.ErrProhibitedPort) || errors.Is(err, ssrf.ErrProhibitedNetwork) || errors.Is(err, ssrf.ErrInvalidHostPort)
}

// notLinkLocal refuses link-local addresses, for named hosts too: no legitimate receiver has one.
func notLinkLocal(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	ip := a.Addr().Unmap()
	if err != nil || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return ssrf.ErrProhibitedIP
	}
	return nil
}

// Named reports whether HOST:PORT is on the list.
func Named(hosts []string, address string) bool {
	return slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, address) })
}

// HostPort is HOST:PORT of an address, with the port of its scheme where it names none.
func HostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
