package release

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"murmur/internal/crowd/internal/noise"
)

// Read says which counts of a table's groups a reader of its figures learns: the number of rows, and bins. Bins of a
// histogram (more than three) are seen through what is computed from all of them.
type Read struct {
	Rows bool
	Bins []int
}

// Probe plays an attack on what others are shown of weeks: for each of some persons it makes the tables with and without
// that person, under keys of its own, and lets the attacker say which it is. Equal rows give equal answers.
type Probe struct {
	*Releaser
	Taker Taker
	Reads map[string]Read                     // by query
	Band  func(int64) (lowest, highest int64) // that a number of contacts is shown as
	// Persons is how many are attacked at most, Worlds how often each; where there are fewer, each is attacked more often.
	Persons, Worlds int

	publish product // nil: the product; tests plant faults here
}

// product makes a table of a run.
type product func(*run, context.Context, int) ([]part, []Group, error)

// Accuracy is how often the attacker was right about a person. Guessing is right in .5.
type Accuracy struct {
	One      Share // one count that the person moves
	Two      Share // a count that the person moves, minus one or two that the person does not move
	All      Share // all figures of the week
	Watched  Share // all figures of the week, and all that was shown of it before
	Heaviest Share // All, about the five persons with the most rows
	// Stored counts the numbers of the week's stored tables that are the exact ones, one for each draw of noise: by chance about one in four.
	Stored Share
}

// Share counts right answers; half a one where both worlds were as likely.
type Share struct {
	Right float64
	Tried int
}

// Of gives the part of right answers; .5 when nothing was tried.
func (s Share) Of() float64 {
	if s.Tried == 0 {
		return .5
	}
	return s.Right / float64(s.Tried)
}

func (s *Share) add(right float64) { s.Right, s.Tried = s.Right+right, s.Tried+1 }

// Plus adds up what was tried on several weeks.
func (a Accuracy) Plus(o Accuracy) Accuracy {
	plus := func(a, b Share) Share { return Share{a.Right + b.Right, a.Tried + b.Tried} }
	return Accuracy{plus(a.One, o.One), plus(a.Two, o.Two), plus(a.All, o.All), plus(a.Watched, o.Watched), plus(a.Heaviest, o.Heaviest), plus(a.Stored, o.Stored)}
}

// Bounds is what the accuracy may be at a scale of noise (docs/privacy.md): about a person who moves ten counts by one.
func Bounds(scale int64) (one, two, all float64) {
	return noise.Accuracy(scale, 1) + .03, noise.DifferenceAccuracy(scale) + .06, noise.Accuracy(scale, 10) + .02
}

// Publications are the midnights up to which others may have been shown a period: the first one that there can be, and its
// turns.
func Publications(p Period) []time.Time {
	return append([]time.Time{p.Start.AddDate(0, 0, 1)}, p.Turns()...)
}

// ErrLarge is returned for a week whose rows do not fit in memory beside each other.
var ErrLarge = errors.New("the week has too many rows")

// mostParts is how many parts of contacts an attack holds.
const mostParts = 1_500_000

// Week attacks one week. The requests are its publications, oldest first; shown is what is stored of the last one.
func (p Probe) Week(ctx context.Context, reqs []Request, shown Set) (a Accuracy, err error) {
	if p.publish == nil {
		p.publish = (*run).noisedTable
	}
	days, err := p.open(ctx, reqs)
	if err != nil || len(days) == 0 {
		return a, err
	}
	w := &attack{Probe: p, days: days, scale: reqs[0].Settings.Noise, moments: map[[2]int64]moment{}}
	w.compare(shown, &a)
	some, heaviest := w.sample()
	w.Worlds = max(w.Worlds, w.Worlds*w.Persons/max(1, len(some))/2*2) // one half with the person
	for _, who := range some {
		if err := w.person(ctx, who, &a); err != nil {
			return a, err
		}
	}
	var heavy Accuracy
	for _, who := range heaviest {
		if err := w.person(ctx, who, &heavy); err != nil {
			return a, err
		}
	}
	a.Heaviest = heavy.All
	return a, nil
}

// day is one publication.
type day struct {
	*due
	run  *run
	town *town
}

