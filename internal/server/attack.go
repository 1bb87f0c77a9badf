package server

import (
	"fmt"
	"math"
	"strings"

	"murmur/internal/crowd"
	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/workspace"
)

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

	chance float64 // that Right may be above Bound: three standard errors
}

// attacked adds the attacks on one workspace, and a breach for each that was right more often than chance explains.
func (v *Verified) attacked(ws workspace.ID, a crowd.Attacked) {
	v.Attacks = append(v.Attacks, a.Said...)
	for _, f := range a.Found {
		v.Breaches = append(v.Breaches, Breach{File: "murmur.db", What: f})
	}
	out := Attacked{Workspace: ws.String(), Noise: a.Noise, Periods: append(append([]string{}, a.Weeks.Periods...), a.Blocks.Periods...)}
	out.Lines = append(lines("a week", a.Weeks, a.Noise), lines("four weeks", a.Blocks, a.Noise)...)
	for _, l := range out.Lines {
		if l.Bound > 0 && l.Right > l.Bound+l.chance {
			v.Breaches = append(v.Breaches, Breach{File: "murmur.db", What: fmt.Sprintf(
				"workspace %s: from %s an attacker is right about one person in %.0f %% of cases; at most %.0f %% is promised",
				ws, l.What, 100*l.Right, 100*l.Bound)})
		}
	}
	v.Attacked = append(v.Attacked, out)
}

// lines are those of periods of one length.
func lines(length string, a crowd.Attempt, noise int64) (all []Line) {
	if len(a.Periods) == 0 {
		return nil
	}
	one, two, every := release.Bounds(noise)
	for _, l := range []struct {
		what  string
		share release.Share
		bound float64
	}{
		{"one figure of " + length, a.Accuracy.One, one}, {"difference of two or three, " + length, a.Accuracy.Two, two},
		{"all figures of " + length, a.Accuracy.All, every}, {"all figures of " + length + ", watched as they change", a.Accuracy.Watched, every},
		{"all figures of " + length + ", about the five in it most", a.Accuracy.Heaviest, 0},
	} {
		all = append(all, Line{
			What: l.what, Right: math.Round(l.share.Of()*1000) / 1000, Bound: math.Round(l.bound*100) / 100, Tried: l.share.Tried,
			// The figures of one world are not independent, so the number of worlds determines the
			// standard error.
			chance: 3 * math.Sqrt(.25/float64(max(1, a.Accuracy.All.Tried))),
		})
	}
	return all
}

// Audited is the attack on what leaves one workspace (docs/provable.md).
type Audited struct {
	Workspace string      `json:"workspace"`
	Month     string      `json:"month"`
	Lines     []AuditLine `json:"measures"`
}

// AuditLine is that on one measure, or on all together: the errors of an attacker lie on the curve of mu-GDP for a mu between
// low and high, which must not be above the claim; no contact may change the exact sums by more than is declared (squared
// Euclidean length).
type AuditLine struct {
	Measure  string  `json:"measure"`
	Claimed  float64 `json:"mu_claimed"`
	Low      float64 `json:"mu_low"`
	High     float64 `json:"mu_high"`
	Declared int64   `json:"declared"`
	Most     int64   `json:"most"`
}

// audited adds the attack on what leaves a workspace, and a breach for each claim that does not hold.
func (v *Verified) audited(ws workspace.ID, a provable.Audit) {
	out := Audited{Workspace: ws.String(), Month: a.Month}
	round := func(mu float64) float64 { return math.Round(mu*1000) / 1000 }
	for _, l := range a.Lines {
		if l.Measure == "" {
			l.Measure = "all together"
		}
		out.Lines = append(out.Lines, AuditLine{l.Measure, round(l.Mu), round(l.Low), round(l.High), l.Declared, l.Most})
		if l.Broken() {
			v.Breaches = append(v.Breaches, Breach{File: "murmur.db", What: fmt.Sprintf(
				"workspace %s: what leaves of %s tells more of one contact than is claimed: mu %.3f or more, claimed %.3f; a contact adds %d, declared %d",
				ws, l.Measure, l.Low, l.Mu, l.Most, l.Declared)})
		}
	}
	v.Outside = append(v.Outside, out)
}

// String prints the table.
func (a Audited) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: what an attacker who knows everybody else tells from releases with and without one contact, %s\n", a.Workspace, a.Month)
	for _, l := range a.Lines {
		fmt.Fprintf(&s, "  %-16s mu %.3f to %.3f   at most %.3f   a contact adds %d of %d\n", l.Measure, l.Low, l.High, l.Claimed, l.Most, l.Declared)
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
