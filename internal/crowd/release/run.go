package release

import (
	"context"
	"errors"
	"fmt"
	"time"

	"murmur/internal/crowd/internal/noise"
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

// Store keeps one sealed set a workspace, audience and period.
type Store interface {
	// Get gives nil without an error when nothing is stored.
	Get(ctx context.Context, w workspace.ID, a Audience, period string) ([]byte, error)
	// Put replaces what is stored unless that was put closed: then it must fail.
	Put(ctx context.Context, w workspace.ID, a Audience, period string, closed bool, sealed []byte) error
}

// Request is what one release is made from.
type Request struct {
	Audience   Audience
	Snapshot   Snapshot
	Period     Period
	Settings   Settings
	Dictionary Dictionary
	// LastAdded is when the last fact of the period came to the lake; zero when it has none.
	LastAdded time.Time
	// Cut, for Others, is the midnight from which on rows are left out.
	Cut time.Time
	// Arrived, for Others, is set at the end of an import or a backfill, which may come between two days: of what is shown
	// only the groups are replaced whose contacts really changed by the minimum group or more; when none is, the set stays.
	Arrived bool
}

// Load gives the stored set of a period; it has no tables when nothing was released yet.
func (r *Releaser) Load(ctx context.Context, w workspace.ID, a Audience, zone *time.Location, period string) (Set, error) {
	p, err := ParsePeriod(zone, period)
	if err != nil {
		return Set{}, err
	}
	sealed, err := r.Store.Get(ctx, w, a, p.Name)
	if err != nil || sealed == nil {
		return Set{}, err
	}
	return open(r.Key, w, a, p.Name, sealed)
}

// Release gives the set of a period: the stored one when it is final, else a new one, which it stores. It is idempotent;
// the same rows give the same set. When the next set of Others is due is for the caller to say.
func (r *Releaser) Release(ctx context.Context, req Request) (Set, error) {
	out, err := r.ReleaseAll(ctx, []Request{req})
	if err != nil {
		return Set{}, err
	}
	return out[0].Set, nil
}

// Outcome is what became of a request.
type Outcome struct {
	Set  Set
	Made bool // the set was made now; else it is the stored one
}

// ReleaseAll is Release for several periods, whose rows are read once: weeks, and blocks behind their weeks. The requests
// share snapshot, settings and dictionary.
func (r *Releaser) ReleaseAll(ctx context.Context, reqs []Request) ([]Outcome, error) {
	if err := checkCatalogue(r.Queries); err != nil {
		return nil, err
	}
	out := make([]Outcome, len(reqs))
	var all []*due
	for i, req := range reqs {
		d, err := r.look(ctx, req)
		if err != nil {
			return nil, err
		}
		out[i].Set, d.out = d.shown, &out[i]
		if !d.shown.Closed() && len(d.queries) > 0 {
			all = append(all, d)
		}
	}
	for _, same := range bySettings(all) {
		if err := r.makeAll(ctx, same); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// due is a period whose set is to be made.
type due struct {
	Request
	queries []Query // of the period's grain
	shown   Set
	closes  bool
	out     *Outcome
}

// look says what a period shows and under which settings it is counted. For the owner these are today's; what others
// were shown of a period keeps its span and settings for good.
func (r *Releaser) look(ctx context.Context, req Request) (*due, error) {
	s := req.Settings
	if s.MinGroup < 2 || s.MinContent < s.MinGroup || s.Zone == nil || !s.Workspace.Valid() || len(r.Key) < 32 || s.Noise < 0 || s.Noise > noise.MaxScale {
		return nil, ErrSettings
	}
	shown, err := r.Load(ctx, s.Workspace, req.Audience, s.Zone, req.Period.Name)
	if err != nil {
		return nil, err
	}
	d := &due{Request: req, shown: shown, closes: req.Period.Closes(r.Clock(), req.LastAdded)}
	switch {
	case req.Audience == Owner:
		d.Settings.Noise = 0
	case len(shown.tables) > 0:
		d.Settings, d.Period = shown.tables[0].settings, shown.tables[0].period
	}
	if req.Audience == Owner || d.Cut.After(d.Period.Start) { // else nothing of it is over
		d.queries = d.asked(r.Queries, s.Noise)
	}
	return d, nil
}

// asked are the queries of the period that the audience has tables of, at the workspace's noise.
func (d *due) asked(all []Query, noise int64) (queries []Query) {
	for _, q := range all {
		early := q.Repeats && d.Cut.Before(d.Period.End)
		if q.Grain == d.Period.Grain && d.Audience.sees(q, noise) && !early {
			queries = append(queries, q)
		}
	}
	return queries
}

// sees reports whether a set for the audience has the query's table, at the workspace's noise.
func (a Audience) sees(q Query, noise int64) bool {
	if a == Others {
		return noise > 0
	}
	return !q.Repeats && (noise == 0 || q.Activity())
}

// span is what is counted of the period.
func (d *due) span() Span {
	s := d.Period.Span()
	if d.Audience == Others && d.Cut.Before(s.End) {
		s.End = d.Cut
	}
	return s
}

// allWeeks are the leaves of a question that is split by week.
var allWeeks = []int{0, 1, 2, 3, 4, 5}

// bySettings gathers periods that are counted under the same settings. A block comes after its weeks.
func bySettings(all []*due) (groups [][]*due) {
	for _, d := range all {
		i := len(groups) - 1
		for i >= 0 && !groups[i][0].Settings.equal(d.Settings) {
			i--
		}
		if i >= 0 && (d.Period.Grain != Block || i == len(groups)-1) {
			groups[i] = append(groups[i], d)
		} else {
			groups = append(groups, []*due{d})
		}
	}
	return groups
}

// equal reports whether rows are counted the same way under both.
func (s Settings) equal(o Settings) bool {
	return s.Zone.String() == o.Zone.String() && s.Workspace == o.Workspace && s.OpenHours == o.OpenHours && s.ShortAbandonS == o.ShortAbandonS
}

// makeAll makes and stores the sets of periods that are counted under the same settings.
func (r *Releaser) makeAll(ctx context.Context, all []*due) error {
	runs, counts, err := r.open(ctx, all)
	if err != nil {
		return err
	}
	defer counts.Close()
	for i, d := range all {
		if err := r.makeSet(ctx, runs[i], d); err != nil {
			return fmt.Errorf("release %s: %w", d.Period.Name, err)
		}
	}
	return nil
}

// open opens one count for the questions of several periods.
func (r *Releaser) open(ctx context.Context, all []*due) ([]*run, Counts, error) {
	var runs []*run
	var questions []Question
	for _, d := range all {
		u := &run{settings: d.Settings, queries: d.queries, first: len(questions)}
		if d.Audience == Others {
			u.keys = noise.NewKeys(r.Key, d.Settings.Workspace.String(), d.Period.Name)
			u.askNoised(d)
		} else {
			u.ask(r.Queries, d)
		}
		runs, questions = append(runs, u), append(questions, u.questions...)
	}
	counts, err := r.Counter.Open(ctx, all[0].Snapshot, all[0].Settings, questions)
	if err != nil {
		return nil, nil, fmt.Errorf("count: %w", err)
	}
	for _, u := range runs {
		u.counts = counts
	}
	return runs, counts, nil
}

func (r *Releaser) makeSet(ctx context.Context, u *run, d *due) (err error) {
	set, news := Set{}, true
	if d.Audience == Others {
		set.tables, news, err = u.noisedTables(ctx, d)
	} else {
		set, err = r.exactSet(ctx, u, d)
	}
	if err != nil || !news {
		return err
	}
	sealed, err := seal(r.Key, d.Settings.Workspace, d.Audience, d.Period.Name, set)
	if err != nil {
		return err
	}
	if err := r.Store.Put(ctx, d.Settings.Workspace, d.Audience, d.Period.Name, d.closes, sealed); err != nil {
		return fmt.Errorf("store release: %w", err)
	}
	d.out.Set, d.out.Made = set, true
	return nil
}

func (r *Releaser) exactSet(ctx context.Context, u *run, d *due) (set Set, err error) {
	if set.crowd, err = u.crowd(ctx, allWeeks); err != nil {
		return Set{}, err
	}
	weeks, err := r.weeks(ctx, u, d.Period)
	if err != nil {
		return Set{}, err
	}
	u.late = weeks == ahead
	groups, err := u.groups(ctx)
	if err != nil {
		return Set{}, err
	}
	now := r.Clock()
	for i, q := range u.queries {
		set.tables = append(set.tables, d.table(q, groups[i], now))
	}
	return set, nil
}

func (d *due) table(q Query, groups []Group, asOf time.Time) Table {
	return Table{query: q, settings: d.Settings, period: d.Period, groups: groups, asOf: asOf, closed: d.closes, ok: true}
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
		shown, err := r.Load(ctx, u.settings.Workspace, Owner, u.settings.Zone, w.Name)
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
