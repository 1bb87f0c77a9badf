// Package relay sends facts through servers (package kafka) on their way to the lake, and remembers in the data directory which:
// the file of the journal stays the inbox and the book of deliveries.
//
// Zone: between the doors. It moves sealed messages, and keeps the password of the servers' user sealed.
//
// It does not protect against servers that lose what they acknowledged: docs/runbook/queue.md says how they must be set.
package relay

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/journal"
	"murmur/internal/journal/kafka"
	"murmur/internal/journal/outbox"
	"murmur/internal/keyring"
	"murmur/internal/meta"
	"murmur/internal/setting"
)

// What Config.Wanted may say beside an address and nothing, which is what the directory remembers.
const (
	None = "none" // facts go straight into the lake again; refused while some wait on the servers
	Lost = "lost" // the same, whatever waits there is given up
)

// Settings of the directory: the address of its queue, how many it has had, and the password of its user. The lake knows each
// queue by its number.
const (
	settingQueue    = "queue"
	settingQueues   = "queues"
	settingPassword = "queue-password" // sealed, in base64
)

// lakeGroup is the group of the topic Facts that writes the lake (package pipeline).
const lakeGroup = "lake"

// ErrBusy is returned when facts wait in a queue that is to be left.
var ErrBusy = errors.New("facts wait on the servers of the queue that is to be left")

// Config says where facts go.
type Config struct {
	DB     *meta.DB
	Ring   *keyring.Ring
	Engine deliveries.Engine
	// Wanted is kafka://HOST:PORT[,HOST:PORT..][/PREFIX], None or Lost. Empty: what the directory remembers, at first nothing.
	Wanted string
	// Password is that of the address's user; empty: the one that the directory remembers.
	Password string
	Log      *slog.Logger
}

// Relay is the engine of one machine whose facts go through servers.
type Relay struct {
	deliveries.Engine
	address string
	servers *kafka.Queue
	box     *outbox.Outbox
}

// Open sends facts to the queue that the configuration names, or that the directory remembers; nil where they go straight into
// the lake. It asks no server, except whether a queue that is left is empty: ErrBusy where it is not.
func Open(ctx context.Context, c Config) (*Relay, error) {
	remembered, number, err := c.remembered(ctx)
	if err != nil {
		return nil, err
	}
	old, err := c.servers(ctx, remembered)
	if errors.Is(err, kafka.ErrAddress) { // of a version that remembered what it could not open: nothing ever went there
		remembered, err = "", nil
	}
	if err != nil {
		return nil, err
	}
	wanted := c.Wanted
	if wanted == "" {
		wanted = remembered
	}
	lost := wanted == Lost
	if lost || wanted == None {
		wanted = ""
	}
	next, err := c.servers(ctx, wanted)
	if err != nil {
		return nil, err
	}
	if old.Prefix != next.Prefix {
		if remembered != "" && !lost {
			if err := c.leave(ctx, old, number); err != nil {
				return nil, err
			}
		}
		number++
	}
	var r *Relay
	if wanted != "" { // opened before it is remembered: what cannot be opened must not keep the directory from opening
		if r, err = c.relay(next, number); err != nil {
			return nil, err
		}
		wanted = next.String()
	}
	if wanted != remembered {
		err = c.remember(ctx, wanted, number)
	}
	if c.Password != "" && err == nil {
		err = setting.KeepSecret(ctx, c.DB, c.Ring, settingPassword, c.Password)
	}
	if err != nil && r != nil {
		return nil, errors.Join(err, r.servers.Close())
	}
	return r, err
}

// servers reads an address. Without a prefix it is the installation's own, so that two never meet.
func (c Config) servers(ctx context.Context, address string) (k kafka.Config, err error) {
	if address == "" {
		return k, nil
	}
	if k, err = kafka.Address(address); err != nil {
		return k, err
	}
	if k.Prefix == "" {
		own := c.Ring.Root().Derive("murmur queue 1")
		k.Prefix = "murmur-" + hex.EncodeToString(own[:4])
	}
	if k.User != "" {
		if k.Password = c.Password; k.Password == "" {
			if k.Password, err = setting.Secret(ctx, c.DB, c.Ring, settingPassword); err != nil {
				return k, err
			}
		}
	}
	k.Unreadable = func(t journal.Topic) {
		c.Log.Error("a record of the queue is not of murmur's making, and was put aside", "topic", string(t))
	}
	return k, nil
}

