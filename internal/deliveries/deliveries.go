// Package deliveries is the book of accepted deliveries: it stores one state for each, counts them in two independent
// ways, recognises duplicates, and erases by contact.
//
// It is apart from the queue (package journal), which only moves messages. On one machine book and queue are one file
// and one transaction; where the queue is elsewhere, the book follows its topics. Package storetest holds every store to
// the contract.
//
// What it does not protect against: a reader of its tables learns when a source delivered and, until Unlink, which
// deliveries belong to one pseudonym.
package deliveries

import (
	"context"
	"errors"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// Window is how long a delivery's ID is remembered at least.
const Window = 30 * 24 * time.Hour

// ErrUnknown is returned for a delivery that is not in the book, or no longer.
var ErrUnknown = errors.New("deliveries: unknown delivery")

// ErrMoved is returned by Settle when the caller's decisions no longer hold: nothing was accepted, decide anew.
var ErrMoved = errors.New("deliveries: what was decided no longer holds")

// ErrRead is returned by Forget while somebody reads an older state.
var ErrRead = errors.New("deliveries: an older state is being read")

// Settled reports whether a delivery in state s is done with. The book then keeps its workspace, ID, times and contact;
// its payload is gone.
func Settled(s fact.State) bool {
	return s != fact.Pending && s != fact.Held && s != fact.Quarantined
}

// Store is the book. Every method may be called from another process beside the server, and works in transactions of a
// bounded number of rows, so that Accept is not held up.
type Store interface {
	Intake

	// Counts tallies every delivery ever accepted by workspace and source.
	Counts(ctx context.Context) (map[workspace.ID]map[fact.Label]Tally, error)
	// Latest gives when the last new delivery of each source was received.
	Latest(ctx context.Context, w workspace.ID) (map[fact.Label]time.Time, error)
	// Trace gives one delivery's state and times; ErrUnknown when there is none.
	Trace(ctx context.Context, w workspace.ID, id journal.ID) (Trace, error)
	// Sealed gives every delivery whose payload is still kept, until f fails.
	Sealed(ctx context.Context, f func(journal.Message) error) error
	// Reasons counts the deliveries of one state that is not settled by why they are in it.
	Reasons(ctx context.Context, w workspace.ID, s fact.State) ([]Reason, error)
	// Backlog is for readiness and metrics.
	Backlog(ctx context.Context) (Backlog, error)

	// Replay puts a workspace's held or quarantined deliveries at the end of the inbox and reports how many. WhyNone
	// means whatever the reason.
	Replay(ctx context.Context, w workspace.ID, states []fact.State, why fact.Why) (n int, err error)
	// ReplayHeld puts the deliveries that wait for the agreement of one of the subjects at the end of the inbox. A
	// delivery that names no call, or no contact, matches every subject.
	ReplayHeld(ctx context.Context, w workspace.ID, of []journal.Subject) (n int, err error)

	// Parked counts the batches of facts of each workspace that the lake could not take.
	Parked(ctx context.Context) (map[workspace.ID]int64, error)
	// Unpark gives the parked batches of a workspace to the lake again and reports how many.
	Unpark(ctx context.Context, w workspace.ID) (n int, err error)

	// Retire ends the epochs of a workspace before below: from now on nothing that they seal is accepted or kept
	// (journal.ErrStale). What they seal already stays, for Reseal.
	Retire(ctx context.Context, w workspace.ID, below uint32) error
	// Unretire lowers to today what was retired at tomorrow or later, in every workspace: a clock that was ahead for a while and
	// is right again must not keep a house shut until its day comes.
	Unretire(ctx context.Context, today, tomorrow uint32) error
	// Reseal hands every payload of a workspace that an epoch older than below seals to f and stores the Epoch and
	// Payload of what f returns. An error of f stops it; what was resealed before stays so.
	Reseal(ctx context.Context, w workspace.ID, below uint32, f func(journal.Message) (journal.Message, error)) (n int, err error)
	// Epoch is the oldest epoch that still seals a payload of the workspace; 0 when there is none.
	Epoch(ctx context.Context, w workspace.ID) (uint32, error)

	// Lapse ends deliveries that waited too long in a workspace: deliveries held that were received before the
	// first time become Refused, quarantined ones received before the second lose their payload.
	Lapse(ctx context.Context, w workspace.ID, held, quarantined time.Time) (n int, err error)
	// MarkErased makes every delivery of the contacts Erased and forgets its payload and its contact.
	MarkErased(ctx context.Context, w workspace.ID, contacts [][16]byte) (n int, err error)
	// Unlink forgets the contact of every delivery of a workspace received before t.
	Unlink(ctx context.Context, w workspace.ID, t time.Time) (n int, err error)
	// Purge forgets settled deliveries older than Window; they stay counted, and their IDs may come again.
	Purge(ctx context.Context) (n int, err error)
	// Load counts what of a workspace waits (not settled), and what it got that was new since a moment; the zero one: 0.
	Load(ctx context.Context, w workspace.ID, since time.Time) (waiting, received int64, err error)
	// Forget leaves nothing of a workspace, neither in the book nor in the queue, and reports how many deliveries there were.
	// Nothing may be accepted for it meanwhile. ErrRead while an older state is still being read: then something may be left
	// in a file, and it must be done again.
	Forget(ctx context.Context, w workspace.ID) (n int, err error)
	// Shrink gives room that is no longer used back to the file system and reports how many bytes.
	Shrink(ctx context.Context) (freed int64, err error)
}

// Intake takes deliveries in.
type Intake interface {
	// Accept makes deliveries durable, in the book and in the inbox, and reports how many were new: an ID accepted
	// within Window is counted as a duplicate and not stored again. An error means that nothing was accepted:
	// journal.ErrFull, or journal.ErrStale for one that was sealed too long ago.
	Accept(ctx context.Context, m ...journal.Message) (fresh int, err error)
	// Settle accepts deliveries that their caller has decided already, without the inbox: each with State, Why and
	// Contact, a Held or Quarantined one with its payload, and one known to have come before as a Duplicate, which is
	// only counted. In the same transaction it appends their facts. It reports for each whether it was new; a known
	// delivery keeps its state. Inside the transaction Settle calls still, which reports whether the decisions still
	// hold: if not, nothing is accepted and the error is ErrMoved.
	Settle(ctx context.Context, still func() bool, done, facts []journal.Message) (fresh []bool, err error)
	// Known gives the states of those of the IDs that are in the book.
	Known(ctx context.Context, w workspace.ID, ids []journal.ID) (map[journal.ID]fact.State, error)
}

// Tally counts the deliveries of one source.
type Tally struct {
	In     int64                       // counted when they were accepted
	States [int(fact.Erased) + 1]int64 // by fact.State, counted from what waits and as each was settled
}

// Sum is the number of deliveries that have a state. When it differs from In, deliveries were lost.
func (t Tally) Sum() (n int64) {
	for _, c := range t.States {
		n += c
	}
	return n
}

// Trace is what is known of one delivery without opening it.
type Trace struct {
	journal.Message           // without Payload
	Size            int       // of the payload in bytes; 0 when it is gone
	Since           time.Time // when State was set
}

// Backlog is what waits.
type Backlog struct {
	Pending int64     // deliveries not yet processed
	Oldest  time.Time // when the one that is next was received; zero when none waits
	Facts   int64     // messages of the topic Facts not yet in the lake
}

// Reason is how many deliveries are in a state for one reason, and when the oldest of them was received.
type Reason struct {
	Why        fact.Why
	Deliveries int64
	Oldest     time.Time
}

// Engine holds the queue and the book: on one machine they are one file. The line that opens it is all that knows what it is.
type Engine interface {
	journal.Queue
	Store
	Check(ctx context.Context) (faults []string, err error)
	Backup(ctx context.Context, path string) error // no sealed delivery is in it
	PassOver(ctx context.Context, pos journal.Position) error
	Close() error
}
