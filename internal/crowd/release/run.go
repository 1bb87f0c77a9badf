package release

import (
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
	all, err := r.withoutHeld(ctx, all)
	if err != nil {
		return nil, err
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

// look says what a period shows and under which settings it would be counted.
func (r *Releaser) look(ctx context.Context, req Request) (*due, error) {
	s := req.Settings
	if s.MinGroup < 2 || s.MinContent < s.MinGroup || s.Zone == nil || !s.Workspace.Valid() || len(r.Key) < 32 {
		return nil, ErrSettings
	}
	shown, err := r.Load(ctx, s.Workspace, s.Zone, req.Period.Name)
	if err != nil {
		return nil, err
	}
	d := &due{Request: req, shown: shown, closes: req.Period.Closes(r.Clock(), req.LastAdded)}
	for _, q := range r.Queries {
		if q.Grain == req.Period.Grain {
			d.queries = append(d.queries, q)
		}
	}
	if len(shown.tables) > 0 {
		d.Settings = frozen(shown.tables[0].settings, s, req.Force)
	}
	return d, nil
}

// waits reports whether the set of a period is made only when enough contacts are new.
func (d *due) waits() bool { return len(d.shown.tables) > 0 && !d.closes && !d.Force }

// withoutHeld leaves out the periods that are held back: counting who is there costs little beside counting everything.
func (r *Releaser) withoutHeld(ctx context.Context, all []*due) ([]*due, error) {
	var waiting []*due
	for _, d := range all {
		if d.waits() {
			waiting = append(waiting, d)
		}
	}
	if len(waiting) == 0 {
		return all, nil
	}
	runs, counts, err := r.open(ctx, waiting, (*run).askCrowd)
	if err != nil {
		return nil, err
	}
	defer counts.Close()
	making := map[string]bool{}
	for _, d := range all {
		making[d.Period.Name] = !d.waits()
	}
	for i, d := range waiting {
		held, err := r.held(ctx, runs[i], d, making)
		if err != nil {
			return nil, err
		}
		making[d.Period.Name] = !held
	}
	return slices.DeleteFunc(all, func(d *due) bool { return !making[d.Period.Name] }), nil
}

// held reports whether a period goes on showing what it shows. making names the weeks that will show what they count.
func (r *Releaser) held(ctx context.Context, u *run, d *due, making map[string]bool) (bool, error) {
	now, err := u.crowd(ctx, allWeeks)
	if err != nil {
		return false, err
	}
	weeks, err := r.weeks(ctx, u, d.Period, making)
	few := now.contacts-d.shown.contacts < d.Settings.MinGroup
	return weeks == ahead || weeks == unknown && few, err
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

func (s Settings) equal(o Settings) bool {
	same := s.Zone.String() == o.Zone.String()
	s.Zone, o.Zone = nil, nil
	return same && s == o
}

// makeAll makes and stores the sets of periods that are counted under the same settings.
func (r *Releaser) makeAll(ctx context.Context, all []*due) error {
	runs, counts, err := r.open(ctx, all, (*run).ask)
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
func (r *Releaser) open(ctx context.Context, all []*due, ask func(*run, []Query, *due)) ([]*run, Counts, error) {
	var runs []*run
	var questions []Question
	for _, d := range all {
		u := &run{settings: d.Settings, queries: d.queries, first: len(questions)}
		ask(u, r.Queries, d)
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

func (r *Releaser) makeSet(ctx context.Context, u *run, d *due) error {
	everybody, err := u.crowd(ctx, allWeeks)
	if err != nil {
		return err
	}
	weeks, err := r.weeks(ctx, u, d.Period, nil)
	if err != nil {
		return err
	}
	u.late = weeks == ahead
	set := Set{crowd: everybody}
	groups, err := u.groups(ctx)
	if err != nil {
		return err
	}
	now := r.Clock()
	for i, q := range u.queries {
		set.tables = append(set.tables, Table{
			query: q, settings: d.Settings, period: d.Period, groups: groups[i], asOf: now, closed: d.closes, ok: true,
		})
	}
	sealed, err := seal(r.Key, d.Settings.Workspace, d.Period.Name, set)
	if err != nil {
		return err
	}
	if err := r.Store.Put(ctx, d.Settings.Workspace, d.Period.Name, d.closes, sealed); err != nil {
		return fmt.Errorf("store release: %w", err)
	}
	d.out.Set, d.out.Made = set, true
	return nil
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
// closed they never will; then the block is hidden. making names the weeks that are about to show what they count.
func (r *Releaser) weeks(ctx context.Context, u *run, p Period, making map[string]bool) (standing, error) {
	if p.Grain != Block {
		return unknown, nil
	}
	found := unknown
	for i, w := range Weeks(u.settings.Zone, p.Start, p.End) {
		if making[w.Name] {
			found = level
			continue
		}
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
