package release

import (
	"math"

	"murmur/internal/crowd/internal/noise"
)

// An attacker knows every row but one person's. It compares two worlds, one with the person and one without, knows the
// counts in both, and chooses the world in which the published numbers are likelier.

// seen is one published number, and what it is made of in a world with the person (0) and in one without (1).
type seen struct {
	contacts  bool // a number of contacts, of which a band is published
	verified  bool // the same, of verified ones
	low, high int64
	worlds    [2]drawn
	// means and spreads, of a sum over a histogram, are the mean and the standard deviation that it has in both worlds.
	means, spreads [2]float64
}

// drawn is a count before its noise.
type drawn struct {
	key   Marks
	count int64
	step  int64
}

// moved reports whether a count differs in the two worlds.
func (s seen) moved() bool { return s.worlds[0] != s.worlds[1] }

// noise gives the noise that turns the count into a number of [low, high].
func (d drawn) noise(low, high int64) (first, last int64) {
	first, last = max(low-d.count, d.first()), min(high-d.count, d.last())
	if low <= 0 {
		first = d.first() // whatever is below shows as 0
	}
	return first, last
}

// first and last bound the noise.
func (d drawn) first() int64 { return -(noise.Cut + 1) * d.step }
func (d drawn) last() int64  { return (noise.Cut + 1) * d.step }

// impossible is the logarithm of what a world cannot have published.
const impossible = -1e6

// source is what noise is drawn from: numbers of one source have the same noise.
type source struct {
	contacts, verified bool
	drawn
}

// source leaves the count out: the same rows are as many.
func (s seen) source(world int) source { return source{s.contacts, s.verified, s.worlds[world]} }

// likelihood is the logarithm of how likely all numbers are in a world.
func likelihood(all []seen, world int, scale int64) (sum float64) {
	draws := map[source][2]int64{}
	var order []source // sums in one order have one last digit: an attack on equal rows gives equal answers
	for _, s := range all {
		d := s.worlds[world]
		switch {
		case s.spreads[world] > 0:
			z := (float64(s.low) - s.means[world]) / s.spreads[world]
			sum += -z*z/2 - math.Log(s.spreads[world])
		case d.count > 0:
			first, last := d.noise(s.low, s.high)
			from := s.source(world)
			if known, ok := draws[from]; ok {
				first, last = max(first, known[0]), min(last, known[1])
			} else {
				order = append(order, from)
			}
			draws[from] = [2]int64{first, last}
		case s.low > 0:
			return impossible // an empty cell shows 0
		}
	}
	for _, from := range order {
		p, d := 0.0, draws[from]
		for n := d[0]; n <= d[1]; n++ {
			p += noise.ProbabilityOf(n, from.step, scale)
		}
		if p == 0 {
			return impossible
		}
		sum += math.Log(p)
	}
	return sum
}

// guess is how much of a right answer the attacker's is: 1, 0, or half of one where both worlds are as likely.
func guess(all []seen, present bool, scale int64) float64 {
	// Rounded, because sums in another order differ in their last digits.
	return right(math.Round(1e9*likelihood(all, 0, scale)), math.Round(1e9*likelihood(all, 1, scale)), present)
}

func right(with, without float64, present bool) float64 {
	switch {
	case with == without:
		return .5
	case (with > without) == present:
		return 1
	}
	return 0
}

// subtract is the attacker who sees no more than one number minus others.
func subtract(from seen, others []seen, present bool, scale int64) float64 {
	left := from.low
	var p [2]float64
	for _, o := range others {
		left -= o.low
	}
	for w := range p {
		p[w] = remainder(from, others, w, scale).at(left)
	}
	return right(p[0], p[1], present)
}

// spread is a distribution of whole numbers: p[i] is the probability of first+i.
type spread struct {
	first int64
	p     []float64
}

func (s spread) at(n int64) float64 {
	if i := n - s.first; i >= 0 && i < int64(len(s.p)) {
		return s.p[i]
	}
	return 0
}

// shown is the distribution of a number in a world.
func (d drawn) shown(scale int64) (s spread) {
	if d.count == 0 {
		return spread{0, []float64{1}}
	}
	s.first = max(0, d.count+d.first())
	s.p = make([]float64, d.count+d.last()-s.first+1)
	for n := d.first(); n <= d.last(); n++ {
		s.p[max(0, d.count+n)-s.first] += noise.ProbabilityOf(n, d.step, scale)
	}
	return s
}

// remainder is the distribution of a difference in a world. Two numbers of one source have the same noise.
func remainder(from seen, others []seen, world int, scale int64) spread {
	total := from.worlds[world].shown(scale)
	for _, o := range others {
		if o.source(world) == from.source(world) {
			return spread{0, []float64{1}}
		}
		total = total.minus(o.worlds[world].shown(scale))
	}
	return total
}

func (s spread) minus(o spread) spread {
	last := int64(len(o.p)) - 1
	out := spread{s.first - o.first - last, make([]float64, len(s.p)+len(o.p)-1)}
	for i, p := range s.p {
		for j, q := range o.p {
			out.p[i+int(last)-j] += p * q
		}
	}
	return out
}
