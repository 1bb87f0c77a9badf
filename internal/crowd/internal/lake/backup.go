package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Backup copies the current state into dir and the catalog into a file: the copy opens as a lake of its own. Nothing
// is written to the lake meanwhile.
func (l *Lake) Backup(ctx context.Context, dir, catalog string) error {
	err := l.change(ctx, func(*move) error {
		if _, err := l.catalog.db.ExecContext(ctx, `VACUUM INTO ?`, catalog); err != nil {
			return err
		}
		for _, t := range tables {
			paths := append([]string(nil), l.state[t].meta...)
			for _, f := range l.state[t].files {
				paths = append(paths, f.path)
			}
			for _, p := range paths {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := copyFile(l.catalog.disk.path(p), filepath.Join(dir, filepath.FromSlash(p))); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("back up the lake: %w", err)
	}
	return nil
}

func copyFile(from, to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
