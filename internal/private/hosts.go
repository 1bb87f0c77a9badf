package private

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"murmur/internal/outbound"
	"murmur/internal/workspace"
)

// ErrHost is returned for what is no HOST:PORT.
var ErrHost = errors.New("a host is HOST:PORT, such as api.example.com:443")

// ErrNotAllowed is returned for a host that a workspace's owner names and the operator does not allow.
var ErrNotAllowed = errors.New("only the operator may name another host for the API or the media")

// ParseHost reads HOST:PORT; a HOST alone is one of https.
func ParseHost(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), "443"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@?# ") {
		return "", ErrHost
	}
	return net.JoinHostPort(strings.ToLower(host), port), nil
}

// HostsOf lists the HOST:PORT that a source's API base and media hosts name. ErrAPIBase, ErrHost.
func HostsOf(c workspace.SourceConfig) (hosts []string, err error) {
	if c.APIBase != "" {
		u, err := url.Parse(c.APIBase)
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
			return nil, ErrAPIBase
		}
		hosts = append(hosts, strings.ToLower(outbound.HostPort(u)))
	}
	for _, m := range c.MediaHosts {
		h, err := ParseHost(m)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, h)
	}
	return hosts, nil
}

// AllowsHosts reports whether the operator allows every workspace all of these hosts. ErrNotAllowed.
func (z *Zone) AllowsHosts(hosts []string) error {
	for _, h := range hosts {
		if !slices.Contains(z.allow, h) {
			return ErrNotAllowed
		}
	}
	return nil
}
