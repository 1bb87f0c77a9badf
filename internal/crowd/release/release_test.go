package release_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"murmur/internal/crowd/internal/count/counttest"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

const (
	calls = fact.KindCall
	texts = fact.KindMessage
)

var (
	inbound = []release.Filter{{Column: fact.ColDirection, In: []int64{int64(fact.In)}}}
	nothing = release.Value{Derived: release.Nothing}
	yesNo   = []int64{0, 1}
)

// catalogue has populations inside each other, splits that share rows, both minimum groups and both grains.
func catalogue() []release.Query {
	query := func(name string, g release.Grain, s release.Split, v release.Value, kinds ...fact.Kind) release.Query {
		q := release.Query{Name: name, Kinds: kinds, Where: inbound, Grain: g, Split: s, Value: v}
		return q
	}
	missed := release.Value{Derived: release.Missed, Bins: yesNo}
	open := query("open/number", release.Week, release.ByNumber, missed, calls)
	open.Open = true
	voicemail := query("voicemail/number", release.Week, release.ByNumber, nothing, calls)
	voicemail.Where = append(slices.Clone(inbound), release.Filter{Column: fact.ColVoicemail, In: []int64{1}})
	none := query("no-voicemail/number", release.Week, release.ByNumber, nothing, calls)
	none.Where = append(slices.Clone(inbound), release.Filter{Column: fact.ColVoicemail, In: []int64{0}})
	topics := query("topics", release.Week, release.ByTopic, nothing, texts, fact.KindTalk)
	topics.Where, topics.Content = nil, true
	sentiment := topics
	sentiment.Name, sentiment.Value = "sentiment", release.Value{Derived: release.FromColumn, Column: fact.ColSentiment, Bins: []int64{-100, 0, 50}}
	steps := query("menu", release.Week, release.ByMenu, nothing, fact.KindStep)
	steps.Where = nil
	scores := query("scores", release.Week, release.BySurvey, release.Value{Derived: release.FromColumn, Column: fact.ColScore, Bins: []int64{0, 7, 9}}, fact.KindAnswer)
	scores.Where = nil
	acts := query("acts", release.Week, release.ByAct, nothing, fact.KindConsent)
	acts.Where = nil
	return []release.Query{
		query("calls", release.Week, release.NoSplit, nothing, calls),
		query("calls/number", release.Week, release.ByNumber, nothing, calls),
		query("missed/number", release.Week, release.ByNumber, missed, calls), open, voicemail, none,
		query("returned/number", release.Week, release.ByNumber, release.Value{Derived: release.ReturnedIn24h, Bins: yesNo}, calls),
		query("answer", release.Week, release.NoSplit, release.Value{Derived: release.AnswerSeconds, Bins: []int64{0, 5, 20}}, calls),
		query("reasons", release.Week, release.ByReason, release.Value{Derived: release.MissReason, Bins: []int64{0}}, calls),
		query("reply", release.Week, release.NoSplit, release.Value{Derived: release.ReplySeconds, Bins: []int64{0, 3600}}, texts),
		topics, sentiment, steps, scores, acts,
		query("demand/hour", release.Block, release.ByHourOfWeek, nothing, calls, texts),
		query("calls/hour", release.Block, release.ByHourOfWeek, missed, calls),
		query("calls/block", release.Block, release.NoSplit, nothing, calls),
	}
}

// world is one random workspace, everything released about one of its blocks and that block's weeks.
type world struct {
	settings   release.Settings
	dictionary release.Dictionary
	rows       []counttest.Row
	block      release.Period
	sets       map[string]release.Set // by period
	periods    []release.Period       // the weeks, then the block
}

func newWorld(t testing.TB, seed uint64, queries []release.Query) *world {
	t.Helper()
	rng := rand.New(rand.NewPCG(11, seed))
	w := &world{settings: release.Settings{
		Workspace: workspace.Default, Zone: zone(t, "Europe/Berlin"), ShortAbandonS: int64(rng.IntN(2) * 5), MinGroup: 5, MinContent: 10,
	}}
	if rng.IntN(3) > 0 {
		for h := range 120 {
			if h%24 >= 7 && h%24 < 20 {
				w.settings.OpenHours[h/64] |= 1 << (h % 64)
			}
		}
	}
	w.dictionary = dictionary()
	at := time.Date(2026, 10, 20, 0, 0, 0, 0, w.settings.Zone)
	w.block = release.Blocks(w.settings.Zone, at, at.Add(1))[0]
	w.rows = counttest.Random(rng, []int{60, 250, 700, 1500}[rng.IntN(4)], []int{12, 40, 150}[rng.IntN(3)], w.block.Span())
	w.periods = append(release.Weeks(w.settings.Zone, w.block.Start, w.block.End), w.block)
	w.sets = map[string]release.Set{}
	r := w.releaser(queries)
	for _, p := range w.periods {
		set, err := r.Release(t.Context(), w.request(p))
		if err != nil {
			t.Fatal(err)
		}
		w.sets[p.Name] = set
	}
	return w
}

