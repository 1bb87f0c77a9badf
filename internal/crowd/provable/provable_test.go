package provable

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/crowd/internal/dp"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

var inbound = release.Filter{Column: fact.ColDirection, In: []int64{int64(fact.In)}}

// measures are those of the default specification, as package insight gives them.
func measures() []Measure {
	of := func(name string, q release.Query) Measure {
		q.Name = name + "/1"
		return Measure{Name: name, Query: q, Unit: "%", Error: func(n, sd float64) float64 { return 200 * sd / n }}
	}
	answers := func(scale fact.Scale, bins ...int64) release.Query {
		return release.Query{
			Kinds: []fact.Kind{fact.KindAnswer}, Where: []release.Filter{{Column: fact.ColScale, In: []int64{int64(scale)}}},
			Value: release.Value{Derived: release.FromColumn, Column: fact.ColScore, Bins: bins},
		}
	}
	calls := []fact.Kind{fact.KindCall}
	return []Measure{
		of("contacts", release.Query{Kinds: []fact.Kind{fact.KindCall, fact.KindMessage, fact.KindAnswer}, Value: release.Value{Derived: release.Nothing}}),
		of("missed-calls", release.Query{Kinds: calls, Where: []release.Filter{inbound}, Value: release.Value{Derived: release.Missed, Bins: []int64{0, 1}}}),
		of("missed-reasons", release.Query{Kinds: calls, Where: []release.Filter{inbound}, Split: release.ByReason, Value: release.Value{Derived: release.MissReason, Bins: []int64{0}}}),
		of("topics", release.Query{Kinds: []fact.Kind{fact.KindMessage}, Split: release.ByTopic, Value: release.Value{Derived: release.Nothing}}),
		of("nps", answers(fact.NPS, 0, 7, 9)),
		of("csat", answers(fact.CSAT, 1, 2, 3, 4, 5)),
	}
}

// defaultPlan has every measure in every grain.
func defaultPlan(t testing.TB) Plan {
	t.Helper()
	p := planOf(t, func(s *Spec) { s.Expect.Contacts = 1_000_000 })
	for _, m := range p.Metrics {
		if len(m.Parts) != 3 {
			t.Fatalf("%s has the grains %v", m.Measure, m.Parts)
		}
	}
	return p
}

func planOf(t testing.TB, change func(*Spec)) Plan {
	t.Helper()
	s, err := ParseSpec(Default)
	if err != nil {
		t.Fatal(err)
	}
	change(&s)
	p, err := Compile(s, measures())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheDefaultCostsNoMoreThanAMonthHas(t *testing.T) {
	t.Parallel()
	p := defaultPlan(t)
	if p.Cost > MonthBudget() || p.Cost < MonthBudget()*98/100 {
		t.Errorf("the default costs %v of %v", p.Cost, MonthBudget())
	}
	if e := dp.Epsilon(dp.Rho(p.Cost), Delta); e > Epsilon {
		t.Errorf("all metrics together are epsilon %.6f", e)
	}
	want := map[string][3]int64{ // by day, week, month
		"contacts": {4, 4, 1}, "missed-calls": {2, 4, 4}, "missed-reasons": {1, 1, 1}, "topics": {2, 2, 2}, "nps": {1, 1, 1}, "csat": {1, 1, 1},
	}
	for _, m := range p.Metrics {
		for g, part := range m.Parts {
			if part.Squared != want[m.Measure][g] {
				t.Errorf("%s by %s: squared sensitivity %d, want %d", m.Measure, part.Grain, part.Squared, want[m.Measure][g])
			}
		}
	}
	if p.ID() != defaultPlan(t).ID() {
		t.Error("one specification has two names")
	}
}

func TestSpecificationsAreRefused(t *testing.T) {
	t.Parallel()
	whole := string(Default)
	for _, c := range []struct{ from, to, says string }{
		{"version: 1", "version: 2", "version 2"},
		{"unit: contact-month", "unit: call", "contact-month"},
		{"epsilon: 2", "epsilon: 2.1", "epsilon"},
		{"epsilon: 2", "epsilon: .nan", "epsilon"},
		{"delta: 1e-6", "delta: 1e-5", "delta"},
		{"days: 4", "days: 0", "days"},
		{"share:  60", "share: 61", "per mille"},
		{"share:  60", "share: 1", "share"},
		{"measure: csat", "measure: nps", "twice"},
		{"measure: csat", "measure: names", "no such measure"},
		{"month: 2, day: 1", "month: 0, day: 0", "month"},
		{"month: 2, day: 1", "month: 1, day: 2", "day"},
		{"unit:", "units:", "units"},
		{"expect: 0.5", "expect: -1", "expect"},
		{"expect: 0.5", "expect: .nan", "expect"},
		{"contacts: 1000", "contacts: .inf", "contacts"},
		{"month: 333", "month: 334", "grains"},
		{"month: 333", "month: 0", "grains"},
		{"day: 334", "day: -1", "grains"},
		{"day: 334", "hour: 1", "hour"},
		{"once: period", "once: true", "once"},
	} {
		text := strings.Replace(whole, c.from, c.to, 1)
		s, err := ParseSpec([]byte(text))
		if err == nil {
			_, err = Compile(s, measures())
		}
		if !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v", c.to, err)
		}
	}
	bad := measures()
	bad[0].Query.Split = release.ByNumber
	s, _ := ParseSpec(Default)
	if _, err := Compile(s, bad); !errors.Is(err, ErrSpec) {
		t.Errorf("cells that come from data are accepted: %v", err)
	}
}

