// Package journal is the durable queue between the doors: deliveries come in, facts go out.
//
// Contract (package queuetest holds every queue to it): Append is durable when it returns nil. A message is handed to
// each group at least once, in the order it was appended per Key. Transform's function is deterministic per message, so
// that redelivery is harmless; on one machine its outputs, the states and the cursor commit in one transaction, on
// servers (ErrAway) the outputs are durable before the cursor moves. Payloads
// are sealed before they get here. The queue does not know the state of a delivery, whether it is a duplicate, or whose
// it is: the book of package deliveries does.
//
// What it does not protect against: a disk that acknowledges fsync and loses the data.
package journal

import (
	"context"
	"errors"
	"time"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Topic is a stream of messages.
type Topic string

const (
	Inbox Topic = "inbox" // sealed deliveries
	Facts Topic = "facts" // sealed batches of finished facts
	// Parked has batches of facts that the lake could not take; they are kept for an operator.
	Parked Topic = "parked"
	// States is a compacted topic: the last message of a delivery's ID is its state. The book of deliveries follows
	// it; on one machine it is written into the book at once.
	States Topic = "states"
)

// Errors that callers branch on.
var (
	// ErrFull is returned by Append when the disk is full: nothing was accepted, try again later.
	ErrFull = errors.New("journal: no space left")
	// ErrBroken is returned after the storage failed (an fsync, a read, a damaged page): what was being
	// written may or may not survive, and nothing more is accepted until the journal is opened anew.
	ErrBroken = errors.New("journal: storage failed")
	// ErrTaken is returned by Transform when the group has a consumer already.
	ErrTaken = errors.New("journal: the group has another consumer")
	// ErrNewer is returned when the data was written by a newer version.
	ErrNewer = errors.New("journal: written by a newer version")
	// ErrTooLarge is returned by Append for a payload over MaxPayload: nothing was accepted.
	ErrTooLarge = errors.New("journal: payload too large")
	// ErrAhead is returned by Transform when the consumer has stored a position that the queue never gave out:
	// the queue is an older copy than the consumer's store, and the consumer would take new messages for old ones.
	ErrAhead = errors.New("journal: the consumer is ahead of the journal")
	// ErrStale is returned for a payload sealed under an epoch that was retired meanwhile: nothing was accepted;
	// seal it again, or read it again where it was carried over.
	ErrStale = errors.New("journal: sealed under an epoch that has ended")
	// ErrEarly is returned by a Stage that wants a larger batch, or wants to read the messages again: nothing is consumed, and
	// the same messages come again a little later, with those that came in meanwhile.
	ErrEarly = errors.New("journal: too few messages yet")
	// ErrAway is returned while the queue's servers do not answer. The messages of an Append may be in the queue all the same,
	// and come twice when they are appended again; nothing was consumed. Try again later.
	ErrAway = errors.New("journal: the queue does not answer")
	// ErrUnfit is returned when a topic on the queue's servers is not made as the queue needs it.
	ErrUnfit = errors.New("journal: the topic is not made as murmur needs it")
	// ErrTrust is returned when the queue's servers do not let murmur in, or are not those they should be.
	ErrTrust = errors.New("journal: the queue and murmur do not trust each other")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("journal: closed")
)

// MaxPayload is the most a message may carry, in bytes: a body of 1 MiB and its seal.
const MaxPayload = 1<<20 + 64<<10

// MaxBatch is the most messages that Transform hands over at once.
const MaxBatch = 512

// ID is a delivery's identity inside a workspace: a hash of (workspace, source, the vendor's delivery id).
type ID [16]byte

// Position is a place in one partition of a topic. Its bytes are the queue's own: a consumer keeps one, compares it with
// == and hands it back. The empty one lies before the first message.
type Position string

// Message is one record.
type Message struct {
	Topic     Topic
	Partition int32    // set by the queue; 0 where there is one
	Position  Position // set by the queue
	ID        ID
	Workspace workspace.ID
	Source    fact.Label // the source's name, as a label
	Key       uint64     // order is kept per key
	At        time.Time  // when it was received
	Epoch     uint32     // the epoch key that seals Payload
	Payload   []byte     // sealed; at most MaxPayload

	Why fact.Why // for topics States and Parked

	// For topic States only. A state that waits (Held, Quarantined) brings Epoch and Payload, for a replay.
	State   fact.State
	Contact [16]byte // of the owner, zero: none
	About   Subject  // whose agreement a Held one waits for
}

// Subject is who or what a delivery waits for: a call, a contact. A zero field stands for any.
type Subject struct{ Call, Contact [16]byte }

// Stage turns a batch of one partition, at most MaxBatch messages, into what is appended with the group's cursor.
type Stage = func(context.Context, []Message) ([]Message, error)

// Queue moves messages.
type Queue interface {
	// Append makes messages durable. ErrFull, ErrStale or an I/O error means that nothing was accepted, ErrAway that the messages may or may
	// not have been accepted. Deliveries come in through the book (deliveries.Store.Accept), which knows duplicates; facts are idempotent in
	// the lake.
	Append(ctx context.Context, m ...Message) error
	// Transform hands batches to f and commits what f returns with the group's cursor. It blocks until ctx ends (nil)
	// or f fails (its error). One consumer a group and partition. A delivery stays until it is settled, another
	// message at least until every group that ever read the topic is behind it.
	Transform(ctx context.Context, r Reader, f Stage) error
}

// Reader says who reads what.
type Reader struct {
	Topic Topic
	Group string
	// Resume is for a consumer that commits the position with its effect (the lake writer: exactly once). It is asked
	// for each partition when that is this consumer's alone, and gives the last position whose effect is stored, or
	// "" to start at the group's own cursor. nil: always the cursor.
	Resume func(ctx context.Context, partition int32) (Position, error)
	// Limit is asked before each batch how many messages it may have. nil: MaxBatch.
	Limit func() int
}

// Most is how many messages the next batch may have.
func (r Reader) Most() int {
	if r.Limit == nil {
		return MaxBatch
	}
	return min(max(r.Limit(), 1), MaxBatch)
}