func (w *world) releaser(queries []release.Query) *release.Releaser {
	return &release.Releaser{
		Queries: queries, Counter: &counttest.Fold{Rows: w.rows}, Store: store{}, Key: bytes.Repeat([]byte{7}, 32),
		Clock: func() time.Time { return w.block.End.Add(72 * time.Hour) },
	}
}

func (w *world) request(p release.Period) release.Request {
	return release.Request{Period: p, Settings: w.settings, Dictionary: w.dictionary}
}

// dictionary knows most of the labels of package counttest: some rows have a label without a name.
func dictionary() (d release.Dictionary) {
	for i := range int64(5) {
		d.Labels = append(d.Labels, release.Label{Key: 101 + i, Dim: fact.DimNumber, Name: "number " + string(rune('e'-i))})
	}
	d.Labels = append(d.Labels, release.Label{Key: 201, Dim: fact.DimFlow, Name: "main"})
	for i := range int64(3) {
		d.Labels = append(d.Labels, release.Label{Key: 301 + i, Dim: fact.DimNode, Parent: 201, Name: fmt.Sprint("node ", i)})
		for j := range int64(4) {
			d.Labels = append(d.Labels, release.Label{Key: 401 + j, Dim: fact.DimChoice, Parent: 301 + i, Name: fmt.Sprint("key ", j)})
		}
		d.Labels = append(d.Labels, release.Label{Key: 501 + i, Dim: fact.DimSurvey, Name: fmt.Sprint("survey ", i)})
	}
	for i := range int64(7) {
		d.Topics = append(d.Topics, release.Name{Key: 1 + i, Name: fmt.Sprint("topic ", i)})
	}
	return d
}

// store keeps sealed sets in memory and refuses to replace a closed one.
type store map[string]entry

type entry struct {
	sealed []byte
	closed bool
}

func (s store) Get(_ context.Context, _ workspace.ID, a release.Audience, period string) ([]byte, error) {
	return s[place(a, period)].sealed, nil
}

func (s store) Put(_ context.Context, _ workspace.ID, a release.Audience, period string, closed bool, sealed []byte) error {
	if s[place(a, period)].closed {
		return errors.New("closed")
	}
	s[place(a, period)] = entry{sealed, closed}
	return nil
}

func place(a release.Audience, period string) string { return a.String() + " " + period }

// set is a group as rows: what a difference of published numbers is about.
type set map[string]string // kind and id of a row -> contact

func (s set) contacts() int {
	seen := map[string]bool{}
	for _, c := range s {
		seen[c] = true
	}
	return len(seen)
}

func (s set) minus(others ...set) set {
	d := maps.Clone(s)
	for _, o := range others {
		for row := range o {
			delete(d, row)
		}
	}
	return d
}

// published is one shown group: its table's query and its rows.
type published struct {
	query  release.Query
	leaves []int
	rows   set
	group  release.Group
	period string
}

// lay gives every group of a table with its rows, found again from the members that the group prints.
func (w *world) lay(t testing.TB, table release.Table, placed []counttest.Placed) (all []published) {
	t.Helper()
	q := table.Query()
	keys, members := release.Leaves(q.Split, w.dictionary)
	question := release.Question{Query: q, Leaves: keys}
	for _, g := range table.Groups() {
		p := published{query: q, group: g, rows: set{}, period: table.Period().Name}
		for leaf, m := range members {
			if len(m) == 0 || slices.ContainsFunc(chunks(g.Members, len(m)), func(c []release.Member) bool { return slices.Equal(c, m) }) {
				p.leaves = append(p.leaves, leaf)
			}
		}
		for _, row := range placed {
			if _, ok := row.Bin(q); ok && slices.Contains(p.leaves, row.Leaf(question)) {
				p.rows[fmt.Sprint(row.Row.Kind, row.Row.ID)] = string(row.Row.Contact)
			}
		}
		all = append(all, p)
	}
	return all
}

func chunks(m []release.Member, n int) [][]release.Member { return slices.Collect(slices.Chunk(m, n)) }

func (w *world) everything(t testing.TB) (all []published) {
	for _, p := range w.periods {
		inside := counttest.Place(w.rows, w.settings, p.Span())
		for _, table := range w.sets[p.Name].Tables() {
			all = append(all, w.lay(t, table, inside)...)
		}
	}
	return all
}

