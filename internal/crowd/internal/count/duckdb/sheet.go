package duckdb

import (
	"fmt"
	"slices"

	"murmur/internal/crowd/release"
)

// sheet is what is counted about one split of one layer.
//
// Whether a contact counts for a set depends on the populations of its rows alone, and few combinations of them occur. So a
// sheet numbers the *states* that a contact can be in, each a choice of sets, and counts contacts by state: what a row costs
// does not grow with the questions.
type sheet struct {
	split      int // in plan.splits
	leaves     int // how many: those of the split, and the rest
	sets       []set
	histograms []histogram

	periods []period
	states  states
	rows    []rowIn // by signature
	contact contact // the one at hand
	all     sum     // of it, over the leaves of a period
}

// period is one span of the sheet's layer.
type period struct {
	leaves []*tally          // nil: nobody is in the leaf
	whole  *tally            // all leaves together
	known  map[string]*tally // cells of several leaves that were asked for
	bars   [][][]bar         // by histogram, leaf and bin
	people []byte            // who is in which leaves: people.go
}

// bar is the rows of one bin, and the sums of their contacts' marks.
type bar struct {
	rows  int64
	marks release.Marks
}

// rowIn is what a row of a signature adds.
type rowIn struct {
	seen       bool
	state      int32
	histograms []int // whose population it is in
}

// tally is what is known of a cell.
type tally struct {
	contacts []int64 // by state
	claimed  []int64 // the same, of those who are not verified
	most     []int64 // by histogram: the most rows of one contact
}

func newSheet(split, leaves int) *sheet {
	return &sheet{split: split, leaves: leaves, states: newStates()}
}

func (sh *sheet) set(s set) int { return place(&sh.sets, s, s.equal) }

func (sh *sheet) histogram(h histogram) int { return place(&sh.histograms, h, h.equal) }

// begin makes room for the periods of the sheet's layer.
func (sh *sheet) begin(periods int) {
	sh.periods = make([]period, periods)
	for i := range sh.periods {
		p := &sh.periods[i]
		p.leaves, p.whole, p.known = make([]*tally, sh.leaves), sh.tally(), map[string]*tally{}
		for range sh.histograms {
			p.bars = append(p.bars, make([][]bar, sh.leaves))
		}
	}
	sh.contact = newContact(periods*sh.leaves, len(sh.histograms))
	sh.all.rows = make([]int64, len(sh.histograms))
}

func (sh *sheet) tally() *tally { return &tally{most: make([]int64, len(sh.histograms))} }

// add counts a contact, whose rows are nobody's when it is none.
func (t *tally) add(state int32, rows []int64, who who) {
	for int(state) >= len(t.contacts) {
		t.contacts, t.claimed = append(t.contacts, 0), append(t.claimed, 0)
	}
	t.contacts[state]++
	if !who.verified {
		t.claimed[state]++
	}
	if who.nobody {
		return
	}
	for i, n := range rows {
		t.most[i] = max(t.most[i], n)
	}
}

// row says what a row adds that is in some populations, which its signature stands for.
func (sh *sheet) row(signature int32, in []bool) *rowIn {
	for int(signature) >= len(sh.rows) {
		sh.rows = append(sh.rows, rowIn{})
	}
	r := &sh.rows[signature]
	if r.seen {
		return r
	}
	chosen := make([]byte, len(sh.sets))
	for i, s := range sh.sets {
		if in[s.of] && !slices.ContainsFunc(s.minus, func(population int) bool { return in[population] }) {
			chosen[i] = 1
		}
	}
	r.seen, r.state = true, sh.states.number(chosen)
	for i, h := range sh.histograms {
		if in[h.population] {
			r.histograms = append(r.histograms, i)
		}
	}
	return r
}

// bar is the place of a bin.
func (sh *sheet) bar(at, histogram, bin int) *bar {
	bars := sh.periods[at/sh.leaves].bars[histogram]
	leaf := at % sh.leaves
	if bars[leaf] == nil {
		bars[leaf] = make([]bar, max(1, len(sh.histograms[histogram].bins)))
	}
	return &bars[leaf][bin]
}

