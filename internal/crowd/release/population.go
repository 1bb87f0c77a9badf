package release

import (
	"errors"
	"fmt"
	"slices"

	"murmur/internal/fact"
)

// ErrCatalogue is returned for queries that cannot be released beside each other.
var ErrCatalogue = errors.New("catalogue")

// checkCatalogue refuses queries whose exact tables could be subtracted from each other along time: the same
// rows split the same way in weeks and in blocks. A query that Repeats has no exact table.
func checkCatalogue(queries []Query) error {
	for i, q := range queries {
		if q.Name == "" || len(q.Kinds) == 0 || q.Grain != Week && q.Grain != Block {
			return fmt.Errorf("%w: query %d has no name, kind or grain", ErrCatalogue, i)
		}
		if !slices.IsSorted(q.Value.Bins) {
			return fmt.Errorf("%w: %s: bins do not rise", ErrCatalogue, q.Name)
		}
		if q.Repeats && q.Grain != Block {
			return fmt.Errorf("%w: %s repeats weeks and is of one", ErrCatalogue, q.Name)
		}
		for _, other := range queries[:i] {
			if other.Name == q.Name {
				return fmt.Errorf("%w: two queries are called %s", ErrCatalogue, q.Name)
			}
			if q.Split != NoSplit && q.Split == other.Split && q.Grain != other.Grain && !q.Repeats && !other.Repeats && shareKind(q, other) {
				return fmt.Errorf("%w: %s and %s split the same rows in weeks and in blocks", ErrCatalogue, other.Name, q.Name)
			}
		}
	}
	return nil
}

func shareKind(a, b Query) bool {
	return slices.ContainsFunc(a.Kinds, func(k fact.Kind) bool { return slices.Contains(b.Kinds, k) })
}

// contains reports whether w's population holds n's for sure, whatever the rows.
func contains(w, n Query) bool {
	for _, k := range n.Kinds {
		if !slices.Contains(w.Kinds, k) {
			return false
		}
	}
	if w.Open && !n.Open {
		return false
	}
	narrow := filters(n)
	for _, f := range w.Where {
		if !slices.ContainsFunc(narrow, func(g Filter) bool { return f.Column == g.Column && subset(g.In, f.In) }) {
			return false
		}
	}
	return valued(w.Value, n.Value)
}

// valued reports whether every row that has a value for n has one for w.
func valued(w, n Value) bool {
	if w.Derived == Nothing {
		return true
	}
	if w.Derived == n.Derived && w.Column == n.Column {
		return len(w.Bins) == 0 || len(n.Bins) > 0 && n.Bins[0] >= w.Bins[0]
	}
	if len(w.Bins) > 0 && w.Bins[0] > 0 {
		return false
	}
	switch w.Derived {
	case Missed: // of every inbound call that was answered or missed for long enough
		return n.Derived == AnswerSeconds || n.Derived == ReturnedIn24h || n.Derived == CalledBack || n.Derived == Contained
	case MissReason:
		return n.Derived == ReturnedIn24h || n.Derived == CalledBack
	case ReturnedIn24h:
		return n.Derived == CalledBack
	}
	return false
}

// filters gives the filters of a query and those that its derived value implies.
func filters(q Query) []Filter {
	switch q.Value.Derived {
	case Missed, MissReason, AnswerSeconds, ReturnedIn24h, ReplySeconds, Again, CalledBack, Contained, SoonAgain:
		return append(slices.Clone(q.Where), Filter{fact.ColDirection, []int64{int64(fact.In)}})
	}
	return q.Where
}

func subset(a, b []int64) bool {
	return !slices.ContainsFunc(a, func(v int64) bool { return !slices.Contains(b, v) })
}

// disjoint reports whether two populations never share a row.
func disjoint(a, b Query) bool {
	if !shareKind(a, b) {
		return true
	}
	for _, f := range filters(a) {
		for _, g := range filters(b) {
			if f.Column == g.Column && !slices.ContainsFunc(f.In, func(v int64) bool { return slices.Contains(g.In, v) }) {
				return true
			}
		}
	}
	d, e := a.Value.Derived, b.Value.Derived
	never := func(d, e Derived) bool { return d == AnswerSeconds && (e == MissReason || e == ReturnedIn24h) }
	return never(d, e) || never(e, d)
}

// regions gives what others leave beside q: each wider population without q, and without q and one more
// that shares no row with it. These are the differences of two and of three tables.
func regions(q Query, others []Query) (rs []Region) {
	for _, w := range others {
		if !contains(w, q) || contains(q, w) {
			continue
		}
		rs = append(rs, Region{Of: w, Minus: []Query{q}})
		for _, s := range others {
			if contains(w, s) && !contains(s, w) && disjoint(q, s) {
				rs = append(rs, Region{Of: w, Minus: []Query{q, s}})
			}
		}
	}
	return rs
}
