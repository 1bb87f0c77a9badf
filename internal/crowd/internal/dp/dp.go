// Package dp is differential privacy in integers: exact discrete Gaussian and discrete Laplace noise, and the account of
// what noise costs.
//
// Zone: a pure library. It sees neither rows nor people.
//
// Sources: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020 (CKS20): algorithms 1
// to 3 for the samplers, theorem 14 for the cost of noise, proposition 12 for what a cost means. Bun and Steinke 2016 for
// zero-concentrated differential privacy: costs (rho) of releases about the same unit add up.
//
// It promises that no floating-point number takes part in a draw; that randomness comes from the operating system and is
// never kept; that a cost is rounded up, and what may be spent down.
//
// It does not protect against: a sensitivity that is declared too small (package provable derives and tests it), or
// somebody who measures how long a draw takes.
package dp

import (
	"fmt"
	"math"
	"math/bits"
)

// Rho is zero-concentrated differential privacy, in units of 1e-9.
type Rho int64

// nano is how many units are 1.
const nano = 1e9

func (r Rho) String() string { return fmt.Sprintf("%.9f", float64(r)/nano) }

// Variance is the least variance of discrete Gaussian noise on a vector of integers that costs at most rho, when one unit
// changes the vector by at most the root of squared (its squared Euclidean length). 0: there is none up to MaxVariance.
func Variance(squared int64, rho Rho) uint64 {
	if squared <= 0 || rho <= 0 {
		return 0
	}
	v := halfRatio(squared, uint64(rho))
	if v > MaxVariance {
		return 0
	}
	return v
}

// Cost is what noise of a variance on such a vector costs, rounded up: squared / (2 * variance).
func Cost(squared int64, variance uint64) Rho {
	return Rho(min(halfRatio(squared, variance), math.MaxInt64))
}

// halfRatio is the least whole number that is not below 1e9 * squared / (2 * by).
func halfRatio(squared int64, by uint64) uint64 {
	high, low := bits.Mul64(uint64(squared), nano/2)
	if high >= by {
		return math.MaxUint64
	}
	q, rest := bits.Div64(high, low, by)
	if rest > 0 {
		q++
	}
	return q
}

// Epsilon is what a cost means: the least epsilon so that rho is (epsilon, delta)-differential privacy by CKS20
// proposition 12, within a relative 1e-12.
func Epsilon(rho Rho, delta float64) float64 {
	r := float64(rho) / nano
	if r <= 0 {
		return 0
	}
	bound := func(alpha float64) float64 {
		return r*alpha + (math.Log(1/delta)+(alpha-1)*math.Log1p(-1/alpha)-math.Log(alpha))/(alpha-1)
	}
	low, high := 1+1e-9, 2.0
	for bound(high*2) < bound(high) {
		high *= 2
	}
	high *= 2
	for range 200 { // the bound falls, then rises
		third := (high - low) / 3
		if bound(low+third) < bound(high-third) {
			high -= third
		} else {
			low += third
		}
	}
	return max(0, bound(low))
}

// Cap is the largest rho that is (epsilon, delta)-differential privacy, rounded down.
func Cap(epsilon, delta float64) Rho {
	var low, high Rho = 0, 1
	for high < math.MaxInt64/4 && Epsilon(high, delta) <= epsilon {
		low, high = high, high*2
	}
	for high-low > 1 {
		if mid := low + (high-low)/2; Epsilon(mid, delta) <= epsilon {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}
