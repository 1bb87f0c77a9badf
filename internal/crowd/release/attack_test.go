package release_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"

	"murmur/internal/crowd/internal/count/counttest"
	"murmur/internal/crowd/release"
)

// The attacker knows every published row count of a workspace, all definitions, and how populations lie in
// each other. Unknown is how many rows lie in each *atom*: a leaf (or week) and a class, the set of queries
// that count the row. Linear programming gives the least and the most rows that a leaf can have; a leaf of
// fewer contacts than the minimum is recovered when they are equal, and narrow when they are closer than
// the minimum less one.

// system is what the attacker knows.
type system struct {
	queries []release.Query
	classes []int // bit i: queries[i] counts the row
	places  int   // leaves or weeks
	rows    [][]float64
	sums    []float64
}

// possible gives the classes that no definition rules out.
func possible(queries []release.Query) (classes []int) {
next:
	for m := 1; m < 1<<len(queries); m++ {
		for i, a := range queries {
			for j, b := range queries {
				both := m>>i&1 == 1 && m>>j&1 == 1
				if i < j && both && release.Disjoint(a, b) {
					continue next
				}
				if m>>i&1 == 1 && m>>j&1 == 0 && release.Contains(b, a) {
					continue next
				}
			}
		}
		classes = append(classes, m)
	}
	return classes
}

func newSystem(queries []release.Query, places int) *system {
	return &system{queries: queries, classes: possible(queries), places: places}
}

// indicator is 1 for the atoms of a query in some places.
func (s *system) indicator(query string, places []int) []float64 {
	v := make([]float64, len(s.classes)*s.places)
	i := slices.IndexFunc(s.queries, func(q release.Query) bool { return q.Name == query })
	for _, p := range places {
		for c, class := range s.classes {
			if class>>i&1 == 1 {
				v[p*len(s.classes)+c] = 1
			}
		}
	}
	return v
}

// learn adds one published number, unless it follows from the others.
func (s *system) learn(query string, places []int, rows int) {
	s.rows = append(s.rows, s.indicator(query, places))
	s.sums = append(s.sums, float64(rows))
}

// independent drops the equations that follow from the others, which the simplex method does not bear.
func (s *system) independent() (*mat.Dense, []float64) {
	var reduced [][]float64
	var kept []int
	for i, row := range s.rows {
		r := slices.Clone(row)
		for _, b := range reduced {
			p := slices.IndexFunc(b, func(x float64) bool { return math.Abs(x) > 1e-9 })
			if f := r[p] / b[p]; f != 0 {
				for j := range r {
					r[j] -= f * b[j]
				}
			}
		}
		if slices.ContainsFunc(r, func(x float64) bool { return math.Abs(x) > 1e-9 }) {
			reduced, kept = append(reduced, r), append(kept, i)
		}
	}
	if kept == nil {
		return nil, nil
	}
	a := mat.NewDense(len(kept), len(s.rows[0]), nil)
	sums := make([]float64, len(kept))
	for n, i := range kept {
		a.SetRow(n, s.rows[i])
		sums[n] = s.sums[i]
	}
	return a, sums
}

// bounds gives the fewest and the most rows of a target.
func bounds(t *testing.T, a *mat.Dense, sums, target []float64) (low, high float64) {
	t.Helper()
	if a == nil {
		return 0, math.Inf(1)
	}
	a, target, free := constrained(a, target)
	minus := make([]float64, len(target))
	for i, x := range target {
		minus[i] = -x
	}
	low, _, err := lp.Simplex(target, a, sums, 1e-9, nil)
	if err != nil {
		t.Fatalf("least: %v", err)
	}
	if free {
		return low, math.Inf(1)
	}
	high, _, err = lp.Simplex(minus, a, sums, 1e-9, nil)
	if err == lp.ErrUnbounded {
		return low, math.Inf(1)
	}
	if err != nil {
		t.Fatalf("most: %v", err)
	}
	return low, -high
}

