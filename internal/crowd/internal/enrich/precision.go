package enrich

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Range is a number between 0 and 1 and what it may really be.
type Range struct{ Low, Value, High float64 }

// How often texts of a business that are not a category are mistaken for it, where nothing is known of the business: of
// categories made from 20 sentences of public sets, Alpha in Alpha + Beta (TestOwnCategories prints it).
var strangers = distuv.Beta{Alpha: 1.2, Beta: 68}

// Precision estimates which part of what is told to be a category is it, from the share of all texts that was told to be it.
// It is the adjusted count of Forman (2008, "Quantifying counts and costs via classification"): of q, the share that was told,
// r times the true share was found and f times the rest was wrong, so that r (q - f) / (q (r - f)) of it is right. The ends
// take the worst of r, f and q within their 95 % intervals. r is tried on the sentences. f is not known: it is supposed to be as in
// other businesses until counter-examples tell more. ok is false where nothing was told.
func (t Trial) Precision(q Range) (p Range, ok bool) {
	if t.Like == 0 || q.Value <= 0 {
		return Range{}, false
	}
	r, f := wilson(t.Found, t.Like), t.mistaken()
	return Range{right(r.High, f.High, q.Low), right(r.Value, f.Value, q.Value), right(r.Low, f.Low, q.High)}, true
}

// mistaken is how often a text that is not the category is told to be it.
func (t Trial) mistaken() Range {
	d := distuv.Beta{Alpha: strangers.Alpha + float64(t.Wrong), Beta: strangers.Beta + float64(t.Unlike-t.Wrong)}
	f := Range{d.Quantile(.025), d.Mean(), d.Quantile(.975)}
	if public := wilson(t.Public, max(t.Reasons, 1)); public.Low > f.High { // it is one of the public reasons, or nearly
		f = public
	}
	return f
}

// right is the part of a share q that is right, of what finds r of the one and f of the other.
func right(r, f, q float64) float64 {
	switch {
	case q <= f:
		return 0
	case r <= q: // more was told than could be: all is the category
		return 1
	}
	return min(1, r*(q-f)/(q*(r-f)))
}

// wilson is n of all with its 95 % interval (Wilson 1927).
func wilson(n, all int) Range {
	const z = 1.959964
	k, p := float64(all), float64(n)/float64(all)
	middle, half := (p+z*z/(2*k))/(1+z*z/k), z*math.Sqrt(p*(1-p)/k+z*z/(4*k*k))/(1+z*z/k)
	return Range{max(0, middle-half), p, min(1, middle+half)}
}
