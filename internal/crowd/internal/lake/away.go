package lake

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"murmur/internal/bucket"
)

// A lake in a bucket: every file is an object, the directory has copies. A file is written into the directory, and stored
// before the commit that names it; what is read is fetched whole, held against its recorded hash, and read from the copy. So
// the engine that counts reads one folder of this machine, as ever. Copies that nobody reads leave, those that were read
// longest ago first, when all together are larger than the limit: the disk has the limit, and what is being read or waits to
// be stored beyond it. Nothing is kept in memory but the list of copies.

var (
	// ErrTaken is returned where another directory, or another copy of this one, uses the place in the bucket.
	ErrTaken = errors.New("another data directory, or a copy of this one, keeps its lake at this place in the bucket")
	// ErrElsewhere is returned by Open without a bucket for a lake whose files are in one.
	ErrElsewhere = errors.New("the files of the lake are in a bucket")
	// ErrOther is returned by Open with a bucket for a lake whose files are in another.
	ErrOther = errors.New("the files of the lake are in another bucket")
	// errChanged says that an object or a copy of it is not the file that was written.
	errChanged = errors.New("is not as it was written")
)

const (
	markFile  = "murmur-lake" // names the directory that keeps its lake at this place, and the process that writes it
	fetchFold = "fetch"       // copies on their way
	parallel  = 8             // requests at a time
)

// away is the bucket of a lake, and its copies on this machine.
type away struct {
	bucket *bucket.Bucket
	dir    string
	limit  int64 // bytes of copies
	home   string
	run    string // of this process
	known  func(ctx context.Context, path string) (recorded, error)

	fetching singleflight.Group
	claimed  bool // the mark names this process; guarded by the writer's turn

	mu     sync.Mutex
	copies map[string]*copied // by path below the directory
	bytes  int64              // of all copies
	clock  int64
	kept   int   // files that Expire was to delete and could not
	failed error // of the last operation; nil when it succeeded
}

type copied struct {
	size int64
	held int   // readers
	used int64 // when it was read last, by clock
}

// path below the directory, as the system has it.
func (a *away) path(rel string) string { return filepath.Join(a.dir, filepath.FromSlash(rel)) }

