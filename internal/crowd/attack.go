package crowd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/workspace"
)

// Attacked is what attacks on the published figures of a workspace came to.
type Attacked struct {
	Said   []string // what was tried
	Found  []string // what revealed something about one person
	Noise  int64    // scale that others are shown figures with; 0: they are shown none
	Weeks  Attempt
	Blocks Attempt // of four weeks
}

// Attempt is the attack on periods of one length.
type Attempt struct {
	Periods  []string
	Accuracy release.Accuracy
}

// Reader is how figures are read from tables (package insight).
type Reader struct {
	Reads map[string]release.Read
	Band  func(contacts int64) (lowest, highest int64)
}

// The attack takes some seconds a period.
const (
	attackedWeeks   = 3
	attackedBlocks  = 1
	attackedPersons = 40
	attackedWorlds  = 16
	// fewestDraws is how many draws of noise must all be zero before there is said to be none: by chance once in 10,000 times
	// at scale 1, where one draw is zero with 0.46, and in 20 million at scale 2 (0.24; noise.ProbabilityOf).
	fewestDraws = 12
)

// Attack tries on the figures of a workspace what a reader can try: to find a group under the minimum by subtraction, in
// the exact tables of the owner; to tell whether one person is in what others are shown.
func (c *Crowd) Attack(ctx context.Context, ws workspace.ID, as Reader) (a Attacked, err error) {
	sets, err := c.Sets(ctx, ws, release.Owner)
	if err != nil {
		return a, err
	}
	a.Said, a.Found = release.Subtract(sets)
	l := &look{Crowd: c, ws: ws}
	if err := l.read(ctx); err != nil || len(l.arrived) == 0 {
		return a, err
	}
	snapshot, unpin, err := l.lake.Pin(ctx)
	if err != nil {
		return a, err
	}
	defer unpin()
	l.snapshot, a.Noise = snapshot, l.settings.Noise
	shown, err := c.Sets(ctx, ws, release.Others)
	for _, s := range slices.Backward(shown) {
		if err != nil {
			break
		}
		switch p := s.Period(); {
		case p.Grain == release.Week && len(a.Weeks.Periods) < attackedWeeks:
			err = l.attack(ctx, as, s, &a, &a.Weeks)
		case p.Grain == release.Block && len(a.Blocks.Periods) < attackedBlocks:
			err = l.attack(ctx, as, s, &a, &a.Blocks)
		}
	}
	if stored := a.Weeks.Accuracy.Plus(a.Blocks.Accuracy).Stored; stored.Tried >= fewestDraws && stored.Of() == 1 {
		a.Found = append(a.Found, "what others are shown has no noise")
	}
	return a, err
}

// audited is how many releases are drawn with and without somebody.
const audited = 60_000

// Audit attacks what leaves a workspace: the plan that is followed, on the rows of the last month that is over. ok is false
// where nothing leaves. It spends nothing.
func (c *Crowd) Audit(ctx context.Context, ws workspace.ID) (a provable.Audit, ok bool, err error) {
	policy, err := c.policy(ctx, ws)
	if err != nil || policy.Outside != workspace.Monthly || c.outside == nil {
		return a, false, err
	}
	settings, err := c.monthSettings(ctx, ws, policy)
	if err != nil {
		return a, false, err
	}
	snapshot, unpin, err := c.lake.Pin(ctx)
	if err != nil {
		return a, false, err
	}
	defer unpin()
	m := provable.MonthOf(settings.Zone, provable.MonthOf(settings.Zone, c.now()).Start.Add(-12*time.Hour))
	files, err := fetched(ctx, snapshot, filesOf(snapshot, ws, m.Start, m.End))
	if err != nil {
		return a, false, err
	}
	a, err = c.leaver.Audit(ctx, provable.Request{
		Workspace: ws, Month: m, Plan: c.outside(policy.OutsideContacts), LinkDays: policy.LinkDays, Settings: settings, Snapshot: files,
	}, audited)
	return a, err == nil, err
}

// attack plays the attacker on one period, as others were shown it.
func (l *look) attack(ctx context.Context, as Reader, shown release.Set, a *Attacked, on *Attempt) error {
	settings, w := shown.Settings(), shown.Period()
	probe := release.Probe{
		Releaser: l.releaser, Taker: l.engine, Reads: as.Reads, Band: as.Band, Persons: attackedPersons, Worlds: attackedWorlds,
	}
	var reqs []release.Request
	defer l.snapshot.LetGo()
	files, err := l.files(ctx, w.Start.Add(-release.Horizon), w.End.Add(release.Horizon))
	if err != nil {
		return err
	}
	names, err := l.withReplies(ctx, l.seen(w, release.Others), files)
	if err == nil {
		files.Own, err = l.tellOwn(ctx, w)
	}
	if err != nil {
		return err
	}
	names = withOwn(names, l.ownIn(w))
	for _, cut := range release.Publications(w) {
		if !cut.After(shown.AsOf()) {
			reqs = append(reqs, release.Request{
				Audience: release.Others, Snapshot: files, Period: w, Settings: settings, Dictionary: names, Cut: cut,
			})
		}
	}
	if len(reqs) == 0 {
		return nil
	}
	one, err := probe.Week(ctx, reqs, shown)
	switch {
	case errors.Is(err, release.ErrLarge):
		a.Said = append(a.Said, fmt.Sprintf("%s was not attacked: it has too many rows", w.Name))
		return nil
	case err != nil:
		return err
	}
	if one.All.Tried == 0 {
		return nil // it has no contacts
	}
	on.Periods, on.Accuracy, a.Noise = append(on.Periods, w.Name), on.Accuracy.Plus(one), max(a.Noise, settings.Noise)
	return nil
}
