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

// ErrFull is returned by Append when the disk is full: nothing was accepted, try again later.
var ErrFull = errors.New("journal: no space left")

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
	Append(ctx context.Context, m ...Message) (fresh int, err error)
	// Transform hands batches of from to f and commits what f returns with the group's cursor. It blocks until
	// ctx ends (nil) or f fails (its error). One consumer a group on one machine.
	Transform(ctx context.Context, from Topic, group string, f func(context.Context, []Message) ([]Message, error)) error
}
