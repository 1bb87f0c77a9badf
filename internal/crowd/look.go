package crowd

import (
	"context"
	"fmt"
	"slices"
	"time"

	"murmur/internal/crowd/internal/count/duckdb"
	"murmur/internal/crowd/internal/lake"
	"murmur/internal/crowd/release"
	"murmur/internal/workspace"
)

// When says why a workspace is looked at.
type When int

const (
	Schedule When = iota // something may have changed; more may be on its way
	Quiet                // the same, and everything that was accepted is in the lake
	Wish                 // somebody asked, and everything that was accepted is in the lake
)

// look is one look at a workspace: which of its periods must be counted, and their count.
type look struct {
	*Crowd
	ws        workspace.ID
	when      When
	settings  release.Settings
	names     release.Dictionary
	own       []category
	basis     string
	arrived   arrived
	changed   changed
	periods   map[place]counted
	published published
	midnight  time.Time      // up to which others may see rows now
	fetching  bool           // the history is still coming in
	snapshot  *lake.Snapshot // nil until something must be counted
	wake      time.Time      // when the next period may close, or be published; zero: none
}

func (l *look) release(ctx context.Context) (made int, err error) {
	if err := l.read(ctx); err != nil || len(l.arrived) == 0 {
		return 0, err
	}
	unpin := func() {}
	if l.when == Wish || l.changed.last() > l.periods[everything].looked {
		if l.snapshot, unpin, err = l.lake.Pin(ctx); err != nil {
			return 0, err
		}
		defer unpin()
		if err := l.findMoved(ctx); err != nil {
			return 0, err
		}
	}
	first, last := l.arrived.span()
	for _, block := range release.Blocks(l.settings.Zone, first, last) {
		due := l.due(block)
		if len(due) == 0 {
			continue
		}
		if l.snapshot == nil {
			if l.snapshot, unpin, err = l.lake.Pin(ctx); err != nil {
				return made, err
			}
			defer unpin()
		}
		n, err := l.count(ctx, block, due)
		if made += n; err != nil {
			return made, fmt.Errorf("release periods of %s: %w", block.Name, err)
		}
	}
	return made, l.publication(ctx)
}

// everything is the place that stores up to which sequence moved facts were searched.
var everything = place{}

func (l *look) read(ctx context.Context) error {
	policy, err := l.policy(ctx, l.ws)
	if err != nil {
		return err
	}
	if l.settings, err = settingsOf(l.ws, policy); err != nil {
		return err
	}
	if l.arrived, err = l.arrivals.days(ctx, l.ws); err != nil || len(l.arrived) == 0 {
		return err
	}
	if l.changed, err = l.changes.of(ctx, l.ws); err != nil {
		return err
	}
	if l.periods, err = l.changes.periods(ctx, l.ws); err != nil {
		return err
	}
	if l.names, err = l.Crowd.names.read(ctx, l.ws); err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	if l.own, err = l.categories.read(ctx, l.ws); err != nil {
		return err
	}
	if l.published, err = l.changes.published(ctx, l.ws); err != nil {
		return err
	}
	if l.Crowd.fetching != nil {
		if l.fetching, err = l.Crowd.fetching(ctx, l.ws); err != nil {
			return err
		}
	}
	l.midnight = midnightOf(l.now().In(l.settings.Zone))
	l.basis, err = release.Basis(l.releaser.Queries, l.settings, withOwn(l.names, l.own))
	return err
}

// publishHour is the local hour at which others are shown the day before.
const publishHour = 3

// shortestDay is one on which the clock goes forward: another time zone brings no publication sooner.
const shortestDay = 23 * time.Hour

// midnightOf is the midnight up to which rows may be shown at a local time.
func midnightOf(local time.Time) time.Time {
	day := local.Day()
	if local.Hour() < publishHour {
		day--
	}
	return time.Date(local.Year(), local.Month(), day, 0, 0, 0, 0, local.Location())
}

// daily reports whether the publication of a day is due. A workspace that is seen for the first time waits for its first
// morning: its history may just be coming in.
func (l *look) daily() bool {
	return !l.published.midnight.IsZero() && !l.midnight.Before(l.published.midnight.Add(shortestDay))
}

// landed reports whether an import or a backfill ended since others were shown anything, and is in the lake.
func (l *look) landed() bool { return l.published.arrived && l.when != Schedule }

// publication keeps what others were shown, and wakes the workspace when the next day's is due.
func (l *look) publication(ctx context.Context) error {
	next := l.midnight.AddDate(0, 0, 1)
	l.wake = earliest(l.wake, time.Date(next.Year(), next.Month(), next.Day(), publishHour, 0, 0, 0, next.Location()))
	now := published{midnight: l.published.midnight, arrived: l.published.arrived && !l.landed()}
	if now.midnight.IsZero() || l.daily() {
		now.midnight = l.midnight
	}
	if now == l.published {
		return nil
	}
	return l.changes.publish(ctx, l.ws, now)
}