// note remembers whether the bucket serves, for the operator.
func (a *away) note(err error) error {
	if err != nil && !errors.Is(err, bucket.ErrAway) && !errors.Is(err, bucket.ErrTrust) {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = err
	return err
}

// adopt takes the files that the directory has for copies, where they have the size that was recorded.
func (a *away) adopt(recorded map[string]recorded) error {
	if err := os.RemoveAll(a.path(fetchFold)); err != nil {
		return err
	}
	for p, r := range recorded {
		info, err := os.Lstat(a.path(p))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.Size() != r.size {
			err = os.Remove(a.path(p))
		} else if err == nil {
			a.add(p, r.size)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add puts a file of the directory on the list of copies.
func (a *away) add(rel string, size int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.copies[rel] == nil {
		a.copies[rel] = &copied{size: size}
		a.bytes += size
	}
	a.clock++
	a.copies[rel].used = a.clock
}

// wrote holds a file that was written until it is stored or given up: the library reads what it has just written.
func (a *away) wrote(w written) {
	a.add(w.path, w.size)
	a.take(w.path)
}

// done lets go of files that were stored, or given up.
func (a *away) done(files []written) {
	for _, w := range files {
		a.letGo(w.path)
	}
}

// hold has a copy of a file on this machine until release is called.
func (a *away) hold(ctx context.Context, rel string) (release func(), err error) {
	for {
		if a.take(rel) {
			return func() { a.letGo(rel) }, nil
		}
		_, err, _ := a.fetching.Do(rel, func() (any, error) { return nil, a.fetch(ctx, rel) })
		if err != nil && ctx.Err() == nil && errors.Is(err, context.Canceled) {
			continue // somebody else's context ended while we waited for what they fetched
		}
		if err != nil {
			return nil, err
		}
	}
}

func (a *away) take(rel string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.copies[rel]
	if c == nil {
		return false
	}
	a.clock++
	c.held, c.used = c.held+1, a.clock
	return true
}

func (a *away) letGo(rel string) {
	a.mu.Lock()
	if c := a.copies[rel]; c != nil {
		c.held--
	}
	a.mu.Unlock()
	a.makeRoom()
}

// makeRoom removes copies until they are within the limit, or all are being read.
func (a *away) makeRoom() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.bytes > a.limit {
		oldest := ""
		for p, c := range a.copies {
			if c.held == 0 && (oldest == "" || c.used < a.copies[oldest].used) {
				oldest = p
			}
		}
		if oldest == "" || os.Remove(a.path(oldest)) != nil {
			return
		}
		a.bytes -= a.copies[oldest].size
		delete(a.copies, oldest)
	}
}

// drop forgets a copy and removes it.
func (a *away) drop(rel string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.copies[rel]; c != nil {
		a.bytes -= c.size
		delete(a.copies, rel)
	}
	if err := os.Remove(a.path(rel)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// fetch copies an object into the directory, when it is what was written. A missing or changed object is damage; other errors
// say nothing about it.
func (a *away) fetch(ctx context.Context, rel string) error {
	a.mu.Lock()
	there := a.copies[rel] != nil
	a.mu.Unlock()
	if there {
		return nil // since we looked
	}
	want, err := a.known(ctx, rel)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(a.path(fetchFold), 0o700); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(a.path(rel)), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(a.path(fetchFold), "")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	h := sha256.New()
	err = a.note(a.bucket.Get(ctx, rel, want.size, io.MultiWriter(f, h)))
	if err == nil && !bytes.Equal(h.Sum(nil), want.sum) {
		err = errChanged
	}
	if err == nil {
		err = f.Sync() // a name that outlives a power cut has its bytes
	}
	if err = errors.Join(err, f.Close()); errors.Is(err, bucket.ErrMissing) || errors.Is(err, errChanged) {
		return &damagedError{rel, err}
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), a.path(rel)); err != nil {
		return err
	}
	a.add(rel, want.size)
	return nil
}

// store makes files of the directory objects. None is part of a table yet.
func (a *away) store(ctx context.Context, files []written) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, w := range files {
		g.Go(func() error { return a.put(ctx, w.path) })
	}
	return a.note(g.Wait())
}

func (a *away) put(ctx context.Context, rel string) error {
	f, err := os.Open(a.path(rel))
	if err != nil {
		return err
	}
	return errors.Join(a.bucket.Put(ctx, rel, f), f.Close())
}

// remove deletes objects and their copies, and gives those that are gone. It stops at the first that the bucket would not delete:
// whoever waits for the lake must not wait for the same answer a thousand times.
func (a *away) remove(ctx context.Context, paths []string) (removed []string, err error) {
	g, asking := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	gone := make([]bool, len(paths))
	for i, p := range paths {
		g.Go(func() error {
			err := errors.Join(a.bucket.Remove(asking, p), a.drop(p))
			gone[i] = err == nil
			return err
		})
	}
	err = g.Wait()
	for i, p := range paths {
		if gone[i] {
			removed = append(removed, p)
		}
	}
	a.mu.Lock()
	a.kept = len(paths) - len(removed)
	a.mu.Unlock()
	return removed, a.note(err)
}

// mine reports by its error whether this process may write. It is asked before each commit and each removal, with the writer's
// turn. The first time it puts the mark of this process; another one that wrote here is stopped by that.
func (a *away) mine(ctx context.Context) error {
	mark, err := a.mark(ctx)
	if err != nil {
		return a.note(err)
	}
	home, run, _ := strings.Cut(mark, " ")
	if home != a.home || a.claimed && run != a.run {
		return ErrTaken
	}
	if a.claimed {
		return nil
	}
	return a.note(a.claim(ctx))
}

func (a *away) mark(ctx context.Context) (string, error) {
	var b strings.Builder
	err := a.bucket.Get(ctx, markFile, 128, &b)
	return strings.TrimSpace(b.String()), err
}

func (a *away) claim(ctx context.Context) error {
	f, err := os.OpenFile(a.path(markFile), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, a.home, a.run)
	if err == nil {
		err = a.bucket.Put(ctx, markFile, f)
	}
	err = errors.Join(err, f.Close())
	a.claimed = err == nil
	return err
}

// settleIn makes the place in the bucket this directory's. It must be empty, or be what an earlier attempt began.
func (a *away) settleIn(ctx context.Context) error {
	if err := a.bucket.Check(ctx); err != nil {
		return err
	}
	switch mark, err := a.mark(ctx); {
	case errors.Is(err, bucket.ErrMissing):
		for _, t := range tables {
			if names, err := a.bucket.List(ctx, tableName(t)); err != nil || len(names) > 0 {
				return errors.Join(err, ErrTaken)
			}
		}
	case err != nil:
		return err
	case !strings.HasPrefix(mark, a.home+" "):
		return ErrTaken
	}
	return a.claim(ctx)
}

func randomName() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Where gives the address of the bucket that has the files of the lake with this catalog; "": they are in its directory, or
// there is no lake yet.
func Where(ctx context.Context, catalogFile string) (string, error) {
	if _, err := os.Stat(catalogFile); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	db, err := openSQLite(catalogFile)
	if err != nil {
		return "", err
	}
	c := &catalog{db: db}
	var address string
	tables := 0
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE name = 'murmur_lake'`).Scan(&tables)
	if err == nil && tables > 0 {
		address, err = c.setting(ctx, "bucket")
	}
	return address, wrap("look where the lake is", errors.Join(err, db.Close()))
}

// goAway opens the lake on its bucket, and moves it there the first time.
func (l *Lake) goAway(ctx context.Context) error {
	at, err := l.catalog.setting(ctx, "bucket")
	if err != nil {
		return err
	}
	b := l.cfg.Bucket
	if b == nil {
		if at != "" {
			return ErrElsewhere
		}
		return nil
	}
	if at != "" && !sameBucket(at, b.String()) {
		return ErrOther
	}
	a := &away{bucket: b, dir: l.cfg.Dir, limit: l.cfg.Copies, run: randomName(), known: l.catalog.recorded, copies: map[string]*copied{}}
	if a.home, err = l.catalog.setting(ctx, "home"); err != nil {
		return err
	}
	if a.home == "" {
		a.home = randomName()
		if err := l.catalog.set(ctx, map[string]string{"home": a.home}); err != nil {
			return err
		}
	}
	recorded, err := l.catalog.files(ctx)
	if err != nil {
		return err
	}
	if err := a.adopt(recorded); err != nil {
		return err
	}
	if at == "" {
		if err := l.moveIn(ctx, a); err != nil {
			return fmt.Errorf("move the lake into the bucket: %w", err)
		}
	}
	l.catalog.disk.away, l.stray = a, true
	if at == b.String() {
		return nil
	}
	return l.catalog.set(ctx, map[string]string{"bucket": b.String()})
}

func sameBucket(a, b string) bool {
	x, err1 := bucket.Parse(a)
	y, err2 := bucket.Parse(b)
	return err1 == nil && err2 == nil && x.Same(y)
}

// moveIn makes every file of the current state an object.
func (l *Lake) moveIn(ctx context.Context, a *away) error {
	if err := a.settleIn(ctx); err != nil {
		return err
	}
	if err := l.refresh(ctx); err != nil {
		return err
	}
	return a.store(ctx, l.currentFiles())
}

func (l *Lake) currentFiles() (files []written) {
	for _, t := range tables {
		if l.state[t] == nil {
			continue
		}
		for _, p := range l.state[t].meta {
			files = append(files, written{path: p})
		}
		for p, f := range l.state[t].files {
			files = append(files, written{path: p, size: f.FileSizeBytes()})
		}
	}
	return files
}

// ComeBack fetches every file from the bucket, after which the directory has them all, and deletes them there. The lake must
// be opened anew. left: they are here, and some objects could not be deleted.
func (l *Lake) ComeBack(ctx context.Context) (left error, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.catalog.disk.away
	if a == nil {
		return nil, nil
	}
	if err := l.writer.lock(ctx); err != nil {
		return nil, err
	}
	defer l.writer.unlock()
	if err := l.refresh(ctx); err != nil {
		return nil, wrap("bring the lake back", err)
	}
	if err := a.mine(ctx); err != nil {
		return nil, wrap("bring the lake back", err)
	}
	a.limit = 1 << 62
	g, fetch := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, w := range l.currentFiles() {
		g.Go(func() error { _, err := a.hold(fetch, w.path); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, wrap("bring the lake back", err)
	}
	if err := l.catalog.set(ctx, map[string]string{"bucket": "", "home": ""}); err != nil {
		return nil, wrap("bring the lake back", err)
	}
	return a.leave(ctx), nil
}

// leave deletes everything that is at the place in the bucket, the mark last.
func (a *away) leave(ctx context.Context) error {
	for _, t := range tables {
		names, err := a.bucket.List(ctx, tableName(t))
		if err != nil {
			return err
		}
		for _, n := range names {
			if err := a.bucket.Remove(ctx, n); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(a.path(markFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return a.bucket.Remove(ctx, markFile)
}

// Away is the state of a lake in a bucket.
type Away struct {
	Address string
	Copies  int64 // bytes on this machine
	Kept    int   // files that nothing needs and that could not be deleted
	Failed  error // why the last operation failed; nil: it did not
}

// Away says how the bucket serves, without asking it; ok is false where the files are in the directory.
func (l *Lake) Away() (s Away, ok bool) {
	a := l.catalog.disk.away
	if a == nil {
		return s, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return Away{a.bucket.String(), a.bytes, a.kept, a.failed}, true
}

// Ask tries the bucket now.
func (l *Lake) Ask(ctx context.Context) error {
	a := l.catalog.disk.away
	if a == nil {
		return nil
	}
	return a.note(a.bucket.Check(ctx))
}
