package insight

import "murmur/internal/crowd/release"

func turn(from, to string) []release.Member {
	return []release.Member{{Dim: "from", Name: from}, {Dim: "to", Name: to}}
}

// 20 came back within a day: 12 called and called again, 8 called and then wrote. 60 % and 40 %.
var _ = example("medium-switch", func(q []release.Query) []answer {
	return []answer{answered(q[0], group(10, []int64{12}, turn("call", "call")...), group(7, []int64{8}, turn("call", "text")...))}
})
