package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"murmur/internal/insight"
	"murmur/internal/synth"
)

// fold says in plain Go what the figures of a business must be, from the truth of the generator and not from anything
// that the house decoded or counted. It does not say which cells are merged (the guard decides that): it takes each
// published cell's list of members, adds up what they did, and compares.
type fold struct {
	days   []synth.Day
	zone   *time.Location
	open   func(time.Time) bool
	native bool // told in murmur.v1, which says more than Quo does
}

// one is a countable thing: whose it is, in which leaf of the split, and its value.
type one struct {
	at      time.Time
	contact string
	leaf    string // members' names, joined; "" for the whole
	value   float64
}

const no = math.MinInt64 // a value that is not there

func (f fold) calls(value func(synth.Call) float64, leaf func(synth.Call) string) (out []one) {
	for _, d := range f.days {
		for _, c := range d.Calls {
			if v := value(c); !c.Out && v != no {
				out = append(out, one{c.At, c.Person.Phone, leaf(c), v})
			}
		}
	}
	return out
}

func missed(c synth.Call) float64 {
	switch c.Outcome {
	case "answered", "ai_handled", "forwarded":
		return 0
	}
	return 1
}

func whole(synth.Call) string { return "" }

// missedOpen is the missed call rate's population: inbound calls in open hours.
func (f fold) missedOpen(c synth.Call) float64 {
	if !f.open(c.At) {
		return no
	}
	return missed(c)
}

// reason is the first that applies. Quo lets us know only whether a call was unanswered or abandoned.
func (f fold) reason(c synth.Call) string {
	switch {
	case !f.open(c.At):
		return "out_of_hours"
	case f.native:
		return c.Outcome
	case c.Outcome == "abandoned" || c.Outcome == "abandoned_in_menu":
		return "abandoned"
	}
	return "members_did_not_answer"
}

func (f fold) hour(c synth.Call) string {
	t := c.At.In(f.zone)
	return strconv.Itoa((int(t.Weekday())+6)%7*24 + t.Hour())
}

func ring(c synth.Call) float64 {
	if c.Outcome != "answered" {
		return no
	}
	return c.Answered.Sub(c.At).Seconds()
}

// replies are the waits from a contact's first unanswered text to the next text to that contact. Quo does not say which
// texts a rule sent, so those answer too.
func (f fold) replies() (out []one) {
	talks := map[string][]synth.Text{}
	for _, d := range f.days {
		for _, t := range d.Texts {
			if !f.native || !t.Automatic {
				talks[t.Person.Phone] = append(talks[t.Person.Phone], t)
			}
		}
	}
	for who, talk := range talks {
		slices.SortStableFunc(talk, func(a, b synth.Text) int { return a.At.Compare(b.At) })
		for i, t := range talk {
			if t.Out || i > 0 && !talk[i-1].Out {
				continue
			}
			for _, next := range talk[i+1:] {
				if next.Out {
					out = append(out, one{t.At, who, "", math.Floor(next.At.Sub(t.At).Seconds())})
					break
				}
			}
		}
	}
	return out
}

func (f fold) menu() (out []one) {
	for _, d := range f.days {
		for _, s := range d.Steps {
			if s.Kind == "menu" {
				at := s.Out // Quo tells of a choice, murmur.v1 of the way in
				if f.native {
					at = s.In
				}
				out = append(out, one{at, s.Person.Phone, s.Number.ID + "/menu/" + s.Key, 1})
			}
		}
	}
	return out
}

func (f fold) answers(scale string, split bool) (out []one) {
	for _, d := range f.days {
		for _, a := range d.Answers {
			if a.Survey.Scale != scale {
				continue
			}
			o := one{a.At, a.Person.Phone, "", float64(a.Score)}
			if split {
				o.leaf = a.Survey.ID + "/web"
			}
			out = append(out, o)
		}
	}
	return out
}

