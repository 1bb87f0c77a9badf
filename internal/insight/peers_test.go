package insight

import "murmur/internal/crowd/release"

// One business tells nothing about others: the three quartiles say that there are too few.
var _ = example("peers", func(q []release.Query) []answer { return []answer{answered(q[0], group(42, []int64{82, 18}))} })