func (p Probe) open(ctx context.Context, reqs []Request) (days []day, err error) {
	var questions []Question
	for _, req := range reqs {
		d := &due{Request: req}
		d.queries = d.asked(p.Queries, req.Settings.Noise)
		u := &run{settings: req.Settings, queries: d.queries}
		u.askNoised(d)
		days = append(days, day{d, u, newTown(u.questions)})
		questions = append(questions, u.questions...)
	}
	if len(questions) == 0 {
		return nil, nil
	}
	parts := 0
	err = p.Taker.Parts(ctx, reqs[0].Snapshot, reqs[0].Settings, questions, func(part Part) {
		if parts++; parts > mostParts {
			return
		}
		i := 0
		for ; part.Question >= len(days[i].run.questions); i++ { // a later day may ask more
			part.Question -= len(days[i].run.questions)
		}
		days[i].town.add(part)
	})
	if err == nil && parts > mostParts {
		err = ErrLarge
	}
	return days, err
}

// attack is the attack on one week.
type attack struct {
	Probe
	days    []day
	scale   int64
	moments map[[2]int64]moment
}

// compare counts the exact numbers in the stored tables that are not split. Numbers about the same people have one draw of
// noise: they count once, so that what is tried is independent.
func (w *attack) compare(shown Set, a *Accuracy) {
	last := w.days[len(w.days)-1]
	drawn := map[Marks]bool{}
	for i, q := range last.run.queries {
		groups := shown.Table(q.Name).groups
		if q.Split != NoSplit || len(groups) != 1 || groups[0].Hidden != Shown {
			continue
		}
		c := last.town.cell(i, last.run.trees[i].root.leaves())
		for bin, n := range append([]int64{sum(c.Bins)}, c.Bins...) {
			stored, key := groups[0].All, cellOf(c.Cell).Key
			if bin > 0 {
				stored, key = groups[0].Bins[bin-1], c.Keys[bin-1]
			}
			if n > 0 && !drawn[key] {
				drawn[key] = true
				a.Stored.add(map[bool]float64{true: 1}[stored == n])
			}
		}
	}
}

// sample gives some persons of the last publication, and those with the most rows. Pseudonyms are in no order, so the
// first ones are as good as any.
func (w *attack) sample() (some, heaviest []Marks) {
	rows := map[Marks]int64{}
	for _, leaves := range w.days[len(w.days)-1].town.leaves {
		for _, parts := range leaves {
			for _, p := range parts {
				rows[p.Mark]++
			}
		}
	}
	delete(rows, MarkOf(nil)) // nobody
	all := slices.SortedFunc(maps.Keys(rows), func(a, b Marks) int { return slices.Compare(a[:], b[:]) })
	heaviest = slices.Clone(all)
	slices.SortStableFunc(heaviest, func(a, b Marks) int { return cmp.Compare(rows[b], rows[a]) })
	return all[:min(w.Persons, len(all))], heaviest[:min(5, len(all))]
}

// person plays the worlds of one person.
func (w *attack) person(ctx context.Context, who Marks, a *Accuracy) error {
	without := make([]*world, len(w.days))
	for i, d := range w.days {
		without[i] = d.town.missing(who)
	}
	for n := range w.Worlds {
		present := n%2 == 0
		var watched, last []seen
		for i, d := range w.days {
			published, err := w.numbers(ctx, d, keysOf(d.due, who, n), without[i], present)
			if err != nil {
				return err
			}
			watched, last = append(watched, published...), published
		}
		a.All.add(guess(last, present, w.scale))
		a.Watched.add(guess(watched, present, w.scale))
		for _, s := range last {
			if s.moved() && !s.contacts && s.spreads[0] == 0 {
				a.One.add(guess([]seen{s}, present, w.scale))
				for _, others := range beneath(s, last) {
					a.Two.add(subtract(s, others, present, w.scale))
				}
			}
		}
	}
	return nil
}

// widest is the most steps of noise whose differences are computed: wider noise hides more, and costs the square.
const widest = 8

// beneath gives what the attacker subtracts from a number that the person moves: the one, and the two, that come closest
// to it without the person.
func beneath(from seen, all []seen) (out [][]seen) {
	count := func(s seen) int64 { return s.worlds[1].count }
	var still []seen
	for _, s := range all {
		if !s.moved() && !s.contacts && s.spreads[0] == 0 && s.worlds[1].step <= widest {
			still = append(still, s)
		}
	}
	if len(still) == 0 || from.worlds[0].step > widest {
		return nil
	}
	away := func(n int64) int64 { return max(count(from)-n, n-count(from)) }
	one := slices.MinFunc(still, func(a, b seen) int { return cmp.Compare(away(count(a)), away(count(b))) })
	out = append(out, []seen{one})
	var two []seen
	for i, a := range still {
		for _, b := range still[i+1:] {
			if two == nil || away(count(a)+count(b)) < away(count(two[0])+count(two[1])) {
				two = []seen{a, b}
			}
		}
	}
	if two != nil {
		out = append(out, two)
	}
	return out
}

