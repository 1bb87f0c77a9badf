// Package stream reads topics of the operator's own Kafka, as one member of a consumer group, and hands their records out in
// batches. The group moves on only once a batch has been taken: what was read comes at least once, and again after a crash
// between the two.
//
// Zone: before the first door, as the handler of webhooks is. A record's value is personal: it is handed on and not looked at, and
// no error says a word of it.
//
// Words: a *record* is one message of a topic, at a *place*: topic, partition, offset. The topic's identity on its servers is a
// part of the place, because a topic that was made anew begins again at offset 0.
//
// What it does not protect against: whoever may write to the topics decides what happened; servers that delete records before
// they are read; two data directories in one group, which share the partitions and know nothing of each other.
package stream

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

var (
	// ErrAway is returned while the servers do not answer.
	ErrAway = errors.New("the servers of the stream do not answer")
	// ErrTrust is returned where the servers refuse murmur, or murmur refuses them.
	ErrTrust = errors.New("the servers of the stream and murmur do not trust each other")
	// ErrTopic is returned for a topic that the servers do not have.
	ErrTopic = errors.New("the servers have no such topic")
)

// Config says what is read. Address makes one.
type Config struct {
	// Servers are HOST:PORT of some of the servers; the others are learnt from them.
	Servers []string
	// TLS speaks to the servers in TLS 1.2 or later; their certificates are checked against the system's.
	TLS bool
	// User and Password name murmur to the servers, over TLS alone. Empty: it has no name.
	User, Password string
	// Login is how: one of Logins; empty: the first.
	Login string
	// Topics are the names of what is read.
	Topics []string
	// Group is the consumer group.
	Group string
	// Member is the name of this reader in the group. One that starts again under its name goes on at once; of two that run under
	// one name the servers turn one out. Empty: it has none.
	Member string
	// Session is how long the reader may be silent before its partitions go to another; 0: 30 s.
	Session time.Duration
	// Patience is how long the servers may take to answer a question; 0: 10 s.
	Patience time.Duration

	authorities *x509.CertPool // instead of the system's, of a test
	commitFirst bool           // a mistake that a test plants: the group moves on before a batch was taken
}

// Record is one record. Its value stays valid.
type Record struct {
	Place
	Headers []Header
	Value   []byte
}

// Header is one header of a record.
type Header struct{ Name, Value string }

// Place is where a record is.
type Place struct {
	Topic, TopicID string // TopicID: the topic's identity on its servers
	Partition      int32
	Offset         int64
}

func (p Place) String() string { return fmt.Sprintf("%s/%d/%d", p.Topic, p.Partition, p.Offset) }

const (
	// MostRecords is how many records a batch has at most.
	MostRecords = 500
	// quietTime is how long nothing may come before the servers are asked whether they are there.
	quietTime = 20 * time.Second
	// commitTime is how long the servers may take to note how far the group is.
	commitTime = 30 * time.Second
)

func (c Config) options() []kgo.Opt {
	all := []kgo.Opt{
		kgo.SeedBrokers(c.Servers...), kgo.ClientID("murmur"), kgo.DialTimeout(5 * time.Second), kgo.RequestTimeoutOverhead(5 * time.Second),
		kgo.RetryTimeout(c.patience()), kgo.MetadataMinAge(250 * time.Millisecond), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxPartitionBytes(2 << 20), kgo.FetchMaxBytes(16 << 20),
	}
	if c.TLS {
		all = append(all, kgo.DialTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.authorities}))
	}
	if c.User != "" {
		all = append(all, kgo.SASL(c.login()))
	}
	return all
}

func (c Config) patience() time.Duration { return cmp.Or(c.Patience, 10*time.Second) }

// login names murmur: RFC 5802 (SCRAM), or RFC 4616 (PLAIN) where the servers know nothing else.
func (c Config) login() sasl.Mechanism {
	switch c.Login {
	case "plain":
		return plain.Auth{User: c.User, Pass: c.Password}.AsMechanism()
	case "scram-sha-256":
		return scram.Auth{User: c.User, Pass: c.Password}.AsSha256Mechanism()
	}
	return scram.Auth{User: c.User, Pass: c.Password}.AsSha512Mechanism()
}

// Try asks the servers for the topics: ErrAway, ErrTrust, ErrTopic.
func (c Config) Try(ctx context.Context) error {
	client, err := kgo.NewClient(c.options()...)
	if err != nil {
		return fmt.Errorf("read the stream: %w", err)
	}
	defer client.Close()
	_, err = c.topics(ctx, client)
	return err
}

