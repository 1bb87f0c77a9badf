package provable

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/crowd/internal/dp"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// The cost of a plan is what the noise on all cells of all periods costs, for the contact that adds the most to each grain, and
// fits into the budget of a month.
func TestTheCostIsThatOfAllThatOneContactAdds(t *testing.T) {
	t.Parallel()
	for _, p := range []Plan{defaultPlan(t), mergedPlan(t), planOf(t, func(s *Spec) { s.Grains = &SpecGrains{Day: 600, Month: 1} })} {
		total := Rho(0)
		for _, m := range p.Metrics {
			for _, part := range m.Parts {
				total += Rho(dp.Cost(part.Squared, part.Variance))
			}
		}
		if p.Cost != total || p.Cost > MonthBudget() {
			t.Errorf("the plan costs %v, its noise %v, a month has %v", p.Cost, total, MonthBudget())
		}
	}
}

// A month has its days once, and the parts of weeks that lie in it, in whatever zone.
func TestPeriodsCoverAMonth(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Beirut", "America/Sao_Paulo"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for m := MonthOf(zone, time.Date(2011, 10, 9, 0, 0, 0, 0, zone)); m.Start.Year() < 2028; m = MonthOf(zone, m.End.Add(time.Hour)) {
			for _, g := range Grains() {
				all, at := m.Periods(g), m.Start
				for _, p := range all {
					if !p.Start.Equal(at) || !p.End.After(at) {
						t.Fatalf("%s: %v follows %v", m.Name, p, at)
					}
					at = p.End
				}
				of := m.periodsByDay(g)
				if len(of) < 28 || int(of[len(of)-1]) != len(all)-1 || of[0] != 0 || !slices.IsSorted(of) {
					t.Fatalf("%s by %s: days are in %v", m.Name, g, of)
				}
				if !at.Equal(m.End) || int64(len(all)) > g.mostPeriods() {
					t.Fatalf("%s by %s: %d periods, until %v", m.Name, g, len(all), at)
				}
			}
		}
	}
}

// spanned gives the rows in the questions' span alone, as an engine does.
type spanned struct{ people }

func (s spanned) Contacts(ctx context.Context, snap release.Snapshot, set release.Settings, qs []release.Question, f func(Unit, []Row)) error {
	return s.people.Contacts(ctx, snap, set, qs, func(u Unit, rows []Row) {
		in := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool {
			return r.At < qs[0].Span.Start.UnixMicro() || r.At >= qs[0].Span.End.UnixMicro()
		})
		if len(in) > 0 {
			f(u, in)
		}
	})
}

