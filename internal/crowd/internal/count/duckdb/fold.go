package duckdb

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"math"
	"slices"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// slice holds the rows of a part of the contacts until all are there, then adds them to the sheets a contact at a time.
type slice struct {
	*plan
	words    *words
	contacts map[[16]byte]uint32
	marks    []release.Marks // by contact; 0 is nobody
	vouched  vouched
	claims   []claim // by contact
	rows     int
	stored   [][]int64 // chunks of rows
	ids      []fact.ID

	judge *judge
	keys  []map[int64]int // by split that the engine does not tell: the leaf of a key
	near  []nearby        // by row of the contact at hand
	tied  []tie           // the same
	each  func(*plan, counted)
}

// counted is a row in one bin of a histogram.
type counted struct {
	sheet     *sheet
	histogram int
	at        int // period * leaves + leaf
	bin       int
	marks     release.Marks
	verified  bool // its contact
}

// What stands where in a stored row.
const (
	atContact = iota // the lower half; the upper one is the number of the signature
	atTime
	atID // 1 + the place in ids; 0: none
	atWords

	inChunk = 1 << 13 // rows
)

// nearby is what the other rows of its contact say about a row. Times are microseconds, never where there is none.
type nearby struct {
	met     int64 // when a missed call was met
	replied int64 // when a text was answered
	before  int64 // when the text before this one came, if that was from the contact too
}

const never = math.MaxInt64

// newSlice begins a slice. All slices of a session share the judge: the sheets know rows by its numbers.
func newSlice(j *judge, v vouched) *slice {
	s := &slice{plan: j.plan, words: j.words, contacts: map[[16]byte]uint32{}, marks: []release.Marks{release.MarkOf(nil)}, judge: j}
	s.vouched, s.claims = v, []claim{v.of([16]byte{})}
	for _, by := range j.splits {
		keys := map[int64]int{}
		for i, k := range by.leaves {
			if k[1] == 0 {
				keys[k[0]] = i
			}
		}
		s.keys = append(s.keys, keys)
	}
	return s
}

func (s *slice) row(i uint32) []int64 {
	width := atWords + len(s.words.terms)
	at := int(i) % inChunk * width
	return s.stored[i/inChunk][at : at+width]
}

// take keeps a row as the engine hands it over: contact, id, time, words.
func (s *slice) take(values []driver.Value) {
	if s.rows == len(s.stored)*inChunk {
		s.stored = append(s.stored, make([]int64, inChunk*(atWords+len(s.words.terms))))
	}
	row := s.row(uint32(s.rows))
	s.rows++
	row[atTime], _ = values[2].(int64)
	if id, ok := values[1].([]byte); ok {
		var key fact.ID
		copy(key[:], id)
		s.ids = append(s.ids, key)
		row[atID] = int64(len(s.ids))
	}
	for i, v := range values[3:] {
		row[atWords+i], _ = v.(int64)
	}
	contact := s.number(values[0])
	row[atContact] = int64(contact) | int64(s.judge.of(contact > 0, row[atTime], row[atWords:]))<<32
}

func contactOf(row []int64) uint32 { return uint32(row[atContact]) }

func (s *slice) signatureOf(row []int64) *signature { return s.judge.all[row[atContact]>>32] }

func (s *slice) number(contact driver.Value) uint32 {
	b, ok := contact.([]byte)
	if !ok {
		return 0
	}
	key := keyOf(b)
	n, ok := s.contacts[key]
	if !ok {
		n = uint32(len(s.marks))
		s.contacts[key] = n
		s.marks, s.claims = append(s.marks, release.MarkOf(b)), append(s.claims, s.vouched.of(key))
	}
	return n
}

// fold adds the rows to the sheets.
func (s *slice) fold(ctx context.Context) error {
	order, ends := s.byContact()
	begin := uint32(0)
	for contact, end := range ends {
		if contact%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		s.foldContact(uint32(contact), order[begin:end])
		begin = end
	}
	return nil
}

// byContact gives the rows in the order of their contacts, and where each contact's rows end.
func (s *slice) byContact() (order, ends []uint32) {
	ends, order = make([]uint32, len(s.marks)), make([]uint32, s.rows)
	for i := range uint32(s.rows) {
		ends[contactOf(s.row(i))]++
	}
	sum := uint32(0)
	for i, n := range ends {
		ends[i] = sum
		sum += n
	}
	for i := range uint32(s.rows) { // ends[c] runs from the contact's begin to its end
		c := contactOf(s.row(i))
		order[ends[c]] = i
		ends[c]++
	}
	return order, ends
}

func (s *slice) foldContact(contact uint32, rows []uint32) {
	if contact > 0 {
		s.look(rows)
	}
	for n, i := range rows {
		row := s.row(i)
		for _, l := range s.layers {
			if period := l.period(row[atTime]); period >= 0 {
				s.add(l, period, row, n)
			}
		}
	}
	for _, l := range s.layers {
		for _, sh := range l.sheets {
			sh.close(contact == 0, l.spans, s.claims[contact])
		}
	}
}

