package lake

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// Snapshot is one state of both tables. Its files stay readable until it is released, whatever is appended,
// rewritten or expired meanwhile.
type Snapshot struct {
	l        *Lake
	files    map[fact.Table][]dataFile // in a fixed order
	fresh    map[string]bool
	meta     []string
	sequence int64

	heldMu sync.Mutex
	held   []func() // files that were fetched
}

// Pin takes the current state. The returned function releases it; it may be called more than once.
func (l *Lake) Pin(ctx context.Context) (*Snapshot, func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, release, err := l.pinCurrent(ctx)
	return s, release, wrap("pin a snapshot", err)
}

func (l *Lake) pinCurrent(ctx context.Context) (*Snapshot, func(), error) {
	if err := l.hold(ctx); err != nil {
		return nil, nil, err
	}
	if err := l.refresh(ctx); err != nil {
		l.letGo()
		return nil, nil, err
	}
	s := &Snapshot{l: l, files: map[fact.Table][]dataFile{}, sequence: l.sequence, fresh: l.fresh}
	for _, t := range tables {
		for _, f := range l.state[t].files {
			s.files[t] = append(s.files[t], f)
		}
		slices.SortFunc(s.files[t], func(a, b dataFile) int { return strings.Compare(a.path, b.path) })
		s.meta = append(s.meta, l.state[t].meta...)
	}
	l.pin(s.paths(), 1)
	done := false
	return s, func() {
		l.pinMu.Lock()
		again := done
		done = true
		l.pinMu.Unlock()
		if !again {
			s.LetGo()
			l.pin(s.paths(), -1)
			l.letGo()
		}
	}, nil
}

