package private

import (
	"context"
	"errors"
	"fmt"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/recording"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/connect"
	"murmur/internal/private/internal/vendor"
	"murmur/internal/workspace"
)

// ErrNotYet is returned by Fetch while the vendor still works on a recording: ask again in some minutes.
var ErrNotYet = errors.New("the vendor has not finished the recording")

// settled is how long after a call its vendor may still find a recording of it.
const settled = time.Hour

// recorded handles the report that a platform has a recording of a call: it may be fetched, is refused, or
// waits.
func (b *builder) recorded(ctx context.Context, e *event.Event, call fact.ID, people []identity.Person) error {
	verdict, why, err := b.verdict(ctx, consent.Recording, call, people)
	switch {
	case err != nil:
		return err
	case verdict == consent.Allow:
		return b.announce(ctx, e, e.Recorded.Call, call, people)
	case verdict == consent.Refuse:
		if why != fact.WhyPolicyDenies { // a workspace that wants no recordings has nothing to refuse
			b.stop(fact.Refused, why)
		}
	default:
		b.hold(call, people[0].Contact)
		b.stop(fact.Held, why)
	}
	return nil
}

// listed handles a call from a source's list: if somebody spoke, there may be a recording that no webhook reported.
func (b *builder) listed(ctx context.Context, e *event.Event, call fact.ID, people []identity.Person) error {
	if e.Call == nil || e.Call.Answered.IsZero() {
		return nil
	}
	if v, _, err := b.verdict(ctx, consent.Recording, call, people); err != nil || v != consent.Allow {
		return err
	}
	return b.announce(ctx, e, e.ID, call, people)
}

func (b *builder) announce(ctx context.Context, e *event.Event, name string, call fact.ID, people []identity.Person) error {
	s, _ := connect.For(b.kind)
	if _, ok := s.(source.Fetcher); !ok {
		return nil
	}
	return b.zone.book.Announce(ctx, recording.Announcement{
		Workspace: b.ws, Source: b.name, Name: name, Call: call, Contact: people[0].Contact, Country: consent.CountryOf(b.policy, people[0]), At: e.At,
	})
}

// CallID is the keyed id of a call.
type CallID [16]byte

func (i CallID) String() string { return RecordingID(i).String() }

// ParseCallID reads one.
func ParseCallID(s string) (CallID, bool) {
	r, ok := ParseRecordingID(s)
	return CallID(r), ok
}

// Announced lists the calls whose recordings are to be fetched, oldest first: those of sources that have a key.
func (z *Zone) Announced(ctx context.Context, ws workspace.ID) ([]CallID, error) {
	all, err := z.book.Announced(ctx, ws)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	sources, err := z.store.Sources(ctx, ws)
	if err != nil {
		return nil, err
	}
	asked := map[string]bool{}
	for _, s := range sources {
		asked[s.Name] = s.APIKey != "" && !s.Paused
	}
	var out []CallID
	for _, a := range all {
		if asked[a.Source] {
			out = append(out, CallID(a.Call))
		}
	}
	return out, nil
}

