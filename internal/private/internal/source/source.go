// Package source says what a connector is: it verifies what a vendor sent and decodes it.
//
// Zone: RED. A connector has no clock and no network: Verify gets the time, Decode is pure, so that
// redelivery and replay give the same facts. What a connector can do beyond that is found by assertion:
// Splitter and Tenanted here; Poller, Fetcher, Controller and Registrar ask the vendor through an API that
// they are given (api.go), so that the connector itself still reaches no network.
package source

import (
	"errors"
	"net/http"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
)

// Delivery is one verified body: the unit that `murmur status` counts.
type Delivery struct {
	// ID is the vendor's id of the delivery (webhook-id, event_id). Two deliveries with one ID are one.
	// Empty: the hash of the body stands for it.
	ID   string
	Body []byte
}

// Source is a connector.
type Source interface {
	// Verify checks the signature over the raw body with any of the live secrets (at most two while a secret
	// is rotated), in constant time. It returns ErrSignature, or ErrNoKey without a secret.
	Verify(h http.Header, body []byte, secrets []string, now time.Time) (Delivery, error)
	// Decode gives the events of a delivery. No events and a *Verdict say what became of it instead.
	// Unknown fields are kept out of the way, never an error.
	Decode(Delivery) ([]event.Event, error)
}

// Splitter cuts a batch into deliveries of their own, each with its own state.
type Splitter interface {
	Split(Delivery) ([]Delivery, error)
}

// Tenanted reads the workspace that a delivery names, for an operator who feeds many workspaces through
// one trusted credential. Empty: the delivery names none. Nothing here acts on it.
type Tenanted interface{ Workspace(Delivery) string }

// Addressed is a connector whose signatures cover the address that the vendor called.
type Addressed interface {
	// At is the connector at any of these URLs: which one the vendor called is not known behind a proxy, and the signature
	// tells.
	At(urls ...string) Source
}

// Mapped is a connector that reads bodies after a mapping of its owner.
type Mapped interface {
	// With is the connector with a mapping; an error names the key at fault.
	With(mapping []byte) (Source, error)
}

// Lines is a file cut into rows, each a native murmur.v1 line, read once and in order. It stops early
// when yield returns false. A row that cannot be read comes as a verdict with its line number (from 1), and with
// what tells it from another row in the place of the native line: its text, or a digest; reading goes on. The error is about the
// file itself.
type Lines interface {
	Rows(yield func(line int, row []byte, bad *Verdict) bool) error
}

var (
	// ErrSignature refuses a body: HTTP 401. Nothing of it is kept.
	ErrSignature = errors.New("source: the signature does not match")
	// ErrNoKey says that no secret is configured: HTTP 503, the vendor retries.
	ErrNoKey = errors.New("source: no secret is configured")
)

// Verdict says that a delivery has no events, and why: ignored or quarantined. It carries no content.
type Verdict struct {
	State fact.State
	Why   fact.Why
	Field string // the name of the field at fault, from a closed set; never a value
}

func (v *Verdict) Error() string { return "source: delivery is not usable, field " + v.Field }

// Ignore and Quarantine make verdicts.
func Ignore(why fact.Why) *Verdict { return &Verdict{State: fact.Ignored, Why: why} }

// Quarantine keeps the delivery sealed until a replay.
func Quarantine(why fact.Why, field string) *Verdict {
	return &Verdict{State: fact.Quarantined, Why: why, Field: field}
}
