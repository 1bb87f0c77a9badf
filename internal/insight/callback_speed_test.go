package insight

import "murmur/internal/crowd/release"

func delay(name string) release.Member { return release.Member{Dim: "delay", Name: name} }

// Of 8 people called back within 5 minutes 6 were reached: 75 %. Of 10 within a day, merged, 3: 30 %.
var _ = example("callback-speed", func(q []release.Query) []answer {
	return []answer{answered(q[0], group(8, []int64{2, 6}, delay("5_minutes")), group(9, []int64{7, 3}, delay("4_hours"), delay("24_hours")))}
})
