package lake

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	iceio "github.com/apache/iceberg-go/io"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// disk is the lake's directory as iceberg-go sees it. Every file is hashed while it is written and
// remembered until the commit that makes it part of a table: the library's own local file system neither
// syncs nor hashes.
//
// Iceberg metadata names files by absolute URI. root is the URI that the tables were made under; names
// below it are found below dir, so a restored or moved data directory still opens.
type disk struct {
	dir  string
	root string
	away *away // where the files are, and dir has copies; nil: dir has them

	mu      sync.Mutex
	written []written
	made    map[string]bool // folders known to exist with a durable name, or in fresh
	fresh   []string        // folders whose parent must be synced
}

// written is a file that waits for its commit. path is relative to the directory, with slashes.
type written struct {
	path string
	size int64
	sum  [sha256.Size]byte
}

var _ iceio.WriteFileIO = (*disk)(nil)

// uriOf is the URI of a local directory.
func uriOf(dir string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(dir)}).String()
}

// errOutside refuses a name that a file of the lake cannot have: somebody else wrote it.
var errOutside = errors.New("a name outside the lake")

// rel gives the path below the lake's directory of a name as the metadata has it.
func (d *disk) rel(name string) (string, error) {
	rest, ok := strings.CutPrefix(name, d.root+"/")
	if !ok {
		return "", errOutside
	}
	rest, err := url.PathUnescape(rest)
	if err != nil || !filepath.IsLocal(rest) {
		return "", errOutside
	}
	return rest, nil
}

func (d *disk) path(rel string) string { return filepath.Join(d.dir, filepath.FromSlash(rel)) }

func (d *disk) Open(name string) (iceio.File, error) {
	rel, err := d.rel(name)
	if err != nil {
		return nil, err
	}
	path, release, err := d.hold(context.Background(), rel) // the interface has no context; the bucket bounds how long it takes
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		release()
		return nil, err
	}
	return &heldFile{f, sync.OnceFunc(release)}, nil
}

// hold has a file on this machine until release is called.
func (d *disk) hold(ctx context.Context, rel string) (path string, release func(), err error) {
	if d.away == nil {
		return d.path(rel), func() {}, nil
	}
	release, err = d.away.hold(ctx, rel)
	return d.path(rel), release, err
}

// heldFile is on this machine until it is closed.
type heldFile struct {
	*os.File
	release func()
}

func (f *heldFile) Close() error {
	defer f.release()
	return f.File.Close()
}

func (d *disk) Remove(name string) error {
	rel, err := d.rel(name)
	if err != nil {
		return err
	}
	_, err = d.remove(context.Background(), []string{rel})
	return err
}

// remove deletes files of the lake, and gives those that are gone; one that was not there is. Nothing outside is deleted, whatever
// paths say.
func (d *disk) remove(ctx context.Context, paths []string) (removed []string, err error) {
	if d.away != nil {
		return d.away.remove(ctx, paths)
	}
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for _, p := range paths {
		if err := root.Remove(filepath.FromSlash(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, err
		}
		removed = append(removed, p)
	}
	return removed, nil
}

func (d *disk) Create(name string) (iceio.FileWriter, error) {
	f, err := d.create(name)
	if err != nil {
		return nil, err // an interface with a nil pointer in it is not nil
	}
	return f, nil
}

func (d *disk) create(name string) (*hashingFile, error) {
	rel, err := d.rel(name)
	if err != nil {
		return nil, err
	}
	if err := d.mkdir(filepath.Dir(d.path(rel))); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(d.path(rel), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &hashingFile{d: d, f: f, h: sha256.New(), w: written{path: rel}}, nil
}

func (d *disk) WriteFile(name string, p []byte) error {
	f, err := d.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(p)
	return errors.Join(err, f.Close())
}

// take hands over the files written since the last call.
func (d *disk) take() []written {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.written
	d.written = nil
	return w
}

// mkdir makes a folder below the lake's directory.
func (d *disk) mkdir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made[dir] {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if d.made == nil {
		d.made = map[string]bool{}
	}
	for ; len(dir) > len(d.dir) && !d.made[dir]; dir = filepath.Dir(dir) {
		d.made[dir] = true
		d.fresh = append(d.fresh, dir)
	}
	return nil
}

// sync makes files and the names of files and new folders durable.
func (d *disk) sync(files []written) error {
	dirs := map[string]bool{}
	var g errgroup.Group
	g.SetLimit(16)
	for _, w := range files {
		p := d.path(w.path)
		dirs[filepath.Dir(p)] = true
		g.Go(func() error { return syncFile(p) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, dir := range d.fresh {
		dirs[filepath.Dir(dir)] = true
	}
	for dir := range dirs {
		g.Go(func() error { return syncFile(dir) })
	}
	err := g.Wait()
	if err == nil {
		d.fresh = nil
	}
	return err
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// hashingFile remembers size and hash when it is closed.
type hashingFile struct {
	d      *disk
	f      *os.File
	h      hash.Hash
	w      written
	closed bool
}

func (f *hashingFile) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	f.h.Write(p[:n])
	f.w.size += int64(n)
	return n, err
}

func (f *hashingFile) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{f}, r)
}

func (f *hashingFile) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	f.h.Sum(f.w.sum[:0])
	f.d.mu.Lock()
	f.d.written = append(f.d.written, f.w)
	f.d.mu.Unlock()
	if f.d.away != nil {
		f.d.away.wrote(f.w)
	}
	return f.f.Close()
}

// gate is a lock file: the writer's (one at a time, of all processes) or the readers' (shared).
type gate struct{ f *os.File }

func openGate(path string) (*gate, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &gate{f}, nil
}

// lock waits for the writer's turn.
func (g *gate) lock(ctx context.Context) error {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		switch ok, err := g.try(unix.LOCK_EX); {
		case err != nil:
			return err
		case ok:
			return nil
		}
		t.Reset(2 * time.Millisecond)
	}
}

// try takes the lock in a mode when no other process is in the way. It changes a lock that is held.
func (g *gate) try(mode int) (bool, error) {
	for {
		err := unix.Flock(int(g.f.Fd()), mode|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, fmt.Errorf("lock the lake: %w", err)
		}
	}
}

func (g *gate) unlock() { _ = unix.Flock(int(g.f.Fd()), unix.LOCK_UN) }

func (g *gate) close() error { return g.f.Close() }