// keysOf gives keys of the attack's own, the same ones each time.
func keysOf(d *due, who Marks, n int) noise.Keys {
	seed := sha256.Sum256(fmt.Appendf(nil, "attack %d %d %d", who[0], who[1], n))
	return noise.NewKeys(seed[:], d.Settings.Workspace.String(), d.Period.Name)
}

// numbers makes what others are shown in one of the worlds, and gives every number of it.
func (w *attack) numbers(ctx context.Context, d day, keys noise.Keys, without *world, present bool) (all []seen, err error) {
	with := d.town.everybody()
	u := *d.run
	u.keys, u.counts, u.labels = keys, without, newLabels(d.Dictionary, u.settings)
	if present {
		u.counts = with
	}
	for i, q := range u.queries {
		parts, groups, err := w.publish(&u, ctx, i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.Name, err)
		}
		for n, g := range groups {
			if g.Hidden == Shown {
				all = append(all, w.group(q, g, with.cell(i, parts[n].leaves), without.cell(i, parts[n].leaves))...)
			}
		}
	}
	return all, nil
}

// group gives what is published of a group: its rows, its bins, and roughly its contacts.
func (w *attack) group(q Query, g Group, with, without Cell) (all []seen) {
	number := func(n int64, of func(Cell) drawn) {
		s := seen{worlds: [2]drawn{of(with), of(without)}, low: n, high: n}
		if n > 0 || s.worlds[0].count+s.worlds[1].count > 0 {
			all = append(all, s)
		}
	}
	r := w.Reads[q.Name]
	if r.Rows {
		number(g.All, func(c Cell) drawn { return drawn{cellOf(c).Key, sum(c.Bins), noise.Step(c.Most)} })
	}
	if len(r.Bins) > 3 {
		all = append(all, w.blurred(g, with, without, func(int) int64 { return 1 }), w.blurred(g, with, without, func(i int) int64 { return int64(i) }))
	} else {
		for _, i := range r.Bins {
			number(g.Bins[i], func(c Cell) drawn { return drawn{c.Keys[i], c.Bins[i], noise.Step(c.Most)} })
		}
	}
	people := func(n int64, verified bool, of func(Cell) int64) {
		s := seen{contacts: true, verified: verified}
		s.low, s.high = w.Band(n)
		for world, c := range []Cell{with, without} {
			s.worlds[world] = drawn{cellOf(c).Key, of(c), 1}
		}
		all = append(all, s)
	}
	people(g.Contacts, false, func(c Cell) int64 { return c.Contacts })
	people(g.Verified, true, func(c Cell) int64 { return c.Verified })
	return all
}

func sum(counts []int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// blurred is a weighted sum over a histogram: of many noised counts the attacker weighs mean and variance.
func (w *attack) blurred(g Group, with, without Cell, weight func(int) int64) (s seen) {
	for i, n := range g.Bins {
		s.low += n * weight(i)
	}
	for world, c := range []Cell{with, without} {
		variance := 0.25
		for i, n := range c.Bins {
			if n > 0 {
				m := w.moment(n, noise.Step(c.Most))
				s.means[world] += m.mean * float64(weight(i))
				variance += m.variance * float64(weight(i)*weight(i))
			}
		}
		s.spreads[world] = math.Sqrt(variance)
	}
	return s
}

// moment is the mean and variance of a count with its noise, none below 0.
type moment struct{ mean, variance float64 }

func (w *attack) moment(count, step int64) (m moment) {
	at := [2]int64{count, step}
	if m, ok := w.moments[at]; ok {
		return m
	}
	shown, squares := drawn{count: count, step: step}.shown(w.scale), 0.0
	for i, p := range shown.p {
		n := float64(shown.first + int64(i))
		m.mean, squares = m.mean+n*p, squares+n*n*p
	}
	m.variance = squares - m.mean*m.mean
	w.moments[at] = m
	return m
}