func FuzzParseSpec(f *testing.F) {
	f.Add(Default)
	f.Add([]byte("metrics: [{share: 9223372036854775807}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseSpec(text)
		if err != nil {
			return
		}
		p, err := Compile(s, measures())
		if err == nil && (p.Cost <= 0 || p.Cost > MonthBudget()) {
			t.Errorf("a plan costs %v", p.Cost)
		}
	})
}

func TestMonthsThatAreDueFollowFromTheCalendar(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		m, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, c := range []struct {
		now  string
		days int
		want []string
	}{
		{"2026-11-02 23:59", 60, nil}, // September began 62 days ago
		{"2026-11-03 00:00", 60, []string{"2026-10"}},
		{"2026-11-29 23:59", 60, []string{"2026-10"}},
		{"2026-11-30 00:00", 60, nil}, // the first of October can no longer be linked
		{"2026-11-03 00:00", 33, nil},
		{"2027-03-03 00:00", 33, []string{"2027-02"}},
		{"2026-11-20 00:00", 1, nil},
	} {
		var got []string
		for _, m := range Due(berlin, c.days, at(c.now)) {
			got = append(got, m.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s with %d days: %v, want %v", c.now, c.days, got, c.want)
		}
	}
	m := MonthOf(berlin, at("2026-10-31 23:59"))
	if again, err := ParseMonth(berlin, "2026-10"); err != nil || again.Name != m.Name || !again.Start.Equal(m.Start) || !again.End.Equal(m.End) {
		t.Errorf("October is %v, %v", again, err)
	}
	if m.End.Sub(m.Start) != 31*24*time.Hour+time.Hour { // the clocks go back in it
		t.Errorf("October has %v", m.End.Sub(m.Start))
	}
}

// memory is a Store in memory.
type memory struct {
	mu       sync.Mutex
	spent    map[string]Rho
	reserved map[string]bool
	sealed   map[string][]byte
	fails    error // of Commit
}

func newMemory() *memory {
	return &memory{spent: map[string]Rho{}, reserved: map[string]bool{}, sealed: map[string][]byte{}}
}

func place(c Charge) string { return fmt.Sprintf("%s %s %x", c.Workspace, c.Month, c.Plan) }

func (m *memory) Account(_ context.Context, c Charge) (Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Account{Cap: c.Cap, Spent: m.spent[c.Month], Reserved: m.reserved[place(c)], Released: m.sealed[place(c)] != nil, Sealed: m.sealed[place(c)]}, nil
}

func (m *memory) Reserve(_ context.Context, c Charge) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.spent[c.Month]+c.Cost > c.Cap:
		return ErrBudget
	case m.reserved[place(c)]:
		return ErrSpent
	}
	m.spent[c.Month] += c.Cost
	m.reserved[place(c)] = true
	return nil
}

func (m *memory) Commit(_ context.Context, c Charge, sealed []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	m.sealed[place(c)] = sealed
	return nil
}

// people is a Reader of rows in memory.
type people struct {
	rows map[Unit][]Row
	err  error
}

