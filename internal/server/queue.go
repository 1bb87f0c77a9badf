package server

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"murmur/internal/deliveries"
	"murmur/internal/journal"
	"murmur/internal/journal/kafka"
	"murmur/internal/journal/outbox"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// What Config.Queue may say beside an address and nothing, which is what the directory remembers.
const (
	QueueNone = "none" // facts go straight into the lake again; refused while some wait on the servers
	QueueLost = "lost" // the same, whatever waits there is given up
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

// errQueueBusy is returned when facts wait in a queue that is to be left.
var errQueueBusy = errors.New("facts wait on the servers of the queue that is to be left")

// queue is where facts go on their way to the lake, when that is not the journal's file.
type queue struct {
	address string
	servers *kafka.Queue
	box     *outbox.Outbox
}

// openQueue sends facts to the queue that the configuration names, or that the directory stores. It asks no server,
// except whether a queue that is left is empty.
func (n *Node) openQueue(ctx context.Context, wanted, password string) error {
	if password != "" {
		if err := n.keepSecret(ctx, settingPassword, password); err != nil {
			return fmt.Errorf("remember the password of the queue: %w", err)
		}
	}
	remembered, number, err := n.rememberedQueue(ctx)
	if err != nil {
		return err
	}
	if wanted == "" {
		wanted = remembered
	}
	lost := wanted == QueueLost
	if lost || wanted == QueueNone {
		wanted = ""
	}
	next, err := n.queueConfig(ctx, wanted)
	if err != nil {
		return err
	}
	old, err := n.queueConfig(ctx, remembered)
	if err != nil {
		return err
	}
	if old.Prefix != next.Prefix {
		if remembered != "" && !lost {
			if err := n.leaveQueue(ctx, old, number); err != nil {
				return err
			}
		}
		number++
	}
	if wanted != "" {
		wanted = next.String()
	}
	if wanted != remembered {
		if err := n.rememberQueue(ctx, wanted, number); err != nil {
			return err
		}
	}
	if wanted == "" {
		return nil
	}
	if n.queue, err = n.newQueue(next, number); err != nil {
		return err
	}
	n.journal = relayed{n.journal, n.queue}
	return nil
}

// queueConfig reads an address. Without a prefix it is the installation's own, so that two never meet.
func (n *Node) queueConfig(ctx context.Context, address string) (c kafka.Config, err error) {
	if address == "" {
		return c, nil
	}
	if c, err = kafka.Address(address); err != nil {
		return c, err
	}
	if c.Prefix == "" {
		own := n.ring.Root().Derive("murmur queue 1")
		c.Prefix = "murmur-" + hex.EncodeToString(own[:4])
	}
	if c.User != "" {
		if c.Password, err = n.keptSecret(ctx, settingPassword); err != nil {
			return c, err
		}
	}
	c.Unreadable = func(t journal.Topic) {
		n.log.Error("a record of the queue is not of murmur's making, and was put aside", "topic", string(t))
	}
	return c, nil
}

func (n *Node) newQueue(c kafka.Config, number int32) (*queue, error) {
	servers, err := kafka.Open(c)
	if err != nil {
		return nil, err
	}
	return &queue{c.String(), servers, &outbox.Outbox{File: n.journal, Servers: servers, Partition: number}}, nil
}

// leaveQueue refuses to leave facts behind.
func (n *Node) leaveQueue(ctx context.Context, c kafka.Config, number int32) error {
	q, err := n.newQueue(c, number)
	if err != nil {
		return err
	}
	defer func() { _ = q.servers.Close() }()
	ctx, cancel := context.WithTimeout(ctx, queueTime)
	defer cancel()
	waiting, err := q.box.Waiting(ctx, lakeGroup)
	if err == nil && waiting > 0 {
		err = fmt.Errorf("%d messages: %w", waiting, errQueueBusy)
	}
	if err != nil {
		return fmt.Errorf("leave the queue %s: %w", q.address, err)
	}
	return nil
}

// queueTime is how long a starting server asks after its queue.
const queueTime = 5 * time.Second

// checkQueue says at the start what is wrong with the topic. Servers that do not answer are no reason not to start:
// deliveries are taken, and their facts wait.
func (n *Node) checkQueue(ctx context.Context) error {
	if n.queue == nil {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, queueTime)
	defer cancel()
	err := n.queue.servers.Check(bounded, journal.Facts)
	if errors.Is(err, journal.ErrUnfit) {
		return err
	}
	if err != nil && ctx.Err() == nil {
		n.log.Warn("the queue does not answer; deliveries are taken all the same", "error", err)
	}
	return ctx.Err()
}

func (n *Node) rememberedQueue(ctx context.Context) (address string, number int32, err error) {
	if address, err = n.setting(ctx, settingQueue); err != nil {
		return "", 0, err
	}
	text, err := n.setting(ctx, settingQueues)
	if err != nil || text == "" {
		return address, 0, err
	}
	k, err := strconv.ParseInt(text, 10, 32)
	return address, int32(k), err
}

func (n *Node) setting(ctx context.Context, key string) (value string, err error) {
	err = n.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE key = ?`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read a setting: %w", err)
	}
	return value, nil
}

func (n *Node) rememberQueue(ctx context.Context, address string, number int32) error {
	return n.set(ctx, map[string]string{settingQueue: address, settingQueues: strconv.Itoa(int(number))})
}

// keepSecret keeps a setting sealed, as secrets of sources are.
func (n *Node) keepSecret(ctx context.Context, key, secret string) error {
	if err := n.ring.Create(workspace.Default); err != nil {
		return fmt.Errorf("make the workspace's keys: %w", err)
	}
	sealed, err := n.ring.SealLasting(workspace.Default, key, [16]byte{}, []byte(secret))
	if err != nil {
		return err
	}
	return n.set(ctx, map[string]string{key: base64.StdEncoding.EncodeToString(sealed)})
}

// keptSecret is a setting that was kept sealed; "" for none.
func (n *Node) keptSecret(ctx context.Context, key string) (string, error) {
	text, err := n.setting(ctx, key)
	if err != nil || text == "" {
		return "", err
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("read the password of the queue: %w", err)
	}
	secret, err := n.ring.OpenLasting(workspace.Default, key, [16]byte{}, sealed)
	return string(secret), err
}

func (n *Node) set(ctx context.Context, settings map[string]string) error {
	err := n.db.Tx(ctx, func(tx *sql.Tx) error {
		for key, value := range settings {
			if _, err := tx.ExecContext(ctx, `INSERT INTO settings VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2`, key, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep a setting: %w", err)
	}
	return nil
}

// relayed is the engine of one machine whose facts go through servers.
type relayed struct {
	engine
	queue *queue
}

func (r relayed) Transform(ctx context.Context, of journal.Reader, f journal.Stage) error {
	return r.queue.box.Transform(ctx, of, f)
}

// Backlog implements deliveries.Store. While the servers do not answer, it counts one waiting message there, so that
// callers neither block nor take the servers for empty.
func (r relayed) Backlog(ctx context.Context) (deliveries.Backlog, error) {
	b, err := r.engine.Backlog(ctx)
	if err != nil {
		return b, err
	}
	waiting, err := r.queue.box.Waiting(ctx, lakeGroup)
	if err != nil {
		waiting = 1
	}
	b.Facts += waiting
	return b, ctx.Err()
}

func (r relayed) Close() error { return errors.Join(r.queue.servers.Close(), r.engine.Close()) }

// queueStatus is nil where facts do not leave the machine.
func (n *Node) queueStatus(ctx context.Context) (*rpc.QueueStatus, error) {
	r, ok := n.journal.(relayed)
	if !ok {
		return nil, nil
	}
	s := &rpc.QueueStatus{Address: r.queue.address}
	b, err := r.engine.Backlog(ctx)
	if err != nil {
		return nil, err
	}
	s.Here = b.Facts
	if s.There, err = r.queue.box.Waiting(ctx, lakeGroup); err != nil {
		s.Error = describe(err)
	}
	return s, nil
}

// emptyQueue waits until everything that left for the servers is in the lake, and lets nothing more leave until it is
// released: a copy of this machine alone is then whole.
func (n *Node) emptyQueue(ctx context.Context) (release func(), err error) {
	if n.queue == nil {
		return func() {}, nil
	}
	if release, err = n.queue.box.Hold(ctx); err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = n.until(bounded, func() (bool, error) {
		waiting, err := n.queue.box.Waiting(bounded, lakeGroup)
		return waiting == 0, err
	})
	if err != nil {
		release()
		return nil, fmt.Errorf("wait until the lake has what the queue has: %w", err)
	}
	return release, nil
}
