package poll_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"murmur/internal/faulttest"
	"murmur/internal/private/internal/poll"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/quo"
	"murmur/internal/private/internal/source/sourcetest"
	"murmur/internal/private/internal/vendor"
	"murmur/internal/synth"
)

// history is n calls and n texts, one of each every ten minutes until now.
func history(now time.Time, n int) (l synth.Listed) {
	for i := range n {
		at := now.Add(-time.Duration(i) * 10 * time.Minute).UTC()
		stamp := at.Format(time.RFC3339)
		call, text := fmt.Sprintf("ACc%d", i), fmt.Sprintf("ACm%d", i)
		l.Calls = append(l.Calls, synth.Delivery{ID: call, At: at, Body: fmt.Appendf(nil,
			`{"id":%q,"phoneNumberId":"PN1","direction":"incoming","status":"completed","createdAt":%q,"answeredAt":%q,"completedAt":%q,"updatedAt":%q,"duration":9,
			"participants":[{"phoneNumber":"+12125550100","actorId":"US1"},{"phoneNumber":"+12125550123","actorId":null}]}`, call, stamp, stamp, stamp, stamp)})
		l.Texts = append(l.Texts, synth.Delivery{ID: text, At: at, Body: fmt.Appendf(nil,
			`{"id":%q,"phoneNumberId":"PN1","direction":"incoming","status":"received","from":"+12125550123","to":["+12125550100"],"text":"hello","createdAt":%q,"updatedAt":%q}`, text, stamp, stamp)})
	}
	return l
}

// shop keeps what a source accepted, as the journal does: an id counts once.
type shop struct {
	mu         sync.Mutex
	deliveries map[string]int
	checkpoint []byte
}

// poller asks a handler at Quo's own rate, from the stored checkpoint on.
func (s *shop) poller(t *testing.T, h http.Handler, words bool) *poll.Poller {
	t.Helper()
	polling := quo.Source{}.Polling()
	client, err := vendor.New(vendor.Config{Base: polling.Base, Header: polling.Authorize(sourcetest.QuoKey), Rate: polling.Rate, Transport: sourcetest.Wire{Handler: h}})
	if err != nil {
		t.Fatal(err)
	}
	var from poll.Checkpoint
	if len(s.checkpoint) > 0 {
		if err := json.Unmarshal(s.checkpoint, &from); err != nil {
			t.Fatal(err)
		}
	}
	c := poll.Config{
		API: client, Lists: polling.Lists, Now: time.Now,
		Accept: func(ctx context.Context, all []source.Delivery) (fresh int, err error) {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, d := range all {
				if s.deliveries[d.ID]++; s.deliveries[d.ID] == 1 {
					fresh++
				}
			}
			return fresh, nil
		},
		Save: func(ctx context.Context, c poll.Checkpoint) (err error) {
			if err := ctx.Err(); err != nil { // a database would not store it
				return err
			}
			s.checkpoint, err = json.Marshal(c)
			return err
		},
	}
	if words {
		c.Words = func(context.Context, source.Delivery) (bool, error) { return true, nil }
	}
	return poll.New(c, from)
}

func (s *shop) items(t *testing.T) int64 {
	t.Helper()
	var c poll.Checkpoint
	if err := json.Unmarshal(s.checkpoint, &c); err != nil {
		t.Fatal(err)
	}
	if !c.Complete() || c.Done() != 1 {
		t.Errorf("complete %t, done %.3f", c.Complete(), c.Done())
	}
	return c.Items
}

// TestTenThousandObjectsAtTheVendorsRate: with faults at every tenth request the history costs at most 1.3 times what
// the rate alone costs, and nothing is lost or doubled. The clock is virtual.
func TestTenThousandObjectsAtTheVendorsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n, rate = 5000, 10
		began := time.Now()
		wire := &sourcetest.Flaky{Vendor: sourcetest.NewQuo(history(began, n), sourcetest.Repeated, sourcetest.Reordered, sourcetest.CursorGone), Every: 10, Rate: rate,
			Faults: []sourcetest.Fault{sourcetest.Busy, sourcetest.Down, sourcetest.Slow, sourcetest.Cut}}
		wire.Vendor.(*sourcetest.Quo).CursorLives = 20
		s := &shop{deliveries: map[string]int{}}
		if err := s.poller(t, wire, false).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		took, least := time.Since(began), time.Duration(2*n/50)*time.Second/rate
		t.Logf("%d objects, %d requests in %s: %.2f times what the rate costs", len(s.deliveries), wire.Requests(), took.Round(time.Millisecond), float64(took)/float64(least))
		if len(s.deliveries) != 2*n || s.items(t) != 2*n {
			t.Errorf("%d objects of %d, %d counted", len(s.deliveries), 2*n, s.items(t))
		}
		if float64(took) > 1.3*float64(least) {
			t.Errorf("took %s, the rate alone costs %s", took, least)
		}
	})
}

