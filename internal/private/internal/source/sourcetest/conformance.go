package sourcetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/poll"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/vendor"
)

// Subject is a connector under the conformance suite. What a connector does not do is left empty.
type Subject struct {
	Name   string
	Source source.Source
	// Bodies are deliveries of every kind that the connector decodes; Unknown is one of a kind that it does not know.
	Bodies  []string
	Unknown string
	// Sign gives the headers of a delivery under Secret at a time.
	Secret string
	Sign   func(body []byte, at time.Time) http.Header
	Signed string // a body to sign, where Bodies are not what the vendor sends; empty: the first of them
	// Dated says that a signature is good for minutes only.
	Dated bool
	// Vendor makes a fake of the vendor's API with the faults of what is listed; Key opens it.
	Vendor func(now time.Time, faults []Fault) http.Handler
	Key    string
	// Recorded is a call of the fake that has a recording; empty: addresses of media do not expire.
	Recorded string
}

// Conformance holds connectors to what every one promises, one subtest a connector and fault.
func Conformance(t *testing.T, subjects []Subject) {
	for _, s := range subjects {
		t.Run(s.Name, func(t *testing.T) {
			t.Run("deliveries", s.deliveries)
			t.Run("signature", s.signature)
			if s.Vendor == nil {
				return
			}
			calm := s.pollUnder(t, Calm)
			if len(calm.events) == 0 {
				t.Fatal("nothing was polled from the calm vendor")
			}
			for _, f := range Faults() {
				t.Run(string(f), func(t *testing.T) { s.survives(t, f, calm) })
			}
		})
	}
}

// deliveries: decoding is pure, whatever the order of fields; unknown fields change nothing; unknown kinds are kept.
func (s Subject) deliveries(t *testing.T) {
	for i, body := range s.Bodies {
		d := source.Delivery{Body: []byte(body)}
		events, err := s.Source.Decode(d)
		if err != nil || len(events) == 0 {
			t.Errorf("body %d: %d events, %v", i, len(events), err)
			continue
		}
		for range 5 { // duplicates x5
			if again, _ := s.Source.Decode(d); !Same(events, again) {
				t.Errorf("body %d: decoded again, not the same", i)
			}
		}
		for _, unknown := range []bool{false, true} {
			again, err := s.Source.Decode(source.Delivery{Body: Rewritten(t, []byte(body), unknown)})
			if err != nil || !Same(events, again) {
				t.Errorf("body %d: other order or unknown fields (%t) change the events: %v", i, unknown, err)
			}
		}
	}
	_, err := s.Source.Decode(source.Delivery{Body: []byte(s.Unknown)})
	if state, why := Verdict(err); state != fact.Quarantined || why == fact.WhyNone {
		t.Errorf("an unknown kind: state %d, why %d", state, why)
	}
}

