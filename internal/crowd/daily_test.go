package crowd

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/workspace"
)

// viewed is everything that others are shown.
func (w *town) viewed() []shown { return w.shownTo(release.Others) }

func newLife(t *testing.T) *life {
	return &life{rng: rand.New(rand.NewPCG(5, 5)), mk: facttest.New(t)}
}

func (w *town) look(when When) {
	w.t.Helper()
	_, err := w.Release(w.t.Context(), workspace.Default, when)
	w.must(err)
}

// calls adds calls of new contacts at a time.
func (w *town) calls(l *life, at time.Time, n int) {
	w.t.Helper()
	var facts []fact.Fact
	for range n {
		facts = append(facts, &fact.Call{Head: l.head(at, 1000+l.n), Direction: fact.In, Result: fact.Answered, Number: 7, RingS: 4, TalkS: 60})
	}
	w.add(workspace.Default, nil, facts...)
}

// Others are shown a week anew when it is over, whatever is asked or started in between.
func TestOthersAreShownAWeekWhenItIsOver(t *testing.T) {
	t.Parallel()
	w := newTown(t, townQueries()...)
	w.policy.Noise = 2
	l := newLife(t)
	monday := time.Date(2026, 11, 16, 10, 0, 0, 0, time.UTC)
	w.calls(l, monday, 40)
	w.look(Schedule)
	if got := w.viewed(); len(got) != 0 {
		t.Fatalf("a schedule showed others %d tables before the first morning", len(got))
	}
	w.look(Wish)
	first := w.viewed()
	if len(first) == 0 {
		t.Fatal("the first wish showed others nothing")
	}
	same := func(what string) {
		t.Helper()
		if !reflect.DeepEqual(w.viewed(), first) {
			t.Errorf("%s showed others something new", what)
		}
	}
	w.calls(l, monday.AddDate(0, 0, 1), 1)
	w.look(Schedule)
	w.look(Quiet)
	w.look(Wish)
	same("a wish, one call later")
	w.policy.Timezone, w.policy.MinGroup, w.policy.Noise = "Pacific/Auckland", 9, 4
	w.look(Wish)
	w.policy.Timezone, w.policy.MinGroup, w.policy.Noise = "UTC", 5, 2
	same("another policy")
	w.must(w.Crowd.Close())
	w.open()
	w.look(Wish)
	same("a restart")
	turn := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) // Monday
	for w.now = w.now.Add(14 * time.Hour); w.now.Before(turn.Add(publishHour * time.Hour)); w.now = w.now.Add(9 * time.Hour) {
		w.look(Wish)
		same(w.now.Format("Monday 15:04"))
	}
	w.now = turn.Add(publishHour * time.Hour)
	w.look(Schedule)
	if reflect.DeepEqual(w.viewed(), first) {
		t.Error("Monday morning shows others nothing new")
	}
}

func TestTheOwnerSeesActivityAtOnceAndTheRestDaily(t *testing.T) {
	t.Parallel()
	w := newTown(t, townQueries()...)
	w.policy.Noise = 2
	l := newLife(t)
	w.calls(l, time.Date(2026, 11, 16, 10, 0, 0, 0, time.UTC), 40)
	w.look(Quiet)
	names := map[string]int64{}
	for _, s := range w.shown() {
		names[s.Query.Name] = s.Settings.Noise
	}
	if noise, ok := names["missed"]; !ok || noise != 0 {
		t.Errorf("the owner's tables: %v", names)
	}
	if _, ok := names["acts"]; ok {
		t.Error("the owner sees consent before the first publication")
	}
	w.look(Wish)
	for _, s := range w.shown() {
		if want := map[bool]int64{true: 0, false: 2}[s.Query.Activity()]; s.Settings.Noise != want {
			t.Errorf("%s has noise %d, want %d", s.Query.Name, s.Settings.Noise, want)
		}
	}
	w.policy.Noise = 0
	w.look(Wish)
	if got := w.viewed(); len(got) != 0 {
		t.Errorf("with noise 0 others see %d tables", len(got))
	}
	for _, s := range w.shown() {
		if s.Settings.Noise != 0 {
			t.Errorf("with noise 0 the owner sees %s with noise %d", s.Query.Name, s.Settings.Noise)
		}
	}
}

