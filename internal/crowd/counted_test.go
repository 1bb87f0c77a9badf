package crowd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"murmur/internal/crowd/internal/lake"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/journal"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// town is a crowd with a clock, a policy and a catalogue that a test sets.
type town struct {
	t       *testing.T
	dir     string
	db      *meta.DB
	now     time.Time
	policy  workspace.Policy
	queries []release.Query
	*Crowd
	appends int
	ticks   func() // called whenever the time is asked for
}

// plain seals nothing.
type plain struct{}

func (plain) SealLasting(_ workspace.ID, _ string, _ [16]byte, b []byte) ([]byte, error) {
	return b, nil
}
func (plain) OpenLasting(_ workspace.ID, _ string, _ [16]byte, b []byte) ([]byte, error) {
	return b, nil
}

var townNow = time.Date(2026, 11, 19, 12, 0, 0, 0, time.UTC) // a Thursday

func newTown(t *testing.T, queries ...release.Query) *town {
	t.Helper()
	w := &town{t: t, dir: t.TempDir(), now: townNow, policy: workspace.DefaultPolicy(), queries: queries}
	var err error
	if w.db, err = meta.Open(t.Context(), filepath.Join(w.dir, "meta.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	w.policy.Noise = 0 // the owner sees everything as it is counted
	w.open()
	t.Cleanup(func() { w.Close() })
	return w
}

// open opens the crowd, as a process does when it starts.
func (w *town) open() {
	w.t.Helper()
	c, err := Open(context.WithoutCancel(w.t.Context()), Config{
		Lake: filepath.Join(w.dir, "lake"), Catalog: filepath.Join(w.dir, "catalog.db"), Temp: w.dir, DB: w.db, Seal: plain{},
		ReleaseKey: make([]byte, 32), Queries: w.queries,
		Policy: func(context.Context, workspace.ID) (workspace.Policy, error) { return w.policy, nil },
		Erased: func(context.Context, workspace.ID, anon.Contact) (time.Time, error) { return time.Time{}, nil },
		Now: func() time.Time {
			if w.ticks != nil {
				w.ticks()
			}
			return w.now
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Crowd = c
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) add(ws workspace.ID, labels []fact.Named, facts ...fact.Fact) {
	w.t.Helper()
	from, err := w.Position(w.t.Context(), 0)
	w.must(err)
	w.appends++
	w.must(w.Append(w.t.Context(), []fact.Batch{{Workspace: ws, Facts: facts, Labels: labels}}, 0, from, journal.Position(fmt.Sprint(w.appends))))
}

func (w *town) release(force bool) int {
	w.t.Helper()
	when := Schedule
	if force {
		when = Wish
	}
	n, err := w.Release(w.t.Context(), workspace.Default, when)
	w.must(err)
	return n
}

// shown is everything that a set says but the moment it was counted.
type shown struct {
	Query    release.Query
	Period   string
	Settings release.Settings
	Closed   bool
	Groups   []release.Group
}

func (w *town) shown() []shown { return w.shownTo(release.Owner) }

func (w *town) shownTo(a release.Audience) (all []shown) {
	w.t.Helper()
	sets, err := w.Sets(w.t.Context(), workspace.Default, a)
	w.must(err)
	for _, s := range sets {
		for _, t := range s.Tables() {
			at := shown{t.Query(), t.Period().Name, t.Settings(), t.Closed(), t.Groups()}
			at.Settings.Zone = nil
			all = append(all, at)
		}
	}
	return all
}

func weekly(name string, split release.Split, v release.Derived, bins []int64, kinds ...fact.Kind) release.Query {
	return release.Query{Name: name, Kinds: kinds, Grain: release.Week, Split: split, Value: release.Value{Derived: v, Bins: bins}}
}

// townQueries look at every kind, at calls of the day after and at texts of weeks around.
func townQueries() []release.Query {
	q := []release.Query{
		weekly("missed", release.ByNumber, release.Missed, []int64{0, 1}, fact.KindCall),
		weekly("returned", release.NoSplit, release.ReturnedIn24h, []int64{0, 1}, fact.KindCall),
		weekly("reply", release.NoSplit, release.ReplySeconds, []int64{0, 3600, 86400, 604800}, fact.KindMessage),
		weekly("topics", release.ByTopic, release.Nothing, nil, fact.KindMessage, fact.KindTalk),
		weekly("acts", release.ByAct, release.Nothing, nil, fact.KindConsent),
		weekly("hours", release.ByHourOfWeek, release.Nothing, nil, fact.KindCall),
	}
	q[5].Grain = release.Block
	return q
}

// life makes facts of many days before townNow, the same for the same seed.
type life struct {
	rng *rand.Rand
	mk  *facttest.Maker
	n   int
}

func (l *life) head(at time.Time, contact int) fact.Head {
	l.n++
	return fact.Head{ID: facttest.ID(l.n), Version: 1, At: fact.MicrosOf(at), Contact: l.mk.Contact(contact), Source: 1, Anonymiser: 1}
}

func (l *life) past(days int) time.Time {
	return townNow.Add(-time.Duration(l.rng.Int64N(int64(days) * int64(24*time.Hour)))).Truncate(time.Second)
}

func (l *life) call(at time.Time, contact int) *fact.Call {
	c := &fact.Call{Head: l.head(at, contact), Direction: fact.Direction(1 + l.rng.IntN(2)), Number: fact.Label(101 + l.rng.IntN(3)), Result: fact.Answered, RingS: 9}
	if l.rng.IntN(3) == 0 {
		c.Result = fact.Missed
	}
	return c
}

func (l *life) text(at time.Time, contact int) *fact.Message {
	return &fact.Message{Head: l.head(at, contact), Direction: fact.Direction(1 + l.rng.IntN(2)), Number: 101, Topic: fact.Topic(1 + l.rng.IntN(3)), Body: l.mk.Text("words")}
}

func (l *life) talk(at time.Time, contact int) *fact.Talk {
	return &fact.Talk{Head: l.head(at, contact), Number: 101, Origin: 1, Turns: 3, Topic: 1, Body: l.mk.Text("words")}
}

func (l *life) facts(n, days int) (all []fact.Fact) {
	for range n {
		who := l.rng.IntN(60)
		switch l.rng.IntN(4) {
		case 0:
			all = append(all, l.text(l.past(days), who))
		case 1:
			all = append(all, l.talk(l.past(days), who))
		default:
			all = append(all, l.call(l.past(days), who))
		}
	}
	return all
}

func numbers(n int) (all []fact.Named) {
	for i := range n {
		all = append(all, fact.Named{Label: fact.Label(101 + i), Dim: fact.DimNumber})
	}
	return all
}

// One of each change: what is counted again is what a count of everything would give.
func TestWhatChangedIsCountedAsAFullCountWould(t *testing.T) {
	t.Parallel()
	for _, force := range []bool{false, true} {
		t.Run(fmt.Sprint("force ", force), func(t *testing.T) {
			t.Parallel()
			whatChanged(t, force)
		})
	}
}

func whatChanged(t *testing.T, force bool) {
	part, full := newTown(t, townQueries()...), newTown(t, townQueries()...)
	mk := facttest.New(t)
	l := &life{rng: rand.New(rand.NewPCG(5, 5)), mk: mk}
	first := l.facts(600, 30)
	week := townNow.AddDate(0, 0, -9)
	early := l.call(week, 7)
	later := *early
	later.Version, later.At = 2, fact.MicrosOf(week.AddDate(0, 0, 8))
	again := later
	again.Version, again.Result = 3, fact.Missed
	asked := l.text(week.Add(-time.Hour), 70)
	asked.Direction = fact.In
	answered := l.text(week.AddDate(0, 0, 8), 70)
	answered.Direction = fact.Out
	talk := l.talk(week, 71)
	talk.Call = early.ID
	optOut := &fact.Consent{Head: l.head(week, 71), Act: fact.OptedOut}
	more, third, crowdOfToday := l.facts(60, 30), l.call(week, 80), make([]fact.Fact, 12)
	for i := range crowdOfToday {
		crowdOfToday[i] = l.call(townNow.Add(-time.Hour), 200+i)
	}
	later2 := append(townQueries(), weekly("later", release.NoSplit, release.Nothing, nil, fact.KindMessage))
	made := 0
	for _, step := range []struct {
		name string
		most int // periods that may be made; -1: any. A call is in what its week, its block and the week after count: release.Before
		do   func(*town)
	}{
		{"first facts", -1, func(w *town) { w.add(workspace.Default, numbers(2), first...) }},
		{"nothing", 0, func(*town) {}},
		{"a call", 4, func(w *town) { w.add(workspace.Default, nil, early) }},
		{"new contacts today", 2, func(w *town) { w.add(workspace.Default, nil, crowdOfToday...) }},
		{"a version on another day", 4, func(w *town) { w.add(workspace.Default, nil, &later) }},
		{"the old version leaves", 4, func(w *town) { w.must(w.lake.Compact(t.Context())) }},
		{"files are merged", 0, func(w *town) { w.must(w.lake.Compact(t.Context())) }},
		{"a version of the same day", 4, func(w *town) { w.add(workspace.Default, nil, &again) }},
		{"a text", -1, func(w *town) { w.add(workspace.Default, nil, asked) }},
		{"its answer weeks later", -1, func(w *town) { w.add(workspace.Default, nil, answered) }},
		{"a talk", 3, func(w *town) { w.add(workspace.Default, nil, talk) }},
		{"an opt-out", 3, func(w *town) { w.add(workspace.Default, nil, optOut) }},
		{"many", -1, func(w *town) { w.add(workspace.Default, nil, more...) }},
		{"an erasure", -1, func(w *town) {
			_, err := w.Forget(t.Context(), workspace.Default, []anon.Contact{mk.Contact(3)})
			w.must(err)
		}},
		{"rows without links", -1, func(w *town) {
			w.must(w.lake.Delink(t.Context(), func(_ workspace.ID, d lake.Day) bool { return d.Start().Before(townNow.AddDate(0, 0, -18)) }))
		}},
		{"words are dropped", -1, func(w *town) { w.must(w.lake.DropTexts(t.Context(), townNow.AddDate(0, 0, -14))) }},
		{"settings", -1, func(w *town) { w.policy.ShortAbandonSeconds, w.policy.MinGroup = 11, 6 }},
		{"a new name", -1, func(w *town) { w.add(workspace.Default, numbers(3), third) }},
		{"a new question", -1, func(w *town) { w.must(w.Close()); w.queries = later2; w.open() }},
		{"periods close", -1, func(w *town) { w.now = townNow.AddDate(0, 0, 5) }},
	} {
		step.do(part)
		step.do(full)
		made = part.release(force)
		if step.most >= 0 && made > step.most {
			t.Errorf("%s: %d periods were made, want %d at most", step.name, made, step.most)
		}
		full.must(full.changes.forget(t.Context()))
		full.release(force)
		got, want := part.shown(), full.shown()
		if len(want) == 0 {
			t.Fatal("nothing is shown: the test says nothing")
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the figures are not those of a full count", step.name)
		}
	}
}
