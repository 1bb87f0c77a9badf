package private

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"sync"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/source"
	"murmur/internal/safe"
	"murmur/internal/workspace"
)

// MaxBody is the largest delivery, in bytes.
const MaxBody = 1 << 20

var (
	// ErrSignature: the signature does not prove the sender of the body (401).
	ErrSignature = errors.New("the signature does not match")
	// ErrNoKey: the source has no secret yet (503: the vendor tries again).
	ErrNoKey = errors.New("the source has no signing secret")
	// ErrMalformed: a batch that cannot be cut into deliveries (400). A single delivery is never malformed:
	// murmur accepts an unreadable one, keeps it sealed and quarantines it.
	ErrMalformed = errors.New("the batch cannot be read")
	// ErrTooLarge: a delivery over MaxBody (413).
	ErrTooLarge = errors.New("the delivery is larger than 1 MiB")
)

// Accepted says what Accept made durable.
type Accepted struct {
	Deliveries int // in the body
	Fresh      int // of them new; the rest were accepted before
}

// Accept verifies one body of a source, seals it and makes it durable. When it returns nil, every delivery of
// the body is on disk. Nothing is parsed beyond what the signature and a batch's cuts need. urls are the addresses that the
// vendor may have called, for kinds that sign theirs.
func (z *Zone) Accept(ctx context.Context, src workspace.Source, h http.Header, body []byte, urls ...string) (Accepted, error) {
	if len(body) > MaxBody {
		return Accepted{}, ErrTooLarge
	}
	s, err := connector(src, urls)
	if err != nil {
		return Accepted{}, err
	}
	d, err := s.Verify(h, body, src.Secrets, z.now())
	switch {
	case errors.Is(err, source.ErrNoKey):
		return Accepted{}, ErrNoKey
	case err != nil:
		return Accepted{}, ErrSignature
	}
	all := []source.Delivery{d}
	if splitter, ok := s.(source.Splitter); ok {
		if all, err = splitter.Split(d); err != nil {
			return Accepted{}, ErrMalformed
		}
	}
	if err := z.admit(ctx, src.Workspace, len(all)); err != nil {
		return Accepted{}, err
	}
	a, err := z.append(ctx, src.Workspace, from(src), all)
	if err != nil {
		return a, err
	}
	return a, z.hungUp(ctx, src, d)
}

// origin is where deliveries come from: the name under which they are counted, the kind that decodes them, and the
// connection whose ids they use (workspace.Source.IDs); empty is murmur's own.
type origin struct{ name, kind, connection string }

func from(src workspace.Source) origin { return origin{src.Name, src.Kind, src.IDs()} }

// append seals deliveries and journals them. Should the day have ended between the two, they are sealed again.
func (z *Zone) append(ctx context.Context, ws workspace.ID, o origin, all []source.Delivery) (Accepted, error) {
	for tries := 1; ; tries++ {
		messages, err := z.sealAll(ws, o, all)
		if err != nil {
			return Accepted{}, err
		}
		fresh, err := z.journal.Accept(ctx, messages...)
		if errors.Is(err, journal.ErrStale) && tries < 3 {
			continue
		}
		if err != nil {
			return Accepted{}, err
		}
		return Accepted{Deliveries: len(all), Fresh: fresh}, nil
	}
}

func (z *Zone) sealAll(ws workspace.ID, o origin, all []source.Delivery) ([]journal.Message, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return nil, err
	}
	label := identity.Label(key, fact.DimSource, 0, o.name)
	now := z.now()
	messages := make([]journal.Message, len(all))
	plain := envelopes.Get().(*envelopeRoom)
	defer plain.give()
	for i, d := range all {
		if len(d.Body) > MaxBody {
			return nil, ErrTooLarge
		}
		id := identity.DeliveryID(key, o.name, deliveryName(d))
		epoch, sealed, err := z.ring.Seal(ws, keyring.TopicInbox, id, sealVersion, plain.take(envelope{origin: o, delivery: d}))
		if err != nil {
			return nil, safe.Wrap("seal delivery", err)
		}
		messages[i] = journal.Message{
			Topic: journal.Inbox, ID: id, Workspace: ws, Source: label, Key: binary.BigEndian.Uint64(id[:8]), At: now,
			Epoch: epoch, Payload: sealed,
		}
	}
	return messages, nil
}

// deliveryName is the vendor's id of a delivery, or the hash of its body.
func deliveryName(d source.Delivery) string {
	if d.ID != "" {
		return d.ID
	}
	sum := sha256.Sum256(d.Body)
	return "sha256:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// EventID is the journal's id of a delivery of a source, as `murmur doctor EVENT-ID` looks it up: the vendor's
// own id (webhook-id, event_id) under every source of the workspace.
func (z *Zone) EventID(ws workspace.ID, source, vendorID string) (journal.ID, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return journal.ID{}, err
	}
	return identity.DeliveryID(key, source, vendorID), nil
}

// SourceLabel is the label under which a source's deliveries are counted.
func (z *Zone) SourceLabel(ws workspace.ID, name string) (fact.Label, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return 0, err
	}
	return identity.Label(key, fact.DimSource, 0, name), nil
}

// envelope is the plaintext of a sealed delivery: version, then kind, source name, connection and delivery id, each with
// its length in two bytes, then the body (docs/format/journal.md). Version 1 had no connection.
type envelope struct {
	origin
	delivery source.Delivery
}

const envelopeVersion = 2

// envelopeRoom is room for an envelope until it is sealed, used again for the next.
type envelopeRoom struct{ b []byte }

var envelopes = sync.Pool{New: func() any { return new(envelopeRoom) }}

// take writes an envelope; it stays until the next.
func (r *envelopeRoom) take(e envelope) []byte {
	r.b = e.append(r.b[:0])
	return r.b
}

// give empties the room and gives it back, unless it is large.
func (r *envelopeRoom) give() {
	if clear(r.b[:cap(r.b)]); cap(r.b) <= 64<<10 {
		envelopes.Put(r)
	}
}

func (e envelope) bytes() []byte { return e.append(nil) }

func (e envelope) append(b []byte) []byte {
	b = slices.Grow(b, 9+len(e.kind)+len(e.name)+len(e.connection)+len(e.delivery.ID)+len(e.delivery.Body))
	b = append(b, envelopeVersion)
	for _, s := range []string{e.kind, e.name, e.connection, e.delivery.ID} {
		if len(s) > 1<<16-1 {
			s = s[:1<<16-1]
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	return append(b, e.delivery.Body...)
}

func readEnvelope(b []byte) (e envelope, ok bool) {
	if len(b) == 0 || b[0] < 1 || b[0] > envelopeVersion {
		return envelope{}, false
	}
	parts := []*string{&e.kind, &e.name, &e.connection, &e.delivery.ID}
	if b[0] == 1 {
		parts = []*string{&e.kind, &e.name, &e.delivery.ID}
	}
	b = b[1:]
	for _, s := range parts {
		if len(b) < 2 {
			return envelope{}, false
		}
		n := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; len(b) < n {
			return envelope{}, false
		}
		*s, b = string(b[:n]), b[n:]
	}
	e.delivery.Body = b
	return e, true
}