// The end of an import shows others what it brought, when it is in the lake.
func TestTheEndOfAnImportIsShown(t *testing.T) {
	t.Parallel()
	w := newTown(t, townQueries()...)
	w.policy.Noise = 2
	l := newLife(t)
	monday := time.Date(2026, 11, 16, 10, 0, 0, 0, time.UTC)
	w.calls(l, monday, 40)
	w.must(w.Landed(t.Context(), workspace.Default))
	w.look(Schedule)
	if len(w.viewed()) != 0 {
		t.Error("others are shown an import that may not be in the lake yet")
	}
	w.look(Quiet)
	first := w.viewed()
	if len(first) == 0 {
		t.Fatal("others are not shown what an import brought")
	}
	w.calls(l, monday.Add(time.Hour), 1)
	w.must(w.Landed(t.Context(), workspace.Default))
	w.look(Quiet)
	if !reflect.DeepEqual(w.viewed(), first) {
		t.Error("an import of one call showed others something new")
	}
	w.calls(l, monday.Add(2*time.Hour), 60)
	w.must(w.Landed(t.Context(), workspace.Default))
	w.look(Quiet)
	if reflect.DeepEqual(w.viewed(), first) {
		t.Error("an import of 60 calls showed others nothing")
	}
}

// viewedAsOf is everything that others are shown, and as of when.
func (w *town) viewedAsOf() (all []any) {
	w.t.Helper()
	sets, err := w.Sets(w.t.Context(), workspace.Default, release.Others)
	w.must(err)
	for _, s := range sets {
		all = append(all, s.AsOf())
	}
	return append(all, w.viewed())
}

// everywhere makes one new contact that calls every number once in each of some weeks.
func (l *life) everywhere(weeks []time.Time) (facts []fact.Fact) {
	l.n++
	who := 5000 + l.n
	for _, week := range weeks {
		for number := range 6 {
			at := week.Add(time.Duration(l.rng.IntN(60*24)) * time.Minute)
			facts = append(facts, &fact.Call{Head: l.head(at, who), Direction: fact.In, Result: fact.Answered, Number: fact.Label(101 + number), RingS: 4})
		}
	}
	return facts
}

// The attack: import one person after others saw the figures, and look whether anything moved. One person draws all noise
// anew, and comes to every group; the number that decides is that of the contacts who came, and is not published.
func TestAnImportOfOnePersonShowsOthersNothing(t *testing.T) {
	t.Parallel()
	w := newTown(t, townQueries()...)
	w.policy.Noise = 2
	l := newLife(t)
	var weeks []time.Time // over, of two blocks
	for n := range 5 {
		weeks = append(weeks, time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC).AddDate(0, 0, -7*n))
	}
	arrive := func(persons int) {
		t.Helper()
		var facts []fact.Fact
		for range persons {
			facts = append(facts, l.everywhere(weeks)...)
		}
		w.add(workspace.Default, numbers(6), facts...)
		w.must(w.Landed(t.Context(), workspace.Default))
		w.look(Quiet)
	}
	arrive(40)
	first := w.viewedAsOf()
	if len(w.viewed()) < 10 {
		t.Fatalf("others are shown %d tables: the test says nothing", len(w.viewed()))
	}
	k := w.policy.MinGroup
	for n := 1; n < k; n++ {
		arrive(1)
		if !reflect.DeepEqual(w.viewedAsOf(), first) {
			t.Fatalf("%d contacts came since others saw the figures, the last one alone: the figures moved", n)
		}
	}
	// The first look of a day is no turn of these weeks, and no moment at which one person may come either.
	w.now = time.Date(2026, 11, 20, publishHour, 0, 0, 0, time.UTC)
	w.must(w.Landed(t.Context(), workspace.Default))
	w.look(Quiet)
	for _, s := range w.viewed() {
		for _, f := range first[len(first)-1].([]shown) {
			if f.Period == s.Period && f.Query.Name == s.Query.Name && f.Query.Grain == release.Week && !reflect.DeepEqual(f, s) {
				t.Fatalf("an import that ends with the day's publication moved %s of %s", s.Query.Name, s.Period)
			}
		}
	}
	arrive(1)
	if reflect.DeepEqual(w.viewed(), first[len(first)-1]) {
		t.Errorf("%d contacts came since others saw the figures, and nothing moved", k)
	}
}
