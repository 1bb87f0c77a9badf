package web

import (
	"testing"
	"time"

	"murmur/internal/insight"
	"murmur/internal/workspace"
)

func TestNumbersInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		unit            string
		v, low, high    float64
		value, interval string
	}{
		{"ratio", 0.112, 0.081, 0.139, "11 %", "8-14 %"},
		{"ratio", 0.004, 0.001, 0.012, "0.4 %", "0.1-1.2 %"},
		{"ratio", 0, 0, 0, "0.0 %", "0.0 %"},
		{"s", 42, 30, 60, "42 s", "30-60 s"},
		{"s", 200, 150, 420, "3 min", "2-7 min"},
		{"s", 9200, 6900, 11500, "2.6 h", "1.9-3.2 h"},
		{"points", 31, -3, 48, "31 points", "-3 to 48 points"},
		{"points", 4.21, 4, 4.42, "4.2 points", "4.0-4.4 points"},
		{"points", -0.2, -3, 2, "-0.2 points", "-3.0 to 2.0 points"},
		{"calls", 1204, 1100, 1311, "1,204 calls", "1,100-1,311 calls"},
	} {
		f := insight.Figure{Unit: c.unit, Value: &c.v, Low: &c.low, High: &c.high}
		if got := valueText(f); got != c.value {
			t.Errorf("value %q, want %q", got, c.value)
		}
		if got := intervalText(f); got != c.interval {
			t.Errorf("interval %q, want %q", got, c.interval)
		}
	}
}

func TestPeriodsInWords(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"2026-W48":           "23-29 Nov 2026",
		"2026-W53":           "28 Dec - 3 Jan 2027", // ISO 8601: 2026 has 53 weeks
		"2025-W01":           "30 Dec - 5 Jan 2025",
		"2026-W45..2026-W48": "2-29 Nov 2026 (4 weeks)",
		"someday":            "someday",
	} {
		if got := periodText(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !inPeriod("2026-W45..2026-W48", "2026-W46") || inPeriod("2026-W45..2026-W48", "2026-W49") || !inPeriod("2026-W46", "2026-W46") {
		t.Error("weeks and blocks")
	}
}

func FuzzNamesFromFigures(f *testing.F) {
	f.Add("2026-W45..2026-W48", "Mon 09")
	f.Add("9999-W54", "168")
	f.Fuzz(func(t *testing.T, period, hour string) {
		if periodText(period) == "" && period != "" {
			t.Error("a period lost its name")
		}
		if h, ok := hourIndex(hour); ok && (h < 0 || h > 167) {
			t.Errorf("hour %d", h)
		}
	})
}

func TestAges(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{5 * time.Second: "just now", time.Minute: "1 minute ago", 3 * time.Hour: "3 hours ago", 72 * time.Hour: "3 days ago"} {
		if got := ageText(d); got != want {
			t.Errorf("%v: %q", d, got)
		}
	}
}

func TestRoleRanks(t *testing.T) {
	t.Parallel()
	if Role("").may("") || Role("root").may(Viewer) || Viewer.may(Privacy) || Privacy.may(Owner) || !Owner.may(Viewer) {
		t.Error("a role has more than its rights")
	}
}

// TestEverySettingHasAName: no key of the policy stands on a page without one.
func TestEverySettingHasAName(t *testing.T) {
	t.Parallel()
	keys, _ := workspace.Keys()
	for _, k := range keys {
		if settingTitles[k] == "" {
			t.Errorf("%s has no name", k)
		}
	}
}
