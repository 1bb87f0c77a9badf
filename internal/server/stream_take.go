package server

import (
	"context"
	"errors"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private"
	"murmur/internal/stream"
	"murmur/internal/workspace"
)

// The headers of a record. docs/stream.md.
const (
	headerWorkspace = "murmur-workspace"
	headerKind      = "murmur-kind"
	headerID        = "murmur-id"
)

// Why a record is put aside, beside the reasons of quarantine. Those that wait are read again by themselves; the others once their
// reason is gone and the group is set back.
const (
	asideNone    = "no-workspace"
	asideTwo     = "two-workspaces"
	asideUnknown = "unknown-workspace"
	asideKind    = "unknown-kind"
	asideLarge   = "too-large"
	asideGone    = "gone" // its servers deleted it before there was room

	asideLimit     = "limit"
	asideSuspended = "suspended"
	asideKeys      = "keys"
)

func waits(why string) bool { return why == asideLimit || why == asideSuspended || why == asideKeys }

// doorOf says which workspace a record belongs to and how it is read, or why it is put aside. The name of a workspace that is not
// known here is dropped: it may be anything.
func doorOf(r stream.Record) (in private.Record, why string) {
	in.Body = r.Value
	said := map[string]string{}
	for _, h := range r.Headers {
		if before, ok := said[h.Name]; ok && before != h.Value && h.Name == headerWorkspace {
			return in, asideTwo
		}
		said[h.Name] = h.Value
	}
	in.Kind, in.ID = said[headerKind], said[headerID]
	if len(r.Value) > private.MaxBody {
		why = asideLarge
	}
	name := said[headerWorkspace]
	if why == "" && (in.Kind == "" || in.Kind == "native") {
		switch own := private.WorkspaceIn(r.Value); {
		case name == "":
			name = own
		case own != "" && own != name:
			return in, asideTwo
		}
	}
	if name == "" {
		return in, asideNone
	}
	ws, err := workspace.Parse(name)
	if err != nil {
		return in, asideUnknown
	}
	if in.Workspace = ws; why == "" && in.Kind != "" && !private.StreamKind(in.Kind) {
		why = asideKind
	}
	return in, why
}

// letIn says why a workspace may not have one more record now, empty: it may.
func (n *Node) letIn(ctx context.Context, ws workspace.ID) (why string, err error) {
	ok, err := n.paced(ctx, ws)
	if err == nil && ok {
		err = n.admit(ctx, ws, 1)
	}
	switch {
	case errors.Is(err, workspace.ErrNotFound):
		return asideUnknown, nil
	case errors.Is(err, workspace.ErrSuspended):
		return asideSuspended, nil
	case errors.Is(err, workspace.ErrLimit), err == nil && !ok:
		return asideLimit, nil
	}
	return "", err
}

// take makes a batch of the stream durable: each record is a delivery, or put aside. Once it returns nil the group may move on.
func (s *streaming) take(ctx context.Context, all []stream.Record) error {
	if err := s.node.room(ctx); err != nil {
		return err
	}
	s.lane.Lock()
	defer s.lane.Unlock()
	return s.accept(ctx, all)
}

// accept is take; lane is held. After an error the book of what was put aside is what is stored.
func (s *streaming) accept(ctx context.Context, all []stream.Record) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.aside.load(context.WithoutCancel(ctx), s))
		}
	}()
	var in []private.Record
	var places []stream.Place
	unknown := map[workspace.ID]bool{} // to ask once a batch
	for _, r := range all {
		record, why := doorOf(r)
		if unknown[record.Workspace] {
			why = asideUnknown
		}
		if why == "" {
			if why, err = s.node.letIn(ctx, record.Workspace); err != nil {
				return err
			}
			unknown[record.Workspace] = why == asideUnknown
		}
		if why != "" {
			s.aside.put(r.Place, s.named(ctx, record.Workspace, why), why, s.node.now())
			continue
		}
		in, places = append(in, record), append(places, r.Place)
	}
	taken, err := s.node.zone.AcceptRecords(ctx, s.src.Name, in)
	if err != nil {
		return err
	}
	for i, t := range taken {
		ws := in[i].Workspace.String()
		switch {
		case t.Broken != nil:
			s.aside.put(places[i], ws, asideKeys, s.node.now())
		case t.Why != fact.WhyNone:
			s.aside.put(places[i], ws, t.Why.String(), s.node.now())
		default:
			s.aside.passed(places[i])
		}
	}
	if err := s.aside.store(ctx, s); err != nil {
		return err
	}
	s.went(len(all))
	return nil
}

