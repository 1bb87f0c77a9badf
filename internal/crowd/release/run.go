package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"murmur/internal/workspace"
)

// ErrSettings is returned for settings that no table may be made under.
var ErrSettings = errors.New("settings of a release")

// Releaser makes the tables of a period. Queries is the whole catalogue: a table is only safe beside those
// that it was checked against. A query that is added later starts with the next open period.
type Releaser struct {
	Queries []Query
	Counter Counter
	Store   Store
	Key     []byte // authenticates stored sets; at least 32 bytes
	Clock   func() time.Time
}

// Store keeps one sealed set a workspace and period.
type Store interface {
	// Get gives nil without an error when nothing is stored.
	Get(ctx context.Context, w workspace.ID, period string) ([]byte, error)
	// Put replaces what is stored unless that was put closed: then it must fail.
	Put(ctx context.Context, w workspace.ID, period string, closed bool, sealed []byte) error
}

// Request is what one release is made from.
type Request struct {
	Snapshot   Snapshot
	Period     Period
	Settings   Settings
	Dictionary Dictionary
	// LastAdded is when the last fact of the period came to the lake; zero when it has none.
	LastAdded time.Time
	// Force refreshes an open period though fewer than MinGroup contacts are new, and takes over changed
	// settings. It is for an explicit wish of the owner, never for a schedule.
	Force bool
}

// Load gives the stored set of a period; it has no tables when nothing was released yet.
func (r *Releaser) Load(ctx context.Context, w workspace.ID, zone *time.Location, period string) (Set, error) {
	p, err := ParsePeriod(zone, period)
	if err != nil {
		return Set{}, err
	}
	sealed, err := r.Store.Get(ctx, w, p.Name)
	if err != nil || sealed == nil {
		return Set{}, err
	}
	return open(r.Key, w, p.Name, sealed)
}

// Release gives the set of a period: the stored one when it is final or when too few contacts are new, else
// a new one, which it stores. It is idempotent; the same rows give the same set.
func (r *Releaser) Release(ctx context.Context, req Request) (Set, error) {
	s := req.Settings
	if s.MinGroup < 2 || s.MinContent < s.MinGroup || s.Zone == nil || !s.Workspace.Valid() || len(r.Key) < 32 {
		return Set{}, ErrSettings
	}
	if err := checkCatalogue(r.Queries); err != nil {
		return Set{}, err
	}
	shown, err := r.Load(ctx, s.Workspace, s.Zone, req.Period.Name)
	if err != nil || shown.Closed() {
		return shown, err
	}
	now := r.Clock()
	closes := req.Period.closes(now, req.LastAdded)
	if !slices.ContainsFunc(r.Queries, func(q Query) bool { return q.Grain == req.Period.Grain }) {
		return Set{}, nil
	}
	if len(shown.tables) > 0 {
		s = frozen(shown.tables[0].settings, s, req.Force)
	}
	run, err := r.start(ctx, req, s)
	if err != nil {
		return Set{}, err
	}
	defer run.counts.Close()
	everybody, err := run.crowd(ctx, []int{0, 1, 2, 3, 4})
	if err != nil {
		return Set{}, err
	}
	weeks, err := r.weeks(ctx, run, req.Period)
	if err != nil {
		return Set{}, err
	}
	if len(shown.tables) > 0 && !closes && !req.Force {
		few := everybody.contacts-shown.contacts < s.MinGroup
		if weeks == ahead || weeks == unknown && few {
			return shown, nil
		}
	}
	run.late = weeks == ahead
	set := Set{crowd: everybody}
	groups, err := run.groups(ctx)
	if err != nil {
		return Set{}, err
	}
	for i, q := range run.queries {
		set.tables = append(set.tables, Table{
			query: q, settings: s, period: req.Period, groups: groups[i], asOf: now, closed: closes, ok: true,
		})
	}
	sealed, err := seal(r.Key, s.Workspace, req.Period.Name, set)
	if err != nil {
		return Set{}, err
	}
	if err := r.Store.Put(ctx, s.Workspace, req.Period.Name, closes, sealed); err != nil {
		return Set{}, fmt.Errorf("store release: %w", err)
	}
	return set, nil
}

// frozen gives the settings of a period that was shown before: its minimum groups only rise, and what
// shapes a population changes only by force, or two refreshes differ by the rows of an hour.
func frozen(shown, wanted Settings, force bool) Settings {
	s := shown
	if force {
		s = wanted
	}
	s.MinGroup = max(shown.MinGroup, wanted.MinGroup)
	s.MinContent = max(shown.MinContent, wanted.MinContent)
	return s
}

// standing says how the rows of a block compare with what its weeks show.
type standing int

const (
	unknown standing = iota // no week was shown, or the period is one
	level                   // the same rows, or at least MinGroup contacts more in a week
	ahead                   // rows of fewer contacts came to a week since it was shown
)