// population is what a figure counts, and how its members are spelled as leaves.
func (f fold) population(g insight.Figure) (rows []one, dims []string, known bool) {
	split := len(g.Split) > 0
	byNumber := whole
	if g.Split["number"] != nil {
		dims, byNumber = []string{"number"}, func(c synth.Call) string { return c.Number.ID }
	}
	switch g.Insight + " " + g.Measure {
	case "missed-call-rate rate":
		return f.calls(f.missedOpen, byNumber), dims, true
	case "missed-call-reasons share":
		only := func(c synth.Call) float64 {
			if missed(c) == 0 {
				return no
			}
			return 1
		}
		return f.calls(only, f.reason), []string{"reason"}, split
	case "busy-hours calls":
		return f.calls(missed, f.hour), []string{"hour_of_week"}, split
	case "time-to-respond answer_p50_s", "time-to-respond answer_p90_s":
		return f.calls(ring, whole), nil, true
	case "time-to-respond reply_p50_s", "time-to-respond reply_p90_s":
		return f.replies(), nil, true
	case "menu-funnel calls":
		return f.menu(), []string{"flow", "node", "choice"}, split
	}
	bySurvey := g.Split["survey"] != nil
	if bySurvey {
		dims = []string{"survey", "medium"}
	}
	switch g.Insight + " " + g.Measure {
	case "satisfaction nps":
		return f.answers("nps", bySurvey), dims, true
	case "satisfaction csat", "satisfaction csat_satisfied":
		return f.answers("csat", bySurvey), dims, true
	case "satisfaction responses":
		return f.answers(g.Split["scale"][0], bySurvey), dims, true
	}
	return nil, nil, false
}

// span is the period of a figure: weeks from Monday, blocks of weeks.
func (f fold) span(t testing.TB, period string) (from, to time.Time) {
	first, last, _ := strings.Cut(period, "..")
	if last == "" {
		last = first
	}
	return f.monday(t, first), f.monday(t, last).AddDate(0, 0, 7)
}

func (f fold) monday(t testing.TB, week string) time.Time {
	var year, w int
	if _, err := fmt.Sscanf(week, "%d-W%d", &year, &w); err != nil {
		t.Fatalf("period %q: %v", week, err)
	}
	day := time.Date(year, 1, 4, 0, 0, 0, 0, f.zone)
	return day.AddDate(0, 0, 7*(w-1)-(int(day.Weekday())+6)%7)
}

// inside are the rows of a figure's period and cell. A leaf is in the cell when each of its names is listed.
func (f fold) inside(t testing.TB, g insight.Figure, rows []one, dims []string) (all, cell []one) {
	from, to := f.span(t, g.Period)
	for _, r := range rows {
		if r.at.Before(from) || !r.at.Before(to) {
			continue
		}
		all = append(all, r)
		names, in := strings.Split(r.leaf, "/"), true
		for i, d := range dims {
			in = in && slices.Contains(g.Split[d], names[i])
		}
		if in {
			cell = append(cell, r)
		}
	}
	return all, cell
}

func contactsOf(rows []one) int64 {
	seen := map[string]bool{}
	for _, r := range rows {
		seen[r.contact] = true
	}
	return int64(len(seen))
}

// check holds every figure that the fold knows to it, and gives how many it compared by "insight measure".
func (f fold) check(t testing.TB, figures []insight.Figure, minimum int64) map[string]int {
	t.Helper()
	checked := map[string]int{}
	for _, g := range figures {
		rows, dims, known := f.population(g)
		if !known {
			continue
		}
		all, cell := f.inside(t, g, rows, dims)
		name := fmt.Sprint(g.Insight, " ", g.Measure, " ", g.Period, " ", g.Split)
		if g.Hidden != "" {
			if n := contactsOf(cell); g.Hidden == "no-data" && n > 0 {
				t.Errorf("%s: no data, but %d contacts", name, n)
			}
			continue
		}
		if anyOther(g.Split) { // names with few people behind them are among the others: which, it does not say
			continue
		}
		if len(dims) == 3 && f.claimed(t, figures, g, cell, dims) {
			continue
		}
		checked[g.Insight+" "+g.Measure]++
		if n := contactsOf(cell); n < minimum || insight.Band(n) != g.Contacts {
			t.Errorf("%s: %d contacts shown as %s", name, n, g.Contacts)
		}
		f.compare(t, name, g, all, cell)
	}
	return checked
}

// anyOther reports whether a cell holds leaves that have no name of their own.
func anyOther(split map[string][]string) bool {
	for _, members := range split {
		if slices.Contains(members, "other") {
			return true
		}
	}
	return false
}

// claimed reports whether another cell of the same table may hold some of the rows too. A cell of several menus lists
// flows, nodes and choices apart, so that it cannot be told which of them belong together.
func (f fold) claimed(t testing.TB, figures []insight.Figure, g insight.Figure, cell []one, dims []string) bool {
	for _, o := range figures {
		if o.Insight != g.Insight || o.Measure != g.Measure || o.Period != g.Period || maps.EqualFunc(o.Split, g.Split, slices.Equal) {
			continue
		}
		if _, both := f.inside(t, o, cell, dims); len(both) > 0 {
			return true
		}
	}
	return false
}

