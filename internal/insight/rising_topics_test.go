package insight

import (
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
