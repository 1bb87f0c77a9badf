package stream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What only real servers show (elections, a killed server, a killed reader) is in internal/e2e.

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fake starts a server in memory that has the topic calls.
func fake(t *testing.T, partitions int32, options ...kfake.Opt) Config {
	t.Helper()
	options = append(options, kfake.NumBrokers(1), kfake.SeedTopics(partitions, "calls"), kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	c, err := kfake.NewCluster(options...)
	must(t, err)
	t.Cleanup(c.Close)
	return Config{Servers: c.ListenAddrs(), Topics: []string{"calls"}, Group: "g", Session: 6 * time.Second}
}

// write appends n records, numbered, to the partitions in turns.
func (c Config) write(t *testing.T, from, n int) {
	t.Helper()
	client, err := kgo.NewClient(append(c.options(), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))...)
	must(t, err)
	defer client.Close()
	for i := range n {
		must(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "calls", Value: fmt.Append(nil, from+i), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}}}).FirstErr())
	}
}

var errEnough = errors.New("enough")

// read takes records until there are so many different ones, and gives how often each came.
func (c Config) read(t *testing.T, want int) map[string]int {
	t.Helper()
	seen := map[string]int{}
	var p Progress
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := c.Read(ctx, &p, func(_ context.Context, all []Record) error {
		for _, r := range all {
			seen[string(r.Value)]++
			if r.TopicID == "" || !slices.Equal(r.Headers, []Header{{"h", "v"}}) {
				t.Errorf("a record without its headers or its topic: %+v", r.Place)
			}
		}
		if len(seen) >= want {
			cancel()
		}
		return nil
	})
	if len(seen) < want || !errors.Is(err, context.Canceled) {
		t.Fatalf("%d of %d records: %v", len(seen), want, err)
	}
	return seen
}

// TestTheGroupMovesOnAfterWhatWasTaken: what was not taken comes again, what was taken does not; a group that is set back reads
// everything again.
func TestTheGroupMovesOnAfterWhatWasTaken(t *testing.T) {
	t.Parallel()
	c := fake(t, 3)
	c.Member = "one"
	c.write(t, 0, 30)
	var p Progress
	if err := c.Read(t.Context(), &p, func(context.Context, []Record) error { return errEnough }); !errors.Is(err, errEnough) {
		t.Fatalf("what take says: %v", err)
	}
	if seen := c.read(t, 30); len(seen) != 30 {
		t.Errorf("%d records", len(seen))
	}
	c.write(t, 30, 5)
	if seen := c.read(t, 5); len(seen) != 5 || seen["3"] > 0 {
		t.Errorf("what was taken comes again: %v", seen)
	}
	client, err := kgo.NewClient(c.options()...)
	must(t, err)
	defer client.Close()
	admin := kadm.NewClient(client)
	must(t, c.Leave(t.Context()))
	var back kadm.Offsets
	for partition := range int32(3) {
		back.AddOffset("calls", partition, 0, -1)
	}
	must(t, admin.CommitAllOffsets(t.Context(), "g", back))
	if seen := c.read(t, 35); len(seen) != 35 {
		t.Errorf("%d records after the group was set back", len(seen))
	}
}

// TestAGroupThatMovesOnFirstLoses is the negative control: a reader that moves the group on before a batch was taken loses it.
func TestAGroupThatMovesOnFirstLoses(t *testing.T) {
	t.Parallel()
	c := fake(t, 1)
	c.write(t, 0, 10)
	c.Member, c.commitFirst = "one", true
	var p Progress
	if err := c.Read(t.Context(), &p, func(context.Context, []Record) error { return errEnough }); !errors.Is(err, errEnough) {
		t.Fatalf("what take says: %v", err)
	}
	c.commitFirst = false
	c.write(t, 10, 1)
	if seen := c.read(t, 1); seen["10"] != 1 || seen["0"] > 0 {
		t.Errorf("nothing was lost, so the test above cannot fail: %v", seen)
	}
}

// TestTwoReadersShare: each partition is read by one of them, and each knows how many it has.
func TestTwoReadersShare(t *testing.T) {
	t.Parallel()
	c := fake(t, 4)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 2)
	var both [2]Progress
	for i := range both {
		own := c
		own.Member = fmt.Sprint(i)
		go func() {
			ended <- own.Read(ctx, &both[i], func(context.Context, []Record) error { return nil })
		}()
	}
	shared := func() bool {
		a, b := both[0].Said(), both[1].Said()
		return a.Partitions == 2 && b.Partitions == 2 && a.Of == 4 && a.Reads && b.Reads
	}
	for written := 0; !shared() && ctx.Err() == nil; written++ {
		c.write(t, written, 4) // a reader in whose partitions nothing comes learns of the other one late
	}
	if !shared() {
		t.Errorf("%+v and %+v", both[0].Said(), both[1].Said())
	}
	cancel()
	<-ended
	<-ended
}

