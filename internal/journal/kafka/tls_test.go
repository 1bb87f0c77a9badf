package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"

	"murmur/internal/journal"
	"murmur/internal/journal/queuetest"
)

// TestServersAreKnownAndKnow: over TLS, to servers with a certificate that is trusted, by a user with the right password, and
// not otherwise.
func TestServersAreKnownAndKnow(t *testing.T) {
	t.Parallel()
	certificate, trusted := certificate(t)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "murmur", "right"))
	must(t, err)
	t.Cleanup(c.Close)
	good := Config{Servers: c.ListenAddrs(), TLS: true, User: "murmur", Password: "right", Prefix: "p", authorities: trusted, Patience: 5 * time.Second}
	q := open(t, good)
	must(t, q.Append(t.Context(), queuetest.Delivery(1, 0)))
	take(t, q, inbox, 1)
	for name, wrong := range map[string]struct {
		spoil func(*Config)
		want  error
	}{
		"password":    {func(c *Config) { c.Password = "wrong" }, journal.ErrAway}, // the server in memory hangs up
		"certificate": {func(c *Config) { c.authorities = nil }, journal.ErrTrust},
		"no user":     {func(c *Config) { c.User = "" }, journal.ErrAway},
		"no TLS":      {func(c *Config) { c.TLS, c.User = false, "" }, journal.ErrAway},
	} {
		bad := good
		bad.Patience = time.Second
		wrong.spoil(&bad)
		if err := open(t, bad).Append(t.Context(), queuetest.Delivery(1, 1)); !errors.Is(err, wrong.want) {
			t.Errorf("%s: %v, want %v", name, err, wrong.want)
		}
	}
	if err := away(t.Context(), kerr.SaslAuthenticationFailed); !errors.Is(err, journal.ErrTrust) { // real ones say this
		t.Errorf("%v, want ErrTrust", err)
	}
	good.TLS = false
	if _, err := Open(good); err == nil {
		t.Error("a password without TLS")
	}
}

// certificate is one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