func (f fold) compare(t testing.TB, name string, g insight.Figure, all, cell []one) {
	base, want := int64(len(cell)), 0.0
	values := make([]float64, len(cell))
	sum, high, low := 0.0, 0.0, 0.0
	for i, r := range cell {
		values[i] = r.value
		sum += r.value
		if g.Measure == "nps" && r.value >= 9 || g.Measure == "csat_satisfied" && r.value >= 4 {
			high++
		}
		if r.value <= 6 {
			low++
		}
	}
	n := float64(len(cell))
	switch g.Measure {
	case "rate", "csat":
		want = sum / n
	case "share":
		base = g.Base // of the shown cells: checked as a sum by TestFiguresAreTheFold
		want = n / float64(base)
		if base > int64(len(all)) {
			t.Errorf("%s: base %d of %d", name, base, len(all))
		}
	case "calls", "responses":
		want = n
	case "nps":
		want = 100 * (high - low) / n
	case "csat_satisfied":
		want = high / n
	case "answer_p50_s", "reply_p50_s", "answer_p90_s", "reply_p90_s":
		quantile(t, name, *g.Value, values, strings.Contains(g.Measure, "p90"))
		want = *g.Value
	}
	if g.Base != base {
		t.Errorf("%s: base %d, want %d", name, g.Base, base)
	}
	if math.Abs(*g.Value-want) > 1e-6 {
		t.Errorf("%s: %v, want %v", name, *g.Value, want)
	}
	if *g.Low > *g.Value || *g.High < *g.Value {
		t.Errorf("%s: %v outside %v .. %v", name, *g.Value, *g.Low, *g.High)
	}
}

// quantile holds a published quantile to the exact one: it may differ by the width of its bins.
func quantile(t testing.TB, name string, got float64, values []float64, ninth bool) {
	p := 0.5
	if ninth {
		p = 0.9
	}
	slices.Sort(values)
	r := p * float64(len(values)-1)
	edges := insight.Seconds()
	below := func(v float64) float64 {
		i, ok := slices.BinarySearch(edges, int64(v))
		return float64(edges[max(0, i-btoi(!ok))])
	}
	above := func(v float64) float64 {
		i, _ := slices.BinarySearch(edges, int64(v)+1)
		return float64(edges[min(i, len(edges)-1)])
	}
	lo, hi := below(values[int(math.Floor(r))]), above(values[int(math.Ceil(r))])
	if got < lo || got > hi {
		t.Errorf("%s: %v, the exact one lies in %v .. %v", name, got, lo, hi)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// parse reads printed figures.
func parse(t testing.TB, printed []byte) (out []insight.Figure) {
	t.Helper()
	for l := range strings.SplitSeq(strings.TrimSpace(string(printed)), "\n") {
		var g insight.Figure
		if err := json.Unmarshal([]byte(l), &g); err != nil {
			t.Fatalf("a figure that is not JSON: %v", err)
		}
		out = append(out, g)
	}
	return out
}

// nobodyAlone: what is shown of a period's table and what is hidden of it differ by no group under the minimum, and no
// figure has fewer contacts than that.
func (f fold) nobodyAlone(t testing.TB, figures []insight.Figure, minimum int64) {
	t.Helper()
	hidden := map[string][]one{}
	for _, g := range figures {
		nobody := g.Hidden == "" && g.Insight == "recording-consent" && g.Base == 0 && *g.Value == 0
		if g.Hidden == "" && !nobody && (g.Contacts == "" || g.Contacts == "0-4" || g.Base < minimum) {
			t.Errorf("%s %s %s: %d rows of %q contacts", g.Insight, g.Measure, g.Period, g.Base, g.Contacts)
		}
		if g.Hidden != "" && (g.Value != nil || g.Low != nil || g.High != nil || g.Base != 0 || g.Contacts != "") {
			t.Errorf("%s %s %s is hidden and says something", g.Insight, g.Measure, g.Period)
		}
		rows, dims, known := f.population(g)
		if !known || g.Hidden == "" || len(dims) == 0 {
			continue
		}
		_, cell := f.inside(t, g, rows, dims)
		key := g.Insight + " " + g.Measure + " " + g.Period + " " + dims[0]
		hidden[key] = append(hidden[key], cell...)
	}
	for _, g := range figures { // the whole beside its hidden cells
		if g.Hidden != "" || len(g.Split) > 0 {
			continue
		}
		for key, rows := range hidden {
			if n := contactsOf(rows); strings.HasPrefix(key, g.Insight+" "+g.Measure+" "+g.Period+" ") && n > 0 && n < minimum {
				t.Errorf("%s: the whole minus what is shown is %d contacts", key, n)
			}
		}
	}
}