// topics gives the identities of the topics and the number of all partitions.
func (c Config) topics(ctx context.Context, client *kgo.Client) (t topics, err error) {
	bounded, cancel := context.WithTimeout(ctx, c.patience())
	defer cancel()
	all, err := kadm.NewClient(client).ListTopics(bounded, c.Topics...)
	if err != nil {
		return t, fmt.Errorf("ask for the topics: %w", away(ctx, err))
	}
	t.ids = map[string]string{}
	for _, name := range c.Topics {
		found := all[name]
		switch {
		case errors.Is(found.Err, kerr.UnknownTopicOrPartition):
			return t, fmt.Errorf("%w: %s", ErrTopic, name)
		case found.Err != nil:
			return t, fmt.Errorf("ask for topic %s: %w", name, away(ctx, found.Err))
		}
		t.ids[name] = hex.EncodeToString(found.ID[:])
		t.partitions += len(found.Partitions)
	}
	return t, nil
}

type topics struct {
	ids        map[string]string // by name
	partitions int
}

// Progress is how far a Read is; it may be asked while it runs. The zero value is ready.
type Progress struct {
	mu    sync.Mutex
	at    map[string]map[int32]int64 // records not yet taken, as of the last answer; the partitions that are this reader's
	total int                        // partitions of all topics
	reads bool                       // the group has let it in
}

// Said is how far a reader is.
type Said struct {
	Reads      bool  // it is a member of its group
	Partitions int   // that it reads
	Of         int   // of the topics
	Behind     int64 // records that it has not taken yet, as far as the servers have told
}

// Said gives how far it is.
func (p *Progress) Said() (s Said) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Reads, s.Of = p.reads, p.total
	for _, partitions := range p.at {
		s.Partitions += len(partitions)
		for _, behind := range partitions {
			s.Behind += behind
		}
	}
	return s
}

func (p *Progress) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *Progress) assigned(_ context.Context, _ *kgo.Client, more map[string][]int32) {
	p.change(func() {
		p.reads = true
		for topic, partitions := range more {
			if p.at[topic] == nil {
				p.at[topic] = map[int32]int64{}
			}
			for _, n := range partitions {
				p.at[topic][n] += 0
			}
		}
	})
}

func (p *Progress) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	p.change(func() {
		for topic, partitions := range gone {
			for _, n := range partitions {
				delete(p.at[topic], n)
			}
		}
	})
}

// Read hands batches to take until ctx ends or something fails; then it may be called again. What take did is durable when it
// returns nil: the group moves on. After its error the batch comes again. A group that is new begins with the oldest record.
func (c Config) Read(ctx context.Context, p *Progress, take func(context.Context, []Record) error) error {
	p.change(func() { p.at, p.reads, p.total = map[string]map[int32]int64{}, false, 0 })
	session := cmp.Or(c.Session, 30*time.Second)
	options := append(c.options(),
		kgo.ConsumerGroup(c.Group), kgo.ConsumeTopics(c.Topics...), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(session), kgo.HeartbeatInterval(session/10), kgo.RebalanceTimeout(time.Minute),
		kgo.OnPartitionsAssigned(p.assigned), kgo.OnPartitionsRevoked(p.lost), kgo.OnPartitionsLost(p.lost))
	if c.Member != "" {
		options = append(options, kgo.InstanceID(c.Member))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return fmt.Errorf("read the stream: %w", err)
	}
	defer client.CloseAllowingRebalance()
	known, err := c.topics(ctx, client)
	if err != nil {
		return err
	}
	p.change(func() { p.total = known.partitions })
	r := reader{c, client, known, p}
	for {
		if err := r.batch(ctx, take); err != nil {
			return err
		}
	}
}

// Leave takes the reader's name out of its group, so that others have its partitions at once and the group may be set back. One
// that ended without it is missed after Session.
func (c Config) Leave(ctx context.Context) error {
	client, err := kgo.NewClient(c.options()...)
	if err != nil {
		return fmt.Errorf("leave the group: %w", err)
	}
	defer client.Close()
	bounded, cancel := context.WithTimeout(ctx, c.patience())
	defer cancel()
	if _, err := kadm.NewClient(client).LeaveGroup(bounded, kadm.LeaveGroup(c.Group).InstanceIDs(c.Member)); err != nil {
		return fmt.Errorf("leave the group: %w", away(ctx, err))
	}
	return nil
}

