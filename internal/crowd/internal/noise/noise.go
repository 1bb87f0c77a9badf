// Package noise is the cell-key method: integer noise on a count that is always the same for the same people.
//
// Each row of a cell has the mark of its contact (release.MarkOf), and the cell's key is the sum of the marks of its rows.
// The noise of a count is read from a fixed table by a keyed hash of the cell's key. So the same rows give the same noise
// in whichever table they appear, asking again changes nothing, and one person more, or one row more, gives an independent
// draw. Sources: Fraser and Wooton 2005, "A proposed method for confidentialising tabular output to protect against
// differencing"; Handbook on Statistical Disclosure Control 5.4.
//
// Zone: AMBER. It sees sums of marks and counts.
//
// It promises that noise depends only on the release key, the period and the rows of the cell, that an empty cell stays
// empty, and that no count falls below zero.
//
// It does not protect against: somebody with the release key; somebody who reads many figures about one person and adds
// up what each tells (docs/privacy.md has the measured accuracy). It is no differential privacy.
package noise

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"sort"
)

// A scale is that of the Laplace distribution; 0 means no noise.
const (
	MinScale = 1
	MaxScale = 4
)

// Cut is the largest noise that is drawn, before it is multiplied.
const Cut = 16

// Keys gives the noise of one workspace and period.
type Keys struct {
	rows, contacts, verified cipher.Block
}

// NewKeys derives the keys of a workspace's period. Two installations with one release key and equal rows publish equal
// figures.
func NewKeys(release []byte, workspace, period string) Keys {
	of := func(use string) cipher.Block { return block(release, use, workspace, period) }
	return Keys{of("rows"), of("contacts"), of("verified")}
}

// block is AES-128 under a derived key, a pseudorandom permutation of 16-byte blocks.
func block(release []byte, use, workspace, period string) cipher.Block {
	key, err := hkdf.Key(sha256.New, release, nil, "murmur cell keys 1\x00"+use+"\x00"+workspace+"\x00"+period, 16)
	if err != nil {
		panic(err) // only for lengths over 255 hashes
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only for keys of another length
	}
	return b
}

// Cell is what noise is drawn for: the sums of both halves of the marks of its rows, and the most rows that one contact
// has in it.
type Cell struct {
	Key  [2]int64
	Most int64
}

// Rows gives the number of rows of a cell with its noise at a scale. Scale 0 gives the number itself.
func (k Keys) Rows(rows int64, c Cell, scale int64) int64 {
	return apply(k.rows, rows, c.Key, Step(c.Most), scale)
}

// Contacts gives the number of distinct contacts of a cell with its noise, which is drawn independently of that of its
// rows, so that the two together do not tell whether somebody came twice.
func (k Keys) Contacts(contacts int64, c Cell, scale int64) int64 {
	return apply(k.contacts, contacts, c.Key, 1, scale)
}

// Verified is Contacts for those of them who are verified, with another noise.
func (k Keys) Verified(contacts int64, c Cell, scale int64) int64 {
	return apply(k.verified, contacts, c.Key, 1, scale)
}

func apply(b cipher.Block, count int64, key [2]int64, step, scale int64) int64 {
	if count == 0 || scale == 0 {
		return count
	}
	return max(0, count+draw(b, key, step, scale))
}

// draw reads the noise of a cell key from the table, and spreads it evenly over a step: noise in whole steps would show
// every count up to a multiple of the step.
func draw(b cipher.Block, key [2]int64, step, scale int64) int64 {
	var in, out [aes.BlockSize]byte
	binary.BigEndian.PutUint64(in[:8], uint64(key[0]))
	binary.BigEndian.PutUint64(in[8:], uint64(key[1]))
	b.Encrypt(out[:], in[:])
	u, within := binary.BigEndian.Uint64(out[:8]), binary.BigEndian.Uint64(out[8:])
	t := &table[scale-MinScale]
	n := int64(sort.Search(len(t), func(i int) bool { return u < t[i] })) - Cut
	if n *= step; step > 1 { // steps are even: half of the time one more, so that the mean is 0
		n += int64(within%uint64(step)) - step/2 + int64(within>>63)
	}
	return n
}

// Step is how wide noise is: the most rows of one contact, rounded up to a power of two so that it does not tell their
// number.
func Step(most int64) int64 {
	if most <= 1 {
		return 1
	}
	return 1 << bits.Len64(uint64(most-1))
}

// Probability is that of noise n at a scale, in a step of 1.
func Probability(n, scale int64) float64 {
	if n < -Cut || n > Cut {
		return 0
	}
	at := func(i int64) float64 { // P(noise < i-Cut)
		switch {
		case i == 0:
			return 0
		case i > 2*Cut:
			return 1
		}
		return float64(table[scale-MinScale][i-1]) / (1 << 64)
	}
	return at(n+Cut+1) - at(n+Cut)
}

// ProbabilityOf is that of noise n at a scale on a count with that step.
func ProbabilityOf(n, step, scale int64) float64 {
	if step == 1 {
		return Probability(n, scale)
	}
	spread := func(n int64) float64 { // without the half of the time
		if n += step / 2; n < 0 {
			n -= step - 1
		}
		return Probability(n/step, scale)
	}
	return (spread(n) + spread(n-1)) / 2 / float64(step)
}

// Variance is that of the noise at a scale on a count with that step.
func Variance(step, scale int64) (v float64) {
	if scale == 0 {
		return 0
	}
	for n := int64(-Cut); n <= Cut; n++ {
		v += float64(n*n) * Probability(n, scale)
	}
	if step == 1 {
		return v
	}
	square := float64(step) * float64(step)
	return v*square + (square-1)/12 + 0.25
}
