package lake

import (
	"cmp"
	"context"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Compact drops superseded versions, in whatever day they are, and then merges the files of at most maxDays
// days, those with the most files first. Days with few files are left alone.
func (l *Lake) Compact(ctx context.Context, maxDays int) error {
	if err := l.settle(ctx, everyBucket); err != nil {
		return wrap("compact", err)
	}
	err := l.change(ctx, func(m *move) error {
		return l.rewrite(ctx, m, l.scattered(maxDays), nil)
	})
	return wrap("compact", err)
}

// scattered gives the partitions of many small files, of at most maxDays days.
func (l *Lake) scattered(maxDays int) map[part]bool {
	count := map[Day]int{}
	many := map[part]bool{}
	for _, t := range tables {
		for p, files := range l.state[t].parts() {
			if len(files) >= l.cfg.SmallFiles {
				many[p] = true
				count[p.day] += len(files)
			}
		}
	}
	days := make([]Day, 0, len(count))
	for d := range count {
		days = append(days, d)
	}
	slices.SortFunc(days, func(a, b Day) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	days = days[:min(len(days), maxDays)]
	for p := range many {
		if !slices.Contains(days, p.day) {
			delete(many, p)
		}
	}
	return many
}

// key is a fact's identity.
type key struct {
	ws workspace.ID
	id fact.ID
}

// winner is the version of an id that counts, and the day it happened in.
type winner struct {
	version int64
	day     Day
}

// winners are the winners of the ids of fresh files, by bucket. A bucket without fresh files has no entry.
type winners map[int32]map[key]winner

func everyBucket(int32) bool { return true }

// settle looks the ids of fresh files up in all days and drops the rows that a higher version supersedes. It
// reads the ids and versions of the buckets that have fresh files, and nothing when there are none.
func (l *Lake) settle(ctx context.Context, in func(bucket int32) bool) error {
	return l.change(ctx, func(m *move) error {
		recorded, err := l.catalog.files(ctx)
		if err != nil {
			return err
		}
		best := winners{}
		for _, f := range l.state[fact.Facts].files {
			if !recorded[f.path].fresh || !in(f.part.bucket) {
				continue
			}
			m.settled[f.path] = true
			if best[f.part.bucket] == nil {
				best[f.part.bucket] = map[key]winner{}
			}
			if err := l.raise(ctx, best[f.part.bucket], f, true); err != nil {
				return err
			}
		}
		for _, f := range l.state[fact.Facts].files {
			if known := best[f.part.bucket]; known != nil && !m.settled[f.path] {
				if err := l.raise(ctx, known, f, false); err != nil {
					return err
				}
			}
		}
		stale, err := l.stale(ctx, best)
		if err != nil {
			return err
		}
		return l.rewrite(ctx, m, stale, func(r Stored) Verdict {
			w, known := best[bucketOf(r.Workspace)][key{r.Workspace, r.ID}]
			if known && w != (winner{r.Version, DayOf(time.UnixMicro(int64(r.At)))}) {
				return Drop
			}
			return Stay
		})
	})
}

// raise lifts the winners to what a file has; ids that are not among them are added when add is set.
func (l *Lake) raise(ctx context.Context, best map[key]winner, f dataFile, add bool) error {
	for r, err := range l.scan(ctx, fact.Facts, []dataFile{f}, colVersions) {
		if err != nil {
			return err
		}
		k := key{r.Workspace, r.ID}
		old, known := best[k]
		if !known && !add {
			continue
		}
		w := winner{r.Version, f.part.day}
		if !known || w.version > old.version || w.version == old.version && w.day > old.day {
			best[k] = w
		}
	}
	return nil
}

// stale gives the partitions that have more than the winner of an id.
func (l *Lake) stale(ctx context.Context, best winners) (map[part]bool, error) {
	stale := map[part]bool{}
	for _, t := range tables {
		for p, files := range l.state[t].parts() {
			if best[p.bucket] == nil || stale[p] {
				continue
			}
			more, err := l.hasStale(ctx, t, p.day, files, best[p.bucket])
			if err != nil {
				return nil, err
			}
			if more {
				stale[p] = true
			}
		}
	}
	return stale, nil
}

func (l *Lake) hasStale(ctx context.Context, t fact.Table, d Day, files []dataFile, best map[key]winner) (bool, error) {
	seen := map[key]bool{}
	for r, err := range l.scan(ctx, t, files, colVersions) {
		if err != nil {
			return false, err
		}
		k := key{r.Workspace, r.ID}
		w, known := best[k]
		if known && (seen[k] || w != (winner{r.Version, d})) {
			return true, nil
		}
		if known {
			seen[k] = true
		}
	}
	return false, nil
}
