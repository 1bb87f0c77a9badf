package insight

import (
	"testing"

	"murmur/internal/crowd/release"
)

func happened(driver, yes string) release.Member { return release.Member{Dim: driver, Name: yes} }

// In percent of their scales: after a missed call 20, 20, 20, 40, 50, mean 30; others 80, 90, 90, 100, 100, mean 92: -62 points.
// Too few had to wait long, nobody met an AI agent, and those who came back score like all others: 0 points.
var _ = example("score-drivers", func(q []release.Query) []answer {
	scores := func(i int, values ...int64) []int64 { return histogram(q[i].Value.Bins, values...) }
	return []answer{
		answered(q[0], group(5, scores(0, 20, 20, 20, 40, 50), happened("missed_call", "yes")), group(5, scores(0, 80, 90, 90, 100, 100), happened("missed_call", "no"))),
		answered(q[1], group(10, scores(1, 20, 20, 20, 40, 50, 80, 90, 90, 100, 100), happened("long_wait", "yes"), happened("long_wait", "no"))),
		answered(q[2], group(5, scores(2, 20, 50, 90, 100, 45), happened("repeat_contact", "yes")), group(5, scores(2, 20, 50, 90, 100, 45), happened("repeat_contact", "no"))),
		answered(q[3]),
	}
})

func TestADriverIsNamedOnlyWhereItStaysClearWithAllOfThemTried(t *testing.T) {
	t.Parallel()
	figure := func(value, half float64, driver string) Figure {
		low, high := value-half, value+half
		return Figure{Insight: "score-drivers", Measure: "difference", Unit: "points", Value: &value, Low: &low, High: &high, Split: map[string][]string{"driver": {driver}}}
	}
	// Alone, -8 (-15 to -1) is clear, p = 0.025. With three others tried it is not; beside a very clear one it is.
	weak := figure(-8, 7, "long_wait")
	others := []Figure{figure(1, 9, "missed_call"), figure(2, 8, "repeat_contact"), figure(0.5, 9, "ai_agent")}
	pick := clearly(-1)
	if pick([]Figure{weak}) != 0 || pick(append([]Figure{weak}, others...)) != -1 {
		t.Error("the step-up")
	}
	others[0] = figure(-30, 5, "missed_call")
	if i := pick(append([]Figure{weak}, others...)); i != 1 {
		t.Errorf("the lowest clear one is number %d", i)
	}
}
