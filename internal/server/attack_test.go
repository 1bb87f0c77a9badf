package server

import (
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/crowd"
	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

func TestAnAttackThatSucceedsIsABreach(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		right    float64 // of 1,000 in percent, from all figures of a week
		weeks    []string
		breaches int
	}{{"held", 79, []string{"2026-W45"}, 0}, {"chance", 82, []string{"2026-W45"}, 0}, {"too often", 86, []string{"2026-W45"}, 1}, {"nothing was shown", 0, nil, 0}} {
		var v rpc.Verified
		a := crowd.Attacked{Noise: 2, Weeks: crowd.Attempt{Periods: c.weeks}}
		a.Weeks.Accuracy.All = release.Share{Right: c.right * 10, Tried: 1000}
		attacked(&v, workspace.Default, a)
		if len(v.Breaches) != c.breaches {
			t.Errorf("%s: breaches %v", c.name, v.Breaches)
		}
		if said := v.Attacked[0].String(); !strings.Contains(said, "default: ") {
			t.Errorf("%s: %s", c.name, said)
		}
	}
}

// A claim about what leaves that does not hold is a breach: more told of one contact than the budget says, or a contact who adds
// more than is declared.
func TestAClaimOfWhatLeavesThatFailsIsABreach(t *testing.T) {
	t.Parallel()
	line := provable.Audited{Declared: 4, Most: 4, Mu: 0.42, Low: 0.36, High: 0.47}
	for name, c := range map[string]struct {
		change   func(*provable.Audited)
		breaches int
	}{
		"holds":               {func(*provable.Audited) {}, 0},
		"noise is too small":  {func(a *provable.Audited) { a.Low, a.High = 0.78, 0.9 }, 1},
		"a contact adds more": {func(a *provable.Audited) { a.Most = 9 }, 1},
	} {
		l, v := line, rpc.Verified{}
		c.change(&l)
		audited(&v, workspace.Default, provable.Audit{Month: "2026-11", Lines: []provable.Audited{l}})
		if len(v.Breaches) != c.breaches || !strings.Contains(v.Outside[0].String(), "all together") {
			t.Errorf("%s: breaches %v, printed %s", name, v.Breaches, v.Outside[0])
		}
	}
}

// grainsOf counts the grains of all metrics.
func grainsOf(p provable.Plan) (n int) {
	for _, m := range p.Metrics {
		n += len(m.Parts)
	}
	return n
}

// The attack on a house that lets a month out has a line a measure and grain, and its claims hold.
func TestWhatLeavesIsAttacked(t *testing.T) {
	t.Parallel()
	h := abroad(t, filepath.Join(t.TempDir(), "data"))
	defer stop(t, h.Node)
	a, ok, err := h.crowd.Audit(t.Context(), workspace.Default)
	if err != nil || !ok || a.Month != "2026-11" || len(a.Lines) != grainsOf(planFor(1000))+1 {
		t.Fatalf("%+v, %v, %v", a, ok, err)
	}
	for _, l := range a.Lines { // a false alarm: 8 in a million
		if l.Broken() {
			t.Errorf("%+v", l)
		}
	}
	other, err := workspace.Parse("other")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := h.crowd.Audit(t.Context(), other); ok || err != nil {
		t.Errorf("a workspace that lets nothing out: %v, %v", ok, err)
	}
}
