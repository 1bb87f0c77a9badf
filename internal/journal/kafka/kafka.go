// Package kafka is the queue on servers: topics of an Apache Kafka, or of anything that speaks its protocol. No other
// code knows that it is Kafka.
//
// An Append is durable on every in-sync replica (acks=all), many messages in one request. Order is kept per Key: the key
// alone chooses the partition, so a topic must keep its number of partitions for ever. Consumers of a group share the
// partitions, and what a stage returns is durable before the cursor moves: after a crash between the two it comes twice.
// A consumer that was paused and replaced learns of it only when it commits: a consumer with an effect outside the queue
// must compare the position in the effect's own transaction (Reader.Resume, the lake). Records are described in
// docs/format/queue.md.
//
// Words: a *topic* of the servers is named PREFIX.TOPIC, a *group* PREFIX.TOPIC.GROUP. Two installations never share a
// prefix.
//
// It makes the promises of package journal (P1, P3); replicas take the place of the disk. It does not protect against
// replicas that lose their power together: Kafka acknowledges before it syncs, unless the servers set flush.messages=1.
// Nor does it hide from the servers' administrator how busy each workspace is; payloads are sealed.
package kafka

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"golang.org/x/sync/semaphore"

	"murmur/internal/journal"
)

// Config says where a queue is. Address makes one.
type Config struct {
	// Servers are HOST:PORT of some of the servers; the others are learnt from them.
	Servers []string
	// TLS speaks to the servers in TLS 1.2 or later; their certificates are checked against the system's.
	TLS bool
	// User and Password name murmur to the servers by SCRAM-SHA-512 (RFC 5802), over TLS alone. Empty: it has no name.
	User, Password string
	// Prefix begins the names of topics and groups: letters, digits, - and _, 100 at most.
	Prefix string
	// Partitions is how many a topic has; 0: 1. A topic that has another number is refused.
	Partitions int32
	// Replicas is how many servers keep each record where a topic is made; 0: three, or as many as there are.
	Replicas int16
	// Patience is how long an Append waits for the servers; 0: 30 s.
	Patience time.Duration
	// Session is how long a consumer may be silent before its partitions go to another; 0: 10 s. The partitions of
	// one that was killed wait so long.
	Session time.Duration
	// Buffer bounds the bytes of payloads on their way to the servers; 0: 64 MiB. More is refused (ErrFull).
	Buffer int64
	// Trim is how often messages that every group has read are deleted; 0: a minute.
	Trim time.Duration
	// Unreadable is called for each record that murmur did not write and that was put aside; may be nil.
	Unreadable func(topic journal.Topic)

	// authorities overrides the system's certificates in tests.
	authorities *x509.CertPool
	// fault is called at named places of a consumer; tests end the process there.
	fault func(place string)
}

func (c Config) withDefaults() Config {
	c.Partitions = max(c.Partitions, 1)
	if c.Patience == 0 {
		c.Patience = 30 * time.Second
	}
	if c.Session == 0 {
		c.Session = 10 * time.Second
	}
	if c.Buffer == 0 {
		c.Buffer = 64 << 20
	}
	if c.Trim == 0 {
		c.Trim = time.Minute
	}
	if c.Unreadable == nil {
		c.Unreadable = func(journal.Topic) {}
	}
	if c.fault == nil {
		c.fault = func(string) {}
	}
	return c
}

// Queue is a journal.Queue. Use Open.
type Queue struct {
	config Config
	client *kgo.Client // appends, and asks
	admin  *kadm.Client
	room   *semaphore.Weighted // of Config.Buffer

	mu     sync.Mutex
	topics map[journal.Topic]kadm.TopicID // those that were checked
	taken  map[string]bool                // groups with a consumer of this process
	closed bool
}

var _ journal.Queue = (*Queue)(nil)

var (
	prefixes = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	// groupName is what a consumer group may be called, as in package sqlite.
	groupName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
)

// Open makes a queue of a configuration. It asks no server: Check does, and so does the first use.
func Open(c Config) (*Queue, error) {
	c = c.withDefaults()
	if c.User != "" && !c.TLS {
		return nil, errors.New("open queue: a password is not shown without TLS")
	}
	if len(c.Servers) == 0 || !prefixes.MatchString(c.Prefix) {
		return nil, errors.New("open queue: it needs servers, and a prefix of letters, digits, - and _")
	}
	client, err := kgo.NewClient(append(common(c),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		// Without it the end of a context does not end an Append to a server that does not answer.
		kgo.AllowIdempotentProduceCancellation(),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(recordMost),
		kgo.MaxBufferedRecords(1<<20),                     // room bounds them
		kgo.ProducerBatchCompression(kgo.NoCompression()), // what is sealed does not get smaller
	)...)
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	return &Queue{config: c, client: client, admin: kadm.NewClient(client), room: semaphore.NewWeighted(c.Buffer),
		topics: map[journal.Topic]kadm.TopicID{}, taken: map[string]bool{}}, nil
}

// common are the options of every client.
func common(c Config) []kgo.Opt {
	all := []kgo.Opt{
		kgo.SeedBrokers(c.Servers...), kgo.ClientID("murmur-" + rand.Text()[:6]),
		kgo.DialTimeout(5 * time.Second), kgo.RequestTimeoutOverhead(5 * time.Second),
		kgo.RetryTimeout(c.Patience), kgo.MetadataMinAge(250 * time.Millisecond),
	}
	if c.TLS {
		all = append(all, kgo.DialTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.authorities}))
	}
	if c.User != "" {
		all = append(all, kgo.SASL(scram.Auth{User: c.User, Pass: c.Password}.AsSha512Mechanism()))
	}
	return all
}

// Close closes the connections to the servers. Consumers must have ended; a running Append fails.
func (q *Queue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		q.client.Close()
	}
	return nil
}

// name is a topic's on the servers.
func (q *Queue) name(t journal.Topic) string { return q.config.Prefix + "." + string(t) }

// groupOf is a group's on the servers.
func (q *Queue) groupOf(t journal.Topic, group string) string { return q.name(t) + "." + group }

// away is an error of the servers, as what callers branch on. The end of a context stays what it is.
func away(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.Is(err, kgo.ErrClientClosed):
		return journal.ErrClosed
	case isAny(err, ours):
		return err
	case isAny(err, denied) || isCertificate(err):
		return fmt.Errorf("%w: %w", journal.ErrTrust, err)
	}
	return fmt.Errorf("%w: %w", journal.ErrAway, err)
}

// ours are the errors that callers can tell what they are.
var ours = []error{journal.ErrAway, journal.ErrUnfit, journal.ErrTrust, journal.ErrTooLarge, journal.ErrFull, journal.ErrAhead, journal.ErrTaken, journal.ErrClosed, errRecord}

// denied are the answers to a user without the necessary rights.
var denied = []error{kerr.SaslAuthenticationFailed, kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	kerr.TransactionalIDAuthorizationFailed, kerr.IllegalSaslState, kerr.UnsupportedSaslMechanism}

func isCertificate(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
