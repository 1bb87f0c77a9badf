package insight

import (
	"fmt"
	"testing"

	"murmur/internal/crowd/release"
)

// weekOf45 is the missed-call rate of a week, of 60 calls, counted from 2026-W45 on.
func weekOf45(t *testing.T, week int, missed int64) Figure {
	t.Helper()
	f := rate(t, missed, 60-missed)[0]
	f.Period = fmt.Sprintf("2026-W%02d", 45+week)
	zone := f.AsOf.Location()
	p, err := release.ParsePeriod(zone, f.Period)
	if err != nil {
		t.Fatal(err)
	}
	f.AsOf = p.End
	return f
}

// A suggestion was applied after the fourth week. The other weeks are the control: a fall from 24 to 9 of 60 is clear where weeks
// are alike, and not where they swing as far by themselves.
func TestWhatCameOfASuggestionIsHeldAgainstTheOtherWeeks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		missed []int64
		told   bool
		clear  bool
	}{
		"a clear fall":         {[]int64{24, 25, 23, 24, 9, 10, 8}, true, true},
		"nothing changed":      {[]int64{24, 25, 23, 24, 23, 25, 24}, true, false},
		"weeks swing anyway":   {[]int64{40, 4, 38, 6, 9, 2, 30}, true, false},
		"no week since":        {[]int64{24, 25, 23, 24}, false, false},
		"only weeks since":     {[]int64{-1, -1, -1, -1, 9, 10, 8}, false, false},
		"one week before each": {[]int64{-1, -1, -1, 24, 9}, true, true},
	} {
		var figures []Figure
		for week, n := range c.missed {
			if n >= 0 {
				figures = append(figures, weekOf45(t, week, n))
			}
		}
		x := Suggestion{Evidence: figures[:1]}
		m, ok := Outcome(x, figures, func(f Figure) (bool, bool) { return f.Period < "2026-W49", f.Period >= "2026-W49" })
		if ok != c.told || ok && m.Clear() != c.clear {
			t.Errorf("%s: told %v, clear %v: %+.2f (%+.2f to %+.2f)", name, ok, m.Clear(), m.Change, m.Low, m.High)
		}
	}
}
