package insight

import "murmur/internal/crowd/release"

// The bins are: matched, not matched, time-out, hang-up, opt-out, answered. The menu: 14 matched and 2 opted out of 20 passes
// over its two choices, 80 %. The holiday rule was asked 12 times and never matched, 0 %. A group over two steps says nothing.
var _ = example("dead-rules", func(q []release.Query) []answer {
	return []answer{answered(q[0],
		group(11, []int64{14, 0, 0, 0, 2, 0}, menu("main", "menu", "1", 1)...), group(6, []int64{0, 0, 3, 1, 0, 0}, menu("main", "menu", "none", 2)...),
		group(10, []int64{0, 12, 0, 0, 0, 0}, menu("main", "holidays", "none", 3)...),
		group(6, []int64{5, 2, 0, 0, 0, 0}, append(menu("main", "hours", "none", 4), menu("main", "team", "none", 5)...)...))}
})
