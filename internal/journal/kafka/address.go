package kafka

import (
	"errors"
	"net"
	"regexp"
	"strconv"
	"strings"
)

// The schemes of addresses.
const (
	plainScheme = "kafka://"
	tlsScheme   = "kafka+tls://"
)

// ErrAddress is returned for an invalid address.
var ErrAddress = errors.New("a queue is kafka://HOST:PORT,HOST:PORT/PREFIX or kafka+tls://USER@HOST:PORT/PREFIX; user, prefix and all servers but the first may be left out")

// hosts are names, and addresses of both versions of IP.
var hosts = regexp.MustCompile(`^[A-Za-z0-9._:%-]+$`)

// Address reads kafka://HOST:PORT[,HOST:PORT..][/PREFIX] or kafka+tls://[USER@]HOST:PORT[,HOST:PORT..][/PREFIX]. A user is
// not shown to servers without TLS.
func Address(s string) (c Config, err error) {
	rest, plain := strings.CutPrefix(s, plainScheme)
	if !plain {
		if rest, c.TLS = strings.CutPrefix(s, tlsScheme); !c.TLS {
			return Config{}, ErrAddress
		}
	}
	servers, prefix, named := strings.Cut(rest, "/")
	if c.Prefix = prefix; named && !prefixes.MatchString(prefix) {
		return Config{}, ErrAddress
	}
	if user, after, ok := strings.Cut(servers, "@"); ok {
		if c.User, servers = user, after; !c.TLS || user == "" || strings.Contains(user, ":") {
			return Config{}, ErrAddress
		}
	}
	c.Servers = strings.Split(servers, ",")
	for _, server := range c.Servers {
		host, port, err := net.SplitHostPort(server)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || !hosts.MatchString(host) {
			return Config{}, ErrAddress
		}
	}
	return c, nil
}

// String is the address of a configuration, without its password.
func (c Config) String() string {
	scheme := plainScheme
	if c.TLS {
		scheme = tlsScheme
	}
	if c.User != "" {
		scheme += c.User + "@"
	}
	return scheme + strings.Join(c.Servers, ",") + "/" + c.Prefix
}
