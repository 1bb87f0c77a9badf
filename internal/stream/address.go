package stream

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"murmur/internal/journal/kafka"
)

// ErrAddress is returned for an invalid address.
var ErrAddress = errors.New("a stream is kafka://HOST:PORT[,HOST:PORT..]/TOPIC[,TOPIC..][?group=NAME] or kafka+tls://[USER@]HOST:PORT../TOPIC..[?sasl=plain]")

// Logins are the ways to name murmur to the servers; the first is used unless the address says another.
var Logins = []string{"scram-sha-512", "scram-sha-256", "plain"}

// DefaultGroup is the consumer group of an address that names none.
const DefaultGroup = "murmur"

// names are those of topics and groups.
var names = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

// Address reads an address: ErrAddress.
func Address(s string) (c Config, err error) {
	s, query, _ := strings.Cut(s, "?")
	scheme, rest, ok := strings.Cut(s, "://")
	servers, list, named := strings.Cut(rest, "/")
	if !ok || !named {
		return Config{}, ErrAddress
	}
	where, err := kafka.Address(scheme + "://" + servers)
	if err != nil {
		return Config{}, ErrAddress
	}
	c = Config{Servers: where.Servers, TLS: where.TLS, User: where.User, Topics: strings.Split(list, ","), Group: DefaultGroup, Login: Logins[0]}
	values, err := url.ParseQuery(query)
	if err != nil {
		return Config{}, ErrAddress
	}
	for name, given := range values {
		switch {
		case name == "group" && len(given) == 1:
			c.Group = given[0]
		case name == "sasl" && len(given) == 1 && c.User != "" && slices.Contains(Logins, given[0]):
			c.Login = given[0]
		default:
			return Config{}, ErrAddress
		}
	}
	for _, name := range append([]string{c.Group}, c.Topics...) {
		if !names.MatchString(name) {
			return Config{}, ErrAddress
		}
	}
	if slices.Sort(c.Topics); len(slices.Compact(slices.Clone(c.Topics))) < len(c.Topics) {
		return Config{}, ErrAddress
	}
	return c, nil
}

// String is the address of a configuration, without its password.
func (c Config) String() string {
	scheme, user := "kafka://", ""
	if c.TLS {
		scheme = "kafka+tls://"
	}
	if c.User != "" {
		user = c.User + "@"
	}
	address := scheme + user + strings.Join(c.Servers, ",") + "/" + strings.Join(c.Topics, ",") + "?group=" + c.Group
	if c.User != "" && c.Login != Logins[0] {
		address += "&sasl=" + c.Login
	}
	return address
}
