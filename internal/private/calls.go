package private

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/recording"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/connect"
	"murmur/internal/workspace"
)

// CallEvent is a report about a live call from a telephone system that records by itself.
type CallEvent struct {
	Kind    string    // CallEvents lists them
	At      time.Time // zero: now
	Key     string    // key: 0-9, *, #
	Via     string    // opted_in, opted_out: how the person said so; empty: api
	Contact string    // began: number or address of the outside party; empty: not known
	Notice  CallNotice
}

// CallNotice says which notice is played: with notice_started.
type CallNotice struct {
	ID       string        // the business's name of it
	Language string        // BCP 47
	SHA256   string        // of its audio, hexadecimal; empty: not known
	Length   time.Duration // of its audio; a notice that ended sooner was not played to its end
}

// CallState is the state of a call, and what the telephone system must do now.
type CallState struct {
	State string   // docs/consent.md
	Must  []string // play-notice, record, pause, stop, delete
}

var (
	// ErrCallEvent is returned for an event that no call has, or with a field that it cannot have.
	ErrCallEvent = errors.New("unknown event of a call, or a field that this event does not have")
	// ErrBusy is returned when more calls are live than this process takes.
	ErrBusy = errors.New("too many calls at once")
)

var callEvents = map[string]consent.EventKind{
	"began": consent.Began, "notice_started": consent.NoticeStarted, "notice_ended": consent.NoticeEnded, "key": consent.Pressed,
	"opted_in": consent.SaidYes, "opted_out": consent.SaidNo, "suspended": consent.Suspended, "resumed": consent.Resumed, "hangup": consent.HungUp,
}

// CallEvent drives the consent machine of a call that the telephone system of a workspace records by itself. The
// answer says what that system must do; when CallEvent returns, state and refusals are durable. An implausible event
// (too late, reported twice with different times, or of a call that this process does not know, as after a restart)
// ends the recording.
func (z *Zone) CallEvent(ctx context.Context, ws workspace.ID, call string, in CallEvent) (CallState, error) {
	e, err := z.callEvent(in)
	if err != nil || call == "" {
		return CallState{}, errors.Join(ErrCallEvent, err)
	}
	t := z.book.Find(ws, call)
	if t == nil && e.Kind == consent.HungUp {
		return callState(consent.Shredded), nil // the call is not known: its recording must not be kept
	}
	if t == nil {
		t, err = z.book.Begin(ctx, recording.Head{Workspace: ws, Source: ControlSource, CallID: call, Contact: personal.New(in.Contact), At: e.At, Elsewhere: true})
		if errors.Is(err, recording.ErrBusy) {
			if t = z.book.Find(ws, call); t == nil { // else another report of it came first
				return callState(consent.Refused), ErrBusy
			}
			err = nil
		}
		if err != nil {
			return callState(consent.Shredded), err
		}
	}
	s := t.State()
	if e.Kind != consent.Began {
		s, err = t.Step(ctx, e)
	}
	return callState(s), err
}

func (z *Zone) callEvent(in CallEvent) (consent.Event, error) {
	kind, ok := callEvents[in.Kind]
	via, okVia := vias[in.Via]
	if !ok || !okVia || (kind == consent.Pressed) != (len(in.Key) == 1) {
		return consent.Event{}, ErrCallEvent
	}
	e := consent.Event{Kind: kind, At: in.At, By: fact.SideContact, Via: via}
	if in.Key != "" {
		e.Key = in.Key[0]
	}
	if e.At.IsZero() {
		e.At = z.now()
	}
	if kind != consent.NoticeStarted {
		return e, nil
	}
	e.Notice = consent.Notice{ID: in.Notice.ID, Language: in.Notice.Language, Length: in.Notice.Length}
	if b, err := hex.DecodeString(in.Notice.SHA256); err == nil && len(b) == len(e.Notice.Audio) {
		e.Notice.Audio = [32]byte(b)
	} else if in.Notice.SHA256 != "" {
		return e, ErrCallEvent
	}
	return e, nil
}

// callState says what a state asks of the telephony.
func callState(s consent.State) CallState {
	must := []string{}
	switch s {
	case consent.Noticing, consent.Asking:
		must = []string{"play-notice"}
	case consent.Holding:
		must = []string{"record"}
	case consent.Paused:
		must = []string{"pause"}
	case consent.Released:
		must = []string{"stop"}
	case consent.Refused, consent.OptedOut, consent.Aborted, consent.Shredded:
		must = []string{"stop", "delete"}
	}
	return CallState{State: s.String(), Must: must}
}

// report journals what a person heard or said in a live call as a delivery, which becomes a fact
// like any other.
func (z *Zone) report(ctx context.Context, h recording.Head, act fact.Act, via fact.Via) error {
	if h.Who.Valid() && act == fact.Noticed {
		l := ownLine{ID: noticeID(h.CallID), At: h.At, Notice: h.CallID}
		l.about(h.Who, h.Country)
		return z.own(ctx, h.Workspace, ControlSource, l)
	}
	line := consentLine{Call: h.CallID, Via: consent.ViaName(via)}
	line.Party.ID = h.Contact.Reveal()
	name := "notice\x00"
	line.Act = "noticed"
	if act == fact.OptedOut {
		name, line.Act, line.Party.ID = "opt-out\x00", "opted_out", "" // the same delivery as OptOutCall's
	}
	return z.line(ctx, h.Workspace, name+h.CallID, line)
}

// line journals a consent event under an id of its own.
func (z *Zone) line(ctx context.Context, ws workspace.ID, id string, l consentLine) error {
	l.Schema, l.Type, l.Purpose, l.SourceID = "murmur.v1", "consent", "record", id
	l.OccurredAt = z.now().UTC().Format(time.RFC3339Nano)
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = z.append(ctx, ws, origin{name: ControlSource, kind: "native"}, []source.Delivery{{ID: id, Body: body}})
	return err
}

// Level says how far the calls of a source can be controlled: L0 to L3 (docs/consent.md). A platform without an API key can
// be told nothing.
func Level(src workspace.Source) string {
	s, _ := connect.For(src.Kind)
	if _, ok := s.(source.Controller); ok && src.APIKey == "" {
		return "L0"
	}
	return connect.Level(src.Kind)
}

// SweepRecordings removes what a crash left of recordings; call it before calls come.
func (z *Zone) SweepRecordings(ctx context.Context) (removed int, err error) {
	return z.book.Sweep(ctx)
}

// RotateRecordings ends recordings older than raw-hours and carries the keys of younger ones into today's epoch; call it
// before older epochs are destroyed.
func (z *Zone) RotateRecordings(ctx context.Context) error { return z.book.Rotate(ctx) }

// ExpireCalls ends live calls whose state has lasted too long; call it every few seconds.
func (z *Zone) ExpireCalls(ctx context.Context) error { return z.book.Expire(ctx) }

// CheckRecordings replays every recording's entries in the ledger and compares them with the stored keys and files; it
// calls breach for each difference.
func (z *Zone) CheckRecordings(ctx context.Context, breach func(file, what string)) error {
	return z.book.Check(ctx, breach)
}

// Close aborts every live call: what was kept of them is destroyed.
func (z *Zone) Close(ctx context.Context) error { return z.book.Close(ctx) }
