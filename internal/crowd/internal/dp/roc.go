package dp

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Mu is the parameter of Gaussian differential privacy that a cost stands for: noise that costs rho makes two neighbours as
// hard to tell apart as draws of N(0,1) and N(mu,1) (Dong, Roth, Su 2022, definition 4).
func Mu(rho Rho) float64 { return math.Sqrt(2 * float64(rho) / nano) }

// TradeOff is the curve of mu-GDP: the least share of false negatives of an attacker with a given share of false
// positives.
func TradeOff(mu, falsePositives float64) float64 {
	return distuv.UnitNormal.CDF(distuv.UnitNormal.Quantile(1-falsePositives) - mu)
}

// Errors are those of an attacker who says that somebody is there from a threshold on.
type Errors struct {
	FalsePositives, FalseNegatives int
	Without, With                  int // how often each was tried
}

// ErrorsAt counts the errors of attackers with thresholds, who saw scores without somebody and with them.
func ErrorsAt(thresholds, without, with []float64) (all []Errors) {
	for _, t := range thresholds {
		e := Errors{Without: len(without), With: len(with)}
		for _, s := range without {
			if s >= t {
				e.FalsePositives++
			}
		}
		for _, s := range with {
			if s < t {
				e.FalseNegatives++
			}
		}
		all = append(all, e)
	}
	return all
}

// Told is between which values of mu the attackers' errors lie. Each share of errors is taken at the end of its
// Clopper-Pearson interval, so that noise of mu at most M gives low > M with a probability of at most alarm, and noise of mu
// at least M gives high < M with at most that. In the plane of errors low > M says that an attacker's point lies below the
// curve TradeOff(M, .) with its whole rectangle of confidence.
func Told(attackers []Errors, alarm float64) (low, high float64) {
	each := alarm / float64(2*len(attackers)) // two shares an attacker
	low, high = 0, math.Inf(1)
	for _, e := range attackers {
		fpLow, fpHigh := clopperPearson(e.FalsePositives, e.Without, each)
		fnLow, fnHigh := clopperPearson(e.FalseNegatives, e.With, each)
		low = max(low, distuv.UnitNormal.Quantile(1-fpHigh)-distuv.UnitNormal.Quantile(fnHigh))
		high = min(high, distuv.UnitNormal.Quantile(1-fpLow)-distuv.UnitNormal.Quantile(fnLow))
	}
	return low, high
}

// clopperPearson are the exact bounds of the probability behind x of n, each wrong with a probability of at most alarm.
func clopperPearson(x, n int, alarm float64) (low, high float64) {
	low, high = 0, 1
	if x > 0 {
		low = distuv.Beta{Alpha: float64(x), Beta: float64(n - x + 1)}.Quantile(alarm)
	}
	if x < n {
		high = distuv.Beta{Alpha: float64(x + 1), Beta: float64(n - x)}.Quantile(1 - alarm)
	}
	return low, high
}
