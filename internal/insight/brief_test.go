package insight

import (
	"strings"
	"testing"
	"time"
)

func TestBriefPrefersFinishedPeriodsThatSaySomething(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	figure := func(period string, value float64, asOf time.Time) Figure {
		return Figure{Insight: "missed-call-rate", Measure: "rate", Grain: "week", Period: period, Value: &value, Low: &value, High: &value,
			Unit: "ratio", Base: 50, Contacts: "20-49", AsOf: asOf}
	}
	hidden := Figure{Insight: "missed-call-rate", Measure: "rate", Grain: "week", Period: "2026-W46", Hidden: "small-group", AsOf: end.AddDate(0, 0, 7)}
	running := figure("2026-W47", 0.9, end.AddDate(0, 0, 9))
	lines, _ := Brief([]Figure{figure("2026-W44", 0.1, end.AddDate(0, 0, -7)), figure("2026-W45", 0.2, end), hidden, running})
	if len(lines) != 1 || !strings.Contains(lines[0].Text, "20 %") || strings.Contains(lines[0].Text, "90 %") {
		t.Errorf("%+v", lines)
	}
	if lines, _ := Brief([]Figure{running}); len(lines) != 1 || !strings.Contains(lines[0].Text, "90 %") {
		t.Errorf("the running week alone: %+v", lines)
	}
}
