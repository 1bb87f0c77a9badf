package private

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/source/vcon"
	"murmur/internal/receipt"
	"murmur/internal/redact"
	"murmur/internal/workspace"
)

var (
	// ErrNotReleased refuses an export: the words of the call may not be read, or somebody has not been asked yet.
	ErrNotReleased = errors.New("the words of this call are not released")
	// ErrNoWords is returned for an unknown call, and for one whose masked words are not stored.
	ErrNoWords = errors.New("there are no words of this call")
)

// ExportCall is a call with its masked words as the lake has them.
type ExportCall struct {
	At        time.Time
	Contact   [16]byte // pseudonym; zero: no longer linked
	Direction fact.Direction
	TalkS     int64 // fact.Absent: not known
	Talks     []ExportTalk
}

// ExportTalk is one masked transcript or summary.
type ExportTalk struct {
	Origin fact.Origin
	Text   string
}

// CallID is the keyed id of a call by the platform's own.
func (z *Zone) CallID(ws workspace.ID, call string) (fact.ID, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return fact.ID{}, err
	}
	return identity.Ref(key, fact.KindCall, call), nil
}

// CallRows are the ids that the rows of a call may have: one for each connection that may know it.
func (z *Zone) CallRows(ctx context.Context, ws workspace.ID, call fact.ID) ([]fact.ID, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return nil, err
	}
	names, err := z.store.SourceNames(ctx, ws)
	if err != nil {
		return nil, err
	}
	ids := []fact.ID{call}
	for _, name := range append(names, importOf("native"), importOf("vcon")) {
		ids = append(ids, identity.In(key, call, name))
	}
	return ids, nil
}

// Export writes the redacted vCon of a call. It asks for today's verdict, not the one at the time of the call: after a
// later refusal, under a policy that denies today, and for a recording that was not released, the error is
// ErrNotReleased. Every text is masked once more by today's redactor and verified; one that cannot be verified is left
// out.
func (z *Zone) Export(ctx context.Context, ws workspace.ID, call string, kept ExportCall) ([]byte, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return nil, err
	}
	id := identity.Ref(key, fact.KindCall, call)
	policy, err := z.store.Policy(ctx, ws)
	if err != nil {
		return nil, err
	}
	who := anon.Stored(key, kept.Contact)
	if _, err := z.register.Orders(ctx, ws); err != nil { // somebody erased by another address is from here on
		return nil, err
	}
	if gone, err := z.register.Erased(ctx, ws, who); err != nil {
		return nil, err
	} else if !gone.IsZero() && !kept.At.After(gone) {
		return nil, ErrNoWords // its rows wait to be taken out
	}
	known, err := z.register.Known(ctx, ws, id, who)
	if err != nil {
		return nil, err
	}
	evidence, err := z.Receipt(ctx, ws, call)
	if err != nil {
		return nil, err
	}
	// The person's country is no longer known: where the policy has a list of countries, they count as of one of them.
	policy = policy.In("")
	verdict, why := consent.Decide(policy, consent.Export, known)
	if verdict != consent.Allow {
		return nil, fmt.Errorf("%w: %s", ErrNotReleased, why)
	}
	if slices.ContainsFunc(evidence.Takes, func(t receipt.Take) bool { return t.State != consent.Released.String() }) {
		return nil, fmt.Errorf("%w: its recording ended without a release", ErrNotReleased)
	}
	if kept.At.IsZero() {
		return nil, ErrNoWords
	}
	d, err := z.masker(policy)
	if err != nil {
		return nil, err
	}
	out := vcon.Redacted{
		Call: id, At: kept.At, Made: z.now(), Direction: kept.Direction, Seconds: kept.TalkS, Redactor: fmt.Sprint(redact.Version),
		Ground: vcon.Ground{Asked: policy.Transcripts == workspace.OptIn, At: kept.At, Receipt: evidence.Head},
	}
	for _, e := range evidence.Entries {
		if strings.HasPrefix(e.What, "opted-in") {
			out.Ground.At = e.At
		}
	}
	for _, t := range kept.Talks {
		if w, ok := exported(d, t); ok {
			out.Words = append(out.Words, w)
		}
	}
	if len(out.Words) == 0 {
		return nil, ErrNoWords
	}
	return out.JSON()
}

// exported masks a text again and cuts it into turns.
func exported(d *redact.Detector, t ExportTalk) (w vcon.Words, ok bool) {
	turns := redact.ParsePlain(t.Text)
	r, err := d.Redact(redact.Doc{Turns: turns})
	if err != nil || !r.Verified() {
		return w, false
	}
	w.Summary = t.Origin == fact.VendorSummary
	for i, text := range r.MaskedTurns() {
		w.Turns = append(w.Turns, vcon.Turn{Speaker: strings.TrimRight(turns[i].Label, ": "), Text: text})
	}
	return w, true
}
