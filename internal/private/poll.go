package private

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/poll"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/connect"
	"murmur/internal/private/internal/vendor"
	"murmur/internal/workspace"
)

// ErrNoPolling is returned for a kind of source whose vendor cannot be asked.
var ErrNoPolling = errors.New("this kind of source has no API that can be polled")

// ErrAPIBase is returned for a base that is no address of a host.
var ErrAPIBase = errors.New("the base of the API must be an https://HOST address")

// pollers are the sources that were polled in this process, and the clients of their keys: all who use one key share
// its rate.
type pollers struct {
	mu      sync.Mutex
	clients map[[32]byte]*vendor.Client
	sources map[[32]byte]*polledSource
}

// polledSource is one connection under one key. Its lock is held during a poll.
type polledSource struct {
	sync.Mutex
	key     [32]byte // the client's
	poller  *poll.Poller
	account bool // the account behind the key was looked at in this process
	state   workspace.SourceState
}

// client gives the client of a source's key.
func (z *Zone) client(src workspace.Source) (source.Polling, *vendor.Client, [32]byte, error) {
	return z.clientFor(src, false)
}

// urgent gives the client for requests that cannot wait: they do not queue behind a history, and fail at once.
func (z *Zone) urgent(src workspace.Source) (*vendor.Client, error) {
	_, c, _, err := z.clientFor(src, true)
	return c, err
}

func (z *Zone) clientFor(src workspace.Source, urgent bool) (source.Polling, *vendor.Client, [32]byte, error) {
	s, _ := connect.For(src.Kind)
	p, ok := s.(source.Poller)
	if !ok {
		return source.Polling{}, nil, [32]byte{}, ErrNoPolling
	}
	polling := p.Polling()
	base, named := cmp.Or(src.Config.APIBase, polling.Base), slices.Concat(z.allow, src.Config.Named)
	if polling.Within != nil {
		base = strings.TrimRight(base, "/") + polling.Within(src.APIKey)
	}
	key := sha256.Sum256(fmt.Append(nil, src.Kind, "\x00", base, "\x00", named, "\x00", src.APIKey, "\x00", urgent))
	z.polling.mu.Lock()
	defer z.polling.mu.Unlock()
	if c := z.polling.clients[key]; c != nil {
		return polling, c, key, nil
	}
	config := vendor.Config{Base: base, Named: named, Header: polling.Authorize(src.APIKey), Rate: polling.Rate}
	if urgent {
		config.Rate, config.Tries = 0, 1
	}
	c, err := vendor.New(config)
	if err != nil {
		return source.Polling{}, nil, key, ErrAPIBase
	}
	if z.polling.clients == nil {
		z.polling.clients = map[[32]byte]*vendor.Client{}
	}
	z.polling.clients[key] = c
	return polling, c, key, nil
}

// Ability is one thing that a vendor's API gives, or does not give to this key or plan.
type Ability struct {
	Name string // calls, messages, ..
	Has  bool
	Why  workspace.Trouble // why not
}

// TestKey finds out what a key gives: it asks each list of calls and texts for one object, and never for words.
// The error is a workspace.Trouble when the key cannot be used at all; account is the vendor's id of the account, empty
// where the vendor does not say.
func (z *Zone) TestKey(ctx context.Context, src workspace.Source) (account string, all []Ability, err error) {
	polling, client, _, err := z.client(src)
	if err != nil {
		return "", nil, err
	}
	if account, err = accountOf(ctx, polling, client); err != nil {
		return "", nil, trouble(err)
	}
	var tests []source.Trial
	for _, l := range polling.Lists {
		if !l.Words && l.Rest == 0 {
			tests = append(tests, source.Trial{Name: l.Name, Ask: func(ctx context.Context, api source.API) error {
				_, err := l.Page(ctx, api, source.Query{Limit: 1})
				return err
			}})
		}
	}
	lists := len(tests)
	for i, test := range append(tests, polling.Trials...) {
		err := test.Ask(ctx, client)
		if i >= lists && errors.Is(err, source.TroubleMissing) {
			err = nil
		}
		var t source.Trouble
		if err != nil && (i == 0 || !errors.As(err, &t) || t == source.TroubleKey) {
			return "", nil, trouble(err)
		}
		all = append(all, Ability{Name: test.Name, Has: err == nil, Why: workspace.Trouble(t)})
	}
	return account, all, nil
}