func (p people) Contacts(_ context.Context, _ release.Snapshot, _ release.Settings, _ []release.Question, f func(Unit, []Row)) error {
	for u, rows := range p.rows {
		if len(rows) > 0 {
			f(u, rows)
		}
	}
	return p.err
}

var november = MonthOf(time.UTC, time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC))

func request(p Plan) Request {
	return Request{
		Workspace: workspace.Default, Month: november, Plan: p, LinkDays: 60,
		Settings: release.Settings{Workspace: workspace.Default, Zone: time.UTC},
	}
}

func releaser(r Reader, s Store) *Releaser {
	return &Releaser{Reader: r, Store: s, Key: make([]byte, 32), Clock: func() time.Time { return november.End.Add(Cutoff) }}
}

// some are contacts with rows in random cells of a plan.
func some(rng *rand.Rand, p Plan, contacts, most int) map[Unit][]Row {
	all := map[Unit][]Row{}
	for i := range contacts {
		u := Unit{byte(i), byte(i >> 8), 1}
		for range rng.IntN(most + 1) {
			all[u] = append(all[u], anyRow(rng, p))
		}
	}
	return all
}

func anyRow(rng *rand.Rand, p Plan) Row {
	r := Row{At: november.Start.Add(time.Duration(rng.Int64N(int64(november.End.Sub(november.Start))))).UnixMicro()}
	for i := range r.ID {
		r.ID[i] = byte(rng.Uint32())
	}
	for _, m := range p.Metrics {
		cell := int32(rng.IntN(len(m.Cells)+1)) - 1
		if rng.IntN(3) == 0 {
			cell = 0 // most rows of a contact in one cell
		}
		r.Cells = append(r.Cells, cell)
	}
	return r
}

// A release is made once: asking again gives the stored bytes, without a row or a number being read.
func TestAReleaseIsMadeOnce(t *testing.T) {
	t.Parallel()
	p, store := defaultPlan(t), newMemory()
	rng := rand.New(rand.NewPCG(1, 1))
	first, err := releaser(people{rows: some(rng, p, 40, 6)}, store).Release(t.Context(), request(p))
	if err != nil || !first.Valid() {
		t.Fatal(err)
	}
	gone := releaser(people{err: errors.New("nothing may be read")}, store)
	gone.Random = strings.NewReader("")
	again, err := gone.Release(t.Context(), request(p))
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Metrics {
		if !reflect.DeepEqual(first.values[i], again.values[i]) {
			t.Errorf("%s was drawn anew", p.Metrics[i].Measure)
		}
	}
	if c, ok := again.Counts("topics"); !ok || len(c.Cells) != 14 || c.Cells[0].Members[0].Name != "booking" {
		t.Errorf("topics: %+v", c)
	}
	if store.spent[november.Name] != p.Cost {
		t.Errorf("spent %v for a release of %v", store.spent[november.Name], p.Cost)
	}
}

// Whatever fails after the budget was reserved, it is spent, there is no release, and there will be none.
func TestWhatFailsHasSpent(t *testing.T) {
	t.Parallel()
	p := defaultPlan(t)
	for name, breaks := range map[string]func(*Releaser, *memory){
		"the rows":       func(r *Releaser, _ *memory) { r.Reader = people{err: errors.New("disk")} },
		"the randomness": func(r *Releaser, _ *memory) { r.Random = strings.NewReader("short") },
		"the store":      func(_ *Releaser, s *memory) { s.fails = errors.New("full") },
	} {
		store := newMemory()
		r := releaser(people{rows: some(rand.New(rand.NewPCG(2, 2)), p, 9, 3)}, store)
		breaks(r, store)
		if got, err := r.Release(t.Context(), request(p)); err == nil || got.Valid() {
			t.Errorf("without %s there is a release", name)
		}
		if store.spent[november.Name] != p.Cost || len(store.sealed) != 0 {
			t.Errorf("without %s: spent %v, %d stored", name, store.spent[november.Name], len(store.sealed))
		}
		store.fails = nil
		if got, err := releaser(people{}, store).Release(t.Context(), request(p)); !errors.Is(err, ErrSpent) || got.Valid() {
			t.Errorf("after %s failed: %v", name, err)
		}
	}
}