// count gives a question's part of what is known of leaves.
func (a answer) count(t *tally, leaves []int) release.Cell {
	sh := a.sheet
	c := release.Cell{
		Bins: make([]int64, a.bins), Keys: make([]release.Marks, a.bins), Most: t.most[a.histogram], Regions: make([]int64, len(a.sets)-1),
	}
	c.Contacts, c.Verified = sh.states.in(t, a.sets[0])
	for i, s := range a.sets[1:] {
		c.Regions[i] = release.RegionOf(sh.states.in(t, s))
	}
	for _, leaf := range leaves {
		for bin, b := range sh.periods[a.period].bars[a.histogram][leaf] {
			c.Bins[bin], c.Keys[bin] = c.Bins[bin]+b.rows, c.Keys[bin].Plus(b.marks)
		}
	}
	return c
}

// occupied gives the leaves of a cell that anybody is in, in order.
func (p *period) occupied(cell []int) (leaves []int) {
	for _, leaf := range cell {
		if leaf < len(p.leaves) && p.leaves[leaf] != nil {
			leaves = append(leaves, leaf)
		}
	}
	slices.Sort(leaves)
	return slices.Compact(leaves)
}

// all is how many leaves anybody is in.
func (p *period) all() (n int) {
	for _, t := range p.leaves {
		if t != nil {
			n++
		}
	}
	return n
}

// of gives the tallies of cells of occupied leaves.
func (sh *sheet) of(period int, cells [][]int) []*tally {
	p := &sh.periods[period]
	all, out := p.all(), make([]*tally, len(cells))
	var ask [][]int
	var asked []int
	for i, leaves := range cells {
		switch len(leaves) {
		case 0:
			out[i] = sh.tally()
		case 1:
			out[i] = p.leaves[leaves[0]]
		case all:
			out[i] = p.whole
		default:
			if out[i] = p.known[fmt.Sprint(leaves)]; out[i] == nil {
				ask, asked = append(ask, leaves), append(asked, i)
			}
		}
	}
	for i, t := range sh.measure(p, ask) {
		out[asked[i]], p.known[fmt.Sprint(ask[i])] = t, t
	}
	return out
}

// states numbers the choices of sets that occur.
type states struct {
	chosen  []string // by state: a byte a set, 1 where it is in
	numbers map[string]int32
	joins   map[[2]int32]int32
}

// newStates begins with state 0, of whoever is in no set.
func newStates() states {
	return states{chosen: []string{""}, numbers: map[string]int32{}, joins: map[[2]int32]int32{}}
}

// number gives the state of a choice; 0 when it has no set.
func (s *states) number(chosen []byte) int32 {
	if !slices.Contains(chosen, 1) {
		return 0
	}
	n, ok := s.numbers[string(chosen)]
	if !ok {
		n = int32(len(s.chosen))
		s.chosen = append(s.chosen, string(chosen))
		s.numbers[string(chosen)] = n
	}
	return n
}

// join is the state of whoever is in the sets of both.
func (s *states) join(a, b int32) int32 {
	switch {
	case a == b || b == 0:
		return a
	case a == 0:
		return b
	}
	n, ok := s.joins[[2]int32{a, b}]
	if !ok {
		both := []byte(s.chosen[a])
		for i := range both {
			both[i] |= s.chosen[b][i]
		}
		n = s.number(both)
		s.joins[[2]int32{a, b}] = n
	}
	return n
}

// in is how many contacts of a tally are in a set, and how many of them are verified.
func (s *states) in(t *tally, set int) (n, verified int64) {
	for state, contacts := range t.contacts {
		if contacts > 0 && s.chosen[state][set] == 1 {
			n, verified = n+contacts, verified+contacts-t.claimed[state]
		}
	}
	return n, verified
}
