package server

import (
	"context"
	"fmt"

	"murmur/internal/ledger"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// holdings says what is kept about people and whether the ledger is whole.
type holdings struct{ *Node }

func (h holdings) Kept(ctx context.Context, ws workspace.ID) ([]web.Kept, error) {
	p, err := h.store.Policy(ctx, ws)
	if err != nil {
		return nil, err
	}
	return []web.Kept{
		{What: "What sources sent, as they sent it", Where: "journal.db", HowLong: "until it is decided: seconds; 7 days at most while it is held, 30 in quarantine", Guard: "sealed under the day's key, which is destroyed"},
		{What: "One row a call, text, step and answer: times, results, no words", Where: "lake/", HowLong: fmt.Sprintf("linked to a pseudonym and the call for %d days, then to nobody (with words: 90)", p.LinkDays), Guard: "keyed pseudonym; disk encryption"},
		{What: "Words of texts, transcripts and comments, masked", Where: "lake/", HowLong: "90 days", Guard: "every personal value masked, verified by a second look"},
		{What: "Figures of weeks and four-week blocks", Where: "murmur.db", HowLong: "kept", Guard: fmt.Sprintf("at least %d people behind each, %d where words were read; noise on every count that others than the owner see", p.MinGroup, p.ContentGroup())},
		{What: "Opt-outs, erasures, changes of policy", Where: "murmur.db", HowLong: "kept", Guard: "Merkle tree with signed checkpoints; keyed references, no numbers or names"},
		{What: "Addresses of those who get the week by mail, and of alerts", Where: "murmur.db", HowLong: "until they end it", Guard: "sealed under the workspace's key"},
		{What: "Sentences that categories of your own were learned from, masked", Where: "murmur.db", HowLong: "until the category is removed", Guard: "sealed under the workspace's key"},
		{What: "Erased people, so that their older events are not taken in again", Where: "murmur.db", HowLong: fmt.Sprintf("%d days", tombstoneDays(p)), Guard: "keyed pseudonym"},
		{What: "Which addresses a source named as one person's, so that a refusal by one holds for the others", Where: "murmur.db", HowLong: fmt.Sprintf("%d days after it last did", p.LinkDays), Guard: "keyed pseudonyms, in pairs"},
		{What: "Recordings whose notice was heard and that nobody refused", Where: "recordings/", HowLong: fmt.Sprintf("%d hours", p.RawHours), Guard: "each under a key of its own, in memory until the call ended; then sealed under the day's key"},
	}, nil
}

func (h holdings) Ledger(ctx context.Context, ws workspace.ID) (web.LedgerState, error) {
	counts := map[string]int64{}
	out := web.LedgerState{Checked: h.now().UTC()}
	err := h.ledger.Entries(ctx, ws.String(), ledger.Filter{}, func(r ledger.Record) error {
		counts[r.Kind]++
		out.Head = r.Receipt.String()
		return nil
	})
	if err != nil {
		return out, err
	}
	for _, k := range ledger.Kinds {
		out.Counts = append(out.Counts, web.LedgerCount{Kind: k, Entries: counts[k]})
	}
	breaches, err := h.ledger.Verify(ctx)
	out.Broken = len(breaches) > 0
	return out, err
}

// policyHistory lists who changed what and why, newest first.
func (n *Node) policyHistory(ctx context.Context, ws workspace.ID) ([]web.PolicyChange, error) {
	var out []web.PolicyChange
	err := n.ledger.Entries(ctx, ws.String(), ledger.Filter{Kind: "policy"}, func(r ledger.Record) error {
		if p, ok := r.Entry.(ledger.Policy); ok {
			out = append([]web.PolicyChange{{At: r.At, By: p.Author, Key: p.Key, From: p.From, To: p.To, Reason: p.Reason}}, out...)
		}
		return nil
	})
	return out, err
}
