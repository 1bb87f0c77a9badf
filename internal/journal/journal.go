// Package journal is the durable queue between the doors: deliveries come in, facts go out.
//
// Contract (package journaltest holds every implementation to it): Append is durable when it returns nil.
// A message is handed to each group at least once, in the order it was appended per Key. Transform's
// function is deterministic per message, so that redelivery is harmless; on one machine its outputs, the
// states and the cursor commit in one transaction. Payloads are sealed before they get here.
//
// What it does not protect against: a disk that acknowledges fsync and forgets.
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
	// States is a compacted topic: the last message of a delivery's ID is its state. On one machine it is
	// a column of the delivery's row.
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
	// ErrUnknown is returned for a delivery that is not in the journal, or no longer.
	ErrUnknown = errors.New("journal: unknown delivery")
	// ErrTooLarge is returned by Append for a payload over MaxPayload: nothing was accepted.
	ErrTooLarge = errors.New("journal: payload too large")
	// ErrAhead is returned by TransformFrom when the consumer has stored a position that the journal never gave
	// out: the journal is an older copy than the consumer's store, and new messages would pass for old ones.
	ErrAhead = errors.New("journal: the consumer is ahead of the journal")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("journal: closed")
)

// MaxPayload is the most a message may carry, in bytes: a body of 1 MiB and its seal.
const MaxPayload = 1<<20 + 64<<10

// Window is how long a delivery's ID is remembered at least.
const Window = 30 * 24 * time.Hour

// ID is a delivery's identity inside a workspace: a hash of (workspace, source, the vendor's delivery id).
type ID [16]byte

// Message is one record.
type Message struct {
	Topic     Topic
	Position  int64 // set by the journal: grows within a topic, gaps allowed
	ID        ID
	Workspace workspace.ID
	Source    fact.Label // the source's name, as a label
	Key       uint64     // order is kept per key
	At        time.Time  // when it was received
	Epoch     uint32     // the epoch key that seals Payload
	Payload   []byte     // sealed; at most 1 MiB + 64 KiB

	// For topic States only.
	State   fact.State
	Why     fact.Why
	Contact [16]byte // of the owner, zero: none
}

// Journal is the queue.
type Journal interface {
	// Append makes messages durable and reports how many were new: an ID accepted within the last 30 days is
	// counted as a duplicate and not stored again. ErrFull, or an I/O error, means that nothing was accepted.
	// Only Inbox knows duplicates: facts are idempotent in the lake, and a replayed delivery says its facts
	// again under the same ID. A message for States is not stored but sets its delivery's state; the state
	// Pending puts the delivery at the end of the inbox once more, and Erased is final.
	Append(ctx context.Context, m ...Message) (fresh int, err error)
	// Transform hands batches of from to f and commits what f returns with the group's cursor. It blocks until
	// ctx ends (nil) or f fails (its error). One consumer a group on one machine.
	Transform(ctx context.Context, from Topic, group string, f func(context.Context, []Message) ([]Message, error)) error
}

// Resumable is a Journal that can start a group where the consumer's own store says it stands.
type Resumable interface {
	Journal
	// TransformFrom is Transform for a consumer that commits the position with its effect (the lake writer:
	// exactly once). resume is asked once, when the group is already this consumer's alone; it gives the last
	// position whose effect is stored, or ok = false to start at the group's own cursor.
	TransformFrom(ctx context.Context, from Topic, group string, resume func(context.Context) (pos int64, ok bool, err error),
		f func(context.Context, []Message) ([]Message, error)) error
}

// Tally counts the deliveries of one source.
type Tally struct {
	In     int64                       // counted when they were accepted
	States [int(fact.Erased) + 1]int64 // by fact.State, counted from the deliveries themselves
}

// Sum is the number of deliveries that have a state. It equals In, or something has vanished.
func (t Tally) Sum() (n int64) {
	for _, c := range t.States {
		n += c
	}
	return n
}

// Trace is what is known of one delivery without opening it.
type Trace struct {
	Message           // without Payload
	Size    int       // of the payload in bytes, as accepted
	Sealed  bool      // the payload is still kept
	Since   time.Time // when State was set
}

// Backlog is what waits.
type Backlog struct {
	Pending int64     // deliveries not yet processed
	Oldest  time.Time // when the one that is next was received; zero when none waits
	Facts   int64     // messages of the topic Facts not yet in the lake
	Epoch   uint32    // the oldest epoch that still seals a payload of either topic; 0 when there is none
}

// Accounts is what the operator, the erasure and the key rotation need of the journal of one machine.
// Every method may be called from another process beside the server, and works in transactions of a bounded
// number of rows, so that Append is not held up.
type Accounts interface {
	// Counts tallies every delivery ever accepted by workspace and source.
	Counts(ctx context.Context) (map[workspace.ID]map[fact.Label]Tally, error)
	// Latest gives when the last new delivery of each source was received, of those not yet purged.
	Latest(ctx context.Context, w workspace.ID) (map[fact.Label]time.Time, error)
	// Trace gives one delivery's state and times; ErrUnknown when there is none.
	Trace(ctx context.Context, w workspace.ID, id ID) (Trace, error)
	// Sealed gives every delivery whose payload is still kept, until f fails.
	Sealed(ctx context.Context, f func(Message) error) error
	// Reasons counts the deliveries of one state by why they are in it.
	Reasons(ctx context.Context, w workspace.ID, s fact.State) ([]Reason, error)
	// Backlog is for readiness and metrics.
	Backlog(ctx context.Context) (Backlog, error)
	// Replay puts a workspace's deliveries of the given states whose payload is still kept at the end of the
	// inbox and reports how many. WhyNone means whatever the reason.
	Replay(ctx context.Context, w workspace.ID, states []fact.State, why fact.Why) (n int, err error)
	// Reseal hands every payload still needed (pending, held or quarantined deliveries, facts not yet in the
	// lake) that an epoch older than below seals to f and stores the Epoch and Payload of what f returns. An
	// error of f stops it; what was resealed before stays so.
	Reseal(ctx context.Context, below uint32, f func(Message) (Message, error)) (n int, err error)
	// DropPayloads forgets the payloads of settled deliveries that an epoch older than below seals.
	DropPayloads(ctx context.Context, below uint32) (n int, err error)
	// DropOlder forgets the payloads of a workspace's settled deliveries that were received before t.
	DropOlder(ctx context.Context, w workspace.ID, t time.Time) (n int, err error)
	// Lapse ends what waited too long: deliveries held since before the first time become Refused, quarantined ones
	// received before the second lose their payload.
	Lapse(ctx context.Context, held, quarantined time.Time) (n int, err error)
	// MarkErased makes every delivery of the contacts Erased and forgets its payload and its contact.
	MarkErased(ctx context.Context, w workspace.ID, contacts [][16]byte) (n int, err error)
	// Unlink forgets the contact of every delivery received before t.
	Unlink(ctx context.Context, t time.Time) (n int, err error)
	// Purge forgets settled deliveries older than Window; they stay counted, and their IDs may come again.
	Purge(ctx context.Context) (n int, err error)
	// Backup writes one consistent copy to a file that must not exist.
	Backup(ctx context.Context, path string) error
}

// Settled reports whether a delivery in state s is done with: its payload is no longer needed.
func Settled(s fact.State) bool {
	return s != fact.Pending && s != fact.Held && s != fact.Quarantined
}

// Reason is how many deliveries are in a state for one reason, and when the oldest of them was received.
type Reason struct {
	Why        fact.Why
	Deliveries int64
	Oldest     time.Time
}
