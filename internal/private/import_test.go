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

// TestBadRowsOfTwoFilesAreTwo: what cannot be read of one file is not taken for what cannot be read of another; of the same file it
// is known.
func TestBadRowsOfTwoFilesAreTwo(t *testing.T) {
	t.Parallel()
	const head = "Date,Direction,From,To,Status\n"
	good := "2026-03-02 10:00,inbound,+12125550142,+12125550100,completed\n"
	for what, file := range map[string][2]string{
		"CSV":    {head + "never,inbound,+12125550142,+12125550100,completed\n" + good, head + "nowhere,inbound,+12125550142,+12125550100,completed\n" + good},
		"native": {strings.Repeat("{\"a\":1}", 1<<17+1) + "\n", strings.Repeat("{\"a\":2}", 1<<17+1) + "\n"},
	} {
		h := newTourHouse(t)
		ids := func(text string) journal.ID {
			s := &settler{}
			if _, err := h.zone.Import(t.Context(), workspace.Default, strings.NewReader(text), ImportOptions{}, s); err != nil || len(s.in) == 0 {
				t.Fatal(what, err)
			}
			if s.settled[0].State != fact.Quarantined {
				t.Fatal(what, s.settled[0])
			}
			return s.in[0].ID
		}
		first, again, second := ids(file[0]), ids(file[0]), ids(file[1])
		if first != again || first == second {
			t.Errorf("%s: the same row is known %v, another row is %v", what, first == again, first == second)
		}
	}
}

// TestAContactThatCannotBeRead: rows that name somebody whom nobody can find are counted, before an import and after it; a number
// beside a name is found.
func TestAContactThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const file = `Date,Direction,From,To,Status
2026-03-02 10:00,inbound,Ann Lee,+12125550100,completed
2026-03-02 10:01,inbound,Ann Lee (+12125550142),+12125550100,completed
2026-03-02 10:02,inbound,+12125550142 / +12125550143,+12125550100,completed
2026-03-02 10:03,inbound,anonymous,+12125550100,completed
2026-03-02 10:04,inbound,,+12125550100,completed
`
	h := newTourHouse(t)
	p, err := h.zone.Preview(t.Context(), workspace.Default, strings.NewReader(file), ImportOptions{})
	if err != nil || p.In != 5 || p.Unread != 2 || len(p.Bad) != 0 {
		t.Errorf("before: %d of %d, %v, %v", p.Unread, p.In, p.Bad, err)
	}
	s := &settler{}
	report, err := h.zone.Import(t.Context(), workspace.Default, strings.NewReader(file), ImportOptions{}, s)
	if err != nil || report.Unread != 2 || h.zone.Unread() != 2 {
		t.Errorf("after: %d, %d in all, %v", report.Unread, h.zone.Unread(), err)
	}
	ann, err := h.zone.who(t.Context(), workspace.Default, "+12125550142")
	if err != nil || s.settled[1].Contact != ann.Contact {
		t.Errorf("a number beside a name is somebody else's (%v)", err)
	}
}
