package lake

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// Backup puts the files of one snapshot below dir and the catalog that belongs to it at catalogFile; neither may
// exist. Files are linked where the file system allows it (a file of the lake never changes) and copied
// elsewhere; those of a lake in a bucket are fetched. Opening a lake on the two, without a bucket, gives the snapshot.
func (l *Lake) Backup(ctx context.Context, dir, catalogFile string) error {
	snap, release, err := l.pinWithCatalog(ctx, catalogFile)
	if err != nil {
		return wrap("back up", err)
	}
	defer release()
	for _, p := range snap.paths() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.copyInto(ctx, p, filepath.Join(dir, filepath.FromSlash(p))); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = fs.ErrNotExist // the name below says which, without the path
			}
			return wrap("back up lake/"+p, err)
		}
	}
	return nil
}

func (l *Lake) copyInto(ctx context.Context, p, to string) error {
	from, release, err := l.catalog.disk.hold(ctx, p)
	if err != nil {
		return err
	}
	defer release()
	return link(from, to)
}

// pinWithCatalog copies the catalog in the writer's turn, so that the pin and the copy are of one state.
func (l *Lake) pinWithCatalog(ctx context.Context, catalogFile string) (*Snapshot, func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.writer.lock(ctx); err != nil {
		return nil, nil, err
	}
	defer l.writer.unlock()
	snap, release, err := l.pinCurrent(ctx)
	if err != nil {
		return nil, nil, err
	}
	if _, err := l.catalog.db.ExecContext(ctx, `VACUUM INTO ?`, catalogFile); err != nil {
		release()
		return nil, nil, err
	}
	if err := withoutBucket(ctx, catalogFile); err != nil {
		release()
		return nil, nil, err
	}
	return snap, release, nil
}

// withoutBucket makes a copy of a catalog that of a lake in a directory.
func withoutBucket(ctx context.Context, catalogFile string) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: catalogFile}).EscapedPath()+"?_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `DELETE FROM murmur_lake WHERE key IN ('bucket', 'home')`)
	return errors.Join(err, db.Close())
}

func link(from, to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
