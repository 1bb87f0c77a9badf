package release

import "strings"

import "fmt"

// published is one number that a reader of the tables knows: rows of a query in some leaves of a period.
type published struct {
	query  Query
	period Period
	where  string // the leaves, for the report
	whole  bool   // all leaves
	rows   int64
	k      int64
}

// Subtract tries on stored sets what a reader can try with published numbers alone: it subtracts every number from
// every number of a population that contains it (the whole of a split, a wider filter, a block and its weeks), also
// two at a time, and looks for a remainder of fewer rows than the minimum group. It reports what it tried and
// found; it must find nothing. The tests of this package do more: they know the rows.
func Subtract(sets []Set) (said, found []string) {
	var numbers []published
	for _, s := range sets {
		for _, t := range s.tables {
			if t.settings.Noise == 0 { // with noise, numbers do not add up: Probe attacks them
				numbers = append(numbers, t.numbers()...)
			}
		}
	}
	tried := 0
	for _, a := range numbers {
		if !a.whole {
			continue
		}
		var parts []published
		for _, b := range numbers {
			if inside(a, b) {
				parts = append(parts, b)
			}
		}
		for i, b := range parts {
			tried++
			if left := a.rows - b.rows; left > 0 && left < b.k {
				found = append(found, leftOver(a, left, b))
			}
			for _, c := range parts[i+1:] {
				if c.query.Name != b.query.Name || c.period != b.period || b.whole || c.whole {
					continue // only groups of one table are known to be apart
				}
				tried++
				if left := a.rows - b.rows - c.rows; left > 0 && left < b.k {
					found = append(found, leftOver(a, left, b, c))
				}
			}
		}
	}
	return []string{fmt.Sprintf("subtraction: %d published numbers, %d differences tried, %d under the minimum", len(numbers), tried, len(found))}, found
}

// inside reports whether b's rows are surely among a's.
func inside(a, b published) bool {
	if a.query.Name == b.query.Name && a.period == b.period {
		return !b.whole
	}
	within := !b.period.Start.Before(a.period.Start) && !b.period.End.After(a.period.End)
	return within && (a.query.Name != b.query.Name || a.period != b.period) && contains(a.query, b.query)
}

func (t Table) numbers() []published {
	k := t.settings.MinGroup
	if t.query.Content {
		k = t.settings.MinContent
	}
	var out []published
	whole := published{query: t.query, period: t.period, where: "all", whole: true, k: k}
	complete := true
	for i, g := range t.groups {
		if g.Hidden == SmallGroup {
			complete = false
		}
		if g.Hidden != Shown {
			continue
		}
		n := g.Total()
		whole.rows += n
		if len(t.groups) > 1 {
			out = append(out, published{query: t.query, period: t.period, where: fmt.Sprintf("group %d", i+1), rows: n, k: k})
		}
	}
	if complete && whole.rows > 0 {
		out = append(out, whole)
	}
	return out
}

func leftOver(a published, left int64, parts ...published) string {
	var s strings.Builder
	s.WriteString(fmt.Sprintf("%s %s minus", a.query.Name, a.period.Name))
	for _, p := range parts {
		s.WriteString(fmt.Sprintf(" %s %s %s", p.query.Name, p.period.Name, p.where))
	}
	return s.String() + fmt.Sprintf(" leaves %d rows", left)
}
