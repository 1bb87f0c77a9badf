package noise

import "math"

// How often an attacker is right who knows every row but one person's, and has to say whether that person is in the
// figures. A guess is right with probability .5. The person changes every figure by one step; the attacker chooses the
// likelier answer.

// Accuracy is for figures about that many counts, each with noise of its own. A count tells one of two things, likelier
// with the person or without, by the same odds wherever it lies (but for the cut), so the majority of the counts decides.
func Accuracy(scale int64, figures int) float64 {
	right := 0.0 // of one count
	for n := int64(-Cut); n <= Cut+1; n++ {
		right += max(Probability(n, scale), Probability(n-1, scale)) / 2
	}
	total := 0.0
	for k := 0; k <= figures; k++ {
		p := binomial(figures, k) * math.Pow(right, float64(k)) * math.Pow(1-right, float64(figures-k))
		switch {
		case 2*k > figures:
			total += p
		case 2*k == figures:
			total += p / 2
		}
	}
	return total
}

func binomial(n, k int) float64 {
	c := 1.0
	for i := range k {
		c *= float64(n-i) / float64(i+1)
	}
	return c
}

// DifferenceAccuracy is for the difference of two figures of which the person is in one.
func DifferenceAccuracy(scale int64) (right float64) {
	difference := func(n int64) (p float64) {
		for k := int64(-Cut); k <= Cut; k++ {
			p += Probability(k, scale) * Probability(k-n, scale)
		}
		return p
	}
	for n := int64(-2 * Cut); n <= 2*Cut+1; n++ {
		right += max(difference(n), difference(n-1)) / 2
	}
	return right
}