// hold marks this process as a reader before it looks at the state: no other process removes files now.
func (l *Lake) hold(ctx context.Context) error {
	l.pinMu.Lock()
	defer l.pinMu.Unlock()
	for l.held == 0 {
		ok, err := l.readers.try(unix.LOCK_SH)
		if err != nil {
			return err
		}
		if ok {
			break
		}
		select { // another process is removing files, which is short
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	l.held++
	return nil
}

func (l *Lake) letGo() {
	l.pinMu.Lock()
	defer l.pinMu.Unlock()
	if l.held--; l.held == 0 {
		l.readers.unlock()
	}
}

func (l *Lake) pin(paths []string, by int) {
	l.pinMu.Lock()
	defer l.pinMu.Unlock()
	for _, p := range paths {
		if l.pins[p] += by; l.pins[p] == 0 {
			delete(l.pins, p)
		}
	}
}

// paths gives every file of the snapshot, below the lake's directory.
func (s *Snapshot) paths() []string {
	out := slices.Clone(s.meta)
	for _, t := range tables {
		for _, f := range s.files[t] {
			out = append(out, f.path)
		}
	}
	return out
}

// Files gives the Parquet files of a table that can have rows of [from, to), as paths in the lake's directory. A zero time
// is no bound. See the package comment for what a reader does with several versions of one id.
func (s *Snapshot) Files(t fact.Table, from, to time.Time) []string {
	var out []string
	for _, f := range s.files[t] {
		if f.within(from, to) {
			out = append(out, s.l.catalog.disk.path(f.path))
		}
	}
	return out
}

// Fetch has files of the snapshot on this machine, by File.Path, until LetGo, or until the snapshot is released.
func (s *Snapshot) Fetch(ctx context.Context, paths []string) error {
	if s.l.catalog.disk.away == nil {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, p := range paths {
		g.Go(func() error {
			rel, err := filepath.Rel(s.l.cfg.Dir, p)
			if err != nil {
				return err
			}
			_, release, err := s.l.catalog.disk.hold(ctx, filepath.ToSlash(rel))
			if err != nil {
				return err
			}
			s.heldMu.Lock()
			defer s.heldMu.Unlock()
			s.held = append(s.held, release)
			return nil
		})
	}
	return wrap("fetch files", g.Wait())
}

// LetGo says that the files which were fetched so far are no longer read: they may leave this machine. The snapshot stays.
func (s *Snapshot) LetGo() {
	s.heldMu.Lock()
	held := s.held
	s.held = nil
	s.heldMu.Unlock()
	for _, release := range held {
		release()
	}
}

// File is one Parquet file of a snapshot.
type File struct {
	Path     string // local
	From, To Day    // its rows lie in these days, both included
	Rows     int64  // of all workspaces
	// Fresh, of table facts: an id in this file may stand in another row as well, here or in any other file. An id that
	// is in no fresh file stands in one row alone.
	Fresh bool
}

// WorkspaceFiles gives the Parquet files of a table that can have rows of a workspace in [from, to), each once, by
// day. A zero time is no bound. The files can have rows of other workspaces and days beside them. Fetch
// has them on this machine.
func (s *Snapshot) WorkspaceFiles(t fact.Table, ws workspace.ID, from, to time.Time) []File {
	var out []File
	for _, f := range s.files[t] {
		if f.holds(ws) && f.within(from, to) {
			out = append(out, File{Path: s.l.catalog.disk.path(f.path), From: f.from, To: f.to, Rows: f.Count(), Fresh: s.fresh[f.path]})
		}
	}
	slices.SortFunc(out, func(a, b File) int { return cmp.Or(cmp.Compare(a.From, b.From), strings.Compare(a.Path, b.Path)) })
	return out
}

// within reports whether a file can have rows of [from, to).
func (f dataFile) within(from, to time.Time) bool {
	return (to.IsZero() || f.from.Start().Before(to)) && (from.IsZero() || f.to >= DayOf(from))
}

// Sequence is that of the last change in the snapshot: a change that Changing told under a higher one is not in it.
// Merging files is no change. 0: nothing was changed since sequences exist.
func (s *Snapshot) Sequence() int64 { return s.sequence }

// Expire removes every file that is in neither the current state nor a pin, leftovers of a crash included.
// What is pinned waits for a later Expire; while another process has pins, everything waits: see Waiting.
func (l *Lake) Expire(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.expire(ctx)
	return wrap("expire snapshots", err)
}

// expire reports how many files wait.
func (l *Lake) expire(ctx context.Context) (waiting int, err error) {
	if err := l.writer.lock(ctx); err != nil {
		return 0, err
	}
	defer l.writer.unlock()
	old, err := l.unreachable(ctx)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	l.pinMu.Lock()
	defer l.pinMu.Unlock()
	alone, err := l.readers.try(unix.LOCK_EX) // turns this process's shared lock into an exclusive one
	if err != nil {
		return 0, err
	}
	defer l.readersBack()
	if !alone {
		return len(old), nil
	}
	pinned := len(old)
	old = slices.DeleteFunc(old, func(p string) bool { return l.pins[p] > 0 })
	pinned -= len(old)
	if a := l.catalog.disk.away; a != nil {
		if err := a.mine(ctx); err != nil {
			return 0, err
		}
	}
	removed, err := l.catalog.disk.remove(ctx, old)
	if err != nil {
		return 0, errors.Join(err, l.catalog.forget(ctx, removed))
	}
	if err := l.cfg.Failpoint("expire"); err != nil {
		return 0, err
	}
	l.stray = l.stray && pinned > 0
	return pinned, l.catalog.forget(ctx, removed)
}

// Waiting is how many files are on disk that the next Expire would remove were nothing pinned. It is 0 when
// what was erased is in no file.
func (l *Lake) Waiting(ctx context.Context) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.writer.lock(ctx); err != nil {
		return 0, wrap("look for old files", err)
	}
	defer l.writer.unlock()
	old, err := l.unreachable(ctx)
	return len(old), wrap("look for old files", err)
}

// readersBack restores the readers' lock to what this process's pins need.
func (l *Lake) readersBack() {
	if l.held == 0 {
		l.readers.unlock()
		return
	}
	// Only a process that has the writer's turn asks for the exclusive lock, and we have it: this cannot fail.
	_, _ = l.readers.try(unix.LOCK_SH)
}

// unreachable lists the files of the directory and of the sidecar that the current state does not name. The bucket is listed
// when it may have more: by a process for the first time, and after a change that failed.
func (l *Lake) unreachable(ctx context.Context) ([]string, error) {
	if err := l.refresh(ctx); err != nil {
		return nil, err
	}
	current := map[string]bool{}
	for _, t := range tables {
		for _, p := range l.state[t].meta {
			current[p] = true
		}
		for p := range l.state[t].files {
			current[p] = true
		}
	}
	old := map[string]bool{}
	recorded, err := l.catalog.files(ctx)
	if err != nil {
		return nil, err
	}
	for p := range recorded {
		if !current[p] {
			old[p] = true
		}
	}
	if a := l.catalog.disk.away; a != nil && l.stray {
		for _, t := range tables {
			names, err := a.bucket.List(ctx, tableName(t))
			if err := a.note(err); err != nil {
				return nil, err
			}
			for _, p := range names {
				if !current[p] {
					old[p] = true
				}
			}
		}
	}
	for _, t := range tables {
		root := filepath.Join(l.cfg.Dir, tableName(t))
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			rel, err := filepath.Rel(l.cfg.Dir, path)
			if p := filepath.ToSlash(rel); err == nil && !current[p] {
				old[p] = true
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	out := make([]string, 0, len(old))
	for p := range old {
		out = append(out, p)
	}
	slices.Sort(out)
	return out, nil
}
