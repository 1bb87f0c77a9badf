package bucket

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var (
	// ErrAddress is returned for an invalid address.
	ErrAddress = errors.New("a bucket is s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=REGION&cache=GB; all but the bucket may be left out, and http is for this machine alone")
	// ErrKey is returned for a key that is not ID:SECRET.
	ErrKey = errors.New("the key of a bucket is ID:SECRET")
)

// Address says where a bucket is.
type Address struct {
	Bucket, Prefix string
	Endpoint       string // https://HOST[:PORT], or http:// on this machine; empty: Amazon's
	Region         string // empty: the store is asked
	Cache          int64  // bytes that copies on this machine may take; 0: DefaultCache
}

// DefaultCache is how many bytes of copies are kept.
const DefaultCache = 10 << 30

var (
	bucketNames = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixNames = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)
	regionNames = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
)

// Parse reads an address. ErrAddress.
func Parse(s string) (a Address, err error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "s3" || u.User != nil || u.Fragment != "" || !bucketNames.MatchString(u.Host) {
		return Address{}, ErrAddress
	}
	a.Bucket, a.Prefix = u.Host, strings.Trim(u.Path, "/")
	if a.Prefix != "" && (!prefixNames.MatchString(a.Prefix) || len(a.Prefix) > 500) {
		return Address{}, ErrAddress
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Address{}, ErrAddress
	}
	for name, values := range q {
		switch v := values[0]; {
		case len(values) > 1:
			return Address{}, ErrAddress
		case name == "endpoint" && endpoint(v):
			a.Endpoint = strings.TrimSuffix(v, "/")
		case name == "region" && regionNames.MatchString(v):
			a.Region = v
		case name == "cache":
			gb, err := strconv.ParseUint(v, 10, 20)
			if err != nil || gb == 0 {
				return Address{}, ErrAddress
			}
			a.Cache = int64(gb) << 30
		default:
			return Address{}, ErrAddress
		}
	}
	return a, nil
}

// endpoint reports whether requests may go there: over TLS, or to this machine.
func endpoint(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && here(u.Hostname())
}

func here(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// String is the address as Parse reads it.
func (a Address) String() string {
	s := "s3://" + a.Bucket
	if a.Prefix != "" {
		s += "/" + a.Prefix
	}
	var said []string
	if a.Endpoint != "" {
		said = append(said, "endpoint="+a.Endpoint)
	}
	if a.Region != "" {
		said = append(said, "region="+a.Region)
	}
	if a.Cache != 0 {
		said = append(said, "cache="+strconv.FormatInt(a.Cache>>30, 10))
	}
	if len(said) > 0 {
		s += "?" + strings.Join(said, "&")
	}
	return s
}

// Limit is how many bytes of copies are kept.
func (a Address) Limit() int64 {
	if a.Cache == 0 {
		return DefaultCache
	}
	return a.Cache
}

// Same reports whether two addresses name the same place, however it is reached.
func (a Address) Same(b Address) bool { return a.Bucket == b.Bucket && a.Prefix == b.Prefix }

func (a Address) tls() bool { return !strings.HasPrefix(a.Endpoint, "http://") }

func (a Address) host() string {
	if a.Endpoint == "" {
		return "s3.amazonaws.com"
	}
	u, _ := url.Parse(a.Endpoint) // Parse accepted it
	return u.Host
}
