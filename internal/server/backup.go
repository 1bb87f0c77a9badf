package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"murmur/internal/datadir"
	"murmur/internal/meta"
	"murmur/internal/workspace"
)

// noticesDir is where the notices of workspaces lie in the data directory.
const noticesDir = "notices"

// backup writes one consistent file: copies of the databases made by the engines themselves, the lake's files of one
// snapshot, the keys, and the notices, without which the standard one would be played. Epoch keys are left out: what they
// seal is dead within a day, in a backup too. So are recordings, whose keys they seal.
func (n *Node) backup(ctx context.Context, w io.Writer) error {
	if err := n.accessed(ctx, workspace.Default, "backup"); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(n.dir.Tmp(), "backup-")
	if err != nil {
		return fmt.Errorf("make room for the backup: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := n.db.Backup(ctx, filepath.Join(tmp, filepath.Base(n.dir.Meta()))); err != nil {
		return err
	}
	if err := n.backupCheckpoints(ctx, tmp); err != nil {
		return err
	}
	if err := n.journal.Backup(ctx, filepath.Join(tmp, filepath.Base(n.dir.Journal()))); err != nil {
		return err
	}
	if err := n.crowd.Backup(ctx, filepath.Join(tmp, filepath.Base(n.dir.Lake())), filepath.Join(tmp, filepath.Base(n.dir.Catalog()))); err != nil {
		return err
	}
	if err := n.ring.Copy(tmp, false); err != nil {
		return err
	}
	files, err := filesBelow(tmp)
	if err != nil {
		return fmt.Errorf("list the backup: %w", err)
	}
	notices, err := filesBelow(filepath.Join(n.dir.Path(), noticesDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the notices: %w", err)
	}
	for _, f := range notices {
		files = append(files, datadir.Source{Name: noticesDir + "/" + f.Name, Path: f.Path})
	}
	return n.dir.Backup(ctx, w, files...)
}

// backupCheckpoints puts the ledger's checkpoints beside the copy of its database.
func (n *Node) backupCheckpoints(ctx context.Context, tmp string) error {
	copied, err := meta.Open(ctx, filepath.Join(tmp, filepath.Base(n.dir.Meta())))
	if err != nil {
		return err
	}
	return errors.Join(n.ledger.Backup(ctx, copied, filepath.Join(tmp, filepath.Base(n.dir.Checkpoints()))), copied.Close())
}

// filesBelow names every file of a folder by its place in the data directory.
func filesBelow(dir string) ([]datadir.Source, error) {
	var out []datadir.Source
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out = append(out, datadir.Source{Name: filepath.ToSlash(rel), Path: path})
		return err
	})
	return out, err
}

// Restore unpacks a backup into an empty directory, checks every file, and carries out every erasure of its ledger
// again before it gives the directory free.
func Restore(ctx context.Context, r io.Reader, data string) error {
	if err := datadir.Restore(ctx, r, data); err != nil {
		return err
	}
	n, err := Open(ctx, Config{Data: data})
	if err != nil {
		return err
	}
	defer n.Close()
	workspaces, err := n.store.List(ctx)
	if err != nil {
		return err
	}
	for _, ws := range workspaces {
		contacts, err := n.zone.AllErased(ctx, ws)
		if err != nil {
			return err
		}
		if len(contacts) == 0 {
			continue
		}
		if err := n.forget(ctx, ws, contacts); err != nil {
			return err
		}
	}
	return nil
}