// weeks compares a block's rows with the sets that its weeks show. A block follows its weeks: minus them it
// would be about the rows that came since, so it waits until they show those as well. For a week that is
// closed they never will; then the block is hidden.
func (r *Releaser) weeks(ctx context.Context, u *run, p Period) (standing, error) {
	if p.Grain != Block {
		return unknown, nil
	}
	found := unknown
	for i, w := range Weeks(u.settings.Zone, p.Start, p.End) {
		shown, err := r.Load(ctx, u.settings.Workspace, u.settings.Zone, w.Name)
		if err != nil {
			return unknown, err
		}
		if len(shown.tables) == 0 {
			continue
		}
		now, err := u.crowd(ctx, []int{i})
		if err != nil {
			return unknown, err
		}
		if now != shown.crowd && now.contacts-shown.contacts < u.settings.MinGroup {
			return ahead, nil
		}
		found = level
	}
	return found, nil
}

// run is one release while it is made.
type run struct {
	settings  Settings
	queries   []Query // of the period's grain
	trees     []*tree
	counts    Counts
	everybody int      // question: all kinds together, by week
	late      bool     // a block that may not stand beside its weeks
	besides   []beside // of a block's queries[i]
}

// beside is what keeps a block's query apart from the weekly queries.
type beside struct {
	question int    // the block's whole
	rests    []rest // differences with weekly tables
}

// rest is one difference of a block and its weeks: a region, and the rows of weekly queries in the weeks
// that show nothing.
type rest struct {
	region int   // of the block's question; -1: no rows
	weekly []int // questions
}

// start opens the count of all questions of a release. Question i is that of query i.
func (r *Releaser) start(ctx context.Context, req Request, s Settings) (*run, error) {
	u := &run{settings: s}
	for _, q := range r.Queries {
		if q.Grain == req.Period.Grain {
			u.queries = append(u.queries, q)
		}
	}
	var questions []Question
	span := req.Period.Span()
	everybody := Query{Value: Value{Derived: Nothing}} // of every kind in the catalogue: weeks and blocks compare
	for _, q := range r.Queries {
		everybody.Kinds = append(everybody.Kinds, q.Kinds...)
	}
	slices.Sort(everybody.Kinds)
	everybody.Kinds = slices.Compact(everybody.Kinds)
	for _, q := range u.queries {
		t := grow(q.Split, req.Dictionary)
		u.trees = append(u.trees, t)
		questions = append(questions, Question{Query: q, Span: span, Leaves: t.keys, Regions: regions(q, u.queries)})
	}
	u.everybody = len(questions)
	questions = append(questions, Question{Query: everybody, Span: span, Weeks: req.Period.weeks(s.Zone)})
	if req.Period.Grain == Block {
		questions = u.alongTime(questions, r.Queries, span, req.Period.weeks(s.Zone))
	}
	counts, err := r.Counter.Open(ctx, req.Snapshot, s, questions)
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	u.counts = counts
	return u, nil
}

// alongTime adds the questions that keep a block apart from its weeks. Weekly tables sum to the whole of
// every week that shows any, so a block minus those weeks is about: the regions between the block's query
// and the weekly ones, and the rows of the weeks that show nothing.
func (u *run) alongTime(questions []Question, all []Query, span Span, weeks []Span) []Question {
	var weekly []Query
	asked := map[string]int{}
	for _, q := range all {
		if q.Grain == Week {
			weekly = append(weekly, q)
		}
	}
	for _, q := range weekly {
		asked[q.Name] = len(questions)
		questions = append(questions, Question{Query: q, Span: span, Weeks: weeks, Regions: regions(q, weekly)})
	}
	for _, b := range u.queries {
		at := beside{question: len(questions)}
		whole := Question{Query: b, Span: span}
		leave := func(of Query, minus []Query, weekly ...int) {
			at.rests = append(at.rests, rest{len(whole.Regions), weekly})
			whole.Regions = append(whole.Regions, Region{of, minus})
		}
		for _, q := range weekly {
			inside, around := contains(b, q), contains(q, b)
			switch {
			case inside && around:
				at.rests = append(at.rests, rest{-1, []int{asked[q.Name]}})
			case around:
				leave(q, []Query{b})
			case inside:
				leave(b, []Query{q}, asked[q.Name])
				for _, s := range weekly {
					if contains(b, s) && !contains(s, b) && disjoint(q, s) {
						leave(b, []Query{q, s}, asked[q.Name], asked[s.Name])
					}
				}
			}
		}
		u.besides = append(u.besides, at)
		questions = append(questions, whole)
	}
	return questions
}

// crowd counts everybody behind the period's rows in some of its weeks.
func (u *run) crowd(ctx context.Context, weeks []int) (crowd, error) {
	cells, err := u.counts.Count(ctx, u.everybody, [][]int{weeks})
	if err != nil {
		return crowd{}, fmt.Errorf("count: %w", err)
	}
	return crowd{cells[0].Contacts, cells[0].Bins[0]}, nil
}

