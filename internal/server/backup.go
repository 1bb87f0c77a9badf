package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"murmur/internal/datadir"
	"murmur/internal/meta"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// noticesDir is where the notices of workspaces lie in the data directory.
const noticesDir = "notices"

// backup writes one consistent file, of one moment: copies of the databases made by the engines themselves, the lake's
// files of one snapshot, the lasting keys, and the notices, without which the standard one would be played. What was
// accepted before it began is processed first, because no raw byte is in a backup, sealed or not: a backup lives longer
// than a day. The file is whole on this disk before the first byte is handed out.
func (n *Node) backup(ctx context.Context, w io.Writer) error {
	if err := n.accessed(ctx, workspace.Default, "backup"); err != nil {
		return err
	}
	if err := n.roomForBackup(ctx); err != nil {
		return err
	}
	waiting, err := n.settle(ctx)
	if err != nil {
		return err
	}
	if waiting > 0 {
		n.log.Warn("a backup is made without deliveries that cannot be processed", "count", waiting)
	}
	tmp, err := os.MkdirTemp(n.dir.Tmp(), "backup-")
	if err != nil {
		return fmt.Errorf("make room for the backup: %w", err)
	}
	defer os.RemoveAll(tmp)
	release, err := n.emptyQueue(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := n.way.Still(func() error { return n.copyInto(ctx, tmp) }); err != nil {
		return err
	}
	files, err := n.backupFiles(tmp)
	if err != nil {
		return err
	}
	whole, err := n.spool(ctx, files)
	if err != nil {
		return err
	}
	defer os.Remove(whole.Name())
	defer whole.Close()
	info, err := whole.Stat()
	if err != nil {
		return fmt.Errorf("measure the backup: %w", err)
	}
	if h, ok := w.(rpc.Headed); ok {
		h.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
		h.Header().Set(rpc.LeftOut, strconv.FormatInt(waiting, 10))
	}
	if _, err := io.Copy(w, whole); err != nil {
		return fmt.Errorf("hand out the backup: %w", err)
	}
	return n.didAt(ctx, backedUp, n.now())
}

// backedUp is the name under which it is remembered when a backup was last handed out.
const backedUp = "backup"

// copyInto copies the files that change into a folder while the pipeline is paused. The order matters for events that
// come meanwhile: a delivery of the journal has had its effect in the lake or in the journal's facts, and whatever was
// said to the consent register by then is in the copy of the metadata.
func (n *Node) copyInto(ctx context.Context, tmp string) error {
	n.tenancy.names.Lock() // no copy has a workspace without its keys
	defer n.tenancy.names.Unlock()
	in := func(path string) string { return filepath.Join(tmp, filepath.Base(path)) }
	if err := n.crowd.Backup(ctx, in(n.dir.Lake()), in(n.dir.Catalog())); err != nil {
		return err
	}
	if err := n.journal.Backup(ctx, in(n.dir.Journal())); err != nil {
		return err
	}
	if err := n.db.Backup(ctx, in(n.dir.Meta())); err != nil {
		return err
	}
	if err := n.backupCheckpoints(ctx, tmp); err != nil {
		return err
	}
	return n.ring.Copy(tmp, false)
}

// backupFiles names what goes into the archive.
func (n *Node) backupFiles(tmp string) ([]datadir.Source, error) {
	files, err := filesBelow(tmp)
	if err != nil {
		return nil, fmt.Errorf("list the backup: %w", err)
	}
	notices, err := filesBelow(filepath.Join(n.dir.Path(), noticesDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the notices: %w", err)
	}
	for _, f := range notices {
		files = append(files, datadir.Source{Name: noticesDir + "/" + f.Name, Path: f.Path})
	}
	return files, nil
}

// spool writes the archive to a file of this disk, durable and at its beginning.
func (n *Node) spool(ctx context.Context, files []datadir.Source) (_ *os.File, err error) {
	f, err := os.CreateTemp(n.dir.Tmp(), "backup-*.tar")
	if err != nil {
		return nil, fmt.Errorf("make room for the backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if err := n.dir.Backup(ctx, f, files...); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

// roomForBackup refuses a backup that would fill the disk: deliveries need that room. The copies of the databases
// and the archive are on it together for a moment; the lake's files are linked, or fetched from its bucket.
func (n *Node) roomForBackup(ctx context.Context) error {
	space, err := n.dir.Space()
	if err != nil {
		return nil // not known here: a full disk is an error of the write then
	}
	files, err := filesBelow(n.dir.Path())
	if err != nil {
		return fmt.Errorf("measure the data: %w", err)
	}
	need := int64(backupReserve)
	for _, f := range files {
		info, err := os.Lstat(f.Path)
		if err != nil || !info.Mode().IsRegular() {
			continue // gone meanwhile
		}
		switch filepath.Ext(f.Name) {
		case ".db":
			need += 2 * info.Size()
		case ".parquet", ".avro", ".json":
			need += info.Size()
		}
	}
	if s := n.lakeStatus(); s != nil { // fetched, then archived
		bytes, err := n.crowd.Bytes(ctx)
		if err != nil {
			return err
		}
		need += 2 * bytes
	}
	if space.Free < need {
		return fmt.Errorf("a backup needs %d MiB free beside the data, %d are: %w", need>>20, space.Free>>20, datadir.ErrFull)
	}
	return nil
}

// backupReserve is what stays free for deliveries while a backup is made, in bytes.
const backupReserve = 64 << 20

// settle waits until everything that was accepted before now has been processed, and gives how many deliveries still
// wait where that does not happen: a part of murmur failed, and somebody wants a backup before they look at it.
func (n *Node) settle(ctx context.Context) (waiting int64, err error) {
	began := n.now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	oldest, since := time.Time{}, time.Now()
	for {
		b, err := n.journal.Backlog(ctx)
		if err != nil {
			return 0, err
		}
		if b.Pending == 0 || b.Oldest.After(began) {
			return 0, nil
		}
		if !b.Oldest.Equal(oldest) {
			oldest, since = b.Oldest, time.Now()
		}
		stuck := patience
		if n.failure() != nil {
			stuck = patience / 24
		}
		if time.Since(since) > stuck {
			return b.Pending, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
}

// patience is how long a backup waits for one batch of deliveries.
const patience = 2 * time.Minute

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
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil // gone meanwhile
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out = append(out, datadir.Source{Name: filepath.ToSlash(rel), Path: path})
		return err
	})
	return out, err
}
