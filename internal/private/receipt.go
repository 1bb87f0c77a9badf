package private

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"murmur/internal/fact"
	"murmur/internal/ledger"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/recording"
	"murmur/internal/receipt"
	"murmur/internal/workspace"
)

// Receipt collects the evidence of a call by the platform's own id. An unknown call has no entries.
func (z *Zone) Receipt(ctx context.Context, ws workspace.ID, call string) (receipt.Call, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return receipt.Call{}, err
	}
	id := identity.Ref(key, fact.KindCall, call)
	r := receipt.Call{Format: receipt.Format, Call: call, ID: hex.EncodeToString(id[:]), MadeAt: z.now().UTC().Truncate(time.Microsecond), Key: z.ledger.Key()}
	policy, err := z.store.Policy(ctx, ws)
	if err != nil {
		return receipt.Call{}, err
	}
	known, err := z.register.Known(ctx, ws, id)
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
	if turnedAway(r.Takes) {
		known.Call.Out = consent.Everything
	}
	verdict, _ := consent.Decide(policy, consent.Transcript, known)
	r.Verdict = verdict.String()
	slices.Sort(seqs)
	checkpoint, proofs, err := z.ledger.Prove(ctx, seqs)
	if err != nil {
		return receipt.Call{}, err
	}
	r.Checkpoint, r.Proofs = checkpoint.String(), proofs
	statement, err := r.Statement()
	r.Signature = z.ledger.Sign(receipt.Format, statement)
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

// ErrReceipt is returned for bytes that are not a receipt.
var ErrReceipt = errors.New("the file is not a receipt of a call")

// CheckReceipt checks a receipt under the key of the ledger that should have signed it, and names what does not hold:
// a signature that is not that ledger's, entries that were edited or are not in it, statements that the entries do not
// support, and state changes that the rule does not allow. A nil key takes the receipt's own, which proves only that
// the receipt was not changed after the holder of that key signed it. ErrReceipt for bytes that are no receipt.
func CheckReceipt(file []byte, key ledger.Verifier) (found []string, err error) {
	r, err := readReceipt(file)
	if err != nil {
		return nil, err
	}
	if key == nil {
		if key, err = ledger.ParseKey(r.Key); err != nil {
			return nil, ErrReceipt
		}
	}
	statement, err := r.Statement()
	if err != nil {
		return nil, err
	}
	if !ledger.Signed(key, receipt.Format, statement, r.Signature) {
		found = append(found, "the receipt was changed, or signed by another ledger")
	}
	all, unproven := proven(r, key)
	found = append(found, unproven...)
	takes, entries, head := summary(all)
	if !same(r.Takes, takes) || !same(r.Entries, entries) || r.Head != head {
		found = append(found, "the receipt does not say what its entries say")
	}
	out := slices.ContainsFunc(entries, func(e receipt.Entry) bool { return silencing(e.What) })
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

// readReceipt reads one JSON object without unknown or doubled fields. ErrReceipt.
func readReceipt(file []byte) (r receipt.Call, err error) {
	if !jsontext.Value(file).IsValid() {
		return r, ErrReceipt
	}
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || r.Format != receipt.Format {
		return r, ErrReceipt
	}
	if id, err := hex.DecodeString(r.ID); err != nil || len(id) != len(fact.ID{}) {
		return r, ErrReceipt
	}
	return r, nil
}

// proven gives the entries that a receipt shows, and names those that its checkpoint does not have or that are about
// another call.
func proven(r receipt.Call, key ledger.Verifier) (all []ledger.Record, found []string) {
	var id [16]byte
	if _, err := hex.Decode(id[:], []byte(r.ID)); err != nil {
		return nil, []string{"the id is none"}
	}
	checkpoint, err := ledger.ParseCheckpoint(r.Checkpoint, key)
	if err != nil && (r.Checkpoint != "" || len(r.Proofs) > 0) {
		found = append(found, err.Error())
	}
	for _, p := range r.Proofs {
		if !p.Holds(checkpoint) {
			found = append(found, fmt.Sprintf("entry %d: it is not in the ledger of the checkpoint", p.Seq))
		}
		rec, err := p.Record()
		if err != nil {
			found = append(found, err.Error())
			continue
		}
		if ref, ok := refOf(rec); !ok || !ref.Is(id) {
			found = append(found, fmt.Sprintf("entry %d: of another call", rec.Seq))
		}
		all = append(all, rec)
	}
	return all, found
}

// silencing reports whether an entry forbids the use of a call's content: a refusal of anything
// except sharing.
func silencing(what string) bool {
	return strings.HasPrefix(what, "opted-out") && what != "opted-out:"+consent.PurposeName(fact.Share)
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
