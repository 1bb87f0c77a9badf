package server

import (
	"fmt"
	"math"

	"murmur/internal/crowd"
	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// attacked adds the attacks on one workspace, and a breach for each that was right more often than chance explains.
func attacked(v *rpc.Verified, ws workspace.ID, a crowd.Attacked) {
	v.Attacks = append(v.Attacks, a.Said...)
	for _, f := range a.Found {
		v.Breaches = append(v.Breaches, rpc.Breach{File: "murmur.db", What: f})
	}
	out := rpc.Attacked{Workspace: ws.String(), Noise: a.Noise, Periods: append(append([]string{}, a.Weeks.Periods...), a.Blocks.Periods...)}
	out.Lines = append(lines(v, ws, "a week", a.Weeks, a.Noise), lines(v, ws, "four weeks", a.Blocks, a.Noise)...)
	v.Attacked = append(v.Attacked, out)
}

// lines are those of periods of one length. One above its bound by three standard errors is a breach.
func lines(v *rpc.Verified, ws workspace.ID, length string, a crowd.Attempt, noise int64) (all []rpc.Line) {
	if len(a.Periods) == 0 {
		return nil
	}
	one, two, every := release.Bounds(noise)
	// The figures of one world are not independent, so the number of worlds determines the standard error.
	chance := 3 * math.Sqrt(.25/float64(max(1, a.Accuracy.All.Tried)))
	for _, l := range []struct {
		what  string
		share release.Share
		bound float64
	}{
		{"one figure of " + length, a.Accuracy.One, one}, {"difference of two or three, " + length, a.Accuracy.Two, two},
		{"all figures of " + length, a.Accuracy.All, every}, {"all figures of " + length + ", watched as they change", a.Accuracy.Watched, every},
		{"all figures of " + length + ", about the five in it most", a.Accuracy.Heaviest, 0},
	} {
		line := rpc.Line{What: l.what, Right: math.Round(l.share.Of()*1000) / 1000, Bound: math.Round(l.bound*100) / 100, Tried: l.share.Tried}
		if line.Bound > 0 && line.Right > line.Bound+chance {
			v.Breaches = append(v.Breaches, rpc.Breach{File: "murmur.db", What: fmt.Sprintf(
				"workspace %s: from %s an attacker is right about one person in %.0f %% of cases; at most %.0f %% is promised",
				ws, line.What, 100*line.Right, 100*line.Bound)})
		}
		all = append(all, line)
	}
	return all
}

// audited adds the attack on what leaves a workspace, and a breach for each claim that does not hold.
func audited(v *rpc.Verified, ws workspace.ID, a provable.Audit) {
	out := rpc.Audited{Workspace: ws.String(), Month: a.Month}
	round := func(mu float64) float64 { return math.Round(mu*1000) / 1000 }
	for _, l := range a.Lines {
		if l.Measure == "" {
			l.Measure = "all together"
		}
		out.Lines = append(out.Lines, rpc.AuditLine{Measure: l.Measure, Grain: string(l.Grain), Claimed: round(l.Mu), Low: round(l.Low), High: round(l.High), Declared: l.Declared, Most: l.Most})
		if l.Broken() {
			v.Breaches = append(v.Breaches, rpc.Breach{File: "murmur.db", What: fmt.Sprintf(
				"workspace %s: what leaves of %s tells more of one contact than is claimed: mu %.3f or more, claimed %.3f; a contact adds %d, declared %d",
				ws, l.Measure, l.Low, l.Mu, l.Most, l.Declared)})
		}
	}
	v.Outside = append(v.Outside, out)
}