func rounds(n int) int {
	if more, err := strconv.Atoi(os.Getenv("MURMUR_ROUNDS")); err == nil {
		return n * more
	}
	return n
}

func (w *world) k(q release.Query) int {
	if q.Content {
		return int(w.settings.MinContent)
	}
	return int(w.settings.MinGroup)
}

func TestGroupsPartitionTheLeavesAndAreBigEnough(t *testing.T) {
	t.Parallel()
	shown := map[string]int{}
	for seed := range rounds(12) {
		w := newWorld(t, uint64(seed), catalogue())
		seen := map[string][]int{}
		for _, p := range w.everything(t) {
			name := p.period + " " + p.query.Name
			seen[name] = append(seen[name], p.leaves...)
			switch {
			case p.group.Hidden == release.NoData && len(p.rows) > 0:
				t.Errorf("seed %d: %s says nobody is there", seed, name)
			case p.group.Hidden != release.Shown && (p.group.Contacts != 0 || p.group.Bins != nil):
				t.Errorf("seed %d: %s hides a group and prints it", seed, name)
			case p.group.Hidden != release.Shown:
			case p.rows.contacts() < w.k(p.query):
				t.Errorf("seed %d: %s shows %d contacts", seed, name, p.rows.contacts())
			case int(p.group.Contacts) != p.rows.contacts() || int(p.group.Total()) != len(p.rows):
				t.Errorf("seed %d: %s counts wrong", seed, name)
			default:
				shown[p.query.Name]++
			}
		}
		for name, leaves := range seen {
			slices.Sort(leaves)
			for i, l := range leaves {
				if i != l {
					t.Errorf("seed %d: %s: leaf %d is missing or twice", seed, name, i)
					break
				}
			}
		}
	}
	for _, q := range catalogue() {
		if shown[q.Name] == 0 {
			t.Errorf("%s was never shown: the test says nothing about it", q.Name)
		}
	}
	t.Log(shown)
}

// Every pair and triple of shown groups whose populations lie inside each other, and every block minus the
// weeks inside it.
func TestNoDifferenceIsAboutFewerThanTheMinimum(t *testing.T) {
	t.Parallel()
	pairs, triples := 0, 0
	for seed := range rounds(12) {
		w := newWorld(t, uint64(100+seed), catalogue())
		var shown []published
		for _, p := range w.everything(t) {
			if p.group.Hidden == release.Shown {
				shown = append(shown, p)
			}
		}
		small := func(s set) bool { n := s.contacts(); return n > 0 && n < int(w.settings.MinGroup) }
		for _, a := range shown {
			var inside []published
			for _, b := range shown {
				if release.Contains(a.query, b.query) && len(b.rows.minus(a.rows)) == 0 && len(b.rows) < len(a.rows) {
					inside = append(inside, b)
				}
			}
			for i, b := range inside {
				pairs++
				if d := a.rows.minus(b.rows); small(d) {
					t.Errorf("seed %d: %s %s - %s %s is about %d", seed, a.period, a.query.Name, b.period, b.query.Name, d.contacts())
				}
				for _, c := range inside[:i] {
					if len(b.rows.minus(c.rows)) < len(b.rows) {
						continue
					}
					if b.query.Name != c.query.Name && !release.Disjoint(b.query, c.query) && a.period == b.period && b.period == c.period {
						continue // they share no row by chance: nobody can know
					}
					triples++
					if d := a.rows.minus(b.rows, c.rows); small(d) {
						t.Errorf("seed %d: %s %s - %s %s - %s %s is about %d", seed, a.period, a.query.Name, b.period, b.query.Name, c.period, c.query.Name, d.contacts())
					}
				}
			}
		}
		w.blocksMinusWeeks(t, shown, small)
	}
	t.Logf("%d pairs, %d triples", pairs, triples)
	if pairs < 300 || triples < 1000 {
		t.Error("too few: the test says nothing")
	}
}

func (w *world) blocksMinusWeeks(t *testing.T, shown []published, small func(set) bool) {
	t.Helper()
	whole := map[string]set{} // by period and query
	for _, p := range shown {
		key := p.period + " " + p.query.Name
		if whole[key] == nil {
			whole[key] = set{}
		}
		maps.Copy(whole[key], p.rows)
	}
	for _, b := range catalogue() {
		for _, q := range catalogue() {
			if b.Grain != release.Block || q.Grain != release.Week || !release.Contains(b, q) || whole[w.block.Name+" "+b.Name] == nil {
				continue
			}
			left := whole[w.block.Name+" "+b.Name]
			for _, p := range w.periods {
				left = left.minus(whole[p.Name+" "+q.Name])
			}
			if small(left) {
				t.Errorf("block of %s minus its weeks of %s is about %d", b.Name, q.Name, left.contacts())
			}
		}
	}
}