// A week that lies in two months is counted and charged in both, each with its own days; it is shown once both left, with the noise of both.
func TestAWeekInTwoMonthsIsOfBoth(t *testing.T) {
	t.Parallel()
	p := defaultPlan(t)
	calls := p.metric("missed-calls")
	october := MonthOf(time.UTC, november.Start.Add(-time.Hour))
	all := map[Unit][]Row{}
	row := func(who byte, at time.Time) {
		r := Row{At: at.UnixMicro(), ID: fact.ID{who, byte(at.Day())}, Cells: slices.Repeat([]int32{-1}, len(p.Metrics))}
		r.Cells[calls] = 1
		all[Unit{who}] = append(all[Unit{who}], r)
	}
	for who := range byte(200) { // 31 October is a Saturday; its week ends on 1 November
		row(who, time.Date(2026, 10, 31, 12, 0, 0, 0, time.UTC))
		if who < 120 {
			row(who, time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
		}
	}
	store := newMemory()
	r := releaser(spanned{people{rows: all}}, store)
	left := func(m Month) Release {
		q := request(p)
		q.Month = m
		r.Clock = func() time.Time { return m.End.Add(Cutoff) }
		sums, err := r.sums(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		made, err := r.Release(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		made.values = sums // without noise the sums are seen
		return made
	}
	first, second := left(october), left(november)
	if store.spent["2026-10"] != p.Cost || store.spent["2026-11"] != p.Cost {
		t.Errorf("spent %v", store.spent)
	}
	week := func(releases ...Release) (count int64, sigma float64) {
		for _, c := range Periods(releases, "missed-calls") {
			if c.Period.Name == "2026-W44" {
				return c.Cells[1].Count, c.Sigma
			}
		}
		return -1, 0
	}
	parts, raw := second.Noised("missed-calls")
	if parts[1].Grain != ByWeek || raw[1][1] != 120 {
		t.Errorf("November has %d of the week's rows", raw[1][1])
	}
	if n, sigma := week(first, second); n != 320 || sigma < 1.1*second.counts(calls)[31].Sigma {
		t.Errorf("the week has %d rows, of noise %.1f", n, sigma)
	}
	for name, some := range map[string][]Release{"the first month": {first}, "the second": {second}, "nothing": nil} {
		if n, _ := week(some...); n != -1 {
			t.Errorf("with %s alone the week has %d", name, n)
		}
	}
}

// A contact is one of every day, every week and the month that it has rows in.
func TestPeopleCountOnceInEveryPeriod(t *testing.T) {
	t.Parallel()
	p := defaultPlan(t)
	people0 := p.metric("contacts")
	b := newBounded(p, november, make([]byte, 32), workspace.Default)
	var rows []Row
	for i, day := range []int{2, 2, 3, 10} { // twice on Tuesday 3 November, then on Wednesday, then in the week after
		r := Row{At: november.Start.AddDate(0, 0, day).UnixMicro(), ID: fact.ID{byte(i)}, Cells: slices.Repeat([]int32{-1}, len(p.Metrics))}
		r.Cells[people0] = 0
		rows = append(rows, r)
	}
	b.add(Unit{1}, rows)
	sum := func(grain int) (n int64) {
		for _, v := range b.sums[people0][grain] {
			n += v
		}
		return n
	}
	if days, weeks, months := sum(0), sum(1), sum(2); days != 3 || weeks != 2 || months != 1 {
		t.Errorf("one contact is %d of days, %d of weeks, %d of the month; want 3, 2, 1", days, weeks, months)
	}
}

// Counts that were made consistent add up to the last one, and no others that do are nearer to what was drawn: the gradient of the weighted squares
// vanishes along every day.
func TestCountsAddUpAndAreTheNearest(t *testing.T) {
	t.Parallel()
	for seed := range 200 {
		rng := rand.New(rand.NewPCG(31, uint64(seed)))
		draw := func(variance float64, kids ...*span) *span {
			return &span{count: math.Round(100 * rng.NormFloat64()), variance: variance, kids: kids}
		}
		var weeks []*span
		for range 4 + rng.IntN(3) {
			var days []*span
			for range 1 + rng.IntN(7) {
				days = append(days, draw(300))
			}
			weeks = append(weeks, draw(100, days...))
		}
		month := draw(20, weeks...)
		month.settle()
		weeksSum := int64(0)
		for _, w := range weeks {
			daysSum := int64(0)
			weeksSum += w.whole
			for _, d := range w.kids {
				daysSum += d.whole
				pull := (d.best-d.count)/d.variance + (w.best-w.count)/w.variance + (month.best-month.count)/month.variance
				if math.Abs(pull) > 1e-9 || math.Abs(float64(d.whole)-d.best) > 1.5 {
					t.Fatalf("seed %d: a day of %.2f, %d in whole numbers, is pulled by %g", seed, d.best, d.whole, pull)
				}
			}
			if daysSum != w.whole {
				t.Fatalf("seed %d: days add up to %d, their week is %d", seed, daysSum, w.whole)
			}
		}
		if weeksSum != month.whole {
			t.Fatalf("seed %d: weeks add up to %d, the month is %d", seed, weeksSum, month.whole)
		}
	}
}

// The standard deviation that a count is told with is that of the counts of many releases of the same rows, within 12 % (3,000 releases:
// a standard error of 1.3 %, so that a false alarm has a probability under 1e-12 a line; the randomness has a seed).
func TestTheNoiseThatIsLeftIsAsTold(t *testing.T) {
	t.Parallel()
	p := planOf(t, func(s *Spec) { s.Expect.Contacts, s.Metrics = 1_000_000, s.Metrics[1:2] })
	r := releaser(people{}, newMemory())
	r.Random = rand.NewChaCha8([32]byte{41})
	squares, told := map[string]float64{}, map[string]float64{}
	const releases = 3000
	for range releases {
		made, err := r.make(t.Context(), request(p))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range made.counts(0) {
			squares[c.Period.Name] += float64(c.Cells[0].Count) * float64(c.Cells[0].Count) / releases
			told[c.Period.Name] = c.Sigma
		}
	}
	if len(told) != 30+6+1 {
		t.Fatalf("%d periods", len(told))
	}
	for name, sigma := range told {
		if got := math.Sqrt(squares[name]); math.Abs(got/sigma-1) > 0.12 {
			t.Errorf("%s: a standard deviation of %.2f, told is %.2f", name, got, sigma)
		}
	}
	if month := told["2026-11"]; month >= p.Metrics[0].Parts[2].Sigma() {
		t.Errorf("the month's noise is %.2f, and was drawn with %.2f", month, p.Metrics[0].Parts[2].Sigma())
	}
}

// Which grains and cells a release has follows from its plan: nobody and many people get the same, and the plan from the specification
// alone.
func TestThePlanIsTheSameWhateverTheRows(t *testing.T) {
	t.Parallel()
	p := defaultPlan(t)
	want := p.ID()
	shape := func(rows map[Unit][]Row) (names []string) {
		made, err := releaser(people{rows: rows}, newMemory()).make(t.Context(), request(p))
		if err != nil {
			t.Fatal(err)
		}
		if made.plan.ID() != want {
			t.Error("the plan of the release is another one")
		}
		for i, m := range made.plan.Metrics {
			for _, c := range made.counts(i) {
				for range c.Cells {
					names = append(names, m.Measure+" "+c.Period.Name)
				}
			}
		}
		return names
	}
	nobody, many := shape(nil), shape(some(rand.New(rand.NewPCG(51, 1)), p, 300, 8))
	if !slices.Equal(nobody, many) {
		t.Errorf("%d counts of nobody, %d of many", len(nobody), len(many))
	}
	if before, after := defaultPlan(t).ID(), planOf(t, func(s *Spec) { s.Expect.Contacts = 1_000_000 }).ID(); before != after {
		t.Error("the specification gives two plans")
	}
}

// The planner gives up days, then weeks, then cells, then the metric, as the expected number of contacts falls; what is left is usable, and costs
// no more.
func TestThePlannerCoarsens(t *testing.T) {
	t.Parallel()
	grains := func(p Plan, measure string) (s string) {
		i := p.metric(measure)
		if i < 0 {
			return "none"
		}
		for _, part := range p.Metrics[i].Parts {
			s += string(part.Grain) + " "
		}
		return strings.TrimSpace(s)
	}
	for _, c := range []struct {
		contacts                   float64
		calls, contactsBy, reasons string
	}{
		{1_000_000, "day week month", "day week month", "day week month"},
		{2000, "week month", "week month", "month"},
		{300, "month", "month", "none"},
		{60, "none", "none", "none"},
		{0, "day week month", "day week month", "day week month"}, // nothing is planned
	} {
		p := planOf(t, func(s *Spec) { s.Expect.Contacts = c.contacts })
		if a, b, d := grains(p, "missed-calls"), grains(p, "contacts"), grains(p, "missed-reasons"); a != c.calls || b != c.contactsBy || d != c.reasons {
			t.Errorf("%g contacts: calls by %s, contacts by %s, reasons by %s", c.contacts, a, b, d)
		}
		e := p.Explain()
		for _, m := range e.Metrics {
			i := p.metric(m.Measure)
			for _, g := range m.Grains {
				if c.contacts > 0 && g.Error > Usable*p.Metrics[i].scale() {
					t.Errorf("%g contacts: %s by %s has an error of %.3g %s", c.contacts, m.Measure, g.Grain, g.Error, g.Unit)
				}
			}
		}
		if len(e.Metrics)+len(e.Lost) != 6 || p.Cost > MonthBudget() {
			t.Errorf("%g contacts: %d metrics, %d cannot be had, cost %v", c.contacts, len(e.Metrics), len(e.Lost), p.Cost)
		}
	}
	merged := mergedPlan(t)
	leaves := 0
	for _, cell := range merged.Metrics[0].Cells {
		leaves += len(cell.Members)
	}
	if m := merged.Metrics[0]; leaves != 14 || len(m.Cells) >= 14 || m.coarser[len(m.coarser)-1].What == "measure" {
		t.Errorf("%d cells of %d leaves: %+v", len(m.Cells), leaves, m.coarser)
	}
}

// A release that was stored before there were grains opens, as one of the month.
func TestReleasesOfTheFirstFormOpen(t *testing.T) {
	t.Parallel()
	const body = `{"start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC","open_hours":[0,0,0],"short_abandon_s":0,"plan":{"Unit":"contact-month",
		"Epsilon":2,"Delta":1e-6,"Days":4,"Metrics":[{"Measure":"topics","Query":{"Name":"x/1"},"Cells":[{"Member":{"Dim":"topic","Key":1,"Name":"booking"},"Bin":0},
		{"Member":{"Dim":"topic","Key":0,"Name":"unclassified"},"Bin":0}],"Month":2,"Day":2,"Once":true,"Squared":2,"Variance":48,"Cost":20833334},
		{"Measure":"contacts","Query":{"Name":"y/1"},"Cells":[{"Member":{"Dim":"","Key":0,"Name":""},"Bin":0}],"Month":1,"Day":1,"Once":true,"Squared":1,"Variance":95,"Cost":5263158}],
		"Cost":26096492},"values":[[31,-2],[204]]}`
	var text bytes.Buffer
	if err := json.Compact(&text, []byte(body)); err != nil {
		t.Fatal(err)
	}
	c, key := Charge{Workspace: workspace.Default, Month: "2026-10", Plan: sha256.Sum256([]byte("old"))}, make([]byte, 32)
	sealed := append(append([]byte("murmur provable 1\n"), tag(key, magic1, c, text.Bytes())...), text.Bytes()...)
	r, err := unseal(key, c, time.UTC, sealed)
	if err != nil {
		t.Fatal(err)
	}
	topics, _ := r.Counts("topics")
	contacts, _ := r.Counts("contacts")
	if n := len(topics.Cells); n != 2 || topics.Cells[0].Count != 31 || topics.Cells[0].Members[0].Name != "booking" || topics.Sigma != math.Sqrt(48) || topics.Most != 2 ||
		contacts.Cells[0].Count != 204 || contacts.Cells[0].Members != nil || topics.Period.Name != "2026-10" {
		t.Errorf("topics %+v, contacts %+v", topics, contacts)
	}
	if told := Periods([]Release{r}, "contacts"); len(told) != 1 || told[0].Period.Grain != ByMonth {
		t.Errorf("%+v", told)
	}
	if _, err := unseal(key, c, time.UTC, append([]byte(magic), sealed[len(magic1):]...)); err == nil {
		t.Error("the first form opens as the second")
	}
	if reflect.DeepEqual(r.plan.ID(), c.Plan) {
		t.Error("a plan of the first form has the name of one of today")
	}
}
