// Package consent decides whether content of a person may be opened, and for what.
//
// Zone: RED. A verdict is one of three: Allow, Refuse, Unknown; there is no default that allows. Refusal
// wins over consent, an opt-out is absorbing, and what was refused for a call stays refused for that call
// whatever the policy says later.
//
// The rule (docs/consent.md has it in plain words, and the table): content of a call (recording, transcript, summary) needs the
// workspace's policy to say "notice" or "opt-in". With notice, everyone may be heard who did not opt out.
// With opt-in, only who agreed. Messages and survey answers were written to the business by the person
// themselves: they may be analysed unless that person opted out of everything; a key pressed in a call speaks of
// calls alone. That a call took place, and how it went, is the business's own record and needs no verdict.
//
// What it does not protect against: a business that states a notice it never plays.
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

// Known is what the ledger knows about one piece of content.
type Known struct {
	CallOptedOut    bool // somebody opted out during, or about, this call
	CallsOptedOut   bool // the contact pressed the key in a call: no later one is recorded
	ContactOptedOut bool // the contact opted out of everything
	CallOptedIn     bool
	ContactOptedIn  bool
}

// Decide gives the verdict for one kind of content and, unless it is Allow, why.
func Decide(p workspace.Policy, kind fact.Kind, k Known) (Verdict, fact.Why) {
	switch kind {
	case fact.KindCall, fact.KindStep, fact.KindConsent:
		return Allow, fact.WhyNone
	case fact.KindMessage, fact.KindAnswer:
		if k.ContactOptedOut {
			return Refuse, fact.WhyOptedOut
		}
		return Allow, fact.WhyNone
	case fact.KindTalk:
		return talk(p.Transcripts, k)
	default:
		return Unknown, fact.WhyNoConsentYet
	}
}

// Record gives the verdict for the recording of a call: as for transcripts, on the ground of the policy for recordings, and
// a key pressed in an earlier call counts. It does not count for transcripts: a platform's history comes in any order, and
// what is published of it must not depend on that. Under opt-in, Unknown means: ask.
func Record(p workspace.Policy, k Known) (Verdict, fact.Why) {
	k.CallOptedOut = k.CallOptedOut || k.CallsOptedOut
	if p.Recordings == workspace.OneParty && !k.CallOptedOut && !k.ContactOptedOut {
		return Allow, fact.WhyNone
	}
	return talk(p.Recordings, k)
}

func talk(basis workspace.Basis, k Known) (Verdict, fact.Why) {
	switch {
	case k.CallOptedOut || k.ContactOptedOut:
		return Refuse, fact.WhyOptedOut
	case basis == workspace.Notice:
		return Allow, fact.WhyNone
	case basis == workspace.OptIn && (k.CallOptedIn || k.ContactOptedIn):
		return Allow, fact.WhyNone
	case basis == workspace.OptIn:
		return Unknown, fact.WhyNoConsentYet
	default:
		return Refuse, fact.WhyPolicyDenies
	}
}
