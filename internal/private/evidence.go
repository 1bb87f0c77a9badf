package private

import (
	"context"
	"time"

	"murmur/internal/fact"
	"murmur/internal/ledger"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/workspace"
)

// Evidence is what the ledger says about one call. It holds no phone number.
type Evidence struct {
	Verdict string // for the content of the call, as things stand: allow, refuse, unknown
	Head    string // receipt of the last entry about it; "" when there is none
	Entries []EvidenceEntry
}

// EvidenceEntry is one thing that was said about a call.
type EvidenceEntry struct {
	At   time.Time
	What string
	Via  string
}

// CallEvidence collects what is known about a call by the platform's own id. A call that nobody knows has no entries.
func (z *Zone) CallEvidence(ctx context.Context, ws workspace.ID, call string) (Evidence, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return Evidence{}, err
	}
	id := identity.FactID(key, fact.KindCall, call)
	policy, err := z.store.Policy(ctx, ws)
	if err != nil {
		return Evidence{}, err
	}
	known, err := z.register.Known(ctx, ws, id, anon.Contact{})
	if err != nil {
		return Evidence{}, err
	}
	verdict, _ := consent.Decide(policy, fact.KindTalk, known)
	out := Evidence{Verdict: verdict.String()}
	err = z.ledger.Entries(ctx, ws.String(), ledger.Filter{Kind: "consent"}, func(r ledger.Record) error {
		c, ok := r.Entry.(ledger.Consent)
		if ok && c.Ref.Is(id) {
			out.Entries = append(out.Entries, EvidenceEntry{At: r.At, What: c.Act, Via: c.Via})
			out.Head = r.Receipt.String()
		}
		return nil
	})
	return out, err
}
