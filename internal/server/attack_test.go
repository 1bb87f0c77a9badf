package server

import (
	"strings"
	"testing"

	"murmur/internal/crowd"
	"murmur/internal/crowd/release"
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
		var v Verified
		a := crowd.Attacked{Noise: 2, Weeks: crowd.Attempt{Periods: c.weeks}}
		a.Weeks.Accuracy.All = release.Share{Right: c.right * 10, Tried: 1000}
		v.attacked(workspace.Default, a)
		if len(v.Breaches) != c.breaches {
			t.Errorf("%s: breaches %v", c.name, v.Breaches)
		}
		if said := v.Attacked[0].String(); !strings.Contains(said, "default: ") {
			t.Errorf("%s: %s", c.name, said)
		}
	}
}