// accountOf gives the account behind a key; empty where the vendor does not say.
func accountOf(ctx context.Context, p source.Polling, api source.API) (string, error) {
	if p.Account == nil {
		return "", nil
	}
	account, err := p.Account(ctx, api)
	if errors.Is(err, source.TroubleMissing) || errors.Is(err, source.TroubleForbidden) || errors.Is(err, source.TroubleRequest) {
		return "", nil
	}
	return account, err
}

// trouble translates a vendor's refusal into the type that code outside the zone knows.
func trouble(err error) error {
	var t source.Trouble
	if errors.As(err, &t) {
		return workspace.Trouble(t)
	}
	return err
}

// Lasting reports whether a trouble lasts until a person acts.
func Lasting(t workspace.Trouble) bool { return source.Trouble(t).Lasting() }

// CanPoll reports whether a kind of source has an API that can be polled.
func CanPoll(kind string) bool {
	s, _ := connect.For(kind)
	_, ok := s.(source.Poller)
	return ok
}

// Register adds a webhook at the vendor that delivers to a URL, and gives the secret it signs with.
func (z *Zone) Register(ctx context.Context, src workspace.Source, to string) (secret string, err error) {
	s, _ := connect.For(src.Kind)
	r, ok := s.(source.Registrar)
	if !ok {
		return "", ErrNoPolling
	}
	_, client, _, err := z.client(src)
	if err != nil {
		return "", err
	}
	secret, err = r.Register(ctx, client, to)
	return secret, trouble(err)
}

// Poll asks a source's vendor for everything that is due, until nothing is left, ctx ends or the vendor fails. The
// objects become deliveries like any other; the source's state stores the progress and a trouble. A source that is
// being polled already is left alone.
func (z *Zone) Poll(ctx context.Context, src workspace.Source) error {
	s, err := z.polled(ctx, src)
	if err != nil {
		return err
	}
	if !s.TryLock() {
		return nil
	}
	defer s.Unlock()
	err = z.pollLocked(ctx, src, s)
	t, isTrouble := errors.AsType[workspace.Trouble](err)
	switch {
	case err == nil:
		s.state.PolledAt, s.state.Trouble = z.now(), ""
	case isTrouble:
		s.state.Trouble, s.state.TroubleAt = t, z.now()
	default:
		return err
	}
	return errors.Join(err, z.store.SetState(ctx, src, s.state))
}

func (z *Zone) pollLocked(ctx context.Context, src workspace.Source, s *polledSource) error {
	polling, client, _, err := z.client(src)
	if err != nil {
		return err
	}
	if !s.account {
		account, err := accountOf(ctx, polling, client)
		switch {
		case err != nil:
			return trouble(err)
		case s.state.Account == "":
			s.state.Account = account
		case account != "" && account != s.state.Account:
			return workspace.Trouble(source.TroubleAccount)
		}
		s.account = true
	}
	policy, err := z.store.Policy(ctx, src.Workspace)
	if err != nil {
		return err
	}
	s.poller.Words = nil
	if policy.Transcripts != workspace.Deny {
		s.poller.Words = func(ctx context.Context, d source.Delivery) (bool, error) { return z.mayHear(ctx, src, d) }
	}
	return trouble(s.poller.Run(ctx))
}

