package rpc

import (
	"fmt"
	"strings"
)

// Breach names a place and what is wrong with it.
type Breach struct {
	File string `json:"file"`
	What string `json:"what"`
	// Lost is how many records the place held: rows of the lake, or deliveries of the journal.
	Lost int64 `json:"lost,omitempty"`
}

// Verified is the answer of verify.
type Verified struct {
	Breaches []Breach   `json:"breaches"`
	Files    int        `json:"files"`
	Entries  int64      `json:"ledger_entries"`
	Tables   int        `json:"tables"`
	Attacks  []string   `json:"attacks,omitempty"`
	Attacked []Attacked `json:"attacked,omitempty"`
	Outside  []Audited  `json:"outside,omitempty"`
	Clean    bool       `json:"closed_properly"` // every byte could be compared
	// Key verifies what the ledger signs, and Checkpoint is its newest: keep both outside the data directory.
	Key        string `json:"key,omitempty"`
	Checkpoint string `json:"checkpoint,omitempty"`
}

// VerifyArgs are the arguments of verify.
type VerifyArgs struct {
	Attack bool `json:"attack"`
	// Checkpoints are signed notes of the ledger that were kept outside the data directory, one after the other.
	Checkpoints string `json:"checkpoints,omitempty"`
}

// Attacked is what the attack on the figures of one workspace came to. Its attacker knows every row but one person's, reads
// what others than the owner are shown, and says whether the person is in it: guessing is right in half of the cases.
type Attacked struct {
	Workspace string   `json:"workspace"`
	Noise     int64    `json:"noise"` // 0: others are shown no figures
	Periods   []string `json:"periods"`
	Lines     []Line   `json:"accuracy"`
}

// Line is how often the attacker was right. A bound of 0 is none.
type Line struct {
	What  string  `json:"what"`
	Right float64 `json:"right"`
	Bound float64 `json:"bound,omitempty"`
	Tried int     `json:"tried"`
}

// Audited is the attack on what leaves one workspace (docs/provable.md).
type Audited struct {
	Workspace string      `json:"workspace"`
	Month     string      `json:"month"`
	Lines     []AuditLine `json:"measures"`
}

// AuditLine is that on one measure in one grain, or on all together: the errors of an attacker lie on the curve of mu-GDP for a mu between
// low and high, which must not be above the claim; no contact may change the exact sums by more than is declared (squared
// Euclidean length).
type AuditLine struct {
	Measure  string  `json:"measure"`
	Grain    string  `json:"grain,omitempty"`
	Claimed  float64 `json:"mu_claimed"`
	Low      float64 `json:"mu_low"`
	High     float64 `json:"mu_high"`
	Declared int64   `json:"declared"`
	Most     int64   `json:"most"`
}

// String prints the table.
func (a Audited) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: what an attacker who knows everybody else tells from releases with and without one contact, %s\n", a.Workspace, a.Month)
	for _, l := range a.Lines {
		fmt.Fprintf(&s, "  %-16s %-6s mu %.3f to %.3f   at most %.3f   a contact adds %d of %d\n", l.Measure, l.Grain, l.Low, l.High, l.Claimed, l.Most, l.Declared)
	}
	return s.String()
}

// String prints the table.
func (a Attacked) String() string {
	var s strings.Builder
	if a.Noise == 0 {
		return fmt.Sprintf("%s: noise is 0, so nobody but the owner is shown figures\n", a.Workspace)
	}
	if len(a.Periods) == 0 {
		return fmt.Sprintf("%s: others have not been shown any period yet\n", a.Workspace)
	}
	fmt.Fprintf(&s, "%s: how often somebody who knows every row but one person's is right about that person (guessing: 50 %%)\n", a.Workspace)
	fmt.Fprintf(&s, "%s; noise %d\n", strings.Join(a.Periods, ", "), a.Noise)
	for _, l := range a.Lines {
		bound := "no bound"
		if l.Bound > 0 {
			bound = fmt.Sprintf("at most %.0f %%", 100*l.Bound)
		}
		fmt.Fprintf(&s, "  %-58s %3.0f %%   %-12s of %d\n", l.What, 100*l.Right, bound, l.Tried)
	}
	return s.String()
}

// CheckedReceipt is the answer of verify for a receipt of a call.
type CheckedReceipt struct {
	Breaches []Breach `json:"breaches"`
	Call     string   `json:"call"`
	Key      string   `json:"key"`     // the verifier key of the ledger that says it signed
	Trusted  bool     `json:"trusted"` // that key is the data directory's, or the one that was named
}
