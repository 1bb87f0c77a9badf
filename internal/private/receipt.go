package private

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/ledger"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/recording"
	"murmur/internal/receipt"
	"murmur/internal/workspace"
)

// Receipt collects the evidence of a call by the platform's own id. A call that nobody knows has no entries.
func (z *Zone) Receipt(ctx context.Context, ws workspace.ID, call string) (receipt.Call, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return receipt.Call{}, err
	}
	id := identity.FactID(key, fact.KindCall, call)
	r := receipt.Call{Format: receipt.Format, Call: call, ID: hex.EncodeToString(id[:])}
	policy, err := z.store.Policy(ctx, ws)
	if err != nil {
		return receipt.Call{}, err
	}
	known, err := z.register.Known(ctx, ws, id, anon.Contact{})
	if err != nil {
		return receipt.Call{}, err
	}
	var all []ledger.Record
	var seqs []int64
	for _, kind := range []string{"consent", "recording"} {
		err := z.ledger.Entries(ctx, ws.String(), ledger.Filter{Kind: kind}, func(rec ledger.Record) error {
			if ref, ok := refOf(rec); ok && ref.Is(id) {
				all, seqs = append(all, rec), append(seqs, rec.Seq)
			}
			return nil
		})
		if err != nil {
			return receipt.Call{}, err
		}
	}
	slices.SortFunc(all, func(a, b ledger.Record) int { return int(a.Seq - b.Seq) })
	r.Takes, r.Entries, r.Head = summary(all)
	known.CallOptedOut = known.CallOptedOut || turnedAway(r.Takes)
	verdict, _ := consent.Decide(policy, fact.KindTalk, known)
	r.Verdict = verdict.String()
	r.Chains, err = z.ledger.Chains(ctx, seqs)
	if r.Chains == nil {
		r.Chains = []ledger.Chain{}
	}
	return r, err
}

// turnedAway reports whether the contact had refused before the call: with whom it was, its entries do not tell otherwise.
func turnedAway(takes []receipt.Take) bool {
	return slices.ContainsFunc(takes, func(t receipt.Take) bool {
		return t.State == consent.Refused.String() && t.Basis != string(workspace.Deny)
	})
}

// refOf is the call that an entry is about, if it is about one.
func refOf(r ledger.Record) (ledger.Ref, bool) {
	switch e := r.Entry.(type) {
	case ledger.Consent:
		return e.Ref, e.Subject == "call" || e.Subject == "call-in"
	case ledger.Recording:
		return e.Ref, true
	}
	return nil, false
}

// summary says in words what the entries of a call say.
func summary(all []ledger.Record) (takes []receipt.Take, entries []receipt.Entry, head string) {
	takes, entries = []receipt.Take{}, []receipt.Entry{}
	for _, rec := range all {
		head = rec.Receipt.String()
		switch e := rec.Entry.(type) {
		case ledger.Consent:
			entries = append(entries, receipt.Entry{Seq: rec.Seq, At: rec.At, What: e.Act, Via: e.Via})
		case ledger.Recording:
			entries = append(entries, receipt.Entry{Seq: rec.Seq, At: rec.At, What: e.State, Via: e.Via})
			i := slices.IndexFunc(takes, func(t receipt.Take) bool { return t.Recording == e.ID })
			if i < 0 {
				takes = append(takes, receipt.Take{Recording: e.ID, Basis: e.Basis, Notice: noticeOf(e)})
				i = len(takes) - 1
			}
			take(&takes[i], e)
		}
	}
	return takes, entries, head
}

func noticeOf(e ledger.Recording) receipt.Notice {
	n := receipt.Notice{ID: e.Notice, Language: e.Language, From: micros(e.From), To: micros(e.To), Whole: e.To != 0}
	if e.Audio != (ledger.Digest{}) {
		n.SHA256 = hex.EncodeToString(e.Audio[:])
	}
	return n
}

// take adds what a further entry says of a recording.
func take(t *receipt.Take, e ledger.Recording) {
	t.State, t.Rule, t.Kept = e.State, e.Rule, t.Kept || e.Kept
	if e.Via != "" {
		t.Via, t.Key = e.Via, e.Key
	}
	t.KeyDestroyed = e.State != consent.Released.String() || !t.Kept
	for _, m := range e.Trace {
		t.Trace = append(t.Trace, receipt.Move{At: micros(m.At), On: m.On, To: m.To})
	}
}

func micros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// ErrReceipt is returned for bytes that are no receipt.
var ErrReceipt = errors.New("that is no receipt of a call")

// CheckReceipt checks a receipt with nothing but the ledger's public key, and names what does not hold: entries that were
// edited, deleted, moved, cut off or made up, words that the entries do not say, and moves that the rule does not allow.
// A nil key takes the receipt's own, which proves only that nobody changed it since whoever holds that key signed it.
func CheckReceipt(file []byte, key ed25519.PublicKey) (found []string, err error) {
	var r receipt.Call
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || r.Format != receipt.Format {
		return nil, ErrReceipt
	}
	id, err := hex.DecodeString(r.ID)
	if err != nil || len(id) != len(fact.ID{}) {
		return nil, ErrReceipt
	}
	var all []ledger.Record
	for _, c := range r.Chains {
		trusted := key
		if trusted == nil {
			trusted = c.Key
		}
		for _, b := range c.Verify(trusted) {
			found = append(found, b.String())
		}
		records, err := c.Records()
		if err != nil {
			found = append(found, err.Error())
		}
		all = append(all, records...)
	}
	for _, rec := range all {
		if ref, ok := refOf(rec); !ok || !ref.Is([16]byte(id)) {
			found = append(found, fmt.Sprintf("entry %d: of another call", rec.Seq))
		}
	}
	takes, entries, head := summary(all)
	if !same(r.Takes, takes) || !same(r.Entries, entries) || r.Head != head {
		found = append(found, "the receipt does not say what its entries say")
	}
	out := slices.ContainsFunc(entries, func(e receipt.Entry) bool { return e.What == "opted-out" })
	if r.Verdict != consent.Refuse.String() && (out || turnedAway(takes)) {
		found = append(found, "the receipt says that the call may be heard, its entries that somebody refused")
	}
	for _, t := range takes {
		if err := replay(t); err != nil {
			found = append(found, fmt.Sprintf("recording %s: %s", t.Recording, err))
		}
	}
	return found, nil
}

// same compares two parts of a receipt as they are printed.
func same(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// replay takes a recording's call through its trace again.
func replay(t receipt.Take) error {
	moves := make([]ledger.Move, len(t.Trace))
	for i, m := range t.Trace {
		moves[i] = ledger.Move{On: m.On, To: m.To, At: m.At.UnixMicro()}
	}
	trace, err := recording.Trace(moves)
	if err != nil {
		return err
	}
	end, err := consent.Replay(trace)
	if err == nil && end.String() != t.State {
		err = fmt.Errorf("it ends in %s, not in %s: %w", end, t.State, consent.ErrTrace)
	}
	return err
}
