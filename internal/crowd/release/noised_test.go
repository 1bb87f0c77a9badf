package release_test

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// newNoised is a small workspace whose sets are for others: its rows of 4 November, seen on the 5th.
func newNoised(t *testing.T, queries ...release.Query) *small {
	s := newSmall(t, queries...)
	s.req.Audience, s.req.Settings.Noise = release.Others, 2
	s.req.Cut = time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC)
	return s
}

func TestEveryCountForOthersHasNoise(t *testing.T) {
	t.Parallel()
	q := byNumber()
	exact, off := 0, 0.0
	for seed := range byte(200) {
		s := newNoised(t, q)
		s.Key = bytes.Repeat([]byte{seed}, 32)
		s.call(101, 40)
		tb := s.release(t).Table("n")
		groups := tb.Groups()
		i := slices.IndexFunc(groups, func(g release.Group) bool { return g.Hidden == release.Shown })
		if i < 0 || groups[i].Step != 1 || len(groups[i].Bins) != 1 {
			t.Fatalf("groups %+v", groups)
		}
		g := groups[i]
		for _, n := range []int64{g.Contacts, g.All} {
			if n == 40 {
				exact++
			}
			off += float64((n - 40) * (n - 40))
		}
		if tb.NoiseVariance(g) == 0 || tb.Settings().Noise != 2 {
			t.Errorf("the table says noise %d", tb.Settings().Noise)
		}
	}
	// P(noise = 0) is 0.245 at scale 2: of 400 counts 98 are exact, standard deviation 8.6; the variance is 7.7.
	if exact < 50 || exact > 150 || math.Abs(off/400-7.7) > 3 {
		t.Errorf("%d of 400 counts are exact, variance %.1f", exact, off/400)
	}
}

func TestTheSameRowsGiveTheSameNoiseInEveryTable(t *testing.T) {
	t.Parallel()
	whole := byNumber()
	whole.Name, whole.Split = "whole", release.NoSplit
	narrow := whole
	narrow.Name, narrow.Where = "narrow", []release.Filter{{Column: fact.ColNumber, In: []int64{101}}}
	for seed := range byte(20) {
		s := newNoised(t, whole, narrow)
		s.Key = bytes.Repeat([]byte{seed}, 32)
		s.call(101, 40)
		set := s.release(t)
		a, b := set.Table("whole").Groups()[0], set.Table("narrow").Groups()[0]
		if a.All != b.All || a.Contacts != b.Contacts || a.Bins[0] != b.Bins[0] {
			t.Errorf("the same 40 calls: %+v and %+v", a, b)
		}
		again := newNoised(t, whole, narrow)
		again.Key = s.Key
		again.fold.Rows = slices.Clone(s.fold.Rows)
		slices.Reverse(again.fold.Rows)
		if !reflect.DeepEqual(again.release(t).Table("whole").Groups(), set.Table("whole").Groups()) {
			t.Error("another directory with the same key and rows publishes other figures")
		}
	}
}

func TestOthersSeeRowsUpToTheMidnight(t *testing.T) {
	t.Parallel()
	s := newNoised(t, byNumber())
	s.call(101, 40)
	first := s.release(t)
	s.call(101, 20)
	for i := 40; i < 60; i++ {
		s.fold.Rows[i].At = time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC).UnixMicro()
	}
	if got := s.release(t); !reflect.DeepEqual(got.Table("n").Groups(), first.Table("n").Groups()) || !got.Table("n").AsOf().Equal(s.req.Cut) {
		t.Errorf("today's calls are shown: %+v", got.Table("n").Groups())
	}
	s.req.Cut = s.req.Cut.AddDate(0, 0, 1)
	if got := s.release(t); reflect.DeepEqual(got.Table("n").Groups(), first.Table("n").Groups()) {
		t.Error("a day later they are not")
	}
	s.req.Cut = s.week.Start
	s.store = store{}
	s.Store = s.store
	if got := s.release(t); len(got.Tables()) != 0 {
		t.Error("a week of which no day is over is shown")
	}
}

func TestWhatOthersWereShownKeepsItsSettings(t *testing.T) {
	t.Parallel()
	s := newNoised(t, byNumber())
	s.call(101, 40)
	want := s.release(t).Table("n").Settings()
	s.req.Settings = release.Settings{Workspace: workspace.Default, Zone: time.FixedZone("x", 3600), MinGroup: 9, MinContent: 20, Noise: 4, ShortAbandonS: 3}
	if got := s.release(t).Table("n"); !reflect.DeepEqual(got.Settings(), want) || got.Period() != s.week {
		t.Errorf("the settings became %+v", got.Settings())
	}
}

func TestTheEndOfAnImportReplacesWhatManyChanged(t *testing.T) {
	t.Parallel()
	for more, replaced := range map[int]bool{0: false, 1: false, 60: true} {
		s := newNoised(t, byNumber())
		s.call(101, 40)
		s.call(102, 40)
		first := s.release(t).Table("n").Groups()
		s.call(101, more)
		s.req.Arrived = true
		now := s.release(t).Table("n").Groups()
		changed := 0
		for i := range now {
			if !reflect.DeepEqual(now[i], first[i]) {
				changed++
			}
		}
		if want := map[bool]int{true: 1}[replaced]; changed != want {
			t.Errorf("%d contacts more: %d of %d groups changed, want %d", more, changed, len(now), want)
		}
	}
}