// polled finds the poller of a source, or makes it from the stored state.
func (z *Zone) polled(ctx context.Context, src workspace.Source) (*polledSource, error) {
	polling, client, key, err := z.client(src)
	if err != nil {
		return nil, err
	}
	z.polling.mu.Lock()
	defer z.polling.mu.Unlock()
	if s := z.polling.sources[src.Connection()]; s != nil && s.key == key {
		return s, nil
	}
	s := &polledSource{key: key}
	if s.state, err = z.store.State(ctx, src); err != nil {
		return nil, err
	}
	var from poll.Checkpoint
	if s.state.Checkpoint != "" {
		if err := json.Unmarshal([]byte(s.state.Checkpoint), &from); err != nil {
			return nil, errors.New("source: damaged checkpoint")
		}
	}
	s.poller = poll.New(poll.Config{
		API: client, Lists: polling.Lists, Now: z.now,
		Accept: func(ctx context.Context, all []source.Delivery) (int, error) { return z.acceptPolled(ctx, src, all) },
		Save:   func(ctx context.Context, c poll.Checkpoint) error { return z.saveCheckpoint(ctx, src, s, c) },
		Mine:   func(to string) bool { return z.pointsHere(ctx, src, to) },
	}, from)
	if z.polling.sources == nil {
		z.polling.sources = map[[32]byte]*polledSource{}
	}
	z.polling.sources[src.Connection()] = s
	return s, nil
}

// saveCheckpoint stores how far a source was asked. It is called by one goroutine at a time, during a poll.
func (z *Zone) saveCheckpoint(ctx context.Context, src workspace.Source, s *polledSource, c poll.Checkpoint) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if c.Items > s.state.Items {
		s.state.FreshAt = z.now()
	}
	s.state.Checkpoint, s.state.Done, s.state.Items = string(b), c.Done(), c.Items
	s.state.Missing = slices.Sorted(maps.Keys(c.Refused))
	return z.store.SetState(ctx, src, s.state)
}

// acceptPolled takes objects in as deliveries of their source. One beyond the limit of a delivery is left out: it
// could not have come as a webhook either.
func (z *Zone) acceptPolled(ctx context.Context, src workspace.Source, all []source.Delivery) (int, error) {
	all = slices.DeleteFunc(all, func(d source.Delivery) bool { return len(d.Body) > MaxBody })
	if len(all) == 0 {
		return 0, nil
	}
	if err := z.admit(ctx, src.Workspace, len(all)); err != nil {
		return 0, err
	}
	a, err := z.append(ctx, src.Workspace, from(src), all)
	return a.Fresh, err
}

// mayHear reports whether murmur may ask for the words of a conversation: the verdict comes before the
// request.
func (z *Zone) mayHear(ctx context.Context, src workspace.Source, d source.Delivery) (bool, error) {
	s, _ := connect.For(src.Kind)
	events, err := s.Decode(d)
	if err != nil || len(events) == 0 {
		return false, nil // what cannot be read is asked for nothing
	}
	policy, err := z.store.Policy(ctx, src.Workspace)
	if err != nil {
		return false, err
	}
	key, err := z.ring.Pseudonym(src.Workspace)
	if err != nil {
		return false, err
	}
	b := builder{zone: z, ws: src.Workspace, policy: policy, key: key}
	e := &events[0]
	people, err := b.people(ctx, e)
	if err != nil {
		return false, err
	}
	for _, p := range people {
		gone, err := z.register.Gone(ctx, src.Workspace, p)
		if err != nil || !e.At.After(gone) {
			return false, err
		}
	}
	verdict, _, err := b.verdict(ctx, consent.Transcript, b.callOf(e), people)
	return verdict == consent.Allow, err
}

// pointsHere reports whether a webhook's URL ends in the token of this very source.
func (z *Zone) pointsHere(ctx context.Context, src workspace.Source, to string) bool {
	u, err := url.Parse(to)
	if err != nil {
		return false
	}
	found, err := z.store.ByToken(ctx, path.Base(u.Path))
	return err == nil && found.Connection() == src.Connection()
}