// constrained drops the atoms that no published number is about; free reports whether the target has some.
func constrained(a *mat.Dense, target []float64) (*mat.Dense, []float64, bool) {
	m, n := a.Dims()
	var kept []int
	free := false
	for j := range n {
		if slices.ContainsFunc(mat.Col(nil, j, a), func(x float64) bool { return x != 0 }) {
			kept = append(kept, j)
		} else if target[j] != 0 {
			free = true
		}
	}
	b, shorter := mat.NewDense(m, len(kept), nil), make([]float64, len(kept))
	for i, j := range kept {
		b.SetCol(i, mat.Col(nil, j, a))
		shorter[i] = target[j]
	}
	return b, shorter, free
}

// tally is the outcome of attacks.
type tally struct{ attacked, narrow, recovered int }

// attack tries at most n leaves of fewer contacts than the minimum.
func (s *system) attack(t *testing.T, w *world, cells map[string][]set, n int, out *tally) {
	t.Helper()
	a, sums := s.independent()
	rng := rand.New(rand.NewPCG(1, uint64(len(sums))))
	for _, i := range rng.Perm(len(s.queries) * s.places) {
		q, place := s.queries[i/s.places], i%s.places
		if cells[q.Name] == nil {
			continue
		}
		truth := cells[q.Name][place]
		if c := truth.contacts(); c == 0 || c >= w.k(q) || n == 0 {
			continue
		}
		n--
		low, high := bounds(t, a, sums, s.indicator(q.Name, []int{place}))
		if float64(len(truth)) < low-1e-6 || float64(len(truth)) > high+1e-6 {
			t.Fatalf("the attacker's system is wrong: %d rows are not in [%g, %g]", len(truth), low, high)
		}
		out.attacked++
		if high-low < 1-1e-6 {
			out.recovered++
		}
		if high-low < float64(w.k(q)-1)-1e-6 {
			out.narrow++
		}
	}
}

// family gives the queries that the leaves of one split and period are attacked through.
func family(g release.Grain, split release.Split) (qs []release.Query) {
	for _, q := range catalogue() {
		if q.Grain == g && q.Split == split {
			qs = append(qs, q)
		}
	}
	for _, q := range catalogue() {
		if q.Grain == g && q.Split == release.NoSplit && slices.ContainsFunc(qs, func(o release.Query) bool { return o.Kinds[0] == q.Kinds[0] }) {
			qs = append(qs, q)
		}
	}
	return qs
}

// truth gives the rows of each query and leaf.
func (w *world) truth(p release.Period, qs []release.Query, split release.Split) map[string][]set {
	keys, members := release.Leaves(split, w.dictionary)
	cells := map[string][]set{}
	placed := counttest.Place(w.rows, w.settings, p.Span())
	for _, q := range qs {
		sets := make([]set, len(members))
		for i := range sets {
			sets[i] = set{}
		}
		q.Split = split
		for _, row := range placed {
			if _, ok := row.Bin(q); ok {
				sets[row.Leaf(release.Question{Query: q, Leaves: keys})][fmt.Sprint(row.Row.Kind, row.Row.ID)] = string(row.Row.Contact)
			}
		}
		cells[q.Name] = sets
	}
	return cells
}

// naive is the release that this package replaces: the whole, and every leaf that is big enough.
func (s *system) naive(w *world, cells map[string][]set) {
	var all []int
	for p := range s.places {
		all = append(all, p)
	}
	for _, q := range s.queries {
		whole := set{}
		for p, c := range cells[q.Name] {
			maps.Copy(whole, c)
			if q.Split != release.NoSplit && c.contacts() >= w.k(q) {
				s.learn(q.Name, []int{p}, len(c))
			}
		}
		if whole.contacts() >= w.k(q) {
			s.learn(q.Name, all, len(whole))
		}
	}
}