func TestWithNoiseOffOthersSeeNothing(t *testing.T) {
	t.Parallel()
	s := newNoised(t, byNumber())
	s.call(101, 40)
	s.req.Settings.Noise = 0
	if got := s.release(t); len(got.Tables()) != 0 {
		t.Errorf("%d tables", len(got.Tables()))
	}
}

func TestTheOwnerSeesActivityAloneWithNoiseOn(t *testing.T) {
	t.Parallel()
	words, answers, acts := byNumber(), byNumber(), byNumber()
	words.Name, words.Content = "words", true
	answers.Name, answers.Kinds = "answers", []fact.Kind{fact.KindAnswer}
	acts.Name, acts.Kinds = "acts", []fact.Kind{fact.KindConsent}
	for noise, want := range map[int64]int{0: 4, 2: 1} {
		s := newSmall(t, byNumber(), words, answers, acts)
		s.req.Settings.Noise = noise
		s.call(101, 40)
		if got := len(s.release(t).Tables()); got != want {
			t.Errorf("noise %d: %d tables, want %d", noise, got, want)
		}
	}
}

// A block's query that counts what weeks count, split the same way, has a table with noise for others, when the block is over,
// and never an exact one.
func TestWhatRepeatsIsNeverExact(t *testing.T) {
	t.Parallel()
	q := byNumber()
	q.Name, q.Grain, q.Repeats = "again", release.Block, true
	block := release.Blocks(time.UTC, day(4), day(5))[0]
	for name, c := range map[string]struct {
		audience release.Audience
		noise    int64
		cut      time.Time
		tables   int
	}{
		"others, over":       {release.Others, 2, block.End, 1},
		"others, running":    {release.Others, 2, block.End.AddDate(0, 0, -1), 0},
		"owner":              {release.Owner, 2, block.End, 0},
		"owner, no noise":    {release.Owner, 0, block.End, 0},
		"others, not at all": {release.Others, 0, block.End, 0},
	} {
		s := newSmall(t, byNumber(), q)
		s.now = block.End.Add(72 * time.Hour)
		s.call(101, 40)
		s.req.Period, s.req.Audience, s.req.Settings.Noise, s.req.Cut = block, c.audience, c.noise, c.cut
		if got := s.release(t).Tables(); len(got) != c.tables || c.tables > 0 && got[0].NoiseVariance(got[0].Groups()[0]) == 0 {
			t.Errorf("%s: %d tables", name, len(got))
		}
	}
}

// A name is shown where a minimum group stands behind it; else its rows are among the others'.
func TestALabelIsShownFromAMinimumGroup(t *testing.T) {
	t.Parallel()
	for calls, want := range map[int]string{1: "[number e]", 4: "[number e]", 5: "[number d number e]"} {
		s := newSmall(t, byNumber())
		s.req.Settings.MinLabel = 5
		s.call(101, 30)
		s.call(102, calls)
		var names []string
		others := 0
		for _, g := range s.release(t).Table("n").Groups() {
			for _, m := range g.Members {
				if m.Name != "other" {
					names = append(names, m.Name)
				} else {
					others++
				}
			}
		}
		slices.Sort(names)
		if got := fmt.Sprint(slices.Compact(names)); got != want || others == 0 {
			t.Errorf("%d calls to a number: %s, %d others, want %s", calls, got, others, want)
		}
	}
}

// Noise may raise the number of contacts behind a name, but no name is shown to others where fewer stood behind it.
func TestNoiseRaisesNoLabelAboveTheMinimum(t *testing.T) {
	t.Parallel()
	named := 0
	for seed := range byte(120) {
		s := newNoised(t, byNumber())
		s.Key, s.req.Settings.MinLabel = bytes.Repeat([]byte{seed}, 32), 5
		s.call(101, 30)
		s.call(102, 4)
		for _, g := range s.release(t).Table("n").Groups() {
			for _, m := range g.Members {
				if m.Key == 102 && m.Name != "other" {
					t.Fatalf("key %d: a number that 4 contacts called is named", seed)
				}
				if m.Name != "other" {
					named++
				}
			}
		}
	}
	if named < 100 {
		t.Errorf("%d names are shown of 30 contacts each: the test says nothing", named)
	}
}

// An attacker who knows every row but one person's looks at one figure. The most that can be right about whether the person
// is there is what docs/privacy.md prints.
func TestOneFigureTellsLittleOfOnePerson(t *testing.T) {
	t.Parallel()
	whole := byNumber()
	whole.Split = release.NoSplit
	right, rounds := 0, 400
	for seed := range rounds {
		s := newNoised(t, whole)
		s.Key = bytes.Repeat([]byte{byte(seed), byte(seed >> 8)}, 16)
		s.call(101, 40)
		present := seed%2 == 0
		if present {
			s.call(101, 1)
		}
		g := s.release(t).Table("n").Groups()[0]
		// Above 40.5 the count is likelier with the person, below without.
		if (g.All > 40) == present {
			right++
		}
	}
	// The accuracy is .61 at scale 2; of 400 rounds the standard deviation is .025.
	if accuracy := float64(right) / float64(rounds); accuracy > .70 {
		t.Errorf("an attacker is right in %.2f of the rounds", accuracy)
	}
}
