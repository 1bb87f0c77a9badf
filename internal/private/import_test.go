package private

import (
	"context"
	"strings"
	"testing"

	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/workspace"
)

// settler is a pipeline that says something at the worst moment: when rows are decided and not yet durable.
type settler struct {
	between func(call int) // called before each Settle commits; nil: nothing happens
	calls   int
	in      []journal.Message
	settled []fact.Outcome
}

func (s *settler) Settle(_ context.Context, still func() bool, in []journal.Message, outcomes []fact.Outcome) ([]bool, error) {
	s.calls++
	if s.between != nil {
		s.between(s.calls)
	}
	if !still() {
		return nil, deliveries.ErrMoved
	}
	s.in, s.settled = append(s.in, in...), append(s.settled, outcomes...)
	fresh := make([]bool, len(in))
	for i := range fresh {
		fresh[i] = true
	}
	return fresh, nil
}

func (s *settler) Known(context.Context, workspace.ID, []journal.ID) (map[journal.ID]fact.State, error) {
	return map[journal.ID]fact.State{}, nil
}

const saying = `{"schema":"murmur.v1","type":"message","source_id":"m1","occurred_at":"2026-03-02T10:00:00Z","party":{"phone":"+12125550142"},"direction":"in","body":"please call me back"}` + "\n"

// TestWhatIsSaidDuringAnImportHolds: a refusal, or a policy, that comes between the decision about a row and its commit
// is not overtaken by it.
func TestWhatIsSaidDuringAnImportHolds(t *testing.T) {
	t.Parallel()
	h := newTourHouse(t)
	s := &settler{between: func(call int) {
		if call == 1 {
			if _, err := h.zone.OptOutContact(t.Context(), workspace.Default, "+12125550142", "sms"); err != nil {
				t.Error(err)
			}
		}
	}}
	report, err := h.zone.Import(t.Context(), workspace.Default, strings.NewReader(saying), ImportOptions{}, s)
	if err != nil || s.calls != 2 || report.States[fact.Refused] != 1 || len(s.settled) != 1 || s.settled[0].State != fact.Refused {
		t.Errorf("%d calls, %+v, %v", s.calls, report, err)
	}
	if n := len(s.in[0].Payload); n != 0 {
		t.Errorf("%d bytes of a refused row are kept", n)
	}
}

// TestRowsThatAreOvertakenGoTheOrdinaryWay: where something is said again and again, the pipeline decides.
func TestRowsThatAreOvertakenGoTheOrdinaryWay(t *testing.T) {
	t.Parallel()
	h := newTourHouse(t)
	s := &settler{between: func(int) {
		_, err := h.zone.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "min-group", Value: "6"}}, "a test", "a test")
		if err != nil {
			t.Error(err)
		}
	}}
	before := len(h.inbox)
	report, err := h.zone.Import(t.Context(), workspace.Default, strings.NewReader(saying+saying), ImportOptions{}, s)
	if err != nil || report.Rows != 2 || len(report.Later) != 1 || report.States[fact.Duplicate] != 1 || len(h.inbox) != before+2 || len(s.settled) != 0 {
		t.Errorf("%d in the inbox, %+v, %v", len(h.inbox)-before, report, err)
	}
}

// TestAHeldRowIsKeptSealed: of what is decided nothing is kept, of what waits the sealed row.
func TestAHeldRowIsKeptSealed(t *testing.T) {
	t.Parallel()
	h := newTourHouse(t)
	if _, err := h.zone.store.SetPolicy(t.Context(), workspace.Default, []workspace.Change{{Key: "transcripts", Value: "opt-in"}}, "a test", "a test"); err != nil {
		t.Fatal(err)
	}
	s := &settler{}
	const words = `{"schema":"murmur.v1","type":"transcript","source_id":"t1","call":"c1","occurred_at":"2026-03-02T10:00:00Z","party":{"phone":"+12125550142"},"turns":[{"side":"contact","text":"hello"}]}` + "\n"
	if _, err := h.zone.Import(t.Context(), workspace.Default, strings.NewReader(words+saying), ImportOptions{}, s); err != nil {
		t.Fatal(err)
	}
	if len(s.in) != 2 || s.settled[0].State != fact.Held || len(s.in[0].Payload) == 0 || s.settled[1].State != fact.Published || len(s.in[1].Payload) != 0 {
		t.Errorf("%+v", s.settled)
	}
	m := s.in[0]
	if e := h.open(t, m); !strings.Contains(string(e.delivery.Body), `"t1"`) || e.kind != "native" || e.name != ImportSource {
		t.Errorf("another envelope of %s", e.kind)
	}
}
