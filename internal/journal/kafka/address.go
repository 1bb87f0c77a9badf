package kafka

import (
	"errors"
	"net"
	"strings"
)

// Scheme begins an address.
const Scheme = "kafka://"

// ErrAddress is returned for an address that is none.
var ErrAddress = errors.New("a queue is kafka://HOST:PORT,HOST:PORT/PREFIX; servers after the first and the prefix may be left out")

// Address reads kafka://HOST:PORT[,HOST:PORT..][/PREFIX].
func Address(s string) (c Config, err error) {
	rest, ok := strings.CutPrefix(s, Scheme)
	if !ok {
		return c, ErrAddress
	}
	servers, prefix, named := strings.Cut(rest, "/")
	if c.Prefix = prefix; named && !prefixes.MatchString(prefix) {
		return c, ErrAddress
	}
	c.Servers = strings.Split(servers, ",")
	for _, server := range c.Servers {
		if host, port, err := net.SplitHostPort(server); err != nil || host == "" || port == "" || strings.Contains(server, "@") {
			return c, ErrAddress
		}
	}
	return c, nil
}

// String is the address of a configuration.
func (c Config) String() string { return Scheme + strings.Join(c.Servers, ",") + "/" + c.Prefix }
