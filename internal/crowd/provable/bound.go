package provable

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"math"
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
// keyed hash: of days, then of rows. So neither the first nor the last rows of a month are preferred, and without the
// key nobody can influence which rows count.
type bounded struct {
	plan  Plan
	zone  *time.Location
	rank  cipher.Block
	sums  [][][]int64 // by metric, grain, and cell of each period in turn
	first int64       // day of the month
	in    [][][]int32 // by metric and grain: the period that a day of the month lies in

	// Of the contact whose rows are counted; kept for the next one, so that nothing is allocated for a row.
	order  []ranked
	days   []rankedDay
	month  []int64      // rows that count, by metric
	today  []int64      // on the day that is looked at
	seen   [][]uint32   // by metric: the last look that counted in a cell, of the month or (Afresh) of a day
	seenIn [][][]uint32 // by metric, grain, and cell of each period in turn: the same, where contacts count once in every period
	look   uint32
	block  [2][aes.BlockSize]byte            // plain, encrypted
	offset struct{ from, to, seconds int64 } // of the zone, for moments in [from, to)
}

func newBounded(p Plan, month Month, key []byte, w workspace.ID) *bounded {
	n := len(p.Metrics)
	b := &bounded{
		plan: p, zone: month.Start.Location(), rank: ranking(key, w, month.Name),
		month: make([]int64, n), today: make([]int64, n), sums: make([][][]int64, n), in: make([][][]int32, n), seen: make([][]uint32, n), seenIn: make([][][]uint32, n),
	}
	b.first = b.day(month.Start.UnixMicro())
	of := map[Grain][]int32{}
	for _, g := range Grains() {
		of[g] = month.periodsByDay(g)
	}
	for i, m := range p.Metrics {
		b.seen[i] = make([]uint32, len(m.Cells))
		if m.Afresh {
			b.seen[i] = make([]uint32, len(m.Cells)*len(of[ByDay]))
		}
		for _, part := range m.Parts {
			periods := len(month.Periods(part.Grain))
			b.in[i] = append(b.in[i], of[part.Grain])
			b.sums[i] = append(b.sums[i], make([]int64, periods*len(m.Cells)))
			b.seenIn[i] = append(b.seenIn[i], make([]uint32, periods*len(m.Cells)))
		}
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

// ranked is a row with its place in the order: by the place of its day, then by its own rank.
type ranked struct {
	row  *Row
	day  int
	rank [2]uint64
}

type rankedDay struct {
	day   int64
	rank  [2]uint64
	place int // in the order
}

func (d *rankedDay) before(o *rankedDay) bool {
	if d.rank[0] != o.rank[0] {
		return d.rank[0] < o.rank[0]
	}
	return d.rank[1] < o.rank[1] || d.rank[1] == o.rank[1] && d.day < o.day
}

// add counts the rows of one contact, all that there are of the month, once.
func (b *bounded) add(unit Unit, rows []Row) {
	if !b.whole(rows) {
		b.some(unit, rows)
	}
}

// whole counts all rows of a contact who has no more than every bound allows, in whatever order: it reports whether that
// was so.
func (b *bounded) whole(rows []Row) bool {
	if int64(len(rows)) > b.plan.Days { // they may lie on as many days
		return false
	}
	b.begin()
	crowded := false
	for i := range rows {
		day := b.dayOf(&rows[i])
		for n, cell := range rows[i].Cells {
			m := &b.plan.Metrics[n]
			if cell = m.cell(cell); cell < 0 {
				continue
			}
			if b.again(n, day, cell) {
				if m.Once && len(m.Parts) > 1 { // which of its days it counts on is chosen
					return false
				}
				continue
			}
			b.month[n]++
			if b.month[n] > b.plan.Metrics[n].Month {
				return false
			}
			crowded = crowded || b.month[n] > b.plan.Metrics[n].Day
		}
	}
	if crowded && !b.apart(rows) {
		return false
	}
	b.begin()
	for i := range rows {
		day := b.dayOf(&rows[i])
		for n, cell := range rows[i].Cells {
			if cell = b.plan.Metrics[n].cell(cell); cell >= 0 && !b.again(n, day, cell) {
				b.count(n, day, cell)
			}
		}
	}
	return true
}

// apart reports whether each row has a day of its own.
func (b *bounded) apart(rows []Row) bool {
	for i := range rows {
		for j := range i {
			if b.day(rows[i].At) == b.day(rows[j].At) {
				return false
			}
		}
	}
	return true
}

// some counts rows in their order, as long as the bounds allow.
func (b *bounded) some(unit Unit, rows []Row) {
	b.choose(unit, rows)
	b.begin()
	for i := range b.order {
		r := &b.order[i]
		if i > 0 && r.day != b.order[i-1].day {
			clear(b.today)
		}
		day := b.dayOf(r.row)
		for n, cell := range r.row.Cells {
			m := &b.plan.Metrics[n]
			if cell = m.cell(cell); cell < 0 || b.month[n] == m.Month || b.today[n] == m.Day || b.again(n, day, cell) {
				continue
			}
			b.month[n]++
			b.today[n]++
			b.count(n, day, cell)
		}
	}
}

// begin starts a look at the rows of a contact.
func (b *bounded) begin() {
	b.look++
	clear(b.month)
	clear(b.today)
}

// again reports whether the contact was counted in a cell in which contacts count once. Asking counts.
func (b *bounded) again(metric int, day, cell int32) bool {
	switch m := &b.plan.Metrics[metric]; {
	case m.Afresh:
		cell += day * int32(len(m.Cells))
	case !m.Once:
		return false
	}
	last := &b.seen[metric][cell]
	if *last == b.look {
		return true
	}
	*last = b.look
	return false
}

// count counts a row of a day in a cell, in the period of every grain.
func (b *bounded) count(metric int, day, cell int32) {
	m := &b.plan.Metrics[metric]
	for g, sums := range b.sums[metric] {
		at := b.in[metric][g][day]*int32(len(m.Cells)) + cell
		if m.Afresh {
			last := &b.seenIn[metric][g][at]
			if *last == b.look {
				continue
			}
			*last = b.look
		}
		sums[at]++
	}
}

// dayOf is the day of the month that a row lies on, from 0.
func (b *bounded) dayOf(r *Row) int32 { return int32(b.day(r.At) - b.first) }

// choose puts the rows of the days that are looked at, those that count somewhere, into their order.
func (b *bounded) choose(unit Unit, rows []Row) {
	b.days, b.order = b.days[:0], b.order[:0]
	for i := range rows {
		if counts(&rows[i]) {
			b.order = append(b.order, ranked{row: &rows[i], day: b.dayIn(b.day(rows[i].At))})
		}
	}
	for i := range b.days {
		d := &b.days[i]
		b.block[0] = unit
		binary.BigEndian.PutUint64(b.block[0][8:], binary.BigEndian.Uint64(unit[8:])^uint64(d.day))
		d.rank = b.encrypted()
	}
	for i := range b.days { // a day's place is how many are before it
		for j := range b.days {
			if b.days[j].before(&b.days[i]) {
				b.days[i].place++
			}
		}
	}
	kept := b.order[:0]
	for _, r := range b.order {
		if r.day = b.days[r.day].place; int64(r.day) < b.plan.Days {
			b.block[0] = r.row.ID
			r.rank = b.encrypted()
			kept = append(kept, r)
		}
	}
	b.order = kept
	slices.SortFunc(b.order, inOrder)
}

func counts(r *Row) bool { return slices.ContainsFunc(r.Cells, func(c int32) bool { return c >= 0 }) }

// dayIn is the index of a day among those of the contact, which are at most as many as a month has.
func (b *bounded) dayIn(day int64) int {
	for i := range b.days {
		if b.days[i].day == day {
			return i
		}
	}
	b.days = append(b.days, rankedDay{day: day})
	return len(b.days) - 1
}

// encrypted is the rank of the block.
func (b *bounded) encrypted() [2]uint64 {
	b.rank.Encrypt(b.block[1][:], b.block[0][:])
	return [2]uint64{binary.BigEndian.Uint64(b.block[1][:]), binary.BigEndian.Uint64(b.block[1][8:])}
}

func inOrder(x, y ranked) int {
	switch {
	case x.day != y.day:
		return cmp.Compare(x.day, y.day)
	case x.rank[0] != y.rank[0]:
		return cmp.Compare(x.rank[0], y.rank[0])
	case x.rank[1] != y.rank[1]:
		return cmp.Compare(x.rank[1], y.rank[1])
	}
	return cmp.Or(cmp.Compare(x.row.At, y.row.At), slices.Compare(x.row.Cells, y.row.Cells)) // one fact in two kinds
}

// day numbers the local day of a moment.
func (b *bounded) day(at int64) int64 {
	at /= 1_000_000
	if o := &b.offset; at < o.from || at >= o.to {
		moment := time.Unix(at, 0).In(b.zone)
		_, seconds := moment.Zone()
		o.seconds, o.from, o.to = int64(seconds), math.MinInt64, math.MaxInt64
		from, to := moment.ZoneBounds()
		if !from.IsZero() {
			o.from = from.Unix()
		}
		if !to.IsZero() {
			o.to = to.Unix()
		}
	}
	return (at + b.offset.seconds) / 86_400
}
