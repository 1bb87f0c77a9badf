package insight

import (
	"testing"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

func reasons(weeksAgo int, booking, price, rest int64) answer {
	topic := func(t fact.Topic) release.Member {
		return release.Member{Dim: "topic", Key: int64(t), Name: t.String()}
	}
	a := answered(contactReasons().Needs[0], group(20, []int64{booking}, topic(fact.TopicBooking)), group(12, []int64{price}, topic(fact.TopicPrice)),
		group(30, []int64{rest}, topic(fact.TopicBilling), topic(fact.TopicOther)))
	a.period.Start, a.period.End = a.period.Start.AddDate(0, 0, -7*weeksAgo), a.period.End.AddDate(0, 0, -7*weeksAgo)
	return a
}

// Prices: 40 of 100 this week, 20 of 200 in the two weeks before: 40 % - 10 % = 30 points. Bookings: 20 of 100 and 50 of 200,
// 20 % - 25 % = -5 points. The week five weeks ago is not looked at, and what is merged says nothing.
var _ = func() bool {
	beforeOf["rising-topics"] = [][]answer{{reasons(5, 90, 5, 5)}, {reasons(2, 30, 12, 58)}, {reasons(1, 20, 8, 72)}}
	return example("rising-topics", func([]release.Query) []answer { return []answer{reasons(0, 20, 40, 40)} })
}()

// A week that an own reason was told in is not compared with weeks that it was not, or was learned otherwise in.
func TestWeeksToldByOtherReasonsAreNotCompared(t *testing.T) {
	t.Parallel()
	told := func(weeksAgo int, version, solar int64) answer {
		a := reasons(weeksAgo, 20, 40, 40)
		a.groups = append(a.groups, group(20, []int64{solar}, release.Member{Dim: "topic", Key: 1<<40 + version, Name: "Solar quote"}))
		return a
	}
	shown := func(before ...answer) (n int) {
		var all [][]answer
		for _, b := range before {
			all = append(all, []answer{b})
		}
		for _, f := range finishRising([]answer{told(0, 2, 60)}, all) {
			if f.Value != nil {
				n++
			}
		}
		return n
	}
	if n := shown(reasons(2, 20, 60, 20), told(1, 1, 20)); n != 0 {
		t.Errorf("%d figures compare weeks without the reason, or of an earlier version", n)
	}
	if n := shown(told(1, 2, 20)); n != 3 {
		t.Errorf("%d figures, want those of three reasons", n)
	}
}
