package lake

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Compact drops superseded versions, in whatever day they are, and then merges the files of at most maxDays
// days, those with the most files first. Days with few files are left alone. Each day is a commit of its own:
// appends get their turn in between.
func (l *Lake) Compact(ctx context.Context, maxDays int) error {
	if err := l.settle(ctx, everyBucket); err != nil {
		return wrap("compact", err)
	}
	days, err := l.scattered(ctx, maxDays)
	for _, parts := range days {
		if err == nil {
			err = l.change(ctx, func(m *move) error { return l.rewrite(ctx, m, parts, nil) })
		}
	}
	return wrap("compact", err)
}

// scattered gives the partitions of many small files, by day, of at most maxDays days.
func (l *Lake) scattered(ctx context.Context, maxDays int) ([]map[part]bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(ctx); err != nil {
		return nil, err
	}
	count := map[Day]int{}
	many := map[Day]map[part]bool{}
	for _, t := range tables {
		for p, files := range l.state[t].parts() {
			if len(files) < l.cfg.SmallFiles {
				continue
			}
			if many[p.day] == nil {
				many[p.day] = map[part]bool{}
			}
			many[p.day][p] = true
			count[p.day] += len(files)
		}
	}
	days := slices.SortedFunc(maps.Keys(count), func(a, b Day) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	var out []map[part]bool
	for _, d := range days[:min(len(days), maxDays)] {
		out = append(out, many[d])
	}
	return out, nil
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

func everyBucket(int32) bool { return true }

// settle looks the ids of fresh files up in all days and drops the rows that a higher version supersedes. It
// reads the ids and versions of the buckets that have fresh files, one bucket at a time, and nothing when there
// are none.
func (l *Lake) settle(ctx context.Context, in func(bucket int32) bool) error {
	recorded, err := l.catalog.files(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	err = l.refresh(ctx)
	fresh := map[int32]bool{}
	for _, f := range l.state[fact.Facts].files {
		if r, known := recorded[f.path]; (!known || r.fresh) && in(f.part.bucket) {
			fresh[f.part.bucket] = true
		}
	}
	l.mu.Unlock()
	for b := range fresh {
		if err == nil {
			err = l.change(ctx, func(m *move) error { return l.settleBucket(ctx, m, b) })
		}
	}
	return err
}

func (l *Lake) settleBucket(ctx context.Context, m *move, bucket int32) error {
	recorded, err := l.catalog.files(ctx)
	if err != nil {
		return err
	}
	best := map[key]winner{}
	for _, fresh := range []bool{true, false} { // the ids of fresh files first
		for _, f := range l.state[fact.Facts].files {
			if f.part.bucket != bucket || recorded[f.path].fresh != fresh {
				continue
			}
			if fresh {
				m.settled[f.path] = true
			}
			if err := l.raise(ctx, best, f, fresh); err != nil {
				return err
			}
		}
	}
	stale := map[part]bool{}
	for _, t := range tables {
		for p, files := range l.state[t].parts() {
			if p.bucket != bucket || stale[p] {
				continue
			}
			more, err := l.hasStale(ctx, t, p.day, files, best)
			if err != nil {
				return err
			}
			if more {
				stale[p] = true
			}
		}
	}
	return l.rewrite(ctx, m, stale, func(r Stored) Verdict {
		w, known := best[key{r.Workspace, r.ID}]
		if known && w != (winner{r.Version, DayOf(time.UnixMicro(int64(r.At)))}) {
			return Drop
		}
		return Stay
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

// hasStale reports whether files of one day have more than the winner of an id.
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