// groups makes the groups of every table, widest population first: a table that shares a split and a kind
// with earlier ones becomes a coarsening of them.
func (u *run) groups(ctx context.Context) ([][]Group, error) {
	order, err := u.order(ctx)
	if err != nil {
		return nil, err
	}
	parts := make([][]part, len(u.queries))
	tables := make([][]Group, len(u.queries))
	for n, i := range order {
		var earlier [][]part
		for _, j := range order[:n] {
			shows := len(parts[j]) > 1 || parts[j][0].hidden == Shown
			if shows && u.queries[j].Split == u.queries[i].Split && shareKind(u.queries[j], u.queries[i]) {
				earlier = append(earlier, parts[j])
			}
		}
		if parts[i], err = u.guarded(ctx, i, earlier); err != nil {
			return nil, fmt.Errorf("release %s: %w", u.queries[i].Name, err)
		}
		if tables[i], err = u.fill(ctx, i, parts[i]); err != nil {
			return nil, fmt.Errorf("release %s: %w", u.queries[i].Name, err)
		}
	}
	return tables, nil
}

// order sorts the queries by the contacts of their population, most first.
func (u *run) order(ctx context.Context) ([]int, error) {
	type size struct {
		i           int
		contacts, k int64
	}
	var sizes []size
	for i := range u.queries {
		cells, err := u.counts.Count(ctx, i, [][]int{u.trees[i].root.leaves()})
		if err != nil {
			return nil, fmt.Errorf("count: %w", err)
		}
		sizes = append(sizes, size{i, cells[0].Contacts, u.minimum(u.queries[i])})
	}
	slices.SortStableFunc(sizes, func(a, b size) int {
		return cmp.Or(cmp.Compare(b.contacts, a.contacts), cmp.Compare(a.k, b.k))
	})
	var order []int
	for _, s := range sizes {
		order = append(order, s.i)
	}
	return order, nil
}

func (u *run) minimum(q Query) int64 {
	if q.Content {
		return u.settings.MinContent
	}
	return u.settings.MinGroup
}

func (u *run) guarded(ctx context.Context, i int, earlier [][]part) ([]part, error) {
	g := &guard{k: u.minimum(u.queries[i]), measure: func(ctx context.Context, cells [][]int) ([]Cell, error) {
		if len(cells) == 0 {
			return nil, nil
		}
		return u.counts.Count(ctx, i, cells)
	}}
	apart, err := u.apart(ctx, i, g)
	if err != nil {
		return nil, err
	}
	t := u.trees[i]
	if !apart {
		return []part{{leaves: t.root.leaves(), hidden: SmallGroup}}, nil
	}
	return g.merge(ctx, t, coarsest(len(t.members), earlier))
}

// apart reports whether a block may stand beside its weeks: each difference is empty or big enough.
func (u *run) apart(ctx context.Context, i int, g *guard) (bool, error) {
	if u.late || u.besides == nil {
		return !u.late, nil
	}
	cells, err := u.counts.Count(ctx, u.besides[i].question, [][]int{{0}})
	if err != nil || !g.clean(cells[0]) {
		return false, err
	}
	for _, r := range u.besides[i].rests {
		if r.region >= 0 && cells[0].Regions[r.region] > 0 {
			continue // big enough alone
		}
		for _, question := range r.weekly {
			silent, err := u.silent(ctx, question, g)
			if err != nil || silent.Contacts > 0 && !g.stands(silent) {
				return false, err
			}
		}
	}
	return true, nil
}

// silent counts the weeks of a block in which a weekly query has rows but may not show them.
func (u *run) silent(ctx context.Context, question int, g *guard) (Cell, error) {
	weeks, err := u.counts.Count(ctx, question, [][]int{{0}, {1}, {2}, {3}, {4}})
	if err != nil {
		return Cell{}, err
	}
	var silent []int
	for w, c := range weeks {
		if c.Contacts > 0 && !g.stands(c) {
			silent = append(silent, w)
		}
	}
	if silent == nil {
		return Cell{}, nil
	}
	cells, err := u.counts.Count(ctx, question, [][]int{silent})
	if err != nil {
		return Cell{}, err
	}
	return cells[0], nil
}

// fill counts the final groups.
func (u *run) fill(ctx context.Context, i int, parts []part) ([]Group, error) {
	var cells [][]int
	groups := make([]Group, len(parts))
	for n, p := range parts {
		cells = append(cells, p.leaves)
		groups[n].Hidden = p.hidden
		for _, l := range p.leaves {
			groups[n].Members = append(groups[n].Members, u.trees[i].members[l]...)
		}
	}
	counted, err := u.counts.Count(ctx, i, cells)
	if err != nil {
		return nil, err
	}
	for n, c := range counted {
		if parts[n].hidden == Shown {
			groups[n].Contacts, groups[n].Bins = c.Contacts, c.Bins
		}
	}
	return groups, nil
}
