// Package noise is the cell-key method: integer noise on a count that is always the same for the same people.
//
// A contact has a record key in a period; a cell's key is the sum of the record keys of its contacts. The noise of a count
// is read from a fixed table by a keyed hash of the cell's key. So the same people give the same noise in whichever table
// they appear, asking again changes nothing, and one person more gives an independent draw. Sources: Fraser and Wooton 2005,
// "A proposed method for confidentialising tabular output to protect against differencing"; Handbook on Statistical
// Disclosure Control 5.4.
//
// Zone: AMBER. It sees pseudonyms and counts.
//
// It promises that noise depends on the release key, the contacts of the cell and nothing else, that an empty cell
// stays empty, and that no count falls below zero.
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

// Scales are the least and the largest Scale; 0 means no noise.
const (
	MinScale = 1
	MaxScale = 4
)

// Cut is the largest noise that is drawn, before it is multiplied.
const Cut = 16

// Keys gives the noise of one workspace and period.
type Keys struct {
	record, cell cipher.Block
}

// NewKeys derives the keys of a workspace's period. Two installations with one release key publish equal figures.
func NewKeys(release []byte, workspace, period string) Keys {
	return Keys{block(release, "record", workspace, period), block(release, "cell", workspace, "")}
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

// Record is the record key of a contact, by pseudonym, in the period.
func (k Keys) Record(contact [16]byte) uint64 {
	var out [16]byte
	k.record.Encrypt(out[:], contact[:])
	return binary.BigEndian.Uint64(out[:])
}

// Cell is what noise is drawn for: the sum of the record keys of its contacts modulo 2^64, and the most rows that one of
// them has in it.
type Cell struct {
	Key  uint64
	Most int64
}

// Apply gives the count of a cell with its noise at a scale. Scale 0 gives the count itself.
func (k Keys) Apply(count int64, c Cell, scale int) int64 {
	if count == 0 || scale == 0 {
		return count
	}
	return max(0, count+k.draw(c.Key, scale)*step(c.Most))
}

// draw reads the noise of a cell key from the table.
func (k Keys) draw(cell uint64, scale int) int64 {
	var in, out [16]byte
	binary.BigEndian.PutUint64(in[:], cell)
	k.cell.Encrypt(out[:], in[:])
	u := binary.BigEndian.Uint64(out[:])
	t := &table[scale-MinScale]
	return int64(sort.Search(len(t), func(i int) bool { return u < t[i] })) - Cut
}

// step is the multiple in which noise is added: the most rows of one contact, rounded up to a power of two so that it
// does not tell their number.
func step(most int64) int64 {
	if most <= 1 {
		return 1
	}
	return 1 << bits.Len64(uint64(most-1))
}

// Variance is that of the noise on a count of a cell whose contacts have at most that many rows each.
func Variance(most int64, scale int) float64 {
	if scale == 0 {
		return 0
	}
	v, below := 0.0, uint64(0)
	for i, t := range table[scale-MinScale] {
		v += float64((i-Cut)*(i-Cut)) * (float64(t-below) / (1 << 64))
		below = t
	}
	v += Cut * Cut * (float64(-below) / (1 << 64)) // the last value has the rest of 2^64
	m := float64(step(most))
	return v * m * m
}