type reader struct {
	config   Config
	client   *kgo.Client
	known    topics
	progress *Progress
}

// batch reads some records, has them taken, and moves the group on.
func (r *reader) batch(ctx context.Context, take func(context.Context, []Record) error) error {
	defer r.client.AllowRebalance()
	quiet, cancel := context.WithTimeout(ctx, quietTime)
	fetched := r.client.PollRecords(quiet, MostRecords)
	cancel()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, e := range fetched.Errors() {
		if lasting(e.Err) {
			return fmt.Errorf("read topic %s: %w", e.Topic, away(ctx, e.Err))
		}
	}
	if fetched.NumRecords() == 0 {
		return r.there(ctx)
	}
	records := r.records(fetched)
	if !r.config.commitFirst {
		if err := take(ctx, records); err != nil {
			return err
		}
	}
	if err := r.commit(ctx, records); err != nil {
		return err
	}
	if r.config.commitFirst {
		if err := take(ctx, records); err != nil {
			return err
		}
	}
	r.noteBehind(fetched)
	return nil
}

// there asks the servers whether they are there, after a while in which nothing came.
func (r *reader) there(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, r.config.patience())
	defer cancel()
	if err := r.client.Ping(bounded); err != nil {
		return away(ctx, err)
	}
	return nil
}

func (r *reader) records(fetched kgo.Fetches) []Record {
	records := make([]Record, 0, fetched.NumRecords())
	fetched.EachRecord(func(k *kgo.Record) { records = append(records, r.known.record(k)) })
	return records
}

func (t topics) record(k *kgo.Record) Record {
	r := Record{Place: Place{k.Topic, t.ids[k.Topic], k.Partition, k.Offset}, Value: k.Value}
	for _, h := range k.Headers {
		r.Headers = append(r.Headers, Header{h.Key, string(h.Value)})
	}
	return r
}

func (r *reader) noteBehind(fetched kgo.Fetches) {
	r.progress.change(func() {
		fetched.EachPartition(func(p kgo.FetchTopicPartition) {
			if _, mine := r.progress.at[p.Topic][p.Partition]; mine && len(p.Records) > 0 {
				r.progress.at[p.Topic][p.Partition] = max(0, p.HighWatermark-p.Records[len(p.Records)-1].Offset-1)
			}
		})
	})
}

// lostGroup are the answers to a member whose partitions went to another, which reads again what was not committed.
var lostGroup = []error{kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.RebalanceInProgress, kerr.StaleMemberEpoch}

// commit moves the group behind records that were taken. They are durable, so it is tried even when ctx has ended.
func (r *reader) commit(ctx context.Context, records []Record) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	next := map[string]map[int32]kgo.EpochOffset{}
	for _, k := range records {
		if next[k.Topic] == nil {
			next[k.Topic] = map[int32]kgo.EpochOffset{}
		}
		next[k.Topic][k.Partition] = kgo.EpochOffset{Epoch: -1, Offset: k.Offset + 1}
	}
	var failed error
	r.client.CommitOffsetsSync(bounded, next, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
		failed = err
		if answer == nil {
			return
		}
		for _, t := range answer.Topics {
			for _, p := range t.Partitions {
				if failed == nil {
					failed = kerr.ErrorForCode(p.ErrorCode)
				}
			}
		}
	})
	if failed == nil || isAny(failed, lostGroup) {
		return nil
	}
	return fmt.Errorf("move the group on: %w", away(ctx, failed))
}

// lasting reports whether an error of a fetch does not pass by itself. Records that the servers deleted before they were read are
// no reason to stop: the reader goes on with the oldest that is there.
func lasting(err error) bool {
	if _, gone := errors.AsType[*kgo.ErrDataLoss](err); gone || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	said, ok := errors.AsType[*kerr.Error](err)
	return ok && !said.Retriable && !isAny(err, lostGroup)
}

// denied are the answers to a user without the necessary rights.
var denied = []error{kerr.SaslAuthenticationFailed, kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	kerr.IllegalSaslState, kerr.UnsupportedSaslMechanism}

// away is an error of the servers, as what callers branch on. The end of ctx stays what it is.
func away(ctx context.Context, err error) error {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case certificate || isAny(err, denied):
		return fmt.Errorf("%w: %w", ErrTrust, err)
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

func isAny(err error, of []error) bool {
	return slices.ContainsFunc(of, func(e error) bool { return errors.Is(err, e) })
}