// named is the name of a record's workspace, empty where there is none here.
func (s *streaming) named(ctx context.Context, ws workspace.ID, why string) string {
	if !ws.Valid() || why == asideUnknown {
		return ""
	}
	if t, err := s.node.store.Tenant(ctx, ws); err != nil || t.Condition.Gone() {
		return ""
	}
	return ws.String()
}

func (s *streaming) loadAside(ctx context.Context) error {
	s.lane.Lock()
	defer s.lane.Unlock()
	return s.aside.load(ctx, s)
}

// asideKey tells rows of a stream's book apart.
type asideKey struct {
	topic, topicID string
	partition      int32
	workspace, why string
}

// asideBook is what a stream put aside, as it is stored. A redelivery changes nothing in it.
type asideBook struct {
	rows    map[asideKey]workspace.Aside
	passing map[asideKey]bool // their first record was read well since
	changed map[asideKey]bool
}

func (b *asideBook) load(ctx context.Context, s *streaming) error {
	all, err := s.node.store.Aside(ctx, s.src)
	if err != nil {
		return err
	}
	b.rows, b.passing, b.changed = map[asideKey]workspace.Aside{}, map[asideKey]bool{}, map[asideKey]bool{}
	for _, a := range all {
		b.rows[keyOf(a)] = a
	}
	return nil
}

func keyOf(a workspace.Aside) asideKey {
	return asideKey{a.Topic, a.TopicID, a.Partition, a.Workspace, a.Why}
}

// put notes a record. One between the first and the last of its row was counted before, or is read again with the others.
func (b *asideBook) put(p stream.Place, ws, why string, now time.Time) {
	k := asideKey{p.Topic, p.TopicID, p.Partition, ws, why}
	a, ok := b.rows[k]
	delete(b.passing, k)
	switch {
	case !ok:
		a = workspace.Aside{Topic: p.Topic, TopicID: p.TopicID, Partition: p.Partition, Workspace: ws, Why: why, First: p.Offset, Last: p.Offset}
	case p.Offset > a.Last:
		a.Last = p.Offset
	case p.Offset < a.First:
		a.First = p.Offset
	default:
		return
	}
	a.Records, a.At = a.Records+1, now
	b.set(a)
}

// passed notes a record that could be taken: a row whose first and last record could be, one after the other, is over.
func (b *asideBook) passed(p stream.Place) {
	for k, a := range b.rows {
		if k.topic != p.Topic || k.topicID != p.TopicID || k.partition != p.Partition || waits(k.why) || k.why == asideGone {
			continue
		}
		if p.Offset == a.First {
			b.passing[k] = true
		}
		if p.Offset == a.Last && b.passing[k] {
			b.end(a)
		}
	}
}

func (b *asideBook) set(a workspace.Aside) {
	b.rows[keyOf(a)], b.changed[keyOf(a)] = a, true
}

func (b *asideBook) end(a workspace.Aside) {
	delete(b.rows, keyOf(a))
	delete(b.passing, keyOf(a))
	b.changed[keyOf(a)] = true
}

// store makes what changed durable.
func (b *asideBook) store(ctx context.Context, s *streaming) error {
	var rows []workspace.Aside
	for k := range b.changed {
		a, ok := b.rows[k]
		if a.Records = max(a.Records, 1); !ok { // a row is there until it was read to its end, whatever its count
			a = workspace.Aside{Topic: k.topic, TopicID: k.topicID, Partition: k.partition, Workspace: k.workspace, Why: k.why}
		}
		rows = append(rows, a)
	}
	if len(rows) == 0 {
		return nil
	}
	if err := s.node.store.SetAside(ctx, s.src, rows...); err != nil {
		return err
	}
	b.changed = map[asideKey]bool{}
	return nil
}
