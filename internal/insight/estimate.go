package insight

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// estimate is a value with its 95 % interval; low <= value <= high.
type estimate struct{ value, low, high float64 }

// z is the 97.5 % quantile of the standard normal distribution.
const z = 1.959963984540054

const (
	orderStatistics = "order statistics (exact binomial ranks)"
	meanInterval    = "Student's t with a quarter of an answer added at either end of the scale"
)

// widened adds an error with that standard deviation, in squares, and cuts the value and its interval to what can be.
func (e estimate) widened(sd, least, most float64) estimate {
	if sd == 0 {
		return e
	}
	v := min(max(e.value, least), most)
	return estimate{v, max(least, v-math.Hypot(e.value-e.low, z*sd)), min(most, v+math.Hypot(e.high-e.value, z*sd))}
}

// wilson estimates the proportion x of n (Wilson 1927): never outside 0..1, whatever noise made of x, and sound for small n.
func wilson(x, n int64) estimate {
	if n <= 0 {
		return estimate{}
	}
	x = min(max(x, 0), n)
	p, m := float64(x)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return estimate{p, max(0, min(p, centre-half)), min(1, max(p, centre+half))}
}

// garwood estimates the mean of a Poisson count (Garwood 1936), by the chi-squared quantiles.
func garwood(n int64) estimate {
	e := estimate{value: float64(n)}
	if n > 0 {
		e.low = distuv.ChiSquared{K: 2 * float64(n)}.Quantile(0.025) / 2
	}
	e.high = distuv.ChiSquared{K: 2*float64(n) + 2}.Quantile(0.975) / 2
	return e
}

// quantile reads the p-quantile from a histogram of whole numbers: counts[i] values in [edges[i], edges[i+1]),
// the last bin open and read as its edge. The interval is between the order statistics whose ranks hold the
// quantile with 95 % (David & Nagaraja 2003, 7.1), cut off at the smallest and largest value. noise is the variance of the
// noise on each bin that is not empty: it moves the rank, so the ranks lie further apart. It empties bins of few, so that a rank
// that is not there may lie up to lost bins beyond the last one that is.
func quantile(edges, counts []int64, p, noise float64) estimate {
	var n int64
	for _, c := range counts {
		n += c
	}
	if n == 0 {
		return estimate{}
	}
	b := distuv.Binomial{N: float64(n), P: p}
	low, high := binomialQuantile(b, n, 0.025), binomialQuantile(b, n, 0.975)+1
	if noise > 0 {
		below, above := bins(counts, int64(p*float64(n-1)+1))
		rank, sampled := p*float64(n-1)+1, float64(n)*p*(1-p)
		half := z * math.Sqrt(sampled+noise*(below*(1-p)*(1-p)+above*p*p)/seen)
		low, high = int64(math.Floor(rank-half)), int64(math.Ceil(rank+half))
	}
	e := estimate{
		value: betweenRanks(edges, counts, p*float64(n-1)+1),
		low:   atRank(edges, counts, max(low, 1)),
		high:  atRank(edges, counts, min(high, n)),
	}
	if noise > 0 && low <= 1 {
		first := slices.IndexFunc(counts, func(c int64) bool { return c > 0 })
		e.low = float64(edges[max(0, first-lost)])
	}
	if noise > 0 && high >= n {
		last := len(counts) - 1
		for counts[last] == 0 {
			last--
		}
		e.high = float64(edges[min(len(edges)-1, last+1+lost)])
	}
	return e
}

// lost is how many bins beside the last one that is not empty may have been emptied by noise: of bins of one value 38 in 100
// are, of four in a row two in 100.
const lost = 4

// seen is the share of the bins of one value that noise leaves something in.
const seen = 0.62

// bins counts the bins that are not empty up to the one of a rank, and those from it on: noise on that one itself may have
// moved either side.
func bins(counts []int64, rank int64) (below, above float64) {
	var before int64
	for _, c := range counts {
		if c > 0 && before < rank {
			below++
		}
		if before += c; c > 0 && before >= rank {
			above++
		}
	}
	return below, above
}

// binomialQuantile is the smallest k with P(X <= k) >= q.
func binomialQuantile(b distuv.Binomial, n int64, q float64) int64 {
	low, high := int64(0), n
	for low < high {
		if mid := (low + high) / 2; b.CDF(float64(mid)) >= q {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

// betweenRanks is the value of rank r, from 1, whole or not.
func betweenRanks(edges, counts []int64, r float64) float64 {
	low := math.Floor(r)
	a, b := atRank(edges, counts, int64(low)), atRank(edges, counts, int64(math.Ceil(r)))
	return a + (r-low)*(b-a)
}

// atRank is the r-th smallest value, from 1, values spread evenly over their bin.
func atRank(edges, counts []int64, r int64) float64 {
	last := len(edges) - 1
	var before int64
	for i, c := range counts {
		if r > before+c {
			before += c
			continue
		}
		if i == last {
			break
		}
		within := (float64(r-before) - 0.5) / float64(c)
		return float64(edges[i]) + within*float64(edges[i+1]-1-edges[i])
	}
	return float64(edges[last])
}

// mean is the mean of rows whose value is their bin's lower edge. The variance counts a quarter of a row more
// at either end of the scale, so that unanimity of few is not certainty.
func mean(edges, counts []int64) estimate {
	var n, sum float64
	for i, c := range counts {
		n += float64(c)
		sum += float64(c) * float64(edges[i])
	}
	if n == 0 {
		return estimate{}
	}
	m := sum / n
	first, last := float64(edges[0]), float64(edges[len(edges)-1])
	squares := (first-m)*(first-m)/4 + (last-m)*(last-m)/4
	for i, c := range counts {
		squares += float64(c) * (float64(edges[i]) - m) * (float64(edges[i]) - m)
	}
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n}.Quantile(0.975) * math.Sqrt(squares/n/(n+1))
	return estimate{m, max(first, m-half), min(last, m+half)}
}

// nps is the net promoter score of counts by score 0..10, -100..100. Its interval is the adjusted Wald
// interval AW(3, T) of Rocks, "Interval Estimation for the Net Promoter Score", The American
// Statistician 70 (2016): 3/4, 3/2 and 3/4 of an answer are added to detractors, passives and promoters.
func nps(counts []int64) estimate {
	var detractors, passives, promoters float64
	for score, c := range counts {
		switch {
		case score <= 6:
			detractors += float64(c)
		case score <= 8:
			passives += float64(c)
		default:
			promoters += float64(c)
		}
	}
	n := detractors + passives + promoters
	if n == 0 {
		return estimate{}
	}
	value := (promoters - detractors) / n
	m := n + 3
	p, d := (promoters+0.75)/m, (detractors+0.75)/m
	half := z * math.Sqrt((p+d-(p-d)*(p-d))/m)
	return estimate{100 * value, 100 * max(-1, min(value, p-d-half)), 100 * min(1, max(value, p-d+half))}
}
