package lake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/parquet/file"

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
		what, err := l.check(p, recorded)
		if err != nil {
			return found, wrap("verify", err)
		}
		if n, data := rows[p]; data && what == "" && !l.hasRows(p, n) {
			what = "holds another number of rows than the table says"
		}
		if what != "" {
			found = append(found, Breach{p, what, rows[p]})
		}
	}
	return found, wrap("verify", l.checkCatalog(ctx, &found))
}

func (l *Lake) check(p string, recorded map[string]recorded) (what string, err error) {
	r, ok := recorded[p]
	if !ok {
		return "was not written by murmur", nil
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
	switch {
	case err != nil:
		return "cannot be read", nil
	case n != r.size:
		return "has another size than was written", nil
	case !bytes.Equal(h.Sum(nil), r.sum):
		return "has other content than was written", nil
	}
	return "", nil
}

// whole reads a file and holds it against what was recorded when it was written.
func (c *catalog) whole(ctx context.Context, path string) ([]byte, error) {
	var size int64
	var sum []byte
	err := c.db.QueryRowContext(ctx, `SELECT size, sha256 FROM murmur_files WHERE path = ?`, path).Scan(&size, &sum)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	b, err := os.ReadFile(c.disk.path(path))
	if err != nil {
		return nil, err
	}
	if got := sha256.Sum256(b); int64(len(b)) != size || !bytes.Equal(got[:], sum) {
		return nil, errors.New("is not as it was written")
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
		if _, bad := l.catalog.whole(ctx, p); bad != nil {
			return errors.Join(err, &damagedError{p, bad})
		}
	}
	return err
}

func (l *Lake) hasRows(p string, n int64) bool {
	pf, err := file.OpenParquetFile(l.catalog.disk.path(p), false)
	if err != nil {
		return false
	}
	defer func() { _ = pf.Close() }()
	return pf.NumRows() == n
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