// relay goes through servers; the lake knows them by a number.
func (c Config) relay(k kafka.Config, number int32) (*Relay, error) {
	servers, err := kafka.Open(k)
	if err != nil {
		return nil, err
	}
	return &Relay{c.Engine, k.String(), servers, &outbox.Outbox{File: c.Engine, Servers: servers, Partition: number}}, nil
}

// leave refuses to leave facts behind.
func (c Config) leave(ctx context.Context, k kafka.Config, number int32) error {
	r, err := c.relay(k, number)
	if err != nil {
		return err
	}
	defer func() { _ = r.servers.Close() }()
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	waiting, err := r.box.Waiting(ctx, lakeGroup)
	if err == nil && waiting > 0 {
		err = fmt.Errorf("%d messages: %w", waiting, ErrBusy)
	}
	if err != nil {
		return fmt.Errorf("leave the queue %s: %w", r.address, err)
	}
	return nil
}

// askTime is how long a starting server asks after its queue.
const askTime = 5 * time.Second

// Ask says at the start what is wrong with the topic. Servers that do not answer are no reason not to start: deliveries are
// taken, and their facts wait.
func (r *Relay) Ask(ctx context.Context, log *slog.Logger) error {
	bounded, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	err := r.servers.Check(bounded, journal.Facts)
	if errors.Is(err, journal.ErrUnfit) {
		return err
	}
	if err != nil && ctx.Err() == nil {
		log.Warn("the queue does not answer; deliveries are taken all the same", "error", err)
	}
	return ctx.Err()
}

func (c Config) remembered(ctx context.Context) (address string, number int32, err error) {
	if address, err = c.DB.Setting(ctx, settingQueue); err != nil {
		return "", 0, err
	}
	text, err := c.DB.Setting(ctx, settingQueues)
	if err != nil || text == "" {
		return address, 0, err
	}
	k, err := strconv.ParseInt(text, 10, 32)
	return address, int32(k), err
}

func (c Config) remember(ctx context.Context, address string, number int32) error {
	return c.DB.Set(ctx, map[string]string{settingQueue: address, settingQueues: strconv.Itoa(int(number))})
}

// Transform implements journal.Queue.
func (r *Relay) Transform(ctx context.Context, of journal.Reader, f journal.Stage) error {
	return r.box.Transform(ctx, of, f)
}

// Backlog implements deliveries.Store. While the servers do not answer, it counts one waiting message there, so that
// callers neither block nor take the servers for empty.
func (r *Relay) Backlog(ctx context.Context) (deliveries.Backlog, error) {
	b, err := r.Engine.Backlog(ctx)
	if err != nil {
		return b, err
	}
	waiting, err := r.box.Waiting(ctx, lakeGroup)
	if err != nil {
		waiting = 1
	}
	b.Facts += waiting
	return b, ctx.Err()
}

// Close leaves the servers and closes the file.
func (r *Relay) Close() error { return errors.Join(r.servers.Close(), r.Engine.Close()) }

// Status says what waits between the pipeline and the lake.
type Status struct {
	Address string `json:"address"`
	Here    int64  `json:"here"`            // batches of facts that wait for the servers, in the journal's file
	There   int64  `json:"there"`           // batches that the servers have and the lake has not; not known with an Error
	Error   string `json:"error,omitempty"` // why the servers do not say
}

// Status counts what waits. Of servers that do not say, away is why.
func (r *Relay) Status(ctx context.Context) (s Status, away, err error) {
	b, err := r.Engine.Backlog(ctx)
	if err != nil {
		return Status{}, nil, err
	}
	s = Status{Address: r.address, Here: b.Facts}
	s.There, away = r.box.Waiting(ctx, lakeGroup)
	return s, away, nil
}

func (s *Status) String() string {
	if s.Error != "" {
		return fmt.Sprintf("%s: %s; %d batches of facts wait here", s.Address, s.Error, s.Here)
	}
	return fmt.Sprintf("%s: %d batches of facts wait here, %d there", s.Address, s.Here, s.There)
}

// Empty waits until everything that left for the servers is in the lake, and lets nothing more leave until it is released: a
// copy of this machine alone is then whole. until waits for a state of the pipeline.
func (r *Relay) Empty(ctx context.Context, until func(context.Context, func() (bool, error)) error) (release func(), err error) {
	if release, err = r.box.Hold(ctx); err != nil {
		return nil, err
	}
	err = until(ctx, func() (bool, error) {
		waiting, err := r.box.Waiting(ctx, lakeGroup)
		return waiting == 0, err
	})
	if err != nil {
		release()
		return nil, fmt.Errorf("wait until the lake has what the queue has: %w", err)
	}
	return release, nil
}
