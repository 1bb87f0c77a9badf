package insight

import "murmur/internal/crowd/release"

// 40 times somebody got in touch: 6 had been within a day before, 4 more within a week. 6/40 = 15 %, 10/40 = 25 %. Of the
// 30 calls 5 and 3: 17 % and 27 %; texts were too few.
var _ = example("repeat-contact", func(q []release.Query) []answer {
	return []answer{
		answered(q[0], group(31, []int64{30, 4, 6})),
		answered(q[1], group(24, []int64{22, 3, 5}, release.Member{Dim: "medium", Name: "call"}),
			release.Group{Hidden: release.SmallGroup, Members: []release.Member{{Dim: "medium", Name: "text"}}}),
	}
})
