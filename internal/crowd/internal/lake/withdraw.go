package lake

import (
	"context"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Withdrawal names content that must go because somebody opted out: everything said in the calls, and every word
// of the contacts.
type Withdrawal struct {
	Calls    []fact.ID
	Contacts []anon.Contact
}

// Withdraw drops talks of the calls, and talks and masked words of the contacts, in all days. That a call or a
// message took place stays.
func (l *Lake) Withdraw(ctx context.Context, ws workspace.ID, w Withdrawal) error {
	calls := map[fact.ID]bool{}
	for _, c := range w.Calls {
		calls[c] = true
	}
	contacts := map[[anon.ContactLen]byte]bool{}
	for _, c := range w.Contacts {
		if c.Valid() {
			contacts[c.Bytes()] = true
		}
	}
	talks := map[fact.ID]bool{}
	for r, err := range l.Rows(ctx, fact.Facts) {
		if err != nil {
			return wrap("withdraw", err)
		}
		if r.Workspace == ws && r.Kind == fact.KindTalk && calls[reference(r)] {
			talks[r.ID] = true
		}
	}
	if len(talks) == 0 && len(contacts) == 0 {
		return nil
	}
	err := l.drop(ctx, func(r Stored) bool {
		return r.Workspace == ws && (talks[r.ID] || contacts[r.Contact] && (r.Kind == fact.KindTalk || r.Table == fact.Texts))
	}, colHead)
	return wrap("withdraw", err)
}

// reference is the id of the call that a row belongs to.
func reference(r Stored) fact.ID {
	return fact.Reference(r.Number(fact.ColCallHi), r.Number(fact.ColCallLo))
}
