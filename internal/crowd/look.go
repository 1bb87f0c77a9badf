package crowd

import (
	"context"
	"fmt"
	"time"

	"murmur/internal/crowd/internal/lake"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// look is one look at a workspace: which of its periods must be counted, and their count.
type look struct {
	*Crowd
	ws       workspace.ID
	force    bool
	settings release.Settings
	names    release.Dictionary
	basis    string
	arrived  arrived
	changed  changed
	periods  map[string]counted
	snapshot *lake.Snapshot // nil until something must be counted
	wake     time.Time      // when the next period may close; zero: none
}

func (l *look) release(ctx context.Context) (made int, err error) {
	if err := l.read(ctx); err != nil || len(l.arrived) == 0 {
		return 0, err
	}
	unpin := func() {}
	if l.force || l.changed.last() > l.periods[everything].looked {
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
	return made, nil
}

// everything is the name under which it is kept up to where moved facts were looked for.
const everything = ""

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
	l.basis, err = release.Basis(l.releaser.Queries, l.settings, l.names)
	return err
}

// findMoved adds to what changed the days that a fact left: a newer version has another time, and the older one is still in
// the lake. The lake tells of the day that a fact came to, and of the one that it left only when it drops the old row.
func (l *look) findMoved(ctx context.Context) error {
	now := l.snapshot.Sequence()
	if len(l.periods) > 0 && l.changed.last() > l.periods[everything].looked {
		moved, err := l.engine.Moved(ctx, l.ws, l.files(time.Time{}, time.Time{}))
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
	return l.changes.keep(ctx, l.ws, map[string]counted{everything: {looked: now}})
}

// due gives the weeks of a block that must be counted, and behind them the block.
func (l *look) due(block release.Period) (due []release.Period) {
	for _, p := range append(release.Weeks(l.settings.Zone, block.Start, block.End), block) {
		last := l.arrived.last(p)
		at := l.periods[p.Name]
		if last.IsZero() || at.closed {
			continue
		}
		closes := p.Closes(l.now(), last)
		if !closes {
			l.wake = earliest(l.wake, closing(p, last))
		}
		follows := p.Grain == release.Block && len(due) > 0 // its weeks may show what it waited for
		if closes || follows || l.moved(p, at) {
			due = append(due, p)
		}
	}
	return due
}

// moved reports whether a period must be looked at. For a schedule that is when its own rows changed: what lies beside them
// brings no new contact, so that it is not shown. For the owner it is when anything changed that its tables come from.
func (l *look) moved(p release.Period, at counted) bool {
	if l.force {
		return at.made == 0 || l.changed.around(p) > at.made || at.basis != l.basis
	}
	return at.looked == 0 || l.changed.inside(p) > at.looked
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

// count makes the tables of periods of one block and keeps where they stand.
func (l *look) count(ctx context.Context, block release.Period, due []release.Period) (made int, err error) {
	files := l.files(block.Start.Add(-release.Horizon), block.End.Add(release.Horizon))
	var reqs []release.Request
	for _, p := range due {
		reqs = append(reqs, release.Request{
			Snapshot: files, Period: p, Settings: l.settings, Dictionary: l.names, LastAdded: l.arrived.last(p), Force: l.force,
		})
	}
	out, err := l.releaser.ReleaseAll(ctx, reqs)
	if err != nil {
		return 0, err
	}
	now := map[string]counted{}
	for i, o := range out {
		at := l.periods[due[i].Name]
		at.looked = l.snapshot.Sequence()
		if o.Made {
			made++
			at.made = at.looked
			if at.basis, err = release.Basis(l.releaser.Queries, o.Set.Settings(), l.names); err != nil {
				return made, err
			}
		}
		now[due[i].Name] = at
	}
	return made, l.changes.keep(ctx, l.ws, now)
}

// files gives the files that can have rows of the workspace in [from, to). A zero time is no bound.
func (l *look) files(from, to time.Time) (out release.Snapshot) {
	for _, f := range l.snapshot.WorkspaceFiles(fact.Facts, l.ws, from, to) {
		span := release.Span{Start: f.From.Start(), End: (f.To + 1).Start()}
		out.Files = append(out.Files, release.File{Path: f.Path, Span: span, Rows: f.Rows, Settled: !f.Fresh})
	}
	return out
}