// TestAgain: a range is read from its first to its last record and no further, as often as one likes; what is gone is said.
func TestAgain(t *testing.T) {
	t.Parallel()
	c := fake(t, 1)
	c.write(t, 0, 20)
	client, err := kgo.NewClient(c.options()...)
	must(t, err)
	defer client.Close()
	known, err := c.topics(t.Context(), client)
	must(t, err)
	again := func(r Range) (seen []string, gone, whole bool) {
		t.Helper()
		r.Topic = "calls"
		gone, whole, err := c.Again(t.Context(), r, func(_ context.Context, all []Record) (bool, error) {
			for _, k := range all {
				seen = append(seen, string(k.Value))
			}
			return false, nil
		})
		must(t, err)
		return seen, gone, whole
	}
	id := known.ids["calls"]
	for range 2 {
		if seen, gone, whole := again(Range{TopicID: id, First: 5, Last: 7}); !slices.Equal(seen, []string{"5", "6", "7"}) || gone || !whole {
			t.Errorf("%v, gone %t, whole %t", seen, gone, whole)
		}
	}
	if seen, gone, whole := again(Range{TopicID: "another topic of the name", First: 5, Last: 7}); len(seen) > 0 || !gone || !whole {
		t.Errorf("a topic that was made anew: %v, gone %t, whole %t", seen, gone, whole)
	}
	_, err = kadm.NewClient(client).DeleteRecords(t.Context(), kadm.OffsetsFromRecords(kgo.Record{Topic: "calls", Offset: 5}))
	must(t, err)
	if seen, gone, whole := again(Range{TopicID: id, First: 4, Last: 7}); !slices.Equal(seen, []string{"6", "7"}) || !gone || !whole {
		t.Errorf("half of it is gone: %v, gone %t, whole %t", seen, gone, whole)
	}
	if seen, gone, whole := again(Range{TopicID: id, First: 1, Last: 3}); len(seen) > 0 || !gone || !whole {
		t.Errorf("all of it is gone: %v, gone %t, whole %t", seen, gone, whole)
	}
}

// TestServersAreKnownAndKnow: over TLS, to servers with a certificate that is trusted, with the right password, in each way to
// log in, and not otherwise.
func TestServersAreKnownAndKnow(t *testing.T) {
	t.Parallel()
	certificate, trusted := certificate(t)
	for login, name := range map[string]string{"scram-sha-512": "SCRAM-SHA-512", "scram-sha-256": "SCRAM-SHA-256", "plain": "PLAIN"} {
		c := fake(t, 1, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}), kfake.EnableSASL(), kfake.Superuser(name, "murmur", "right"))
		c.TLS, c.User, c.Password, c.Login, c.authorities, c.Patience = true, "murmur", "right", login, trusted, time.Second
		if err := c.Try(t.Context()); err != nil {
			t.Errorf("%s: %v", login, err)
		}
		for what, wrong := range map[string]struct {
			spoil func(*Config)
			want  error
		}{
			"topic":       {func(c *Config) { c.Topics = []string{"texts"} }, ErrTopic},
			"password":    {func(c *Config) { c.Password = "wrong" }, ErrAway}, // the server in memory hangs up
			"certificate": {func(c *Config) { c.authorities = nil }, ErrTrust},
			"no user":     {func(c *Config) { c.User = "" }, ErrAway},
			"no TLS":      {func(c *Config) { c.TLS, c.User = false, "" }, ErrAway},
		} {
			bad := c
			wrong.spoil(&bad)
			if err := bad.Try(t.Context()); !errors.Is(err, wrong.want) {
				t.Errorf("%s, %s: %v, want %v", login, what, err, wrong.want)
			}
		}
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

func TestAddress(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"kafka://h:9092/calls":                       "kafka://h:9092/calls?group=murmur",
		"kafka://a:1,b:2/texts,calls?group=x.y":      "kafka://a:1,b:2/calls,texts?group=x.y",
		"kafka+tls://u@a:1/calls":                    "kafka+tls://u@a:1/calls?group=murmur",
		"kafka+tls://u@a:1/calls?sasl=plain&group=g": "kafka+tls://u@a:1/calls?group=g&sasl=plain",
		"kafka+tls://u@a:1/calls?sasl=scram-sha-512": "kafka+tls://u@a:1/calls?group=murmur",
		"kafka://a:1":                         "",
		"kafka://a:1/":                        "",
		"kafka://a:1/calls,":                  "",
		"kafka://a:1/calls,calls":             "",
		"kafka://a:1/calls?password=x":        "",
		"kafka://a:1/calls?group=a&group=b":   "",
		"kafka://a:1/calls?group=":            "",
		"kafka://a:1/calls?sasl=plain":        "", // without a user
		"kafka+tls://u@a:1/calls?sasl=gssapi": "",
		"kafka://u@a:1/calls":                 "", // without TLS
		"kafka+tls://u:secret@a:1/calls":      "",
		"kafka://a/calls":                     "",
		"https://a:1/calls":                   "",
		"":                                    "",
	} {
		c, err := Address(given)
		if want == "" {
			if !errors.Is(err, ErrAddress) {
				t.Errorf("%q is taken as %s: %v", given, c, err)
			}
			continue
		}
		if err != nil || c.String() != want {
			t.Errorf("%q is %s, want %s: %v", given, c, want, err)
		}
		if once, err := Address(c.String()); err != nil || once.String() != c.String() {
			t.Errorf("%q: read again it is %s: %v", given, once, err)
		}
	}
}
