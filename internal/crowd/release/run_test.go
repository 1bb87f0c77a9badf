package release_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"murmur/internal/crowd/internal/count/counttest"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// small is a workspace whose inbound calls are added by hand.
type small struct {
	*release.Releaser
	fold  *counttest.Fold
	store store
	now   time.Time
	week  release.Period
	req   release.Request
	rows  int
}

func newSmall(t *testing.T, queries ...release.Query) *small {
	s := &small{fold: &counttest.Fold{}, store: store{}}
	s.week = release.Weeks(time.UTC, day(4), day(5))[0]
	s.now = day(5)
	s.Releaser = &release.Releaser{
		Queries: queries, Counter: s.fold, Store: s.store, Key: bytes.Repeat([]byte{1}, 32), Clock: func() time.Time { return s.now },
	}
	s.req = release.Request{Period: s.week, Dictionary: dictionary(), LastAdded: s.now, Settings: release.Settings{
		Workspace: workspace.Default, Zone: time.UTC, MinGroup: 5, MinContent: 10,
	}}
	return s
}

func day(d int) time.Time { return time.Date(2026, 11, d, 12, 0, 0, 0, time.UTC) }

// call adds calls of n new contacts to a number.
func (s *small) call(number int64, n int) {
	for range n {
		s.rows++
		id := [16]byte{byte(s.rows), byte(s.rows >> 8)}
		s.fold.Rows = append(s.fold.Rows, counttest.Row{
			Kind: calls, ID: id, At: day(4).UnixMicro(), Contact: id[:], Values: map[fact.Column]int64{fact.ColNumber: number},
		})
	}
}