// TestInterruptedAtAnyRequest: a run that ends at any request, and starts again from the stored checkpoint, loses and
// doubles nothing.
func TestInterruptedAtAnyRequest(t *testing.T) {
	t.Parallel()
	row := faulttest.Begin(t, "a poll cut off at any request of a history")
	rounds := faulttest.Rounds(6, 60, 500)
	row.Rounds = rounds
	random := rand.New(rand.NewPCG(6, 1))
	synctest.Test(t, func(t *testing.T) {
		const n = 700
		calm := sourcetest.NewQuo(history(time.Now(), n), sourcetest.Repeated, sourcetest.CursorGone)
		for range rounds {
			s := &shop{deliveries: map[string]int{}}
			for kills := 0; ; kills++ {
				ctx, cancel := context.WithCancel(t.Context())
				left := 1 + random.IntN(12)
				h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if left--; left <= 0 {
						cancel()
					}
					calm.ServeHTTP(w, r)
				})
				err := s.poller(t, h, false).Run(ctx)
				cancel()
				if err == nil {
					break
				}
				if !errors.Is(err, context.Canceled) || kills > 200 {
					t.Fatalf("after %d kills: %v", kills, err)
				}
			}
			if len(s.deliveries) != 2*n || s.items(t) > 2*n {
				t.Fatalf("%d objects of %d", len(s.deliveries), 2*n)
			}
		}
	})
}

// TestWhatIsNewComesFirst: during a backfill the newest time is listed before the rest of the history, and once all is
// there only what is new is accepted, each minute, however often the last hour is listed.
func TestWhatIsNewComesFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		fake := sourcetest.NewQuo(history(began, 300))
		s := &shop{deliveries: map[string]int{}}
		p := s.poller(t, fake, false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := p.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a short run: %v", err)
		}
		cancel()
		if s.deliveries["rest/ACc0@"+began.UTC().Format(time.RFC3339)+"/completed/"] == 0 || len(s.deliveries) >= 600 {
			t.Fatalf("%d objects, the newest is not among them or all are", len(s.deliveries))
		}
		for range 5 {
			<-time.After(time.Minute)
			if err := p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if s.items(t) != 600 {
			t.Errorf("%d objects", s.items(t))
		}
		for id, n := range s.deliveries {
			if n > 3 {
				t.Errorf("%s was accepted %d times", id, n)
			}
		}
	})
}

// TestAnUnfinishedCallIsAskedForAgain until it has ended, however long it takes.
func TestAnUnfinishedCallIsAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now().UTC()
		object := func(status string) []byte {
			return fmt.Appendf(nil, `{"id":"ACx","direction":"incoming","status":%q,"createdAt":%q,"updatedAt":%q}`, status, began.Format(time.RFC3339), began.Format(time.RFC3339))
		}
		fake := sourcetest.NewQuo(synth.Listed{Calls: []synth.Delivery{{ID: "ACx", At: began, Body: object("in-progress")}}})
		s := &shop{deliveries: map[string]int{}}
		p := s.poller(t, fake, false)
		for i := range 200 {
			if i == 150 {
				fake.Calls[0].Body = object("completed")
			}
			if err := p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if i < 150 && len(s.deliveries) > 0 {
				t.Fatal("a call that goes on was accepted")
			}
			<-time.After(time.Minute)
		}
		if len(s.deliveries) != 1 {
			t.Errorf("%d objects", len(s.deliveries))
		}
	})
}

// TestAPlanWithoutTranscripts is a normal state: the calls go on.
func TestAPlanWithoutTranscripts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := sourcetest.NewQuo(history(time.Now(), 60))
		fake.NoTranscripts = true
		s := &shop{deliveries: map[string]int{}}
		if err := s.poller(t, fake, true).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.items(t) != 120 {
			t.Errorf("%d objects", s.items(t))
		}
		var c poll.Checkpoint
		if err := json.Unmarshal(s.checkpoint, &c); err != nil || c.Refused["words"].IsZero() {
			t.Errorf("nothing says that the plan has no transcripts: %v", err)
		}
	})
}

// TestADayLaterTheLastDaysAreListedAgain, and what was missing comes in.
func TestADayLaterTheLastDaysAreListedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		all := history(time.Now(), 100)
		late := all.Calls[50]
		all.Calls = append(all.Calls[:50:50], all.Calls[51:]...)
		fake := sourcetest.NewQuo(all)
		s := &shop{deliveries: map[string]int{}}
		p := s.poller(t, fake, false)
		if err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		fake.Calls = append(fake.Calls, sourcetest.Object{ID: late.ID, At: late.At, Body: late.Body})
		for range 25 {
			<-time.After(time.Hour)
			if err := p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.deliveries) != 200 {
			t.Errorf("%d objects of 200", len(s.deliveries))
		}
	})
}