func TestMonthsThatAreNotDueSpendNothing(t *testing.T) {
	t.Parallel()
	p := defaultPlan(t)
	for _, now := range []time.Time{november.End.Add(Cutoff - 1), november.Start.AddDate(0, 0, 60)} {
		store := newMemory()
		r := releaser(people{}, store)
		r.Clock = func() time.Time { return now }
		if _, err := r.Release(t.Context(), request(p)); !errors.Is(err, ErrNotDue) || len(store.reserved) != 0 {
			t.Errorf("at %v: %v, %d reserved", now, err, len(store.reserved))
		}
	}
}

// Stored bytes open for their place alone, and not after a change.
func TestStoredReleasesAreAuthentic(t *testing.T) {
	t.Parallel()
	p, store := defaultPlan(t), newMemory()
	r := releaser(people{rows: some(rand.New(rand.NewPCG(3, 3)), p, 9, 3)}, store)
	if _, err := r.Release(t.Context(), request(p)); err != nil {
		t.Fatal(err)
	}
	sealed := slices.Collect(maps.Values(store.sealed))[0]
	load := func(month string, id [32]byte, b []byte) error {
		_, err := r.Load(workspace.Default, time.UTC, month, id, b)
		return err
	}
	if err := load("2026-11", p.ID(), sealed); err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(sealed)
	changed[len(changed)-3] ^= 1
	other := p.ID()
	other[0]++
	for what, err := range map[string]error{
		"another month": load("2026-10", p.ID(), sealed), "another plan": load("2026-11", other, sealed),
		"a changed byte": load("2026-11", p.ID(), changed), "half": load("2026-11", p.ID(), sealed[:len(sealed)/2]), "nothing": load("2026-11", p.ID(), nil),
	} {
		if !errors.Is(err, ErrSeal) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What is released are the exact sums and one draw a cell, nothing cut, hidden or rounded.
func TestAReleaseIsItsSumsAndOneDraw(t *testing.T) {
	t.Parallel()
	p := defaultPlan(t)
	r := releaser(people{rows: some(rand.New(rand.NewPCG(4, 4)), p, 30, 6)}, newMemory())
	r.Random = rand.NewChaCha8([32]byte{4})
	made, err := r.Release(t.Context(), request(p))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := r.sums(t.Context(), request(p))
	if err != nil {
		t.Fatal(err)
	}
	sampler := dp.NewSampler(rand.NewChaCha8([32]byte{4}))
	for i, m := range p.Metrics {
		for g, part := range m.Parts {
			noise := make([]int64, len(sums[i][g]))
			if err := sampler.Gaussian(noise, part.Variance); err != nil {
				t.Fatal(err)
			}
			for j, v := range made.values[i][g] {
				if v != sums[i][g][j]+noise[j] {
					t.Errorf("%s by %s, cell %d: %d, the sum is %d and the draw %d", m.Measure, part.Grain, j, v, sums[i][g][j], noise[j])
				}
			}
		}
	}
}

// Of a busy contact's rows those that count lie anywhere in the month: 400 contacts with a row a day, of whom two rows each
// count, have about as many in its first ten days as in its last. Ranks are keyed, and the key is fixed.
func TestKeptRowsAreFlatOverTheDays(t *testing.T) {
	t.Parallel()
	p := defaultPlan(t)
	calls := slices.IndexFunc(p.Metrics, func(m Metric) bool { return m.Measure == "missed-calls" })
	kept := func(from, to int) int64 { // of the rows of these days, which count in a cell of their own
		all := map[Unit][]Row{}
		for who := range 400 {
			u := Unit{byte(who), byte(who >> 8)}
			for day := range 30 {
				row := Row{At: november.Start.AddDate(0, 0, day).UnixMicro(), ID: fact.ID{byte(who), byte(who >> 8), byte(day)}}
				for range p.Metrics {
					row.Cells = append(row.Cells, -1)
				}
				row.Cells[calls] = 0
				if from <= day && day < to {
					row.Cells[calls] = 1
				}
				all[u] = append(all[u], row)
			}
		}
		s, err := releaser(people{rows: all}, newMemory()).sums(t.Context(), request(p))
		if err != nil {
			t.Fatal(err)
		}
		return s[calls][2][1]
	}
	// 267 of 800 are expected in each, 13 is a standard deviation.
	if first, last := kept(0, 10), kept(20, 30); first < 200 || last < 200 || first > 334 || last > 334 {
		t.Errorf("%d rows of the first ten days count, %d of the last; 267 of 800 are expected", first, last)
	}
}
