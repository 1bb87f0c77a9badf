package duckdb

import (
	"cmp"
	"encoding/binary"
	"slices"

	"murmur/internal/crowd/release"
)

// contact gathers what one contact is in, over all periods and leaves of a sheet.
type contact struct {
	in    []presence
	where []int32 // by period and leaf: 1 + the place in in; 0: none
	width int     // histograms
	rows  []int64 // by place in in, then histogram
}

// presence is the state of a contact in one leaf of one period.
type presence struct {
	at    int // period * leaves + leaf
	state int32
	place int // of its rows
}

func newContact(places, histograms int) contact {
	return contact{where: make([]int32, places), width: histograms}
}

// touch gives the contact's presence in a place.
func (c *contact) touch(at int) *presence {
	if c.where[at] == 0 {
		c.in = append(c.in, presence{at: at, place: len(c.in)})
		c.where[at] = int32(len(c.in))
		for range c.width {
			c.rows = append(c.rows, 0)
		}
	}
	return &c.in[c.where[at]-1]
}

func (c *contact) of(p *presence) []int64 { return c.rows[p.place*c.width : (p.place+1)*c.width] }

// close counts the contact at hand and forgets it.
//
// What it is in is kept as well, since the contacts of several leaves together are no sum: one list of numbers a contact and
// period, each a varint: how many leaves and who it is (head); of each leaf its number, the state, the rows of each
// histogram.
func (sh *sheet) close(nobody bool, spans []release.Span, said claim) {
	c := &sh.contact
	if len(c.in) > 1 {
		slices.SortFunc(c.in, func(a, b presence) int { return cmp.Compare(a.at, b.at) })
	}
	for rest := c.in; len(rest) > 0; {
		period := rest[0].at / sh.leaves
		n := 1
		for n < len(rest) && rest[n].at/sh.leaves == period {
			n++
		}
		sh.countIn(&sh.periods[period], rest[:n], who{nobody, said.stands(spans[period])})
		rest = rest[n:]
	}
	for _, p := range c.in {
		c.where[p.at] = 0
	}
	c.in, c.rows = c.in[:0], c.rows[:0]
}

// who says how a contact counts in a period.
type who struct{ nobody, verified bool }

func (sh *sheet) countIn(p *period, in []presence, who who) {
	keep := sh.leaves > 1
	if keep {
		p.people = binary.AppendUvarint(p.people, head(len(in), who))
	}
	all := &sh.all
	all.clear()
	for i := range in {
		leaf, rows := in[i].at%sh.leaves, sh.contact.of(&in[i])
		if p.leaves[leaf] == nil {
			p.leaves[leaf] = sh.tally()
		}
		p.leaves[leaf].add(in[i].state, rows, who)
		all.join(&sh.states, in[i].state, rows)
		if keep {
			p.people = binary.AppendUvarint(binary.AppendUvarint(p.people, uint64(leaf)), uint64(in[i].state))
			for _, n := range rows {
				p.people = binary.AppendUvarint(p.people, uint64(n))
			}
		}
	}
	p.whole.add(all.state, all.rows, who)
}

// head is how many leaves a contact is in, times four; 2 more when it is verified, 1 more when it is nobody.
func head(leaves int, w who) uint64 {
	n := uint64(4 * leaves)
	if w.nobody {
		n++
	}
	if w.verified {
		n += 2
	}
	return n
}

func headed(n uint64) (leaves uint64, w who) { return n / 4, who{n&1 == 1, n&2 == 2} }

// measure counts the contacts of cells of several leaves.
func (sh *sheet) measure(p *period, cells [][]int) []*tally {
	if len(cells) == 0 {
		return nil
	}
	tallies, of := make([]*tally, len(cells)), make([][]int, sh.leaves)
	for i, cell := range cells {
		tallies[i] = sh.tally()
		for _, leaf := range cell {
			of[leaf] = append(of[leaf], i)
		}
	}
	sums, rows := make([]sum, len(cells)), make([]int64, len(sh.histograms))
	for i := range sums {
		sums[i].rows = make([]int64, len(sh.histograms))
	}
	rest := numbers(p.people)
	for len(rest) > 0 {
		leaves, who := headed(rest.next())
		for range leaves {
			leaf, state := rest.next(), int32(rest.next())
			for i := range rows {
				rows[i] = int64(rest.next())
			}
			for _, cell := range of[leaf] {
				sums[cell].join(&sh.states, state, rows)
			}
		}
		for i := range sums {
			if sums[i].state != 0 {
				tallies[i].add(sums[i].state, sums[i].rows, who)
				sums[i].clear()
			}
		}
	}
	return tallies
}

// sum is one contact over several leaves.
type sum struct {
	state int32
	rows  []int64
}

func (s *sum) join(states *states, state int32, rows []int64) {
	s.state = states.join(s.state, state)
	for i, n := range rows {
		s.rows[i] += n
	}
}

func (s *sum) clear() {
	s.state = 0
	clear(s.rows)
}

// numbers is a list of varints.
type numbers []byte

func (n *numbers) next() uint64 {
	v, width := binary.Uvarint(*n)
	*n = (*n)[width:]
	return v
}
