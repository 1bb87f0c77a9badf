package provable

import (
	"bytes"
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Unit is the pseudonym of the contact whose month is protected.
type Unit [16]byte

// Row is one fact of a contact in the month.
type Row struct {
	At    int64 // microseconds since 1970
	ID    fact.ID
	Cells []int32 // by metric, the cell that the row counts in; -1: none
}

// bounded adds up the rows of contacts, of each no more than the plan lets count. Which rows those are is decided by a
// keyed hash: of days, then of rows. Neither the first nor the last of a month are preferred, and nobody without the key
// can choose what of them counts.
type bounded struct {
	plan Plan
	zone *time.Location
	rank cipher.Block
	sums [][]int64 // by metric and cell
}

func newBounded(p Plan, zone *time.Location, key []byte, w workspace.ID, month string) *bounded {
	b := &bounded{plan: p, zone: zone, rank: ranking(key, w, month)}
	for _, m := range p.Metrics {
		b.sums = append(b.sums, make([]int64, len(m.Cells)))
	}
	return b
}

// ranking is AES-128 under a derived key: a pseudorandom order of 16-byte blocks.
func ranking(key []byte, w workspace.ID, month string) cipher.Block {
	k, err := hkdf.Key(sha256.New, key, nil, "murmur provable rank 1\x00"+w.String()+"\x00"+month, 16)
	if err != nil {
		panic(err) // only for lengths over 255 hashes
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		panic(err) // only for keys of another length
	}
	return block
}

// ranked is a row with its day and its place in the order.
type ranked struct {
	Row
	day       int64
	dayRank   [aes.BlockSize]byte
	placeRank [aes.BlockSize]byte
}

// add counts the rows of one contact, all that there are of the month, once.
func (b *bounded) add(unit Unit, rows []Row) {
	counted := b.ranked(unit, rows)
	days, last := int64(0), int64(0)
	perDay := map[[2]int64]int64{} // by metric and day
	perMonth := make([]int64, len(b.plan.Metrics))
	seen := map[[2]int64]bool{} // by metric and cell
	for i, r := range counted {
		if i == 0 || r.day != last {
			days, last = days+1, r.day
		}
		if days > b.plan.Days {
			return
		}
		for n, cell := range r.Cells {
			m, day, at := &b.plan.Metrics[n], [2]int64{int64(n), r.day}, [2]int64{int64(n), int64(cell)}
			if cell < 0 || perMonth[n] == m.Month || perDay[day] == m.Day || m.Once && seen[at] {
				continue
			}
			perMonth[n]++
			perDay[day]++
			seen[at] = true
			b.sums[n][cell]++
		}
	}
}

// ranked gives the rows that count somewhere, in the order of their days and then of themselves.
func (b *bounded) ranked(unit Unit, rows []Row) (out []ranked) {
	for _, r := range rows {
		if !slices.ContainsFunc(r.Cells, func(c int32) bool { return c >= 0 }) {
			continue
		}
		k := ranked{Row: r, day: b.day(r.At)}
		at := unit
		binary.BigEndian.PutUint64(at[8:], binary.BigEndian.Uint64(at[8:])^uint64(k.day))
		b.rank.Encrypt(k.dayRank[:], at[:])
		b.rank.Encrypt(k.placeRank[:], r.ID[:])
		out = append(out, k)
	}
	slices.SortFunc(out, func(x, y ranked) int {
		return cmp.Or(
			bytes.Compare(x.dayRank[:], y.dayRank[:]), cmp.Compare(x.day, y.day), bytes.Compare(x.placeRank[:], y.placeRank[:]),
			cmp.Compare(x.At, y.At), slices.Compare(x.Cells, y.Cells))
	})
	return out
}

// day numbers the local day of a moment.
func (b *bounded) day(at int64) int64 {
	_, offset := time.UnixMicro(at).In(b.zone).Zone()
	return (at/1_000_000 + int64(offset)) / 86_400
}
