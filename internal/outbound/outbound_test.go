package outbound

import (
	"errors"
	"testing"

	"code.dny.dev/ssrf"
)

// TestNoNameLeadsToMetadata: a host that the operator named may be inside, and never a link-local address, whatever its
// name resolves to by the time it is dialled.
func TestNoNameLeadsToMetadata(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]error{"127.0.0.1:8080": nil, "10.0.0.7:443": nil, "[::1]:443": nil, "203.0.113.7:443": nil,
		"169.254.169.254:80": ssrf.ErrProhibitedIP, "[fe80::1]:80": ssrf.ErrProhibitedIP, "[::ffff:169.254.169.254]:80": ssrf.ErrProhibitedIP,
		"0.0.0.0:80": ssrf.ErrProhibitedIP, "[::]:80": ssrf.ErrProhibitedIP, "224.0.0.1:80": ssrf.ErrProhibitedIP, "named:80": ssrf.ErrProhibitedIP} {
		if err := notLinkLocal("tcp", address, nil); !errors.Is(err, want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
