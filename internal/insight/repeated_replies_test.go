package insight

import "murmur/internal/crowd/release"

// 30 texts of 80 to 119 characters, in the middle 100: at 200 a minute they take 15 minutes. 40 others of under 40, in the
// middle 20.5: 4.1 minutes.
var _ = example("repeated-replies", func(q []release.Query) []answer {
	reply := func(s string) release.Member { return release.Member{Dim: "reply", Key: 7, Name: s} }
	return []answer{answered(q[0], group(22, []int64{0, 0, 30}, reply("We are open 9 to 5")), group(31, []int64{40}, reply("other")))}
})
