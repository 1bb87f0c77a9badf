package dp

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/bits"
)

// MaxVariance is the largest variance that is sampled: a standard deviation of 2^31.
const MaxVariance = 1 << 62

// ErrRandom is returned when the source of randomness failed. What was drawn until then must not be used.
var ErrRandom = errors.New("no randomness")

// Sampler draws exact integer noise. It is not safe for concurrent use.
type Sampler struct {
	random io.Reader
	buffer [4096]byte
	left   []byte // of the buffer, not used yet
}

// NewSampler reads randomness from random; nil: crypto/rand. There is no seed.
func NewSampler(random io.Reader) *Sampler {
	if random == nil {
		random = rand.Reader
	}
	return &Sampler{random: random}
}

// failure carries a fault of the source out of the depth of a draw.
type failure struct{ error }

// Gaussian fills out with independent draws of the discrete Gaussian of a variance parameter: P(x) is proportional to
// exp(-x*x / (2*variance)). ErrRandom: out is all zero and must not be published.
func (s *Sampler) Gaussian(out []int64, variance uint64) (err error) {
	if variance == 0 || variance > MaxVariance {
		return fmt.Errorf("discrete Gaussian: variance %d is not in 1 to 2^62", variance)
	}
	defer s.fail(out, &err)
	scale := root(variance) + 1
	for i := range out {
		out[i] = s.gaussian(variance, scale)
	}
	return nil
}

// Laplace fills out with independent draws of the discrete Laplace distribution of a whole scale: P(x) is proportional to
// exp(-|x| / scale). ErrRandom as for Gaussian.
func (s *Sampler) Laplace(out []int64, scale uint64) (err error) {
	if scale == 0 || scale > math.MaxUint32 {
		return fmt.Errorf("discrete Laplace: scale %d is not in 1 to 2^32", scale)
	}
	defer s.fail(out, &err)
	for i := range out {
		out[i] = s.laplace(scale)
	}
	return nil
}

func (s *Sampler) fail(out []int64, err *error) {
	switch p := recover().(type) {
	case nil:
	case failure:
		clear(out)
		*err = fmt.Errorf("%w: %w", ErrRandom, p.error)
	default:
		panic(p)
	}
}

// gaussian is CKS20 algorithm 3: a draw y of the discrete Laplace distribution of scale t = floor(sigma)+1 is accepted with
// probability exp(-(|y| - variance/t)^2 / (2*variance)).
func (s *Sampler) gaussian(variance, t uint64) int64 {
	for {
		y := s.laplace(t)
		if s.accept(distance(y), t, variance) {
			return y
		}
	}
}

// accept is true with probability exp(-(a*t - variance)^2 / (2*variance*t^2)): the same, in integers.
func (s *Sampler) accept(a, t, variance uint64) bool {
	high, reach := bits.Mul64(a, t)
	if high == 0 && t < 1<<15 && variance < 1<<30 { // 2*variance*t^2 is below 2^61
		far := max(reach, variance) - min(reach, variance)
		if far < 1<<32 {
			return s.expMinus(far*far, 2*variance*t*t)
		}
	}
	return s.acceptBig(a, t, variance)
}

// acceptBig is accept for numbers that do not fit.
func (s *Sampler) acceptBig(a, t, variance uint64) bool {
	n := func(v uint64) *big.Int { return new(big.Int).SetUint64(v) }
	far := new(big.Int).Mul(n(a), n(t))
	far.Sub(far, n(variance))
	num := far.Mul(far, far)
	den := new(big.Int).Mul(n(t), n(t))
	den.Mul(den, n(variance)).Lsh(den, 1)
	whole, rest := new(big.Int).QuoRem(num, den, new(big.Int))
	for ; whole.Sign() > 0; whole.Sub(whole, big.NewInt(1)) {
		if !s.expMinus(1, 1) {
			return false
		}
	}
	for k := uint64(1); ; k++ {
		if !s.bernoulliBig(rest, den) || !s.bernoulli(1, k) {
			return k%2 == 1
		}
	}
}

// laplace is CKS20 algorithm 2 for a whole scale.
func (s *Sampler) laplace(scale uint64) int64 {
	for {
		u := s.below(scale)
		if !s.expMinus(u, scale) {
			continue
		}
		v := uint64(0)
		for s.expMinus(1, 1) {
			v++
		}
		magnitude := int64(u + scale*v)
		negative := s.word()&1 == 1
		if negative && magnitude == 0 {
			continue
		}
		if negative {
			return -magnitude
		}
		return magnitude
	}
}

// expMinus is true with probability exp(-num/den): CKS20 algorithm 1.
func (s *Sampler) expMinus(num, den uint64) bool {
	for ; num > den; num -= den {
		if !s.expMinus(1, 1) {
			return false
		}
	}
	for k := uint64(1); ; k++ {
		if !s.bernoulli(num, den) || !s.bernoulli(1, k) {
			return k%2 == 1
		}
	}
}

// bernoulli is true with probability num/den, which is at most 1. It compares a random number with the fraction, 64 binary
// digits at a time: the first digits that differ decide.
func (s *Sampler) bernoulli(num, den uint64) bool {
	if num >= den {
		return true
	}
	for num > 0 {
		digits, rest := bits.Div64(num, 0, den)
		if w := s.word(); w != digits {
			return w < digits
		}
		num = rest
	}
	return false
}

func (s *Sampler) bernoulliBig(num, den *big.Int) bool {
	for num = new(big.Int).Set(num); num.Sign() > 0; {
		digits := new(big.Int)
		digits.QuoRem(num.Lsh(num, 64), den, num)
		if w := new(big.Int).SetUint64(s.word()); w.Cmp(digits) != 0 {
			return w.Cmp(digits) < 0
		}
	}
	return false
}

// below is uniform in 0..n-1: the high half of a product, drawn again where the low half would favour some numbers.
func (s *Sampler) below(n uint64) uint64 {
	for {
		high, low := bits.Mul64(s.word(), n)
		if low >= n || low >= -n%n {
			return high
		}
	}
}

func (s *Sampler) word() uint64 {
	if len(s.left) == 0 {
		if _, err := io.ReadFull(s.random, s.buffer[:]); err != nil {
			panic(failure{err})
		}
		s.left = s.buffer[:]
	}
	w := binary.LittleEndian.Uint64(s.left)
	s.left = s.left[8:]
	return w
}

func distance(y int64) uint64 { return uint64(max(y, -y)) }

// root is the largest whole number whose square is at most n, which is at most MaxVariance.
func root(n uint64) uint64 {
	return new(big.Int).Sqrt(new(big.Int).SetUint64(n)).Uint64()
}
