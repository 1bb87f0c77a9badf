package lake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/parquet/file"

	"murmur/internal/bucket"
	"murmur/internal/fact"
)

// Breach is one thing that Verify found. File is relative to the lake's directory.
type Breach struct {
	File string
	What string
	Rows int64 // that the file held when it was written: what is lost at most
}

// Verify reads every file of the current state: it must be there with the size and the SHA-256 that were
// recorded when it was written, and hold as many rows as the table says. A damaged metadata file may keep
// the lake from being opened at all; then Open returns the error.
func (l *Lake) Verify(ctx context.Context) ([]Breach, error) {
	snap, release, err := l.Pin(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	recorded, err := l.catalog.files(ctx)
	if err != nil {
		return nil, wrap("verify", err)
	}
	var found []Breach
	rows := map[string]int64{}
	for _, t := range tables {
		for _, f := range snap.files[t] {
			rows[f.path] = f.Count()
		}
	}
	for _, p := range snap.paths() {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		what, err := l.check(ctx, p, recorded)
		if err != nil {
			return found, wrap("verify", err)
		}
		if n, data := rows[p]; data && what == "" {
			what, err = l.rowsDiffer(ctx, p, n)
		}
		if err != nil {
			return found, wrap("verify", err)
		}
		if what != "" {
			found = append(found, Breach{p, what, rows[p]})
		}
	}
	return found, wrap("verify", l.checkCatalog(ctx, &found))
}

func (l *Lake) check(ctx context.Context, p string, recorded map[string]recorded) (what string, err error) {
	r, ok := recorded[p]
	if !ok {
		return "was not written by murmur", nil
	}
	if a := l.catalog.disk.away; a != nil {
		return a.check(ctx, p, r)
	}
	f, err := os.Open(l.catalog.disk.path(p))
	if errors.Is(err, fs.ErrNotExist) {
		return "is missing", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return "cannot be read", nil
	}
	return differs(r, n, h.Sum(nil)), nil
}

// check reads an object, and drops a copy of it that differs.
func (a *away) check(ctx context.Context, p string, r recorded) (what string, err error) {
	h := sha256.New()
	n := new(length)
	err = a.note(a.bucket.Get(ctx, p, r.size, io.MultiWriter(h, n)))
	if errors.Is(err, bucket.ErrMissing) {
		return "is missing", nil
	}
	if err != nil {
		return "", err
	}
	a.mu.Lock()
	copied := a.copies[p] != nil
	a.mu.Unlock()
	if copied {
		b, err := os.ReadFile(a.path(p))
		if sum := sha256.Sum256(b); err != nil || !bytes.Equal(sum[:], r.sum) {
			err = a.drop(p)
		}
		if err != nil {
			return "", err
		}
	}
	return differs(r, int64(*n), h.Sum(nil)), nil
}

// length counts bytes.
type length int64

func (n *length) Write(p []byte) (int, error) {
	*n += length(len(p))
	return len(p), nil
}

// differs says how a file is not the one that was written; "": it is.
func differs(r recorded, size int64, sum []byte) string {
	switch {
	case size != r.size:
		return "has another size than was written"
	case !bytes.Equal(sum, r.sum):
		return "has other content than was written"
	}
	return ""
}

// whole reads a file and holds it against what was recorded when it was written. One that is not as it was is damage; a copy of
// an object is fetched again first.
func (c *catalog) whole(ctx context.Context, path string) ([]byte, error) {
	r, err := c.recorded(ctx, path)
	if err != nil {
		return nil, err
	}
	b, err := c.disk.sound(ctx, path, r)
	if a := c.disk.away; a != nil && isDamage(err) {
		if err := a.drop(path); err != nil {
			return nil, err
		}
		b, err = c.disk.sound(ctx, path, r)
	}
	return b, err
}

func (d *disk) sound(ctx context.Context, path string, r recorded) ([]byte, error) {
	local, release, err := d.hold(ctx, path)
	if err != nil {
		return nil, err
	}
	defer release()
	b, err := os.ReadFile(local)
	if got := sha256.Sum256(b); err == nil && !bytes.Equal(got[:], r.sum) {
		err = errChanged
	}
	if err != nil {
		return nil, &damagedError{path, err}
	}
	return b, nil
}

// blame names the metadata file of a table that an error comes from, when one is not as it was written.
func (l *Lake) blame(ctx context.Context, t fact.Table, err error) error {
	recorded, failed := l.catalog.files(ctx)
	if failed != nil {
		return err
	}
	for p := range recorded {
		if !strings.HasPrefix(p, tableName(t)+"/metadata/") {
			continue
		}
		if _, bad := l.catalog.whole(ctx, p); isDamage(bad) {
			return errors.Join(err, bad)
		}
	}
	return err
}

// rowsDiffer says whether a data file has another number of rows than n.
func (l *Lake) rowsDiffer(ctx context.Context, p string, n int64) (what string, err error) {
	local, release, err := l.catalog.disk.hold(ctx, p)
	if err != nil {
		return "", err
	}
	defer release()
	pf, err := file.OpenParquetFile(local, false)
	if err == nil && pf.NumRows() == n {
		return "", pf.Close()
	}
	if err == nil {
		_ = pf.Close()
	}
	return "holds another number of rows than the table says", nil
}

// checkCatalog asks SQLite about its own file.
func (l *Lake) checkCatalog(ctx context.Context, found *[]Breach) error {
	rows, err := l.catalog.db.QueryContext(ctx, `PRAGMA integrity_check(1)`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return err
		}
		if s != "ok" {
			*found = append(*found, Breach{File: "catalog", What: "is damaged"})
		}
	}
	return rows.Err()
}

// TableStats is the size of one table.
type TableStats struct {
	Files int
	Rows  int64 // superseded versions included
	Bytes int64
}

// Stats is the size of the lake.
type Stats struct {
	Facts, Texts TableStats
}

// Stats tells sizes.
func (l *Lake) Stats(ctx context.Context) (Stats, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(ctx); err != nil {
		return Stats{}, wrap("measure", err)
	}
	size := func(t fact.Table) (s TableStats) {
		for _, f := range l.state[t].files {
			s.Files++
			s.Rows += f.Count()
			s.Bytes += f.FileSizeBytes()
		}
		return s
	}
	return Stats{Facts: size(fact.Facts), Texts: size(fact.Texts)}, nil
}
