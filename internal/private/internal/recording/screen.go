package recording

import (
	"context"
	"time"

	"murmur/internal/ledger"
	"murmur/internal/private/internal/consent"
	"murmur/internal/workspace"
)

// basisStated is the ground of a recording whose notice the platform plays: the policy says that it does.
const basisStated = "stated"

// screen asks the register and the policy about a new call. t.turn is held.
func (t *Take) screen(ctx context.Context) error {
	at := t.head.At
	if t.kind == Media { // the call is over: what follows happens now
		at = t.book.c.Now()
	}
	if err := t.step(ctx, consent.Event{Kind: consent.Began, At: at}); err != nil {
		return err
	}
	policy, verdict, err := t.book.verdict(ctx, t.head.Workspace, t.call, t.people...)
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.basis = string(policy.Recordings)
	if policy.OptOutChoice != "" {
		t.m.No = policy.OptOutChoice[0]
	}
	t.mu.Unlock()
	kind := consent.Denied
	switch verdict {
	case consent.Allow:
		kind = consent.Cleared
	case consent.Unknown:
		kind = consent.MustAsk
	}
	if err = t.step(ctx, consent.Event{Kind: kind, At: at}); err != nil {
		return err
	}
	if kind == consent.Cleared && policy.Recordings == workspace.OneParty {
		err = t.step(ctx, consent.Event{Kind: consent.Attested, At: at})
	}
	return err
}

// entry is what the ledger is to keep of the call beyond what it has. t.mu is held.
func (t *Take) entry(ev consent.Evidence) ledger.Recording {
	e := ledger.Recording{
		Workspace: t.head.Workspace.String(), Ref: t.call[:], ID: t.id.String(), State: t.m.State().String(), Rule: consent.Rule, Basis: t.basis,
		Notice: ev.Notice.ID, Language: ev.Notice.Language, Audio: ev.Notice.Audio, From: micros(ev.From), To: micros(ev.To),
		Trace: moves(ev.Trace[min(t.told, len(ev.Trace)):]),
	}
	if ev.Via != 0 {
		e.Via = consent.ViaName(ev.Via)
	}
	if ev.Key != 0 {
		e.Key = string(ev.Key)
	}
	return e
}

func moves(trace []consent.Move) []ledger.Move {
	out := make([]ledger.Move, len(trace))
	for i, m := range trace {
		out[i] = ledger.Move{On: m.On.String(), To: m.To.String(), At: micros(m.At)}
	}
	return out
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(0, t.UnixMicro())
}

func timeOf(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