// Fetch downloads a platform's recordings of a call, seals them as they come, and gives the ids of those that may now be
// transcribed. It may be called again: a stored recording is not fetched twice. It asks the vendor for nothing without a
// verdict that allows it. ErrNotYet; a workspace.Trouble says what the vendor did.
func (z *Zone) Fetch(ctx context.Context, ws workspace.ID, call CallID) ([]RecordingID, error) {
	a, err := z.book.Announcement(ctx, ws, fact.ID(call))
	if errors.Is(err, recording.ErrGone) || err == nil && a.Done {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	src, err := z.store.Source(ctx, ws, a.Source)
	if errors.Is(err, workspace.ErrNotFound) || err == nil && (src.APIKey == "" || src.Paused) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if ok, err := z.mayFetch(ctx, src, a.Name); err != nil || !ok {
		return nil, err
	}
	f, err := z.fetching(src, a)
	if err != nil {
		return nil, err
	}
	stored, err := f.run(ctx)
	if errors.Is(err, recording.ErrRefused) {
		return stored, nil // an agreement may still come, until raw-hours are over
	}
	if err == nil {
		err = z.book.Fetched(ctx, ws, a.Call)
	}
	return stored, trouble(err)
}

// fetching is the recordings of one call.
type fetching struct {
	recording.Announcement
	zone    *Zone
	fetcher source.Fetcher
	client  *vendor.Client
	hosts   []string
}

func (z *Zone) fetching(src workspace.Source, a recording.Announcement) (*fetching, error) {
	s, _ := connect.For(src.Kind)
	f, ok := s.(source.Fetcher)
	if !ok {
		return nil, ErrNoPolling
	}
	_, client, _, err := z.client(src)
	if err != nil {
		return nil, err
	}
	var hosts []string
	if h, ok := s.(source.Hosted); ok {
		hosts = h.MediaHosts()
	}
	return &fetching{Announcement: a, zone: z, fetcher: f, client: client, hosts: hosts}, nil
}

func (f *fetching) run(ctx context.Context) (stored []RecordingID, err error) {
	if err := f.allowed(ctx); err != nil {
		return nil, err
	}
	all, err := f.fetcher.Media(ctx, f.client, f.Name)
	if err != nil {
		return nil, err
	}
	open := len(all) == 0 && f.zone.now().Sub(f.At) < settled
	for _, m := range all {
		if m.URL == "" {
			open = true
			continue
		}
		id, fresh, err := f.one(ctx, m)
		if err != nil {
			return stored, err
		}
		if fresh {
			stored = append(stored, RecordingID(id))
		}
	}
	if open {
		return stored, ErrNotYet
	}
	return stored, nil
}

// allowed asks for the verdict. ErrRefused.
func (f *fetching) allowed(ctx context.Context) error {
	policy, err := f.zone.store.Policy(ctx, f.Workspace)
	if err != nil {
		return err
	}
	v, _, err := f.zone.register.Ask(ctx, f.Workspace, policy, consent.Recording, f.Call, identity.Stranger(f.Contact, f.Country))
	if err == nil && v != consent.Allow {
		err = recording.ErrRefused
	}
	return err
}

// one stores one segment, unless it is stored. The verdict is asked before the download, and again before the
// first byte is stored; a refusal during the download ends it.
func (f *fetching) one(ctx context.Context, m source.Media) (id recording.ID, fresh bool, err error) {
	key, err := f.zone.ring.Pseudonym(f.Workspace)
	if err != nil {
		return id, false, err
	}
	at := recording.MediaID(identity.DeliveryID(key, f.Source, "media\x00"+m.ID))
	has, err := f.zone.book.Has(ctx, f.Workspace, at)
	if err != nil || has {
		return id, false, err
	}
	if err := f.allowed(ctx); err != nil {
		return id, false, err
	}
	sound, err := f.client.Media(ctx, m.URL, f.hosts)
	if errors.Is(err, source.TroubleMissing) || errors.Is(err, source.TroubleForbidden) || errors.Is(err, source.TroubleKey) {
		if m.URL, err = f.anew(ctx, m.ID); err == nil {
			sound, err = f.client.Media(ctx, m.URL, f.hosts)
		}
	}
	if err != nil {
		return id, false, err
	}
	defer sound.Close()
	id, err = f.zone.book.Store(ctx, recording.Head{
		Workspace: f.Workspace, Source: f.Source, CallID: f.Name, Who: f.Contact, Country: f.Country, At: f.At, Media: at,
	}, sound)
	return id, err == nil, err
}

// anew asks for an address once more: the first one has expired.
func (f *fetching) anew(ctx context.Context, id string) (string, error) {
	all, err := f.fetcher.Media(ctx, f.client, f.Name)
	for _, m := range all {
		if m.ID == id && m.URL != "" {
			return m.URL, nil
		}
	}
	if err == nil {
		err = source.TroubleMissing
	}
	return "", fmt.Errorf("ask for an address again: %w", err)
}
