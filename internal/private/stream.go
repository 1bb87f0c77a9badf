package private

import (
	"context"
	"errors"
	"slices"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/connect"
	"murmur/internal/private/internal/source/native"
	"murmur/internal/private/internal/source/strictjson"
	"murmur/internal/workspace"
)

// streamKind is the kind of a record that names none.
const streamKind = "native"

// Record is one record of the operator's own stream: one event of a workspace. Whoever may write to the stream is trusted as
// whoever holds the secret of a native source.
type Record struct {
	Workspace workspace.ID
	Kind      string // of its body, one for which StreamKind is true; empty: native
	ID        string // of the delivery, as its vendor calls it; empty: what a native event says, else its bytes decide
	Body      []byte // MaxBody at most
}

// Taken is what became of a record.
type Taken struct {
	// Why is what is wrong with a record that can be read neither now nor later by this version: it is in quarantine. WhyNone: it
	// can be read.
	Why fact.Why
	// Broken is why nothing can be taken for the record's workspace, so that this record was not; nil: it is durable.
	Broken error
}

// StreamName is the name under which deliveries of a stream are counted, and the connection whose ids they use. No source can be
// called so.
func StreamName(stream string) string { return "stream:" + stream }

// StreamKind reports whether records may be of a kind: of those that are connected, except where a mapping of the owner's is
// needed to read them.
func StreamKind(kind string) bool {
	s, _ := connect.For(kind)
	_, mapped := s.(source.Mapped)
	return slices.Contains(connect.Kinds(), kind) && !mapped
}

// WorkspaceIn is the workspace that a native event names; empty when it names none or cannot be read.
func WorkspaceIn(body []byte) string { return native.Source{}.Workspace(source.Delivery{Body: body}) }

// AcceptRecords seals records of a stream and makes them durable, all in one go. A workspace whose keys cannot be used does not
// hold up the others. After an error none was taken.
func (z *Zone) AcceptRecords(ctx context.Context, stream string, all []Record) ([]Taken, error) {
	taken := make([]Taken, len(all))
	deliveries := make([]source.Delivery, len(all))
	for i, r := range all {
		deliveries[i], taken[i].Why = z.readable(r)
	}
	for tries := 1; ; tries++ {
		var messages []journal.Message
		for start := 0; start < len(all); {
			end := start + 1
			for end < len(all) && all[end].Workspace == all[start].Workspace && all[end].Kind == all[start].Kind {
				end++
			}
			part, err := z.sealAll(all[start].Workspace, streamOrigin(stream, all[start].Kind), deliveries[start:end])
			for i := start; i < end; i++ {
				taken[i].Broken = err
			}
			messages, start = append(messages, part...), end
		}
		if len(messages) == 0 {
			return taken, nil
		}
		_, err := z.journal.Accept(ctx, messages...)
		if errors.Is(err, journal.ErrStale) && tries < 3 {
			continue
		}
		return taken, err
	}
}

// streamOrigin is where records of a kind come from. Ids of each vendor are its own.
func streamOrigin(stream, kind string) origin {
	o := origin{name: StreamName(stream), kind: kind, connection: StreamName(stream)}
	if o.kind == "" {
		o.kind = streamKind
	}
	if o.kind != streamKind {
		o.connection += "/" + kind
	}
	return o
}

// readable names the delivery of a record and says what is wrong with it. It is decoded once more when it is processed: here only
// the place of what cannot be read is known.
func (z *Zone) readable(r Record) (source.Delivery, fact.Why) {
	d := source.Delivery{ID: r.ID, Body: r.Body}
	o := streamOrigin("", r.Kind)
	if o.kind == streamKind && d.ID == "" {
		d.ID = strictjson.TextIn(r.Body, "delivery_id")
	}
	events, err := decode(envelope{origin: o, delivery: d}, z.now())
	if err != nil {
		if out := unusable(err); out.State == fact.Quarantined {
			return d, out.Why
		}
		return d, fact.WhyNone
	}
	for _, e := range events {
		if !plausible(e.At, z.now()) {
			return d, fact.WhyBadTime
		}
	}
	return d, fact.WhyNone
}