func (s *small) release(t *testing.T) release.Set {
	t.Helper()
	set, err := s.Release(t.Context(), s.req)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func byNumber() release.Query {
	return release.Query{Name: "n", Kinds: []fact.Kind{calls}, Grain: release.Week, Split: release.ByNumber, Value: nothing}
}

// shape prints groups as numbers joined by +, with their contacts; "0" is no data, "-" a small group.
func shape(tb release.Table) (out []string) {
	for _, g := range tb.Groups() {
		s := ""
		for i, m := range g.Members {
			if i > 0 {
				s += "+"
			}
			s += string(rune('0' + m.Key%100%10))
		}
		s += ":" + map[release.Hidden]string{release.SmallGroup: "-", release.NoData: "0", release.Shown: ""}[g.Hidden]
		if g.Hidden == release.Shown {
			s += string(rune('0' + g.Contacts%10))
		}
		out = append(out, s)
	}
	return out
}

// The names of package release_test sort numbers as 105 .. 101: the tree is (((5 4) 3) (2 1)) and the rest.
func TestSmallLeavesMergeWithTheirNeighbours(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		calls map[int64]int
		want  []string
	}{
		{"all big", map[int64]int{101: 6, 102: 5, 103: 7, 104: 5, 105: 9}, []string{"5:9", "4:5", "3:7", "2:5", "1:6", "0:0"}},
		{"two small sisters", map[int64]int{101: 3, 102: 3, 103: 7, 104: 5, 105: 9}, []string{"5:9", "4:5", "3:7", "2+1:6", "0:0"}},
		{"one small joins the smallest", map[int64]int{101: 3, 102: 6, 103: 7, 104: 5, 105: 9}, []string{"5:9", "4+1+0:8", "3:7", "2:6"}},
		{"small cousins meet at the root", map[int64]int{101: 3, 102: 6, 103: 7, 104: 5, 105: 2}, []string{"5+1:5", "4:5", "3:7", "2:6", "0:0"}},
		{"empty beside big", map[int64]int{101: 6, 103: 7, 104: 5, 105: 9}, []string{"5:9", "4:5", "3:7", "2:0", "1:6", "0:0"}},
		{"empty beside small says nothing", map[int64]int{101: 1, 103: 7, 104: 5, 105: 9}, []string{"5:9", "4+2+1+0:6", "3:7"}},
		{"unnamed numbers stay with the whole", map[int64]int{105: 9, 777: 1}, []string{"5+0:0", "4:0", "3:0", "2:0", "1:0"}},
		{"fewer than five", map[int64]int{101: 2, 105: 2}, []string{"5+4+3+2+1+0:-"}},
		{"nobody", nil, []string{"5+4+3+2+1+0:0"}},
	} {
		s := newSmall(t, byNumber())
		for number, n := range c.calls {
			s.call(number, n)
		}
		if got := shape(s.release(t).Table("n")); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// A group below the root never holds a part of its node that could have stood alone, but for the one that
// what was left at the root joined.
func TestNoGroupIsCoarserThanItsNeighboursNeed(t *testing.T) {
	t.Parallel()
	merged := 0
	for seed := range rounds(12) {
		for _, split := range []release.Split{release.ByNumber, release.ByHourOfWeek, release.ByMenu} {
			q := byNumber()
			q.Split, q.Kinds = split, []fact.Kind{calls, texts, fact.KindStep}
			w := newWorld(t, uint64(300+seed), []release.Query{q})
			joined := map[string]int{}
			for _, g := range w.everything(t) {
				portions, root := release.Portions(split, w.dictionary, g.leaves)
				if root || g.group.Hidden != release.Shown || len(g.leaves) == 1 {
					continue
				}
				merged++
				week, err := release.ParsePeriod(w.settings.Zone, g.period)
				if err != nil {
					t.Fatal(err)
				}
				cells := w.truth(week, []release.Query{q}, split)[q.Name]
				alone := 0
				for _, p := range portions {
					part := set{}
					for _, l := range p {
						maps.Copy(part, cells[l])
					}
					alone = max(alone, part.contacts())
				}
				if alone >= 5 {
					joined[g.period]++
				}
			}
			for period, n := range joined {
				if n > 1 {
					t.Errorf("seed %d, %s: %d groups hold a part that could stand alone", seed, period, n)
				}
			}
		}
	}
	if merged < 50 {
		t.Errorf("only %d groups were merged: the test says nothing", merged)
	}
}

func TestRowsWithoutAContactAreOneUnit(t *testing.T) {
	t.Parallel()
	s := newSmall(t, byNumber())
	s.call(101, 50)
	for i := range s.fold.Rows {
		s.fold.Rows[i].Contact = nil
	}
	if got := s.release(t).Table("n").Groups(); len(got) != 1 || got[0].Hidden != release.SmallGroup {
		t.Errorf("50 rows of nobody: %+v", got)
	}
}

func TestOpenHoursHideWhatTheyWouldSingleOut(t *testing.T) {
	t.Parallel()
	all := release.Query{Name: "all", Kinds: []fact.Kind{calls}, Grain: release.Week, Value: nothing}
	open := all
	open.Name, open.Open = "open", true
	for evening, want := range map[int]release.Hidden{0: release.Shown, 1: release.SmallGroup, 4: release.SmallGroup, 5: release.Shown} {
		s := newSmall(t, all, open)
		for h := range 18 {
			s.req.Settings.OpenHours[(48+h)/64] |= 1 << ((48 + h) % 64) // Wednesday until 18:00
		}
		s.call(101, 20)
		s.call(101, evening)
		for i := 20; i < 20+evening; i++ {
			s.fold.Rows[i].At = time.Date(2026, 11, 4, 20, 0, 0, 0, time.UTC).UnixMicro()
		}
		set := s.release(t)
		if set.Table("all").Groups()[0].Hidden != release.Shown || set.Table("open").Groups()[0].Hidden != want {
			t.Errorf("%d evening callers: open hours are %v", evening, set.Table("open").Groups()[0].Hidden)
		}
	}
}

// The owner's tables of activity follow the rows, one by one, and today's settings.
func TestTheOwnerSeesEachCall(t *testing.T) {
	t.Parallel()
	s := newSmall(t, byNumber())
	s.req.Settings.Noise = 2
	s.call(101, 20)
	s.release(t)
	s.call(101, 1)
	s.req.Settings.ShortAbandonS = 9
	got := s.release(t).Table("n")
	if groups := got.Groups(); groups[len(groups)-2].Contacts != 21 || got.Settings().ShortAbandonS != 9 || got.Settings().Noise != 0 {
		t.Errorf("one call more: %+v", got)
	}
}

func TestAClosedPeriodNeverChanges(t *testing.T) {
	t.Parallel()
	s := newSmall(t, byNumber())
	s.call(101, 20)
	for _, c := range []struct {
		now, added time.Time
		closed     bool
	}{
		{s.week.End.Add(47 * time.Hour), time.Time{}, false},
		{s.week.End.Add(48 * time.Hour), s.week.End.Add(25 * time.Hour), false}, // a fact came 23 h ago
		{s.week.End.Add(48 * time.Hour), s.week.End.Add(24 * time.Hour), true},
	} {
		s.now, s.req.LastAdded = c.now, c.added
		if got := s.release(t); got.Closed() != c.closed || got.Table("n").Closed() != c.closed {
			t.Errorf("at %v, last fact %v: closed %v", c.now, c.added, got.Closed())
		}
	}
	want := s.release(t).Tables()
	s.call(101, 50)
	s.req.Settings.MinGroup, s.req.Settings.MinContent = 30, 30
	s.Queries = append(s.Queries, release.Query{Name: "later", Kinds: []fact.Kind{calls}, Grain: release.Week, Value: nothing})
	if got := s.release(t); !reflect.DeepEqual(got.Tables(), want) {
		t.Error("a closed period changed")
	}
	if loaded, err := s.Load(t.Context(), workspace.Default, release.Owner, time.UTC, s.week.Name); err != nil || !reflect.DeepEqual(loaded.Tables(), want) {
		t.Errorf("the stored set is another one: %v", err)
	}
}

// A block minus its closed weeks would be about the facts that came too late for them.
func TestABlockWaitsForItsWeeks(t *testing.T) {
	t.Parallel()
	block := release.Query{Name: "b", Kinds: []fact.Kind{calls}, Grain: release.Block, Value: nothing}
	for late, want := range map[int]release.Hidden{0: release.Shown, 1: release.SmallGroup, 4: release.SmallGroup, 5: release.Shown} {
		s := newSmall(t, byNumber(), block)
		s.call(101, 20)
		s.now = s.week.End.Add(72 * time.Hour)
		s.release(t)
		s.call(101, late)
		s.req.Period = release.Blocks(time.UTC, day(4), day(5))[0]
		if got := s.release(t).Table("b").Groups()[0].Hidden; got != want {
			t.Errorf("%d late contacts: the block is %v", late, got)
		}
	}
}

func TestSettingsAndCataloguesThatCannotBeSafeAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*small){
		"minimum of one":      func(s *small) { s.req.Settings.MinGroup = 1 },
		"content below group": func(s *small) { s.req.Settings.MinContent = 4 },
		"no zone":             func(s *small) { s.req.Settings.Zone = nil },
		"no workspace":        func(s *small) { s.req.Settings.Workspace = workspace.ID{} },
		"noise of five":       func(s *small) { s.req.Settings.Noise = 5 },
		"short key":           func(s *small) { s.Key = s.Key[:31] },
		"two grains of one split": func(s *small) {
			q := byNumber()
			q.Name, q.Grain = "b", release.Block
			s.Queries = append(s.Queries, q)
		},
		"weeks that repeat weeks": func(s *small) { s.Queries[0].Repeats = true },
		"one name twice":          func(s *small) { s.Queries = append(s.Queries, byNumber()) },
		"falling bins":            func(s *small) { s.Queries[0].Value.Bins = []int64{2, 1} },
		"no kind":                 func(s *small) { s.Queries[0].Kinds = nil },
	} {
		s := newSmall(t, byNumber())
		change(s)
		if _, err := s.Release(t.Context(), s.req); !errors.Is(err, release.ErrSettings) && !errors.Is(err, release.ErrCatalogue) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	s := newSmall(t, byNumber())
	s.req.Period = release.Blocks(time.UTC, day(4), day(5))[0]
	if got := s.release(t); len(got.Tables()) != 0 || len(s.store) != 0 {
		t.Error("a grain without questions was released")
	}
}

func TestStoredBytesOpenOnlyWhereTheyWereSealed(t *testing.T) {
	t.Parallel()
	s := newSmall(t, byNumber())
	s.call(101, 20)
	s.release(t)
	sealed := s.store[place(release.Owner, s.week.Name)].sealed
	refused := func(what string, key []byte, w workspace.ID, a release.Audience, period string, b []byte) {
		t.Helper()
		if set, err := release.Open(key, w, a, period, b); !errors.Is(err, release.ErrSeal) || len(set.Tables()) != 0 {
			t.Errorf("%s opens: %v", what, err)
		}
	}
	if _, err := release.Open(s.Key, workspace.Default, release.Owner, s.week.Name, sealed); err != nil {
		t.Fatal(err)
	}
	refused("another key", bytes.Repeat([]byte{2}, 32), workspace.Default, release.Owner, s.week.Name, sealed)
	refused("another workspace", s.Key, workspace.MustParse("other"), release.Owner, s.week.Name, sealed)
	refused("another audience", s.Key, workspace.Default, release.Others, s.week.Name, sealed)
	refused("another period", s.Key, workspace.Default, release.Owner, "2026-W46", sealed)
	refused("plain JSON", s.Key, workspace.Default, release.Owner, s.week.Name, sealed[bytes.IndexByte(sealed, '{'):])
	for i := range sealed {
		forged := slices.Clone(sealed)
		forged[i] ^= 1
		refused("a flipped bit", s.Key, workspace.Default, release.Owner, s.week.Name, forged)
		refused("a torn set", s.Key, workspace.Default, release.Owner, s.week.Name, sealed[:i])
	}
	var table release.Table
	if err := json.Unmarshal([]byte(`{"ok":true,"groups":[{"Contacts":1}]}`), &table); err != nil || table.Valid() {
		t.Error("a table can be made from JSON")
	}
}

func TestCallersCannotChangeATable(t *testing.T) {
	t.Parallel()
	s := newSmall(t, byNumber())
	s.call(101, 20)
	table := s.release(t).Table("n")
	for _, g := range table.Groups() {
		for i := range g.Bins {
			g.Bins[i] = 99
		}
		g.Members[0].Name = "forged"
	}
	for _, g := range table.Groups() {
		if slices.Contains(g.Bins, 99) || g.Members[0].Name == "forged" {
			t.Error("a table was changed through Groups")
		}
	}
}

func TestErrorsOfEngineAndStoreAreReturned(t *testing.T) {
	t.Parallel()
	s := newSmall(t, byNumber())
	s.call(101, 20)
	s.Counter = broken{}
	if _, err := s.Release(t.Context(), s.req); !errors.Is(err, errBroken) {
		t.Errorf("engine: %v", err)
	}
	s.Counter = s.fold
	s.store[place(release.Owner, s.week.Name)] = entry{closed: true}
	if _, err := s.Release(t.Context(), s.req); err == nil {
		t.Error("a set that was not stored was shown")
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Open(context.Context, release.Snapshot, release.Settings, []release.Question) (release.Counts, error) {
	return nil, errBroken
}

func FuzzOpen(f *testing.F) {
	key := bytes.Repeat([]byte{1}, 32)
	f.Add([]byte("murmur release 1\n"))
	f.Add([]byte(nil))
	f.Add(append([]byte("murmur release 1\n"), make([]byte, 40)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if set, err := release.Open(key, workspace.Default, release.Owner, "2026-W45", b); err == nil || len(set.Tables()) > 0 {
			t.Error("bytes that nobody sealed open")
		}
	})
}