func TestLinearProgrammingRecoversNoLeaf(t *testing.T) {
	t.Parallel()
	var guarded, naive tally
	for seed := range rounds(7) {
		w := newWorld(t, uint64(200+seed), catalogue())
		everything := w.everything(t)
		for _, f := range []struct {
			grain release.Grain
			split release.Split
			n     int
		}{
			{release.Week, release.ByNumber, 20}, {release.Week, release.ByReason, 10}, {release.Week, release.ByTopic, 20},
			{release.Week, release.BySurvey, 5}, {release.Block, release.ByHourOfWeek, 3},
		} {
			qs := family(f.grain, f.split)
			_, members := release.Leaves(f.split, w.dictionary)
			for _, p := range w.periods {
				if p.Grain != f.grain || f.split == release.ByHourOfWeek && seed > 2 {
					continue
				}
				cells := w.truth(p, qs, f.split)
				s, n := newSystem(qs, len(members)), newSystem(qs, len(members))
				var all []int
				for l := range members {
					all = append(all, l)
				}
				for _, g := range everything {
					if g.period != p.Name || !slices.ContainsFunc(qs, func(q release.Query) bool { return q.Name == g.query.Name }) {
						continue
					}
					leaves := g.leaves
					if g.query.Split == release.NoSplit {
						leaves = all
					}
					if g.group.Hidden != release.SmallGroup {
						s.learn(g.query.Name, leaves, int(g.group.Total()))
					}
				}
				s.attack(t, w, cells, f.n, &guarded)
				if f.split != release.ByHourOfWeek {
					n.naive(w, cells)
					n.attack(t, w, cells, f.n, &naive)
				}
			}
		}
	}
	t.Logf("guarded %+v, naive %+v", guarded, naive)
	if guarded.recovered > 0 || guarded.narrow > 0 {
		t.Errorf("recovered %d and narrowed %d of %d leaves", guarded.recovered, guarded.narrow, guarded.attacked)
	}
	if guarded.attacked < 300 {
		t.Errorf("only %d leaves were attacked: the test says nothing", guarded.attacked)
	}
	if naive.recovered < 10 {
		t.Errorf("of a naive release only %d of %d leaves were recovered: the attacker is too weak", naive.recovered, naive.attacked)
	}
}

// The same along time: a week that is hidden, from the other weeks and the block.
func TestLinearProgrammingRecoversNoWeek(t *testing.T) {
	t.Parallel()
	var guarded tally
	for seed := range rounds(16) {
		w := newWorld(t, uint64(400+seed), catalogue())
		var qs []release.Query
		for _, q := range catalogue() {
			if slices.Contains(q.Kinds, calls) {
				qs = append(qs, q)
			}
		}
		weeks := w.periods[:len(w.periods)-1]
		s := newSystem(qs, len(weeks))
		cells := map[string][]set{}
		whole := map[string]int{}
		for _, g := range w.everything(t) {
			if g.group.Hidden == release.Shown {
				whole[g.period+" "+g.query.Name] += int(g.group.Total())
			}
		}
		var all []int
		for i, week := range weeks {
			all = append(all, i)
			for _, q := range qs {
				if q.Grain == release.Block {
					continue
				}
				cells[q.Name] = append(cells[q.Name], w.truth(week, []release.Query{q}, release.NoSplit)[q.Name][0])
				table := w.sets[week.Name].Table(q.Name)
				if n, ok := whole[week.Name+" "+q.Name]; ok {
					s.learn(q.Name, []int{i}, n)
				} else if table.Groups()[0].Hidden == release.NoData {
					s.learn(q.Name, []int{i}, 0)
				}
			}
		}
		for _, q := range qs {
			if n, ok := whole[w.block.Name+" "+q.Name]; ok && q.Grain == release.Block {
				s.learn(q.Name, all, n)
			}
		}
		s.attack(t, w, cells, 12, &guarded)
	}
	t.Logf("%+v", guarded)
	if guarded.recovered > 0 || guarded.narrow > 0 {
		t.Errorf("recovered %d and narrowed %d of %d weeks", guarded.recovered, guarded.narrow, guarded.attacked)
	}
	if guarded.attacked < 50 {
		t.Errorf("only %d weeks were attacked: the test says nothing", guarded.attacked)
	}
}