// look sorts the rows of a contact by time and finds what follows each.
func (s *slice) look(rows []uint32) {
	slices.SortFunc(rows, func(a, b uint32) int {
		x, y := s.row(a), s.row(b)
		if x[atTime] != y[atTime] {
			return cmp.Compare(x[atTime], y[atTime])
		}
		return s.compareIDs(x[atID], y[atID])
	})
	if s.ties() {
		s.tie(rows)
	}
	s.near = slices.Grow(s.near[:0], len(rows))[:len(rows)]
	met, later, replied := int64(never), int64(never), int64(never)
	text := -1 // the text after this one
	for n, i := range slices.Backward(rows) {
		row := s.row(i)
		t, is := row[atTime], s.signatureOf(row)
		if n+1 < len(rows) && s.row(rows[n+1])[atTime] != t {
			met = later
		}
		s.near[n] = nearby{met: met, replied: replied, before: never}
		if is.meets {
			later = t
		}
		if !is.text {
			continue
		}
		if text >= 0 && !is.out {
			s.near[text].before = t
		}
		if is.out {
			replied = t
		}
		text = n
	}
}

func (s *slice) compareIDs(a, b int64) int {
	if a == 0 || b == 0 {
		return cmp.Compare(a, b)
	}
	return bytes.Compare(s.ids[a-1][:], s.ids[b-1][:])
}

// add counts a row of a period in every sheet of a layer. n is its place among the contact's.
func (s *slice) add(l *layer, period int, row []int64, n int) {
	number := int32(row[atContact] >> 32)
	number = s.judge.with(number, s.followed(s.judge.all[number], l.spans[period], row, n))
	is, marks := s.judge.all[number], s.marks[contactOf(row)]
	for _, sh := range l.sheets {
		in := sh.row(number, is.in)
		if in.state == 0 {
			continue
		}
		at := period*sh.leaves + s.leaf(sh.split, is, row, n)
		here := sh.contact.touch(at)
		here.state = sh.states.join(here.state, in.state)
		for _, h := range in.histograms {
			sh.contact.of(here)[h]++
			bin := s.bin(sh.histograms[h], l.spans[period], is, row, n)
			b := sh.bar(at, h, bin)
			b.rows, b.marks = b.rows+1, b.marks.Plus(marks)
			if s.each != nil {
				s.each(s.plan, counted{sh, h, at, bin, marks, s.claims[contactOf(row)].stands(l.spans[period])})
			}
		}
	}
}

// followed has a bit for each population of signature.follows that the row is in.
func (s *slice) followed(is *signature, span release.Span, row []int64, n int) (bits int64) {
	for i, population := range is.follows {
		p := s.populations[population]
		if v, ok := s.following(p.query.Value.Derived, span, row, n); ok && v >= p.least() {
			bits |= 1 << i
		}
	}
	return bits
}

// following is a value that follows from other rows: of a missed call 1 when it was met within a day, of a text that begins
// to wait the seconds until its answer. A period sees the texts up to Horizon beside it.
func (s *slice) following(d release.Derived, span release.Span, row []int64, n int) (int64, bool) {
	if tied(d) {
		return s.tiedValue(d, row, n)
	}
	near, t := s.near[n], row[atTime]
	if d == release.ReturnedIn24h {
		if near.met <= t+24*time.Hour.Microseconds() {
			return 1, true
		}
		return 0, true
	}
	first, last := span.Start.Add(-release.Horizon).UnixMicro(), span.End.Add(release.Horizon).UnixMicro()
	begins := near.before == never || near.before < first
	return (near.replied - t) / 1_000_000, begins && near.replied < last
}

func (s *slice) leaf(split int, is *signature, row []int64, n int) int {
	by, key := s.splits[split], int64(0)
	switch {
	case by.told():
		return int(s.words.leaves[split].get(row[atWords:]))
	case by.weeks != nil:
		for i, w := range by.weeks {
			if t := row[atTime]; t >= w.Start.UnixMicro() && t < w.End.UnixMicro() {
				return i
			}
		}
		return len(by.weeks)
	case len(by.leaves) == 0:
		return 0
	case slices.Contains(tiedSplits, by.by):
		return s.tiedLeaf(by, is, row, n)
	case by.by == release.ByHourOfWeek:
		key = int64(s.judge.hour(row[atTime]))
	case is.reason != absent:
		key = is.reason
	}
	if leaf, ok := s.keys[split][key]; ok {
		return leaf
	}
	return len(by.leaves)
}

func (s *slice) bin(h histogram, span release.Span, is *signature, row []int64, n int) int {
	var v int64
	switch h.derived {
	case release.Nothing:
		return 0
	case release.FromColumn:
		v = s.words.values[h.value].get(row[atWords:])
	case release.Missed:
		v = is.missed
	case release.MissReason:
		v = is.reason
	default:
		v, _ = s.following(h.derived, span, row, n)
	}
	bin, found := slices.BinarySearch(h.bins, v)
	if !found {
		bin--
	}
	return bin
}

// period gives the span of a layer that a time is in; -1: none.
func (l *layer) period(t int64) int {
	for i, s := range l.spans {
		if t >= s.Start.UnixMicro() && t < s.End.UnixMicro() {
			return i
		}
	}
	return -1
}