// findMoved adds to what changed the days that a fact left: a newer version has another time, and the older one is still in
// the lake. The lake tells of the day that a fact came to, and of the one that it left only when it drops the old row.
func (l *look) findMoved(ctx context.Context) error {
	now := l.snapshot.Sequence()
	if len(l.periods) > 0 && l.changed.last() > l.periods[everything].looked {
		defer l.snapshot.LetGo()
		files := filesOf(l.snapshot, l.ws, time.Time{}, time.Time{})
		files.Files = duckdb.NearFresh(files.Files)
		if _, err := fetched(ctx, l.snapshot, files); err != nil {
			return err
		}
		moved, err := l.engine.Moved(ctx, l.ws, files)
		if err != nil {
			return err
		}
		var all []lake.Change
		for _, m := range moved {
			day := lake.DayOf(m.Day)
			if l.changed[day][m.Kind] < now {
				all = append(all, lake.Change{Workspace: l.ws, Day: day, Kind: m.Kind})
				l.changed.add(day, m.Kind, now)
			}
		}
		if err := l.changes.note(ctx, now, all); err != nil {
			return err
		}
	}
	return l.changes.keep(ctx, l.ws, map[place]counted{everything: {looked: now}})
}

// due gives what must be counted of a block: for each audience its weeks, and behind them the block.
func (l *look) due(block release.Period) (due []release.Request) {
	weeks := append(release.Weeks(l.settings.Zone, block.Start, block.End), block)
	for _, audience := range []release.Audience{release.Owner, release.Others} {
		before := len(due)
		for _, p := range weeks {
			last := l.arrived.last(p)
			at := l.periods[place{audience, p.Name}]
			if last.IsZero() || at.closed {
				continue
			}
			closes := p.Closes(l.now(), last)
			if !closes {
				l.wake = earliest(l.wake, closing(p, last))
			}
			follows := p.Grain == release.Block && len(due) > before // its weeks may now show the rows that it waited for
			if audience == release.Owner && (closes || follows || l.moved(p, at)) || audience == release.Others && l.shows(p, at, closes) {
				due = append(due, release.Request{
					Audience: audience, Period: p, Settings: l.settings, LastAdded: last,
					Cut: l.midnight, Arrived: at.made > 0 && !(l.daily() && (closes || l.turned(p, at))),
				})
			}
		}
	}
	return due
}

// moved reports whether the owner's tables of a period must be made again: something that they come from changed, or what
// shapes them.
func (l *look) moved(p release.Period, at counted) bool {
	return at.made == 0 || l.changed.around(p) > at.made || at.basis != l.basis
}

// shows reports whether others are shown a period anew: a period that they never saw when somebody asks, when an import
// ended, or with the day's publication; any other at its turns, when it closes, and at the end of an import.
func (l *look) shows(p release.Period, at counted, closes bool) bool {
	if l.settings.Noise == 0 || !l.midnight.After(p.Start) {
		return false
	}
	if at.made == 0 {
		return !l.fetching && (l.when == Wish || l.landed() || l.daily())
	}
	until := p.End
	if l.midnight.Before(until) {
		until = l.midnight
	}
	changed := closes || at.until.Before(until) || l.changed.around(p) > at.made
	return changed && (l.daily() && (closes || l.turned(p, at)) || l.landed() && !closes)
}

// turned reports whether a turn of a period came since others were shown it.
func (l *look) turned(p release.Period, at counted) bool {
	return slices.ContainsFunc(p.Turns(), func(turn time.Time) bool { return at.until.Before(turn) && !l.midnight.Before(turn) })
}

// closing is when a period becomes final, if nothing more comes.
func closing(p release.Period, last time.Time) time.Time {
	end, quiet := p.End.Add(release.CloseAfter), last.Add(release.QuietFor)
	if quiet.After(end) {
		return quiet
	}
	return end
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// count makes the tables of one block's periods and keeps where they stand.
func (l *look) count(ctx context.Context, block release.Period, due []release.Request) (made int, err error) {
	defer l.snapshot.LetGo()
	files, err := l.files(ctx, block.Start.Add(-release.Horizon), block.End.Add(release.Horizon))
	if err != nil {
		return 0, err
	}
	if files.Own, err = l.tellOwn(ctx, block); err != nil {
		return 0, fmt.Errorf("tell categories: %w", err)
	}
	names := map[release.Span]release.Dictionary{} // both audiences have one once a block is over
	for i, r := range due {
		span := l.seen(block, r.Audience)
		if _, named := names[span]; !named {
			if names[span], err = l.withReplies(ctx, span, files); err != nil {
				return 0, err
			}
		}
		due[i].Snapshot, due[i].Dictionary = files, withOwn(names[span], l.ownIn(block))
	}
	out, err := l.releaser.ReleaseAll(ctx, due)
	if err != nil {
		return 0, err
	}
	now := map[place]counted{}
	for i, o := range out {
		at := l.periods[place{due[i].Audience, due[i].Period.Name}]
		at.looked = l.snapshot.Sequence()
		if o.Made {
			made++
			at.made, at.until, at.basis = at.looked, l.midnight, l.basis
		}
		now[place{due[i].Audience, due[i].Period.Name}] = at
	}
	return made, l.changes.keep(ctx, l.ws, now)
}

// files gives the files that can have rows of the workspace in [from, to), on this machine. A zero time is no bound.
func (l *look) files(ctx context.Context, from, to time.Time) (release.Snapshot, error) {
	return fetched(ctx, l.snapshot, filesOf(l.snapshot, l.ws, from, to))
}
