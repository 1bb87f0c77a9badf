// Package consent decides whether content of a person may be opened, and for which purpose.
//
// Zone: RED. A verdict is one of three: Allow, Refuse, Unknown; there is no default that allows. Refusal
// wins over consent, an opt-out is absorbing, and what was refused for a call stays refused for that call
// whatever the policy says later.
//
// The rule (docs/consent.md has it in plain words, and the tables): purposes are four, to record, transcribe, analyse and
// share, and each has its own verdict; a statement about one does not apply to another. A Use is something that is done
// with words or sound: it needs a ground for some purposes and no refusal of others. The ground for content of a call is
// the workspace's policy, "notice" or "opt-in": with notice, content of everybody who did not opt out may be used, with
// opt-in only that of people who agreed to this very purpose. Messages and survey answers were written to the business by
// the person themselves: they may be analysed unless that person refused it. That a call took place is the business's own
// record and needs no verdict.
//
// What it does not protect against: a business that states that it plays a notice and does not.
package consent

import (
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Verdict is the answer. The zero value is Unknown: the content stays sealed.
type Verdict int

const (
	Unknown Verdict = iota // hold
	Allow
	Refuse
)

func (v Verdict) String() string {
	return [...]string{"unknown", "allow", "refuse"}[v]
}

// Statement is what somebody said: agreed to some purposes, refused some. Neither undoes the other; a refusal wins.
type Statement struct{ In, Out Purposes }

func (s Statement) and(t Statement) Statement { return Statement{s.In | t.In, s.Out | t.Out} }

// Known is what the register knows about one person in one call.
type Known struct {
	Call     Statement // said during, or about, this call, by whomever
	Contact  Statement // said by the person for everywhere
	CallsOut bool      // the person pressed the key in a call: no later one is recorded
}

// Decide gives the verdict for one use and, unless it is Allow, why. Under opt-in, Unknown means: ask. A key pressed in an
// earlier call counts only for recordings: transcripts of a platform's history arrive in any order, and which of them are
// published must not depend on that order.
func Decide(p workspace.Policy, u Use, k Known) (Verdict, fact.Why) {
	said := k.Contact
	if u != Writing {
		said = said.and(k.Call)
	}
	if u == Recording && k.CallsOut {
		said.Out |= For(fact.Record)
	}
	need := uses[u]
	if said.Out&(need.ground|need.free) != 0 {
		return Refuse, fact.WhyOptedOut
	}
	verdict, why := Allow, fact.WhyNone
	for purpose := range need.ground.each() {
		if v, w := ground(p, purpose, said.In); Stricter(v, verdict) {
			verdict, why = v, w
		}
	}
	return verdict, why
}

// ground says whether there is a ground for one purpose: the policy's word, or the person's.
func ground(p workspace.Policy, purpose fact.Purpose, in Purposes) (Verdict, fact.Why) {
	basis := p.Transcripts
	if purpose == fact.Record {
		basis = p.Recordings
	}
	switch {
	case basis == workspace.Notice, basis == workspace.OneParty && purpose == fact.Record:
		return Allow, fact.WhyNone
	case basis == workspace.OptIn && in&For(purpose) != 0:
		return Allow, fact.WhyNone
	case basis == workspace.OptIn:
		return Unknown, fact.WhyNoConsentYet
	}
	return Refuse, fact.WhyPolicyDenies
}

// Stricter reports whether v lets through less than w. In a call of several people the strictest verdict holds.
func Stricter(v, w Verdict) bool {
	rank := [...]int{Allow: 0, Unknown: 1, Refuse: 2}
	return rank[v] > rank[w]
}