// signature: what was signed is accepted, every changed byte is not, and what is dated expires.
func (s Subject) signature(t *testing.T) {
	now := time.Now()
	body := []byte(cmp.Or(s.Signed, s.Bodies[0]))
	header := s.Sign(body, now)
	d, err := s.Source.Verify(header, body, []string{s.Secret}, now)
	if err != nil {
		t.Fatalf("a signed delivery: %v", err)
	}
	if again, err := s.Source.Verify(header, body, []string{s.Secret}, now); err != nil || again.ID != d.ID {
		t.Error("the same delivery has another id the second time")
	}
	for i := range body {
		if _, ok := header["Authorization"]; ok {
			break // a bearer signs no body
		}
		mutated := bytes.Clone(body)
		mutated[i] ^= 1
		if _, err := s.Source.Verify(header, mutated, []string{s.Secret}, now); !errors.Is(err, source.ErrSignature) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	if _, err := s.Source.Verify(header, body, []string{s.Secret}, now.Add(time.Hour)); s.Dated && !errors.Is(err, source.ErrSignature) {
		t.Errorf("an hour late: %v", err)
	}
	if _, err := s.Source.Verify(header, body, nil, now); !errors.Is(err, source.ErrNoKey) {
		t.Errorf("without a secret: %v", err)
	}
}

// polled is what came of a run: what each delivery says, by its id.
type polled struct {
	events   map[string]string
	err      error
	requests int
	took     time.Duration
}

// survives compares a run under a fault with the calm one.
func (s Subject) survives(t *testing.T, f Fault, calm polled) {
	if f == MediaGone {
		s.media(t)
		return
	}
	got := s.pollUnder(t, f)
	if f.Final() {
		var trouble source.Trouble
		if !errors.As(got.err, &trouble) {
			t.Errorf("no trouble but %v", got.err)
		}
		for id, said := range got.events {
			if calm.events[id] != said {
				t.Error("what came before the end is not what the calm vendor gave")
			}
		}
		return
	}
	if got.err != nil {
		t.Fatalf("%v", got.err)
	}
	lost, other := 0, 0
	for id, said := range calm.events {
		switch {
		case got.events[id] == "":
			lost++
		case got.events[id] != said:
			other++
		}
	}
	if f == Deleted {
		lost = 0 // what was deleted is gone; that the rest comes is what counts
	}
	if f != UnknownType && f != Future && len(got.events) > len(calm.events) || lost+other > 0 {
		t.Errorf("%d of %d lost, %d changed, %d in all", lost, len(calm.events), other, len(got.events))
	}
	t.Logf("%d objects, %d requests, %s", len(got.events), got.requests, got.took.Round(time.Millisecond))
}

// media: an address that expired is asked for again, and another one comes.
func (s Subject) media(t *testing.T) {
	fetcher, ok := s.Source.(source.Fetcher)
	if !ok || s.Recorded == "" {
		t.Skip("the connector fetches no media, or its addresses do not expire")
	}
	api := s.client(t, s.Vendor(time.Now(), nil))
	var before []source.Media
	for range 2 {
		all, err := fetcher.Media(t.Context(), api, s.Recorded)
		if err != nil || len(all) == 0 || all[0].URL == "" {
			t.Fatalf("%d recordings, %v", len(all), err)
		}
		if before != nil && before[0].URL == all[0].URL {
			t.Error("the address is the one that expired")
		}
		before = all
	}
}

// pollUnder polls the whole history from a fake, in virtual time.
func (s Subject) pollUnder(t *testing.T, f Fault) (out polled) {
	synctest.Test(t, func(t *testing.T) {
		ahead := 30 * 24 * time.Hour // virtual time begins in 2000, and what is older than that is refused
		began := time.Now()
		wire := &Flaky{Vendor: s.Vendor(began.Add(ahead), []Fault{f}), Faults: OfTheWire([]Fault{f}), Every: 4}
		if f == Skewed { // the vendor's clock is ahead of ours
			ahead -= 10 * time.Minute
		}
		out = s.pollFrom(t, wire, func() time.Time { return time.Now().Add(ahead) })
		out.took, out.requests = time.Since(began), wire.Requests()
	})
	return out
}

// client asks a handler as the zone's client asks a vendor.
func (s Subject) client(t *testing.T, h http.Handler) source.API {
	t.Helper()
	p := s.Source.(source.Poller).Polling()
	if p.Within != nil {
		p.Base += p.Within(s.Key)
	}
	client, err := vendor.New(vendor.Config{
		Base: p.Base, Header: p.Authorize(s.Key), Rate: p.Rate, MaxBody: 1 << 20, Transport: Wire{h}, Jitter: func() float64 { return 0.5 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (s Subject) pollFrom(t *testing.T, h http.Handler, clock func() time.Time) polled {
	t.Helper()
	out := polled{events: map[string]string{}}
	var mu sync.Mutex
	out.err = poll.New(poll.Config{
		API: s.client(t, h), Lists: s.Source.(source.Poller).Polling().Lists, Now: clock,
		Save: func(context.Context, poll.Checkpoint) error { return nil },
		Accept: func(_ context.Context, all []source.Delivery) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return len(all), out.take(s.Source, all)
		},
		Words: func(context.Context, source.Delivery) (bool, error) { return true, nil },
	}, poll.Checkpoint{}).Run(t.Context())
	return out
}

// take decodes what was accepted; one id must always say the same.
func (p *polled) take(s source.Source, all []source.Delivery) error {
	for _, d := range all {
		events, err := s.Decode(d)
		state, why := Verdict(err)
		said := fmt.Sprintf("%d %d %s", state, why, facts(events))
		id := d.ID
		if id == "" {
			id = string(d.Body)
		}
		if old := p.events[id]; old != "" && old != said {
			return errors.New("one id says two things")
		}
		p.events[id] = said
	}
	return nil
}

// facts names what events would become, and how long their words are.
func facts(events []event.Event) (out []string) {
	for _, e := range events {
		turns := 0
		if e.Talk != nil {
			turns = len(e.Talk.Turns)
		}
		out = append(out, fmt.Sprint(e.Kind(), e.ID, e.At.UnixMicro(), e.UpdatedAt.UnixMicro(), e.Rank, e.Says, turns))
	}
	return out
}

// Wire carries requests to a handler in this process: a transport without a network, for virtual time. As on the real
// wire, a handler whose answer nobody reads to its end learns it.
type Wire struct{ Handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (w Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	rec := &limited{ResponseRecorder: httptest.NewRecorder()}
	w.Handler.ServeHTTP(rec, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	res := rec.Result()
	res.Request = r
	return res, nil
}

// limited keeps at most 4 MB of an answer.
type limited struct{ *httptest.ResponseRecorder }

func (l *limited) Write(b []byte) (int, error) {
	if l.Body.Len() > 4<<20 {
		return 0, io.ErrClosedPipe
	}
	return l.ResponseRecorder.Write(b)
}
